"""`export`: a run folder, or another model folder, becomes a model folder."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from distill.exit_codes import OK
from distill.verbs.data_option import OWN_DATA, add_data_option
from distill.verbs.progress import add_events_option
from engine.jobs.begun import begun

log = logging.getLogger("distill")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sources",
        nargs="+",
        type=Path,
        metavar="SOURCE",
        help="a run folder, or a model folder to be exported again; several runs of one recipe: their mean; "
        "several model folders: a committee of them",
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="the new model folder; its name is the model's id"
    )
    parser.add_argument("--size", type=int, metavar="PX", help="the input's size (default: the recipe's)")
    parser.add_argument(
        "--default", action="store_true", help="make it the model that is taken when none is named"
    )
    parser.add_argument(
        "--int8-images", type=int, default=300, help="training images for calibration, 0: no int8"
    )
    parser.add_argument(
        "--more-data",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a further data folder: presets are chosen by its polyp-free images, too, where unseen",
    )
    add_events_option(parser)
    add_data_option(parser, OWN_DATA)


def run(options: argparse.Namespace) -> int:
    from distill.export.folder import export

    with begun("export", events=options.events) as folder:
        export(
            options.sources,
            options.out,
            options.data,
            options.default,
            options.int8_images,
            options.size,
            options.more_data,
        )
        folder.event("file", path=str(options.out))
    log.info("wrote %s", options.out)
    return OK
