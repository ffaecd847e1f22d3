"""What is drawn along a recording's time: arrays of all its frames, and their largest values a column."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from engine.review.database import Database
from engine.review.maps import chunks
from engine.types import F32, U8


@dataclass(frozen=True, slots=True)
class FrameTable:
    """All frames that were judged, in order; arrays of one length n.

    `ranks` int32, `pts_s` float64, `peaks` uint8 (255 = 1), `views` uint8 (bits of maps.VIEW_BITS).
    """

    ranks: npt.NDArray[np.int32]
    pts_s: npt.NDArray[np.float64]
    peaks: U8
    views: U8
    damaged: U8

    def __len__(self) -> int:
        return len(self.ranks)

    def first(self, count: int) -> FrameTable:
        """So many frames of it."""
        return FrameTable(*(getattr(self, one.name)[:count] for one in fields(self)))

    def time_s(self, rank: int) -> float:
        """When a frame is shown, the nearest known one's time where it is not known itself; 0 without any."""
        if not len(self):
            return 0.0
        return float(self.pts_s[min(int(np.searchsorted(self.ranks, rank)), len(self) - 1)])

    def rank_at(self, pts_s: float) -> int:
        """The frame that is on the screen then."""
        if not len(self):
            return 0
        return int(self.ranks[max(0, int(np.searchsorted(self.pts_s, pts_s + 1e-6, side="right")) - 1)])


EMPTY = FrameTable(np.zeros(0, np.int32), np.zeros(0), *(np.zeros(0, np.uint8) for _ in range(3)))


def frame_table(database: Database, analysis: int, before: FrameTable | None = None) -> FrameTable:
    """As far as it is analysed; `before`: what is known already, so that only news are read."""
    last = int(before.ranks[-1]) if before is not None and len(before) else -1
    parts = [] if before is None else [before]
    parts += [
        FrameTable(one.ranks, one.pts_s, one.peaks, one.views, one.damaged)
        for one in chunks(database, analysis, last)
    ]
    if len(parts) == 1:
        return parts[0]
    names = [one.name for one in fields(FrameTable)]
    if not parts:
        return EMPTY
    return FrameTable(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def columns(table: FrameTable, start_s: float, end_s: float, count: int) -> F32:
    """The largest probability in each of `count` columns of time: float32 [count], NaN: no frame."""
    found = np.full(count, np.nan, np.float32)
    if not len(table) or end_s <= start_s:
        return found
    edges = np.searchsorted(table.pts_s, np.linspace(start_s, end_s, count + 1))
    filled = np.flatnonzero(edges[1:] > edges[:-1])
    if len(filled):
        values = table.peaks[: edges[-1]] if edges[-1] < len(table) else table.peaks
        found[filled] = np.maximum.reduceat(values, edges[filled]) / 255.0
    return found


def stretches(flags: npt.NDArray[np.bool_], table: FrameTable) -> list[tuple[float, float]]:
    """Where a flag, bool [n], holds: from when to when, seconds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(float(table.pts_s[first]), float(table.pts_s[last - 1])) for first, last in edges.reshape(-1, 2)]
