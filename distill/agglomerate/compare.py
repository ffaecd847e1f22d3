"""The comparison in one go: its plan, and its runs one after another into one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from distill.agglomerate.figures import Figures, read_figures
from distill.agglomerate.phases import phase_recipes
from distill.agglomerate.run_json import claim
from distill.agglomerate.running import run_config
from distill.agglomerate.table import filled
from distill.agglomerate.tasks import Task, pool_of, tasks_of
from distill.agglomerate.teacher_phase import fill_caches
from distill.agglomerate.variants import Comparison, Run, runs_of
from distill.data.index import load_index
from distill.recipe import Recipe
from distill.reproduce.estimate import Estimate, cache_gigabytes, estimate_runs, gmacs_per_s
from engine.files.whole import write_text
from engine.jobs.begun import begun
from engine.jobs.folder import FIGURES
from engine.jobs.interrupt import interrupt

TABLE = "table.md"


def run_comparison(comparison: Comparison, events: str | None = None) -> bool:
    """Train what is missing and write the table after each run; False when stopped, the same call goes on.

    Raises FaultError as `agglomerate`, and ARGUMENT when the folder holds runs of something else.
    """
    names = [task.name for task in _tasks(comparison)]
    runs = runs_of(comparison, names)
    for run in runs:
        if (comparison.folder / run.name).is_dir():
            claim(run.config, comparison.folder / run.name)  # all of them, before anything is trained
    with interrupt() as interrupted:
        if not _teachers_have_looked(comparison, runs, interrupted, events):
            return False
        for run in runs:
            if run.name in _finished(comparison, runs):
                continue
            if run_config(run.config, comparison.folder / run.name, interrupted, events).cancelled:
                return False
            write_text(comparison.folder / TABLE, table(comparison))
    write_text(comparison.folder / TABLE, table(comparison))
    return True


def _teachers_have_looked(
    comparison: Comparison, runs: Sequence[Run], interrupted: Callable[[], bool], events: str | None
) -> bool:
    """Before anything is trained, so that weights which are not at hand are told then; False when stopped."""
    done = _finished(comparison, runs)
    if not any(run.config.recipe.distil.teachers for run in runs if run.name not in done):
        return True
    with begun("cache", events=events, interrupted=interrupted) as folder:
        whole = fill_caches(comparison.config, _tasks(comparison), folder)
        if not whole:
            folder.event("done", outcome="cancelled")
    return whole


def table(comparison: Comparison) -> str:
    """The Markdown of whatever is finished. Raises FaultError ARGUMENT, DATA_SET."""
    names = [task.name for task in _tasks(comparison)]
    return filled(comparison, names, _finished(comparison, runs_of(comparison, names)))


def plan(comparison: Comparison) -> str:
    """Runs, disk and hours in Markdown; nothing is trained, no weights are read.

    Raises FaultError ARGUMENT, DATA_SET.
    """
    tasks = _tasks(comparison)
    runs = runs_of(comparison, [task.name for task in tasks])
    done = _finished(comparison, runs)
    config = comparison.config
    shown = len(pool_of(config.data_root, tasks, config.unlabelled))
    costs = _costs(runs, tasks, shown)
    lines = [
        "Training images: " + ", ".join(f"{task.name} {len(task.train)}" for task in tasks) + f"; "
        f"shown to teachers: {shown}.",
        "",
        "| run | epochs of teachers | epochs of tasks | hours | GB | |",
        "|---|---|---|---|---|---|",
    ]
    for run in runs:
        first, second = phase_recipes(run.config.recipe)
        hours, gigabytes = costs[run.name]
        lines.append(
            f"| {run.name} | {first.epochs if first else 0} | {second.epochs} | {hours:.2f} | "
            f"{gigabytes:.2f} | {'done' if run.name in done else ''} |"
        )
    held = sum(len(task.validation or task.test) for task in tasks)
    caches = cache_gigabytes({run.name: run.config.recipe for run in runs}, shown + held)
    lines += ["", "| teacher's features, cached once | GB |", "|---|---|"]
    lines += [f"| {name} | {size:.2f} |" for name, size in caches.items()]
    left = [costs[run.name] for run in runs if run.name not in done]
    lines += [
        "",
        f"{len(left)} of {len(runs)} runs are left: about {sum(hours for hours, _ in left):.1f} hours on "
        f"this machine without the teachers' own passes, and "
        f"{sum(size for _, size in left) + sum(caches.values()):.1f} GB of disk.",
    ]
    return "\n".join(lines) + "\n"


def _costs(runs: Sequence[Run], tasks: Sequence[Task], shown: int) -> dict[str, tuple[float, float]]:
    """Hours and gigabytes of each run, both parts together."""
    labelled = sum(len(task.train) for task in tasks)
    firsts: dict[str, Recipe] = {}
    together: dict[str, Recipe] = {}
    apart: dict[str, Recipe] = {}
    for run in runs:
        first, second = phase_recipes(run.config.recipe)
        (apart if run.config.only else together)[run.name] = second
        if first is not None:
            firsts[run.name] = first
    rate = gmacs_per_s()
    estimates: list[dict[str, Estimate]] = [
        estimate_runs(recipes, images, rate)
        for recipes, images in ((firsts, shown), (together, labelled), (apart, labelled // len(tasks)))
    ]
    return {
        run.name: (
            sum(found[run.name].hours for found in estimates if run.name in found),
            sum(found[run.name].gigabytes for found in estimates if run.name in found),
        )
        for run in runs
    }


def _tasks(comparison: Comparison) -> tuple[Task, ...]:
    return tasks_of(load_index(comparison.config.data_root), comparison.config.recipe.data)


def _finished(comparison: Comparison, runs: Sequence[Run]) -> dict[str, Figures]:
    """The figures of the runs that are done, by name."""
    paths = {run.name: comparison.folder / run.name / FIGURES for run in runs}
    return {name: read_figures(path) for name, path in paths.items() if path.is_file()}
