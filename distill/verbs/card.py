"""`card`: the model card of the bundled models, every figure measured again."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from distill.exit_codes import OK
from distill.verbs.data_option import OWN_DATA, add_data_option
from distill.verbs.progress import add_events_option, progress
from engine.jobs.begun import begun

log = logging.getLogger("distill")
DOCS = Path("docs")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", nargs="*", metavar="MODEL", help="default: all bundled models")
    parser.add_argument(
        "--out", type=Path, default=DOCS / "model-card.md", metavar="FILE", help="default: docs/model-card.md"
    )
    parser.add_argument(
        "--gallery",
        type=Path,
        metavar="DIR",
        help="also write a PNG of each model's worst images; the data's terms forbid to publish it",
    )
    add_events_option(parser)
    add_data_option(parser, OWN_DATA)


def run(options: argparse.Namespace) -> int:
    from distill.card.document import write_card
    from engine.model_folder import bundled_models, find_model, load_model_folder

    paths = [find_model(name) for name in options.models] or list(bundled_models())
    with begun("card", events=options.events) as events, progress(events, "image") as tick:
        models = [load_model_folder(path) for path in paths]
        models.sort(key=lambda model: not model.card.default)
        write_card(models, options.data, options.out, options.gallery, tick)
        events.event("file", path=str(options.out))
    log.info("%s", options.out)
    return OK
