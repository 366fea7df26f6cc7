"""Profiles at work."""

import json
from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.compile import compile_path, compile_profile
from devices.errors import Undecodable
from devices.message import Record
from devices.profile import Profile

EIGHT = 1_795_334_400_000_000_000  # 2026-11-22T08:00:00Z

NAMES = st.sampled_from(["a", "b", "c:0", 'd"e'])
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=2)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
)


def read(payload: str, received: int = EIGHT, zone: str = "UTC", **profile: object) -> list[Record]:
    return compile_profile(Profile.model_validate({"id": "p"} | profile), zone)(payload.encode(), received)


def read_value(payload: str, point: str, source: object) -> object:
    [(_, values)] = read(payload, points={point: source})
    return values[point]


@given(JSON, st.lists(NAMES, min_size=1, max_size=3))
def test_plain_paths_find_what_jmespath_finds(message: Any, names: list[str]) -> None:  # noqa: ANN401 - JSON is anything
    path = ".".join(json.dumps(name) for name in names)
    assert compile_path(path)(message) == jmespath.search(path, message)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", {"b": 1, "c:0": {"d": 2}}),
        ("a.b", 1),
        ('a."c:0".d', 2),
        ("a.b.c", None),
        ("x.y", None),
        ("l[0]", 7),
        ("l[-1].n", 9),
        ("l[5]", None),
        ("@.a.b", 1),
        ("x || a.b", 1),
        ("sum(l[:1])", 7),
    ],
)
def test_paths_are_jmespath(path: str, found: object) -> None:
    assert compile_path(path)({"a": {"b": 1, "c:0": {"d": 2}}, "l": [7, {"n": 9}]}) == found


def test_a_bare_value_is_a_message_too() -> None:
    assert read("21.5", points={"temperature_c": "@"}) == [(None, {"temperature_c": 21.5})]


