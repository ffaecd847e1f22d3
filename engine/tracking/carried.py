"""Marks of an earlier frame, moved with the picture to where their findings are now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from engine.drawing.components import patch_of
from engine.tracking.place import Shift
from engine.types import Component, Field, Rect, Result
from engine.view.outline import holds, outside

LEFT_FRAC = 0.5  # what keeps less of its area on the picture has left it


def carried_with(result: Result, by: Shift) -> Result:
    """The same result with its marks on a later frame; its map stays that of its own."""
    field = result.field or Field(result.mask.roi)
    components, candidates = (tuple(carried(c, by, field)) for c in (result.components, result.candidates))
    return replace(result, components=components, candidates=candidates)


def carried(components: Sequence[Component], by: Shift, field: Field) -> list[Component]:
    """Moved by whole pixels, and cut to the picture as it is now; without those that have left it."""
    dx, dy = round(by.dx_px), round(by.dy_px)
    moved = (_moved(component, dx, dy) for component in components)
    cut = (one if holds(field, one.contours) else _cut(one, field) for one in moved)
    return [component for component in cut if component is not None]


def _moved(component: Component, dx: int, dy: int) -> Component:
    if not dx and not dy:
        return component
    box, offset = component.box, np.array([dx, dy], np.int32)
    contours = tuple(line + offset for line in component.contours)
    return replace(component, box=Rect(box.x + dx, box.y + dy, box.w, box.h), contours=contours)


def _cut(component: Component, field: Field) -> Component | None:
    """The largest piece that lies on the picture."""
    own, all_of = component.box, field.box
    left, top = max(own.x, all_of.x), max(own.y, all_of.y)
    right, bottom = min(own.x + own.w, all_of.x + all_of.w), min(own.y + own.h, all_of.y + all_of.h)
    if left >= right or top >= bottom:
        return None
    inside = np.ascontiguousarray(
        patch_of(component).inside[top - own.y : bottom - own.y, left - own.x : right - own.x]
    )
    away = outside(field.form, field.cut, all_of.w, all_of.h)
    if away is not None:
        inside[away[top - all_of.y : bottom - all_of.y, left - all_of.x : right - all_of.x] > 0] = 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    x, y, w, h, area_px = (int(value) for value in stats[largest])
    if area_px < LEFT_FRAC * component.area_px:
        return None
    piece = (labels[y : y + h, x : x + w] == largest).view(np.uint8)
    lines, tree = cv2.findContours(piece, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    offset = np.array([left + x, top + y], np.int32)
    outer_first = sorted(range(len(lines)), key=lambda i: tree[0, i, 3] >= 0)
    contours = tuple(lines[i][:, 0].astype(np.int32) + offset for i in outer_first)
    return replace(component, box=Rect(left + x, top + y, w, h), area_px=area_px, contours=contours)
