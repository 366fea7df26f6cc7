"""Short notations of tests: what they stand for, and what is said of those that stand for nothing."""

from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.durations import NANOSECONDS
from devices.points import POINTS
from rules.notation import Moment, read_moment, read_offset, read_series, read_start
from tests.rulebench import at

MONDAY = datetime(2026, 3, 2)  # noqa: DTZ001 - as clocks show it
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("230", [230.0]),
        ("230x3", [230.0] * 3),
        ("-5 -5x2", [-5.0, -5.0, -5.0]),
        ("100+0.5x4", [100.0, 100.5, 101.0, 101.5]),
        ("100-2x3", [100.0, 98.0, 96.0]),
        ("-5-1x3", [-5.0, -6.0, -7.0]),
        ("1e3+1e-1x2", [1000.0, 1000.1]),
        (".5 1.", [0.5, 1.0]),
        ("7 _x2 +1x2 +-1", [7.0, None, None, 8.0, 9.0, 8.0]),
        ("_ 3", [None, 3.0]),
        ("(5x2 6)x2", [5.0, 5.0, 6.0] * 2),
        ("1 (+1x2)x2", [1.0, 2.0, 3.0, 4.0, 5.0]),
        ("((1 2)x2 _)x2", [1.0, 2.0, 1.0, 2.0, None] * 2),
        ("  1   2 ", [1.0, 2.0]),
    ],
)
def test_numbers(text: str, values: list[float | None]) -> None:
    assert read_series(text, "temperature_c") == values


def test_words() -> None:
    assert read_series("granted _x2 deniedx2 (opened closed)x2", "event") == [
        "granted", None, None, "denied", "denied", "opened", "closed", "opened", "closed",
    ]  # fmt: skip
    assert read_series('card-1 "card 2x2" "a"x2', "credential") == ["card-1", "card 2x2", "a", "a"]
    assert read_series("truex2 false", "leak") == [True, True, False]


@pytest.mark.parametrize(
    ("text", "point", "said"),
    [
        ("", "voltage_v", "expected values such as"),
        ("230y4", "voltage_v", "expected a number such as 230, 230x4 or 100+0.5x8"),
        ("granted", "voltage_v", "got 'granted'"),
        ("100+1", "voltage_v", "'100+1' does not say how many: 100+1x8 are eight"),
        ("+1x3", "voltage_v", "there is none before it"),
        ("1x0", "voltage_v", "x0 is no value"),
        ("1x500001", "voltage_v", "more than 500,000 values"),
        ("((1x1000)x1000)x1000", "voltage_v", "more than 500,000 values"),
        ("(1", "voltage_v", "a ( is not closed"),
        ("1)", "voltage_v", "a ) without its ("),
        ("()", "voltage_v", "() holds no values"),
        ("(" * 11 + "1" + ")" * 11, "voltage_v", "brackets in more than 10 levels"),
        ("1e999", "voltage_v", "expected a finite number"),
        ("yes", "leak", "expected true or false, got 'yes'"),
        ("entered", "event", "'entered': not one of its words"),
        ('"open', "credential", 'a " is not closed'),
    ],
)
def test_what_is_no_series(text: str, point: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_series(text, point)
    assert said in str(caught.value)


@given(st.lists(st.none() | st.floats(-1e6, 1e6).map(lambda number: round(number, 3)), min_size=1, max_size=30))
def test_values_written_out_are_themselves(values: list[float | None]) -> None:
    text = " ".join("_" if value is None else f"{value:.3f}" for value in values)
    assert read_series(text, "power_kw") == values
    assert read_series(f"({text})x3", "power_kw") == values * 3


@given(st.integers(-1000, 1000), st.integers(1, 50), st.integers(1, 100))
def test_a_ramp_goes_on_as_if_it_were_one(start: int, step: int, times: int) -> None:
    whole = read_series(f"{start}+{step}x{times + 7}", "power_kw")
    assert read_series(f"{start}+{step}x{times} +{step}x7", "power_kw") == whole


@given(st.text('0123456789.+-x_()e "ab', max_size=40))
def test_any_text_is_a_series_or_refused(text: str) -> None:
    for point in ("voltage_v", "leak", "credential"):
        with suppress(ValueError):
            values = read_series(text, point)
            assert values
            assert {type(value) for value in values} <= {POINTS[point].type, type(None)}


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("08:00", "2026-03-02 00:00"),
        ("7:59:30", "2026-03-02 23:59:30"),  # the start is at eight, so that this is on the next day
        ("2026-03-05 00:30", "2026-03-04 16:30"),
        ("2026-03-05T00:30:15", "2026-03-04 16:30:15"),
        ("90m", "2026-03-02 01:30"),
        ("1d12h", "2026-03-03 12:00"),
    ],
)
def test_moments(text: str, utc: str) -> None:
    moment = read_moment(text)
    assert isinstance(moment, Moment)
    assert moment.find(MONDAY.replace(hour=8), SHANGHAI) == at(utc)
    assert read_moment(moment) is moment


def test_a_duration_is_elapsed_time_and_a_clock_shows_what_it_shows() -> None:
    start, berlin = MONDAY.replace(day=28, hour=12), ZoneInfo("Europe/Berlin")  # the clocks go forward in the night
    day, noon = read_moment("24h"), read_moment("2026-03-29 12:00")
    assert isinstance(day, Moment)
    assert isinstance(noon, Moment)
    assert day.find(start, berlin) - noon.find(start, berlin) == NANOSECONDS["h"]


@pytest.mark.parametrize("text", ["25:00", "8", "soon", "", "2026-02-30 08:00", 3, None])
def test_what_is_no_moment(text: object) -> None:
    with pytest.raises(ValueError, match="expected a moment such as 05:00"):
        read_moment(text)


def test_how_far_a_clock_is_off() -> None:
    found = [read_offset(text) for text in ("+10m", "-2h", " -1d12h ")]
    assert found == [NANOSECONDS["m"] * 10, NANOSECONDS["h"] * -2, NANOSECONDS["h"] * -36]


@pytest.mark.parametrize("text", ["10m", "", "+", "+-5m", "+soon", True, None])
def test_what_is_no_offset(text: object) -> None:
    with pytest.raises(ValueError, match=r"how far a clock is off, such as \+10m or -2h"):
        read_offset(text)


def test_the_start() -> None:
    assert read_start("2026-03-02 08:00") == MONDAY.replace(hour=8)
    assert read_start("2026-03-02") == MONDAY
    for text in ("08:00", "2026-03-02T08:00Z", 5):
        with pytest.raises(ValueError, match="by the site's clocks"):
            read_start(text)
