"""Home Assistant's discovery messages become devices with their points, whatever else their keys say."""

import json
from typing import Any

import pytest

from devices.discovery.announcements import Announcement, Entity
from devices.discovery.homeassistant import read_announcements, read_template


def announce(*configs: dict[str, Any], component: str = "sensor") -> list[Announcement]:
    topics = (f"homeassistant/{component}/node/object{number}/config" for number in range(len(configs)))
    return read_announcements([(t, json.dumps(config).encode()) for t, config in zip(topics, configs, strict=True)])


def entities(*configs: dict[str, Any], component: str = "sensor") -> list[Entity]:
    return [entity for device in announce(*configs, component=component) for entity in device.entities.values()]


POWER = {"state_topic": "a/b", "device_class": "power", "unit_of_measurement": "W"}


@pytest.mark.parametrize(
    ("template", "place"),
    [
        ("", ((), 1.0)),
        ("{{ value }}", ((), 1.0)),
        ("{{ value | float }}", ((), 1.0)),
        ("{{ value_json.a }}", (("a",), 1.0)),
        ("{{value_json.a.b_2}}", (("a", "b_2"), 1.0)),
        ("{{ value_json['ENERGY'][\"my key\"] }}", (("ENERGY", "my key"), 1.0)),
        ("{{ value_json.list[2].v }}", (("list", 2, "v"), 1.0)),
        ("{{ value_json.a | float / 1000 }}", (("a",), 0.001)),
        ("{{ (value_json.a | float) * 0.1 | round(2) }}", (("a",), 0.1)),
        ("{{ value_json.a | default(0) | float | round(1) }}", (("a",), 1.0)),
        ("{{ value_json.a|is_defined }}", (("a",), 1.0)),
        ("{{ (value_json.a / 10) | round(1) }}", (("a",), 0.1)),
        ("{{ value_json }}", None),
        ("{{ value.a }}", None),
        ("{{ value_json.a / 0 }}", None),
        ("{{ value_json.a + value_json.b }}", None),
        ("{% if value_json.a %}ON{% else %}OFF{% endif %}", None),
        ("{{ states('sensor.x') }}", None),
    ],
)
def test_simple_templates_are_understood(template: str, place: object) -> None:
    assert read_template(template) == place


def test_long_and_short_keys_say_the_same() -> None:
    long = {
        "state_topic": "acme/m1/data",
        "value_template": "{{ value_json.p }}",
        "device_class": "power",
        "unit_of_measurement": "W",
        "device": {"identifiers": ["m1"], "name": "Meter"},
    }
    short = {
        "~": "acme/m1",
        "stat_t": "~/data",
        "val_tpl": "{{ value_json.p }}",
        "dev_cla": "power",
        "unit_of_meas": "W",
        "dev": {"ids": "m1", "name": "Meter"},
    }
    assert announce(long) == announce(short)
    (device,) = announce(short)
    assert device.name == "Meter"
    assert list(device.entities.values()) == [Entity("acme/m1/data", ("p",), "power_kw", "W")]


def test_the_base_may_stand_at_the_end() -> None:
    (entity,) = entities(POWER | {"~": "data", "state_topic": "a/~"})
    assert entity.topic == "a/data"


def test_entities_of_one_device_are_put_together() -> None:
    other = {"state_topic": "a/b", "value_template": "{{ value_json.e }}", "device_class": "energy"}
    device = {"device": {"connections": [["mac", "aa:bb"]]}}
    (both,) = announce(POWER | device, other | device | {"unit_of_measurement": "kWh"})
    assert [point for _, point in both.entities] == ["power_kw", "energy_import_kwh"]
    assert len(announce(POWER, POWER | {"state_topic": "a/c"})) == 2, "without a device each topic is one"


def test_one_message_may_announce_a_whole_device() -> None:
    payload = {
        "dev": {"ids": "m1", "name": "Meter"},
        "o": {"name": "maker"},
        "state_topic": "m1/state",
        "cmps": {
            "a": {"p": "sensor", "dev_cla": "temperature", "unit_of_meas": "°C", "val_tpl": "{{ value_json.t }}"},
            "b": {"p": "binary_sensor", "dev_cla": "moisture", "stat_t": "m1/leak"},
            "c": {"p": "button", "cmd_t": "m1/reset"},
            "d": "odd",
        },
    }
    (device,) = read_announcements([("homeassistant/device/m1/config", json.dumps(payload).encode())])
    assert device.name == "Meter"
    assert list(device.entities.values()) == [
        Entity("m1/state", ("t",), "temperature_c", "°C"),
        Entity("m1/leak", (), "leak", words=(("ON", True), ("OFF", False))),
    ]


