"""`python -m engine.doctor [--json OUT]`: a line a check; exit code 1 when one of them fails, else 0."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from engine.doctor.checks import findings
from engine.doctor.finding import Level

OK, FAILED, INPUT_UNUSABLE = 0, 1, 2


def main(argv: Sequence[str] | None = None, prog: str = "python -m engine.doctor") -> int:
    parser = argparse.ArgumentParser(
        prog=prog, description="What is right and what is wrong with this machine."
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write the findings to this file")
    args = parser.parse_args(argv)
    told = []
    for finding in findings():
        print(finding.line, flush=True)
        told.append(finding)
    counts = {level: sum(finding.level is level for finding in told) for level in Level}
    print(", ".join(f"{count} {level}" for level, count in counts.items()))
    if args.json:
        from engine.files.whole import write_json

        try:
            write_json(args.json, {"schema": 1, "findings": [asdict(finding) for finding in told]})
        except OSError as error:
            print(f"It was not possible to write {args.json}: {error}. Choose another file.", file=sys.stderr)
            return INPUT_UNUSABLE
    return FAILED if counts[Level.FAIL] else OK


if __name__ == "__main__":
    sys.exit(main())
