"""`train`: a recipe becomes a run folder; a run that was stopped goes on."""

from __future__ import annotations

import argparse
import json
import logging
import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from distill.exit_codes import CANCELLED, OK
from distill.verbs.data_option import add_data_option, data_root
from distill.verbs.events_option import add_events_option, events_echo
from distill.verbs.journal import journal
from engine.faults import FaultCode, FaultError
from engine.files import write_json

if TYPE_CHECKING:
    from distill.recipe import Recipe
    from engine.jobs import RunFolder

LOCK = "lock"
log = logging.getLogger("distill")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", default="light", help="a name of distill/recipes, or a TOML file")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change one value of the recipe: --set optimiser.rate=0.001 --set distil.loss=mse",
    )
    parser.add_argument("--run", type=Path, help="the run folder (default: runs/<utc>_<recipe>_s<seed>)")
    parser.add_argument(
        "--resume", type=Path, metavar="RUN", help="go on with that run; its own recipe counts"
    )
    parser.add_argument(
        "--stop-after", type=int, metavar="STEPS", help="stop as if cancelled after so many steps"
    )
    parser.add_argument(
        "--cache", type=Path, help="the teachers' features (default: cache/ of the data folder)"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="one step only: what it needs and the largest batch that fits"
    )
    add_events_option(parser)
    add_data_option(parser)


def run(options: argparse.Namespace) -> int:
    from distill.train.loop import PROCESS
    from engine.jobs import RunFolder
    from engine.lock import held

    root = data_root(options)
    process = int(os.environ.get("RANK", "0"))  # as accelerate launch sets it
    recipe, path = _recipe_and_folder(options, process)
    if options.dry_run:
        with journal(options, "train") as aside:  # a run folder is for runs
            return _dry(recipe, root, aside, options)
    with events_echo(options) as echo, ExitStack() as alone:
        own = path / f"{PROCESS}{process}" if process else path
        folder = RunFolder(own, echo=None if process else echo)
        alone.enter_context(held(own / LOCK))  # two that go on with one run would mix their checkpoints
        folder.clear_cancel()
        if not (options.resume or process):
            _write_run_json(recipe, path, root)
        folder.event(
            "start", job="train", run_id=path.name, resumed_from=str(path) if options.resume else None
        )
        try:
            return _train(recipe, root, folder, path, options)
        except BaseException as error:
            if isinstance(error, FaultError):
                folder.fault(error.as_fault("training"))
            folder.event("done", outcome="failed")
            raise


def _recipe_and_folder(options: argparse.Namespace, process: int) -> tuple[Recipe, Path]:
    """Raises FaultError ARGUMENT."""
    from distill.recipe import load_recipe, parse_recipe
    from distill.train.precision import fitting
    from distill.train.run import RUN_JSON

    if options.resume:
        path: Path = options.resume
        if not (path / RUN_JSON).is_file():
            raise FaultError(
                FaultCode.ARGUMENT,
                expected=f"a run folder with {RUN_JSON}",
                got=str(path),
                remedy="correct --resume",
            )
        if options.set:
            raise FaultError(
                FaultCode.ARGUMENT,
                expected="a resumed run with its own recipe",
                got=f"--set {options.set[0]}",
                remedy="leave --set out, or start a new run",
            )
        return parse_recipe(json.loads((path / RUN_JSON).read_text(encoding="utf-8"))["recipe"]), path
    recipe = fitting(load_recipe(options.recipe, options.set))
    if options.run is None and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a run folder that all processes share",
            got="none",
            remedy="name it with --run",
        )
    utc = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    path = options.run or Path("runs") / f"{utc}_{recipe.name}_s{recipe.seed}"
    if (path / RUN_JSON).exists() and not process:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a new run folder",
            got=f"{path}, which holds a run",
            remedy=f"go on with --resume {path}, or name another one",
        )
    return recipe, path


def _write_run_json(recipe: Recipe, path: Path, root: Path) -> None:
    from distill.train.run import RUN_JSON, run_json

    write_json(path / RUN_JSON, run_json(recipe, root))


def _train(recipe: Recipe, root: Path, folder: RunFolder, path: Path, options: argparse.Namespace) -> int:
    from distill.train.loop import train

    outcome = train(
        recipe,
        root,
        folder,
        resume=bool(options.resume),
        stop_after=options.stop_after,
        cache=options.cache,
    )
    folder.event("done", outcome="cancelled" if outcome.cancelled else "ok")
    if outcome.cancelled:
        log.info(
            "stopped at step %d of %d; go on: python -m distill train --resume %s",
            outcome.step,
            outcome.steps,
            path,
        )
        return CANCELLED
    log.info(
        "done, best validation Dice %.4f; next: python -m distill export %s --out FOLDER", outcome.best, path
    )
    return OK


def _dry(recipe: Recipe, root: Path, folder: RunFolder, options: argparse.Namespace) -> int:
    from distill.train.loop import measure_memory

    need = measure_memory(recipe, root, folder, options.cache)
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
