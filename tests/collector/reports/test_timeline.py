"""A period in quarters of an hour: its days, its clock, and what holds in parts of a quarter."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.accounts import QUARTER
from collector.reports.period import parse_period
from collector.reports.timeline import Timeline, find_values
from rules.calendars import Calendar, CalendarPlan
from tickets.rates import Rates
from tickets.tariffs import Tariffs

BERLIN = ZoneInfo("Europe/Berlin")
LATE = 2**62


def timeline(period: str, zone: ZoneInfo = BERLIN, now: int = LATE) -> Timeline:
    return Timeline(parse_period(period, zone, 0), now)


@pytest.mark.parametrize(
    ("period", "quarters", "two_o_clock"),
    [("2026-03-28", 96, 4), ("2026-03-29", 92, 0), ("2026-10-25", 100, 8), ("2026-03", 31 * 96 - 4, 30 * 4)],
)
def test_the_clock_shows_what_it_shows(period: str, quarters: int, two_o_clock: int) -> None:
    found = timeline(period)
    assert len(found) == quarters
    assert (found.clock == 2).sum() == two_o_clock


def test_days_and_weekdays() -> None:
    found = timeline("2026-03-28..2026-03-30")  # Saturday to Monday
    assert np.bincount(found.day).tolist() == [96, 92, 96]
    assert np.unique(found.weekday[found.day == 1]).tolist() == [6]


def test_hours_of_a_zone_that_is_half_an_hour_off() -> None:
    found = timeline("2026-03-03", ZoneInfo("Asia/Kolkata"))
    assert np.bincount(found.hour).tolist() == [4] * 24
    assert found.clock[:4].tolist() == [0] * 4


def test_a_february_has_29_days_every_fourth_year() -> None:
    assert (len(timeline("2027-02")), len(timeline("2028-02"))) == (28 * 96, 29 * 96)


def test_what_is_not_over_ends_with_the_last_whole_quarter() -> None:
    start = parse_period("2026-03-03", BERLIN, 0).start
    found = timeline("2026-03-03", now=start + 5 * QUARTER + 1)
    assert (len(found), found.is_over) == (5, False)
    assert found.sum_by_day(np.ones(5)).tolist() == [5]


def test_a_calendar_that_begins_within_a_quarter_has_its_part_of_it() -> None:
    working = Calendar(CalendarPlan.model_validate({"hours": "08:05-09:00"}))
    share = timeline("2026-03-03").share_within(working)
    # 08:05 to 08:15 are two thirds of a quarter
    assert share[31:37].tolist() == pytest.approx([0, 2 / 3, 1, 1, 1, 0])
    assert share.sum() * 15 == pytest.approx(55)


SPANS = st.lists(st.tuples(st.integers(-100, 96 * 15 + 100), st.integers(1, 200), st.floats(0, 10)), max_size=8)


@given(SPANS)
def test_what_is_weighed_is_what_there_was(spans: list[tuple[int, int, float]]) -> None:
    found = timeline("2026-03-03", ZoneInfo("UTC"))
    minute, first, last = QUARTER // 15, found.edges[0], found.edges[-1]
    placed, time, expected = [], first - 100 * minute, 0.0
    for gap, length, value in spans:
        begin = time + abs(gap) * minute
        time = begin + length * minute
        placed.append((begin, time, value))
        expected += value * max(0, min(time, last) - max(begin, first)) / QUARTER
    assert found.weigh(placed).sum() == pytest.approx(expected, abs=1e-6)


TARIFFS = Tariffs.model_validate(
    {
        "electricity": [
            {
                "from": "2026-03-01",
                "until": "2026-03-03",
                "price": "0.20 EUR/kWh",
                "bands": [{"name": {"en": "peak", "zh": "高峰"}, "price": "0.50 EUR/kWh", "hours": "08:00-12:05"}],
            },
            {"from": "2026-03-04", "until": "2026-03-04", "price": "0.30 EUR/kWh"},
        ],
        "emissions": {"electricity": [{"from": "2026-03-04", "factor": "0.4 kgCO2e/kWh"}]},
    }
)


def test_values_are_those_of_each_quarter_and_bands_add_up_to_them() -> None:
    found = timeline("2026-03-03..2026-03-05")
    values = find_values(found, Rates(TARIFFS, BERLIN), "electricity", "zh")
    assert list(values.bands) == ["", "高峰"]
    # 12:00 to 12:15 has five minutes at 0.50 and ten at 0.20
    assert values.price[[0, 32, 48, 49, 96, 192]] == pytest.approx([0.2, 0.5, 0.3, 0.2, 0.3, 0.0])
    assert values.priced[[0, 191, 192]].tolist() == [1, 1, 0]
    assert values.factored[[95, 96]].tolist() == [0, 1]
    assert sum(price for _, price in values.bands.values()) == pytest.approx(values.price)
    assert sum(share for share, _ in values.bands.values()) == pytest.approx(values.priced)
