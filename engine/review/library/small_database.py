"""A small database of the user's data folder: of today's version, and set aside when it is damaged."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from engine.files.shared import set_aside
from engine.files.whole import output_fault

log = logging.getLogger(__name__)

WAIT_S = 3.0  # for another window, which has it for milliseconds


@contextmanager
def opened(path: Path, version: int, tables: str) -> Iterator[sqlite3.Connection]:
    """A connection for one question or change. `tables` drops and makes them; whatever has another version
    is begun anew. Raises FaultError OUTPUT.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(_connected(path, version, tables)) as connection:
            yield connection
    except OSError as error:
        raise output_fault(path.parent, error) from error
    except sqlite3.OperationalError as error:
        raise output_fault(path.parent, OSError(0, str(error))) from error


def _connected(path: Path, version: int, tables: str) -> sqlite3.Connection:
    try:
        return _ready(path, version, tables)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        log.info("%s is damaged (%s), set aside", path, error)
        set_aside(path)
        return _ready(path, version, tables)


def _ready(path: Path, version: int, tables: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=WAIT_S)
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] != version:
            connection.executescript(f"BEGIN IMMEDIATE;\n{tables}\nPRAGMA user_version = {version};\nCOMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection
