"""Every recording that has a side-car, in one list: an index that can always be made again."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from engine.faults import FaultError
from engine.files.whole import user_data
from engine.review.acts import VOUCHED
from engine.review.edits import Edits
from engine.review.library.small_database import opened
from engine.review.places import SUFFIX, is_side_car
from engine.review.store import SideCar, open_folder
from engine.sources import SEPARATOR

INDEX = "library.db"
VERSION = 2

_TABLES = """
DROP TABLE IF EXISTS recording;
CREATE TABLE recording (
    folder TEXT PRIMARY KEY, title TEXT NOT NULL, paths TEXT NOT NULL, sha256 TEXT NOT NULL,
    duration_s REAL, findings INTEGER NOT NULL, verified INTEGER NOT NULL, model TEXT NOT NULL,
    done INTEGER NOT NULL, opened_utc TEXT NOT NULL, jpeg BLOB
) STRICT;
CREATE INDEX by_hash ON recording (sha256);
"""
_COLUMNS = "folder, title, paths, sha256, duration_s, findings, verified, model, done, opened_utc"


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording. `folder`: its side-car; `paths`: where its files were last seen; `done`: analysed."""

    folder: Path
    title: str
    paths: tuple[Path, ...]
    sha256: str
    duration_s: float | None
    findings: int
    verified: int
    model: str
    done: bool
    opened_utc: str

    @property
    def is_here(self) -> bool:
        """Whether the recording is where it was last seen, all of it; looks at the disk."""
        return all(path.exists() for path in self.paths)


class Library:
    """The index in the user's data folder; a damaged one is set aside and begun anew.

    Whatever uses it raises FaultError OUTPUT when it cannot be written.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or user_data() / INDEX

    @property
    def is_new(self) -> bool:
        """Nothing was ever noted: it was lost, or there is no recording yet."""
        return not self._path.exists() or not self._has_any()

    def entries(self, words: str = "") -> list[Entry]:
        """Those last opened first; `words`: all of them in title, path or model."""
        each = "instr(lower(title || ' ' || paths || ' ' || model), ?) > 0"
        where = " WHERE " + " AND ".join([each] * len(words.split())) if words.split() else ""
        with self._opened() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM recording{where} ORDER BY opened_utc DESC",
                [word.lower() for word in words.split()],
            ).fetchall()
        return [_entry(row) for row in rows]

    def thumbnail(self, folder: Path) -> bytes | None:
        """A JPEG, None where there is none yet."""
        with self._opened() as connection:
            row = connection.execute("SELECT jpeg FROM recording WHERE folder = ?", (str(folder),)).fetchone()
        return row[0] if row else None

    def side_car_of(self, sha256: str) -> Path | None:
        """The side-car of a recording by the hash of its first file, wherever it lies."""
        with self._opened() as connection:
            rows = connection.execute(
                "SELECT folder FROM recording WHERE sha256 = ? ORDER BY opened_utc DESC", (sha256,)
            ).fetchall()
        return next((Path(row[0]) for row in rows if is_side_car(Path(row[0]))), None)

    def note(self, car: SideCar, analysis: int | None = None) -> None:
        """What is known of a side-car now, as it is opened and closed; `analysis`: that is reviewed."""
        self.put([_row(car, analysis)])

    def remove(self, folder: Path) -> None:
        """From the list alone: neither the recording nor its side-car is touched."""
        with self._opened() as connection, connection:
            connection.execute("DELETE FROM recording WHERE folder = ?", (str(folder),))

    def rebuild(self, folders: Iterable[Path]) -> int:
        """Take up these side-cars (`side_cars_in`); how many. Damaged ones are left out."""
        rows = []
        for folder in folders:
            with contextlib.suppress(FaultError), open_folder(folder, write=False) as car:
                rows.append(_row(car))
        self.put(rows)
        return len(rows)

    def put(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Rows as the table has them, by `note` and `rebuild`."""
        with self._opened() as connection, connection:
            connection.executemany(
                f"INSERT OR REPLACE INTO recording ({_COLUMNS}, jpeg) VALUES (?{', ?' * 10})",
                rows,
            )

    def _has_any(self) -> bool:
        with self._opened() as connection:
            return connection.execute("SELECT 1 FROM recording LIMIT 1").fetchone() is not None

    def _opened(self) -> AbstractContextManager[sqlite3.Connection]:
        return opened(self._path, VERSION, _TABLES)


def side_cars_in(root: Path, *, below: bool) -> Iterator[Path]:
    """The side-cars in a folder, and in those below it; what cannot be read is passed over."""
    with contextlib.suppress(OSError):
        found = root.rglob(f"*{SUFFIX}") if below else root.glob(f"*{SUFFIX}")
        yield from (folder for folder in sorted(found) if is_side_car(folder))


def _row(car: SideCar, analysis: int | None = None) -> tuple[object, ...]:
    recording, analyses = car.recording, car.analyses
    shown = next((one for one in analyses if one.id == analysis), None)
    if shown is None:
        shown = Edits(car.database).reviewed(analyses) if len(analyses) > 1 else (*analyses, None)[0]
    count = car.database.row(
        "SELECT count(*) FROM track WHERE analysis = ? AND confirmed_s IS NOT NULL",
        shown.id if shown else 0,
    )
    verified = 0
    if car.database.row("SELECT 1 FROM act LIMIT 1"):
        verified = sum(one.state in VOUCHED for one in Edits(car.database).frames.values())
    jpeg = car.database.row("SELECT jpeg FROM picture ORDER BY length(jpeg) DESC LIMIT 1")
    opened_utc = car.database.row("SELECT opened_utc FROM recording")
    return (
        str(car.folder),
        recording.title,
        SEPARATOR.join(str(path) for path in recording.paths),
        recording.parts[0].identity.sha256,
        recording.duration_s,
        count[0] if count else 0,
        verified,
        shown.model_id if shown else "",
        shown is not None and shown.done,
        opened_utc[0] if opened_utc else "",
        jpeg[0] if jpeg else None,
    )


def _entry(row: tuple[str, str, str, str, float | None, int, int, str, int, str]) -> Entry:
    folder, title, paths, sha256, duration_s, findings, verified, model, done, opened_utc = row
    parts = tuple(Path(path) for path in paths.split(SEPARATOR))
    return Entry(
        Path(folder), title, parts, sha256, duration_s, findings, verified, model, bool(done), opened_utc
    )
