"""A plan and what its runs gave, as one Markdown table beside the published figures."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from distill.judging.compare import MEAN_OF_SETS, compare
from distill.metrics.image import is_suspect
from distill.metrics.table import Row as ImageRow
from distill.reproduce.estimate import Estimate
from distill.reproduce.plan import Plan, Row

MISSING = "-"


def filled(
    plan: Plan, reports: Mapping[str, Any], images: Mapping[str, tuple[ImageRow, ...]], protocol: str
) -> str:
    """Ours (mean and range over seeds, per cent) / published, for each set and figure, and the gain.

    `reports` and `images`: what `judge_run` gave of each finished run, by name; a figure is there when all
    seeds of its row are done. The gain is over the row's own control: Dice of p05_image, plain mean of the
    sets, paired over images (whole groups) and seeds.
    """
    columns = [(name, figure) for name in plan.sets for figure in plan.figures]
    heads = ["student and teachers", *(f"{name} {figure}" for name, figure in columns), "gain (95 %), p"]
    lines = [
        f"{plan.title}: {protocol}, ours / published (protocol not stated). "
        f"{sum(name in reports for name in plan.runs)} of {len(plan.runs)} runs are done.",
        "",
        f"| {' | '.join(heads)} |",
        "|" + "---|" * len(heads),
    ]
    for row in plan.rows:
        cells = [_cell(row, column, reports, protocol) for column in columns]
        lines.append(f"| {' | '.join([row.title, *cells, _gain(row, images)])} |")
    if any(_suspects(row) for row in plan.rows):
        lines += ["", "\\*: published IoU is lower than any images with that mean Dice can have."]
    return "\n".join(lines) + "\n"


def dry(
    plan: Plan, estimates: Mapping[str, Estimate], caches: Mapping[str, float], done: Sequence[str]
) -> str:
    """The plan with what it costs here."""
    lines = ["| run | parameters M | GMAC | hours | GB | |", "|---|---|---|---|---|---|"]
    for name, one in estimates.items():
        lines.append(
            f"| {name} | {one.parameters / 1e6:.2f} | {one.gmacs:.1f} | {one.hours:.1f} | "
            f"{one.gigabytes:.2f} | {'done' if name in done else ''} |"
        )
    left = [one for name, one in estimates.items() if name not in done]
    lines += ["", "| teacher's features, cached once | GB |", "|---|---|"]
    lines += [f"| {name} | {size:.2f} |" for name, size in caches.items()]
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


def _gain(row: Row, images: Mapping[str, tuple[ImageRow, ...]]) -> str:
    """Points of Dice over the control."""
    if row.runs == row.control or not all(name in images for name in (*row.runs, *row.control)):
        return MISSING
    found = compare([images[name] for name in row.control], [images[name] for name in row.runs])
    whole = next((one for one in found if one.set == MEAN_OF_SETS), found[-1])
    low, high = 100 * whole.low, 100 * whole.high
    return f"{100 * whole.difference:+.1f} ({low:+.1f} to {high:+.1f}), {whole.p:.3f}"


def _value(report: Any, column: tuple[str, str], protocol: str) -> float | None:
    if report is None:
        return None
    name, figure = column
    one = report.get("sets", {name: report}).get(name)
    return None if one is None or protocol not in one else float(one[protocol][figure])
