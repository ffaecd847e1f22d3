"""Several files that are one recording, in parts: the segments of a recorder, on one time line."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from engine.faults import FaultCode, FaultError
from engine.sources import SEPARATOR
from engine.sources.base import Picture, Source, SourceOptions
from engine.sources.live.signal import Signal
from engine.sources.recording import open as open_file
from engine.types import U8, Rect, Size, SourceInfo


@dataclass(frozen=True, slots=True)
class _Part:
    """`first`: rank of its first frame in the whole, `begins_s`: its time there; `shift_s`: from its own
    times to those.
    """

    path: str
    first: int
    begins_s: float
    shift_s: float


def address_of(paths: Sequence[Path]) -> str:
    """What `open` is given: the files in their order."""
    return SEPARATOR.join(str(path) for path in paths)


def open(address: str, options: SourceOptions) -> Joined:
    """Count every file, and open the first. Raises FaultError: one cannot be read, or has another size."""
    return Joined(address.split(SEPARATOR), options)


class Joined:
    """A `Source` (engine/sources/base.py) over files that follow one another without a gap.

    A frame's rank counts through all of them; the times of the first file stand as they are, and each further
    one begins where the one before it ends.
    """

    def __init__(self, paths: Sequence[str], options: SourceOptions) -> None:
        self._options = options
        self._parts: list[_Part] = []
        infos: list[SourceInfo] = []
        rank, at_s = 0, 0.0
        for path in paths:
            with closing(open_file(path, options)) as source:
                source.index_at(0.0)  # until it is counted
                first = source.read()
                info = source.info
            if first is None or info.frames is None:
                raise _unreadable(path)
            if infos and (info.width_px, info.height_px) != (infos[0].width_px, infos[0].height_px):
                raise _other_size(path, info, infos[0])
            at_s = at_s if infos else first.pts_s
            self._parts.append(_Part(path, rank, at_s, at_s - first.pts_s))
            infos.append(info)
            rank, at_s = rank + info.frames, at_s + (info.duration_s or 0.0)
        self._info = replace(
            infos[0],
            id=SEPARATOR.join(paths),
            title=f"{infos[0].title} (+{len(paths) - 1})" if len(paths) > 1 else infos[0].title,
            frames=rank,
            duration_s=sum(info.duration_s or 0.0 for info in infos),
        )
        self._at = 0
        self._source: Source = open_file(self._parts[0].path, options)

    @property
    def info(self) -> SourceInfo:
        return self._info

    def read(self) -> Picture | None:
        """As `Source.read`; what is wrong with a file's end is raised there, and the next one follows."""
        while (picture := self._source.read()) is None:
            if self._at + 1 == len(self._parts):
                return None
            self._go_to(self._at + 1)
        part = self._parts[self._at]
        return JoinedPicture(picture, part.first + picture.index, picture.pts_s + part.shift_s)

    def seek(self, index: int) -> None:
        """As `Source.seek`."""
        at = max(i for i, part in enumerate(self._parts) if part.first <= max(index, 0))
        if at != self._at:
            self._go_to(at)
        self._source.seek(max(index, 0) - self._parts[at].first)

    def index_at(self, pts_s: float) -> int:
        """As `Source.index_at`."""
        at = max((i for i, part in enumerate(self._parts) if part.begins_s <= pts_s + 1e-6), default=0)
        if at != self._at:
            self._go_to(at)
        part = self._parts[at]
        return part.first + self._source.index_at(pts_s - part.shift_s)

    def close(self) -> None:
        """As `Source.close`."""
        self._source.close()

    def _go_to(self, at: int) -> None:
        self._source.close()
        self._source = open_file(self._parts[at].path, self._options)
        self._at = at


@dataclass(frozen=True, slots=True)
class JoinedPicture:
    """A picture of one of the files, with its rank and time in the whole."""

    picture: Picture
    index: int
    pts_s: float

    @property
    def captured_s(self) -> float:
        return self.picture.captured_s

    @property
    def name(self) -> str | None:
        return None

    @property
    def signal(self) -> Signal | None:
        return None

    @property
    def damaged(self) -> bool:
        return self.picture.damaged

    @property
    def width_px(self) -> int:
        return self.picture.width_px

    @property
    def height_px(self) -> int:
        return self.picture.height_px

    def bgra(self) -> U8:
        """As `Picture.bgra`."""
        return self.picture.bgra()

    def rgb(self, size: Size, part: Rect | None = None) -> U8:
        """As `Picture.rgb`."""
        return self.picture.rgb(size, part)


def _unreadable(path: str) -> FaultError:
    name = Path(path).name
    return FaultError(
        FaultCode.SOURCE_UNREADABLE,
        expected=f"pictures in {name}",
        got="none",
        remedy="leave it out",
        said=f"There are no pictures in {name}. Leave it out.",
    )


def _other_size(path: str, info: SourceInfo, first: SourceInfo) -> FaultError:
    name, wanted = Path(path).name, f"{first.width_px}x{first.height_px}"
    return FaultError(
        FaultCode.ARGUMENT,
        expected=f"{name} to be {wanted}, as {first.title}",
        got=f"{info.width_px}x{info.height_px}",
        remedy="open it as a recording of its own",
        said=f"{name} has pictures of {info.width_px}x{info.height_px}, {first.title} of {wanted}: they are "
        "not parts of one recording. Open it as a recording of its own.",
    )
