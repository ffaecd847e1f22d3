"""The runs of a plan, one after another: what is done stays, what was stopped goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from distill.data.index import load_index
from distill.exit_codes import CANCELLED, OK
from distill.metrics.table import Row, read_table
from distill.reproduce.judge import held_out, judge_run
from distill.reproduce.plan import Plan, Run, inline
from distill.runs import is_run, recipe_of
from distill.train.start import begin_network
from engine.faults import FaultCode, FaultError
from engine.files.json_reader import read_json
from engine.files.whole import write_json
from engine.jobs.ended import How
from engine.jobs.folder import TEST_FIGURES, TEST_IMAGES
from engine.jobs.process import Life, Process, python


def finished(plan: Plan, folder: Path) -> dict[str, Any]:
    """The test figures of the runs that are done, by name."""
    found = {}
    for name in plan.runs:
        path = folder / name / TEST_FIGURES
        if path.is_file():
            found[name] = read_json(path)
    return found


def tables(plan: Plan, folder: Path) -> dict[str, tuple[Row, ...]]:
    """The figures of every test image of the runs that are done, by the run's name."""
    return {name: read_table(folder / name / TEST_IMAGES) for name in finished(plan, folder)}


def run_plan(
    plan: Plan,
    folder: Path,
    data_root: Path,
    tick: Callable[[int, int], None] = lambda done, total: None,
    cache: Path | None = None,
    accept_licence: bool = False,
) -> int:
    """Train and judge what is missing below `folder`; gives the exit code of the first that was stopped.

    The teachers of what is missing look at the training images first. `tick(done, of how many)` is called
    after each run. Raises FaultError: a training that fails; and before anything is trained: an index without
    test images, weights that are not at hand, a folder that holds another recipe's run.
    """
    index = load_index(data_root)
    held_out(index)
    done = finished(plan, folder)
    missing = {name: run for name, run in plan.runs.items() if name not in done}
    for name, run in plan.runs.items():
        refuse_another_recipe(folder / name, run)
    encoders_at_hand(missing.values(), data_root)
    where = ["--data", str(data_root)]
    kept = cache or data_root / "cache"
    looking = cache_command(missing.values())
    if looking:
        more = ["--accept-licence"] if accept_licence else []
        command = ["cache", *where, "--folder", str(kept), *more, *looking]
        if _child(command, "the teachers' look at the images") == CANCELLED:
            return CANCELLED
    for name, run in missing.items():
        tick(len(plan.runs) - len(missing) + list(missing).index(name), len(plan.runs))
        command = ["train", *where, "--cache", str(kept), *_told(run, folder / name)]
        if _child(command, f"the training of {name}") == CANCELLED:
            return CANCELLED
        write_json(folder / name / TEST_FIGURES, judge_run(folder / name, index))
    tick(len(plan.runs), len(plan.runs))
    return OK


def _told(run: Run, path: Path) -> list[str]:
    """The run's own part of the command; one that was stopped goes on."""
    if is_run(path):
        return ["--resume", str(path)]
    return ["--recipe", run.preset, "--run", str(path), *_changed(run.changes)]


def _changed(changes: Iterable[str]) -> list[str]:
    return [word for change in changes for word in ("--set", change)]


def cache_command(runs: Iterable[Run]) -> list[str]:
    """What makes `cache` let each teacher of the runs look at the training images; empty without any."""
    found: dict[str, Run] = {}
    for run in runs:
        for teacher in run.recipe.distil.cached_teachers:
            found.setdefault(inline(teacher.model_dump(mode="json", exclude_defaults=True)), run)
    if not found:
        return []
    run = next(iter(found.values()))
    return ["--recipe", run.preset, *_changed([*run.changes, f"distil.teachers=[{', '.join(found)}]"])]


def encoders_at_hand(runs: Iterable[Run], data_root: Path) -> None:
    """Each student of the runs begins once. Raises FaultError MODEL_MISSING: what to get where."""
    students = {run.recipe.student.model_dump_json(): run.recipe for run in runs}
    for recipe in students.values():
        if recipe.student.pretrained:
            begin_network(recipe, data_root)


def refuse_another_recipe(path: Path, run: Run) -> None:
    """A run of that name with another recipe does not belong into this table. Raises FaultError ARGUMENT.

    Precision and threads are the machine's.
    """
    if not is_run(path):
        return
    aside = {"precision", "threads"}
    there = recipe_of(path).model_dump(mode="json", exclude=aside)
    wanted = run.recipe.model_dump(mode="json", exclude=aside)
    if there != wanted:
        keys = sorted(key for key in wanted if wanted[key] != there.get(key))
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"{path} to hold a run of this plan's recipe",
            got=f"one with another {', '.join(keys)}",
            remedy="name another folder with --runs, or go on with that run by train --resume",
        )


def _child(words: Sequence[str], what: str) -> int:
    """OK or CANCELLED, of `python -m distill` in a process of its own.

    Its memory goes with it, and Ctrl-C reaches it as it would alone. Raises FaultError when it fails.
    """
    ended = Process(python("-m", "distill", *words), Life.TERMINAL).end()
    if ended.how is How.DONE:
        return OK
    if ended.how is How.CANCELLED:
        return CANCELLED
    raise FaultError(
        FaultCode.ARGUMENT,
        expected=f"{what} to end well",
        got=f"{ended.reason}, with its reason above",
        remedy="put that right and give the same command again",
        said=f"{ended.sentence(what[0].upper() + what[1:])} Its own words are above: "
        "put that right and give the same command again.",
    )
