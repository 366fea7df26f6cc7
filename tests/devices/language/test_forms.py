"""Forms of message: which messages they take, and how these are cut into readings."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.profilebench import EIGHT, Keys, read, read_values, refuse

SECOND = 10**9
POWER = {"power_kw": {"path": "power", "unit": "W"}}


# ── which messages ───────────────────────────────────────────────────────────────────────────────────────────────


def test_when_keeps_other_messages_out() -> None:
    when = {"type": "data"}
    assert read('{"type": "data", "power": 5}', when=when, points=POWER) == [(None, {"power_kw": 0.005}, "")]
    assert read('{"type": "alive", "power": 5}', when=when, points=POWER) is None


def test_a_condition_on_the_topic_needs_no_payload() -> None:
    form: Keys = {"topics": ["a/{device}/{kind}"], "when": {"$topic.kind": "data"}, "points": POWER}
    assert read("no JSON", topic_parts={"kind": "log"}, **form) is None
    assert read_values('{"power": 5}', topic_parts={"kind": "data"}, **form) == [{"power_kw": 0.005}]


def test_ignore_says_that_messages_hold_no_reading() -> None:
    assert read("no JSON at all", ignore="a sign of life") == []
    assert read('{"type": "alive"}', when={"type": "alive"}, ignore="a sign of life") == []
    assert read('{"type": "data"}', when={"type": "alive"}, ignore="a sign of life") is None
    assert refuse("no JSON", when={"type": "alive"}, ignore="a sign of life") == "payload is not JSON"


def test_a_message_without_the_points_is_refused_unless_it_may_be_empty() -> None:
    assert refuse('{"linkquality": 80}', points=POWER) == "no point in the message"
    assert read('{"linkquality": 80}', points=POWER, may_be_empty=True) == []


def test_a_message_may_be_anything() -> None:
    for payload in ("5", '"x"', "null", "[]", "{}"):
        assert refuse(payload, points=POWER) == "no point in the message"
    assert read_values("21.5", points={"temperature_c": "@"}) == [{"temperature_c": 21.5}]
    assert read_values("[5, 6]", points={"temperature_c": "[1]"}) == [{"temperature_c": 6.0}]


# ── into the message ─────────────────────────────────────────────────────────────────────────────────────────────


def test_within_is_the_object_in_which_all_stands() -> None:
    form: Keys = {"within": "data.meter", "time": {"path": "t", "format": "epoch_s"}, "points": POWER}
    assert read('{"data": {"meter": {"power": 5, "t": 1795334400}}}', **form) == [
        ((EIGHT, SECOND), {"power_kw": 0.005}, ""),
    ]
    assert refuse('{"power": 5}', **form) == "no point in the message"


def test_within_a_text_that_is_json_itself_is_opened() -> None:
    assert read_values('{"data": "{\\"power\\": 5}"}', within="data", points=POWER) == [{"power_kw": 0.005}]
    assert refuse('{"data": "power=5"}', within="data", points=POWER) == "payload is not JSON"


def test_under_puts_what_was_read_under_a_name() -> None:
    form: Keys = {"topics": ["a/{device}/{quantity}"], "under": "$topic.quantity"}
    assert read_values("5", topic_parts={"quantity": "power"}, points=POWER, **form) == [{"power_kw": 0.005}]
    assert read("5", topic_parts={"quantity": "uptime"}, points=POWER, may_be_empty=True, **form) == []
    assert refuse("5", topic_parts={}, points={"power_kw": "@.power"}, **form) == "no point in the message"


def test_under_may_name_a_key_of_the_item() -> None:
    form: Keys = {
        "each": "values",
        "under": "name",
        "points": {"power_kw": "power.value", "voltage_v": "voltage.value"},
    }
    payload = '{"values": [{"name": "power", "value": 5}, {"name": "voltage", "value": 230}]}'
    assert read_values(payload, **form) == [{"power_kw": 5.0}, {"voltage_v": 230.0}]


def test_entries_make_one_object_of_names_and_values() -> None:
    payload = '{"metrics": [{"n": "power", "v": 5}, {"n": "voltage", "v": 230}, {"v": 1}, 7], "t": 1795334400}'
    form: Keys = {
        "entries": {"path": "metrics", "name": "n", "value": "v"},
        "time": {"path": "t", "format": "epoch_s"},
        "points": {"power_kw": "power", "voltage_v": "voltage"},
    }
    assert read(payload, **form) == [((EIGHT, SECOND), {"power_kw": 5.0, "voltage_v": 230.0}, "")]
    assert refuse('{"metrics": 5}', **form) == "expected a list of names and values at metrics"
    assert refuse('{"t": 1}', **form) == "no point in the message"


def test_entries_without_value_keep_the_whole_entry() -> None:
    form: Keys = {"entries": {"name": "id"}, "points": {"power_kw": '"7".value'}}
    assert read_values('[{"id": 7, "value": 5, "unit": "kW"}]', **form) == [{"power_kw": 5.0}]


def test_entries_of_an_object_are_named_by_its_keys() -> None:
    form: Keys = {
        "entries": {"path": "fields", "value": ["Value", "@"]},
        "points": {"power_kw": "power", "voltage_v": "voltage"},
    }
    assert read_values('{"fields": {"power": {"Value": 5}, "voltage": 230}}', **form) == [
        {"power_kw": 5.0, "voltage_v": 230.0},
    ]
    assert refuse('{"fields": [1]}', **form) == "expected an object of names and values at fields"


def test_entries_may_be_chosen() -> None:
    form: Keys = {"entries": {"name": "n", "value": "v", "where": {"ok": True}}, "points": {"power_kw": "power"}}
    entries = [{"n": "power", "v": 5, "ok": True}, {"n": "power", "v": 9, "ok": False}]
    assert read_values(json.dumps(entries), **form) == [{"power_kw": 5.0}]


def test_parts_of_a_text_name_device_and_point() -> None:
    form: Keys = {
        "topics": ["gateway/up"],
        "each": "values",
        "parts": {"path": "name", "pattern": "^(?P<meter>[^.]+)[.](?P<what>.+)$"},
        "device": "$part.meter",
        "under": "$part.what",
        "points": {"power_kw": "power.v", "voltage_v": "voltage.v"},
    }
    values = [{"name": "m1.power", "v": 5}, {"name": "m2.voltage", "v": 230}, {"name": "other", "v": 1}, {"v": 2}]
    assert read(json.dumps({"values": values}), by_topic=False, **form) == [
        (None, {"power_kw": 5.0}, "m1"),
        (None, {"voltage_v": 230.0}, "m2"),
    ]


def test_same_names_are_points_in_their_own_units() -> None:
    form: Keys = {"same_names": "data", "points": {"power_kw": {"path": "data.power", "unit": "W"}}}
    payload = '{"data": {"voltage_v": "230,5", "leak": "true", "power_kw": 9, "power": 5, "x": 1, "current_a": null}}'
    assert read_values(payload, **form) == [{"voltage_v": 230.5, "leak": True, "power_kw": 0.005}]
    assert refuse('{"data": {"door": "ajar"}}', **form) == "door: not one of its words"
    assert refuse('{"data": 5}', **form) == "no point in the message"


# ── lists of readings ────────────────────────────────────────────────────────────────────────────────────────────


def test_each_item_is_a_reading_and_items_without_a_point_are_left_out() -> None:
    records = read(
        '{"history": [{"ts": 1795334400, "v": 5}, {"ts": 1795334460}, {"ts": 1795334520, "v": 7}, null]}',
        each="history",
        time={"path": "ts", "format": "epoch_s"},
        points={"volume_m3": {"path": "v", "scale": 0.5}},
    )
    assert records == [
        ((EIGHT, SECOND), {"volume_m3": 2.5}, ""),
        ((EIGHT + 120 * SECOND, SECOND), {"volume_m3": 3.5}, ""),
    ]


def test_the_values_of_an_object_are_items_too() -> None:
    form: Keys = {"each": "doors", "points": {"door": "state", "alarm": "$key"}}
    assert read_values('{"doors": {"north": {"state": "open"}, "south": {"state": "closed"}}}', **form) == [
        {"door": "open", "alarm": "north"},
        {"door": "closed", "alarm": "south"},
    ]


def test_each_may_go_in_two_steps() -> None:
    form: Keys = {
        "each": ["rooms", "@.meters"],
        "points": {"power_kw": "p", "voltage_v": "$up.voltage", "alarm": "$key", "uptime_s": "$index"},
    }
    payload = (
        '{"rooms": {"101": {"voltage": 230, "meters": [{"p": 1}, {"p": 2}]}, "102": {"meters": [{"p": 3}]}, "103": {}}}'
    )
    assert read_values(payload, **form) == [
        {"power_kw": 1.0, "voltage_v": 230.0, "alarm": "101", "uptime_s": 0.0},
        {"power_kw": 2.0, "voltage_v": 230.0, "alarm": "101", "uptime_s": 1.0},
        {"power_kw": 3.0, "alarm": "102", "uptime_s": 0.0},
    ]


def test_what_stands_around_the_items_may_be_a_reading_too() -> None:
    form: Keys = {"each": "history", "itself": True, "points": {"volume_m3": "v"}}
    assert read_values('{"v": 7, "history": [{"v": 5}, {"v": 6}]}', **form) == [
        {"volume_m3": 5.0},
        {"volume_m3": 6.0},
        {"volume_m3": 7.0},
    ]
    assert read_values('{"v": 7}', **form) == [{"volume_m3": 7.0}]


def test_where_refuses_items() -> None:
    form: Keys = {"each": "@", "where": {"$key": {"matches": "^em:"}, "ok": True}, "points": {"power_kw": "p"}}
    assert read_values('{"em:0": {"p": 1, "ok": true}, "em:1": {"p": 2}, "pm:0": {"p": 3, "ok": true}}', **form) == [
        {"power_kw": 1.0},
    ]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ('{"history": "x"}', "expected a list of readings at history"),
        ("{}", "no point in the message"),
        ('{"history": []}', "no point in the message"),
        ('{"history": [{}, 5]}', "no point in the message"),
        ('{"history": [{"v": 1}, {"v": "x"}]}', "volume_m3: expected a number, got a text"),
    ],
)
def test_a_list_without_readings_is_refused(payload: str, reason: str) -> None:
    assert refuse(payload, each="history", points={"volume_m3": "v"}) == reason


def test_a_small_message_never_becomes_a_flood_of_readings() -> None:
    hundreds = json.dumps({"l": list(range(300))})
    assert refuse(hundreds, each=["l", "$.l"], points={"volume_m3": "@"}) == "more than 10000 items at $.l"
    intervals = {"path": "$.l", "every": "1m", "newest": "first", "point": "volume_m3"}
    assert refuse(hundreds, each="l", points={"volume_m3": "@"}, intervals=intervals) == "more than 10000 readings"


# ── whose, and when ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("device", "payload", "address"),
    [
        ("id", '{"id": "m1", "power": 5}', "m1"),
        ("id", '{"id": 17, "power": 5}', "17"),
        ("id", '{"id": 17.0, "power": 5}', "17"),
        ("{node}/{channel}", '{"power": 5}', "n1/2"),
        ("{node}:{id}", '{"id": "m1", "power": 5}', "n1:m1"),
        ("meter-{meta.serial}", '{"meta": {"serial": 9}, "power": 5}', "meter-9"),
        (["serial", "id"], '{"id": "m1", "power": 5}', "m1"),
        (["{node}:{serial}", "{node}"], '{"power": 5}', "n1"),
        (["{node}:{serial}", "{node}:{id}", "{node}"], '{"serial": [1], "id": "m1", "power": 5}', "n1:m1"),
        (["{id}-{serial}.", "{node}-{serial}.", "{node}"], '{"serial": 3, "power": 5}', "n1-3."),
        (["{node}", "node"], '{"node": "x", "power": 5}', "n1"),
        (["node", "{node}"], '{"node": "x", "power": 5}', "x"),
    ],
)
def test_device_is_the_address_that_the_message_names(device: object, payload: str, address: str) -> None:
    form: Keys = {"topics": ["{node}/status/{channel}"], "device": device, "points": POWER}
    parts = {"node": "n1", "channel": "2"}
    assert read(payload, topic_parts=parts, by_topic=False, **form) == [(None, {"power_kw": 0.005}, address)]


@pytest.mark.parametrize("payload", ['{"power": 5}', '{"id": "", "power": 5}', '{"id": true, "power": 5}'])
def test_a_message_that_does_not_name_its_device_is_refused(payload: str) -> None:
    form: Keys = {"topics": ["gateway/up"], "device": ["id", "serial"], "points": POWER}
    assert refuse(payload, by_topic=False, **form) == "the message does not name its device"


def test_several_devices_may_stand_in_one_message() -> None:
    form: Keys = {"topics": ["gateway/up"], "each": "meters", "device": "{$topic.site}-{id}", "points": POWER}
    form["topics"] = ["gateway/{site}/up"]
    payload = '{"meters": [{"id": 1, "power": 5}, {"id": 2, "power": 6}, {"id": 3}]}'
    assert read(payload, topic_parts={"site": "A"}, by_topic=False, **form) == [
        (None, {"power_kw": 0.005}, "A-1"),
        (None, {"power_kw": 0.006}, "A-2"),
    ]


def test_time_and_device_stand_beside_the_entries() -> None:
    form: Keys = {
        "topics": ["gateway/up"],
        "each": "meters",
        "entries": {"path": "values", "name": "n", "value": "v"},
        "device": "id",
        "time": {"path": "t", "format": "epoch_s"},
        "points": {"power_kw": "power"},
    }
    payload = '{"meters": [{"id": "m1", "t": 1795334400, "values": [{"n": "power", "v": 5}]}]}'
    assert read(payload, by_topic=False, **form) == [((EIGHT, SECOND), {"power_kw": 5.0}, "m1")]


def test_obis_codes_are_points_and_points_go_before_them() -> None:
    form: Keys = {"obis": {"path": "registers", "energy": "kWh"}, "points": {"energy_export_kwh": "out"}}
    payload = '{"registers": {"1-0:1.8.0": 12.5, "1-0:2.8.0": 3, "1-0:99.99.0": 1}, "out": 4}'
    assert read_values(payload, **form) == [{"energy_import_kwh": 12.5, "energy_export_kwh": 4.0}]


# ── differences over intervals ───────────────────────────────────────────────────────────────────────────────────

INTERVALS = {"path": "diffs", "every": "5m", "newest": "first", "point": "energy_import_kwh", "scale": 0.01}
FIVE_MINUTES = 300 * SECOND


def test_intervals_are_readings_at_their_ends() -> None:
    form: Keys = {"time": {"path": "t", "format": "epoch_s"}, "points": {"energy_import_kwh": "total", "power_kw": "p"}}
    payload = '{"t": 1795334400, "total": 100, "p": 2, "diffs": [25, 50, 0]}'
    expected = [
        ((EIGHT - 3 * FIVE_MINUTES, SECOND), {"energy_import_kwh": 99.25}, ""),
        ((EIGHT - 2 * FIVE_MINUTES, SECOND), {"energy_import_kwh": 99.25}, ""),
        ((EIGHT - FIVE_MINUTES, SECOND), {"energy_import_kwh": 99.75}, ""),
        ((EIGHT, SECOND), {"energy_import_kwh": 100.0, "power_kw": 2.0}, ""),
    ]
    assert read(payload, intervals=INTERVALS, **form) == expected
    turned = payload.replace("[25, 50, 0]", "[0, 50, 25]")
    assert read(turned, intervals=INTERVALS | {"newest": "last"}, **form) == expected


def test_without_a_time_the_newest_interval_ends_at_the_arrival() -> None:
    records = read('{"total": 100, "diffs": [100]}', intervals=INTERVALS, points={"energy_import_kwh": "total"})
    assert records == [
        ((EIGHT - FIVE_MINUTES, 1), {"energy_import_kwh": 99.0}, ""),
        (None, {"energy_import_kwh": 100.0}, ""),
    ]


def test_differences_may_have_a_unit_of_their_own() -> None:
    intervals = {"path": "d", "every": "1h", "newest": "last", "point": "volume_m3", "unit": "L"}
    assert read_values('{"v": 2, "d": ["500", 250]}', intervals=intervals, points={"volume_m3": "v"}) == [
        {"volume_m3": 1.25},
        {"volume_m3": 1.75},
        {"volume_m3": 2.0},
    ]


def test_beyond_a_missing_difference_nothing_is_known() -> None:
    records = read_values('{"t": 5, "diffs": [100, null, 100]}', intervals=INTERVALS, points={"energy_import_kwh": "t"})
    assert records == [{"energy_import_kwh": 4.0}, {"energy_import_kwh": 5.0}]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ('{"t": 5, "diffs": 3}', "expected a list of differences at diffs"),
        ('{"t": 5, "diffs": ["x"]}', "energy_import_kwh: expected a number, got a text"),
    ],
)
def test_differences_that_are_none_are_refused(payload: str, reason: str) -> None:
    assert refuse(payload, intervals=INTERVALS, points={"energy_import_kwh": "t"}) == reason


@given(st.lists(st.integers(0, 10**6), max_size=50), st.integers(0, 10**9))
def test_the_differences_between_readings_are_those_of_the_message(diffs: list[int], total: int) -> None:
    values = read_values(
        json.dumps({"t": total, "diffs": diffs}),
        intervals=INTERVALS | {"scale": 1},
        points={"energy_import_kwh": "t"},
    )
    registers = [float(value["energy_import_kwh"]) for value in values]
    assert registers[-1] == total
    assert [after - before for before, after in pairwise(registers)] == diffs[::-1]
