"""What a network said of every frame, kept so small that it need not be asked again.

A probability map at a quarter of the network's width and height is 1 KB deflated at most (30 MB for 20
minutes of 25 frames a second at 320 px), and upscaled it gives the same
findings, within a percent of their area.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from engine.review.database import Database
from engine.review.recording import region_of, region_text
from engine.types import U8, Field, Size
from engine.view.motion import Motion
from engine.view.quality import ViewFault

PART = 4  # of the network's sides
CHUNK = 64  # frames behind one another: read together, and lost together when the analysis is killed
LEVEL = 6

# What a bit of `view` says; a new fault gets the next bit, and none is ever given twice.
VIEW_BITS = {
    ViewFault.BLURRED: 1,
    ViewFault.DARK: 2,
    ViewFault.BRIGHT: 4,
    ViewFault.TOUCHING: 8,
    ViewFault.BUBBLES: 16,
    ViewFault.OUTSIDE: 32,
}


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """One frame. `map`: uint8 [h, w], 255 = 1, over the field's box; `motion`: since the frame before.

    `view`: what is wrong with the view, in bits of VIEW_BITS; `damaged`: parts of the picture are missing.
    """

    rank: int
    pts_s: float
    map: U8
    motion: Motion
    damaged: bool
    view: int
    field: Field


@dataclass(frozen=True, slots=True)
class Chunk:
    """Frames in a row without their maps: arrays of one length n.

    `ranks` int32, `pts_s` float64, `peaks` uint8 (highest value of the map), `moves` float64 [n, 2],
    `damaged` and `views` uint8, `field_of` uint8: which of `fields`.
    """

    id: int
    ranks: npt.NDArray[np.int32]
    pts_s: npt.NDArray[np.float64]
    peaks: U8
    moves: npt.NDArray[np.float64]
    damaged: U8
    views: U8
    field_of: U8
    fields: tuple[Field, ...]

    def frame(self, at: int, map_: U8) -> StoredFrame:
        dx, dy = self.moves[at]
        return StoredFrame(
            int(self.ranks[at]),
            float(self.pts_s[at]),
            map_,
            Motion(float(dx), float(dy)),
            bool(self.damaged[at]),
            int(self.views[at]),
            self.fields[self.field_of[at]],
        )


def small_size(network: Size) -> Size:
    """Of the maps that are kept."""
    return Size(-(-network.width_px // PART), -(-network.height_px // PART))


def small(probability: U8) -> U8:
    """A map of the network, uint8 [h, w], as it is kept."""
    high, wide = probability.shape
    size = small_size(Size(wide, high))
    return np.asarray(
        cv2.resize(probability, (size.width_px, size.height_px), interpolation=cv2.INTER_AREA), np.uint8
    )


def view_bits(faults: Collection[ViewFault]) -> int:
    return sum(VIEW_BITS[fault] for fault in faults)


@lru_cache(maxsize=256)
def view_faults(bits: int) -> frozenset[ViewFault]:
    return frozenset(fault for fault, bit in VIEW_BITS.items() if bits & bit)


def write_chunk(change: Database, analysis: int, frames: Sequence[StoredFrame]) -> None:
    """Add frames, inside `Database.change`."""
    chunk = write_frames(change, analysis, frames, [int(frame.map.max(initial=0)) for frame in frames])
    data = zlib.compress(np.stack([frame.map for frame in frames]).tobytes(), LEVEL)
    change.run("INSERT INTO maps VALUES (?, ?)", chunk, data)


def write_frames(change: Database, analysis: int, frames: Sequence[StoredFrame], peaks: Sequence[int]) -> int:
    """Add what is known of frames beside their maps; the chunk's id."""
    fields = tuple(dict.fromkeys(frame.field for frame in frames))
    return change.run(
        "INSERT INTO chunk (analysis, first_rank, frames, ranks, pts_s, peaks, moves, damaged, views, "
        "field_of, fields) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        analysis,
        frames[0].rank,
        len(frames),
        np.array([frame.rank for frame in frames], "<i4").tobytes(),
        np.array([frame.pts_s for frame in frames], "<f8").tobytes(),
        bytes(peaks),
        np.array([[frame.motion.dx_frac, frame.motion.dy_frac] for frame in frames], "<f8").tobytes(),
        bytes(frame.damaged for frame in frames),
        bytes(frame.view for frame in frames),
        bytes(fields.index(frame.field) for frame in frames),
        json.dumps([region_text(field) for field in fields]),
    )