@pytest.mark.parametrize(
    ("payload", "point", "source", "value"),
    [
        ('{"x": 230}', "voltage_v", "x", 230.0),
        ('{"x": "230.1"}', "voltage_v", "x", 230.1),
        ('{"x": "-1.5e3"}', "power_kw", "x", -1500.0),
        ('{"x": ".5"}', "power_kw", "x", 0.5),
        ('{"x": 496}', "power_kw", {"path": "x", "scale": 0.001}, 0.496),
        ('{"x": "110046"}', "energy_import_kwh", {"path": "x", "scale": 0.001}, 110.046),
        ('{"x": 2632}', "energy_import_kwh", {"path": "x", "scale": 1.6666666666666667e-05}, 0.0438666667),
        ('{"x": 4}', "power_kw", {"path": "x", "scale": -2.5}, -10.0),
        ('{"x": 1}', "leak", {"path": "x", "map": {0: False, 1: True}}, True),
        ('{"x": 1.0}', "leak", {"path": "x", "map": {0: False, 1: True}}, True),
        ('{"x": "ON"}', "leak", {"path": "x", "map": {"ON": True}}, True),
        ('{"x": true}', "door", {"path": "x", "map": {True: "closed", False: "open"}}, "closed"),
        ('{"x": false}', "door", {"path": "x", "map": {True: "closed", False: "open"}}, "open"),
        ('{"x": "low"}', "battery_percent", {"path": "x", "map": {"low": 10}}, 10.0),
        ('{"x": "true"}', "leak", "x", True),
        ('{"x": "False"}', "leak", "x", False),
        ('{"x": "open"}', "door", "x", "open"),
        ('{"x": 65534}', "pressure_bar", {"path": "x", "sentinels": [65535], "scale": 0.01}, 655.34),
        ('{"x": true}', "leak", {"path": "x", "sentinels": [1]}, True),
    ],
)
def test_values_become_the_points_own(payload: str, point: str, source: object, value: object) -> None:
    found = read_value(payload, point, source)
    assert found == (pytest.approx(value) if type(value) is float else value)
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("payload", "point", "source", "reason"),
    [
        ('{"x": "230 V"}', "voltage_v", "x", "voltage_v: expected a number, got a text"),
        ('{"x": "nan"}', "voltage_v", "x", "voltage_v: expected a number, got a text"),
        ('{"x": "1_0"}', "voltage_v", "x", "voltage_v: expected a number, got a text"),
        ('{"x": "٣"}', "voltage_v", "x", "voltage_v: expected a number, got a text"),
        ('{"x": "1e999"}', "voltage_v", "x", "voltage_v: expected a finite number"),
        ('{"x": 1e308}', "voltage_v", {"path": "x", "scale": 1e6}, "voltage_v: expected a finite number"),
        ('{"x": "' + "9" * 400 + '"}', "voltage_v", "to_number(x)", "voltage_v: expected a finite number"),
        ('{"x": true}', "voltage_v", "x", "voltage_v: expected a number, got true or false"),
        ('{"x": [230]}', "voltage_v", "x", "voltage_v: expected a number, got a list"),
        ('{"x": [230]}', "voltage_v", {"path": "x", "sentinels": [0]}, "voltage_v: expected a number, got a list"),
        ('{"x": 230}', "voltage_v", "&x", "voltage_v: expected a number, got something else"),
        ('{"x": "yes"}', "leak", "x", "leak: expected true or false, got a text"),
        ('{"x": 1}', "leak", "x", "leak: expected true or false, got a number"),
        ('{"x": true}', "leak", {"path": "x", "map": {1: True}}, "leak: a value that the profile's map does not list"),
        ('{"x": {}}', "leak", {"path": "x", "map": {1: True}}, "leak: a value that the profile's map does not list"),
        ('{"x": "ajar"}', "door", "x", "door: not one of its words"),
        ('{"x": 5}', "alarm", "x", "alarm: expected a text, got a number"),
        ('{"x": "a"}', "voltage_v", "x && sum(@)", "path x && sum(@) fails on this message"),
        ('{"x": [1]}', "voltage_v", "x[::0]", "path x[::0] fails on this message"),
        ("{}", "voltage_v", "x", "no point in the message"),
        ('{"x": null}', "voltage_v", "x", "no point in the message"),
        ('{"x": 65535}', "pressure_bar", {"path": "x", "sentinels": [65535]}, "no point in the message"),
        ('{"x": 65535.0}', "pressure_bar", {"path": "x", "sentinels": [65535]}, "no point in the message"),
        ('{"x": 1,}', "voltage_v", "x", "payload is not JSON"),
    ],
)
def test_other_values_refuse_the_message(payload: str, point: str, source: object, reason: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read_value(payload, point, source)
    assert raised.value.reason == reason


def test_an_absent_point_is_left_out() -> None:
    assert read('{"u": 230, "i": null}', points={"voltage_v": "u", "current_a": "i", "power_kw": "p"}) == [
        (None, {"voltage_v": 230.0}),
    ]


@pytest.mark.parametrize(
    ("time", "source", "moment"),
    [
        ('"2026-11-22T16:00:00+08:00"', {"format": "rfc3339"}, (EIGHT, 10**9)),
        ("1795334400", {"format": "epoch_s"}, (EIGHT, 10**9)),
        ('"1795334400.25"', {"format": "epoch_s"}, (EIGHT + 250_000_000, 10**7)),
        ("1795334400001", {"format": "epoch_ms"}, (EIGHT + 1_000_000, 10**6)),
        ('"2026-11-22T09:00:00"', {"format": "local", "zone": "Europe/Berlin"}, (EIGHT, 10**9)),
        ('"2026-11-22T16:00:00"', {"format": "local"}, (EIGHT, 10**9)),
        ("null", {"format": "rfc3339"}, None),
    ],
)
def test_time_is_read_as_the_profile_says(
    time: str,
    source: dict[str, str],
    moment: tuple[int, int] | None,
) -> None:
    payload = f'{{"at": {{"t": {time}}}, "leak": true}}'
    records = read(payload, zone="Asia/Shanghai", time={"path": "at.t"} | source, points={"leak": "leak"})
    assert records == [(moment, {"leak": True})]


def test_a_wrong_time_refuses_the_message() -> None:
    with pytest.raises(Undecodable) as raised:
        read('{"t": "now", "leak": true}', time={"path": "t", "format": "epoch_s"}, points={"leak": "leak"})
    assert raised.value.reason == "time: expected a decimal number"


def test_a_batch_is_read_item_by_item_and_items_without_a_point_are_left_out() -> None:
    records = read(
        '{"history": [{"ts": 1795334400, "v": 5}, {"ts": 1795334460}, {"ts": 1795334520, "v": 7}, null]}',
        each="history",
        time={"path": "ts", "format": "epoch_s"},
        points={"volume_m3": {"path": "v", "scale": 0.5}},
    )
    assert records == [
        ((EIGHT, 10**9), {"volume_m3": 2.5}),
        ((EIGHT + 120 * 10**9, 10**9), {"volume_m3": 3.5}),
    ]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ('{"history": {"v": 1}}', "no list of readings in the message"),
        ("{}", "no list of readings in the message"),
        ('{"history": []}', "no point in the message"),
        ('{"history": [{}, 5]}', "no point in the message"),
    ],
)
def test_a_batch_without_readings_is_refused(payload: str, reason: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read(payload, each="history", points={"volume_m3": "v"})
    assert raised.value.reason == reason


def test_a_sites_own_profile_may_put_the_canonical_payload_elsewhere() -> None:
    assert read('{"leak": true}', format="canonical") == [(None, {"leak": True})]
