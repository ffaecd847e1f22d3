"""A plan and what its runs gave, as one Markdown table beside the published figures."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from distill.reproduce.estimate import Estimate
from distill.reproduce.plan import Plan, Row

MISSING = "-"


def filled(plan: Plan, reports: Mapping[str, Any], protocol: str) -> str:
    """Ours (mean and range over seeds, per cent) / published, for each set and figure.

    `reports`: what `judge` gave of each finished run, by name; a figure is there when all its
    seeds are done.
    """
    columns = [(name, figure) for name in plan.sets for figure in plan.figures]
    lines = [
        f"{plan.title}: {protocol}, ours / published (protocol not stated). "
        f"{sum(name in reports for name in plan.runs)} of {len(plan.runs)} runs are done.",
        "",
        "| " + " | ".join(["student and teachers", *(f"{name} {figure}" for name, figure in columns)]) + " |",
        "|" + "---|" * (len(columns) + 1),
    ]
    for row in plan.rows:
        cells = [_cell(row, column, reports, protocol) for column in columns]
        lines.append("| " + " | ".join([row.title, *cells]) + " |")
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
    return f"{ours} / {MISSING if published is None else published}"


def _value(report: Any, column: tuple[str, str], protocol: str) -> float | None:
    if report is None:
        return None
    name, figure = column
    one = report.get("sets", {name: report}).get(name)
    return None if one is None or protocol not in one else float(one[protocol][figure])