_COLUMNS = "id, ranks, pts_s, peaks, moves, damaged, views, field_of, fields"


def chunks(database: Database, analysis: int, after_rank: int = -1) -> Iterator[Chunk]:
    """All that is stored behind a rank, in order."""
    for row in database.rows(
        f"SELECT {_COLUMNS} FROM chunk WHERE analysis = ? AND first_rank > ? ORDER BY first_rank",
        analysis,
        after_rank,
    ):
        yield _chunk(database, row)


def maps_of(database: Database, chunk: Chunk, size: Size) -> U8:
    """uint8 [n, h, w], read-only."""
    row = database.row("SELECT data FROM maps WHERE chunk = ?", chunk.id)
    with database.decoding():
        if row is None:
            raise LookupError(f"no maps of frame {chunk.ranks[0]}")
        values = np.frombuffer(zlib.decompress(row[0]), np.uint8)
        return values.reshape(len(chunk.ranks), size.height_px, size.width_px)


def stored_frames(
    database: Database, analysis: int, size: Size, first_rank: int = 0
) -> Iterator[StoredFrame]:
    """Every frame that was judged from that one on, in order."""
    for chunk in chunks(database, analysis, first_rank - CHUNK):
        maps = maps_of(database, chunk, size)
        for at in range(int(np.searchsorted(chunk.ranks, first_rank)), len(chunk.ranks)):
            yield chunk.frame(at, maps[at])


def field_px(database: Database, analysis: int, rank: int) -> int:
    """The area of the endoscope's picture, as findings are measured by it; 0 in a frame not judged yet."""
    chunk = _chunk_at(database, analysis, rank)
    at = int(np.searchsorted(chunk.ranks, rank)) if chunk is not None else 0
    if chunk is None or at == len(chunk.ranks):
        return 0
    box = chunk.fields[int(chunk.field_of[at])].box
    return box.w * box.h


class MapReader:
    """Single frames of one analysis: of a chunk that was unpacked the next frames cost nothing."""

    def __init__(self, database: Database, analysis: int, size: Size) -> None:
        self._database = database
        self._analysis = analysis
        self._size = size
        self._chunk: Chunk | None = None
        self._maps: U8 | None = None

    def at(self, rank: int) -> StoredFrame | None:
        """None where that frame was not judged (yet)."""
        if self._chunk is None or not self._chunk.ranks[0] <= rank <= self._chunk.ranks[-1]:
            chunk = _chunk_at(self._database, self._analysis, rank)
            if chunk is None:
                return None
            self._chunk = chunk
            self._maps = maps_of(self._database, self._chunk, self._size)
        assert self._maps is not None
        at = int(np.searchsorted(self._chunk.ranks, rank))
        if at == len(self._chunk.ranks) or self._chunk.ranks[at] != rank:
            return None
        return self._chunk.frame(at, self._maps[at])


def _chunk_at(database: Database, analysis: int, rank: int) -> Chunk | None:
    """The last one that begins there or before."""
    row = database.row(
        f"SELECT {_COLUMNS} FROM chunk WHERE analysis = ? AND first_rank <= ? "
        "ORDER BY first_rank DESC LIMIT 1",
        analysis,
        rank,
    )
    return None if row is None else _chunk(database, row)


def _chunk(
    database: Database, row: tuple[int, bytes, bytes, bytes, bytes, bytes, bytes, bytes, str]
) -> Chunk:
    id_, ranks, pts_s, peaks, moves, damaged, views, field_of, fields = row
    with database.decoding():
        found = []
        for text in json.loads(fields):
            field = region_of(text)
            if not isinstance(field, Field):
                raise TypeError(f"{text} is no field")
            found.append(field)
        chunk = Chunk(
            id_,
            np.frombuffer(ranks, "<i4"),
            np.frombuffer(pts_s, "<f8"),
            np.frombuffer(peaks, np.uint8),
            np.frombuffer(moves, "<f8").reshape(-1, 2),
            np.frombuffer(damaged, np.uint8),
            np.frombuffer(views, np.uint8),
            np.frombuffer(field_of, np.uint8),
            tuple(found),
        )
        arrays = (chunk.pts_s, chunk.peaks, chunk.moves, chunk.damaged, chunk.views, chunk.field_of)
        if {len(array) for array in arrays} != {len(chunk.ranks)} or chunk.field_of.max() >= len(found):
            raise ValueError("arrays of frames that do not belong together")
    return chunk
