"""`train`: a recipe becomes a run folder; a run that was stopped goes on."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from distill.exit_codes import CANCELLED, OK
from distill.verbs.data_option import (
    add_data_option,
    add_more_data_option,
    data_of_run,
    data_root,
    more_data_of_run,
)
from distill.verbs.progress import add_events_option
from distill.verbs.run_folder import opened
from distill.verbs.run_options import add_run_options, recipe_and_folder
from engine.jobs.begun import begun

if TYPE_CHECKING:
    from distill.recipe import Recipe
    from engine.jobs.events import RunFolder

log = logging.getLogger("distill")


def arguments(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser, default="default")
    parser.add_argument(
        "--cache", type=Path, help="the teachers' features (default: cache/ of the data folder)"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="one step only: what it needs and the largest batch that fits"
    )
    add_events_option(parser)
    add_data_option(parser)
    add_more_data_option(parser)


def run(options: argparse.Namespace) -> int:
    recipe, path = recipe_and_folder(options)
    root = data_of_run(options, path) if options.resume else data_root(options)
    more = more_data_of_run(options, path) if options.resume else tuple(options.more_data)
    if options.dry_run:
        with begun("train", events=options.events) as aside:  # a run folder is for runs
            return _dry(recipe, root, more, aside, options)
    with opened(options, "train", recipe, path, root, more) as folder:
        return _train(recipe, root, more, folder, path, options)


def _train(
    recipe: Recipe,
    root: Path,
    more: Sequence[Path],
    folder: RunFolder,
    path: Path,
    options: argparse.Namespace,
) -> int:
    from distill.train.run import train

    result = train(
        recipe,
        root,
        folder,
        resume=bool(options.resume),
        stop_after=options.stop_after,
        cache=options.cache,
        more=more,
    )
    if result.cancelled:
        folder.event("done", outcome="cancelled")
        log.info(
            "stopped at step %d of %d; go on: python -m distill train --resume %s",
            result.step,
            result.steps,
            path,
        )
        return CANCELLED
    log.info(
        "done, best validation Dice %.4f; next: python -m distill export %s --out FOLDER", result.best, path
    )
    return OK


def _dry(
    recipe: Recipe, root: Path, more: Sequence[Path], folder: RunFolder, options: argparse.Namespace
) -> int:
    from distill.train.run import measure_memory

    need = measure_memory(recipe, root, folder, options.cache, more)
    folder.event(
        "memory",
        fixed_mib=round(need.fixed_mib),
        image_mib=round(need.image_mib, 1),
        free_mib=None if need.free_mib is None else round(need.free_mib),
        largest_batch=need.largest_batch,
    )
    log.info(
        "%.0f MiB and %.1f MiB an image; free: %s; batch %d of the recipe, largest that fits: %s",
        need.fixed_mib,
        need.image_mib,
        "unknown" if need.free_mib is None else f"{need.free_mib:.0f} MiB",
        recipe.batch,
        "unknown" if need.largest_batch is None else need.largest_batch,
    )
    return OK
