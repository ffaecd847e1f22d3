"""The polyps of one frame as a person sees them: masks at the frame's own size, a label for each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import numpy as np

from engine.drawing.components import Patch, patch_of
from engine.drawing.rle import Rle, decode, encode_patches
from engine.types import U8, Component, Rect, Size, TrackState


class FrameState(StrEnum):
    """How far a person has come with a frame."""

    MACHINE = "machine"  # nobody has changed or looked at it: what the network said stands
    TOUCHED = "touched"
    VERIFIED = "verified"
    EMPTY = "verified empty"  # looked at, and no polyp is to be seen


@dataclass(frozen=True, slots=True)
class Label:
    """One polyp in one frame. `track`: the finding's id, below 0 for one that a person added.

    `counts`: COCO run lengths in a frame of `size`, as `engine.drawing.rle` has them.
    """

    track: int
    size: Size
    counts: str

    @property
    def mask(self) -> U8:
        """uint8 [h, w] of the frame, 0 and 1."""
        return np.ascontiguousarray(decode(self.rle))

    @property
    def rle(self) -> Rle:
        return Rle(size=[self.size.height_px, self.size.width_px], counts=self.counts)


Labels = tuple[Label, ...]


def label_of(track: int, mask: U8) -> Label | None:
    """A mask, uint8 [h, w] with 0 outside, as a label; None when nothing is inside."""
    high, wide = mask.shape
    x, y, w, h = cv2.boundingRect(mask)
    if not w:
        return None
    inside = np.asfortranarray(mask[y : y + h, x : x + w] != 0).view(np.uint8)
    return label_of_patches(track, [Patch(Rect(x, y, w, h), inside, ())], Size(wide, high))


def label_of_patches(track: int, patches: Iterable[Patch], size: Size) -> Label | None:
    """The union of patches in a frame of that size."""
    rle = encode_patches(patches, size.width_px, size.height_px)
    return None if rle is None else Label(track, size, rle["counts"])


def labels_of_components(components: Iterable[Component], size: Size) -> Labels:
    """What is marked on a frame as labels to go on from, one a track; of no track: ids below 0."""
    patches: dict[int, list[Patch]] = {}
    for number, component in enumerate(components, start=1):
        if component.contours:
            track = component.track if component.track is not None else -number
            patches.setdefault(track, []).append(patch_of(component))
    labels = (label_of_patches(track, own, size) for track, own in patches.items())
    return tuple(label for label in labels if label is not None)


def component_of(label: Label) -> Component:
    """A label as it is drawn; a person is sure of it."""
    mask = label.mask
    x, y, w, h = cv2.boundingRect(mask)
    lines, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    contours = tuple(line[:, 0].astype(np.int32) for line in lines)
    area_px = cv2.countNonZero(mask)
    return Component(Rect(x, y, w, h), area_px, 1.0, 1.0, contours, label.track, TrackState.CONFIRMED)


def with_mask(labels: Labels, track: int, mask: U8) -> Labels:
    """The same labels with another mask for one polyp: replaced in its place, added, or gone when empty."""
    new = label_of(track, mask)
    if new is None:
        return tuple(label for label in labels if label.track != track)
    if any(label.track == track for label in labels):
        return tuple(new if label.track == track else label for label in labels)
    return (*labels, new)


def renamed(labels: Labels, before: int, now: int) -> Labels:
    """A label that belongs to another track; two of one track become one."""
    own = next((label for label in labels if label.track == before), None)
    other = next((label for label in labels if label.track == now), None)
    if own is None or before == now:
        return labels
    if other is None:
        return tuple(replace(label, track=now) if label is own else label for label in labels)
    rest = tuple(label for label in labels if label is not own)
    return with_mask(rest, now, own.mask | other.mask)


def at(labels: Labels, x: float, y: float) -> int | None:
    """The track of the label whose pixel that is, the last one on top."""
    for label in reversed(labels):
        if 0 <= x < label.size.width_px and 0 <= y < label.size.height_px and label.mask[int(y), int(x)]:
            return label.track
    return None


def labels_text(labels: Labels) -> str:
    return json.dumps([[label.track, label.counts] for label in labels])


def labels_of_text(text: str, size: Size) -> Labels:
    return tuple(Label(track, size, counts) for track, counts in json.loads(text))
