"""Checks the journal's file after an unclean stop and saves what can be read from a damaged one."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import structlog

from collector import schema

log = structlog.get_logger()

_OPEN = "opened"
_KEPT = ("entry", "cursor", "unacknowledged", "retained", "quarantine_group", "quarantine_message",
         "quarantine_entry", "ledger", "device_state", "fact")  # fmt: skip
_SIDE_FILES = ("", "-wal", "-shm")


class Damage(NamedTuple):
    """What a repair found: where the damaged file was put, rows saved by table, and tables with lost rows."""

    moved_to: Path
    saved: dict[str, int]
    incomplete: list[str]


def mark_open(connection: sqlite3.Connection) -> None:
    """Notes that the file is in use; who finds the note at the next start knows that the stop was not clean."""
    connection.execute("INSERT OR REPLACE INTO fact (name, value) VALUES (?, '1')", (_OPEN,))


def mark_closed(connection: sqlite3.Connection) -> None:
    """Notes a clean stop."""
    connection.execute("DELETE FROM fact WHERE name = ?", (_OPEN,))


def check(path: Path) -> Damage | None:
    """Checks a file that was not closed cleanly; a damaged one is set aside and a new one holds what could be read.

    Returns what was repaired, or None where nothing was wrong.
    """
    if not path.exists():
        return None
    if _is_sound(path):
        return None
    return _repair(path)


def _is_sound(path: Path) -> bool:
    try:
        with closing(schema.connect(path)) as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                return True  # new, or never got its tables
            if connection.execute("SELECT 1 FROM fact WHERE name = ?", (_OPEN,)).fetchone() is None:
                return True
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            raise
        return False


def _repair(path: Path) -> Damage:
    aside = path.with_name(f"{path.stem}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}{path.suffix}")
    for suffix in _SIDE_FILES:
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    saved: dict[str, int] = {}
    incomplete: list[str] = []
    with closing(schema.connect(path)) as new:
        schema.prepare(new, path)
        new.execute("PRAGMA foreign_keys = OFF")  # a row that lost its counterpart does not hold up the others
        try:
            with closing(schema.connect(aside)) as old:
                old.execute("PRAGMA writable_schema = ON")  # read on past a damaged schema
                for table in _KEPT:
                    saved[table], whole = _copy(old, new, table)
                    if not whole:
                        incomplete.append(table)
        except sqlite3.DatabaseError:
            log.exception("the damaged journal could be read no further")
        schema.drop_orphans(new)
    log.error(
        "the journal was damaged; what could be read was saved",
        damaged_file=str(aside),
        saved=saved,
        incomplete=incomplete,
    )
    return Damage(aside, saved, incomplete)


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> tuple[int, bool]:
    """Copies the rows of a table that can be read, from both ends, around the damage: how many, and whether all."""
    saved = 0
    whole = True
    columns = [row[1] for row in new.execute(f"PRAGMA table_info({table})")]
    key = "position" if table == "entry" else columns[0]
    marks = ", ".join("?" * len(columns))
    new.execute("BEGIN")
    for order in ("", "DESC"):
        try:
            rows = old.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {key} {order}")  # noqa: S608 - names from the schema
            for row in rows:
                cursor = new.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)  # noqa: S608 - likewise
                saved += cursor.rowcount
        except sqlite3.DatabaseError:
            whole = False
            continue
        break
    new.execute("COMMIT")
    return saved, whole
