"""What Zigbee2MQTT, Tasmota, Homie and Shelly announce becomes messages such as their devices send."""

import json
from typing import Any

import pytest

from devices.discovery import homie, shelly, tasmota, zigbee2mqtt
from devices.discovery.announcements import Entity


def encode(content: object) -> bytes:
    return json.dumps(content).encode()


# ── Zigbee2MQTT ──────────────────────────────────────────────────────────────────────────────────────────────────


def bridge(*devices: object) -> list[tuple[str, bytes]]:
    return [("zigbee2mqtt/bridge/devices", encode(devices))]


def test_a_bridge_lists_its_devices() -> None:
    plug = {
        "type": "Router",
        "friendly_name": "hall/plug",
        "definition": {
            "description": "Smart plug",
            "exposes": [
                {"type": "switch", "features": [{"type": "binary", "property": "state", "value_on": "ON"}]},
                {"type": "numeric", "property": "power"},
                {"type": "enum", "property": "mode", "values": ["auto", "off"]},
                {"type": "composite", "property": "limits", "features": [{"type": "numeric", "property": "high"}]},
                {"type": "text", "property": "note"},
            ],
        },
    }
    coordinator = {"type": "Coordinator", "friendly_name": "Coordinator", "definition": {}}
    (device,) = zigbee2mqtt.read_announcements(bridge(coordinator, plug, {"friendly_name": "new"}, "odd"))
    assert (device.name, device.profile) == ("Smart plug", "zigbee2mqtt")
    ((topic, payload),) = device.samples
    assert topic == "zigbee2mqtt/hall/plug"
    assert json.loads(payload) == {"state": "ON", "power": 1, "mode": "auto", "limits": {"high": 1}}


def test_a_description_of_the_users_own_is_the_name() -> None:
    device = {"type": "EndDevice", "friendly_name": "0x1", "description": "门厅门磁", "definition": {"exposes": []}}
    assert [found.name for found in zigbee2mqtt.read_announcements(bridge(device))] == ["门厅门磁"]


@pytest.mark.parametrize("depth", [3, 300])
def test_exposures_may_be_nested_deeply(depth: int) -> None:
    expose: dict[str, Any] = {"type": "numeric", "property": "power"}
    for _ in range(depth):
        expose = {"type": "composite", "features": [expose]}
    device = {"type": "Router", "friendly_name": "x", "definition": {"exposes": [expose]}}
    (found,) = zigbee2mqtt.read_announcements(bridge(device))
    assert json.loads(found.samples[0][1]) == ({"power": 1} if depth == 3 else {})


# ── Tasmota ──────────────────────────────────────────────────────────────────────────────────────────────────────

CONFIG = {"dn": "Washer", "hn": "washer-7", "t": "plug7", "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"]}
SENSORS = {"sn": {"Time": "2026-11-22T08:00:00", "ENERGY": {"Total": 1.5}}, "ver": 1}


def announce_tasmota(config: object, sensors: object = SENSORS) -> list[tuple[str, bytes]]:
    base = "tasmota/discovery/00AABBCCDDEE"
    return [(f"{base}/sensors", encode(sensors)), (f"{base}/config", encode(config))]


def test_a_tasmota_device_tells_its_topic_and_a_sample() -> None:
    (device,) = tasmota.read_announcements(announce_tasmota(CONFIG))
    assert (device.name, device.profile) == ("Washer", "tasmota")
    assert device.samples == [("tele/plug7/SENSOR", b'{"Time":"2026-11-22T08:00:00","ENERGY":{"Total":1.5}}')]


def test_a_full_topic_has_its_parts_put_in() -> None:
    full = {"ft": "site/%hostname%/%id%/%prefix%/%topic%"}
    (device,) = tasmota.read_announcements(announce_tasmota(CONFIG | full))
    assert device.samples[0][0] == "site/washer-7/00AABBCCDDEE/tele/plug7/SENSOR"


@pytest.mark.parametrize(
    ("config", "sensors"),
    [
        (CONFIG, {"ver": 1}),
        (CONFIG, []),
        (CONFIG | {"tp": "tele"}, SENSORS),
        (CONFIG | {"t": None}, SENSORS),
        ([], SENSORS),
    ],
)
def test_an_incomplete_tasmota_device_is_passed_over(config: object, sensors: object) -> None:
    assert tasmota.read_announcements(announce_tasmota(config, sensors)) == []


# ── Homie ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_homie_5_describes_a_device_at_once() -> None:
    description = {
        "homie": "5.0",
        "name": "Meter",
        "nodes": {
            "grid": {
                "properties": {
                    "power": {"name": "Power", "datatype": "float", "unit": "W"},
                    "mode": {"datatype": "enum", "format": "a,b"},
                    "alarm": {"datatype": "boolean"},
                }
            },
            "odd": [],
        },
    }
    (device,) = homie.read_announcements([("homie/5/m1/$description", encode(description))])
    assert (device.name, device.aliases) == ("Meter", ["m1"])
    assert device.samples == [("homie/5/m1/grid/power", b"1"), ("homie/5/m1/grid/alarm", b"true")]
    assert list(device.entities.values()) == [Entity("homie/5/m1/grid/power", (), "power_kw", "W")]


def test_homie_4_describes_a_device_topic_by_topic() -> None:
    (device,) = homie.read_announcements(
        [
            ("homie/m1/$name", "水表".encode()),
            ("homie/m1/flow/volume/$datatype", b"integer"),
            ("homie/m1/flow/volume/$unit", b"L"),
            ("homie/m1/flow/volume/$name", b"Volume"),
            ("homie/m1/flow/name/$datatype", b"string"),
        ]
    )
    assert (device.name, device.aliases) == ("水表", ["m1"])
    assert device.samples == [("homie/m1/flow/volume", b"1")]
    assert list(device.entities.values()) == [Entity("homie/m1/flow/volume", (), "volume_m3", "L")]


# ── Shelly ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("topic", "payload", "sample"),
    [
        (
            "shellies/announce",
            b'{"id":"shellyem3-A1B2C3","model":"SHEM-3"}',
            "shellies/shellyem3-A1B2C3/emeter/0/total",
        ),
        ("shellies/shellyplug-s-A1B2C3/online", b"true", "shellies/shellyplug-s-A1B2C3/relay/0/energy"),
        ("shellies/shellydw2-A1B2C3/online", b"false", "shellies/shellydw2-A1B2C3/sensor/state"),
        ("shellypro3em-a1b2c3d4e5f6/online", b"true", "shellypro3em-a1b2c3d4e5f6/status/em:0"),
        ("shellyproem50-a1b2c3d4e5f6/online", b"true", "shellyproem50-a1b2c3d4e5f6/status/em1:0"),
        ("shellyplusplugs-a1b2c3d4e5f6/online", b"true", "shellyplusplugs-a1b2c3d4e5f6/status/switch:0"),
        ("shelly1pmminig3-a1b2c3d4e5f6/online", b"true", "shelly1pmminig3-a1b2c3d4e5f6/status/switch:0"),
        ("shellies/shelly1-A1B2C3/online", b"true", ""),
        ("shellyplusi4-a1b2c3d4e5f6/online", b"true", ""),
        ("kitchen/online", b"true", ""),
        ("shellies/announce", b'{"id": 5}', ""),
        ("shellies/announce", b"{", ""),
    ],
)
def test_a_shellys_model_tells_what_it_sends(topic: str, payload: bytes, sample: str) -> None:
    samples = [device.samples[0][0] for device in shelly.read_announcements([(topic, payload)])]
    assert samples == ([sample] if sample else [])
