"""`pretrain`: an encoder learns from the training images without their masks; `train` goes on from it."""

from __future__ import annotations

import argparse
import logging

from distill.exit_codes import CANCELLED, OK
from distill.verbs.data_option import add_data_option, data_root
from distill.verbs.events_option import add_events_option
from distill.verbs.journal import progress
from distill.verbs.run_folder import opened
from distill.verbs.run_options import add_run_options, process_number, recipe_and_folder
from engine.faults import FaultCode, FaultError

log = logging.getLogger("distill")


def arguments(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser, default="masked")
    add_events_option(parser)
    add_data_option(parser)


def run(options: argparse.Namespace) -> int:
    if process_number():
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="one process",
            got=f"process {process_number()} of several",
            remedy="start it without a launcher",
        )
    from distill.data.index import load_index
    from distill.train.masked import pretrain
    from distill.train.setup import accelerator_of, decode

    root = data_root(options)
    recipe, path = recipe_and_folder(options)
    with opened(options, "pretrain", recipe, path, root) as folder:
        device = accelerator_of(recipe).device
        with progress(folder, "image") as tick:
            sides = decode(load_index(root), recipe, tick)
        with progress(folder, "step") as tick:
            weights = pretrain(
                recipe, root, sides, folder, device, bool(options.resume), options.stop_after, tick
            )
        folder.event("done", outcome="cancelled" if weights is None else "ok")
    if weights is None:
        log.info("stopped; go on: python -m distill pretrain --resume %s", path)
        return CANCELLED
    log.info("done; next: python -m distill train --set student.pretrained=%s", weights.resolve())
    return OK
