"""`import`: a checkpoint that others published becomes a model folder."""

from __future__ import annotations

import argparse
import logging
import re
from pathlib import Path

from distill.exit_codes import OK
from distill.verbs.progress import add_events_option
from engine.jobs.begun import begun

log = logging.getLogger("distill")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="PraNet, EMCAD, U-Net or U-Net++ as their authors publish them (.pth or safetensors); nothing "
        "in it is run",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="the new model folder; its name is the model's id (default: among your own, named as the file)",
    )
    parser.add_argument("--size", type=int, metavar="PX", help="the input's size (default: 352)")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="data folder by whose validation images temperature and presets are chosen (default: none, and "
        "the card says that nothing was measured)",
    )
    parser.add_argument(
        "--int8-images",
        type=int,
        default=300,
        help="with --data: training images for calibration, 0: no int8",
    )
    add_events_option(parser)


def run(options: argparse.Namespace) -> int:
    from distill.export.folder import write_model
    from distill.judging.imported import imported
    from engine.files.whole import user_data

    name = re.sub(r"[^a-z0-9._-]+", "-", options.file.stem.lower()).lstrip("._-") or "imported"
    out = options.out or user_data() / "models" / name
    with begun("import", events=options.events) as events:
        trained = imported(options.file)
        card = write_model(trained, out, options.data, int8_images=options.int8_images, size_px=options.size)
        events.event("file", path=str(out))
    log.info("%s", card.training.split)
    log.info("wrote %s", out)
    return OK
