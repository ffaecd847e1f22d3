"""The comparison as Markdown: Dice a task, paired differences, size and time, and what each teacher gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from distill.agglomerate.figures import DICE, Figures
from distill.agglomerate.variants import AGGLOMERATED, PLAIN, SIMPLE, Comparison, Run, runs_of, variants_of
from distill.judging.compare import MEAN_OF_SETS, compare
from distill.metrics.rows import POOLED
from distill.metrics.table import Row
from distill.reproduce.plan import published_figures

MISSING = "-"
AGAINST_SIMPLE = "against simple distillation"
Table = tuple[Row, ...]


class Line(NamedTuple):
    """A variant's finished seeds. `tables`: the images of all tasks by seed, where every training is done."""

    title: str
    tables: dict[int, Table]
    parameters: int
    minutes: float
    teachers: tuple[Mapping[str, float], ...]


def filled(comparison: Comparison, tasks: Sequence[str], done: Mapping[str, Figures]) -> str:
    """Both tables; what is not trained yet is a dash."""
    runs = runs_of(comparison, tasks)
    lines = {
        variant.name: _line(variant.title, [run for run in runs if run.variant == variant.name], done)
        for variant in variants_of(comparison.config.recipe)
    }
    side = next((figures.side for figures in done.values()), "validation")
    references = {"no distillation": lines[PLAIN], "simple distillation": lines[SIMPLE]}
    head = [
        "student",
        *tasks,
        "mean",
        *(f"against {title}" for title in references),
        "parameters M",
        "minutes",
        "seeds",
    ]
    rows = [_cells(line, tasks, list(references.values())) for line in lines.values()]
    published = published_figures()["agglomeration"]
    over_simple = head.index(AGAINST_SIMPLE)
    for name, cells in zip(lines, rows, strict=True):
        if name.startswith(AGGLOMERATED):
            cells[over_simple] += f" / {published['gain_points']:+.1f}"
    text = [
        f"Dice x 100 (p05_image, {side} images that show something), mean over seeds; `mean` is over tasks. "
        "Differences are paired: 95 % of 2,000 draws of whole groups and of seeds. Parameters and minutes "
        "are those of all networks of a line and one seed; minutes leave the teachers' own passes out. "
        f"After the stroke: what arXiv 2504.02351 prints, its mean over {published['tasks']} other tasks. "
        f"{len(done)} of {len(runs)} trainings are done.",
        "",
        *_markdown(head, rows),
        "",
        *_teachers(lines),
    ]
    return "\n".join(text).rstrip() + "\n"


def _line(title: str, runs: Sequence[Run], done: Mapping[str, Figures]) -> Line:
    whole: dict[int, list[Figures]] = {}
    for seed in dict.fromkeys(run.seed for run in runs):
        names = [run.name for run in runs if run.seed == seed]
        if all(name in done for name in names):
            whole[seed] = [done[name] for name in names]
    tables = {seed: tuple(row for one in found for row in one.images) for seed, found in whole.items()}
    seconds = [sum(one.seconds for one in found) for found in whole.values()]
    return Line(
        title=title,
        tables=tables,
        parameters=sum(one.parameters for one in next(iter(whole.values()), [])),
        minutes=float(np.mean(seconds)) / 60 if seconds else 0.0,
        teachers=tuple(one.teachers for found in whole.values() for one in found if one.teachers),
    )


def _cells(line: Line, tasks: Sequence[str], references: Sequence[Line]) -> list[str]:
    if not line.tables:
        return [line.title, *[MISSING] * (len(tasks) + len(references) + 3), "0"]
    dice = [
        np.mean(
            [row.figures[DICE] for table in line.tables.values() for row in table if row.case.set == task]
        )
        for task in tasks
    ]
    return [
        line.title,
        *(f"{100 * value:.1f}" for value in dice),
        f"{100 * np.mean(dice):.1f}",
        *(_difference(line, reference) for reference in references),
        f"{line.parameters / 1e6:.2f}",
        f"{line.minutes:.1f}",
        str(len(line.tables)),
    ]


def _difference(line: Line, reference: Line) -> str:
    """Over the seeds that both have, which are twins."""
    seeds = sorted(line.tables.keys() & reference.tables.keys())
    if not seeds or line is reference:
        return MISSING
    found = compare([reference.tables[seed] for seed in seeds], [line.tables[seed] for seed in seeds])
    by_set = {one.set: one for one in found}
    one = by_set.get(MEAN_OF_SETS, by_set[POOLED])
    return f"{100 * one.difference:+.1f} [{100 * one.low:+.1f}, {100 * one.high:+.1f}]"


def _teachers(lines: Mapping[str, Line]) -> list[str]:
    """Where each teacher stands after the first part, mean over seeds: nobody may have been abandoned."""
    taught = {name: line for name, line in lines.items() if line.teachers}
    names = sorted({key.rpartition(".")[0] for line in taught.values() for key in line.teachers[0]})
    if not taught:
        return []
    rows = []
    for name, line in taught.items():
        cells = [line.title]
        for teacher in names:
            found = [one for one in line.teachers if f"{teacher}.unexplained" in one]
            if not found:
                cells.append(MISSING)
                continue
            unexplained, weight = (
                float(np.mean([one[f"{teacher}.{what}"] for one in found]))
                for what in ("unexplained", "weight")
            )
            share = f", weight {weight:.2f}" if name.startswith(AGGLOMERATED) else ""
            cells.append(f"{100 * unexplained:.0f} %{share}")
        rows.append(cells)
    return [
        "What is left unexplained of each teacher (1 - R2 on held images), and how much the teacher counted:",
        "",
        *_markdown(["student", *names], rows),
    ]


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
