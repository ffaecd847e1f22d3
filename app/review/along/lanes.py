"""LANES of the time line: what each shows, how high it is, what paints it. All over one axis of seconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from app.widgets import theme
from engine.review.acts import Verdict
from engine.review.timeline import EMPTY, FrameTable
from engine.types import U8

GAP_S = 0.5  # between two judged frames: more is a hole
THUMBNAIL_PX = 48  # width of a lane's picture, and up to twice that
LEAST_APART_S = 1 / 64
NOT_ANALYSED = "Not analysed yet"
BAR_PX, BAR_STEP_PX, LEVELS = 6.0, 7.0, 3
LEAST_BAR_PX = 3.0
STRENGTHS = {Verdict.KEEP: 1.0, Verdict.OPEN: 0.55, Verdict.UNSURE: 0.25, Verdict.REJECT: 0.0}


@dataclass(frozen=True, slots=True)
class Bar:
    """A finding on the time line: seconds since the beginning."""

    start_s: float
    end_s: float
    verdict: Verdict = Verdict.OPEN
    is_chosen: bool = False
    level: int = 0


@dataclass(frozen=True, slots=True)
class Alone:
    """A stretch in which one of two analyses has a finding and the other has none."""

    start_s: float
    end_s: float
    is_first: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A point that a person set."""

    at_s: float
    note: str


@dataclass(frozen=True, slots=True)
class Content:
    """All that lanes show. `times_s`: of the frames of `table`, since the beginning; `thumbnail(at_s)`: the
    picture of then, where it is there; `is_open`: there is a recording, of known length.
    """

    table: FrameTable = EMPTY
    times_s: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    bars: tuple[Bar, ...] = ()
    marks: tuple[Mark, ...] = ()
    labelled_s: tuple[float, ...] = ()
    second: tuple[Bar, ...] = ()
    alone: tuple[Alone, ...] = ()
    threshold: float = 0.5
    is_open: bool = False
    thumbnail: Callable[[float], QImage | None] = lambda at_s: None


@dataclass(frozen=True, slots=True)
class Axis:
    """What of the axis is seen: `x_px(at_s)` in the lane's own pixels."""

    from_s: float
    to_s: float
    width_px: float

    def x_px(self, at_s: float) -> float:
        return (at_s - self.from_s) / (self.to_s - self.from_s) * self.width_px

    def at_s(self, x_px: float) -> float:
        return self.from_s + x_px / self.width_px * (self.to_s - self.from_s)


Paint = Callable[[QPainter, QRectF, Axis, Content], None]


@dataclass(frozen=True, slots=True)
class Lane:
    name: str
    height_px: int
    paint: Paint
    tip: str


def columns_of(
    times_s: npt.NDArray[np.float64], values: U8, axis: Axis, *, bits: bool = False
) -> npt.NDArray[np.int16]:
    """The largest value of each pixel column (`bits`: all bits together), int16 [width]; -1: nothing known.

    A frame fills the columns up to the next one, where that is not further than `GAP_S`.
    """
    width = max(1, round(axis.width_px))
    found = np.full(width, -1, np.int16)
    if not len(times_s):
        return found
    edges = axis.from_s + np.arange(width + 1) * (axis.to_s - axis.from_s) / width
    at = np.searchsorted(times_s, edges)
    filled = at[1:] > at[:-1]
    starts = at[:-1][filled]
    if len(starts):
        join = np.bitwise_or if bits else np.maximum
        stop = int(at[-1])
        found[filled] = join.reduceat(values[:stop], starts)
    before = at[:-1] - 1
    lone = ~filled & (before >= 0)
    lone[lone] = edges[:-1][lone] - times_s[before[lone]] <= GAP_S
    found[lone] = values[before[lone]]
    return found


def paint_thumbnails(painter: QPainter, area: QRectF, axis: Axis, content: Content) -> None:
    """At places of the recording, not of the screen: who pans or zooms a little sees the same ones."""
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    every_s = LEAST_APART_S
    while every_s * area.width() < THUMBNAIL_PX * (axis.to_s - axis.from_s):
        every_s *= 2.0
    for number in range(math.floor(axis.from_s / every_s), math.ceil(axis.to_s / every_s)):
        left, right = axis.x_px(number * every_s), axis.x_px((number + 1) * every_s)
        image = content.thumbnail((number + 0.5) * every_s)
        if image is None:
            continue
        slot = QRectF(area.x() + left, area.y(), right - left - 1, area.height())
        scale = max(slot.width() / image.width(), slot.height() / image.height())
        seen = QRectF(0, 0, slot.width() / scale, slot.height() / scale)
        seen.moveCenter(QRectF(image.rect()).center())
        painter.drawImage(slot, image, seen)


def paint_density(painter: QPainter, area: QRectF, axis: Axis, content: Content) -> None:
    """The highest probability of each column; what reaches the threshold is bright."""
    values = columns_of(content.times_s, content.table.peaks, axis)
    painter.drawImage(area, _bars_image(values, round(area.height()), content.threshold * 255.0))
    if content.is_open:
        _not_analysed(painter, area, values)
    y = area.bottom() - content.threshold * area.height()
    painter.setPen(theme.colour(theme.SECONDARY, 0.5))
    painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))


