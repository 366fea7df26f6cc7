"""Periods of reports."""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.reports.period import Period, parse_period
from collector.reports.periodnames import name_period

BERLIN = ZoneInfo("Europe/Berlin")
NOW = int(datetime(2026, 11, 22, 23, 30, tzinfo=UTC).timestamp()) * 10**9
"""Already the 23rd in Berlin, a Monday."""
HOUR = 3600 * 10**9


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("2026-10-05", date(2026, 10, 5), date(2026, 10, 6)),
        ("2026-W01", date(2025, 12, 29), date(2026, 1, 5)),
        ("2026-10", date(2026, 10, 1), date(2026, 11, 1)),
        ("2026-Q4", date(2026, 10, 1), date(2027, 1, 1)),
        ("2026", date(2026, 1, 1), date(2027, 1, 1)),
        ("2026-10-01..2026-10-15", date(2026, 10, 1), date(2026, 10, 16)),
        ("yesterday", date(2026, 11, 22), date(2026, 11, 23)),
        ("last-week", date(2026, 11, 16), date(2026, 11, 23)),
        ("last-month", date(2026, 10, 1), date(2026, 11, 1)),
        ("last-quarter", date(2026, 7, 1), date(2026, 10, 1)),
        ("last-year", date(2025, 1, 1), date(2026, 1, 1)),
    ],
)
def test_it_is_read_as_people_write_it(text: str, first: date, after: date) -> None:
    period = parse_period(text, BERLIN, NOW)
    assert (period.first, period.after) == (first, after)


@pytest.mark.parametrize("text", ["", "october", "2026-13", "2026-W60", "2026-Q5", "2026-10-31..2026-10-01", "now"])
def test_what_is_none_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"period {text!r}: expected 2026-10-05, 2026-W40, 2026-10")):
        parse_period(text, BERLIN, NOW)


def test_days_have_the_hours_that_the_clocks_give_them() -> None:
    spring, autumn = parse_period("2026-03-29", BERLIN, NOW), parse_period("2026-10-25", BERLIN, NOW)
    assert (spring.end - spring.start, autumn.end - autumn.start) == (23 * HOUR, 25 * HOUR)


def test_a_month_is_measured_against_months() -> None:
    march = parse_period("2024-03", BERLIN, NOW)
    assert (str(march.before()), march.before().days) == ("2024-02", 29)
    assert str(march.year_before()) == "2023-03"
    assert str(parse_period("2026-Q1", BERLIN, NOW).before()) == "2025-Q4"


def test_a_year_before_weekdays_stand_beside_each_other() -> None:
    week = parse_period("2026-W40", BERLIN, NOW)
    assert week.year_before().first.weekday() == week.first.weekday()
    assert (week.first - week.year_before().first).days == 364


_texts = st.one_of(
    st.dates(date(2000, 1, 1), date(2090, 1, 1)).map(str),
    st.dates(date(2000, 1, 1), date(2090, 1, 1)).map(lambda day: f"{day:%Y-%m}"),
    st.dates(date(2000, 1, 1), date(2090, 1, 1)).map(lambda day: "{}-W{:02}".format(*day.isocalendar())),
    st.tuples(st.integers(2000, 2090), st.integers(1, 4)).map(lambda parts: "{}-Q{}".format(*parts)),
    st.integers(2000, 2090).map(str),
)


@given(_texts)
def test_it_is_written_as_it_was_read_and_the_one_before_ends_where_it_begins(text: str) -> None:
    period = parse_period(text, BERLIN, NOW)
    assert str(period) == text
    assert period.before().end == period.start
    assert isinstance(period.before(), Period)
    assert period.before().length == period.length


@pytest.mark.parametrize(
    ("text", "en", "zh"),
    [
        ("2026-10-05", "2026-10-05", "2026年10月5日"),
        ("2026-W01", "week 1 of 2026", "2026年第1周"),
        ("2026-10", "October 2026", "2026年10月"),
        ("2026-Q3", "Q3 2026", "2026年第3季度"),
        ("2026", "2026", "2026年"),
        ("2026-10-01..2026-10-15", "2026-10-01 to 2026-10-15", "2026-10-01 至 2026-10-15"),
    ],
)
def test_what_people_call_a_period(text: str, en: str, zh: str) -> None:
    period = parse_period(text, BERLIN, NOW)
    assert (name_period(period, "en"), name_period(period, "zh")) == (en, zh)
