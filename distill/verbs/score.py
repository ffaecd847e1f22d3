"""`score`: prediction maps that somebody has, against masks."""

from __future__ import annotations

import argparse
from pathlib import Path

from distill.exit_codes import OK
from distill.verbs.measuring import add_measuring_options, measure_and_write
from engine.jobs.begun import begun


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--predictions", type=Path, required=True, metavar="DIR", help="grey pictures of probability * 255"
    )
    parser.add_argument(
        "--masks",
        type=Path,
        required=True,
        metavar="DIR",
        help="masks with the same names; over 127 is polyp",
    )
    parser.add_argument("--images", type=Path, metavar="DIR", help="the images themselves, for --gallery")
    add_measuring_options(parser)


def run(options: argparse.Namespace) -> int:
    from distill.judging.maps import cases_of, samples_of
    from distill.metrics.files import pair_by_stem

    with begun("score", events=options.events) as events:
        pairs = pair_by_stem(options.predictions, options.masks)
        cases = cases_of([pair.stem for pair in pairs], options.masks.name, options.index)
        pictures = None
        if options.images:
            pictures = {pair.stem: pair.path for pair in pair_by_stem(options.images, options.masks)}
        measure_and_write(options, events, samples_of(pairs, cases, pictures), len(pairs))
    return OK
