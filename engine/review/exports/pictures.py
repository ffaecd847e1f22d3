"""The pictures that go with an export: exact frames, cut to the endoscope's picture, nothing beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.analysis.judged import open_recording
from engine.faults import FaultCode, FaultError
from engine.review.review import FrameMasks, Review
from engine.sources.base import Picture, SourceSpec
from engine.types import U8, Field, Rect
from engine.view.outline import silhouette

NEAR = 32  # frames: that far it is cheaper to read on than to jump
SHEET, SHEET_PX, SHEET_COLUMNS = 50, 192, 10


@dataclass(frozen=True, slots=True)
class Cut:
    """What of a frame leaves: `box`, and in it what is inside of the endoscope's outline; None: all of it."""

    box: Rect
    field: Field | None

    def of(self, image: U8) -> U8:
        """That part of uint8 [H, W, c], a copy; black outside of the outline."""
        box, part = (
            self.box,
            image[self.box.y : self.box.y + self.box.h, self.box.x : self.box.x + self.box.w],
        )
        if self.field is None:
            return part.copy()
        inside = silhouette(self.field.form, self.field.cut, box.w, box.h)
        return np.ascontiguousarray(part * inside[..., None])

    def mask(self, mask: U8) -> U8:
        """That part of a mask uint8 [H, W]."""
        box = self.box
        part = mask[box.y : box.y + box.h, box.x : box.x + box.w]
        if self.field is None:
            return part.copy()
        return part * silhouette(self.field.form, self.field.cut, box.w, box.h)


def cut_of(review: Review, ranks: Sequence[int], *, full_frame: bool) -> Cut:
    """One for all frames: where the endoscope's picture is in most of them."""
    size = review.size
    if full_frame:
        return Cut(Rect(0, 0, size.width_px, size.height_px), None)
    field = review.field_of(ranks)
    return Cut(field.box, field)


def pictures(spec: SourceSpec, ranks: Sequence[int]) -> Iterator[Picture]:
    """These frames of a recording, in order and exact. Raises FaultError: one that cannot be read."""
    with closing(open_recording(spec)) as source:
        at = 0
        for rank in ranks:
            if not at <= rank <= at + NEAR:
                source.seek(rank)
            picture = source.read()
            while picture is not None and picture.index < rank:
                picture = source.read()
            if picture is None or picture.index != rank:
                raise FaultError(
                    FaultCode.SOURCE_UNREADABLE,
                    expected=f"frame {rank} of {spec.title}",
                    got="another one" if picture is not None else "the end of the recording",
                    remedy="check whether the recording is whole",
                    said=f"Frame {rank} of {spec.title} cannot be read. "
                    "Check whether the recording is whole.",
                )
            at = rank + 1
            yield picture


def pixel_aspect(spec: SourceSpec) -> float:
    """Of a recording's pixels, width over height. Raises FaultError."""
    with closing(open_recording(spec)) as source:
        return source.info.pixel_aspect


@dataclass(frozen=True, slots=True)
class Written:
    """A picture of the export. `name`: in its folder `images`; `sha256`: of its BGR pixels as they are."""

    frame: FrameMasks
    name: str
    sha256: str
    width_px: int
    height_px: int


def bgr(picture: Picture) -> U8:
    return np.ascontiguousarray(picture.bgra()[..., :3])


def frame_name(rank: int) -> str:
    return f"frame_{rank:06d}.png"


def write_png(path: Path, image: U8) -> None:
    """Pixels alone: no time, no name, no software. Raises OSError."""
    _, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    path.write_bytes(data.tobytes())


def pixel_hash(image: U8) -> str:
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()


class ContactSheet:
    """Up to 50 of the frames that leave, small, to be looked at before anything leaves."""

    def __init__(self, count: int) -> None:
        self._count = max(count, 1)
        self._seen = 0
        self._small: list[U8] = []

    def add(self, image: U8) -> None:
        shown = min(SHEET, self._count)
        if (self._seen * shown) % self._count < shown:  # evenly
            high = max(1, round(SHEET_PX * image.shape[0] / image.shape[1]))
            small = cv2.resize(image, (SHEET_PX, high), interpolation=cv2.INTER_AREA)
            self._small.append(np.asarray(small, np.uint8))
        self._seen += 1

    def write(self, path: Path) -> None:
        """A JPEG; nothing without frames."""
        if not self._small:
            return
        high = max(image.shape[0] for image in self._small)
        rows = -(-len(self._small) // SHEET_COLUMNS)
        wide = min(len(self._small), SHEET_COLUMNS)
        sheet = np.zeros((rows * high, wide * SHEET_PX, 3), np.uint8)
        for number, image in enumerate(self._small):
            y, x = number // SHEET_COLUMNS * high, number % SHEET_COLUMNS * SHEET_PX
            sheet[y : y + image.shape[0], x : x + SHEET_PX] = image
        _, data = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 88])
        path.write_bytes(data.tobytes())
