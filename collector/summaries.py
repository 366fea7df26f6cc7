"""Summaries of the embedded store: quarter-hours and days, kept true to the samples however late these come.

A bucket is open, stale or filled. Open are the quarter-hours from `state.open_from` on: they have no row yet. Stale is
a row without a count: samples came after it was filled, or it waits for the first time. Only filled rows are answers;
for the others the next finer level is asked, and in the end the samples. So answers never wait for summaries.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from collector.intervals import Interval
from devices.durations import NANOSECONDS

QUARTER_HOUR = 15 * NANOSECONDS["m"]
"""Nanoseconds. Every zone's midnight is a whole number of them since 1970, so a local day is a run of them."""

QUARTER_HOURS, DAYS = 0, 1
"""The levels."""

_OLDEST_STALE = "SELECT min(start) FROM summary INDEXED BY stale WHERE level = ? AND count IS NULL"

_FILL_QUARTER_HOUR = """
UPDATE summary AS bucket SET (count, minimum, maximum, total, first, last) = (
    SELECT count(*), min(value), max(value), total(value),
        (SELECT value FROM number WHERE quarter = :start AND series = bucket.series ORDER BY time LIMIT 1),
        (SELECT value FROM number WHERE quarter = :start AND series = bucket.series ORDER BY time DESC LIMIT 1)
    FROM number WHERE quarter = :start AND series = bucket.series
)
WHERE level = 0 AND start = :start AND series IN (
    SELECT series FROM summary INDEXED BY stale WHERE level = 0 AND start = :start AND count IS NULL LIMIT :limit
)
"""

_FILL_DAY = """
UPDATE summary AS bucket SET (count, minimum, maximum, total, first, last) = (
    SELECT ifnull(sum(count), 0), min(minimum), max(maximum), total(total),
        (SELECT first FROM summary AS part WHERE level = 0 AND part.series = bucket.series
            AND part.start >= :start AND part.start < :end ORDER BY part.start LIMIT 1),
        (SELECT last FROM summary AS part WHERE level = 0 AND part.series = bucket.series
            AND part.start >= :start AND part.start < :end ORDER BY part.start DESC LIMIT 1)
    FROM summary AS part
    WHERE level = 0 AND part.series = bucket.series AND part.start >= :start AND part.start < :end
)
WHERE level = 1 AND start = :start AND series IN (
    SELECT series FROM summary INDEXED BY stale WHERE level = 1 AND start = :start AND count IS NULL LIMIT :limit
)
"""

_EXPIRE_SAMPLES = """
DELETE FROM sample
WHERE quarter = (SELECT min(quarter) FROM sample) AND quarter < min(:before, (SELECT open_from FROM state))
    AND NOT EXISTS (SELECT 1 FROM summary INDEXED BY stale WHERE level = 0 AND start = quarter AND count IS NULL)
"""

_EXPIRE_SUMMARIES = """
DELETE FROM summary
WHERE level = :level AND series = :series AND start < :before AND NOT EXISTS (
    SELECT 1 FROM summary INDEXED BY stale
    WHERE level = :level + 1 AND start < :before AND series = :series AND count IS NULL
)
"""

_FILL_LIMIT = 5000
"""Buckets filled at once: few enough that a write does not wait noticeably."""

_NEWEST = 2
"""The newest quarter-hours stay open. Two, because a device's clock may be a little fast."""


