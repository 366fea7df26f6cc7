import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.durations import format_duration, parse_duration, write_duration


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("500ms", 500_000_000),
        ("30s", 30_000_000_000),
        ("1.5 s", 1_500_000_000),
        ("15m", 900_000_000_000),
        ("15min", 900_000_000_000),
        ("12h", 43_200_000_000_000),
        ("7d", 604_800_000_000_000),
        ("2w", 1_209_600_000_000_000),
        ("1h30m", 5_400_000_000_000),
        ("1h 30m", 5_400_000_000_000),
    ],
)
def test_reads_what_people_write(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize("text", ["", " ", "15", "m", "-5m", "5 minutes", "1h30", "15m!", "1:30", "5M", "1,5h", "٣m"])
def test_refuses_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration such as 30s, 15m, 12h or 7d, got "):
        parse_duration(text)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (250_000_000, "250ms"),
        (1_000_000_000, "1s"),
        (90_000_000_000, "90s"),
        (5_400_000_000_000, "90m"),
        (86_400_000_000_000, "1d"),
        (3_024_000_000_000_000, "35d"),
    ],
)
def test_writes_the_largest_unit_that_divides(nanoseconds: int, text: str) -> None:
    assert write_duration(nanoseconds) == text


@given(st.integers(1, 100 * 365 * 86_400_000))
def test_reads_exactly_what_it_writes(milliseconds: int) -> None:
    assert parse_duration(write_duration(milliseconds * 1_000_000)) == milliseconds * 1_000_000


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (4_200_000_000, "4.2s"),
        (59_000_000_000, "59s"),
        (83_000_000_000, "1m 23s"),
        (5_400_000_000_000, "1h 30m"),
        (19 * 86_400_000_000_000 + 3_600_000_000_000, "19d 1h"),
        (3_600_000_000_000, "1h"),
        (-90_000_000_000, "-1m 30s"),
    ],
)
def test_shows_the_two_largest_parts(nanoseconds: int, text: str) -> None:
    assert format_duration(nanoseconds) == text
