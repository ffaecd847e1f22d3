"""`bench`: how fast training is on this machine."""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

from distill.exit_codes import OK
from distill.verbs.data_option import add_data_option, data_root
from distill.verbs.progress import add_events_option
from engine.files.whole import write_json
from engine.jobs.begun import begun

log = logging.getLogger("distill")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write the figures to this file")
    parser.add_argument("--rounds", type=int, default=4, help="interleaved rounds (default 4)")
    parser.add_argument("--size", type=int, default=352, metavar="PX", help="input size (default 352)")
    parser.add_argument("--batch", type=int, default=8, help="images a step (default 8)")
    parser.add_argument(
        "--precision", choices=("bf16", "fp16", "float32"), help="default: what a training takes here"
    )
    add_events_option(parser)
    add_data_option(parser)


def run(options: argparse.Namespace) -> int:
    from distill.train import bench
    from engine.bench.machine import machine

    with begun("bench", events=options.events):
        figures = bench.run(
            data_root(options), options.rounds, options.size, options.batch, options.precision
        ) | {"machine": machine()}
    if options.json:
        write_json(options.json, figures)
    log.info("%s", json.dumps(figures, indent=2))
    return OK