@pytest.mark.parametrize(
    ("config", "points"),
    [
        ({"device_class": "energy", "unit_of_measurement": "Wh"}, ["energy_import_kwh"]),
        ({"device_class": "energy", "unit_of_measurement": "kWh", "name": "Energy returned"}, ["energy_export_kwh"]),
        ({"device_class": "energy", "unit_of_measurement": "kWh", "name": "Energy Today"}, []),
        ({"device_class": "energy", "unit_of_measurement": "m³"}, []),
        ({"unit_of_measurement": "kWh", "name": "Total"}, ["energy_import_kwh"]),
        ({"device_class": "voltage", "unit_of_measurement": "V", "name": "Voltage L2"}, ["voltage_l2_v"]),
        ({"device_class": "current", "unit_of_measurement": "A", "name": "Phase B current"}, ["current_l2_a"]),
        ({"device_class": "voltage", "unit_of_measurement": "mV", "name": "Battery"}, []),
        ({"device_class": "water", "unit_of_measurement": "L"}, ["volume_m3"]),
        ({"device_class": "volume_flow_rate", "unit_of_measurement": "L/min"}, ["flow_m3_per_h"]),
        ({"device_class": "power_factor", "unit_of_measurement": "%"}, ["power_factor"]),
        ({"device_class": "carbon_dioxide", "unit_of_measurement": "ppm"}, ["co2_ppm"]),
        ({"device_class": "signal_strength", "unit_of_measurement": "dBm", "ent_cat": "diagnostic"}, ["rssi_dbm"]),
        ({"device_class": "temperature", "unit_of_measurement": "°C", "entity_category": "diagnostic"}, []),
        ({"device_class": "atmospheric_pressure", "unit_of_measurement": "hPa"}, []),
        ({"name": "Firmware"}, []),
    ],
)
def test_classes_and_units_tell_the_point(config: dict[str, str], points: list[str]) -> None:
    assert [entity.point for entity in entities({"state_topic": "a/b"} | config)] == points


@pytest.mark.parametrize(
    ("device_class", "entity"),
    [
        ("door", ("door", (("ON", "open"), ("OFF", "closed")))),
        ("lock", ("lock", (("ON", "unlocked"), ("OFF", "locked")))),
        ("gas", ("gas_leak", (("ON", True), ("OFF", False)))),
        ("motion", None),
        ("", None),
    ],
)
def test_binary_sensors_have_words(device_class: str, entity: object) -> None:
    found = entities({"state_topic": "a/b", "device_class": device_class}, component="binary_sensor")
    assert [(each.point, each.words) for each in found] == ([entity] if entity else [])


def test_a_payload_of_its_own_stands_for_on() -> None:
    config = {"state_topic": "a/b", "device_class": "smoke", "payload_on": True, "payload_off": "clear"}
    (entity,) = entities(config, component="binary_sensor")
    assert entity.words == ((True, True), ("clear", False))
    assert entities(config | {"payload_on": 1}, component="binary_sensor") == []


@pytest.mark.parametrize(
    "config",
    [
        POWER | {"state_topic": 5},
        POWER | {"state_topic": ""},
        POWER | {"value_template": ["{{ value_json.a }}"]},
        POWER | {"device_class": {"a": 1}},
        {"~": 1, "state_topic": "~/a", "device_class": "power", "unit_of_measurement": []},
    ],
)
def test_what_is_no_text_is_passed_over(config: dict[str, Any]) -> None:
    assert all(entity.topic != "" for entity in entities(config))


def test_other_topics_and_controls_are_passed_over() -> None:
    payload = json.dumps(POWER).encode()
    assert read_announcements([("homeassistant/status", b"online"), ("x/sensor/y/config", payload)]) == []
    assert entities(POWER, component="switch") == []
