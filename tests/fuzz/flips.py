"""Analyses damaged copies of one clip: `python -m tests.fuzz.flips CLIP MODEL FOLDER FIRST LAST FRAMES`.

Seeds FIRST to LAST, one after the other, in a process of its own, so that a crash is an exit code. A line of
JSON for each seed says what came of it.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import shutil
import sys
import traceback
from pathlib import Path

from engine.analysis import cli as analyse_cli
from engine.analysis.results import read_results, read_summary


def flipped(data: bytes, seed: int) -> bytes:
    """`data` with one byte changed, where and how `seed` says."""
    chance = random.Random(seed)
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ chance.randrange(1, 256)]) + data[at + 1 :]


def outcome(path: Path, model: Path, out: Path, promised: int) -> dict[str, object]:
    """What `analyse` does with `path`: its exit code, what it wrote, and whether that is the truth."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            code = analyse_cli.main([str(path), "--out", str(out), "--model", str(model)])
    except BaseException as error:
        return {"kind": "traceback", "error": "".join(traceback.format_exception(error))}
    rows = [row["index"] for row in read_results(out)] if (out / "results.jsonl").is_file() else []
    summary = read_summary(out)
    if "Traceback" in said.getvalue() or code == 1:
        return {"kind": "traceback", "error": said.getvalue()}
    if code == 2:
        return {"kind": "refused" if not rows and summary is None else "half written"}
    if summary is None or rows != sorted(set(rows)) or len(rows) != summary.frames:
        return {"kind": "rows in disorder", "rows": rows}
    if code == 5:
        return {
            "kind": "incomplete, said" if not summary.complete and summary.faults else "incomplete, unsaid"
        }
    whole = summary.complete and len(rows) == promised
    return {"kind": "whole" if whole else "short, unsaid", "rows": len(rows)}


def main() -> None:
    clip, model, folder = map(Path, sys.argv[1:4])
    first, last, promised = map(int, sys.argv[4:7])
    data = clip.read_bytes()
    for seed in range(first, last):
        path, out = folder / f"{seed}{clip.suffix}", folder / f"out-{seed}"
        path.write_bytes(flipped(data, seed))
        print(json.dumps({"seed": seed} | outcome(path, model, out, promised)), flush=True)
        path.unlink()
        shutil.rmtree(out, ignore_errors=True)


if __name__ == "__main__":
    main()
