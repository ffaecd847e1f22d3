"""What every source promises. One thread uses a source (the reader); only `close` may come from another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from engine.types import U8, Rect, Size, SourceInfo

if TYPE_CHECKING:
    from engine.sources.live.signal import Signal  # cv2: what is only named needs no decoder


class Picture(Protocol):
    """One decoded frame whose pixels are converted only when asked for.

    A late frame is dropped without paying for its conversion, and `analyse` never pays for the screen's.
    """

    @property
    def index(self) -> int:
        """Rank in presentation order: 0 is the first frame of the file; a running count when live."""

    @property
    def pts_s(self) -> float:
        """Media time as decoded, seconds; not shifted to start at 0."""

    @property
    def captured_s(self) -> float:
        """`time.monotonic()` when the frame (its packet, when live) arrived."""

    @property
    def name(self) -> str | None:
        """The file's name, for a folder of stills."""

    @property
    def signal(self) -> Signal | None:
        """What a live picture's way here tells of it; None for a recording's."""

    @property
    def damaged(self) -> bool:
        """Parts of it, or of what it refers to, are missing: nothing is marked on it."""

    @property
    def width_px(self) -> int: ...

    @property
    def height_px(self) -> int: ...

    def bgra(self) -> U8:
        """uint8 [H, W, 4], C order, read-only, a buffer of its own."""

    def rgb(self, size: Size, part: Rect | None = None) -> U8:
        """uint8 [h, w, 3], the whole picture, or a part of it, squashed to `size` with an area filter.

        Read-only.
        """


class Source(Protocol):
    """A stream of pictures."""

    @property
    def info(self) -> SourceInfo:
        """May grow while open (`frames` is known once the file has been indexed)."""

    def read(self) -> Picture | None:
        """The next picture, None after the last one.

        Returns or raises within about 1 s also when a device or network has stalled.
        Raises FaultError: SOURCE_LOST (live: gone or stalled), SOURCE_TRUNCATED (a file broke off; every
        picture before the break has been given), SOURCE_UNREADABLE.
        """

    def seek(self, index: int) -> None:
        """Make frame `index` (clamped to what exists) the next one `read` gives.

        Raises FaultError SEEK when not seekable.
        """

    def index_at(self, pts_s: float) -> int:
        """Rank of the frame that is on the screen at `pts_s`: the last one that starts at or before it."""

    def close(self) -> None:
        """Free the device or file. Idempotent; safe from any thread, also while `read` is running."""


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """What a person asked for. `kind` is a key of SOURCES; `address` a path, a device with its scheme
    ("v4l2:/dev/video0", "dshow:USB Video") or a URL.
    """

    kind: str
    address: str

    @property
    def text(self) -> str:
        """The one-string form that `parse_source` reads back (recent items, --source)."""
        return "demo:" if self.kind == "demo" else self.address

    @property
    def title(self) -> str:
        """What it is called while it says nothing itself; no passwords."""
        return without_secrets(self.address) if self.kind == "stream" else self.text


def without_secrets(url: str) -> str:
    """The URL without user, password and query, for titles and sentences."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How to open a source.

    `throughput`: decode with frame threads (`analyse`), not slice threads, which give a frame back sooner.
    `pixel_format`: capture devices, "auto" or one of `PIXEL_FORMATS`. `size`, `rate_hz`: asked of a capture
    device; None takes its default. `colour`: "auto" or such as "bt709 limited", when the tags are wrong.
    `decode`: "software", "auto" (hardware that passes its check) or a device type of FFmpeg such as "cuda".
    """

    throughput: bool = False
    pixel_format: str = "auto"
    size: Size | None = None
    rate_hz: float | None = None
    colour: str = "auto"
    decode: str = "software"
