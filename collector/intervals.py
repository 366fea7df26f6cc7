"""Intervals: how time is cut into buckets that follow the clocks of the site's time zone."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from devices.durations import NANOSECONDS, parse_duration

_SECOND, _HOUR, _DAY, _WEEK = (NANOSECONDS[unit] for unit in ("s", "h", "d", "w"))
_FIRST_MONDAY = 4 * _DAY
"""1970 began on a Thursday."""


class Interval:
    """Buckets of one length, such as `15m` or `1d`.

    Up to an hour they are equally long. Longer ones begin when the local clock shows a multiple of their length, so
    that a day is the local day, also when it has 23 or 25 hours. InfluxQL's `GROUP BY time(…) tz(…)` cuts alike, only
    that its weeks begin on Thursday, ours on Monday.

    Attributes:
        length: nanoseconds; where the clocks are changed, a bucket of more than an hour is shorter or longer.
    """

    def __init__(self, text: str, zone: ZoneInfo) -> None:
        """Reads an interval as people write it.

        Raises:
            ValueError: it is no duration, or neither divides an hour or a day nor is whole days.
        """
        length = parse_duration(text)
        if not length or not (
            _HOUR % length == 0 or (length % _HOUR == 0 and _DAY % length == 0) or length % _DAY == 0
        ):
            raise ValueError(
                f"interval {text!r}: expected a part of an hour (1m, 5m, 15m), whole hours that divide a day (1h, 6h), "
                "or whole days or weeks (1d, 1w)",
            )
        self.length = length
        self._zone = zone
        self._origin = _FIRST_MONDAY if self.length % _WEEK == 0 else 0

    def bounds(self, time: int) -> tuple[int, int]:
        """First nanosecond of the bucket that holds a time, and first nanosecond after it (UTC)."""
        seconds, rest = divmod(time, _SECOND)
        wall = _relabel(seconds, self._zone, UTC) * _SECOND + rest
        elapsed = (wall - self._origin) % self.length
        if self.length <= _HOUR:
            return time - elapsed, time - elapsed + self.length
        start = wall - elapsed
        return self._instant(start), self._instant(start + self.length)

    def _instant(self, wall: int) -> int:
        return _relabel(wall // _SECOND, UTC, self._zone) * _SECOND


def _relabel(seconds: int, shown: tzinfo, meant: tzinfo) -> int:
    """When a clock in zone `meant` shows what one in zone `shown` shows at a time, all in seconds since 1970.

    Of a time that comes twice it is the first; one that is left out is when the clock jumps over it.
    """
    return int(datetime.fromtimestamp(seconds, shown).replace(tzinfo=meant, fold=0).timestamp())
