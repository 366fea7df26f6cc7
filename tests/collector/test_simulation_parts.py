"""Chance, curves, the calendar and the weather of the simulated campus."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.simulation.chance import Chance
from collector.simulation.curve import NODE_NS, Curve, Step
from collector.simulation.rhythm import USES, Moment, Rhythm, find_country, is_exam, measure_activity
from collector.simulation.weather import Weather

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = 3_600_000_000_000
START = 1_795_332_000_000_000_000  # 2026-11-22 07:20 UTC, on a node


def test_chance_depends_on_its_key_alone() -> None:
    chance = Chance(1, "em-01")
    first = [chance.share("power", index) for index in range(50)]
    assert first == [Chance(1).sub("em-01").share("power", index) for index in range(50)]
    assert first != [Chance(2, "em-01").share("power", index) for index in range(50)]


def test_chance_is_even_and_normal() -> None:
    chance = Chance(1)
    shares = sorted(chance.share(index) for index in range(2000))
    assert shares[500] == pytest.approx(0.25, abs=0.04)
    assert shares[1500] == pytest.approx(0.75, abs=0.04)
    normals = [chance.normal(index) for index in range(2000)]
    assert sum(normals) / 2000 == pytest.approx(0, abs=0.1)
    assert sum(value * value for value in normals) / 2000 == pytest.approx(1, abs=0.1)
    assert {chance.pick("abc", index) for index in range(50)} == {"a", "b", "c"}


# ── curves ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_straight_rate_has_the_integral_of_a_triangle() -> None:
    curve = Curve(lambda time: 12 * (time - START) / HOUR, START)  # rises by 12 an hour
    assert curve.rate(START + HOUR // 2) == pytest.approx(6)
    assert curve.total(START + HOUR // 2) == pytest.approx(1.5)
    assert curve.total(START + HOUR) == pytest.approx(6)


def test_a_step_adds_from_its_first_to_before_its_last_nanosecond() -> None:
    begin = START + NODE_NS // 2
    curve = Curve(lambda _: 1.0, START, [Step(begin, begin + HOUR, 3.0)])
    assert [curve.rate(time) for time in (begin - 1, begin, begin + HOUR - 1, begin + HOUR)] == [1, 4, 4, 1]
    assert curve.total(begin) == pytest.approx(1 / 24)
    assert curve.total(begin + HOUR // 2) == pytest.approx(1 / 24 + 2)
    assert curve.total(begin + 2 * HOUR) == pytest.approx(1 / 24 + 2 + 3)


def test_a_step_that_began_before_the_start_counts_from_the_start() -> None:
    curve = Curve(lambda _: 0.0, START, [Step(START - HOUR, START + HOUR, 2.0)])
    assert curve.total(START) == 0
    assert curve.total(START + 2 * HOUR) == pytest.approx(2)


@given(
    rates=st.lists(st.floats(0, 100), min_size=20, max_size=20),
    moments=st.lists(st.integers(0, 18 * NODE_NS), min_size=2, max_size=8),
)
def test_the_integral_is_the_rate_added_up_and_does_not_depend_on_what_was_asked_before(
    rates: list[float], moments: list[int]
) -> None:
    def node(time: int) -> float:
        return rates[(time - START) // NODE_NS]

    curve = Curve(node, START, [Step(START + NODE_NS // 3, START + 5 * NODE_NS, 7.0)])
    for moment in moments:
        fresh = Curve(node, START, curve.steps)
        assert curve.total(START + moment) == fresh.total(START + moment)
        assert curve.rate(START + moment) == fresh.rate(START + moment)
    low, high = min(moments), max(moments)
    used = curve.total(START + high) - curve.total(START + low)
    most = max(rates) + 7.0
    assert -1e-9 <= used <= most * (high - low) / HOUR + 1e-9


def test_a_sum_of_curves_is_their_sum_at_every_moment() -> None:
    chance = Chance(1)
    one = Curve(lambda time: chance.share("one", time), START)
    two = Curve(lambda time: chance.share("two", time), START, [Step(START + 1, START + HOUR, 2.0)])
    both = Curve.sum([one, two], START, 1.1)
    for moment in (START, START + 1, START + NODE_NS // 7, START + HOUR, START + 5 * HOUR + 17):
        assert both.rate(moment) == pytest.approx(1.1 * (one.rate(moment) + two.rate(moment)))
        assert both.total(moment) == pytest.approx(1.1 * (one.total(moment) + two.total(moment)))


def test_a_curve_refuses_the_time_before_its_start() -> None:
    with pytest.raises(ValueError, match="before its start"):
        Curve(lambda _: 1.0, START).rate(START - NODE_NS)


# ── the calendar ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 10, 1), "holiday"),  # National Day, a Thursday
        (date(2026, 10, 10), "working"),  # a Saturday, worked to make up for the holiday
        (date(2026, 11, 21), "weekend"),
        (date(2026, 11, 23), "working"),
    ],
)
def test_days_of_china_are_told_apart(day: date, kind: str) -> None:
    assert Rhythm(SHANGHAI).classify(day) == kind


def test_a_zone_without_a_country_has_weekends_but_no_holidays() -> None:
    rhythm = Rhythm(ZoneInfo("UTC"))
    assert rhythm.classify(date(2026, 12, 25)) == "working"
    assert rhythm.classify(date(2026, 12, 26)) == "weekend"


@pytest.mark.parametrize(
    ("zone", "country"), [("Asia/Shanghai", "CN"), ("Europe/Berlin", "DE"), ("UTC", ""), ("Etc/GMT+3", "")]
)
def test_a_time_zone_tells_its_country(zone: str, country: str) -> None:
    assert find_country(zone) == country


def test_a_moment_is_local() -> None:
    moment = Rhythm(SHANGHAI).moment(START)
    assert moment.day == date(2026, 11, 22)
    assert moment.hour == pytest.approx(15 + 20 / 60)


def test_an_hour_of_a_local_day_is_located_in_utc() -> None:
    assert Rhythm(SHANGHAI).locate(date(2026, 11, 22), 15 + 20 / 60) == START


def test_weeks_of_exams_fill_the_library() -> None:
    assert is_exam(date(2027, 1, 5))
    assert is_exam(date(2027, 7, 3))
    assert not is_exam(date(2027, 7, 4))
    usual = Moment(date(2027, 1, 4), 15.0, "working", exams=False)
    exams = Moment(date(2027, 1, 11), 15.0, "working", exams=True)
    assert measure_activity("library", exams) > measure_activity("library", usual)


@given(hour=st.floats(0, 23.999), kind=st.sampled_from(["working", "weekend", "holiday"]), use=st.sampled_from(USES))
def test_activity_is_a_share(hour: float, kind: str, use: str) -> None:
    for exams in (True, False):
        level = measure_activity(use, Moment(date(2027, 1, 11), hour, kind, exams))  # type: ignore[arg-type] # drawn from the literals
        assert 0 <= level <= 1


@pytest.mark.parametrize("use", USES)
def test_nobody_is_about_at_three_at_night_and_activity_has_no_jump_at_midnight(use: str) -> None:
    for kind in ("working", "weekend", "holiday"):
        hours = {
            hour: measure_activity(use, Moment(date(2027, 3, 1), hour, kind, exams=False))  # type: ignore[arg-type] # drawn from the literals
            for hour in (0.0, 3.0, 23.9999)
        }
        assert hours[3.0] < 0.05
        assert hours[0.0] == pytest.approx(hours[23.9999], abs=0.001)


# ── the weather ──────────────────────────────────────────────────────────────────────────────────────────────────


def _average(weather: Weather, rhythm: Rhythm, month: int, hour: float) -> float:
    return sum(weather.temperature_c(rhythm.locate(date(2026, month, day), hour)) for day in range(1, 29)) / 28


def test_summers_are_warm_winters_cold_and_afternoons_warmer_than_mornings() -> None:
    rhythm = Rhythm(SHANGHAI)
    weather = Weather(rhythm, Chance(1))
    assert _average(weather, rhythm, 7, 15) > 28
    assert _average(weather, rhythm, 1, 3) < 5
    assert _average(weather, rhythm, 4, 15) - _average(weather, rhythm, 4, 3) == pytest.approx(8, abs=2)


def test_the_air_is_damp_before_sunrise_and_dry_in_the_afternoon() -> None:
    rhythm = Rhythm(SHANGHAI)
    weather = Weather(rhythm, Chance(1))
    for day in (date(2026, 1, 20), date(2026, 7, 20)):
        hours = [weather.humidity_percent(rhythm.locate(day, hour / 4)) for hour in range(96)]
        assert 20 < min(hours) < max(hours) < 100
        assert hours[3 * 4] - hours[15 * 4] > 15
    midnight = rhythm.locate(date(2026, 7, 20), 24)
    before, after = weather.humidity_percent(midnight - 1_000_000_000), weather.humidity_percent(midnight)
    assert before == pytest.approx(after, abs=0.01)


def test_nights_are_dark_and_summer_days_longer() -> None:
    rhythm = Rhythm(SHANGHAI)
    weather = Weather(rhythm, Chance(1))
    assert weather.daylight(rhythm.locate(date(2026, 6, 21), 2)) == 0
    assert weather.daylight(rhythm.locate(date(2026, 6, 21), 12)) > 0.25
    assert weather.daylight(rhythm.locate(date(2026, 6, 21), 18.5)) > 0
    assert weather.daylight(rhythm.locate(date(2026, 12, 21), 18.5)) == 0
