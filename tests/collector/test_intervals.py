"""How time is cut into buckets."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.intervals import Interval

SECOND = 1_000_000_000


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("interval", "zone", "time", "start", "end"),
    [
        ("15m", "Europe/Berlin", "2026-06-01T10:14:59+02:00", "2026-06-01T10:00+02:00", "2026-06-01T10:15+02:00"),
        ("1h", "Asia/Kolkata", "2026-06-01T10:10+05:30", "2026-06-01T10:00+05:30", "2026-06-01T11:00+05:30"),
        # the hour that comes twice is two hours …
        ("1h", "Europe/Berlin", "2026-10-25T02:30+02:00", "2026-10-25T02:00+02:00", "2026-10-25T03:00+02:00"),
        ("1h", "Europe/Berlin", "2026-10-25T02:30+01:00", "2026-10-25T02:00+01:00", "2026-10-25T03:00+01:00"),
        # … but six hours on the clock, and a day, go on until the clock shows their end
        ("6h", "Europe/Berlin", "2026-10-25T02:30+01:00", "2026-10-25T00:00+02:00", "2026-10-25T06:00+01:00"),
        ("1d", "Europe/Berlin", "2026-10-25T23:59+01:00", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00"),
        ("1d", "Europe/Berlin", "2026-03-29T12:00+02:00", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00"),
        ("1w", "Europe/Berlin", "2026-10-25T12:00+01:00", "2026-10-19T00:00+02:00", "2026-10-26T00:00+01:00"),
        ("7d", "Asia/Shanghai", "2026-11-22T08:00+08:00", "2026-11-16T00:00+08:00", "2026-11-23T00:00+08:00"),
        # midnight comes twice
        ("1d", "America/Havana", "2026-11-01T00:30-05:00", "2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00"),
        # midnight is left out
        ("1d", "America/Havana", "2026-03-08T12:00-04:00", "2026-03-08T01:00-04:00", "2026-03-09T00:00-04:00"),
    ],
)
def test_buckets_follow_the_local_clock(interval: str, zone: str, time: str, start: str, end: str) -> None:
    assert Interval(interval, ZoneInfo(zone)).bounds(ns(time)) == (ns(start), ns(end))


@pytest.mark.parametrize("text", ["7m", "45m", "90m", "5h", "36h", "0s"])
def test_an_interval_that_does_not_divide_time_evenly_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"interval '{text}': expected a part of an hour"):
        Interval(text, ZoneInfo("UTC"))


def test_an_interval_that_is_no_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        Interval("daily", ZoneInfo("UTC"))


@given(
    text=st.sampled_from(["1s", "1m", "10m", "15m", "1h", "2h", "6h", "12h", "1d", "3d", "1w", "2w"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Shanghai", "Asia/Kathmandu", "America/New_York"]),
    time=st.integers(ns("2020-01-01T00:00+00:00"), ns("2030-01-01T00:00+00:00")),
)
def test_buckets_cover_all_time_once(text: str, zone: str, time: int) -> None:
    interval = Interval(text, ZoneInfo(zone))
    start, end = interval.bounds(time)
    assert start <= time < end
    assert interval.bounds(start) == interval.bounds(end - 1) == (start, end)
    assert interval.bounds(end)[0] == end
