"""A suite's figures as a folder: `SUITE.json`, `SUITE.md` and, where there is one to draw, `SUITE.png`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.files import write_bytes, write_json, write_text


@dataclass(frozen=True, slots=True)
class Point:
    """One model on one runtime. `y` None: not known, drawn as a line at its latency."""

    label: str
    group: str
    p50_ms: float
    y: float | None


def write_report(folder: Path, suite: str, figures: dict[str, Any], table: str) -> list[Path]:
    """What was written. Raises OSError."""
    written = [folder / f"{suite}.json", folder / f"{suite}.md"]
    write_json(written[0], figures)
    write_text(written[1], f"# {suite}\n\n`python -m engine.bench {suite}`\n\n{table}\n")
    points, axis = points_of(suite, figures)
    if points:
        written.append(folder / f"{suite}.png")
        write_bytes(written[-1], plot(points, axis))
    return written


def points_of(suite: str, figures: dict[str, Any]) -> tuple[list[Point], str]:
    """What is drawn of a suite, and the name of its upper axis."""
    if suite == "peers":
        return [
            Point(
                row["model"], f"{row['runtime']} {row['precision']}".strip(), row["p50_ms"], row.get("dice")
            )
            for row in figures["peers"]
        ], "Dice on the validation groups"
    if suite == "students":
        return [
            Point(row["student"], f"{row['runtime']} {row['precision']}", row["p50_ms"], row["gmac_at_352"])
            for row in figures["students"]
        ], "GMAC at 352 px"
    return [], ""


def pareto(points: Sequence[Point]) -> list[Point]:
    """Those that no other one beats in both: quicker and better. By latency; unknown `y` never takes part."""
    front: list[Point] = []
    for point in sorted(
        (one for one in points if one.y is not None), key=lambda one: (one.p50_ms, -(one.y or 0))
    ):
        if not front or (point.y or 0) > (front[-1].y or 0):
            front.append(point)
    return front


def plot(points: Sequence[Point], axis: str) -> bytes:
    """A PNG: median latency (log) against `y`; the Pareto front where `y` is an accuracy."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # no window, whatever the desktop
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for number, group in enumerate(sorted({point.group for point in points})):
        colour = f"C{number % 10}"
        here = [point for point in points if point.group == group]
        known = [(point.p50_ms, point.y) for point in here if point.y is not None]
        axes.scatter([at for at, _ in known], [y for _, y in known], color=colour, label=group)
        for point in here:
            if point.y is None:
                axes.axvline(point.p50_ms, color=colour, linestyle=":")
                text = f"{point.label}, {group} (accuracy not measured)"
                axes.text(
                    point.p50_ms, 0.02, text, rotation=90, fontsize=6, transform=axes.get_xaxis_transform()
                )
            else:
                axes.annotate(point.label, (point.p50_ms, point.y), fontsize=6)
    if axis.startswith("Dice"):
        front = [(point.p50_ms, point.y or 0.0) for point in pareto(points)]
        axes.step([at for at, _ in front], [y for _, y in front], where="post", color="grey", linewidth=0.8)
    else:
        axes.set_yscale("log")
    axes.set_xscale("log")
    axes.set_xlabel("median latency of one picture, ms (uint8 in, uint8 out)")
    axes.set_ylabel(axis)
    axes.grid(which="both", alpha=0.2)
    axes.legend(fontsize=7)
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=120, metadata={"Software": None})
    return data.getvalue()
