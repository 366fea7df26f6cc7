"""Hours, days, weeks and months by the local clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.durations import NANOSECONDS
from rules.localtime import PeriodName, Periods, find_midnight, find_moment, show_time

ZONES = ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Africa/Cairo", "America/Havana"]
NAMES: list[PeriodName] = ["hour", "day", "week", "month"]
HOUR = NANOSECONDS["h"]

moments = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)).map(  # noqa: DTZ001 - UTC is added below
    lambda moment: int(moment.replace(tzinfo=UTC, microsecond=0).timestamp()) * 10**9
)


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


@given(moments, st.sampled_from(ZONES), st.sampled_from(NAMES))
def test_periods_hold_their_moments_and_follow_each_other(moment: int, zone: str, name: PeriodName) -> None:
    periods = Periods(name, ZoneInfo(zone))
    start, end = periods.bounds(moment)
    assert start <= moment < end
    assert periods.bounds(start) == periods.bounds(end - 1) == (start, end)
    assert periods.bounds(end)[0] == end


@given(moments, st.sampled_from(ZONES))
def test_days_begin_when_the_date_changes(moment: int, zone: str) -> None:
    here = ZoneInfo(zone)
    start, end = Periods("day", here).bounds(moment)
    date = show_time(moment, here).date()
    assert show_time(start, here).date() == show_time(end - 1, here).date() == date
    assert show_time(start - 1, here).date() == date - timedelta(days=1)
    assert find_midnight(date, here) == start


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_of_changed_clocks_is_shorter_or_longer(day: str, hours: int) -> None:
    start, end = Periods("day", ZoneInfo("Europe/Berlin")).bounds(utc(f"{day} 12:00"))
    assert end - start == hours * HOUR


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    moment = utc("2026-03-01 12:00")  # a Sunday
    assert Periods("week", zone).bounds(moment) == (utc("2026-02-22 16:00"), utc("2026-03-01 16:00"))
    assert Periods("month", zone).bounds(moment) == (utc("2026-02-28 16:00"), utc("2026-03-31 16:00"))
    assert Periods("month", zone).bounds(utc("2026-12-31 17:00"))[1] == utc("2027-01-31 16:00")


def test_a_period_is_compared_with_the_same_one_a_week_before_or_the_month_before() -> None:
    zone = ZoneInfo("Europe/Berlin")
    monday = utc("2026-03-29 22:00")  # the clocks were set forward the day before
    assert Periods("day", zone).find_earlier(monday) == utc("2026-03-22 23:00")
    assert Periods("week", zone).find_earlier(monday) == utc("2026-03-22 23:00")
    assert Periods("hour", zone).find_earlier(monday + 8 * HOUR) == utc("2026-03-23 07:00")
    assert Periods("month", zone).find_earlier(utc("2026-03-31 22:00")) == utc("2026-02-28 23:00")


def test_a_time_that_comes_twice_is_the_first_and_one_left_out_is_the_jump() -> None:
    zone = ZoneInfo("Europe/Berlin")
    assert find_moment(datetime.fromisoformat("2026-10-25 02:30"), zone) == utc("2026-10-25 00:30")
    assert find_moment(datetime.fromisoformat("2026-03-29 02:00"), zone) == utc("2026-03-29 01:00")
