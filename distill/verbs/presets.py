"""`presets`: choose and measure the presets of a model folder again, without training."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from distill.exit_codes import OK
from distill.verbs.data_option import OWN_DATA, add_data_option
from distill.verbs.progress import add_events_option, progress
from engine.jobs.begun import begun

log = logging.getLogger("distill")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "models",
        nargs="+",
        metavar="MODEL",
        help="a model folder, or a bundled model's id; its model.json is written anew",
    )
    region = parser.add_mutually_exclusive_group()
    region.add_argument(
        "--field",
        dest="region",
        action="store_const",
        const="field",
        help="from now on show the network the endoscope's picture alone",
    )
    region.add_argument(
        "--whole-frame",
        dest="region",
        action="store_const",
        const="frame",
        help="from now on show it whole frames; default: what its card says",
    )
    parser.add_argument(
        "--more-data",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a further data folder: its polyp-free images count where the training did not see them",
    )
    parser.add_argument(
        "--maps",
        type=Path,
        metavar="DIR",
        help="where what the network says is kept, so that a second look is quick "
        "(default: the user's cache, until it is done)",
    )
    add_events_option(parser)
    add_data_option(parser, OWN_DATA)


def run(options: argparse.Namespace) -> int:
    import shutil

    from distill.data.belonging import belonging_of_model
    from distill.export.presets import with_presets
    from distill.judging.remembered import maps_folder
    from engine.files.whole import write_json
    from engine.model_card import CARD
    from engine.model_folder import find_model, load_model_folder

    with begun("presets", events=options.events) as events:
        for name in options.models:
            model = load_model_folder(find_model(name))
            root = belonging_of_model(model.id, model.card.training).find(options.data)
            with progress(events, "image") as tick:
                card = with_presets(model, root, options.more_data, options.region, options.maps, tick)
            write_json(model.path / CARD, card.model_dump(mode="json", by_alias=True))
            shutil.rmtree(maps_folder(model), ignore_errors=True)
            events.event("file", path=str(model.path / CARD))
            for preset in card.presets:
                log.info("%s %s: %s", model.id, preset, card.presets[preset].model_dump(exclude={"by_set"}))
    return OK
