"""The process that holds a SAM: `python -m engine.review.sam.serve WEIGHTS`, spoken to over its pipes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO, Any

import numpy as np

from engine.faults import FaultError
from engine.review.sam.talk import hear, say


def serve(weights: Path, asked: IO[bytes], answers: IO[bytes]) -> None:
    """Until nobody asks any more: the one who started it has ended, however that came."""
    from engine.review.sam.network import Looking, read_sam  # torch

    try:
        sam = read_sam(weights)
    except FaultError as error:
        refused = {"expected": error.expected, "got": error.got, "said": str(error)}
        say(answers, {"fault": True, **refused})
        return
    say(answers, {"ready": True})
    looking: Looking | None = None
    while True:
        try:
            words, data = hear(asked)
        except EOFError:
            return
        high, wide = words["size"]
        pixels = high * wide
        before = np.frombuffer(data, np.uint8, pixels).reshape(high, wide) if words["before"] else None
        rest = data[pixels if words["before"] else 0 :]
        if rest:
            looking = Looking(sam, np.frombuffer(rest, np.uint8).reshape(high, wide, 3))
        assert looking is not None
        mask = looking.mask([(x, y, inside) for x, y, inside in words["clicks"]], before)
        say(answers, {}, mask.tobytes())


def main(arguments: list[str]) -> int:
    answers: Any = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is none of the answers
    serve(Path(arguments[0]), sys.stdin.buffer, answers)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
