"""A suite's figures as a folder: `SUITE.json`, `SUITE.md` and, where there is one to draw, `SUITE.png`."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.files.whole import write_bytes, write_json, write_text

NAME_HEIGHT_PX = 14.0  # of a name at the figure's resolution while it is laid out
NAME_OFFSET_PX = 24.0


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


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Places for labels, pushed upward from the wanted ones until none is closer than `gap` to another."""
    places = [0.0] * len(wanted)
    lowest = -math.inf
    for number in sorted(range(len(wanted)), key=lambda number: wanted[number]):
        places[number] = lowest = max(wanted[number], lowest + gap)
    return places


def quickest(points: Sequence[Point]) -> list[Point]:
    """Of each model the point with the shortest latency: the one that bears its name."""
    best: dict[str, Point] = {}
    for point in points:
        if point.label not in best or point.p50_ms < best[point.label].p50_ms:
            best[point.label] = point
    return list(best.values())


def plot(points: Sequence[Point], axis: str) -> bytes:
    """A PNG: median latency (log) against `y`; the Pareto front where `y` is an accuracy."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # no window, whatever the desktop
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    groups = sorted({point.group for point in points})
    for number, group in enumerate(groups):
        known = [(point.p50_ms, point.y) for point in points if point.group == group and point.y is not None]
        axes.scatter([at for at, _ in known], [y for _, y in known], color=f"C{number % 10}", label=group)
    named = quickest(points)
    for point in named:
        if point.y is None:
            axes.axvline(point.p50_ms, color=f"C{groups.index(point.group) % 10}", linestyle=":")
            axes.annotate(
                f"{point.label}, {point.group} (accuracy not measured)",
                (point.p50_ms, 0.02),
                xycoords=("data", "axes fraction"),
                xytext=(3, 0),
                textcoords="offset points",
                rotation=90,
                fontsize=7,
            )
    if axis.startswith("Dice"):
        front = [(point.p50_ms, point.y or 0.0) for point in pareto(points)]
        axes.step([at for at, _ in front], [y for _, y in front], where="post", color="grey", linewidth=0.8)
    else:
        axes.set_yscale("log")
    axes.set_xscale("log")
    axes.margins(x=0.3)  # names stand on the left of their points
    axes.set_xlabel("median latency of one picture, ms (uint8 in, uint8 out)")
    axes.set_ylabel(axis)
    axes.grid(which="both", alpha=0.2)
    axes.legend(fontsize=8)
    _name(axes, [point for point in named if point.y is not None])
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=120, metadata={"Software": None})
    return data.getvalue()


def _name(axes: Any, named: Sequence[Point]) -> None:
    """A name on the left of each point, one above the other, with a line to it."""
    pixels = axes.transData.transform([(point.p50_ms, point.y) for point in named]) if named else []
    heights = spread([float(y) for _, y in pixels], NAME_HEIGHT_PX)
    for point, (_, y), height in zip(named, pixels, heights, strict=True):
        axes.annotate(
            point.label,
            (point.p50_ms, point.y),
            xytext=(-NAME_OFFSET_PX, height - float(y)),
            textcoords="offset pixels",
            ha="right",
            va="center",
            fontsize=7,
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": "grey"},
        )