class Summaries:
    """The work on the summaries. Every method does one bounded piece of it within the caller's transaction."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._days = Interval("1d", zone)

    def day(self, quarter: int) -> tuple[int, int]:
        """First quarter-hour of the local day that holds a quarter-hour, and first one after that day."""
        start, end = self._days.bounds(quarter * QUARTER_HOUR)
        return start // QUARTER_HOUR, end // QUARTER_HOUR

    def mark(self, connection: sqlite3.Connection, buckets: Iterable[tuple[int, int]]) -> None:
        """Makes buckets stale, and the days they belong to.

        Args:
            connection: in a transaction.
            buckets: quarter-hour and series.
        """
        buckets = set(buckets)
        days = {quarter: self.day(quarter)[0] for quarter in {quarter for quarter, _ in buckets}}
        rows = {(QUARTER_HOURS, series, quarter) for quarter, series in buckets}
        rows |= {(DAYS, series, days[quarter]) for quarter, series in buckets}
        connection.executemany("INSERT OR REPLACE INTO summary (level, series, start) VALUES (?, ?, ?)", sorted(rows))

    def advance(self, connection: sqlite3.Connection, close_before: int = 0) -> int | None:
        """Fills stale buckets, or else closes the oldest open quarter-hour.

        Days come last, so the quarter-hours from which they are filled are never stale.

        Args:
            connection: in a transaction.
            close_before: quarter-hours before this one are closed even if they are the newest.

        Returns:
            How many buckets were filled; None where nothing is left to do.
        """
        (quarter,) = connection.execute(_OLDEST_STALE, (QUARTER_HOURS,)).fetchone()
        if quarter is not None:
            return _fill(connection, QUARTER_HOURS, quarter, quarter + 1)
        (open_from,) = connection.execute("SELECT open_from FROM state").fetchone()
        (day,) = connection.execute(_OLDEST_STALE, (DAYS,)).fetchone()
        if day is not None:
            start, end = self.day(day)
            if end <= open_from:
                return _fill(connection, DAYS, start, end)
        return self._close(connection, open_from, close_before)

    def _close(self, connection: sqlite3.Connection, open_from: int, close_before: int) -> int | None:
        (newest,) = connection.execute("SELECT ifnull(max(quarter), 0) FROM sample").fetchone()
        (quarter,) = connection.execute("SELECT min(quarter) FROM sample WHERE quarter >= ?", (open_from,)).fetchone()
        limit = max(newest - _NEWEST + 1, close_before)
        if quarter is not None and quarter < limit:
            connection.executemany(
                "INSERT OR IGNORE INTO summary (level, series, start) SELECT DISTINCT ?, series, ? FROM sample"
                " WHERE quarter = ?",
                [(QUARTER_HOURS, quarter, quarter), (DAYS, self.day(quarter)[0], quarter)],
            )
            connection.execute("UPDATE state SET open_from = ?", (quarter + 1,))
            return _fill(connection, QUARTER_HOURS, quarter, quarter + 1)
        if open_from < limit:
            connection.execute("UPDATE state SET open_from = ?", (limit,))
            return 0
        return None

    def realign(self, connection: sqlite3.Connection) -> None:
        """After a change of the site's time zone: days are cut anew, as far back as there are quarter-hours."""
        (name,) = connection.execute("SELECT timezone FROM state").fetchone()
        if name == self._zone.key:
            return
        former = Summaries(ZoneInfo(name))
        rows = connection.execute(
            "SELECT series, start FROM summary WHERE level = 1"
            " AND start >= (SELECT min(start) FROM summary WHERE level = 0)",
        ).fetchall()
        connection.executemany("DELETE FROM summary WHERE level = 1 AND series = ? AND start = ?", rows)
        overlapping = {
            (DAYS, series, self.day(quarter)[0])
            for series, start in rows
            for quarter in (start, former.day(start)[1] - 1)
        }
        connection.executemany("INSERT OR REPLACE INTO summary (level, series, start) VALUES (?, ?, ?)", overlapping)
        connection.execute("UPDATE state SET timezone = ?", (self._zone.key,))

    def expire_samples(self, connection: sqlite3.Connection, before: int) -> int | None:
        """Deletes the oldest quarter-hour's samples, if it lies before `before` and its summaries are filled.

        Returns how many; None where there are no more.
        """
        return connection.execute(_EXPIRE_SAMPLES, {"before": before}).rowcount or None

    def expire(self, connection: sqlite3.Connection, level: int, series: Sequence[int], before: int) -> int:
        """Deletes summaries of some series that start before a quarter-hour, unless a stale day needs them."""
        rows = [{"level": level, "series": each, "before": before} for each in series]
        return connection.executemany(_EXPIRE_SUMMARIES, rows).rowcount


def _fill(connection: sqlite3.Connection, level: int, start: int, end: int) -> int:
    statement = _FILL_DAY if level == DAYS else _FILL_QUARTER_HOUR
    return connection.execute(statement, {"start": start, "end": end, "limit": _FILL_LIMIT}).rowcount
