"""Random views of one image, and where each point of the frame went: the same geometry for all maps of it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from distill.data.views.mixing import fourier_mix, paste
from distill.data.views.photometry import colour, jpeg, lamp, optics
from distill.data.views.scale import inside_polyp, with_small_polyp
from distill.recipe import AugmentPart
from engine.types import U8, Rect
from engine.view.region import box_of

Rng = np.random.Generator
Matrix = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]  # left, top, right, bottom in 0..1 of the view
FLIPS = ((1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0))  # along x and y: the four of "four_flips"
CROP_TRIES = 10


class View(NamedTuple):
    """image uint8 [S, S, 3] RGB, mask uint8 [S, S] of 0 and 1.

    `matrix` float64 [3, 3] takes a point of the stored frame to its place in the view, both in 0..1 with x to
    the right and y down. `hidden` are the parts of the view that the frame's teachers did not see.
    """

    image: U8
    mask: U8
    matrix: Matrix
    hidden: tuple[Box, ...] = ()


class Donors(Protocol):
    """Where other images come from."""

    def polyp(self, rng: Rng) -> tuple[U8, U8]:
        """An image with a polyp, and its mask."""

    def stranger(self, rng: Rng) -> U8:
        """An image of another set."""


def augment(
    image: U8,
    mask: U8,
    size_px: int,
    rng: Rng,
    part: AugmentPart = AugmentPart(),
    donors: Donors | None = None,
    field: Rect | None = None,
) -> View:
    """One random view.

    image: uint8 [h, w, 3] RGB; mask: uint8 [h, w] of 0 and 1. `field`: the endoscope's picture, where it is
    known; else it is found where it is needed. Geometry moves both alike, light touches the
    picture only, panels cover both. An option of probability 0 draws nothing, so that what others draw stays.
    """
    view = _geometry(image, mask, size_px, rng, part, field)
    if donors is not None:
        view = _mixed(view, rng, part, donors)
    image = colour(view.image, part, rng)
    image = lamp(image, part, rng)
    view = view._replace(image=optics(image, part, rng))
    if rng.random() < part.panel:
        view = _panel(view, rng)
    if part.cutout and rng.random() < part.cutout:
        view = _cutout(view, rng)
    if rng.random() < part.jpeg:
        view = view._replace(image=jpeg(view.image, int(rng.integers(25, 90))))
    return view


def flipped(image: U8, mask: U8, size_px: int, which: int) -> View:
    """One of the four views that leave nothing to chance; `which` 0 is the frame as it is."""
    sign_x, sign_y = FLIPS[which]
    matrix = _shift(0.5) @ np.diag([sign_x, sign_y, 1.0]) @ _shift(-0.5)
    small, small_mask = _squash(image, mask, size_px)
    step_x, step_y = int(sign_x), int(sign_y)
    return View(
        np.ascontiguousarray(small[::step_y, ::step_x]),
        np.ascontiguousarray(small_mask[::step_y, ::step_x]),
        matrix,
    )


def unit_move(rng: Rng, part: AugmentPart, close: Rect | None = None) -> Matrix:
    """A random move of the whole frame alone, as `View.matrix` tells it.

    `close`: of a box that a polyp fills, which is flipped and turned by quarters only.
    """
    move = _flip_and_quarter_turn(1, rng, part)
    if close is None and rng.random() < part.affine:
        zoom = float(np.exp(rng.uniform(*np.log(part.zoom))))
        move = _affine(1, zoom, rng, part) @ move
    return move


def _squash(image: U8, mask: U8, size_px: int) -> tuple[U8, U8]:
    """Both at the network's size: the picture as the live path shrinks it, the mask by its nearest pixel."""
    shrinks = size_px <= min(image.shape[:2])
    size = (size_px, size_px)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    small_mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST_EXACT)
    return small.astype(np.uint8, copy=False), small_mask.astype(np.uint8, copy=False)


