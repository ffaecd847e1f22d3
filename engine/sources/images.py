"""A folder of stills, by name and number, as a source."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from av.video.frame import VideoFrame

from engine.faults import FaultCode, FaultError
from engine.files.natural import natural
from engine.files.whole import shown
from engine.sources import IMAGE_SUFFIXES
from engine.sources.base import SourceOptions
from engine.sources.picture import Converter, VideoPicture
from engine.sources.stills import Pages, Still, page_count
from engine.sources.what_is_there import refuse_no_file
from engine.types import SourceInfo

RATE_HZ = 2.0


def open(address: str, options: SourceOptions) -> ImageFolder:
    """Open a folder, or one picture. Raises FaultError SOURCE_MISSING, SOURCE_UNREADABLE."""
    path = Path(address)
    try:
        files = _pictures_in(path)
    except FileNotFoundError as error:
        raise FaultError(
            FaultCode.SOURCE_MISSING,
            expected=f"a picture or a folder of pictures at {path}",
            got="nothing there",
            remedy="check the name and that the drive is connected",
            said=f"There is nothing at {path}. Check the name and that the drive is connected.",
        ) from error
    except OSError as error:
        raise _unreadable(f"{path.name} to be a readable folder", error.strerror or str(error)) from error
    if not files:
        raise FaultError(
            FaultCode.SOURCE_UNREADABLE,
            expected=f"pictures in {path.name} ({', '.join(sorted(IMAGE_SUFFIXES))})",
            got="a folder without any",
            remedy="choose another folder; a video is opened as a file",
            said=f"There are no pictures in {path.name}. Choose another folder; a video is opened as a file.",
        )
    return ImageFolder(path, files, options)


class ImageFolder:
    """A `Source` (engine/sources/base.py). Pictures may differ in size; ranks are those of the names, a file
    with several pages has as many.
    """

    def __init__(self, path: Path, files: tuple[Path, ...], options: SourceOptions) -> None:
        self._pages = tuple(_pages_of(files))
        self._reader = Pages()
        self._small_depths: dict[int, int] = {}  # bits used of 16: how many pictures
        self._depths_told = False
        self._converter = Converter(options.colour)
        self._closed = threading.Event()
        self._next = 0
        first = next((still for page in self._pages if (still := self._still(page)) is not None), None)
        if first is None:
            raise _unreadable(
                f"pictures in {path.name}",
                f"{len(files)} files that are none, such as {files[0].name}",
                "copy them again",
            )
        self._info = SourceInfo(
            id=str(path),
            title=path.name,
            width_px=first.pixels.shape[1],
            height_px=first.pixels.shape[0],
            rate_hz=RATE_HZ,
            duration_s=len(self._pages) / RATE_HZ,
            frames=len(self._pages),
            seekable=True,
            live=False,
            colour="rgb full",
        )

    @property
    def info(self) -> SourceInfo:
        return self._info

    def read(self) -> VideoPicture | None:
        """The next picture with its file's name (and page), None after the last one.

        Raises FaultError SOURCE_UNREADABLE, not fatal, for a file that is no picture: the next `read` gives
        the one after it, and the rank is left out. At the end one that is harmless when pictures hold fewer
        bits than they have room for.
        """
        if self._closed.is_set() or self._next >= len(self._pages):
            self._tell_the_depths()
            return None
        index, page = self._next, self._pages[self._next]
        self._next += 1
        still = self._still(page)
        if still is None:
            where = f"page {page.number + 1} of {page.count} in " if page.count > 1 else ""
            raise _unreadable(
                f"{where}{shown(page.file.name)} to be a picture",
                "one that is none, or damaged",
                "the others go on",
                fatal=False,
                lost_frames=1,
            )
        if still.bits not in (0, 16):
            self._small_depths[still.bits] = self._small_depths.get(still.bits, 0) + 1
        frame = VideoFrame.from_numpy_buffer(still.pixels, "bgr24")
        return VideoPicture(index, index / RATE_HZ, time.monotonic(), frame, self._converter, name=page.name)

    def seek(self, index: int) -> None:
        """Make picture `index` (clamped) the next one."""
        self._next = max(0, min(index, len(self._pages) - 1))

    def index_at(self, pts_s: float) -> int:
        """Rank of the picture on the screen at `pts_s`."""
        # A thousandth of a tick: pts_s went through a division.
        return max(0, min(int(pts_s * RATE_HZ + 1e-3), len(self._pages) - 1))

    def close(self) -> None:
        """Idempotent, from any thread."""
        self._closed.set()

    def _still(self, page: _Page) -> Still | None:
        return self._reader.read(page.file, page.number, page.count)

    def _tell_the_depths(self) -> None:
        if self._closed.is_set() or self._depths_told or not self._small_depths:
            return
        self._depths_told = True
        kinds = " and ".join(f"{count} with {bits}" for bits, count in sorted(self._small_depths.items()))
        raise FaultError(
            FaultCode.SOURCE_UNREADABLE,
            expected="pictures that use all of their 16 bits",
            got=f"{kinds} bits",
            remedy="compare their brightness with the originals",
            fatal=False,
            said=f"Pictures of 16 bits that use fewer, {kinds} bits, are shown at full brightness. "
            "Compare them with the originals if they look too bright.",
            harmless=True,
        )


@dataclass(frozen=True, slots=True)
class _Page:
    file: Path
    number: int
    count: int

    @property
    def name(self) -> str:
        """The file's; with the page behind a number sign where there are several."""
        file = self.file
        return file.name if self.count == 1 else f"{file.stem}#{self.number + 1}{file.suffix}"


def _pages_of(files: tuple[Path, ...]) -> Iterator[_Page]:
    for file in files:
        try:
            count = page_count(file)
        except OSError:  # told when it is its turn
            count = 1
        for number in range(count):
            yield _Page(file, number, count)


def _pictures_in(path: Path) -> tuple[Path, ...]:
    if path.is_dir():
        # Names that start with a dot are what macOS leaves beside pictures on foreign drives.
        found = (
            file
            for file in path.iterdir()
            if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".") and file.is_file()
        )
        return tuple(sorted(found, key=lambda file: natural(file.name)))
    refuse_no_file(path)
    return (path,)


def _unreadable(
    expected: str, got: str, remedy: str = "choose another folder", fatal: bool = True, lost_frames: int = 0
) -> FaultError:
    return FaultError(
        FaultCode.SOURCE_UNREADABLE,
        expected=expected,
        got=got,
        remedy=remedy,
        fatal=fatal,
        lost_frames=lost_frames,
    )
