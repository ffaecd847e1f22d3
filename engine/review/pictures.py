"""Small pictures of a recording: one every two seconds, and one of each finding where it is large."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from engine.analysis.judged import JudgedFrame
from engine.review.database import Database
from engine.review.maps import StoredFrame
from engine.types import U8, Rect

EVERY_S = 2.0
LONGEST_PX = 200
QUALITY = 80


class Pictures:
    """Chooses frames by their times alone, so that an analysis that was killed goes on with the same ones."""

    def __init__(self) -> None:
        self._slot: int | None = None
        self._made: list[tuple[int, bytes]] = []

    def add(self, frame: JudgedFrame, grown: Sequence[int]) -> None:
        """Make one of this frame where it is due, or a finding of it has `grown`."""
        if self._is_due(frame.result.pts_s) or grown:
            self._made.append((frame.result.index, jpeg_of(frame.shown, frame.result.mask.roi)))

    def pass_by(self, frame: StoredFrame, grown: Sequence[int]) -> None:
        """A frame that was kept before."""
        del grown
        self._is_due(frame.pts_s)

    def write(self, change: Database) -> None:
        """Inside `Database.change`."""
        change.run_all("INSERT OR IGNORE INTO picture VALUES (?, ?)", self._made)
        self._made = []

    def _is_due(self, pts_s: float) -> bool:
        slot = math.floor(pts_s / EVERY_S)
        due, self._slot = slot != self._slot, slot
        return due


def jpeg_of(shown: U8, roi: Rect) -> bytes:
    """What the network was given, uint8 [h, w, 3] RGB, in the shape that it has in the frame."""
    scale = LONGEST_PX / max(roi.w, roi.h)
    size = max(1, round(roi.w * scale)), max(1, round(roi.h * scale))
    picture = cv2.resize(cv2.cvtColor(shown, cv2.COLOR_RGB2BGR), size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return data.tobytes()


def picture_at(database: Database, rank: int) -> tuple[int, U8] | None:
    """The small picture nearest to a frame, and its rank: uint8 [h, w, 3] BGR. None: there is none yet."""
    near = database.rows(
        "SELECT * FROM (SELECT rank, jpeg FROM picture WHERE rank <= ?1 ORDER BY rank DESC LIMIT 1) "
        "UNION ALL SELECT * FROM (SELECT rank, jpeg FROM picture WHERE rank > ?1 ORDER BY rank LIMIT 1)",
        rank,
    )
    if not near:
        return None
    at, jpeg = min(near, key=lambda row: abs(row[0] - rank))
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return None if picture is None else (at, np.asarray(picture, np.uint8))
