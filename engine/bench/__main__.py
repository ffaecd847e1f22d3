"""`python -m engine.bench SUITE [--json OUT] [--out DIR]`: a table on the screen, and the same as files."""

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
from engine.bench.report import write_report
from engine.bench.skipped import reasons
from engine.faults import FaultError
from engine.files.whole import write_json

SUITES = (
    "pipeline",
    "live",
    "runtimes",
    "students",
    "peers",
    "analyse",
    "startup",
    "soak",
    "demo",
    "alarms",
    "tracking",
    "field",
    "quality",
    "review",
)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m engine.bench", description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("paths", nargs="*", metavar="CLIP", help="alarms, tracking, quality, review (demo:)")
    parser.add_argument("--masks", type=Path, metavar="DIR", help="alarms: a mask a frame, as PNG")
    parser.add_argument("--data", type=Path, metavar="DIR", help="field: the folder with the sets' images")
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write the figures to this file")
    parser.add_argument("--out", type=Path, metavar="DIR", help="also write JSON, Markdown and plot there")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds (default 3)")
    parser.add_argument("--seconds", type=float, default=15.0, help="length of one round (default 15)")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the soak (default 10)")
    parser.add_argument("--model", help="runtimes, alarms, tracking, review: one instead of the bundled ones")
    parser.add_argument("--only", metavar="TEXT", help="students, peers: those with this in their name")
    parser.add_argument("--runtimes", metavar="A,B", help="runtimes, students, peers: these instead of all")
    parser.add_argument("--size", type=int, default=352, metavar="PX", help="students (default 352)")
    parser.add_argument("--int8", action="store_true", help="students: quantised, too (noise: speed alone)")
    parser.add_argument("--no-memory", action="store_true", help="students, peers: a process less a row")
    parser.add_argument(
        "--trained",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="peers: further model folders, such as a peer trained by `python -m distill train`",
    )
    args = parser.parse_args(argv)
    if args.json and (args.json.is_dir() or not args.json.absolute().parent.is_dir()):
        parser.error(f"{args.json} is no file that can be written: name one in a folder that is there")
    runtimes = args.runtimes.split(",") if args.runtimes else None
    executed = {
        "rounds": args.rounds * 10,
        "only": args.only,
        "runtimes": runtimes,
        "memory": not args.no_memory,
    }
    options: dict[str, dict[str, Any]] = {
        "pipeline": {"rounds": args.rounds, "seconds": args.seconds},
        "live": {"rounds": args.rounds, "seconds": args.seconds},
        "runtimes": {"rounds": args.rounds * 10, "model": args.model, "runtimes": runtimes},
        "students": {**executed, "size_px": args.size, "int8": args.int8},
        "peers": {**executed, "trained": args.trained},
        "analyse": {"rounds": args.rounds, "seconds": args.seconds},
        "startup": {"rounds": args.rounds},
        "soak": {"minutes": args.minutes},
        "demo": {},
        "field": {"data": args.data, "rounds": args.rounds},
        "tracking": {"paths": args.paths or ["demo:"], "model": args.model},
        "quality": {"paths": args.paths or ["demo:"]},
        "review": {"paths": args.paths or ["demo:"], "model": args.model},
        "alarms": {"paths": args.paths or ["demo:"], "masks": args.masks, "model": args.model},
    }
    try:
        figures = importlib.import_module(f"engine.bench.suites.{args.suite}").run(**options[args.suite])
    except FaultError as error:
        print(error, file=sys.stderr)
        return 2
    figures["machine"] = machine()
    text = table(figures)
    print(text)
    if args.json:
        write_json(args.json, figures)
    if args.out:
        for path in write_report(args.out, args.suite, figures, text):
            print(path)
    return 0


def table(figures: dict[str, Any]) -> str:
    """The rows of a suite as a Markdown table, what was left out, and the rest as one line of JSON."""
    lines: list[str] = []
    rest: dict[str, Any] = {}
    for key, value in figures.items():
        if key == "skipped":
            continue
        rows = value if isinstance(value, list) else [value]
        if key == "machine" or key == "samples" or not rows or not isinstance(rows[0], dict):
            rest[key] = value
            continue
        names = list(dict.fromkeys(name for row in rows for name in row))
        lines.append("| " + " | ".join(names) + " |")
        lines.append("|" + "---|" * len(names))
        lines += ["| " + " | ".join(_cell(row.get(name)) for name in names) + " |" for row in rows]
        lines.append("")
    lines += [f"- not measured: {reason}" for reason in reasons(figures.get("skipped", []))]
    rest.pop("samples", None)
    lines.append(json.dumps(rest))
    return "\n".join(lines)


def _cell(value: object) -> str:
    return "" if value is None else str(value)


if __name__ == "__main__":
    sys.exit(main())
