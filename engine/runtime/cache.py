"""Compiled models on disk: `cache/engines/<runtime>/<key>/` with the blob, and `meta.json` written last."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.files import user_cache, write_bytes, write_json

log = logging.getLogger(__name__)

BLOB = "blob"
META = "meta.json"
KEPT_ENTRIES = 16  # about 200 MB of the default student: models times precisions, and the last update's


def cache_folder(runtime: str) -> Path:
    """Where this user's compiled models of one runtime are."""
    return user_cache() / "engines" / runtime


def key_of(facts: Mapping[str, Any]) -> str:
    """sha256 of the facts as canonical JSON: whatever makes another blob must be among them."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class EngineCache:
    """A blob per set of facts. What is stale, cut or altered counts as absent; nothing here raises."""

    def __init__(self, folder: Path, kept: int = KEPT_ENTRIES) -> None:
        self._folder = folder
        self._kept = kept

    def load(self, facts: Mapping[str, Any]) -> bytes | None:
        """The blob stored for these facts; None when there is none that is whole."""
        entry = self._folder / key_of(facts)
        try:
            meta = json.loads((entry / META).read_text(encoding="utf-8"))
            blob = (entry / BLOB).read_bytes()
            whole = meta["facts"] == dict(facts) and meta["sha256"] == hashlib.sha256(blob).hexdigest()
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.info("compiled model %s is unreadable (%s), it is made again", entry.name[:12], error)
            return None
        if not whole:
            log.info("compiled model %s is not what was stored, it is made again", entry.name[:12])
            return None
        _touch(entry / META)
        return blob

    def store(self, facts: Mapping[str, Any], blob: bytes) -> None:
        """Keep the blob. A full or read-only disk costs the time to compile next time, nothing else."""
        entry = self._folder / key_of(facts)
        try:
            # Without meta.json the entry does not exist, so a blob is never met with another one's hash.
            (entry / META).unlink(missing_ok=True)
            write_bytes(entry / BLOB, blob)
            write_json(entry / META, {"facts": dict(facts), "sha256": hashlib.sha256(blob).hexdigest()})
            self._drop_oldest()
        except OSError as error:
            log.info("compiled model %s was not kept (%s)", entry.name[:12], error)

    def forget(self, facts: Mapping[str, Any]) -> None:
        """Remove the entry: its blob is whole, and still the runtime would not take it."""
        shutil.rmtree(self._folder / key_of(facts), ignore_errors=True)

    def _drop_oldest(self) -> None:
        entries = sorted((path for path in self._folder.iterdir() if path.is_dir()), key=_used_s)
        for entry in entries[: -self._kept]:
            shutil.rmtree(entry, ignore_errors=True)


def _used_s(entry: Path) -> float:
    try:
        return (entry / META).stat().st_mtime
    except OSError:
        return 0.0


def _touch(path: Path) -> None:
    try:
        os.utime(path)
    except OSError:
        log.debug("no time stamp for %s", path)
