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


@pytest.mark.parametrize(
    ("age", "unit", "before"),
    [
        ("90", "1s", 90 * SECOND),
        ("4498", "62.5ms", 281_125_000_000),
        ('"0.5"', "1m", 30 * SECOND),
        ("1.5", "1ms", 1_500_000),
        ("0", "1s", 0),
        ("null", "1s", 0),
    ],
)
def test_an_age_that_the_message_gives_is_taken_from_its_time(age: str, unit: str, before: int) -> None:
    less = {"path": "age", "unit": unit}
    assert time_of(f'1795334400, "age": {age}', format="epoch_s", less=less) == (EIGHT - before, SECOND)


@pytest.mark.parametrize("age", ["1e300", "99999999999", '"1E400"'])
def test_an_age_beyond_all_times_leaves_the_arrival(age: str) -> None:
    assert time_of(f'1795334400, "age": {age}', format="epoch_s", less={"path": "age", "unit": "1s"}) is None


def test_without_a_time_an_age_means_nothing() -> None:
    assert time_of('null, "age": 5', format="epoch_s", less={"path": "age", "unit": "1s"}) is None


@pytest.mark.parametrize("age", ["-1", '"old"', "true", "[]"])
def test_a_wrong_age_refuses_the_message(age: str) -> None:
    time = {"path": "t", "format": "epoch_s", "less": {"path": "age", "unit": "1s"}}
    reason = "time: expected an age at age, a number that is not negative"
    assert refuse(f'{{"t": 1795334400, "age": {age}}}', time=time, points={"leak": {"value": True}}) == reason
