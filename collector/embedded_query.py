"""Questions to the embedded store: series of a point, from summaries where these are exact, else from samples."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson

from collector.intervals import Interval
from collector.store import Aggregate, Sample, check_aggregate
from collector.summaries import DAYS, QUARTER_HOUR, QUARTER_HOURS, Summaries
from devices.durations import NANOSECONDS
from devices.points import POINTS
from devices.reading import Value

# The samples of a series lie in one run for each quarter-hour: counting these up finds every run in one step.
_SAMPLES = """
WITH RECURSIVE run (number) AS (SELECT :first UNION ALL SELECT number + 1 FROM run WHERE number < :last)
SELECT time, value FROM run CROSS JOIN sample ON quarter = number AND series = :series
WHERE time >= :start AND time < :end
"""

_SUMMARIES = """
SELECT start, count, minimum, maximum, total, first, last FROM summary
WHERE level = :level AND series = :series AND start >= :start AND start < :end AND count IS NOT 0
ORDER BY start
"""


class Piece(NamedTuple):
    """A stretch of a series that begins at `time` (UTC ns); one sample is a piece, too.

    Of text only `samples`, `first` and `last` make sense.
    """

    time: int
    samples: int
    minimum: Any
    maximum: Any
    total: Any
    first: Value
    last: Value


_FOLDS: dict[Aggregate, Callable[[Sequence[Piece]], Value]] = {
    "mean": lambda pieces: sum(piece.total for piece in pieces) / sum(piece.samples for piece in pieces),
    "min": lambda pieces: min(piece.minimum for piece in pieces),
    "max": lambda pieces: max(piece.maximum for piece in pieces),
    "sum": lambda pieces: sum(piece.total for piece in pieces),
    "count": lambda pieces: sum(piece.samples for piece in pieces),
    "first": lambda pieces: pieces[0].first,
    "last": lambda pieces: pieces[-1].last,
}


class Snapshot:
    """The store as it is when the connection's transaction begins."""

    def __init__(self, connection: sqlite3.Connection, zone: ZoneInfo) -> None:
        """Looks how far summaries reach.

        Args:
            connection: in a transaction, so that summaries and samples fit together.
            zone: of the site.
        """
        self._connection = connection
        self._zone = zone
        self._summaries = Summaries(zone)
        self._open_from, timezone, self._oldest, self._newest = connection.execute(
            "SELECT open_from, timezone, (SELECT ifnull(min(quarter), 0) FROM sample),"
            " (SELECT ifnull(max(quarter), -1) FROM sample) FROM state",
        ).fetchone()
        self._days_fit = timezone == zone.key

    def series(
        self,
        devices: Sequence[str],
        point: str,
        start: int,
        end: int,
        *,
        interval: str | None,
        aggregate: Aggregate,
    ) -> dict[str, list[Sample]]:
        """See `Store.series`.

        Raises:
            ValueError: the interval does not divide time evenly, or the aggregate makes no sense for the point.
        """
        kind = POINTS[point].type if point in POINTS else float
        if interval is not None:
            check_aggregate(point, aggregate)
        buckets = None if interval is None else Interval(interval, self._zone)
        levels = self._levels(buckets) if buckets and (kind is not str or aggregate == "count") else ()
        result = kind if buckets is None or aggregate in {"first", "last"} else float
        ids: dict[str, int] = dict(
            self._connection.execute(
                "SELECT device, id FROM series WHERE point = ? AND device IN (SELECT value FROM json_each(?))",
                (point, orjson.dumps(list(devices)).decode()),
            ),
        )
        answers = {}
        for device in filter(ids.__contains__, devices):
            rows: Iterable[tuple[int, Value]]
            if buckets is None:
                rows = self._samples(ids[device], start, end)
            else:
                rows = _fold(self._pieces(ids[device], start, end, levels), buckets, aggregate)
            if samples := [Sample(time, result(value)) for time, value in rows]:
                answers[device] = samples
        return answers

    def _levels(self, buckets: Interval) -> Sequence[int]:
        """The summaries that make up such buckets exactly, coarsest last."""
        if buckets.length % QUARTER_HOUR:
            return ()
        if buckets.length % NANOSECONDS["d"] or not self._days_fit:
            return (QUARTER_HOURS,)
        return (QUARTER_HOURS, DAYS)

    def _samples(self, series: int, start: int, end: int) -> list[tuple[int, Value]]:
        first = max(start // QUARTER_HOUR, self._oldest)
        last = min((end - 1) // QUARTER_HOUR, self._newest)
        if first > last:
            return []
        span = {"first": first, "last": last, "series": series, "start": start, "end": end}
        # They come in order, but SQLite does not promise it; sorting what is sorted is cheaper here than there.
        return sorted(self._connection.execute(_SAMPLES, span))

    def _pieces(self, series: int, start: int, end: int, levels: Sequence[int]) -> Iterator[Piece]:
        """What lies between two times, oldest first, in as few pieces as these levels allow."""
        if not levels:
            for time, value in self._samples(series, start, end):
                yield Piece(time, 1, value, value, value, value, value)
            return
        *finer, level = levels
        begin, after = self._bounds(level, start // QUARTER_HOUR)
        first = begin if begin * QUARTER_HOUR == start else after
        last, _ = self._bounds(level, min(end // QUARTER_HOUR, self._open_from))
        if first >= last:
            yield from self._pieces(series, start, end, finer)
            return
        yield from self._pieces(series, start, first * QUARTER_HOUR, finer)
        bucket = {"level": level, "series": series, "start": first, "end": last}
        for begin, count, *numbers in self._connection.execute(_SUMMARIES, bucket):
            if count is None:
                _, after = self._bounds(level, begin)
                yield from self._pieces(series, begin * QUARTER_HOUR, after * QUARTER_HOUR, finer)
            else:
                yield Piece(begin * QUARTER_HOUR, count, *numbers)
        yield from self._pieces(series, last * QUARTER_HOUR, end, finer)

    def _bounds(self, level: int, quarter: int) -> tuple[int, int]:
        return self._summaries.day(quarter) if level == DAYS else (quarter, quarter + 1)


def _fold(pieces: Iterable[Piece], interval: Interval, aggregate: Aggregate) -> list[tuple[int, Value]]:
    buckets: list[tuple[int, list[Piece]]] = []
    end = 0
    for piece in pieces:
        if piece.time >= end:
            start, end = interval.bounds(piece.time)
            buckets.append((start, []))
        buckets[-1][1].append(piece)
    fold = _FOLDS[aggregate]
    return [(start, fold(bucket)) for start, bucket in buckets]
