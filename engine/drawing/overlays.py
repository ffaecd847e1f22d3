"""OVERLAYS: how a finding is drawn. Pure; the window's painter and the MP4's renderer both get the shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from engine.drawing.shape import Shape
from engine.types import F32, Component, Field, Form, Rect, Result, TrackState
from engine.view.outline import silhouette

STEP_PX = 0.75
MARK_FRAC = 0.06  # of the shorter side: a corner mark's arm
OFF_CENTRE_FRAC = (0.65, 0.75)  # of the way from the picture's centre to its edge: seen from, full from
ARC_OPACITY = 0.9
ARC_WIDTH = 2.5  # of a finding's line: it is there for the corner of the eye
ARC_DEG = 14.0  # to both sides of the finding's direction
ARC_ROOM_FRAC = 0.014  # of the shorter side, between the arc and the edge
OUTLINE_PX = 360  # the outline's accuracy for the arc
WHITE = (0xFF, 0xFF, 0xFF)
SKY_BLUE = (0x56, 0xB4, 0xE9)  # Okabe and Ito: told from mucosa's reds by every kind of colour vision


@dataclass(frozen=True, slots=True)
class OverlayStyle:
    """Widths are screen pixels. A bright core over a dark casing is seen on bright and on dark mucosa.

    `corner_frac`: length of a corner bracket's arm, of the box's shorter side. `room_px`: frame pixels
    between a finding and the box around it.
    """

    colour: tuple[int, int, int] = SKY_BLUE
    width_px: float = 2.0
    casing_px: float = 1.5
    fill_opacity: float = 0.35
    corner_frac: float = 0.25
    room_px: float = 4.0
    held_opacity: float = 0.5


_SURE = (TrackState.CONFIRMED, TrackState.HELD)
Overlay = Callable[[Result, OverlayStyle], tuple[Shape, ...]]


def contour(result: Result, style: OverlayStyle) -> tuple[Shape, ...]:
    """The outlines, holes too."""
    return tuple(_line(_outlines(component), style, component) for component in result.components)


def fill(result: Result, style: OverlayStyle) -> tuple[Shape, ...]:
    """The area, translucent, inside a thin outline."""
    return filled(result.components, style)


def filled(components: Sequence[Component], style: OverlayStyle) -> tuple[Shape, ...]:
    """`fill` of some components alone."""
    shapes = []
    for component in components:
        paths = _outlines(component)
        if component.state is TrackState.TENTATIVE:  # no area, so its line is all that there is
            shapes.append(_line(paths, style, component))
            continue
        thin = replace(style, width_px=style.width_px / 2, casing_px=style.casing_px / 2)
        line = _line(paths, thin, component)
        shapes.append(Shape("fill", paths, style.colour, 0.0, 0.0, style.fill_opacity * line.opacity))
        shapes.append(line)
    return tuple(shapes)


def box(result: Result, style: OverlayStyle) -> tuple[Shape, ...]:
    """An upright rectangle around each finding."""
    return tuple(
        _line((_corners(component.box, style.room_px),), style, component) for component in result.components
    )


def corners(result: Result, style: OverlayStyle) -> tuple[Shape, ...]:
    """Only the four corners of that rectangle: the finding's edge stays free to be looked at."""
    shapes = []
    for component in result.components:
        at = _corners(component.box, style.room_px)
        arm_px = style.corner_frac * float(min(component.box.w, component.box.h) + 2 * style.room_px)
        arms = []
        for i in range(4):
            corner, before, after = at[i], at[i - 1], at[(i + 1) % 4]
            arms.append(np.stack([_toward(corner, before, arm_px), corner, _toward(corner, after, arm_px)]))
        shapes.append(_line(tuple(arms), style, component, closed=False))
    return tuple(shapes)


OVERLAYS: Mapping[str, Overlay] = {"contour": contour, "fill": fill, "box": box, "corners": corners}


def drawn(style_name: str, result: Result, style: OverlayStyle) -> tuple[Shape, ...]:
    """All that is drawn of a result: its findings in one of OVERLAYS, and what points to them."""
    return (*OVERLAYS[style_name](result, style), *edge_arcs(result, style))


def field_marks(field: Field, style: OverlayStyle) -> tuple[Shape, ...]:
    """Four quiet corners around what of the picture the network is shown."""
    at = _corners(field.box, -style.width_px)
    arm_px = MARK_FRAC * min(field.box.w, field.box.h)
    arms = [
        np.stack([_toward(at[i], at[i - 1], arm_px), at[i], _toward(at[i], at[(i + 1) % 4], arm_px)])
        for i in range(4)
    ]
    return (Shape("line", tuple(arms), WHITE, 0.75 * style.width_px, style.casing_px / 2, 0.7, closed=False),)


