"""Recordings that wait to be analysed, one after the other; on the disk, shared by all windows.

A row leaves the queue when its recording is analysed, or when a person takes it out: whoever works on it
looks here whether it is still wanted. One that cannot be analysed stays, and says why.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.files.whole import user_data
from engine.review.library.small_database import opened
from engine.sources import SEPARATOR

QUEUE = "queue.db"
VERSION = 1

_TABLES = """
DROP TABLE IF EXISTS item;
DROP TABLE IF EXISTS paused;
CREATE TABLE item (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL UNIQUE, model TEXT NOT NULL, preset TEXT NOT NULL,
    state TEXT NOT NULL, why TEXT NOT NULL, folder TEXT NOT NULL, done INTEGER NOT NULL, total INTEGER
) STRICT;
CREATE TABLE paused (id INTEGER PRIMARY KEY CHECK (id = 1)) STRICT;
"""
_COLUMNS = "id, source, model, preset, state, why, folder, done, total"


class State(StrEnum):
    WAITING = "waiting"
    WORKING = "working"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Item:
    """One recording. `model`: a folder; `why`: in a sentence, of one that failed; `folder`: its side-car, as
    soon as there is one, and how many of its frames are analysed; `total` None: not counted yet.
    """

    id: int
    paths: tuple[Path, ...]
    model: Path
    preset: str
    state: State
    why: str
    folder: Path | None
    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One to be added. `why`: it is known already that it cannot be analysed."""

    paths: tuple[Path, ...]
    why: str = ""


class Queue:
    """The queue in the user's data folder. Whatever uses it raises FaultError OUTPUT."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or user_data() / QUEUE

    @property
    def exists(self) -> bool:
        """Whether anything was ever put into it."""
        return self.path.exists()

    def items(self) -> list[Item]:
        """In the order in which they were added."""
        with self._opened() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM item ORDER BY id").fetchall()
        return [_item(row) for row in rows]

    def add(self, wanted: Iterable[Wanted], model: Path, preset: str) -> None:
        """At its end. What waits already stays where it is, what failed waits again."""
        rows = [
            (
                SEPARATOR.join(str(path) for path in one.paths),
                str(model),
                preset,
                State.FAILED if one.why else State.WAITING,
                one.why,
            )
            for one in wanted
        ]
        with self._opened() as connection, connection:
            connection.executemany(
                "INSERT INTO item (source, model, preset, state, why, folder, done) "
                "VALUES (?, ?, ?, ?, ?, '', 0) ON CONFLICT (source) DO UPDATE SET "
                "model = excluded.model, preset = excluded.preset, state = excluded.state, "
                "why = excluded.why "
                f"WHERE state = '{State.FAILED}'",
                rows,
            )

    def again(self, ids: Sequence[int]) -> None:
        """Those that failed wait once more."""
        self._each(f"UPDATE item SET state = '{State.WAITING}', why = '' WHERE id = ?", ids)

    def cancel(self, ids: Sequence[int]) -> None:
        """Not wanted any more; what was analysed of them stays."""
        self._each("DELETE FROM item WHERE id = ?", ids)

    @property
    def is_paused(self) -> bool:
        with self._opened() as connection:
            return connection.execute("SELECT 1 FROM paused").fetchone() is not None

    def pause(self, paused: bool) -> None:
        """For every window, and until it is said otherwise."""
        with self._opened() as connection, connection:
            connection.execute("INSERT OR IGNORE INTO paused VALUES (1)" if paused else "DELETE FROM paused")

    # For whoever works on it, who is alone.

    def begin(self) -> None:
        """What somebody worked on who was killed waits again."""
        with self._opened() as connection, connection:
            connection.execute(f"UPDATE item SET state = '{State.WAITING}' WHERE state = '{State.WORKING}'")

    def next(self, without: Container[int] = ()) -> Item | None:
        """The first that waits and is none of those."""
        return next(
            (one for one in self.items() if one.state is State.WAITING and one.id not in without), None
        )

    def work_on(self, id_: int, folder: Path) -> None:
        self._each(f"UPDATE item SET state = '{State.WORKING}', folder = ? WHERE id = ?", [id_], str(folder))

    def tell(self, id_: int, done: int, total: int | None) -> bool:
        """How far it is; whether it is still wanted now."""
        with self._opened() as connection, connection:
            told = connection.execute(
                "UPDATE item SET done = ?, total = ? WHERE id = ?", (done, total, id_)
            ).rowcount
            return told > 0 and connection.execute("SELECT 1 FROM paused").fetchone() is None

    def wait(self, id_: int) -> None:
        """Later; what is analysed of it stays."""
        self._each(f"UPDATE item SET state = '{State.WAITING}' WHERE id = ?", [id_])

    def fail(self, id_: int, why: str) -> None:
        """Its side-car, if there is one, is in the library's list."""
        self._each(f"UPDATE item SET state = '{State.FAILED}', why = ?, folder = '' WHERE id = ?", [id_], why)

    def finish(self, id_: int) -> None:
        self.cancel([id_])

    def _each(self, sql: str, ids: Sequence[int], *values: object) -> None:
        with self._opened() as connection, connection:
            connection.executemany(sql, [(*values, id_) for id_ in ids])

    def _opened(self) -> AbstractContextManager[sqlite3.Connection]:
        return opened(self.path, VERSION, _TABLES)


def _item(row: tuple[int, str, str, str, str, str, str, int, int | None]) -> Item:
    id_, source, model, preset, state, why, folder, done, total = row
    paths = tuple(Path(path) for path in source.split(SEPARATOR))
    return Item(
        id_, paths, Path(model), preset, State(state), why, Path(folder) if folder else None, done, total
    )
