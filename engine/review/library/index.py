"""Every recording that has a side-car, in one list: an index that can always be made again."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.faults import FaultError
from engine.files.shared import set_aside
from engine.files.whole import output_fault, user_data
from engine.review.acts import VOUCHED
from engine.review.edits import Edits
from engine.review.places import SUFFIX, is_side_car
from engine.review.store import SideCar, open_folder

INDEX = "library.db"
VERSION = 1
WAIT_S = 3.0

_TABLE = """
CREATE TABLE IF NOT EXISTS recording (
    folder TEXT PRIMARY KEY, title TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,
    duration_s REAL, findings INTEGER NOT NULL, verified INTEGER NOT NULL, model TEXT NOT NULL,
    done INTEGER NOT NULL, opened_utc TEXT NOT NULL, jpeg BLOB
) STRICT;
CREATE INDEX IF NOT EXISTS by_hash ON recording (sha256);
"""
_COLUMNS = "folder, title, path, sha256, duration_s, findings, verified, model, done, opened_utc"


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording. `folder`: its side-car; `path`: where its first file was last seen; `done`: analysed."""

    folder: Path
    title: str
    path: Path
    sha256: str
    duration_s: float | None
    findings: int
    verified: int
    model: str
    done: bool
    opened_utc: str

    @property
    def is_here(self) -> bool:
        """Whether the recording is where it was last seen."""
        return self.path.exists()


class Library:
    """The index in the user's data folder; a damaged one is set aside and begun anew.

    Whatever uses it raises FaultError OUTPUT when it cannot be written.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or user_data() / INDEX

    def entries(self, words: str = "") -> list[Entry]:
        """Those last opened first; `words`: all of them in title, path or model."""
        each = "instr(lower(title || ' ' || path || ' ' || model), ?) > 0"
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

    def note(self, car: SideCar) -> None:
        """What is known of a side-car now; when it is opened, and when it is closed."""
        self.put([_row(car)])

    def remove(self, folder: Path) -> None:
        """From the list alone: neither the recording nor its side-car is touched."""
        with self._opened() as connection, connection:
            connection.execute("DELETE FROM recording WHERE folder = ?", (str(folder),))

    def rebuild(self, roots: Iterable[Path]) -> int:
        """Take up every side-car in these folders and below; how many. Damaged ones are left out."""
        rows = []
        for root in roots:
            for folder in sorted(root.rglob(f"*{SUFFIX}")):
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

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connected()) as connection:
                yield connection
        except OSError as error:
            raise output_fault(self._path.parent, error) from error
        except sqlite3.OperationalError as error:
            raise output_fault(self._path.parent, OSError(0, str(error))) from error

    def _connected(self) -> sqlite3.Connection:
        try:
            return self._ready()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:  # it can be made again: `rebuild`
            set_aside(self._path)
            return self._ready()

    def _ready(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=WAIT_S)
        try:
            if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                connection.executescript(f"DROP TABLE IF EXISTS recording;{_TABLE}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
        except BaseException:
            connection.close()
            raise
        return connection


def _row(car: SideCar) -> tuple[object, ...]:
    recording, analyses = car.recording, car.analyses
    newest = analyses[-1] if analyses else None
    count = car.database.row(
        "SELECT count(*) FROM track WHERE analysis = ? AND confirmed_s IS NOT NULL",
        newest.id if newest else 0,
    )
    verified = 0
    if car.database.row("SELECT 1 FROM act LIMIT 1"):
        verified = sum(one.state in VOUCHED for one in Edits(car.database).frames.values())
    jpeg = car.database.row("SELECT jpeg FROM picture ORDER BY length(jpeg) DESC LIMIT 1")
    opened = car.database.row("SELECT opened_utc FROM recording")
    return (
        str(car.folder),
        recording.title,
        str(recording.parts[0].path),
        recording.parts[0].identity.sha256,
        recording.duration_s,
        count[0] if count else 0,
        verified,
        newest.model_id if newest else "",
        newest is not None and newest.done,
        opened[0] if opened else "",
        jpeg[0] if jpeg else None,
    )


def _entry(row: tuple[str, str, str, str, float | None, int, int, str, int, str]) -> Entry:
    folder, title, path, sha256, duration_s, findings, verified, model, done, opened_utc = row
    return Entry(
        Path(folder), title, Path(path), sha256, duration_s, findings, verified, model, bool(done), opened_utc
    )
