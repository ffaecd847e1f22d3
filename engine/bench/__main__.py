"""`python -m engine.bench SUITE [--json OUT]`: a table on the screen, the same figures as JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

# Before torch: its idle threads must not spin on cores that the others are measured on.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from engine.bench.machine import machine
from engine.faults import FaultError
from engine.files import write_json

SUITES = ("pipeline", "runtimes", "analyse", "startup", "soak", "demo")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m engine.bench", description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write the figures to this file")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds (default 3)")
    parser.add_argument("--seconds", type=float, default=15.0, help="length of one round (default 15)")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the soak (default 10)")
    parser.add_argument("--model", help="runtimes: one model instead of all bundled ones")
    args = parser.parse_args(argv)
    options: dict[str, dict[str, Any]] = {
        "pipeline": {"rounds": args.rounds, "seconds": args.seconds},
        "runtimes": {"rounds": args.rounds * 10, "model": args.model},
        "analyse": {"rounds": args.rounds, "seconds": args.seconds},
        "startup": {"rounds": args.rounds},
        "soak": {"minutes": args.minutes},
        "demo": {},
    }
    try:
        figures = importlib.import_module(f"engine.bench.{args.suite}").run(**options[args.suite])
    except FaultError as error:
        print(error, file=sys.stderr)
        return 2
    figures["machine"] = machine()
    print(table(figures))
    if args.json:
        write_json(args.json, figures)
    return 0


def table(figures: dict[str, Any]) -> str:
    """The rows of a suite as a Markdown table, with the rest as one line of JSON."""
    lines: list[str] = []
    rest: dict[str, Any] = {}
    for key, value in figures.items():
        rows = value if isinstance(value, list) else [value]
        if key == "machine" or key == "samples" or not rows or not isinstance(rows[0], dict):
            rest[key] = value
            continue
        names = list(rows[0])
        lines.append("| " + " | ".join(names) + " |")
        lines.append("|" + "---|" * len(names))
        lines += ["| " + " | ".join(str(row.get(name)) for name in names) + " |" for row in rows]
        lines.append("")
    rest.pop("samples", None)
    lines.append(json.dumps(rest))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
