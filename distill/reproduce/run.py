"""The runs of a plan, one after another: what is done stays, what was stopped goes on."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from distill.data.index import load_index
from distill.exit_codes import CANCELLED, OK
from distill.metrics.table import Row, read_table
from distill.reproduce.judge import held_out, judge_run
from distill.reproduce.plan import Plan, Run
from engine.faults import FaultCode, FaultError
from engine.files.json_reader import read_json
from engine.files.whole import write_json
from engine.jobs.folder import RUN_JSON, TEST_FIGURES, TEST_IMAGES
from engine.jobs.process import environment, python


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
    plan: Plan, folder: Path, data_root: Path, tick: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Train and judge what is missing below `folder`; gives the exit code of the first that was stopped.

    `tick(done, of how many)` is called after each run.

    Raises FaultError: a training that fails, an index without test images (told before anything is trained).
    """
    index = load_index(data_root)
    held_out(index)
    done = finished(plan, folder)
    for rank, (name, run) in enumerate(plan.runs.items()):
        tick(rank, len(plan.runs))
        if name in done:
            continue
        code = _train(run, folder / name, data_root)
        if code == CANCELLED:
            return CANCELLED
        if code != OK:
            raise FaultError(
                FaultCode.ARGUMENT,
                expected=f"the training of {name} to end well",
                got=f"exit code {code}, with its reason above",
                remedy="put that right and give the same command again",
            )
        write_json(folder / name / TEST_FIGURES, judge_run(folder / name, index))
    tick(len(plan.runs), len(plan.runs))
    return OK


def _train(run: Run, path: Path, data_root: Path) -> int:
    """In a process of its own: its memory goes with it, and Ctrl-C reaches it as it would alone."""
    command = [*python("-m", "distill", "train", "--data", str(data_root))]
    if (path / RUN_JSON).is_file():
        command += ["--resume", str(path)]
    else:
        command += ["--recipe", run.preset, "--run", str(path)]
        for change in run.changes:
            command += ["--set", change]
    process = subprocess.Popen(command, env=environment())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the training heard it too: it finishes its step and saves