def person_marks(boxes: Sequence[Rect], style: OverlayStyle) -> tuple[Shape, ...]:
    """What a person has marked: white and dotted, so never taken for what the network found."""
    return tuple(
        Shape("line", (_corners(box, 0.0),), WHITE, style.width_px, style.casing_px, 1.0, dotted=True)
        for box in boxes
    )


def edge_arcs(result: Result, style: OverlayStyle) -> tuple[Shape, ...]:
    """Off-centre cue: an arc at the picture's edge, on the side of a confirmed finding that lies far out.

    What is at the edge of the view is what eyes on its middle miss. Told by its place and its form, and never
    drawn for what is not followed over time.
    """
    size = result.size
    field = result.field or Field(Rect(0, 0, size.width_px, size.height_px))
    arcs = []
    for component in result.components:
        if component.state in _SURE and (arc := _arc_towards(component.box, field)) is not None:
            held = style.held_opacity if component.state is TrackState.HELD else 1.0
            width_px, opacity = ARC_WIDTH * style.width_px, ARC_OPACITY * arc.strength * held
            line = Shape("line", (arc.path,), style.colour, width_px, style.casing_px, opacity, closed=False)
            arcs.append(line)
    return tuple(arcs)


@dataclass(frozen=True, slots=True)
class _Arc:
    """`strength` 0..1: how far out the finding lies. What comes and goes over a limit would blink."""

    path: F32
    strength: float


def _arc_towards(at: Rect, field: Field) -> _Arc | None:
    """The edge's part in the direction of `at`, frame pixels; None where it lies well inside."""
    box = field.box
    short = min(box.w, box.h)
    edge = _edge(field.form, field.cut, box.w, box.h) - np.float32(0.5) * np.array([box.w, box.h], np.float32)
    dx, dy = at.x + at.w / 2 - box.x - box.w / 2, at.y + at.h / 2 - box.y - box.h / 2
    angles = np.arctan2(edge[:, 1], edge[:, 0])
    turn = np.abs(np.angle(np.exp(1j * (angles - np.arctan2(dy, dx)))))
    nearest = edge[int(turn.argmin())]
    out_frac = float(np.hypot(dx, dy) / np.hypot(nearest[0], nearest[1]))
    if out_frac <= OFF_CENTRE_FRAC[0]:
        return None
    strength = min((out_frac - OFF_CENTRE_FRAC[0]) / (OFF_CENTRE_FRAC[1] - OFF_CENTRE_FRAC[0]), 1.0)
    arc = edge[turn <= np.deg2rad(ARC_DEG)]
    beside = np.arctan2(arc[:, 1], arc[:, 0]) - np.arctan2(dy, dx)
    arc = arc[np.angle(np.exp(1j * beside)).argsort()]
    room_px = ARC_ROOM_FRAC * short
    arc = arc * (1.0 - room_px / np.hypot(arc[:, 0], arc[:, 1]))[:, None]
    path = np.asarray(arc + np.array([box.x + box.w / 2, box.y + box.h / 2]), np.float32)
    return _Arc(path, strength)


@lru_cache(maxsize=16)
def _edge(form: Form, cut: float, width_px: int, height_px: int) -> F32:
    """The outline of a picture of this form, float32 [n, 2] in its box's pixels, in steps of a few pixels."""
    scale = OUTLINE_PX / max(width_px, height_px)
    wide, high = max(round(width_px * scale), 1), max(round(height_px * scale), 1)
    inside = np.pad(silhouette(form, cut, wide, high), 1)
    lines, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    edge = (max(lines, key=len)[:, 0] - 0.5) * np.array([width_px / wide, height_px / high])
    return np.asarray(edge, np.float32)


def _line(paths: tuple[F32, ...], style: OverlayStyle, of: Component, closed: bool = True) -> Shape:
    """A confirmed finding is solid, one missing for a moment fainter, a tentative one thin and dashed."""
    width_px, opacity, dashed = style.width_px, 1.0, False
    if of.state is TrackState.HELD:
        opacity = style.held_opacity
    elif of.state is TrackState.TENTATIVE:
        width_px, dashed = width_px * 0.75, True
    return Shape("line", paths, style.colour, width_px, style.casing_px, opacity, closed, dashed)


def _outlines(component: Component) -> tuple[F32, ...]:
    # A contour goes from pixel to pixel in steps: within STEP_PX it may cut their corners, which looks smooth
    # and is drawn in a fifth of the time. Half a pixel on is where the pixels' middles lie.
    smooth = (cv2.approxPolyDP(line, STEP_PX, closed=True)[:, 0] for line in component.contours)
    return tuple((line + 0.5).astype(np.float32) for line in smooth)


def _corners(at: Rect, room_px: float) -> F32:
    left, top = at.x - room_px, at.y - room_px
    right, bottom = at.x + at.w + room_px, at.y + at.h + room_px
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def _toward(start: F32, end: F32, length_px: float) -> F32:
    way = end - start
    return (start + way * np.float32(length_px / max(float(np.hypot(way[0], way[1])), 1.0))).astype(
        np.float32
    )
