"""The tables of journal.db, how to open it, and how a file of a former version becomes one of this."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from collector.errors import CollectorError

VERSION = 2

_QUARANTINE = """
CREATE TABLE quarantine_group (
    id INTEGER PRIMARY KEY,
    stage TEXT NOT NULL,                 -- decode: a message; store: a reading that the database rejected
    device TEXT NOT NULL,                -- id in the register, "" where none was found
    reason TEXT NOT NULL,
    hint TEXT NOT NULL,
    count INTEGER NOT NULL,              -- all that ever came, kept or not
    first INTEGER NOT NULL,              -- arrival, ns
    last INTEGER NOT NULL,
    profile TEXT NOT NULL,               -- how a device that is not in the register was heard; else ""
    address TEXT NOT NULL,               -- what it calls itself; else ""
    UNIQUE (stage, device, reason, profile, address)
);
CREATE TABLE quarantine_message (
    id INTEGER PRIMARY KEY,
    received INTEGER NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL                -- as it came; for stage store, MessagePack of the reading
);
CREATE TABLE quarantine_entry (          -- a message is in several groups where it is about several devices
    group_id INTEGER NOT NULL REFERENCES quarantine_group (id) ON DELETE CASCADE,
    message_id INTEGER NOT NULL REFERENCES quarantine_message (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, message_id)
) WITHOUT ROWID;
CREATE INDEX quarantine_entry_message ON quarantine_entry (message_id);
CREATE TRIGGER quarantine_entry_last AFTER DELETE ON quarantine_entry
WHEN NOT EXISTS (SELECT 1 FROM quarantine_entry WHERE message_id = old.message_id)
BEGIN
    DELETE FROM quarantine_message WHERE id = old.message_id;
END;
"""

_TABLES = f"""
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
{_QUARANTINE}
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


_STEPS = (
    # From 1 to 2: a group is about one device that is not in the register, and a message may be in several groups.
    f"""
ALTER TABLE quarantine_group RENAME TO former_group;
ALTER TABLE quarantine_message RENAME TO former_message;
DROP INDEX quarantine_message_group;
{_QUARANTINE}
INSERT INTO quarantine_group (id, stage, device, reason, hint, count, first, last, profile, address)
    SELECT id, stage, device, reason, hint, count, first, last, '', '' FROM former_group;
INSERT INTO quarantine_message (id, received, topic, payload) SELECT id, received, topic, payload FROM former_message;
INSERT INTO quarantine_entry (group_id, message_id) SELECT group_id, id FROM former_message;
DROP TABLE former_message;
DROP TABLE former_group;
""",  # noqa: S608 - a constant
)
"""What brings a file of each former version, from 1, up to the next."""


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
    """Creates the tables in a new file, and brings a file of a former version up to this one.

    Raises:
        CollectorError: the file was made by a newer Siteward.
    """
    version = _read_version(connection)
    if version > VERSION:
        raise CollectorError(
            f"{path}: made by a newer Siteward (format {version}, this one knows {VERSION}); "
            "install that version, or move the file away",
        )
    if version == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _read_version(connection)  # another process may have been faster
        for script in _STEPS[version - 1 :] if version else [_TABLES]:
            for statement in _split(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def drop_orphans(connection: sqlite3.Connection) -> None:
    """Deletes what is left of quarantine where damage took a row's counterpart."""
    connection.execute(
        "DELETE FROM quarantine_entry WHERE group_id NOT IN (SELECT id FROM quarantine_group)"
        " OR message_id NOT IN (SELECT id FROM quarantine_message)",
    )
    connection.execute("DELETE FROM quarantine_message WHERE id NOT IN (SELECT message_id FROM quarantine_entry)")


def _read_version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _split(script: str) -> Iterator[str]:
    """The statements of a script: sqlite3's own way to run one would commit in between."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
