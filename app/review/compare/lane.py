"""The second analysis on the time line: its findings, and below them where one of both is alone."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from app.review.along.lanes import (
    BAR_STEP_PX,
    LANES,
    LEAST_BAR_PX,
    Alone,
    Axis,
    Bar,
    Content,
    Lane,
    paint_bars,
)
from app.review.findings.rows import levels
from app.widgets import theme
from engine.review.compare.disagreements import ONLY_A, Disagreement
from engine.review.findings import Finding

SECOND_LEVELS = 2
STRIP_PX = 12.0  # for disagreements: the first one's in its upper half, the second one's in its lower


def paint_second(painter: QPainter, area: QRectF, axis: Axis, content: Content) -> None:
    """Bars of the second one; below, filled and high where the first is alone, hollow and low where it is."""
    paint_bars(painter, area, axis, content.second, theme.SECOND)
    strip = QRectF(area.left(), area.bottom() - STRIP_PX, area.width(), STRIP_PX)
    half = strip.height() / 2
    for one in content.alone:
        if one.end_s < axis.from_s or one.start_s > axis.to_s:
            continue
        left, right = axis.x_px(one.start_s), axis.x_px(one.end_s)
        top = strip.top() if one.is_first else strip.top() + half
        box = QRectF(left, top, max(right - left, LEAST_BAR_PX), half - 1.0)
        colour = theme.colour(theme.ACCENT if one.is_first else theme.SECOND)
        painter.setPen(QPen(colour, 1.0))
        painter.setBrush(colour if one.is_first else Qt.BrushStyle.NoBrush)
        painter.drawRect(box)


SECOND = Lane(
    "Model B",
    int(SECOND_LEVELS * BAR_STEP_PX + STRIP_PX) + 4,
    paint_second,
    "Findings of the second model. Below: filled and high where A alone has a finding, hollow and low where "
    "B alone has one",
)
BOTH_LANES = (*LANES[:3], SECOND, *LANES[3:])


def bars_of(findings: Sequence[Finding], origin_s: float) -> tuple[Bar, ...]:
    rows = sorted(findings, key=lambda one: one.first_rank)
    found = zip(rows, levels(rows, SECOND_LEVELS), strict=True)
    return tuple(Bar(one.start_s - origin_s, one.end_s - origin_s, level=level) for one, level in found)


def alone_of(found: Sequence[Disagreement], origin_s: float) -> tuple[Alone, ...]:
    return tuple(Alone(one.start_s - origin_s, one.end_s - origin_s, one.who == ONLY_A) for one in found)
