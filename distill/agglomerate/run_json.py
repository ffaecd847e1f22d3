"""`run.json` of an agglomeration: what it was asked to do; nobody else's folder is written to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from distill.agglomerate.config import Config
from distill.runs import read_run, recipe_of, run_json
from engine.faults import FaultCode, FaultError
from engine.files.whole import write_json
from engine.jobs.folder import RUN_JSON

ASKED = "agglomerate"  # next to what every run.json holds


def claim(config: Config, run: Path) -> None:
    """Write run.json, or see that the one there asks for the same. Raises FaultError ARGUMENT if not."""
    wanted = run_json(config.recipe, config.data_root) | {ASKED: _asked(config)}
    path = run / RUN_JSON
    if not path.is_file():
        write_json(path, wanted)
        return
    there = read_run(run)
    different = [key for key in ("data", ASKED) if there.get(key) != wanted[key]]
    if recipe_of(run, resuming=True) != config.recipe:  # not key by key: it may be older than this code
        different = ["recipe", *different]
    if different:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"{run} to hold the same run",
            got=f"one with another {' and another '.join(different)}",
            remedy="name another folder, or give what it was started with",
        )


def config_of_run(run: Path, config: Config) -> Config:
    """`config` with the recipe and the images that the run was started with. Raises FaultError ARGUMENT."""
    there = read_run(run)
    if ASKED not in there:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a run of agglomerate in {run}",
            got="one of train",
            remedy=f"go on with python -m distill train --resume {run}",
        )
    asked = there[ASKED]
    unlabelled = Path(asked["unlabelled"]) if asked["unlabelled"] else None
    return replace(config, recipe=recipe_of(run, resuming=True), unlabelled=unlabelled, only=asked["only"])


def _asked(config: Config) -> dict[str, str]:
    unlabelled = "" if config.unlabelled is None else str(config.unlabelled.resolve())
    return {"unlabelled": unlabelled, "only": config.only}
