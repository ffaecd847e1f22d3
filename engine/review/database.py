"""`review.db` opened, of today's version, and what SQLite says in a person's words.

As in qutebrowser's `misc/sql.py` what the world can do (a full disk, a damaged file, another writer) is a
fault; anything else is a bug and keeps its traceback.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from engine.faults import FaultCode, FaultError
from engine.review import schema
from engine.review.schema import Version

DATABASE = "review.db"
WAIT_S = 5.0  # for another writer: the window or the analysis, which have it for milliseconds


class Database:
    """One connection, for the thread that opened it. `write` False: nothing is changed, whatever is asked."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a question. Raises FaultError."""
        with _told(self._path):
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        """The first row, None when there is none. Raises FaultError."""
        with _told(self._path):
            found: tuple[Any, ...] | None = self._connection.execute(sql, values).fetchone()
            return found

    @contextmanager
    def decoding(self) -> Iterator[None]:
        """What is stored becomes values inside; what cannot is damage. Raises FaultError REVIEW."""
        try:
            yield
        except (ValueError, LookupError, TypeError, AttributeError, zlib.error, BadZipFile) as error:
            raise damaged(self._path, f"{type(error).__name__}: {error}") from error

    @contextmanager
    def change(self) -> Iterator[Database]:
        """All that is done inside is on the disk when this is left, or none of it. Raises FaultError."""
        with _told(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def run(self, sql: str, *values: object) -> int:
        """One statement inside `change`; the id of a row that it added."""
        return self._connection.execute(sql, values).lastrowid or 0

    def run_all(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """The same statement for every row, inside `change`."""
        self._connection.executemany(sql, rows)

    def close(self) -> None:
        """Idempotent."""
        self._connection.close()


def make_database(path: Path) -> None:
    """A new file with empty tables. Raises FaultError."""
    with _told(path), closing(_connected(path, "rwc")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        schema.create(connection)


def open_database(path: Path, *, write: bool = True) -> Database:
    """Raises FaultError REVIEW: damaged, of a newer version, or not to be read."""
    with _told(path):
        connection = _connected(path, "rw" if write else "ro")
        try:
            _check_version(connection, path, write)
            if write:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
        return Database(connection, path)


def upgrade(
    path: Path,
    steps: Mapping[Version, tuple[Version, str]] = schema.MIGRATIONS,
    to: Version = schema.CURRENT,
) -> Path | None:
    """Make an older file one of today; where its copy as it was is, None when there was nothing to do.

    Raises FaultError.
    """
    with _told(path), closing(_connected(path, "rw")) as connection:
        before = schema.version_of(connection)
        if before >= to:
            return None
        backup = path.with_name(f"{path.stem}-{before}-backup{path.suffix}")
        aside = backup.with_suffix(".part")
        aside.unlink(missing_ok=True)
        connection.execute("VACUUM INTO ?", (str(aside),))  # whole, whoever else writes meanwhile
        aside.replace(backup)
        schema.migrate(connection, steps, to)
        return backup


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=WAIT_S, isolation_level=None)
    if mode != "ro":
        return connection
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        # A folder that cannot be written has no place for the index of the log, and nobody to write it.
        connection.close()
        uri = f"{path.absolute().as_uri()}?immutable=1"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    return connection


def _check_version(connection: sqlite3.Connection, path: Path, write: bool) -> None:
    version = schema.version_of(connection)
    if version.major > schema.CURRENT.major:
        raise FaultError(
            FaultCode.REVIEW,
            expected=f"a side-car of version {schema.CURRENT} at most",
            got=f"one of version {version}",
            remedy="open it with a newer polyplive",
            said=f"What is known of this recording was written by a newer polyplive ({version}, "
            f"{schema.CURRENT} is known here). Open it with that one; nothing was changed ({path}).",
        )
    if version < schema.CURRENT:
        if version not in schema.MIGRATIONS:
            raise damaged(path, f"version {version} never was" if version.number else "it holds nothing")
        if not write:
            raise FaultError(
                FaultCode.REVIEW,
                expected=f"a side-car of version {schema.CURRENT}",
                got=f"one of version {version}, which cannot be changed here",
                remedy="open it once where it can be written",
                said=f"{path} is of an older version ({version}), and is brought up to date only where it "
                "can be written. Open it once where it can be.",
            )
        upgrade(path)


def damaged(path: Path, why: str) -> FaultError:
    """A file that is none, or no longer."""
    return FaultError(
        FaultCode.REVIEW,
        expected=f"{path} to be a side-car",
        got=why,
        remedy="start anew; the damaged one is kept beside it",
        said=f"What is known of this recording cannot be read ({why}). "
        f"Put a copy of it back, or start anew; the damaged one is kept beside it ({path}).",
    )


_FULL = "full"
_NO_ROOM_FOR_INDEX = "SQLITE_IOERR_SHMSIZE"  # of the log, which whoever opens it needs
# What a drive that was pulled or a quota gives; a file that is shorter than it should be is damaged instead.
_UNREACHABLE = frozenset(
    f"SQLITE_IOERR_{what}" for what in ("WRITE", "FSYNC", "DIR_FSYNC", "TRUNCATE", "FSTAT", "LOCK", "SHMOPEN")
)
_READ_ONLY = ("readonly", "read-only", "unable to open")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        text, name = str(error), getattr(error, "sqlite_errorname", None)
        if _FULL in text or name == _NO_ROOM_FOR_INDEX:
            raise _unwritable(
                path, "the disk is full", "Make room there; nothing that was kept is lost."
            ) from error
        if any(words in text for words in _READ_ONLY):
            raise _unwritable(path, text, "Check who may write there, or keep it in the library.") from error
        if "locked" in text or "busy" in text:
            raise _unwritable(
                path, "another program is writing", "Try again when that is through."
            ) from error
        if name is None:  # not SQLite's: what it gave is no text
            raise damaged(path, text) from error
        if name in _UNREACHABLE or not path.exists():
            raise _unwritable(
                path, "its drive does not answer", "Check that it is there and has room, and open it again."
            ) from error
        if "no such table" in text or "disk I/O" in text:
            raise damaged(path, text) from error
        raise
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        if "malformed" in str(error) or "not a database" in str(error):
            raise damaged(path, str(error)) from error
        raise
    except UnicodeDecodeError as error:
        raise damaged(path, str(error)) from error
    except OSError as error:
        raise _unwritable(path, error.strerror or str(error), "Check the folder.") from error


def _unwritable(path: Path, why: str, what_to_do: str) -> FaultError:
    return FaultError(
        FaultCode.OUTPUT,
        expected=f"to write {path}",
        got=why,
        remedy=what_to_do,
        said=f"Nothing more can be kept in {path.parent} ({why}). {what_to_do}",
    )
