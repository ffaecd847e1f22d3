"""What an analysis has to remember to go on behind the frames that it kept as if it had not stopped."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, astuple, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.review.recording import region_of, region_text
from engine.sources.base import Picture
from engine.sources.field_finder import FieldFinder
from engine.types import F32, Field, Rect, Region, Size
from engine.view.lock_on import Lock, Look


@dataclass(frozen=True, slots=True)
class Past:
    """Behind the last frame that was kept. `look`: of its picture (engine.view.motion); `known`, `lock`: the
    endoscope's picture, where it is found.
    """

    look: F32 | None = None
    known: Field | None = None
    lock: Lock | None = None


class Remembering(FieldFinder):
    """Knows of each picture what was known behind it, until that is taken: pictures are read ahead."""

    def __init__(self, known: Field | None, lock: Lock | None) -> None:
        super().__init__(known=known, lock=lock)
        self._behind: dict[int, Lock] = {}

    def field_of(self, picture: Picture, at_s: float, made_for: Region = "field") -> Field:
        """As `FieldFinder.field_of`; in the thread that reads."""
        found = super().field_of(picture, at_s, made_for)
        self._behind[picture.index] = self.lock
        return found

    def take(self, rank: int) -> Lock | None:
        """What was known behind this frame; in the thread that gets the frames."""
        return self._behind.pop(rank, None)


def bytes_of(past: Past) -> bytes:
    """For the side-car; never pickle."""
    lock = past.lock or Lock()
    said = {
        "known": None if past.known is None else region_text(past.known),
        "locks": past.lock is not None,
        "size": None if lock.size is None else asdict(lock.size),
        "field": None if lock.field is None else region_text(lock.field),
        "first": None if lock.first is None else region_text(lock.first),
        "candidates": [astuple(box) for box in lock.candidates],
        "looked_s": lock.looked_s,
        "at_s": [look.at_s for look in lock.looks],
    }
    arrays: dict[str, npt.NDArray[Any]] = {
        f"look_{number}": look.small for number, look in enumerate(lock.looks)
    }
    if past.look is not None:
        arrays["picture"] = past.look
    stream = io.BytesIO()
    arrays["said"] = np.frombuffer(json.dumps(said).encode(), np.uint8)
    np.savez(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def past_of(data: bytes | None) -> Past:
    """What `bytes_of` wrote; nothing, before a first frame."""
    if not data:
        return Past()
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        said = json.loads(stored["said"].tobytes())
        looks = tuple(Look(at_s, stored[f"look_{number}"]) for number, at_s in enumerate(said["at_s"]))
        lock = Lock(
            size=None if said["size"] is None else Size(**said["size"]),
            field=_field(said["field"]),
            first=_field(said["first"]),
            looks=looks,
            candidates=tuple(Rect(*box) for box in said["candidates"]),
            looked_s=said["looked_s"],
        )
        look = stored.get("picture")
        return Past(look, _field(said["known"]), lock if said["locks"] else None)


def _field(text: str | None) -> Field | None:
    found = None if text is None else region_of(text)
    return found if isinstance(found, Field) else None
