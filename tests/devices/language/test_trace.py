"""How a form reads a payload, step by step; and that the steps lead where the form itself leads."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import Undecodable
from devices.formats.sparkplug import Host
from devices.language.catalog import builtin_folders, read_builtin
from devices.language.forms import compile_form
from devices.language.openers import Toolbox
from devices.language.profile import Form, Profile
from devices.language.trace import ITEMS_SHOWN, Look, Trace, trace_form
from devices.topics import to_pattern, write_example
from tests.edgenode import EdgeNode, metric
from tests.profilebench import EIGHT, Keys

TOOLBOX = Toolbox("Asia/Shanghai")
METER: Keys = {
    "points": {
        "power_kw": {"path": "p", "unit": "W"},
        "energy_import_kwh": [{"path": "wh", "unit": "Wh"}, {"sum": ["t1", "t2"]}],
        "voltage_v": {"path": "u", "when": {"battery": {"present": False}}, "sentinels": [0]},
        "door": {"path": "d", "map": {0: "closed", 1: "open"}},
    },
}


def trace(payload: object, parts: dict[str, str] | None = None, *, by_topic: bool = True, **form: Any) -> Trace:  # noqa: ANN401 - keys of a form
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return trace_form(Form.model_validate(form), TOOLBOX, data, EIGHT, parts or {}, by_topic=by_topic)


def looks(payload: object, **form: Any) -> list[Look]:  # noqa: ANN401 - keys of a form
    [item] = trace(payload, **form).items
    return list(item.looks)


def test_every_look_tells_where_what_and_how() -> None:
    assert looks({"p": "230", "t1": 1, "t2": 2, "u": 0, "d": 1}, **METER) == [
        Look("power_kw", "p", "230", 0.23, "unit: W"),
        Look("energy_import_kwh", "wh", None, None, "nothing there"),
        Look("energy_import_kwh", "t1 + t2", [1, 2], 3.0, ""),
        Look("voltage_v", "u", 0, None, "means that nothing was measured"),
        Look("door", "d", 1, "open", "map"),
    ]


def test_a_source_that_gives_nothing_says_why() -> None:
    found = looks({"p": "x", "t1": 1, "u": 230, "battery": 80, "d": 2}, **METER)
    assert [(look.name, look.note) for look in found] == [
        ("power_kw", "expected a number, got a text"),
        ("energy_import_kwh", "nothing there"),
        ("energy_import_kwh", "nothing there"),
        ("voltage_v", "when: battery is 80"),
        ("door", "a value that the profile's map does not list (add it to the map)"),
    ]


def test_a_message_that_cannot_be_read_says_why() -> None:
    found = trace({"p": "x"}, **METER)
    assert (found.fits, found.problem, found.records) == (True, "power_kw: expected a number, got a text", ())
    found = trace(b"no JSON", **METER)
    assert found.fits
    assert found.problem.startswith("payload is not JSON")
    assert found.opened is None


def test_a_message_of_another_form_says_which_condition_fails() -> None:
    found = trace({"type": "alive"}, when={"type": "data", "level": {"above": 0}}, **METER)
    assert (found.fits, found.reason) == (False, "type is 'alive'")
    assert found.conditions == (('type: "data"', False), ('level: {"above":0.0}', False))
    found = trace(b"?", {"kind": "log"}, topics=["a/{device}/{kind}"], when={"$topic.kind": "data"}, **METER)
    assert (found.fits, found.reason, found.opened) == (False, "$topic.kind is 'log'", None)


def test_a_message_without_readings_says_why() -> None:
    assert trace({}, ignore="a sign of life").reason == "ignored: a sign of life"
    assert trace({"type": "x"}, when={"type": "x"}, ignore="a sign of life").reason == "ignored: a sign of life"
    assert trace({}, may_be_empty=True, **METER).reason == "holds none of the points, which is no fault"


def test_items_are_told_one_by_one_and_only_the_first() -> None:
    found = trace({"m": {f"d{number}": {"p": number} for number in range(9)}}, each="m", **METER)
    assert len(found.records) == 9
    assert len(found.items) == ITEMS_SHOWN
    assert (found.items[1].label, found.items[1].content) == ("item 2 of 9 (d1)", {"p": 1})


def test_time_and_device_are_told() -> None:
    [item] = trace(
        {"id": 7, "t": 1795334400, "p": 5},
        {"line": "l1"},
        by_topic=False,
        topics=["gw/{line}"],
        device=["{line}:{id}"],
        time={"path": ["ts", "t"], "format": "epoch_s"},
        points={"power_kw": "p"},
    ).items
    assert [tuple(look) for look in item.looks] == [
        ("power_kw", "p", 5, 5.0, ""),
        ("time", "ts", None, None, "nothing there"),
        ("time", "t", 1795334400, (EIGHT, 10**9), "epoch_s"),
        ("device", "{line}:{id}", None, "l1:7", ""),
    ]


def test_what_formats_and_codes_give_is_told() -> None:
    found = looks({"1-0:1.8.0": 5, "voltage_v": 230}, obis={"energy": "kWh"}, same_names="@")
    assert found == [
        Look("voltage_v", "@", 230, 230.0, "same name"),
        Look("energy_import_kwh", "@", None, 5.0, "OBIS codes"),
    ]
    uplink = {"deviceInfo": {"devEui": "24e1"}, "fPort": 2, "object": {"leak": True}, "rxInfo": [{"rssi": -80}]}
    assert looks(uplink, format="lorawan", points={"leak": "leak"})[0] == Look(
        "rssi_dbm", "", None, -80.0, "of format lorawan"
    )


def test_a_trace_leaves_no_trace() -> None:
    """Sparkplug's host remembers what nodes say; whoever tries a payload must not change that."""
    node = EdgeNode("Plant/Gateway")
    birth = node.birth(metric("Power", 5.0, alias=1))
    toolbox = Toolbox("UTC", Host(["Plant/Gateway"]))
    form = Form.model_validate({"format": "sparkplug_b", "points": {"power_kw": "Power"}})
    for _ in range(2):
        found = trace_form(form, toolbox, birth.payload, EIGHT, birth.parts, by_topic=False)
        assert [values for _, values, _ in found.records] == [{"power_kw": 5.0}]
    assert toolbox.host is not None
    assert toolbox.host.take_commands(EIGHT)


