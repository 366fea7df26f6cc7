"""Times in payloads, worked by hand: 2026-11-22T08:00:00Z is 1,795,334,400 s after 1970."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devices.timestamps import (
    DAY,
    MICROSECOND,
    MILLISECOND,
    MINUTE,
    NANOSECOND,
    SECOND,
    ClockError,
    format_rfc3339,
    parse_age,
    parse_dsmr,
    parse_epoch,
    parse_local,
    parse_rfc3339,
)

BERLIN = ZoneInfo("Europe/Berlin")
DUBLIN = ZoneInfo("Europe/Dublin")
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "time", "resolution"),
    [
        ("1970-01-01T00:00:00Z", 0, 10**9),
        ("2026-11-22T08:00:00Z", 1_795_334_400_000_000_000, 10**9),
        ("2026-11-22t08:00:00z", 1_795_334_400_000_000_000, 10**9),
        ("2026-11-22 08:00:00Z", 1_795_334_400_000_000_000, 10**9),
        ("2026-11-22T16:00:00+08:00", 1_795_334_400_000_000_000, 10**9),
        ("2026-11-22T16:00:00+0800", 1_795_334_400_000_000_000, 10**9),
        ("2026-11-22T02:30:00-05:30", 1_795_334_400_000_000_000, 10**9),
        ("2026-11-22T08:00:00-00:00", 1_795_334_400_000_000_000, 10**9),
        ("2026-11-22T08:00:00.5Z", 1_795_334_400_500_000_000, 10**8),
        ("2026-11-22T08:00:00.000Z", 1_795_334_400_000_000_000, 10**6),
        ("2026-11-22T08:00:00.123456Z", 1_795_334_400_123_456_000, 10**3),
        ("2026-11-22T08:00:00.1234567Z", 1_795_334_400_123_456_700, 100),
        ("2026-11-22T08:00:00.123456789Z", 1_795_334_400_123_456_789, 1),
        ("2026-11-22T08:00:00.123456789987Z", 1_795_334_400_123_456_789, 1),
        ("2026-11-22T08:00:00.999999999999Z", 1_795_334_400_999_999_999, 1),
        ("1969-12-31T23:59:59Z", -1_000_000_000, 10**9),
        ("1969-12-31T23:59:59.75Z", -250_000_000, 10**7),
        ("1900-01-01T00:00:00Z", -2_208_988_800_000_000_000, 10**9),
        ("2016-12-31T23:59:59Z", 1_483_228_799_000_000_000, 10**9),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000, 10**9),
        ("2016-12-31T23:59:60.25Z", 1_483_228_800_250_000_000, 10**7),
        ("2017-01-01T07:59:60+08:00", 1_483_228_800_000_000_000, 10**9),
        ("2024-02-29T12:00:00Z", 1_709_208_000_000_000_000, 10**9),
        ("2026-11-22T08:00Z", 1_795_334_400_000_000_000, MINUTE),
        ("2026-11-22 16:00+08:00", 1_795_334_400_000_000_000, MINUTE),
    ],
)
def test_rfc3339_is_read_to_the_nanosecond(text: str, time: int, resolution: int) -> None:
    assert parse_rfc3339(text) == (time, resolution)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "expected a text such as"),
        ("2026-11-22", "expected a text such as"),
        ("2026-11-22T08Z", "expected a text such as"),
        ("2026-11-22T08:00.5Z", "expected a text such as"),
        ("2026-11-22T08:00:00.Z", "expected a text such as"),
        ("2026-11-22T08:00:00,5Z", "expected a text such as"),
        ("2026-11-22T08:00:00Z\n", "expected a text such as"),
        (" 2026-11-22T08:00:00Z", "expected a text such as"),
        ("20261122T080000Z", "expected a text such as"),
        ("２０２６-11-22T08:00:00Z", "expected a text such as"),
        ("2026-11-22T08:00:00+8", "expected a text such as"),
        ("2026-11-22T08:00:00+08:60", "expected a text such as"),
        ("1795334400", "expected a text such as"),
        (1_795_334_400, "expected a text such as"),
        (None, "expected a text such as"),
        (b"2026-11-22T08:00:00Z", "expected a text such as"),
        ("2026-11-22T08:00:00", "expected Z or an offset"),
        ("2026-13-22T08:00:00Z", "no such date"),
        ("2026-02-29T08:00:00Z", "no such date"),
        ("2026-11-22T24:00:00Z", "no such date"),
        ("2026-11-22T08:60:00Z", "no such date"),
        ("2026-11-22T08:00:61Z", "no such date"),
        ("2026-11-22T08:00:99Z", "no such date"),
        ("2026-11-22T08:00:60Z", "no such date"),  # a leap second ends a day
        ("2026-11-22T23:59:60+08:00", "no such date"),
        ("2026-11-22T08:00:00+24:00", "no such date"),
        ("0000-01-01T00:00:00Z", "no such date"),
        ("0001-01-01T00:00:00+23:00", "outside of the years"),
        ("9999-12-31T23:59:60Z", "outside of the years"),
        ("2262-04-12T00:00:00Z", "outside of the years"),
        ("1677-09-21T00:00:00Z", "outside of the years"),
    ],
)
def test_anything_else_is_no_rfc3339(value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        parse_rfc3339(value)


@pytest.mark.parametrize(
    "text", ["0000-00-00T00:00:00Z", "1111-11-11T11:11:11Z", "2026-02-29T08:00:00Z", "9999-12-31T23:59:59Z"]
)
def test_a_clock_that_is_not_set_is_told_from_a_wrong_text(text: str) -> None:
    with pytest.raises(ClockError):
        parse_rfc3339(text)


@given(st.integers(-9_223_372_036 * 10**9 + 10**12, 9_223_372_036 * 10**9 - 10**12))
@example(-1)
@example(1_795_334_400_000_000_010)
def test_what_is_written_is_read_back(time: int) -> None:
    assert parse_rfc3339(format_rfc3339(time))[0] == time


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_795_334_400_500_000_000, "2026-11-22T08:00:00.5Z"),
        (1_795_334_400_000_000_001, "2026-11-22T08:00:00.000000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
    ],
)
def test_times_are_written_with_as_many_digits_as_it_takes(time: int, text: str) -> None:
    assert format_rfc3339(time) == text


@pytest.mark.parametrize(
    ("value", "time", "resolution"),
    [
        (0, 0, 10**9),
        (1_795_334_400, 1_795_334_400_000_000_000, 10**9),
        ("1795334400", 1_795_334_400_000_000_000, 10**9),
        ("+1795334400", 1_795_334_400_000_000_000, 10**9),
        (1_795_334_400.0, 1_795_334_400_000_000_000, 10**8),
        (1_795_334_400.123, 1_795_334_400_123_000_000, 10**6),
        (1_795_334_400.123456, 1_795_334_400_123_456_000, 10**3),
        ("1795334400.123456789", 1_795_334_400_123_456_789, 1),
        ("1795334400.1234567899", 1_795_334_400_123_456_789, 1),
        (-1, -1_000_000_000, 10**9),
        (-0.25, -250_000_000, 10**7),
        ("-1.5", -1_500_000_000, 10**8),
        ("00000000001795334400", 1_795_334_400_000_000_000, 10**9),
    ],
)
def test_seconds_since_1970_are_read_to_the_nanosecond(value: object, time: int, resolution: int) -> None:
    assert parse_epoch(value, SECOND) == (time, resolution)


@pytest.mark.parametrize(
    ("value", "time", "resolution"),
    [
        (1_795_334_400_123, 1_795_334_400_123_000_000, 10**6),
        ("1795334400123", 1_795_334_400_123_000_000, 10**6),
        (1_795_334_400_123.5, 1_795_334_400_123_500_000, 10**5),
        ("1795334400123.456789", 1_795_334_400_123_456_789, 1),
        ("1795334400123.4567891", 1_795_334_400_123_456_789, 1),
        (-1, -1_000_000, 10**6),
    ],
)
def test_milliseconds_since_1970_are_read_to_the_nanosecond(value: object, time: int, resolution: int) -> None:
    assert parse_epoch(value, MILLISECOND) == (time, resolution)


@pytest.mark.parametrize(
    ("value", "unit", "time", "resolution"),
    [
        (1_795_334_400_123_456, MICROSECOND, 1_795_334_400_123_456_000, 10**3),
        ("1795334400123456.7", MICROSECOND, 1_795_334_400_123_456_700, 100),
        (1_795_334_400_123_456_789, NANOSECOND, 1_795_334_400_123_456_789, 1),
        ("1795334400123456789.5", NANOSECOND, 1_795_334_400_123_456_789, 1),
        (1.795334400123456e18, NANOSECOND, 1_795_334_400_123_456_000, 1),
        (5e-5, SECOND, 50_000, 10**4),
    ],
)
def test_finer_counts_since_1970_are_read_to_the_nanosecond(
    value: object, unit: int, time: int, resolution: int
) -> None:
    assert parse_epoch(value, unit) == (time, resolution)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "expected a decimal number"),
        ("1e9", "expected a decimal number"),
        ("1.", "expected a decimal number"),
        (".5", "expected a decimal number"),
        ("1 795", "expected a decimal number"),
        ("1_795", "expected a decimal number"),
        ("nan", "expected a decimal number"),
        (float("nan"), "expected a decimal number"),
        (float("inf"), "expected a decimal number"),
        (1e300, "expected a decimal number"),
        ("9" * 5000, "expected a decimal number"),
        (True, "expected a decimal number"),
        (None, "expected a decimal number"),
        ([1], "expected a decimal number"),
        (9_223_372_037, "outside of the years"),
        ("-9223372037", "outside of the years"),
        (10**400, "outside of the years"),
    ],
)
def test_anything_else_is_no_time_since_1970(value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        parse_epoch(value, SECOND)


@pytest.mark.parametrize(
    ("text", "zone", "time", "resolution"),
    [
        ("2026-11-22T16:00:00", SHANGHAI, 1_795_334_400_000_000_000, 10**9),
        ("2026-11-22 16:00:00.25", SHANGHAI, 1_795_334_400_250_000_000, 10**7),
        ("2026-11-22T09:00:00", BERLIN, 1_795_334_400_000_000_000, 10**9),
        ("2026-07-01T14:00:00", BERLIN, 1_782_907_200_000_000_000, 10**9),
        ("2017-01-01T07:59:60", SHANGHAI, 1_483_228_800_000_000_000, 10**9),
        ("2026-11-22T08:00:00Z", SHANGHAI, 1_795_334_400_000_000_000, 10**9),
        ("2026-11-22T03:00:00-05:00", SHANGHAI, 1_795_334_400_000_000_000, 10**9),
        ("2026-11-22 16:00", SHANGHAI, 1_795_334_400_000_000_000, MINUTE),
        ("2026-11-22", SHANGHAI, 1_795_276_800_000_000_000, DAY),
    ],
)
def test_local_time_is_read_with_its_zone(text: str, zone: ZoneInfo, time: int, resolution: int) -> None:
    assert parse_local(text, zone, near=0) == (time, resolution)


def test_the_hour_that_comes_twice_is_the_one_nearest_to_the_arrival() -> None:
    first = 1_792_888_200 * 10**9  # 2026-10-25T00:30:00Z, summer time
    second = 1_792_891_800 * 10**9  # an hour later, winter time
    assert parse_local("2026-10-25T02:30:00", BERLIN, near=first + 2 * 10**9)[0] == first
    assert parse_local("2026-10-25T02:30:00", BERLIN, near=second + 2 * 10**9)[0] == second


def test_the_hour_that_is_left_out_is_read_by_a_clock_not_yet_put_forward() -> None:
    arrival = 1_774_747_800 * 10**9  # 2026-03-29T01:30:00Z, when clocks show 03:30 or, left behind, 02:30
    assert parse_local("2026-03-29T02:30:00", BERLIN, near=arrival)[0] == arrival


@pytest.mark.parametrize(
    "value", ["", "08:00:00", "2026-02-29T08:00:00", "2026-02-29", "2026-W47-7", 5, None, "0001-01-01T00:00:00"]
)
def test_anything_else_is_no_local_time(value: object) -> None:
    with pytest.raises(ValueError, match=r"^(expected a text such as|no such date|outside of the years)"):
        parse_local(value, SHANGHAI, near=0)


@pytest.mark.parametrize(
    ("text", "zone", "time"),
    [
        ("261122090000W", BERLIN, 1_795_334_400),
        ("260701140000S", BERLIN, 1_782_907_200),
        ("261025023000S", BERLIN, 1_792_888_200),  # the hour that comes twice: summer time first
        ("261025023000W", BERLIN, 1_792_891_800),
        ("260701130000W", BERLIN, 1_782_907_200),  # a meter that knows no summer time
        ("261122080000W", DUBLIN, 1_795_334_400),  # where winter is the exception, by the law's words
        ("260701130000S", DUBLIN, 1_782_907_200),
        ("261122170000S", SHANGHAI, 1_795_334_400),  # an hour more than the zone's own time
        ("261122090000", BERLIN, 1_795_334_400),  # before DSMR 4
        ("260701140000", BERLIN, 1_782_907_200),
    ],
)
def test_the_letter_of_a_telegram_says_which_hour_it_is(text: str, zone: ZoneInfo, time: int) -> None:
    assert parse_dsmr(text, zone) == (time * 10**9, 10**9)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "expected a text such as 261122090000W"),
        ("2611220900W", "expected a text such as"),
        ("261122090000X", "expected a text such as"),
        ("261122090000W\n", "expected a text such as"),
        ("２61122090000W", "expected a text such as"),
        (261122090000, "expected a text such as"),
        ("632525252525W", "no such date or time of day"),
        ("260229000000W", "no such date or time of day"),
        ("261122096100W", "no such date or time of day"),
        ("261122090061W", "no such date or time of day"),
    ],
)
def test_anything_else_is_no_time_of_a_telegram(value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        parse_dsmr(value, BERLIN)


ARRIVAL = 1_795_334_400_000_000_000


@pytest.mark.parametrize(
    ("value", "unit", "time", "resolution"),
    [
        (0, SECOND, ARRIVAL, 10**9),
        (90, SECOND, ARRIVAL - 90 * 10**9, 10**9),
        ("90.25", SECOND, ARRIVAL - 90_250_000_000, 10**7),
        (1.5, MILLISECOND, ARRIVAL - 1_500_000, 10**5),
    ],
)
def test_an_age_is_counted_back_from_the_arrival(value: object, unit: int, time: int, resolution: int) -> None:
    assert parse_age(value, unit, ARRIVAL) == (time, resolution)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (-1, "expected an age, which is not negative"),
        ("-0.5", "expected an age, which is not negative"),
        ("soon", "expected a decimal number"),
        (None, "expected a decimal number"),
        (True, "expected a decimal number"),
        (10**12, "outside of the years"),
    ],
)
def test_anything_else_is_no_age(value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        parse_age(value, SECOND, ARRIVAL)


@given(
    st.one_of(
        st.text(),
        st.integers(),
        st.floats(),
        st.none(),
        st.booleans(),
        st.from_regex(r"\A\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d{0,12})?)?([Zz]|[+-]\d\d:\d\d)?)?\Z"),
        st.from_regex(r"\A\d{12}[WS]?\Z"),
    ),
)
def test_whatever_is_read_fits_in_64_bits_and_whatever_is_not_is_a_value_error(value: object) -> None:
    for parse in (
        parse_rfc3339,
        lambda value: parse_local(value, BERLIN, near=0),
        lambda value: parse_epoch(value, SECOND),
        lambda value: parse_epoch(value, MILLISECOND),
        lambda value: parse_epoch(value, MICROSECOND),
        lambda value: parse_epoch(value, NANOSECOND),
        lambda value: parse_dsmr(value, BERLIN),
        lambda value: parse_age(value, MILLISECOND, 0),
    ):
        try:
            time, resolution = parse(value)
        except ValueError:
            continue
        assert -(2**63) <= time < 2**63
        assert 1 <= resolution <= DAY
        assert time % min(resolution, SECOND) == 0
