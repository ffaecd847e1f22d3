"""OVERLAYS: how a finding is drawn. Pure; the window's painter and the MP4's renderer both get the shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np

from engine.drawing.shape import Shape
from engine.types import F32, Component, Field, Rect, Result, TrackState

STEP_PX = 0.75
MARK_FRAC = 0.06  # of the shorter side: a corner mark's arm
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


Overlay = Callable[[Result, OverlayStyle], tuple[Shape, ...]]


def contour(result: Result, style: OverlayStyle) -> tuple[Shape, ...]:
    """The outlines, holes too."""
    return tuple(_line(_outlines(component), style, component) for component in result.components)


def fill(result: Result, style: OverlayStyle) -> tuple[Shape, ...]:
    """The area, translucent, inside a thin outline."""
    shapes = []
    for component in result.components:
        paths = _outlines(component)
        thin = replace(style, width_px=style.width_px / 2, casing_px=style.casing_px / 2)
        line = _line(paths, thin, component)
        if not line.dashed:
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


def field_marks(field: Field, style: OverlayStyle) -> tuple[Shape, ...]:
    """Four quiet corners around what of the picture the network is shown."""
    at = _corners(field.box, -style.width_px)
    arm_px = MARK_FRAC * min(field.box.w, field.box.h)
    arms = [
        np.stack([_toward(at[i], at[i - 1], arm_px), at[i], _toward(at[i], at[(i + 1) % 4], arm_px)])
        for i in range(4)
    ]
    return (Shape("line", tuple(arms), WHITE, style.width_px / 2, style.casing_px / 2, 0.7, closed=False),)


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
