"""What is drawn on a frame that stands: the outlines of its stored map, with the findings they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.drawing.components import find_components, patch_of, pixels_of
from engine.review.findings import Sighted
from engine.review.maps import StoredFrame
from engine.tracking.follow import DRAWN
from engine.tracking.place import Place, likeness, place_of
from engine.types import U8, Component, Mask, OperatingPoint, Rect, Size


def marks_of(
    frame: StoredFrame, seen: Sequence[Sighted], size: Size, point: OperatingPoint
) -> tuple[tuple[Component, ...], tuple[Component, ...]]:
    """Components that are drawn, and candidates, as a `Result` has them; `size`: the frame's own.

    `seen`: the frame's sightings at that point. A held finding has no outline here: it is missing.
    """
    every = replace(point, min_peak=0.0)
    mask = Mask(frame.rank, frame.map, frame.field.box)
    found = find_components(mask, size.width_px, size.height_px, every)
    if not found and 0.0 < point.keep < point.threshold:
        found = find_components(mask, size.width_px, size.height_px, replace(every, threshold=point.keep))
    drawn: list[Component] = []
    rest: list[Component] = []
    for component in found:
        at = place_of(component)
        near = max(seen, key=lambda one: likeness(_place(one.box), at), default=None)
        if near is None or not likeness(_place(near.box), at):
            rest.append(component)
            continue
        own = replace(component, track=near.track, state=near.state)
        (drawn if near.state in DRAWN else rest).append(own)
    return tuple(drawn), tuple(rest)


def mask_of(components: Sequence[Component], size: Size) -> U8:
    """Their pixels: uint8 [H, W] of 0 and 1."""
    return pixels_of(map(patch_of, components), size.width_px, size.height_px).view("uint8")


def _place(box: Rect) -> Place:
    return Place(box.x, box.y, box.w, box.h, box.w * box.h)
