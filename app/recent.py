"""What was opened before: a list in the user's data folder, a thumbnail each, and what was marked in it."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from engine.files import user_data, write_bytes, write_json
from engine.sources.base import SourceSpec
from engine.types import Presentation

log = logging.getLogger(__name__)

MAX_ITEMS = 12
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class RecentItem:
    """One source that was opened. Seconds watched and marked are of media time, None when nobody watched."""

    kind: str
    address: str
    title: str
    opened_utc: str
    duration_s: float | None = None
    watched_s: int | None = None
    marked_s: int | None = None

    @property
    def spec(self) -> SourceSpec:
        return SourceSpec(self.kind, self.address)

    @property
    def thumbnail(self) -> Path:
        name = hashlib.sha256(f"{self.kind}\n{self.address}".encode()).hexdigest()[:16]
        return user_data() / "thumbnails" / f"{name}.jpg"

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


class RecentItems:
    """The list, newest first. Files are written by one thread of its own: a slow disk costs no picture."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or user_data() / "recent.json"
        self._items = _read(self._path)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="polyplive-recent")

    @property
    def items(self) -> tuple[RecentItem, ...]:
        return tuple(self._items)

    @property
    def last_folder(self) -> Path | None:
        """Where the newest recording lies, if that folder is still there."""
        folders = (Path(item.address).parent for item in self._items if item.kind == "file")
        return next((folder for folder in folders if folder.is_dir()), None)

    def opened(self, spec: SourceSpec, title: str, duration_s: float | None) -> None:
        """Put `spec` first; what is known of it from before stays known."""
        before = self._of(spec)
        item = RecentItem(
            kind=spec.kind,
            address=spec.address,
            title=title,
            opened_utc=datetime.now(UTC).isoformat(timespec="seconds"),
            duration_s=duration_s,
            watched_s=before.watched_s if before else None,
            marked_s=before.marked_s if before else None,
        )
        self._items = [item, *(other for other in self._items if other.spec != spec)][:MAX_ITEMS]
        self._save()

    def watched(self, spec: SourceSpec, watched: Watched) -> None:
        """Remember what was marked; a shorter look does not replace a longer one."""
        before = self._of(spec)
        if before is None or watched.seen_s < max(1, before.watched_s or 0):
            return
        after = replace(before, watched_s=watched.seen_s, marked_s=watched.marked_s)
        self._items = [after if item.spec == spec else item for item in self._items]
        self._save()

    def keep_thumbnail(self, spec: SourceSpec, encode: Callable[[], bytes]) -> None:
        """Store what `encode` gives (a JPEG) as the thumbnail; it is called in the writer's thread."""
        item = self._of(spec)
        if item is not None:
            self._writer.submit(_quietly, lambda: write_bytes(item.thumbnail, encode()))

    def close(self) -> None:
        """Finish writing. Idempotent."""
        self._writer.shutdown(wait=True)

    def _of(self, spec: SourceSpec) -> RecentItem | None:
        return next((item for item in self._items if item.spec == spec), None)

    def _save(self) -> None:
        value = {"schema": SCHEMA, "items": [asdict(item) for item in self._items]}
        self._writer.submit(_quietly, lambda: write_json(self._path, value))


def _quietly(write: Callable[[], None]) -> None:
    # A list of conveniences: a full disk must not stop anybody from watching.
    try:
        write()
    except OSError as error:
        log.info("recent items are not kept: %s", error)
    except Exception:  # the thread's edge: a future that nobody asks would swallow it
        log.exception("recent items are not kept")


def _read(path: Path) -> list[RecentItem]:
    """The stored list; an unreadable or foreign file gives an empty one."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["schema"] != SCHEMA:
            return []
        return [RecentItem(**item) for item in value["items"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        log.info("recent items cannot be read: %s", error)
        return []
