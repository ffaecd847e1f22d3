"""`--recipe`, `--set`, `--run`, `--resume`: of the verbs that make a run folder and can go on with it."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine.faults import FaultCode, FaultError
from engine.jobs.folder import RUN_JSON, holds_states

if TYPE_CHECKING:
    from distill.recipe import Recipe


def add_run_options(parser: argparse.ArgumentParser, default: str) -> None:
    """`default` is the recipe that is taken when none is named."""
    parser.add_argument("--recipe", default=default, help="a name of distill/recipes, or a TOML file")
    add_set_option(parser)
    parser.add_argument("--run", type=Path, help="the run folder (default: runs/<utc>_<recipe>_s<seed>)")
    parser.add_argument(
        "--resume", type=Path, metavar="RUN", help="go on with that run; its own recipe counts"
    )
    parser.add_argument(
        "--stop-after", type=int, metavar="STEPS", help="stop as if cancelled after so many steps"
    )


def add_set_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change one value of the recipe: --set optimiser.rate=0.001 --set distil.loss=mse",
    )


def process_number() -> int:
    """Of this process among those of `accelerate launch`; 0: the first, or the only one."""
    return int(os.environ.get("RANK", "0"))


def recipe_and_folder(options: argparse.Namespace) -> tuple[Recipe, Path]:
    """What is to be done and where; a resumed run's own recipe. Raises FaultError ARGUMENT."""
    from distill.recipe import load_recipe
    from distill.runs import recipe_of
    from distill.train.cpu.precision import fitting

    if options.resume:
        path: Path = options.resume
        refuse_changes(options)
        return recipe_of(path, resuming=True), path
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
    if not process_number():
        refuse_a_run(path)
    return recipe, path


def refuse_changes(options: argparse.Namespace) -> None:
    """Of a run that is gone on with. Raises FaultError ARGUMENT."""
    if options.set:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a resumed run with its own recipe",
            got=f"--set {options.set[0]}",
            remedy="leave --set out, or start a new run",
        )


def refuse_a_run(path: Path) -> None:
    """Where a new one is to begin, or one that was ended before anything was saved. Raises FaultError."""
    if (path / RUN_JSON).exists() and holds_states(path):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a new run folder",
            got=f"{path}, which holds a run",
            remedy=f"go on with --resume {path}, or name another one",
        )
