"""Recorded readings from a CSV file, in any order, of any size.

The first row names the columns. `device` and `time` must be there; then either `point` and `value`, a row for each
value, or points themselves, a row for each reading, in which an empty cell is a value that is missing. A time is RFC
3339 or, without an offset, as the site's clocks show it; or seconds, milliseconds, microseconds or nanoseconds since
1970. Numbers are in the point's own unit.
"""

import csv
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from math import isfinite
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

from collector.errors import CollectorError
from collector.store import Sample
from devices.durations import NANOSECONDS
from devices.points import POINTS
from devices.reading import Reading, Value
from devices.values import suggest

_Row: TypeAlias = tuple[int, str, str, Value]

_SECOND = NANOSECONDS["s"]
_YES_NO = {"true": True, "1": True, "false": False, "0": False}
_EPOCHS = ((10**17, 1), (10**14, 10**3), (10**11, 10**6), (0, 10**9))
"""From how much on an integer is nanoseconds, microseconds, milliseconds or seconds, and their ns."""


class CsvHistory:
    """What a file holds, put in order in a temporary database that goes with this object.

    Attributes:
        strangers: rows of devices that are not in the register.
        first, last: times of the oldest and newest value, UTC ns; 0 where there is none.
    """

    def __init__(self, path: Path, devices: Collection[str], zone: ZoneInfo) -> None:
        """Reads the file.

        Args:
            path: of the file.
            devices: those of the register.
            zone: of times without an offset.

        Raises:
            CollectorError: it cannot be read; the message names the line.
        """
        self._path, self._devices, self._zone = path, devices, zone
        self.strangers: Counter[str] = Counter()
        self._database = sqlite3.connect("")
        self._database.execute("PRAGMA cache_size = -100000")
        self._database.execute(
            "CREATE TABLE sample (time INTEGER, device TEXT, point TEXT, value, PRIMARY KEY (time, device, point))"
            " WITHOUT ROWID"
        )
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                self._database.executemany("INSERT OR REPLACE INTO sample VALUES (?, ?, ?, ?)", self._read(file))
        except OSError as error:
            raise CollectorError(f"{path}: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise CollectorError(f"{path}: this is not UTF-8 text; a spreadsheet calls it 'CSV UTF-8'") from error
        first, last = self._database.execute("SELECT min(time), max(time) FROM sample").fetchone()
        self.first: int = first or 0
        self.last: int = last or 0

    def close(self) -> None:
        """Gives the temporary database back."""
        self._database.close()

    def readings(self, start: int, stop: int) -> Iterator[Reading]:
        """See `collector.backtest.history.History`."""
        rows = self._database.execute(
            "SELECT time, device, point, value FROM sample WHERE time >= ? AND time < ? ORDER BY time, device",
            (start, stop),
        )
        for (time, device), group in groupby(rows, key=lambda row: row[:2]):
            yield Reading(device, time, time, {point: _restore(point, value) for _, _, point, value in group})

    def series(self, device: str, point: str, start: int, stop: int) -> Sequence[Sample]:
        """See `collector.backtest.history.History`."""
        rows = self._database.execute(
            "SELECT time, value FROM sample WHERE device = ? AND point = ? AND time >= ? AND time < ? ORDER BY time",
            (device, point, start, stop),
        )
        return [Sample(time, _restore(point, value)) for time, value in rows]

    # ── reading the file ─────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, file: Iterator[str]) -> Iterator[_Row]:
        rows = csv.reader(file)
        header = [name.strip() for name in next(rows, [])]
        device_at, time_at = self._find(header, "device"), self._find(header, "time")
        is_long = "point" in header and "value" in header
        columns = [] if is_long else self._find_points(header, {device_at, time_at})
        point_at, value_at = (header.index("point"), header.index("value")) if is_long else (0, 0)
        for row in rows:
            if not row:
                continue
            if len(row) != len(header):
                raise self._complain(rows.line_num, f"expected {len(header)} cells, got {len(row)}")
            device = row[device_at].strip()
            if device not in self._devices:
                self.strangers[device] += 1
                continue
            try:
                time = self._read_time(row[time_at].strip())
                for point, place in [(row[point_at].strip(), value_at)] if is_long else columns:
                    if written := row[place].strip():
                        yield time, device, point, _read_value(point, written)
            except ValueError as error:
                raise self._complain(rows.line_num, str(error)) from None

    def _find(self, header: Sequence[str], name: str) -> int:
        if name not in header:
            raise self._complain(1, f"missing column {name!r}; expected device, time, and point, value or points")
        return header.index(name)

    def _find_points(self, header: Sequence[str], others: Collection[int]) -> list[tuple[str, int]]:
        columns = [(name, place) for place, name in enumerate(header) if place not in others]
        for name, _ in columns:
            if name not in POINTS:
                hint = suggest(name, POINTS) or "expected point and value, or points (docs/reference/points.md)"
                raise self._complain(1, f"column {name!r} is no point; {hint}")
        if not columns:
            raise self._complain(1, "there is no column with values: expected point and value, or points")
        return columns

    def _read_time(self, written: str) -> int:
        if written.isdecimal():
            number = int(written)
            return number * next(length for least, length in _EPOCHS if number >= least)
        try:
            moment = datetime.fromisoformat(written)
        except ValueError:
            raise ValueError(f"time: expected 2026-03-01T08:00:00+08:00 or a number, got {written!r}") from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._zone)
        return int(moment.replace(microsecond=0).timestamp()) * _SECOND + moment.microsecond * 1_000

    def _complain(self, line: int, message: str) -> CollectorError:
        return CollectorError(f"{self._path}:{line}: {message}")


def _read_value(point: str, written: str) -> Value:
    """A cell as its point's value.

    Raises:
        ValueError: it is none.
    """
    if point not in POINTS:
        raise ValueError(f"{point!r} is no point; {suggest(point, POINTS) or 'docs/reference/points.md lists them'}")
    kind = POINTS[point].type
    if kind is str:
        return written
    if kind is bool:
        if written.lower() not in _YES_NO:
            raise ValueError(f"{point}: expected true or false, got {written!r}")
        return _YES_NO[written.lower()]
    try:
        number = float(written)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise ValueError(f"{point}: expected a number, got {written!r}")
    return number


def _restore(point: str, value: float | str) -> Value:
    """SQLite has no booleans."""
    return bool(value) if POINTS[point].type is bool else value
