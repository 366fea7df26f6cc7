"""The embedded store: readings in a SQLite file, for a first try and for sites with no database server.

One row a value. Samples are kept by quarter-hour first and series second, so that what arrives together lies together:
a batch of a thousand devices changes a few pages, not one for each series (measured: a twelfth of the bytes written).
Several processes may use the file: the daemon writes, others read.
"""

import math
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import orjson

from collector.embedded_file import MEND, connect, create, plain_errors
from collector.embedded_query import Snapshot
from collector.errors import BatchRejected, StoreError
from collector.settings import Retention, Site
from collector.store import Aggregate, Annotation, Finding, Sample
from collector.summaries import DAYS, QUARTER_HOUR, QUARTER_HOURS, Summaries
from devices.durations import NANOSECONDS
from devices.points import POINTS
from devices.reading import Reading, Value
from devices.register import Register

_HOUSEKEEPING_S = 1.0
"""Longest time that `summarize`, or each part of `expire`, takes in one call, roughly; the next one goes on."""

_TRANSACTION_S = 0.2
"""Longest time that housekeeping keeps a write waiting, roughly."""

_EXPIRE_SERIES = 500
"""Series of which summaries are deleted in one transaction."""

_QUICK_CHECK_BYTES = 200_000_000
_LEAST_FREE_BYTES = 500_000_000


