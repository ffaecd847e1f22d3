"""Polyps of every size: crops that a polyp fills, and very small ones put where none is."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from engine.types import U8, Rect

Rng = np.random.Generator
LARGE_FRAC = 0.5  # of a large crop that is polyp, at least
LARGEST_ZOOM = 3.0  # beyond it a stored image is a blur
ZOOM_STEPS = 16
SMALL_FRAC = (0.0015, 0.009)  # of the view, of a small polyp
MARGIN_FRAC = 0.4  # of the polyp's box, around it: its own mucosa, whose colour is moved to the view's
DARK = 28  # of 255 in the brightest channel, as of the field of view: no polyp lies on a panel
TRIES = 10


class Patch(NamedTuple):
    """A polyp with some of what surrounds it: image uint8 [h, w, 3], mask uint8 [h, w] of 0 and 1."""

    image: U8
    mask: U8


def inside_polyp(mask: U8, rng: Rng, stretch: float = 0.0) -> Rect | None:
    """A box that polyps cover by half or more; None where they are too small for one.

    mask: uint8 [h, w] of 0 and 1. The box has the frame's aspect, times at most exp(stretch), and is no
    smaller than a third of a side: any such size, around a random point of a polyp or else the deepest one.
    """
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return None
    covered = cv2.integral(mask)
    narrow = float(np.exp(rng.uniform(-stretch, stretch) / 2))
    for chosen in rng.integers(len(rows), size=TRIES):
        if boxes := _boxes(covered, int(columns[chosen]), int(rows[chosen]), narrow):
            return boxes[int(rng.integers(len(boxes)))]
    depth = cv2.distanceTransform(cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 3)
    y, x = np.unravel_index(int(depth[1:-1, 1:-1].argmax()), mask.shape)
    boxes = _boxes(covered, int(x), int(y), narrow)
    return boxes[int(rng.integers(len(boxes)))] if boxes else None


def _boxes(covered: np.ndarray, centre_x: int, centre_y: int, narrow: float) -> list[Rect]:
    """All that are covered enough around a point. covered: int32 [h + 1, w + 1], the mask's running sums."""
    height, width = covered.shape[0] - 1, covered.shape[1] - 1
    boxes = []
    for zoom in np.geomspace(1.0, LARGEST_ZOOM, ZOOM_STEPS).tolist():
        w, h = min(width, round(width * narrow / zoom)), min(height, round(height / narrow / zoom))
        x = min(max(0, centre_x - w // 2), width - w)
        y = min(max(0, centre_y - h // 2), height - h)
        inside = covered[y + h, x + w] - covered[y, x + w] - covered[y + h, x] + covered[y, x]
        if inside >= LARGE_FRAC * w * h:
            boxes.append(Rect(x, y, w, h))
    return boxes


def with_small_polyp(image: U8, mask: U8, donor: U8, donor_mask: U8, rng: Rng) -> tuple[U8, U8, U8] | None:
    """The view with the donor's largest polyp shrunk to under 1 % of it, on lit mucosa, beside its own.

    Views uint8 [s, s, 3] and [s, s], the donor at its own size, masks of 0 and 1. Returns image, mask and the
    mask of what was pasted; None where no place is found, or the donor has no polyp.
    """
    patch = _shrunk(donor, donor_mask, image.shape[0], rng)
    if patch is None:
        return None
    high, wide = patch.mask.shape
    size_px = image.shape[0]
    there = patch.mask > 0
    around = cv2.dilate(patch.mask, np.ones((3, 3), np.uint8)) > 0
    for _ in range(TRIES):
        top, left = (int(rng.integers(size_px - side + 1)) for side in (high, wide))
        spot = (slice(top, top + high), slice(left, left + wide))
        if mask[spot][around].any() or image[spot][there].max(axis=1).min() <= DARK:
            continue
        pasted = np.zeros_like(mask)
        pasted[spot] = patch.mask
        made = image.copy()
        made[spot] = _blended(image[spot], patch)
        return made, np.maximum(mask, pasted), pasted
    return None


def _shrunk(donor: U8, donor_mask: U8, size_px: int, rng: Rng) -> Patch | None:
    """The largest polyp of the donor at a share of SMALL_FRAC of the view, one of eight ways round."""
    count, labels, figures, _ = cv2.connectedComponentsWithStats(donor_mask)
    if count < 2:
        return None
    largest = 1 + int(figures[1:, cv2.CC_STAT_AREA].argmax())
    x, y, w, h, area_px = (int(value) for value in figures[largest])
    frac = np.exp(rng.uniform(*np.log(SMALL_FRAC)))
    shrink = min(1.0, float(np.sqrt(frac * donor_mask.size / area_px)))
    across, down = round(w * MARGIN_FRAC), round(h * MARGIN_FRAC)
    rows, columns = slice(max(0, y - down), y + h + down), slice(max(0, x - across), x + w + across)
    image, mask = donor[rows, columns], (labels[rows, columns] == largest).astype(np.uint8)
    size = tuple(
        min(size_px, max(3, round(side_px * shrink * size_px / full_px)))
        for side_px, full_px in zip(mask.shape[::-1], donor_mask.shape[::-1], strict=True)
    )
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    covered = cv2.resize(mask * np.uint8(255), size, interpolation=cv2.INTER_AREA)
    mask = (covered > 127).astype(np.uint8)
    if not mask.any():
        return None
    if rng.random() < 0.5:
        image, mask = image.transpose(1, 0, 2), mask.T
    step_y, step_x = (int(sign) for sign in rng.choice([-1, 1], 2))
    return Patch(
        np.ascontiguousarray(image[::step_y, ::step_x]), np.ascontiguousarray(mask[::step_y, ::step_x])
    )


def _blended(ground: U8, patch: Patch) -> U8:
    """The polyp on the ground: as far in colour from the mucosa there as from its own before; a soft rim."""
    there = patch.mask > 0
    beside = ~there if (~there).any() else there
    shift = ground.mean(axis=(0, 1)) - patch.image[beside].mean(axis=0)
    moved = np.clip(patch.image + shift, 0, 255)
    alpha = cv2.GaussianBlur(patch.mask.astype(np.float32), (0, 0), 0.8, borderType=cv2.BORDER_REPLICATE)
    mixed = alpha[..., None] * moved + (1 - alpha[..., None]) * ground
    return np.asarray(mixed.round(), np.uint8)
