"""Announcements become proposals for the register, and whatever is announced, nothing is raised."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from devices.discovery.identification import Place, Surroundings, read_values
from devices.discovery.proposals import FILTERS, Proposal, propose
from devices.language.profile import Profile
from devices.topics import covers

NOW = 1_795_334_400 * 10**9

PLUG = Profile.model_validate(
    {
        "id": "zigbee2mqtt",
        "topics": ["zigbee2mqtt/{device}"],
        "may_be_empty": True,
        "points": {
            "power_kw": {"path": "power", "unit": "W"},
            "door": {"path": "contact", "map": {True: "closed", False: "open"}},
        },
    }
)
TASMOTA = Profile.model_validate(
    {"id": "tasmota", "topics": ["tele/{device}/SENSOR"], "points": {"energy_import_kwh": "ENERGY.Total"}}
)
GATEWAY = Profile.model_validate(
    {
        "id": "gateway",
        "topics": ["gw/{line}/data"],
        "each": "list",
        "device": "{line}-{no}",
        "points": {"power_kw": "p"},
    }
)
WIDE = Profile.model_validate(
    {
        "id": "wide",
        "topics": ["tele/{device}/{rest#}"],
        "points": {"energy_import_kwh": "ENERGY.Total", "power_kw": "P"},
    }
)


def around(*profiles: Profile) -> Surroundings:
    return Surroundings({profile.id: profile for profile in profiles}, "campus", "UTC", NOW)


def announce(topic: str, content: object) -> tuple[str, bytes]:
    return topic, json.dumps(content).encode()


def bridge(*exposed: str, name: str = "hall", base: str = "zigbee2mqtt") -> tuple[str, bytes]:
    exposes = [{"type": "numeric", "property": each} for each in exposed]
    device = {"type": "Router", "friendly_name": name, "definition": {"description": "Plug", "exposes": exposes}}
    return announce(f"{base}/bridge/devices", [device])


def entity(number: int, topic: str = "acme/m1/data", **config: str) -> tuple[str, bytes]:
    common = {"state_topic": topic, "device": {"identifiers": ["m1"], "name": "Main meter"}}
    return announce(f"homeassistant/sensor/node/e{number}/config", common | config)


POWER = entity(1, device_class="power", unit_of_measurement="W", value_template="{{ value_json.p | float / 10 }}")
ENERGY = entity(2, device_class="energy", unit_of_measurement="Wh", value_template="{{ value_json['e x'].t }}")


def say(proposal: Proposal) -> tuple[str, Place, str, str, tuple[str, ...]]:
    return proposal.source, proposal.place, proposal.name, proposal.kind, proposal.points


# ── read by a profile ────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_profile_reads_is_proposed_with_its_points() -> None:
    (proposal,) = propose([bridge("power", "linkquality")], around(PLUG, TASMOTA))
    assert say(proposal) == (
        "Zigbee2MQTT", Place("zigbee2mqtt", "hall"), "Plug", "electricity_meter", ("power_kw",)
    )  # fmt: skip
    assert proposal.sketch is None


def test_what_gives_no_point_is_not_proposed() -> None:
    assert propose([bridge("brightness")], around(PLUG)) == []


@pytest.mark.parametrize(("name", "base"), [("a/b", "zigbee2mqtt"), ("hall", "zigbee-2")])
def test_a_device_elsewhere_than_its_profile_expects_has_a_topic_of_its_own(name: str, base: str) -> None:
    (proposal,) = propose([bridge("power", name=name, base=base)], around(PLUG))
    assert (proposal.place, proposal.points) == (Place("zigbee2mqtt", "", f"{base}/{name}"), ("power_kw",))


def test_one_device_announced_twice_is_one_proposal() -> None:
    again = entity(1, "zigbee2mqtt/hall", device_class="power", value_template="{{ value_json.power }}")
    (proposal,) = propose([again, bridge("power")], around(PLUG))
    assert (proposal.source, proposal.place) == ("Zigbee2MQTT", Place("zigbee2mqtt", "hall"))


def test_of_several_profiles_the_one_that_reads_most_is_taken() -> None:
    sensors = announce("tasmota/discovery/01/sensors", {"sn": {"ENERGY": {"Total": 1}, "P": 2}})
    config = announce("tasmota/discovery/01/config", {"t": "p1", "ft": "%prefix%/%topic%", "tp": ["c", "s", "tele"]})
    (proposal,) = propose([sensors, config], around(TASMOTA, WIDE))
    assert proposal.place == Place("wide", "p1")


@pytest.mark.parametrize(("unit", "read"), [("W", True), ("kW", False), ("MW", False)])
def test_a_profile_that_reads_a_point_in_another_unit_is_not_proposed(unit: str, read: bool) -> None:
    config = {"device_class": "power", "unit_of_measurement": unit, "value_template": "{{ value_json.power }}"}
    (proposal,) = propose([entity(1, "zigbee2mqtt/hall", **config)], around(PLUG))
    assert (proposal.place.profile, proposal.sketch is None) == (("zigbee2mqtt", True) if read else ("", False))


@pytest.mark.parametrize(("on", "read"), [(False, True), (True, False)])
def test_a_profile_that_takes_open_for_closed_is_not_proposed(on: bool, read: bool) -> None:
    config = {
        "state_topic": "zigbee2mqtt/gate",
        "device_class": "door",
        "value_template": "{{ value_json.contact }}",
        "payload_on": on,
        "payload_off": not on,
    }
    (proposal,) = propose([announce("homeassistant/binary_sensor/x/config", config)], around(PLUG))
    assert (proposal.sketch is None) == read


def test_a_message_may_name_its_device() -> None:
    config = entity(1, "gw/l1/data", device_class="power", unit_of_measurement="kW")
    assert propose([config], around(GATEWAY))[0].place.profile == "", "the announced value is none that it reads"
    values = read_values(
        [announce("gw/l1/data", {"list": [{"no": 7, "p": 2}]})], [Place("gateway", "l1-7")], around(GATEWAY)
    )
    assert values == {Place("gateway", "l1-7"): {"power_kw": 2.0}}


def test_a_place_that_no_register_could_hold_says_nothing() -> None:
    places = [
        Place("zigbee2mqtt", "a+b"),
        Place("zigbee2mqtt", "a\0b"),
        Place("gone", "x"),
        Place("zigbee2mqtt", "good"),
    ]
    values = read_values([announce("zigbee2mqtt/good", {"power": 1000})], places, around(PLUG))
    assert list(values.values()) == [{}, {}, {}, {"power_kw": 1.0}]


# ── read by none: a sketch ───────────────────────────────────────────────────────────────────────────────────────


def read_sketch(proposal: Proposal) -> dict[str, Any]:
    assert proposal.sketch is not None
    content: dict[str, Any] = yaml.safe_load(proposal.sketch.text)
    return content


def test_what_no_profile_reads_gets_a_sketch() -> None:
    (proposal,) = propose([POWER, ENERGY], around(PLUG))
    assert say(proposal) == (
        "Home Assistant", Place("", "m1"), "Main meter", "electricity_meter", ("power_kw", "energy_import_kwh")
    )  # fmt: skip
    assert read_sketch(proposal) == {
        "id": "main-meter",
        "topics": ["acme/{device}/data"],
        "points": {
            "power_kw": {"path": "p", "unit": "W", "scale": 0.1},
            "energy_import_kwh": {"path": '"e x".t', "unit": "Wh"},
        },
    }


def test_a_sketch_reads_what_it_was_drawn_from() -> None:
    (proposal,) = propose([POWER, ENERGY], around(PLUG))
    profile = Profile.model_validate(read_sketch(proposal))
    message = announce("acme/m1/data", {"p": 25, "e x": {"t": 500}})
    place = Place("main-meter", "m1")
    assert read_values([message], [place], around(profile)) == {place: {"power_kw": 0.0025, "energy_import_kwh": 0.5}}
    (again,) = propose([POWER, ENERGY], around(PLUG, profile))
    assert (again.place, again.sketch) == (place, None), "once it is saved, it is the profile"


def test_a_topic_for_each_point_is_a_form_for_each() -> None:
    flow = entity(1, "x/esp-1/flow", device_class="volume_flow_rate", unit_of_measurement="L/min")
    volume = entity(2, "x/esp-1/volume", device_class="water", unit_of_measurement="L")
    (proposal,) = propose([flow, volume], around())
    assert read_sketch(proposal)["messages"] == [
        {
            "topics": ["x/{device}/flow"],
            "format": "value",
            "points": {"flow_m3_per_h": {"path": "@", "unit": "L/min"}},
        },
        {"topics": ["x/{device}/volume"], "format": "value", "points": {"volume_m3": {"path": "@", "unit": "L"}}},
    ]
    assert (proposal.place, proposal.kind) == (Place("", "esp-1"), "water_meter")


def test_a_single_topic_that_names_nobody_is_the_devices_own() -> None:
    (proposal,) = propose([entity(1, "some/where", device_class="temperature", unit_of_measurement="°C")], around())
    assert proposal.place == Place("", "", "some/where")
    assert "topics" not in read_sketch(proposal)


def test_sketches_have_names_of_their_own() -> None:
    others = [
        announce(
            "homeassistant/sensor/n/x/config", {"stat_t": "x/y", "dev_cla": "power", "dev": {"ids": "q", "name": name}}
        )
        for name in ("总表\n# 1",)
    ]
    proposals = propose([POWER, *others], around(Profile.model_validate({"id": "main-meter", "ignore": "taken"})))
    assert [read_sketch(proposal)["id"] for proposal in proposals] == ["main-meter-2", "em-1"]
    assert proposals[1].sketch is not None
    assert proposals[1].sketch.text.startswith("# Sketched from what Home Assistant was told of 总表 # 1.")


# ── anything at all ──────────────────────────────────────────────────────────────────────────────────────────────

_TOPICS = st.sampled_from(
    [
        "zigbee2mqtt/bridge/devices",
        "tasmota/discovery/1/config",
        "tasmota/discovery/1/sensors",
        "shellies/announce",
        "shellies/shellyem-A1B2C3/online",
        "/online",
        "homie/5/a/$description",
        "homie/a/b/c/$unit",
        "homie/a/b/c/$datatype",
        "homeassistant/sensor/a/config",
        "homeassistant/binary_sensor/a/b/config",
        "homeassistant/device/a/config",
        "homeassistant/config",
        "",
    ]
)
_KEYS = st.sampled_from(
    [
        "friendly_name", "definition", "exposes", "features", "type", "property", "value_on", "values", "sn", "t", "ft",
        "tp", "id", "nodes", "properties", "datatype", "unit", "stat_t", "~", "val_tpl", "dev_cla", "unit_of_meas",
        "dev", "ids", "cmps", "p", "pl_on", "name",
    ]
)  # fmt: skip
_WORDS = st.sampled_from(
    [
        "sensor", "numeric", "binary", "power", "door", "W", "a/b", "~/c", "{{ value_json.a[3] }}", "{{ value }}",
        "%prefix%/%topic%/", "a+/#", "\0", "float", "shellyem-A1B2C3", "a/{b}", "🦉",
    ]
)  # fmt: skip
_CONTENT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _WORDS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=6),
    max_leaves=20,
)
_PAYLOADS = st.binary(max_size=20) | _CONTENT.map(lambda content: json.dumps(content).encode())


@given(st.lists(st.tuples(_TOPICS, _PAYLOADS), max_size=6))
def test_whatever_is_announced_nothing_is_raised(messages: list[tuple[str, bytes]]) -> None:
    for proposal in propose(messages, around(PLUG, TASMOTA, GATEWAY, WIDE)):
        assert proposal.points
        assert (proposal.sketch is None) == (proposal.place.profile != "")
        if proposal.sketch is not None:
            Profile.model_validate(read_sketch(proposal))


_TEMPLATES = st.sampled_from(["", "{{ value_json.a }}", "{{ value_json['a b'].c }}", "{{ value_json.d[2] }}"])


@given(
    st.lists(
        st.tuples(st.sampled_from(["t/m1", "t/m1/x", "other"]), _TEMPLATES, st.sampled_from(["W", "kW", "MW"])),
        min_size=1,
        max_size=3,
    )
)
def test_every_sketch_reads_its_points(configs: list[tuple[str, str, str]]) -> None:
    messages = [
        entity(
            number,
            topic,
            value_template=template,
            device_class="power",
            unit_of_measurement=unit,
            name=f"L{number + 1}",
        )
        for number, (topic, template, unit) in enumerate(configs)
    ]
    (proposal,) = propose(messages, around())
    profile = Profile.model_validate(read_sketch(proposal))
    found = propose(messages, around(profile))
    if proposal.place.topic:
        assert found[0].sketch is not None, "its devices name their topics, so nobody can guess it"
    else:
        assert found[0].place == Place(profile.id, proposal.place.address)


def test_filters_catch_each_message_once() -> None:
    for wide in FILTERS:
        assert not any(covers(wide, other) for other in FILTERS if other != wide)
