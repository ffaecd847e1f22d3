"""A plan and what its runs gave, as one Markdown table beside the published figures."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from distill.judging.compare import MEAN_OF_SETS, compare
from distill.metrics.image import is_suspect
from distill.metrics.table import Row as ImageRow
from distill.reproduce.estimate import Estimate, cost_of_recipe
from distill.reproduce.plan import Plan, Row

MISSING = "-"
OF_PROTOCOL = ("dice", "iou")  # the other figures have a protocol of their own
STRUCTURE = "structure"


def filled(
    plan: Plan, reports: Mapping[str, Any], images: Mapping[str, tuple[ImageRow, ...]], protocol: str
) -> str:
    """Ours (mean and range over seeds, per cent) / published, for each set and figure, and the gains.

    `reports` and `images`: what `judge_run` gave of each finished run, by name; a figure is there when all
    seeds of its row are done. Gains are over the row's own control, and over the student as its authors train
    it: Dice of p05_image, plain mean of the sets, paired over images (whole groups) and seeds.
    """
    columns = [(name, figure) for name in plan.sets for figure in plan.figures]
    sized = any(row.size for row in plan.rows)
    heads = [
        "student and teachers",
        *(["parameters M", "GMAC"] if sized else []),
        *(f"{name} {figure}" for name, figure in columns),
        "over the control (95 %), p",
        "over the plain one (95 %), p",
    ]
    done = sum(name in reports for name in plan.runs)
    lines = [
        f"{plan.title}: {protocol} (S, E and weighted F of the map stretched to 0..1), ours / published "
        f"(protocol not stated). {done} of {len(plan.runs)} runs are done.",
        "",
        f"| {' | '.join(heads)} |",
        "|" + "---|" * len(heads),
    ]
    for row in plan.rows:
        cells = _sizes(row, plan) if sized else []
        cells += [_cell(row, one, reports, protocol) for one in columns]
        gains = [_gain(row, row.control, images), _gain(row, row.plain, images)]
        lines.append(f"| {' | '.join([row.title, *cells, *gains])} |")
    notes = list(plan.misprints)
    if any(_suspects(row) for row in plan.rows):
        notes.insert(0, "\\*: published IoU is lower than any images with that mean Dice can have")
    if notes:
        lines += ["", "Of what is published:", "", *(f"- {note}." for note in notes)]
    return "\n".join(lines) + "\n"


def dry(
    plan: Plan,
    estimates: Mapping[str, Estimate],
    caches: Mapping[str, float],
    done: Sequence[str],
    weights: Mapping[str, str],
) -> str:
    """The plan with what it costs here, and where the weights come from (`places`)."""
    lines = ["| run | parameters M | GMAC | hours | GB | |", "|---|---|---|---|---|---|"]
    for name, one in estimates.items():
        lines.append(
            f"| {name} | {one.parameters / 1e6:.2f} | {one.gmacs:.1f} | {one.hours:.1f} | "
            f"{one.gigabytes:.2f} | {'done' if name in done else ''} |"
        )
    left = [one for name, one in estimates.items() if name not in done]
    lines += ["", "| teacher's features, cached once | GB |", "|---|---|"]
    lines += [f"| {name} | {size:.2f} |" for name, size in caches.items()]
    if weights:
        lines += ["", "| weights | from |", "|---|---|"]
        lines += [f"| {name} | {place} |" for name, place in weights.items()]
    lines += [
        "",
        f"{len(left)} of {len(estimates)} runs are left: about {sum(one.hours for one in left):.0f} hours at "
        f"that rate without the teachers' own passes, and "
        f"{sum(one.gigabytes for one in left) + sum(caches.values()):.1f} GB of disk.",
    ]
    return "\n".join(lines) + "\n"


def _cell(row: Row, column: tuple[str, str], reports: Mapping[str, Any], protocol: str) -> str:
    published = row.published.get(column)
    values = [_value(reports.get(run), column, protocol) for run in row.runs]
    known = [value for value in values if value is not None]
    ours = MISSING
    if known and len(known) == len(values):
        ours = f"{100 * statistics.mean(known):.1f}"
        if len(known) > 1:
            ours += f" ({100 * min(known):.1f} to {100 * max(known):.1f})"
    mark = "*" if column in _suspects(row) else ""
    return f"{ours} / {MISSING if published is None else published}{mark}"


def _suspects(row: Row) -> list[tuple[str, str]]:
    """The published IoU that contradict their Dice."""
    return [
        (name, figure)
        for (name, figure), iou in row.published.items()
        if figure == "iou" and is_suspect(row.published[name, "dice"] / 100, iou / 100)
    ]


def _sizes(row: Row, plan: Plan) -> list[str]:
    """Ours / published: million parameters, and 10^9 multiply-accumulates as the paper's FLOPs are."""
    ours: tuple[str, ...] = (MISSING, MISSING)
    if row.runs:
        cost = cost_of_recipe(plan.runs[row.runs[0]].recipe)
        ours = (f"{cost.parameters / 1e6:.2f}", f"{cost.macs / 1e9:.1f}")
    return [f"{own} / {theirs}" for own, theirs in zip(ours, row.size or (MISSING, MISSING), strict=True)]


def _gain(row: Row, others: tuple[str, ...], images: Mapping[str, tuple[ImageRow, ...]]) -> str:
    """Points of Dice over other runs of the same seeds."""
    if not others or row.runs == others or not all(name in images for name in (*row.runs, *others)):
        return MISSING
    found = compare([images[name] for name in others], [images[name] for name in row.runs])
    whole = next((one for one in found if one.set == MEAN_OF_SETS), found[-1])
    low, high = 100 * whole.low, 100 * whole.high
    return f"{100 * whole.difference:+.1f} ({low:+.1f} to {high:+.1f}), {whole.p:.3f}"


def _value(report: Any, column: tuple[str, str], protocol: str) -> float | None:
    if report is None:
        return None
    name, figure = column
    part = protocol if figure in OF_PROTOCOL else STRUCTURE
    one = report.get("sets", {name: report}).get(name)
    return None if one is None or figure not in one.get(part, {}) else float(one[part][figure])
