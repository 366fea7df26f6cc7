"""The file of the embedded store: its tables, how to open it, and what its errors mean in plain words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.errors import StoreRefused, StoreUnavailable

VERSION = 2

_TABLES = """
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    device TEXT NOT NULL,
    point TEXT NOT NULL,
    UNIQUE (point, device)
);
CREATE TABLE sample (
    quarter INTEGER NOT NULL,            -- quarter-hours since 1970
    series INTEGER NOT NULL,
    time INTEGER NOT NULL,               -- ns since 1970
    value NOT NULL                       -- a number, 0 or 1, or text; sums of numbers must stay finite
        CHECK (typeof(value) <> 'real' OR abs(value) < 1e300),
    PRIMARY KEY (quarter, series, time)
) WITHOUT ROWID;
-- Text is only counted in summaries: they outlive samples, and who went through a door must not.
CREATE VIEW number AS
    SELECT quarter, series, time, CASE typeof(value) WHEN 'text' THEN NULL ELSE value END AS value FROM sample;
CREATE TABLE summary (                   -- of one series and one bucket; see summaries.py
    level INTEGER NOT NULL,              -- 0 quarter-hour, 1 local day
    series INTEGER NOT NULL,
    start INTEGER NOT NULL,              -- quarter-hours since 1970, also of a day
    count INTEGER,                       -- NULL: stale
    minimum REAL,
    maximum REAL,
    total REAL,
    first REAL,
    last REAL,
    PRIMARY KEY (level, series, start)
) WITHOUT ROWID;
CREATE INDEX stale ON summary (level, start, series) WHERE count IS NULL;
CREATE TABLE state (                     -- one row
    open_from INTEGER NOT NULL,          -- quarter-hours since 1970
    timezone TEXT NOT NULL               -- whose days the daily summaries are
);
INSERT INTO state VALUES (0, 'UTC');
"""

_ANNOTATIONS = """
CREATE TABLE annotation (
    time INTEGER NOT NULL,               -- ns since 1970
    measurement TEXT NOT NULL,
    tags TEXT NOT NULL,                  -- JSON, by name
    fields TEXT NOT NULL,                -- JSON
    PRIMARY KEY (time, measurement, tags)
) WITHOUT ROWID;
"""

_STEPS = (_TABLES, _ANNOTATIONS)
"""What each version added."""

_BUSY_S = 10.0
"""How long to wait for another process's transaction."""

MEND = "stop Siteward, move the file away and start again; `siteward journal replay` brings back the newest days"

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_REFUSED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH}
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def connect(path: Path) -> sqlite3.Connection:
    """A connection to a file that exists; transactions are begun explicitly.

    Raises:
        sqlite3.Error: it cannot be opened or is no database.
        StoreRefused: it was made by a newer Siteward, or is only being made.
    """
    connection = _open(path)
    if connection.execute("PRAGMA user_version").fetchone() == (0,):
        connection.close()
        raise StoreRefused(f"{path}: nothing is in it yet; it is filled while Siteward runs")
    return connection


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=_BUSY_S,
        check_same_thread=False,
    )
    try:
        _check_version(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def create(path: Path) -> sqlite3.Connection:
    """A connection for writing; folder and file are made where they are missing, for their owner's eyes only.

    Raises:
        OSError: they cannot be made.
        sqlite3.Error, StoreRefused: as for `connect`.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    connection = _open(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # The journal's cursor moves on, durably, once a write has returned; so by then the commit must have reached
        # the disk. That costs one flush a batch.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # what has expired is gone from the disk, too
        connection.execute("PRAGMA cache_size = -16000")  # KiB
        connection.execute("PRAGMA journal_size_limit = 64000000")  # bytes, after a long transaction
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version < VERSION:
            steps = "".join(_STEPS[version:])
            connection.executescript(f"BEGIN IMMEDIATE;{steps}PRAGMA user_version = {VERSION};COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise StoreRefused(
            f"{path}: made by a newer Siteward (format {version}, this one knows {VERSION}); "
            "install that version, or move the file away",
        )


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turns errors of SQLite and of the system into the package's own.

    Raises:
        StoreUnavailable: disk full, I/O error, locked by another program.
        StoreRefused: missing, damaged, or not ours to open.
    """
    try:
        yield
    except OSError as error:
        raise StoreRefused(f"{path}: cannot be made: {error.strerror}; check data_dir and its owner") from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the upper bits are details
        if code in _DAMAGED:
            raise StoreRefused(f"{path}: {error}; {MEND}") from error
        if code in _REFUSED:
            hint = "check its owner and permissions" if path.exists() else "it is made when Siteward first runs"
            raise StoreRefused(f"{path}: {error}; {hint}") from error
        if code in _LOCKED:
            raise StoreUnavailable(f"{path}: another program has kept it locked for {_BUSY_S:.0f} s") from error
        if code == sqlite3.SQLITE_FULL:
            raise StoreUnavailable(f"{path}: the disk is full; free some space, nothing is lost meanwhile") from error
        raise StoreUnavailable(f"{path}: {error}; check the disk") from error
