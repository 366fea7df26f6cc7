"""The tables of journal.db, and how to open it."""

import sqlite3
from pathlib import Path

from collector.errors import CollectorError

VERSION = 1

TABLES = """
CREATE TABLE entry (                     -- one commit of the pipeline
    position INTEGER PRIMARY KEY,        -- how many readings were ever committed, up to its last one
    received INTEGER NOT NULL,           -- when it was committed, ns
    count INTEGER NOT NULL,              -- readings
    checksum INTEGER NOT NULL,           -- CRC-32 of the body
    body BLOB NOT NULL                   -- MessagePack, a list of readings
);
CREATE INDEX entry_received ON entry (received);
CREATE TABLE cursor (                    -- how far each consumer has read
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE unacknowledged (            -- messages that the broker may send again
    generation INTEGER PRIMARY KEY,
    keys BLOB NOT NULL                   -- 8 bytes a message
);
CREATE TABLE retained (                  -- the retained message that was last taken from each topic
    topic TEXT PRIMARY KEY,
    key INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE quarantine_group (
    id INTEGER PRIMARY KEY,
    stage TEXT NOT NULL,                 -- decode: a message; store: a reading that the database rejected
    device TEXT NOT NULL,                -- id in the register, "" where none was found
    reason TEXT NOT NULL,
    hint TEXT NOT NULL,
    count INTEGER NOT NULL,              -- all that ever came, kept or not
    first INTEGER NOT NULL,              -- arrival, ns
    last INTEGER NOT NULL,
    UNIQUE (stage, device, reason)
);
CREATE TABLE quarantine_message (
    id INTEGER PRIMARY KEY,
    group_id INTEGER NOT NULL REFERENCES quarantine_group (id) ON DELETE CASCADE,
    received INTEGER NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL                -- as it came; for stage store, MessagePack of the reading
);
CREATE INDEX quarantine_message_group ON quarantine_message (group_id, id);
CREATE TABLE ledger (                    -- readings by device and hour of their own time
    device TEXT NOT NULL,
    hour INTEGER NOT NULL,               -- hours since 1970
    received INTEGER NOT NULL DEFAULT 0,
    stored INTEGER NOT NULL DEFAULT 0,
    duplicate INTEGER NOT NULL DEFAULT 0,
    late INTEGER NOT NULL DEFAULT 0,
    quarantined INTEGER NOT NULL DEFAULT 0,   -- not decoded
    rejected INTEGER NOT NULL DEFAULT 0,      -- not taken by the database
    PRIMARY KEY (device, hour)
) WITHOUT ROWID;
CREATE TABLE device_state (
    device TEXT PRIMARY KEY,
    newest INTEGER NOT NULL,             -- time of the newest reading, ns
    skew_hour INTEGER NOT NULL,          -- the hour in which skew is being measured
    skew INTEGER NOT NULL,               -- smallest received - measured of that hour, ns
    skew_before INTEGER NOT NULL         -- the same of the hour before
) WITHOUT ROWID;
CREATE TABLE fact (                      -- small things to remember
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
"""


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the journal's file; transactions are begun explicitly.

    Durable: a commit has reached the disk when it returns (WAL with synchronous=FULL).
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Creates the tables in a new file.

    Raises:
        CollectorError: the file was made by a newer Siteward.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise CollectorError(
            f"{path}: made by a newer Siteward (format {version}, this one knows {VERSION}); "
            "install that version, or move the file away",
        )
    if version == 0:
        connection.executescript(f"BEGIN IMMEDIATE;{TABLES}PRAGMA user_version = {VERSION};COMMIT;")
