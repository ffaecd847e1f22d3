"""What was opened before: a list in the user's data folder, a thumbnail each, and what was marked in it."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from engine.faults import Fault, FaultCode
from engine.files.shared import alone_with, read_small, set_aside
from engine.files.whole import user_data, write_bytes, write_text
from engine.sources.base import SourceSpec
from engine.types import Presentation

log = logging.getLogger(__name__)

MAX_ITEMS = 12
SCHEMA: Final = 1
PLACE = "recent items"

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
WholeSeconds = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class RecentItem:
    """One source that was opened. Seconds watched and marked are of media time, None when nobody watched."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    kind: str
    address: str
    title: str
    opened_utc: str
    duration_s: Seconds | None = None
    watched_s: WholeSeconds | None = None
    marked_s: WholeSeconds | None = None

    @property
    def spec(self) -> SourceSpec:
        return SourceSpec(self.kind, self.address)

    @property
    def thumbnail(self) -> Path:
        name = hashlib.sha256(f"{self.kind}\n{self.address}".encode()).hexdigest()[:16]
        return user_data() / "thumbnails" / f"{name}.jpg"

    @property
    def is_live(self) -> bool:
        return self.kind in ("capture", "stream")

    @property
    def findings(self) -> str:
        """What is known of it, in words."""
        if not self.watched_s:
            return ""
        return f"Marks in {self.marked_s or 0} s of {self.watched_s} s watched"


class Watched:
    """Which seconds of a source were seen, and in which of them something was marked. Seeks do not matter."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._marked: set[int] = set()

    def note(self, presentation: Presentation) -> None:
        if presentation.result is None:
            return
        second = int(presentation.frame.pts_s)
        self._seen.add(second)
        if presentation.result.components:
            self._marked.add(second)

    @property
    def seen_s(self) -> int:
        return len(self._seen)

    @property
    def marked_s(self) -> int:
        return len(self._marked)


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the file holds."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    schema: Literal[1]
    items: tuple[RecentItem, ...]


_FILE = TypeAdapter(_Stored)

Items = tuple[RecentItem, ...]
Change = Callable[[Items], Items]


class RecentItems:
    """The list, newest first, shared by all windows: each change goes into what the file holds by then.

    The file is read and written by one thread of its own: a slow disk costs no picture. `complaint` tells
    that it was damaged when this window started.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or user_data() / "recent.json"
        self._mutex = threading.Lock()
        self._known: Items = ()  # as the file was when this window last looked
        self._waiting: tuple[Change, ...] = ()  # of this window, not yet in the file
        self.complaint: Fault | None = None
        try:
            self._known = _read(self._path)
        except (OSError, ValueError) as error:
            self.complaint = _put_away(self._path, error)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="polyplive-recent")

    @property
    def items(self) -> Items:
        with self._mutex:
            items = self._known
            for change in self._waiting:
                items = change(items)
            return items

    @property
    def folders(self) -> list[Path]:
        """Where recordings lie, or lay; the newest first."""
        return [Path(item.address).parent for item in self.items if item.kind in ("file", "images")]

    @property
    def last_folder(self) -> Path | None:
        """Where the newest recording lies, if that folder is still there."""
        folders = (Path(item.address).parent for item in self.items if item.kind == "file")
        return next((folder for folder in folders if folder.is_dir()), None)

    def opened(self, spec: SourceSpec, title: str, duration_s: float | None) -> None:
        """Put `spec` first; what is known of it from before stays known."""
        now_utc = datetime.now(UTC).isoformat(timespec="seconds")
        new = RecentItem(spec.kind, spec.address, title, now_utc, duration_s)

        def put_first(items: Items) -> Items:
            before = _of(items, spec)
            first = replace(new, watched_s=before.watched_s, marked_s=before.marked_s) if before else new
            return (first, *(other for other in items if other.spec != spec))[:MAX_ITEMS]

        self._change(put_first)

    def watched(self, spec: SourceSpec, watched: Watched) -> None:
        """Remember what was marked; a shorter look does not replace a longer one."""
        seen_s, marked_s = watched.seen_s, watched.marked_s

        def note(items: Items) -> Items:
            return tuple(
                replace(item, watched_s=seen_s, marked_s=marked_s)
                if item.spec == spec and seen_s >= max(1, item.watched_s or 0)
                else item
                for item in items
            )

        self._change(note)

    def remove(self, spec: SourceSpec) -> None:
        """Forget one source and its thumbnail, in every window."""
        self._change(lambda items: tuple(item for item in items if item.spec != spec))

    def clear(self) -> None:
        """Forget all of them."""
        self._change(lambda items: ())

    def keep_thumbnail(self, spec: SourceSpec, encode: Callable[[], bytes]) -> None:
        """Store what `encode` gives (a JPEG) as the thumbnail; it is called in the writer's thread."""

        def keep() -> None:
            if (item := _of(self.items, spec)) is not None:
                write_bytes(item.thumbnail, encode())

        self._writer.submit(_quietly, keep)

    def close(self) -> None:
        """Finish writing. Idempotent."""
        self._writer.shutdown(wait=True)

    def _change(self, change: Change) -> None:
        with self._mutex:
            self._waiting = (*self._waiting, change)
        self._writer.submit(_quietly, lambda: self._write(change))

    def _write(self, change: Change) -> None:
        before, after = self._known, change(self._known)  # in case that the file cannot be had
        try:
            with alone_with(self._path):
                try:
                    before = _read(self._path)
                except ValueError as error:
                    log.info("%s", _put_away(self._path, error).sentence)
                after = change(before)
                if after != before:
                    write_text(self._path, _FILE.dump_json(_Stored(SCHEMA, after), indent=2).decode() + "\n")
        finally:
            with self._mutex:
                self._known = after
                self._waiting = tuple(other for other in self._waiting if other is not change)
        for thumbnail in {item.thumbnail for item in before} - {item.thumbnail for item in after}:
            thumbnail.unlink(missing_ok=True)


def _of(items: Items, spec: SourceSpec) -> RecentItem | None:
    return next((item for item in items if item.spec == spec), None)


def _quietly(write: Callable[[], None]) -> None:
    # A list of conveniences: a full disk must not stop anybody from watching.
    try:
        write()
    except OSError as error:
        log.info("recent items are not kept: %s", error)
    except Exception:  # the thread's edge: a future that nobody asks would swallow it
        log.exception("recent items are not kept")


def _read(path: Path) -> Items:
    """The stored list, empty without a file. Raises OSError, ValueError for a damaged or foreign file."""
    data = read_small(path)
    return () if data is None else _FILE.validate_json(data).items


def _put_away(path: Path, error: Exception) -> Fault:
    """Rename the damaged file and say so; one that cannot be read at all stays where it is."""
    got = str(error)
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        got = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}".removeprefix(": ")
    try:
        damaged = isinstance(error, ValueError)
        where = f"It is kept as {set_aside(path).name}, and a new list begins." if damaged else ""
    except OSError:
        where = ""
    return Fault(
        FaultCode.SETTINGS,
        PLACE,
        expected="a list of recent items",
        got=f"{path}: {got}",
        remedy="nothing: a new list begins",
        at_s=time.monotonic(),
        fatal=False,
        said=f"The list of recent items cannot be read ({path}). "
        + (where or "What you open is not kept until this file can be read and written."),
    )
