"""`pretrain`: an encoder learns from the training images without their masks; `train` goes on from it."""

from __future__ import annotations

import argparse
import logging

from distill.exit_codes import CANCELLED, OK
from distill.verbs.data_option import add_data_option, data_root
from distill.verbs.events_option import add_events_option
from distill.verbs.run_options import add_run_options, opened, process_number, recipe_and_folder
from engine.faults import FaultCode, FaultError

log = logging.getLogger("distill")
HEARTBEAT_STEPS = 5


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
    from tqdm import tqdm

    from distill.data.index import load_index
    from distill.train.masked import pretrain
    from distill.train.setup import accelerator_of, decode

    root = data_root(options)
    recipe, path = recipe_and_folder(options)
    with opened(options, "pretrain", recipe, path, root) as folder:
        device = accelerator_of(recipe).device
        sides = decode(load_index(root), recipe, lambda done, total: None)
        with tqdm(unit="step") as bar:

            def tick(done: int, of: int, loss: float) -> None:
                bar.total = of
                bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
                bar.update(done - bar.n)
                if done % HEARTBEAT_STEPS == 0:
                    folder.event("heartbeat", done=done, total=of, unit="step")

            weights = pretrain(
                recipe, root, sides, folder, device, bool(options.resume), options.stop_after, tick
            )
        folder.event("done", outcome="cancelled" if weights is None else "ok")
    if weights is None:
        log.info("stopped; go on: python -m distill pretrain --resume %s", path)
        return CANCELLED
    log.info("done; next: python -m distill train --set student.pretrained=%s", weights.resolve())
    return OK
