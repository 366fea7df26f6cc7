"""The journal: the gateway's durable log. What is committed here may be acknowledged; every consumer is a cursor.

A position counts readings: an entry (one commit) covers those after the entry before it up to its own position.
Only the newest entry's position and the cursors say where the log ends, so the newest entry is never deleted.
"""

import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import structlog
from msgspec import DecodeError, msgpack

from collector import ledger, quarantine, salvage, schema
from collector.quarantine import Rejection
from devices.reading import Reading

log = structlog.get_logger()

_encode = msgpack.Encoder().encode
_decode = msgpack.Decoder(list[Reading]).decode

_TRIM_ENTRIES = 500
"""Entries deleted in one transaction: few enough that a commit does not wait noticeably."""


class Entry(NamedTuple):
    """One commit. `position` is that of its last reading."""

    position: int
    readings: list[Reading]


class Span(NamedTuple):
    """What was committed between two times: `readings` after position `after`, up to `last`."""

    after: int
    last: int
    readings: int


class Journal:
    """The durable log in one SQLite file. Any thread may call; transactions queue up for one connection."""

    def __init__(
        self,
        path: Path,
        quota_bytes: int,
        consumers: Sequence[str] | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Opens or creates the file; after an unclean stop it is checked and, if need be, repaired.

        Args:
            path: of journal.db; its folder is created.
            quota_bytes: size at which `full` becomes true.
            consumers: names of the cursors that hold back trimming, for the daemon, which owns the file. Others
                that a former version left are dropped. None for a visitor, such as the command line.
            clock: UTC nanoseconds.

        Raises:
            CollectorError: the file is of a newer version.
            OSError: the folder cannot be made.
        """
        self.path = path
        self.quota_bytes = quota_bytes
        self._clock = clock
        self._owner = consumers is not None
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.damage = salvage.check(path) if self._owner else None
        self._lock = threading.RLock()
        self._writer = schema.connect(path)
        path.chmod(0o600)
        schema.prepare(self._writer, path)
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._grown = threading.Condition()
        self.head = self._find_head()
        self._cursors: dict[str, int] = {}
        with self.transaction() as connection:
            if consumers is not None:
                self._register(connection, consumers)
                salvage.mark_open(connection)
            self._cursors = dict(connection.execute("SELECT name, position FROM cursor"))
        self.used_bytes = self.measure()

    def _find_head(self) -> int:
        (head,) = self._writer.execute(
            "SELECT max((SELECT ifnull(max(position), 0) FROM entry), (SELECT ifnull(max(position), 0) FROM cursor))",
        ).fetchone()
        return int(head)

    def _register(self, connection: sqlite3.Connection, consumers: Sequence[str]) -> None:
        """A new consumer begins at the oldest entry that is still here."""
        known = {name for (name,) in connection.execute("SELECT name FROM cursor")}
        for name in known - set(consumers):
            connection.execute("DELETE FROM cursor WHERE name = ?", (name,))
        oldest = self._oldest_start(connection)
        for name in set(consumers) - known:
            connection.execute("INSERT INTO cursor (name, position) VALUES (?, ?)", (name, oldest))

    def _oldest_start(self, connection: sqlite3.Connection) -> int:
        row = connection.execute("SELECT position - count FROM entry ORDER BY position LIMIT 1").fetchone()
        return int(row[0]) if row else self.head

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One durable transaction: all of it or nothing; on the disk when the block ends.

        Raises:
            sqlite3.Error: disk full, I/O error, locked by another process for 30 s.
        """
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def append(self, connection: sqlite3.Connection, readings: list[Reading]) -> int:
        """Adds an entry within the caller's transaction and returns its position; `announce` it afterwards."""
        row = connection.execute("SELECT max(position) FROM entry").fetchone()
        position = max(row[0] or 0, self.head) + len(readings)
        body = _encode(readings)
        connection.execute(
            "INSERT INTO entry (position, received, count, checksum, body) VALUES (?, ?, ?, ?, ?)",
            (position, self._clock(), len(readings), zlib.crc32(body), body),
        )
        return int(position)

    def announce(self, position: int) -> None:
        """Wakes the consumers that wait for more."""
        with self._grown:
            self.head = max(self.head, position)
            self._grown.notify_all()

    def commit(self, readings: list[Reading]) -> int:
        """Adds an entry in a transaction of its own and returns its position."""
        with self.transaction() as connection:
            position = self.append(connection, readings)
        self.announce(position)
        return position

    # ── consuming ────────────────────────────────────────────────────────────────────────────────────────────────

    def cursor(self, name: str) -> int:
        """How far a consumer has come; what another process moved is seen, too."""
        row = self.connection().execute("SELECT position FROM cursor WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise KeyError(f"no consumer is called {name!r}")
        return int(row[0])

    def cursors(self) -> dict[str, int]:
        """All consumers and how far they have come."""
        return dict(self.connection().execute("SELECT name, position FROM cursor ORDER BY name"))

    def read(self, after: int, limit: int) -> list[Entry]:
        """Entries after a position, oldest first, until `limit` readings are gathered; empty where there are none.

        A damaged entry comes without readings, after its remains went to quarantine.
        """
        entries: list[Entry] = []
        rows = self.connection().execute(
            "SELECT position, checksum, body FROM entry WHERE position > ? ORDER BY position",
            (after,),
        )
        gathered = 0
        for position, checksum, body in rows:
            entry = Entry(position, self._open(position, checksum, body))
            entries.append(entry)
            gathered += len(entry.readings)
            if gathered >= limit:
                break
        rows.close()
        return entries

    def _open(self, position: int, checksum: int, body: bytes) -> list[Reading]:
        try:
            if zlib.crc32(body) == checksum:
                return _decode(body)
        except DecodeError:
            pass
        log.error("journal entry damaged; its remains are in quarantine", position=position, path=str(self.path))
        reason = "journal entry damaged on disk"
        hint = "the disk is failing: replace it, and restore what is missing from the devices' own memory"
        with self.transaction() as connection:
            rejection = Rejection("store", "", reason, hint, self._clock(), f"journal/{position}", body)
            quarantine.record(connection, [rejection])
        return []

    def wait(self, after: int, timeout_s: float) -> bool:
        """Waits until something lies beyond a position; True as soon as it does."""
        with self._grown:
            if self._grown.wait_for(lambda: self.head > after, timeout_s):
                return True
        # Another process, such as `quarantine retry`, may have committed.
        row = self.connection().execute("SELECT max(position) FROM entry").fetchone()
        self.announce(row[0] or 0)
        return self.head > after

    def move(self, connection: sqlite3.Connection, name: str, position: int) -> None:
        """Sets a consumer's cursor within the caller's transaction."""
        connection.execute("UPDATE cursor SET position = ? WHERE name = ?", (position, name))

    def advance(
        self,
        name: str,
        position: int,
        *,
        stored: ledger.Tally | None = None,
        rejected: Sequence[tuple[Reading, str]] = (),
    ) -> None:
        """Sets a consumer's cursor, and what became of the readings up to there, in one transaction.

        Args:
            name: of the consumer.
            position: the last reading it has dealt with.
            stored: readings that the database took, by device and hour.
            rejected: readings that it did not take, each with the reason.
        """
        with self.transaction() as connection:
            if stored:
                ledger.count(connection, "stored", stored)
            if rejected:
                ledger.count(connection, "rejected", ledger.tally(reading for reading, _ in rejected))
                hint = "mend the cause, then: siteward quarantine retry"
                quarantine.record(
                    connection,
                    (
                        Rejection(
                            "store", reading.device, why, hint, reading.received, reading.device, _encode([reading])
                        )
                        for reading, why in rejected
                    ),
                )
            self.move(connection, name, position)

    # ── housekeeping ─────────────────────────────────────────────────────────────────────────────────────────────

    def measure(self) -> int:
        """Bytes in use on disk; pages that were freed are used again and do not count."""
        with self._lock:
            (pages,) = self._writer.execute("PRAGMA page_count").fetchone()
            (free,) = self._writer.execute("PRAGMA freelist_count").fetchone()
            (size,) = self._writer.execute("PRAGMA page_size").fetchone()
        self.used_bytes = (pages - free) * size
        return self.used_bytes

    @property
    def full(self) -> bool:
        """Whether the quota is used up, as of the last `measure`."""
        return self.used_bytes >= self.quota_bytes

    def trim(self, keep_ns: int) -> int:
        """Deletes entries that every consumer has passed: those older than `keep_ns`, all of them if room is short.

        Returns how many entries were deleted.
        """
        passed = min(self.cursors().values(), default=0)
        passed = min(passed, self.head - 1)
        before = self._clock() - keep_ns
        deleted = 0
        while True:
            short = self.measure() > self.quota_bytes * 0.8
            with self.transaction() as connection:
                count = connection.execute(
                    "DELETE FROM entry WHERE position IN (SELECT position FROM entry WHERE position <= ?"
                    " AND position < (SELECT max(position) FROM entry) AND (received < ? OR ?)"
                    " ORDER BY position LIMIT ?)",
                    (passed, before, short, _TRIM_ENTRIES),
                ).rowcount
            deleted += count
            if count < _TRIM_ENTRIES:
                self.measure()
                return deleted

    def span(self, start: int, end: int) -> Span:
        """What was committed at start <= time < end (UTC ns), for a replay."""
        connection = self.connection()
        after, last, readings = connection.execute(
            "SELECT min(position - count), max(position), sum(count) FROM entry WHERE received >= ? AND received < ?",
            (start, end),
        ).fetchone()
        return Span(after or 0, last or 0, readings or 0)

    def oldest(self) -> int | None:
        """When the oldest entry that is still here was committed, ns."""
        row = self.connection().execute("SELECT received FROM entry ORDER BY position LIMIT 1").fetchone()
        return None if row is None else int(row[0])

    def connection(self) -> sqlite3.Connection:
        """This thread's connection for reading."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = schema.connect(self.path)
            connection.execute("PRAGMA query_only = ON")
            with self._lock:
                self._readers.append(connection)
        return connection

    def facts(self) -> Mapping[str, str]:
        """Small things that were remembered, by name."""
        return dict(self.connection().execute("SELECT name, value FROM fact"))

    def remember(self, name: str, value: str) -> None:
        """Keeps a small thing for the next start."""
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Ends all connections and notes that the stop was clean."""
        if self._owner:
            with self.transaction() as connection:
                salvage.mark_closed(connection)
        with self._lock:
            for connection in [*self._readers, self._writer]:
                connection.close()
            self._readers.clear()
