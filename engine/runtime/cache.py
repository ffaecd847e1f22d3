"""Compiled models on disk: `cache/engines/<runtime>/<key>/` with the blob, and `meta.json` written last."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.files.json_reader import read_json
from engine.files.whole import user_cache, write_bytes, write_json
from engine.runtime.seal import is_private, is_sealed, make_private, seal_of

log = logging.getLogger(__name__)

BLOB = "blob"
META = "meta.json"
KEPT_ENTRIES = 16  # about 200 MB of the default student: models times precisions, and the last update's


def cache_folder(runtime: str) -> Path:
    """Where this user's compiled models of one runtime are."""
    return user_cache() / "engines" / runtime


def key_of(facts: Mapping[str, Any]) -> str:
    """sha256 of the facts as canonical JSON: whatever makes another blob must be among them."""
    return hashlib.sha256(_canonical(facts)).hexdigest()


@dataclass(frozen=True, slots=True)
class Stored:
    """A whole entry: where its blob is, the blob, and the notes."""

    path: Path
    blob: bytes
    notes: Mapping[str, Any]


class EngineCache:
    """A blob per set of facts. What is stale, cut, altered or not this user's counts as absent; nothing here
    raises.

    `blob` is the file's name, for who reads it by its ending. With a blob go notes: what came of making it.
    """

    def __init__(self, folder: Path, kept: int = KEPT_ENTRIES, blob: str = BLOB) -> None:
        self._folder = folder
        self._kept = kept
        self._blob = blob

    def load(self, facts: Mapping[str, Any]) -> bytes | None:
        """The blob stored for these facts; None when there is none that is whole."""
        stored = self.find(facts)
        return stored.blob if stored else None

    def find(self, facts: Mapping[str, Any]) -> Stored | None:
        """The entry of these facts with its notes; None when there is none that is whole."""
        entry = self._folder / key_of(facts)
        try:
            meta = read_json(entry / META)
            blob = (entry / self._blob).read_bytes()
            notes = dict(meta["notes"])
            # A hash beside the blob proves nothing, and what is loaded is native code.
            sealed = is_sealed(_sealed(dict(facts), notes, blob), meta["seal"])
            whole = sealed and is_private(self._folder) and is_private(entry)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.info("compiled model %s is unreadable (%s), it is made again", entry.name[:12], error)
            return None
        if not whole:
            log.info("compiled model %s is not what was stored, it is made again", entry.name[:12])
            return None
        _touch(entry / META)
        return Stored(entry / self._blob, blob, notes)

    def apart_from(self, facts: Mapping[str, Any], fact: str) -> list[dict[str, Any]]:
        """The facts of entries that differ in this one fact, the one used last first."""

        def others(all_facts: Mapping[str, Any]) -> dict[str, Any]:
            return {name: value for name, value in all_facts.items() if name != fact}

        entries = sorted(self._folder.glob(f"*/{META}"), key=_time_of, reverse=True)
        known = [found for path in entries if (found := _facts_in(path)) is not None]
        return [found for found in known if found != dict(facts) and others(found) == others(facts)]

    def store(self, facts: Mapping[str, Any], blob: bytes, notes: Mapping[str, Any] | None = None) -> None:
        """Keep the blob. A full or read-only disk costs the time to compile next time, nothing else."""
        entry = self._folder / key_of(facts)
        try:
            # Without meta.json the entry does not exist, so a blob is never met with another one's hash.
            make_private(self._folder)
            if entry.exists() and not is_private(entry):
                shutil.rmtree(entry)
            make_private(entry)
            (entry / META).unlink(missing_ok=True)
            write_bytes(entry / self._blob, blob)
            notes = dict(notes or {})
            seal = seal_of(_sealed(dict(facts), notes, blob))
            write_json(entry / META, {"facts": dict(facts), "notes": notes, "seal": seal})
            self._drop_oldest()
        except OSError as error:
            log.info("compiled model %s was not kept (%s)", entry.name[:12], error)

    def forget(self, facts: Mapping[str, Any]) -> None:
        """Remove the entry: its blob is whole, and still the runtime would not take it."""
        shutil.rmtree(self._folder / key_of(facts), ignore_errors=True)

    def _drop_oldest(self) -> None:
        entries = sorted(self._folder.glob("[!.]*/"), key=_used_s)  # hidden ones are being made
        for entry in entries[: -self._kept]:
            shutil.rmtree(entry, ignore_errors=True)


def _canonical(value: Mapping[str, Any]) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode()


def _sealed(facts: Mapping[str, Any], notes: Mapping[str, Any], blob: bytes) -> bytes:
    """What an entry's seal is of."""
    return _canonical({"facts": facts, "notes": notes, "sha256": hashlib.sha256(blob).hexdigest()})


def _used_s(entry: Path) -> float:
    return _time_of(entry / META)


def _time_of(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _facts_in(meta: Path) -> dict[str, Any] | None:
    try:
        return dict(read_json(meta)["facts"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _touch(path: Path) -> None:
    try:
        os.utime(path)
    except OSError:
        log.debug("no time stamp for %s", path)