BUILTIN = [read_builtin(name) for name in sorted(builtin_folders())]


@pytest.mark.parametrize("profile", BUILTIN, ids=lambda profile: profile.id)
def test_the_looks_find_what_the_form_reads(profile: Profile) -> None:
    """On every case of every built-in profile that is one reading."""
    for test in profile.tests:
        for form in profile.forms:
            topics = [topic for topic in form.topics if to_pattern(topic).fullmatch(test.topic or write_example(topic))]
            match = to_pattern(topics[0]).fullmatch(test.topic or write_example(topics[0])) if topics else None
            parts = match.groupdict() if match else {}
            by_topic = form.is_named_by(topics[0]) if topics else True
            found = trace_form(form, Toolbox("UTC", Host(())), test.data, EIGHT, parts, by_topic=by_topic)
            compare(found, form)


def compare(found: Trace, form: Form) -> None:
    if len(found.records) != 1 or len(found.items) != 1 or found.problem:
        return
    [(moment, values, _)] = found.records
    made = {look.name: look.made for look in found.items[0].looks if look.made is not None}
    assert {name: made.get(name) for name in values} == values
    if form.time and "time" in made:
        assert made["time"] == moment


@given(st.binary(max_size=60), st.sampled_from(BUILTIN))
def test_whatever_comes_in_is_told(payload: bytes, profile: Profile) -> None:
    for form in profile.forms:
        parts = {"device": "d", "group": "g", "type": "NDATA", "node": "n"}
        toolbox = Toolbox("UTC", Host(()))
        found = trace_form(form, toolbox, payload, EIGHT, parts, by_topic=True)
        try:
            records = compile_form(form, toolbox, by_topic=True)(payload, EIGHT, parts)
        except Undecodable as error:
            assert found.problem == str(error)  # noqa: PT017 - either is right
        else:
            assert found.records == tuple(records or ())