def _not_analysed(painter: QPainter, area: QRectF, values: npt.NDArray[np.int16]) -> None:
    """Behind what is analysed, where that is more than a rim: nothing there does not mean that nothing is."""
    known = np.flatnonzero(values >= 0)
    rest = area.adjusted(float(known[-1] + 1) if len(known) else 0.0, 0, 0, 0)
    painter.setPen(theme.colour(theme.SECONDARY))
    painter.setFont(theme.font(theme.CAPTION_PX))
    if rest.width() > painter.fontMetrics().horizontalAdvance(NOT_ANALYSED) + 2 * theme.S:
        painter.fillRect(rest, theme.colour(theme.BACKGROUND))
        painter.drawText(rest, Qt.AlignmentFlag.AlignCenter, NOT_ANALYSED)


def _bars_image(values: npt.NDArray[np.int16], height_px: int, level: float) -> QImage:
    """A bar for each column, as high as its value: one picture is painted ten times as fast as its bars."""
    colours = (theme.colour(theme.DISABLED, 0.55), theme.colour(theme.ACCENT))
    faint, bright = (np.uint32(QColor(colour).rgba()) for colour in colours)
    rows = np.arange(height_px, 0, -1)[:, None]
    pixels = np.where(
        rows <= np.ceil(np.maximum(values, 0) / 255.0 * height_px),
        np.where(values >= max(level, 1.0), bright, faint),
        np.uint32(0),
    ).astype(np.uint32)
    wide = pixels.shape[1]
    return QImage(pixels.tobytes(), wide, height_px, wide * 4, QImage.Format.Format_ARGB32).copy()


def paint_findings(painter: QPainter, area: QRectF, axis: Axis, content: Content) -> None:
    """A bar a finding: kept full, rejected an empty outline, unsure dashed, open in between; told by form."""
    paint_bars(painter, area, axis, content.bars, theme.ACCENT)


def paint_bars(painter: QPainter, area: QRectF, axis: Axis, bars: Sequence[Bar], token: str) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    looks: dict[tuple[Verdict, bool], tuple[QPen, QColor]] = {}
    painted: set[tuple[int, int, tuple[Verdict, bool]]] = set()  # of hours, many lie on the same pixels
    last: tuple[Verdict, bool] | None = None
    for bar in bars:
        if bar.end_s < axis.from_s or bar.start_s > axis.to_s:
            continue
        left, right = axis.x_px(bar.start_s), axis.x_px(bar.end_s)
        kind = bar.verdict, bar.is_chosen
        is_short = right - left <= LEAST_BAR_PX
        if is_short:
            if (place := (round(left), bar.level, kind)) in painted:
                continue
            painted.add(place)
        if kind not in looks:
            colour = theme.colour(theme.TEXT if bar.is_chosen else token)
            looks[kind] = _outline(bar.verdict, colour), _inside(bar.verdict, colour)
        if kind != last:
            last = kind
            painter.setPen(looks[kind][0])
            painter.setBrush(looks[kind][1])
        box = QRectF(left, area.top() + BAR_STEP_PX * bar.level, max(right - left, LEAST_BAR_PX), BAR_PX)
        if is_short:
            painter.drawRect(box)
        else:
            painter.drawRoundedRect(box, 2, 2)


def _outline(verdict: Verdict, colour: QColor) -> QPen:
    pen = QPen(colour, 1.0)
    if verdict is Verdict.UNSURE:
        pen.setStyle(Qt.PenStyle.DashLine)
    return pen


def _inside(verdict: Verdict, colour: QColor) -> QColor:
    inside = QColor(colour)
    inside.setAlphaF(STRENGTHS[verdict])
    return inside


def paint_view(painter: QPainter, area: QRectF, axis: Axis, content: Content) -> None:
    """A quiet line where the view is good, a bar where it cannot be judged; nothing where none is known."""
    values = columns_of(content.times_s, content.table.views, axis, bits=True)
    middle = area.center().y()
    for chosen, height_px, token, opacity in (
        (values == 0, 2.0, theme.GOOD, 0.6),
        (values > 0, area.height() - 6.0, theme.ATTENTION, 0.45),
    ):
        colour = theme.colour(token, opacity)
        for start, stop in _runs(chosen):
            place = QRectF(area.x() + start, middle - height_px / 2, stop - start, height_px)
            painter.fillRect(place, colour)


def _runs(chosen: npt.NDArray[np.bool_]) -> Sequence[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def paint_marks(painter: QPainter, area: QRectF, axis: Axis, content: Content) -> None:
    """Bookmarks as diamonds, frames that a person has labelled as ticks under them."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour(theme.GOOD))
    for at_s in content.labelled_s:
        if axis.from_s <= at_s <= axis.to_s:
            painter.drawRect(QRectF(axis.x_px(at_s) - 1, area.bottom() - 6, 2, 5))
    painter.setBrush(theme.colour(theme.TEXT))
    half, y = 4.0, area.top() + 6.0
    for mark in content.marks:
        if axis.from_s <= mark.at_s <= axis.to_s:
            x = axis.x_px(mark.at_s)
            painter.drawPolygon(
                QPolygonF(
                    [QPointF(x, y - half), QPointF(x + half, y), QPointF(x, y + half), QPointF(x - half, y)]
                )
            )


LANES: tuple[Lane, ...] = (
    Lane("Pictures", 40, paint_thumbnails, "Small pictures of the recording"),
    Lane("Probability", 32, paint_density, "The highest probability; bright where it reaches the threshold"),
    Lane("Findings", 26, paint_findings, "Kept is full, rejected empty, unsure dashed"),
    Lane("View", 18, paint_view, "A thin line where the view is good, a bar where it cannot be judged"),
    Lane("Marks", 18, paint_marks, "Bookmarks, and ticks where a frame was labelled by a person"),
)
