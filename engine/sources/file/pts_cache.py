"""Time stamp indices kept in the user's cache folder, so that a long recording is scanned once."""

from __future__ import annotations

import hashlib
import io
import logging
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np

from engine.files import whole as files
from engine.sources.file.pts_index import PtsIndex

log = logging.getLogger(__name__)

_SCHEMA = 3
_HEAD_BYTES = 65536
# Smaller files are scanned faster than the folder fills up with their indices.
WORTH_KEEPING_BYTES = 16 * 2**20
_KEPT_FILES = 200


def load(path: Path) -> PtsIndex | None:
    """The stored index of exactly this file (path, size, time of change, first bytes), or None."""
    if path.stat().st_size < WORTH_KEEPING_BYTES:
        return None
    try:
        with np.load(_place(path), allow_pickle=False) as stored:
            numerator, denominator = (int(part) for part in stored["time_base"])
            return PtsIndex(
                pts=stored["pts"].astype(np.int64, copy=False),
                keyframe=stored["keyframe"].astype(np.bool_, copy=False),
                time_base=Fraction(numerator, denominator),
                ordered=bool(stored["ordered"]),
                parts=tuple((int(start), int(shift)) for start, shift in stored["parts"]),
                position=stored["position"].astype(np.int64, copy=False) if stored["position"].size else None,
            )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        log.info("the stored index of %s is not usable (%s), making it again", path.name, error)
        return None


def store(path: Path, table: PtsIndex) -> None:
    """Keep the index. A cache folder that cannot be written costs a second scan, nothing else."""
    if path.stat().st_size < WORTH_KEEPING_BYTES:
        return
    buffer = io.BytesIO()
    time_base = np.array([table.time_base.numerator, table.time_base.denominator], dtype=np.int64)
    np.savez_compressed(
        buffer,
        pts=table.pts,
        keyframe=table.keyframe,
        time_base=time_base,
        ordered=np.array(table.ordered),
        parts=np.array(table.parts, np.int64).reshape(-1, 2),
        position=np.zeros(0, np.int64) if table.position is None else table.position,
    )
    try:
        files.write_bytes(_place(path), buffer.getvalue())
        _forget_oldest(_place(path).parent)
    except OSError as error:
        log.info("the index of %s is not kept: %s", path.name, error)


def _place(path: Path) -> Path:
    status = path.stat()
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    key = hashlib.sha256(f"{_SCHEMA}|{path.resolve()}|{status.st_size}|{status.st_mtime_ns}|".encode() + head)
    return files.user_cache() / "pts" / f"{key.hexdigest()[:32]}.npz"


def _forget_oldest(folder: Path) -> None:
    kept = sorted(folder.glob("*.npz"), key=lambda file: file.stat().st_mtime_ns)
    for file in kept[:-_KEPT_FILES]:
        file.unlink(missing_ok=True)
