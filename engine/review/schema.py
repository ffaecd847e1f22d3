"""The tables of `review.db`, their version, and how an older file becomes one of today.

`user_version` is major * 1000 + minor, much as in qutebrowser: a file of a newer major version is refused,
one of a newer minor version has something more that does no harm.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

MINORS = 1000


@dataclass(frozen=True, slots=True, order=True)
class Version:
    major: int
    minor: int = 0

    @property
    def number(self) -> int:
        return self.major * MINORS + self.minor

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


CURRENT = Version(1, 0)

# One recording a file. Arrays are little-endian: ranks int32, times and moves float64, the rest uint8.
# `chunk` has what is known of frames in a row, `maps` their probability maps behind one another, deflated.
# `act` is what people did, in order; nothing in it is ever changed or removed (engine.review.acts).
TABLES = """
CREATE TABLE recording (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    title TEXT NOT NULL, made_utc TEXT NOT NULL, opened_utc TEXT NOT NULL,
    width_px INTEGER, height_px INTEGER, rate_hz REAL, frames INTEGER, duration_s REAL
) STRICT;
CREATE TABLE part (
    number INTEGER PRIMARY KEY,
    path TEXT NOT NULL, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL
) STRICT;
CREATE TABLE analysis (
    id INTEGER PRIMARY KEY,
    made_by TEXT NOT NULL, model_id TEXT NOT NULL, weights_sha256 TEXT NOT NULL, model_path TEXT NOT NULL,
    preset TEXT NOT NULL, point TEXT NOT NULL, region TEXT NOT NULL, runtime TEXT NOT NULL,
    began_utc TEXT NOT NULL, map_width INTEGER NOT NULL, map_height INTEGER NOT NULL,
    done INTEGER NOT NULL, faults TEXT NOT NULL, state BLOB
) STRICT;
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY,
    analysis INTEGER NOT NULL REFERENCES analysis, first_rank INTEGER NOT NULL, frames INTEGER NOT NULL,
    ranks BLOB NOT NULL, pts_s BLOB NOT NULL, peaks BLOB NOT NULL, moves BLOB NOT NULL,
    damaged BLOB NOT NULL, views BLOB NOT NULL, field_of BLOB NOT NULL, fields TEXT NOT NULL,
    UNIQUE (analysis, first_rank)
) STRICT;
CREATE TABLE maps (chunk INTEGER PRIMARY KEY REFERENCES chunk, data BLOB NOT NULL) STRICT;
CREATE TABLE track (
    analysis INTEGER NOT NULL REFERENCES analysis, id INTEGER NOT NULL,
    first_rank INTEGER NOT NULL, last_rank INTEGER NOT NULL, best_rank INTEGER NOT NULL,
    start_s REAL NOT NULL, end_s REAL NOT NULL, confirmed_s REAL,
    frames INTEGER NOT NULL, peak REAL NOT NULL,
    x INTEGER NOT NULL, y INTEGER NOT NULL, w INTEGER NOT NULL, h INTEGER NOT NULL, area_px INTEGER NOT NULL,
    field_frac REAL NOT NULL,
    PRIMARY KEY (analysis, id)
) STRICT;
CREATE TABLE sighting (
    analysis INTEGER NOT NULL REFERENCES analysis, rank INTEGER NOT NULL, track INTEGER NOT NULL,
    state TEXT NOT NULL,
    x INTEGER NOT NULL, y INTEGER NOT NULL, w INTEGER NOT NULL, h INTEGER NOT NULL,
    area_px INTEGER NOT NULL, peak REAL NOT NULL
) STRICT;
CREATE INDEX sighting_at ON sighting (analysis, rank);
CREATE TABLE mark (
    analysis INTEGER NOT NULL REFERENCES analysis, rank INTEGER NOT NULL, pts_s REAL NOT NULL,
    counts TEXT NOT NULL, peak REAL NOT NULL,
    PRIMARY KEY (analysis, rank)
) STRICT;
CREATE TABLE picture (rank INTEGER PRIMARY KEY, jpeg BLOB NOT NULL) STRICT;
CREATE TABLE act (
    id INTEGER PRIMARY KEY,
    at_utc TEXT NOT NULL, who TEXT NOT NULL, stroke INTEGER NOT NULL,
    kind TEXT NOT NULL, scope TEXT NOT NULL, value TEXT NOT NULL
) STRICT;
CREATE INDEX act_of ON act (scope);
"""

# From a major or minor version to the next one: SQL, run in one transaction with the new number.
MIGRATIONS: Mapping[Version, tuple[Version, str]] = {}


def version_of(connection: sqlite3.Connection) -> Version:
    """0.0 for a file without tables."""
    number: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return Version(*divmod(number, MINORS))


def create(connection: sqlite3.Connection) -> None:
    """All tables in an empty file, or none."""
    _run(connection, TABLES, CURRENT)


def migrate(
    connection: sqlite3.Connection,
    steps: Mapping[Version, tuple[Version, str]] = MIGRATIONS,
    to: Version = CURRENT,
) -> None:
    """Step by step to `to`; killed in between, the file is that of a step. Raises LookupError: no way."""
    while (version := version_of(connection)) < to:
        after, script = steps[version]
        _run(connection, script, after)


def _run(connection: sqlite3.Connection, script: str, after: Version) -> None:
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{script};\nPRAGMA user_version = {after.number};\nCOMMIT;"
        )
    except BaseException:
        if connection.in_transaction:
            connection.rollback()
        raise