def _geometry(
    image: U8, mask: U8, size_px: int, rng: Rng, part: AugmentPart, field: Rect | None = None
) -> View:
    """Flips and quarter turns; a share of the views also turns, zooms, stretches and shifts.

    A crop into a large polyp is left as large as it is.
    """
    window = np.eye(3)
    close = large_crop(mask, rng, part)
    if close is not None:
        image, mask, window = cut(image, mask, close)
    elif part.field and rng.random() < part.field:
        image, mask, window = cut(image, mask, field or box_of(image, "field"))
    if close is None and part.polyp_free_crop and mask.any() and rng.random() < part.polyp_free_crop:
        image, mask, free = _polyp_free_crop(image, mask, rng)
        window = free @ window
    height, width = image.shape[:2]
    squash = np.diag([size_px / width, size_px / height, 1.0])
    move = _flip_and_quarter_turn(size_px, rng, part)
    zoom = 1.0
    if close is None and rng.random() < part.affine:
        zoom = float(np.exp(rng.uniform(*np.log(part.zoom))))
        move = _affine(size_px, zoom, rng, part) @ move
    if zoom <= 1 and min(height, width) >= size_px:
        # Shrink with the area filter of the live path first, then move at the network's size; under half of
        # that the move itself, which looks at four pixels only, would leave most of them out.
        side_px = round(size_px * min(1.0, 2 * zoom))
        image = cv2.resize(image, (side_px, side_px), interpolation=cv2.INTER_AREA).astype(
            np.uint8, copy=False
        )
        mask = cv2.resize(mask, (side_px, side_px), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        matrix = move @ np.diag([size_px / side_px, size_px / side_px, 1.0])
    else:
        matrix = move @ squash
    border = cv2.BORDER_CONSTANT if rng.random() < 0.7 else cv2.BORDER_REFLECT_101
    size = (size_px, size_px)
    # Pixel centres sit at +0.5: without the shift a flip would move the picture by one pixel.
    matrix = _shift(-0.5) @ matrix @ _shift(0.5)
    moved = cv2.warpAffine(image, matrix[:2], size, flags=cv2.INTER_LINEAR, borderMode=border)
    moved_mask = cv2.warpAffine(
        mask * np.uint8(255), matrix[:2], size, flags=cv2.INTER_LINEAR, borderMode=border
    )
    unit = np.diag([1 / size_px, 1 / size_px, 1.0]) @ move @ np.diag([size_px, size_px, 1.0])
    return View(
        moved.astype(np.uint8, copy=False), (moved_mask > 127).astype(np.uint8), np.asarray(unit @ window)
    )


def large_crop(mask: U8, rng: Rng, part: AugmentPart) -> Rect | None:
    """Now and then a box of the frame that a polyp fills."""
    if part.large_crop and rng.random() < part.large_crop:
        return inside_polyp(mask, rng, part.stretch)
    return None


def _polyp_free_crop(image: U8, mask: U8, rng: Rng) -> tuple[U8, U8, Matrix]:
    """A part of the frame without any polyp and where it lies; the whole frame when none is found quickly."""
    height, width = mask.shape
    for _ in range(CROP_TRIES):
        high, wide = (rng.uniform(0.35, 0.7, 2) * (height, width)).astype(int)
        top, left = int(rng.integers(height - high)), int(rng.integers(width - wide))
        if not mask[top : top + high, left : left + wide].any():
            return cut(image, mask, Rect(left, top, int(wide), int(high)))
    return image, mask, np.eye(3)


def cut(image: U8, mask: U8, box: Rect) -> tuple[U8, U8, Matrix]:
    """The box of both, and its `window_of`."""
    rows, columns = slice(box.y, box.y + box.h), slice(box.x, box.x + box.w)
    return image[rows, columns], mask[rows, columns], window_of(box, *image.shape[:2])


def window_of(box: Rect, height: int, width: int) -> Matrix:
    """float64 [3, 3]: takes a point of a frame of that size to its place in the box, both in 0..1."""
    return np.array([[width / box.w, 0, -box.x / box.w], [0, height / box.h, -box.y / box.h], [0, 0, 1.0]])


def _shift(by_px: float) -> Matrix:
    return np.array([[1.0, 0.0, by_px], [0.0, 1.0, by_px], [0.0, 0.0, 1.0]])


def _flip_and_quarter_turn(size_px: int, rng: Rng, part: AugmentPart) -> Matrix:
    sign_x, sign_y = rng.choice([-1.0, 1.0], 2) if part.flips else (1.0, 1.0)
    turn = np.diag([sign_x, sign_y, 1.0])
    if rng.random() < part.quarter_turn:
        turn = turn[[1, 0, 2]]
    centre = size_px / 2
    return np.asarray(_shift(centre) @ turn @ _shift(-centre))


def _affine(size_px: int, zoom: float, rng: Rng, part: AugmentPart) -> Matrix:
    angle = np.deg2rad(rng.uniform(-part.turn_deg, part.turn_deg))
    stretch = np.exp(rng.uniform(-part.stretch, part.stretch))
    cos, sin = np.cos(angle) * zoom, np.sin(angle) * zoom
    turn = np.array([[cos * stretch, -sin, 0.0], [sin * stretch, cos, 0.0], [0.0, 0.0, 1.0]])
    away_px = rng.uniform(-part.shift, part.shift, 2) * size_px
    centre = size_px / 2
    turn = _shift(centre) @ turn @ _shift(-centre)
    turn[:2, 2] += away_px
    return np.asarray(turn)


def _mixed(view: View, rng: Rng, part: AugmentPart, donors: Donors) -> View:
    """A polyp from elsewhere on a polyp-free view; the light of another set."""
    size_px = view.image.shape[0]
    if part.paste and rng.random() < part.paste and not view.mask.any():
        whole = part.model_copy(update={"large_crop": 0.0})
        donor = _geometry(*donors.polyp(rng), size_px, rng, whole)
        image, mask = paste(view.image, view.mask, donor.image, donor.mask)
        if donor.mask.any():
            view = View(image, mask, view.matrix, (*view.hidden, _box_of(donor.mask)))
    if part.small_paste and rng.random() < part.small_paste:
        made = with_small_polyp(view.image, view.mask, *donors.polyp(rng), rng)
        if made is not None:
            view = View(made[0], made[1], view.matrix, (*view.hidden, _box_of(made[2])))
    if part.fourier and rng.random() < part.fourier:
        stranger = cv2.resize(donors.stranger(rng), (size_px, size_px), interpolation=cv2.INTER_LINEAR)
        mixed = fourier_mix(view.image, stranger.astype(np.uint8, copy=False), float(rng.uniform(0.2, 0.8)))
        view = view._replace(image=mixed)
    return view


def _box_of(mask: U8) -> Box:
    y, x = np.nonzero(mask)
    rows, columns = slice(int(y.min()), int(y.max()) + 1), slice(int(x.min()), int(x.max()) + 1)
    return _box(rows, columns, mask.shape[0])


def _panel(view: View, rng: Rng) -> View:
    """A black border or corner of the recorder, sometimes with bright lines of text; no polyp under it."""
    size_px = view.image.shape[0]
    image, mask = view.image.copy(), view.mask.copy()
    wide, high = (rng.uniform(0.05, 0.3, 2) * size_px).astype(int)
    rows, columns = {
        0: (slice(0, size_px), slice(0, wide)),
        1: (slice(0, size_px), slice(size_px - wide, size_px)),
        2: (slice(0, high), slice(0, size_px)),
        3: (slice(size_px - high, size_px), slice(0, wide)),
    }[int(rng.integers(4))]
    image[rows, columns] = 0
    mask[rows, columns] = 0
    if rng.random() < 0.6:
        panel = image[rows, columns]
        for y in rng.integers(0, panel.shape[0], 5):
            start, stop = sorted(rng.integers(0, panel.shape[1] + 1, 2))
            panel[y : y + 2, start:stop:2] = rng.integers(120, 255)
    return View(image, mask, view.matrix, (*view.hidden, _box(rows, columns, size_px)))


def _cutout(view: View, rng: Rng) -> View:
    """A grey square; the mask stays: a half-hidden polyp is still one."""
    size_px = view.image.shape[0]
    side_px = int(rng.uniform(0.08, 0.25) * size_px)
    top, left = rng.integers(0, size_px - side_px, 2)
    rows, columns = slice(int(top), int(top) + side_px), slice(int(left), int(left) + side_px)
    image = view.image.copy()
    image[rows, columns] = rng.integers(0, 255, 3)
    return View(image, view.mask, view.matrix, (*view.hidden, _box(rows, columns, size_px)))


def _box(rows: slice, columns: slice, size_px: int) -> Box:
    return columns.start / size_px, rows.start / size_px, columns.stop / size_px, rows.stop / size_px
