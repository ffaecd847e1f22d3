"""`python -m engine.doctor [--json OUT]`: a line a check; exit code 1 when one of them fails, else 0."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from engine.doctor.check_result import Level
from engine.doctor.checks import check_results

OK, FAILED, INPUT_UNUSABLE = 0, 1, 2


def main(argv: Sequence[str] | None = None, prog: str = "python -m engine.doctor") -> int:
    parser = argparse.ArgumentParser(
        prog=prog, description="What is right and what is wrong with this machine."
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write the results to this file")
    args = parser.parse_args(argv)
    told = []
    for result in check_results():
        print(result.line, flush=True)
        told.append(result)
    counts = {level: sum(result.level is level for result in told) for level in Level}
    print(", ".join(f"{count} {level}" for level, count in counts.items()))
    if args.json:
        from engine.files.whole import write_json

        try:
            write_json(args.json, {"schema": 1, "findings": [asdict(result) for result in told]})
        except OSError as error:
            print(f"It was not possible to write {args.json}: {error}. Choose another file.", file=sys.stderr)
            return INPUT_UNUSABLE
    return FAILED if counts[Level.FAIL] else OK


if __name__ == "__main__":
    sys.exit(main())
