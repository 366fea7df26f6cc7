"""Times in forms of their own: patterns with %, worked by hand."""

import re
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.language.timepatterns import compile_pattern
from devices.timestamps import DAY, MINUTE, SECOND

BERLIN = ZoneInfo("Europe/Berlin")
UTC = ZoneInfo("UTC")
MORNING = 1_795_334_400 * SECOND  # 2026-11-22T08:00:00Z
ALL = "%a %A %Y-%b-%d %H:%M:%S.%f%z"


@pytest.mark.parametrize(
    ("pattern", "text", "zone", "time", "resolution"),
    [
        ("%d/%m/%Y %H:%M:%S", "22/11/2026 09:00:00", BERLIN, MORNING, SECOND),
        ("%d.%m.%y %H:%M", "22.11.26 09:00", BERLIN, MORNING, MINUTE),
        ("%Y%m%d%H%M%S", "20261122080000", UTC, MORNING, SECOND),
        ("%Y/%m/%d", "2026/11/22", UTC, MORNING - 8 * 60 * MINUTE, DAY),
        ("%m/%d/%Y %I:%M:%S %p", "11/22/2026 8:00:00 AM", UTC, MORNING, SECOND),
        ("%m/%d/%Y %I:%M %p", "11/22/2026 12:00 am", UTC, MORNING - 8 * 60 * MINUTE, MINUTE),
        ("%m/%d/%Y %I:%M %p", "11/22/2026 12:00 pM", UTC, MORNING + 4 * 60 * MINUTE, MINUTE),
        ("%d-%b-%Y %H:%M:%S.%f", "22-NOV-2026 08:00:00.250", UTC, MORNING + 250_000_000, 10**6),
        ("%a %b %d %H:%M:%S %Y", "Sun Nov 22 08:00:00 2026", UTC, MORNING, SECOND),
        ("%A, %d %B %Y %H:%M", "Sunday, 22 November 2026 08:00", UTC, MORNING, MINUTE),
        ("%Y-%m-%d %H:%M:%S %z", "2026-11-22 16:00:00 +0800", BERLIN, MORNING, SECOND),
        ("%Y-%m-%dT%H:%M%z", "2026-11-22T08:00Z", BERLIN, MORNING, MINUTE),
        ("%d %m  %Y", "22  11 2026", UTC, MORNING - 8 * 60 * MINUTE, DAY),
        ("100%% %d.%m.%Y (UTC)", "100% 22.11.2026 (UTC)", UTC, MORNING - 8 * 60 * MINUTE, DAY),
        ("%d.%m.%y", "1.1.70", UTC, 0, DAY),
        ("%d.%m.%y", "1.1.68", UTC, 3_092_601_600 * SECOND, DAY),
    ],
)
def test_a_text_is_read_by_its_pattern(pattern: str, text: str, zone: ZoneInfo, time: int, resolution: int) -> None:
    assert compile_pattern(pattern)(text, zone, MORNING) == (time, resolution)


def test_the_hour_that_comes_twice_is_the_one_nearest_to_the_arrival() -> None:
    parse = compile_pattern("%d.%m.%Y %H:%M:%S")
    first = 1_792_888_200 * SECOND  # 2026-10-25T00:30:00Z, summer time
    assert parse("25.10.2026 02:30:00", BERLIN, first)[0] == first
    assert parse("25.10.2026 02:30:00", BERLIN, first + 60 * MINUTE)[0] == first + 60 * MINUTE


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "expected a text such as %d/%m/%Y %I:%M %p"),
        ("22/11/2026 08:00", "expected a text such as"),
        ("22/11/2026 13:00 PM", "expected a text such as"),
        ("22/11/2026 00:00 PM", "expected a text such as"),
        ("22/11/2026 08:00 PM\n", "expected a text such as"),
        (20261122, "expected a text such as"),
        (None, "expected a text such as"),
        ("29/02/2026 08:00 PM", "no such date"),
        ("22/11/2026 08:60 PM", "no such date"),
        ("22/11/9999 08:00 PM", "outside of the years"),
    ],
)
def test_any_other_text_is_refused(value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        compile_pattern("%d/%m/%Y %I:%M %p")(value, UTC, 0)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (
            "%d/%m/%Y %T",
            "%T: expected one of %Y, %y, %m, %b, %B, %d, %a, %A, %H, %I, %p, %M, %S, %f, %z",
        ),
        ("%d/%m/%Y 100%", "%: expected one of %Y, %y, %m, %b, %B, %d, %a, %A, %H, %I, %p, %M, %S, %f, %z"),
        ("%d/%m/%Y %d", "%d: expected once"),
        ("%H:%M:%S", "expected %Y or %y: the day is open without it"),
        ("%Y-%d", "expected %m or %b or %B: the day is open without it"),
        ("%Y %y-%m-%d", "expected %Y or %y, one of them"),
        ("%Y-%m-%d %H", "%H: needs %M"),
        ("%Y-%m-%d %I:%M", "%I: needs %p"),
        ("%Y-%m-%d %H:%M %p", "%p: needs %I"),
        ("%Y-%m-%d %H:%I:%M %p", "%I: does not go with %H"),
        ("%Y-%m-%d %M", "%M: needs %H or %I"),
        ("%Y-%m-%d %H:%M.%f", "%f: needs %S"),
        ("%Y-%m-%d%z", "%z: needs %M"),
    ],
)
def test_a_pattern_that_cannot_work_is_refused_at_once(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        compile_pattern(pattern)


@given(
    st.one_of(st.text(), st.from_regex(r"\A[A-Z][a-z]{2} [A-Z][a-z]+ \d{4}-[A-Z][a-z]{2}-\d\d? \d\d:\d\d:\d\d\.\d+Z\Z"))
)
def test_whatever_comes_is_read_or_is_a_value_error(text: str) -> None:
    try:
        time, resolution = compile_pattern(ALL)(text, BERLIN, 0)
    except ValueError:
        return
    assert time % resolution == 0


@given(st.text(alphabet="%YymbBdaAHIpMSfzQ -:/.\\(", max_size=30))
def test_whatever_pattern_is_written_it_compiles_or_is_a_value_error(pattern: str) -> None:
    try:
        parse = compile_pattern(pattern)
    except ValueError:
        return
    with pytest.raises(ValueError, match="expected a text such as"):
        parse("no time", UTC, 0)
