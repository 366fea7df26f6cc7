"""Where and how a message says when it was measured. What each form of writing means is shown by test_timestamps."""

import pytest

from tests.profilebench import EIGHT, read, refuse

SECOND = 10**9
MINUTE = 60 * SECOND


def time_of(value: str, **time: object) -> tuple[int, int] | None:
    """Time and resolution where `t` is the value, on a site in Shanghai."""
    points = {"leak": {"value": True}}
    [(moment, _, _)] = read(f'{{"t": {value}}}', zone="Asia/Shanghai", time={"path": "t"} | time, points=points) or []
    return moment


@pytest.mark.parametrize(
    ("form", "value", "moment"),
    [
        ("rfc3339", '"2026-11-22T16:00:00+08:00"', (EIGHT, SECOND)),
        ("rfc3339", '"2026-11-22T08:00:00.123456789Z"', (EIGHT + 123_456_789, 1)),
        ("local", '"2026-11-22T16:00:00"', (EIGHT, SECOND)),
        ("local", '"2026-11-22 16:00"', (EIGHT, MINUTE)),
        ("epoch_s", "1795334400", (EIGHT, SECOND)),
        ("epoch_s", '"1795334400.25"', (EIGHT + 250_000_000, 10**7)),
        ("epoch_ms", "1795334400001", (EIGHT + 1_000_000, 10**6)),
        ("epoch_us", "1795334400000001", (EIGHT + 1_000, 10**3)),
        ("epoch_ns", '"1795334400000000001"', (EIGHT + 1, 1)),
        ("dsmr", '"261122160000W"', (EIGHT, SECOND)),
        ("age_s", "90", (EIGHT - 90 * SECOND, SECOND)),
        ("age_ms", '"1500"', (EIGHT - 1_500_000_000, 10**6)),
        ("%d/%m/%Y %H:%M", '"22/11/2026 16:00"', (EIGHT, MINUTE)),
        ("%b %d, %Y %I:%M:%S %p", '"Nov 22, 2026 04:00:00 PM"', (EIGHT, SECOND)),
        ("%Y%m%d%H%M%S%z", '"20261122080000Z"', (EIGHT, SECOND)),
    ],
)
def test_every_format_of_times_is_read(form: str, value: str, moment: tuple[int, int]) -> None:
    assert time_of(value, format=form) == moment


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("local", '"2026-11-22T09:00:00"'),
        ("dsmr", '"261122090000W"'),
        ("%d.%m.%Y %H:%M", '"22.11.2026 09:00"'),
    ],
)
def test_zone_is_where_the_devices_clock_hangs(form: str, value: str) -> None:
    moment = time_of(value, format=form, zone="Europe/Berlin")
    assert moment is not None
    assert moment[0] == EIGHT


def test_of_several_paths_the_first_that_is_there_holds() -> None:
    assert time_of("null", path=["x", "t", "$.t"], format="epoch_s") is None
    assert time_of("1795334400", path=["x", "t"], format="epoch_s") == (EIGHT, SECOND)


@pytest.mark.parametrize("value", ['"22.11.2026 16:00"', '"2026-11-22T08:00:00Z"', "1795334400"])
def test_of_several_formats_the_first_in_which_it_is_written_holds(value: str) -> None:
    moment = time_of(value, format=["%d.%m.%Y %H:%M", "rfc3339", "epoch_s"])
    assert moment is not None
    assert moment[0] == EIGHT


@pytest.mark.parametrize(
    ("form", "value", "reason"),
    [
        ("epoch_s", '"now"', "time: expected a decimal number"),
        ("rfc3339", "5", "time: expected a text such as 2026-11-22T08:00:00Z"),
        ("rfc3339", '"2026-11-22T08:00:00"', "time: expected Z or an offset such as +08:00 at its end"),
        ("age_s", "-1", "time: expected an age, which is not negative"),
        ("%d/%m/%Y", '"2026-11-22"', "time: expected a text such as %d/%m/%Y"),
        ("dsmr", "261122090000", "time: expected a text such as 261122090000W"),
    ],
)
def test_a_wrong_time_refuses_the_message(form: str, value: str, reason: str) -> None:
    points = {"leak": {"value": True}}
    assert refuse(f'{{"t": {value}}}', time={"path": "t", "format": form}, points=points) == reason