class EmbeddedDatabase:
    """A store in one file; see collector/store.py for what it promises.

    One thread writes, any thread may ask, and `summarize` and `expire` may be called from another one.
    """

    def __init__(self, path: Path, site: Site, register: Register, retention: Retention) -> None:
        """Opens nothing yet.

        Args:
            path: of the file.
            site: whose time zone says what a day is.
            register: see `use`.
            retention: how long `expire` keeps what.
        """
        self._path = path
        self._zone = site.zone
        self._retention = retention
        self._summaries = Summaries(site.zone)
        self._lock = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._ids: dict[tuple[str, str, type], int] = {}
        self.use(register)

    def use(self, register: Register) -> None:
        """Does nothing: series are known by device and point alone, and their names stay."""

    def prepare(self) -> None:
        """Creates the folder and the file, readable by their owner only: people's movements are personal data.

        Raises:
            StoreUnavailable: disk full, or another program holds the file.
            StoreRefused: it cannot be made or opened, or is damaged or of a newer version.
        """
        with self._transaction():
            pass

    def close(self) -> None:
        """Ends the connection that writes; those that ask live only as long as their question."""
        with self._lock:
            if self._writer:
                self._writer.close()
            self._writer = None

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def write(self, readings: Sequence[Reading]) -> None:
        """Stores readings in one transaction; it is on the disk when this returns.

        A reading that was late or not believed brings the points `received_time_s` and `claimed_time_s` (seconds
        since 1970): when it arrived, and what its device said.

        Raises:
            StoreUnavailable: disk full, or another program holds the file.
            StoreRefused: it cannot be opened, or is damaged or of a newer version.
            BatchRejected: a value has not its point's type or cannot be stored; nothing of the batch was.
        """
        with self._transaction() as connection:
            try:
                rows = self._rows(connection, readings)
                connection.executemany("INSERT OR REPLACE INTO sample VALUES (?, ?, ?, ?)", rows)
            except (sqlite3.IntegrityError, sqlite3.DataError, OverflowError, UnicodeEncodeError) as error:
                raise BatchRejected(f"{self._path}: a value or time cannot be stored: {error}") from error
            (open_from,) = connection.execute("SELECT open_from FROM state").fetchone()
            if late := {(quarter, series) for quarter, series, _, _ in rows if quarter < open_from}:
                self._summaries.mark(connection, late)

    def annotate(self, annotations: Sequence[Annotation]) -> None:
        """Stores annotations in one transaction.

        Raises:
            StoreUnavailable, StoreRefused: as for `write`.
        """
        rows = [
            (
                annotation.time,
                annotation.measurement,
                orjson.dumps(dict(annotation.tags), option=orjson.OPT_SORT_KEYS).decode(),
                orjson.dumps(dict(annotation.fields)).decode(),
            )
            for annotation in annotations
        ]
        with self._transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO annotation VALUES (?, ?, ?, ?)", rows)

    def _rows(self, connection: sqlite3.Connection, readings: Sequence[Reading]) -> list[tuple[int, int, int, Value]]:
        rows = []
        for reading in readings:
            device, moment = reading.device, reading.time
            quarter = moment // QUARTER_HOUR
            for point, value in _collect_values(reading).items():
                key = (device, point, type(value))
                series = self._ids.get(key)
                if series is None:
                    series = self._ids[key] = _find_series(connection, device, point, value)
                rows.append((quarter, series, moment, value))
        return rows

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One durable transaction: all of it or nothing."""
        with self._lock, plain_errors(self._path):
            connection = self._writer = self._writer or create(self._path)
            connection.execute("BEGIN IMMEDIATE")
            try:
                self._summaries.realign(connection)
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                self._ids.clear()  # some may have been new
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    # ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────

    def series(
        self,
        devices: Sequence[str],
        point: str,
        start: int,
        end: int,
        *,
        interval: str | None = None,
        aggregate: Aggregate = "mean",
    ) -> Mapping[str, list[Sample]]:
        """See `Store.series`. Aggregates are floats, of a bool point over 0 and 1; `first` and `last` keep its type.

        Whatever is older than its retention is absent: samples first, then all but whole days.

        Raises:
            ValueError: the interval does not divide time evenly, or the aggregate makes no sense for text.
            StoreUnavailable, StoreRefused: as for `write`.
        """
        with plain_errors(self._path), closing(connect(self._path)) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            return Snapshot(connection, self._zone).series(
                devices, point, start, end, interval=interval, aggregate=aggregate
            )

    def annotations(self, start: int, end: int) -> list[Annotation]:
        """What happened for start <= time < end (UTC nanoseconds), the oldest first.

        Raises:
            StoreUnavailable, StoreRefused: as for `write`.
        """
        with plain_errors(self._path), closing(connect(self._path)) as connection:
            rows = connection.execute(
                "SELECT measurement, time, tags, fields FROM annotation WHERE time >= ? AND time < ? ORDER BY time",
                (start, end),
            )
            return [
                Annotation(measurement, moment, orjson.loads(tags), orjson.loads(fields))
                for measurement, moment, tags, fields in rows
            ]

    # ── housekeeping ─────────────────────────────────────────────────────────────────────────────────────────────

    def summarize(self) -> int:
        """Brings summaries up to date, to be called every minute; answers are exact without it, but slower.

        Returns how many buckets were filled. After some seconds it leaves the rest to the next call.

        Raises:
            StoreUnavailable, StoreRefused: as for `write`.
        """
        return self._repeat(self._summaries.advance, _HOUSEKEEPING_S)

    def expire(self, now: int) -> int:
        """Deletes what is older than its retention, once the next coarser level has it.

        Args:
            now: UTC nanoseconds.

        Returns:
            How many samples and summaries were deleted.

        Raises:
            StoreUnavailable, StoreRefused: as for `write`.
        """
        before = (now - self._retention.raw) // QUARTER_HOUR
        self._repeat(lambda connection: self._summaries.advance(connection, close_before=before), _HOUSEKEEPING_S)
        deleted = self._repeat(lambda connection: self._summaries.expire_samples(connection, before), _HOUSEKEEPING_S)
        # A summary must outlive what it is filled from: a late reading fills it anew.
        quarter_hours = max(self._retention.quarter_hours, self._retention.raw)
        days = max(self._retention.days, quarter_hours)
        deleted += self._expire(QUARTER_HOURS, now - quarter_hours)
        with self._transaction() as connection:
            deleted += connection.execute("DELETE FROM annotation WHERE time < ?", (now - days,)).rowcount
        return deleted + self._expire(DAYS, now - days)

    def _expire(self, level: int, before: int) -> int:
        """Deletes summaries of the days that end before a time."""
        start, _ = self._summaries.day(before // QUARTER_HOUR)
        with self._transaction() as connection:
            (newest,) = connection.execute("SELECT ifnull(max(id), 0) FROM series").fetchone()
        deleted = 0
        for first in range(1, newest + 1, _EXPIRE_SERIES):
            with self._transaction() as connection:
                deleted += self._summaries.expire(connection, level, range(first, first + _EXPIRE_SERIES), start)
        return deleted

    def _repeat(self, work: Callable[[sqlite3.Connection], int | None], longest_s: float = math.inf) -> int:
        """Repeats work until it returns None, in transactions so short that a write hardly waits; returns its sum."""
        total = 0
        count: int | None = 0
        deadline = time.monotonic() + longest_s
        while count is not None and time.monotonic() < deadline:
            with self._transaction() as connection:
                pause = time.monotonic() + _TRANSACTION_S
                while (count := work(connection)) is not None:
                    total += count
                    if time.monotonic() > pause:
                        break
        return total

    # ── inspecting ───────────────────────────────────────────────────────────────────────────────────────────────

    def inspect(self) -> list[Finding]:
        """Whether the file can be written and is whole, how large it is, and the room on its disk."""
        if not self._path.exists():
            return [
                Finding("embedded store", good=True, message=f"{self._path}: made at the first start"),
                self._inspect_disk(),
            ]
        try:
            with plain_errors(self._path), closing(connect(self._path)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
                findings = [
                    Finding("embedded store", good=True, message=f"{self._path}: can be written"),
                    self._inspect_integrity(connection),
                    self._inspect_size(connection),
                ]
        except StoreError as error:
            findings = [Finding("embedded store", good=False, message=str(error))]
        return [*findings, self._inspect_disk()]

    def _inspect_integrity(self, connection: sqlite3.Connection) -> Finding:
        if self._path.stat().st_size > _QUICK_CHECK_BYTES:
            command = f"sqlite3 {self._path} 'PRAGMA quick_check'"
            return Finding(
                "integrity", good=True, message=f"not checked, because that takes long with a large file: {command}"
            )
        (answer,) = connection.execute("PRAGMA quick_check (1)").fetchone()
        if answer == "ok":
            return Finding("integrity", good=True, message="the file is whole")
        return Finding("integrity", good=False, message=f"{answer}; {MEND}")

    def _inspect_size(self, connection: sqlite3.Connection) -> Finding:
        oldest, newest = connection.execute("SELECT min(quarter), max(quarter) FROM sample").fetchone()
        size = f"{self._path.stat().st_size / 1e6:.1f} MB"
        if oldest is None:
            return Finding("size", good=True, message=f"{size}, no readings")
        first, last = (datetime.fromtimestamp(quarter * 900, self._zone) for quarter in (oldest, newest))
        return Finding("size", good=True, message=f"{size}, readings from {first:%Y-%m-%d} to {last:%Y-%m-%d}")

    def _inspect_disk(self) -> Finding:
        folder = next(folder for folder in self._path.absolute().parents if folder.exists())
        free = shutil.disk_usage(folder).free
        message = f"{free / 1e9:.1f} GB free at {folder}"
        if free < _LEAST_FREE_BYTES:
            return Finding(
                "disk", good=False, message=f"{message}; free some space, or shorten retention in siteward.yaml"
            )
        return Finding("disk", good=True, message=message)


def _collect_values(reading: Reading) -> Mapping[str, Value]:
    """A reading's values, and its further times where they differ from `time`."""
    if not reading.late and reading.claimed is None:
        return reading.values
    values = dict(reading.values)
    if reading.late:
        values["received_time_s"] = reading.received / NANOSECONDS["s"]
    if reading.claimed is not None:
        values["claimed_time_s"] = reading.claimed / NANOSECONDS["s"]
    return values


def _find_series(connection: sqlite3.Connection, device: str, point: str, value: Value) -> int:
    """Id of a series, which is new where there is none.

    Raises:
        BatchRejected: the point has another type.
    """
    expected = POINTS[point].type if point in POINTS else float
    if type(value) is not expected and (expected, type(value)) != (float, int):
        raise BatchRejected(f"device {device}, point {point}: expected {expected.__name__}, got {value!r}")
    connection.execute("INSERT OR IGNORE INTO series (device, point) VALUES (?, ?)", (device, point))
    query = "SELECT id FROM series WHERE device = ? AND point = ?"
    return int(connection.execute(query, (device, point)).fetchone()[0])
