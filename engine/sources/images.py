"""A folder of stills, by name and number, as a source."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np
from av.video.frame import VideoFrame

from engine.faults import FaultCode, FaultError
from engine.natural import natural
from engine.orientation import upright
from engine.sources import IMAGE_SUFFIXES
from engine.sources.base import SourceOptions
from engine.sources.picture import Converter, VideoPicture
from engine.sources.what_is_there import refuse_no_file
from engine.types import SourceInfo

RATE_HZ = 2.0
# Turned by our own reader of EXIF, as everywhere. Gray, 16-bit and transparent pictures become 8-bit BGR.
_FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


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
        ) from error
    except OSError as error:
        raise _unreadable(f"{path.name} to be a readable folder", error.strerror or str(error)) from error
    if not files:
        raise _unreadable(
            f"pictures in {path.name} ({', '.join(sorted(IMAGE_SUFFIXES))})",
            "a folder without any",
            "choose another folder; a video is opened as a file",
        )
    return ImageFolder(path, files, options)


class ImageFolder:
    """A `Source` (engine/sources/base.py). Pictures may differ in size; ranks are those of the names."""

    def __init__(self, path: Path, files: tuple[Path, ...], options: SourceOptions) -> None:
        self._files = files
        self._converter = Converter(options.colour)
        self._closed = threading.Event()
        self._next = 0
        first = next((pixels for file in files if (pixels := _pixels(file)) is not None), None)
        if first is None:
            raise _unreadable(
                f"pictures in {path.name}",
                f"{len(files)} files that are none, such as {files[0].name}",
                "copy them again",
            )
        self._info = SourceInfo(
            id=str(path),
            title=path.name,
            width_px=first.shape[1],
            height_px=first.shape[0],
            rate_hz=RATE_HZ,
            duration_s=len(files) / RATE_HZ,
            frames=len(files),
            seekable=True,
            live=False,
            colour="rgb full",
        )

    @property
    def info(self) -> SourceInfo:
        return self._info

    def read(self) -> VideoPicture | None:
        """The next picture with its file's name, None after the last one.

        Raises FaultError SOURCE_UNREADABLE, not fatal, for a file that is no picture: the next `read` gives
        the one after it, and the rank is left out.
        """
        if self._closed.is_set() or self._next >= len(self._files):
            return None
        index, file = self._next, self._files[self._next]
        self._next += 1
        pixels = _pixels(file)
        if pixels is None:
            raise _unreadable(
                f"{file.name} to be a picture",
                "a file that is none, or damaged",
                "the others go on",
                fatal=False,
                lost_frames=1,
            )
        frame = VideoFrame.from_numpy_buffer(pixels, "bgr24")
        return VideoPicture(index, index / RATE_HZ, time.monotonic(), frame, self._converter, name=file.name)

    def seek(self, index: int) -> None:
        """Make picture `index` (clamped) the next one."""
        self._next = max(0, min(index, len(self._files) - 1))

    def index_at(self, pts_s: float) -> int:
        """Rank of the picture on the screen at `pts_s`."""
        # A thousandth of a tick: pts_s went through a division.
        return max(0, min(int(pts_s * RATE_HZ + 1e-3), len(self._files) - 1))

    def close(self) -> None:
        """Idempotent, from any thread."""
        self._closed.set()


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


def _pixels(file: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None:
    # Not imread: on Windows it opens no name beyond ASCII.
    try:
        data = np.fromfile(file, dtype=np.uint8)
        pixels = cv2.imdecode(data, _FLAGS) if data.size else None
        return None if pixels is None else upright(np.asarray(pixels, np.uint8), data.tobytes())
    except (OSError, cv2.error, TypeError):
        return None


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
