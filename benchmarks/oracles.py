"""What real payloads should give, worked out by plain code that shares nothing with the profiles.

For each family of the corpus: how a record is published, and what it says.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from devices.register import Kind

Record: TypeAlias = Mapping[str, Any]
Values: TypeAlias = dict[str, float | bool | str]


class Case(NamedTuple):
    """A record as a site would hear it.

    Attributes:
        profile: id of the built-in profile that reads it.
        topic: where it is published.
        payload: its bytes.
        expected: what one of its readings must at least say of electricity, water, access or safety; empty: nothing.
        reason: why it says nothing, or cannot.
        own_topic: the topic is the device's own.
        kind: of the device.
        pulse_weight: of the device.
        address: of the device, where a message of an unlisted one would be left out.
    """

    profile: str
    topic: str
    payload: bytes
    expected: Values
    reason: str = ""
    own_topic: bool = False
    kind: Kind = "electricity_meter"
    pulse_weight: str = ""
    address: str = ""


def find_case(record: Record) -> Case:
    """How a record is published, and what it says."""
    return _FAMILIES[record["family"]](record)


# ── families ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _tasmota(record: Record) -> Case:
    message = json.loads(record["payload"])
    inner = message.get("StatusSNS", message)
    energy, clamp = inner.get("ENERGY", {}), inner.get("ANALOG", {}).get("CTEnergy1", {})
    total = energy.get("Total", energy.get("TotalTariff"))
    expected: Values = {}
    if total is not None:
        parts = total if isinstance(total, list) else list(total.values()) if isinstance(total, dict) else [total]
        expected["energy_import_kwh"] = sum(parts)
    if clamp:
        expected |= {
            "energy_import_kwh": clamp["Energy"],
            "power_kw": clamp["Power"] / 1000,
            "voltage_v": clamp["Voltage"],
            "current_a": clamp["Current"],
        }
    return Case("tasmota", record["topic"], record["payload"].encode(), expected, "weather, no point of these kinds")


def _zigbee2mqtt(record: Record) -> Case:
    message = json.loads(record["payload"])
    expected: Values = {}
    if "energy" in message:
        expected = {"energy_import_kwh": message["energy"], "power_kw": message["power"] / 1000}
    return Case("zigbee2mqtt", record["topic"], record["payload"].encode(), expected, "battery and climate only")


_SHELLY_SCALES = {
    "apower": ("power_kw", 1000),
    "voltage": ("voltage_v", 1),
    "current": ("current_a", 1),
    "total_act": ("energy_import_kwh", 1000),
    "total_act_ret": ("energy_export_kwh", 1000),
    "total_act_power": ("power_kw", 1000),
    **{f"{phase}_act_power": (f"power_l{n}_kw", 1000) for n, phase in enumerate("abc", 1)},
    **{f"{phase}_voltage": (f"voltage_l{n}_v", 1) for n, phase in enumerate("abc", 1)},
    **{f"{phase}_current": (f"current_l{n}_a", 1) for n, phase in enumerate("abc", 1)},
}


def _shelly_component(status: Mapping[str, Any]) -> Values:
    expected: Values = {
        point: status[key] / scale
        for key, (point, scale) in _SHELLY_SCALES.items()
        if isinstance(status.get(key), int | float)
    }
    if "aenergy" in status:
        expected["energy_import_kwh"] = status["aenergy"]["total"] / 1000
    return expected


def _shelly(record: Record) -> Case:
    payload = record["payload"].encode()
    message = json.loads(payload)
    if record["topic"]:
        topic = record["topic"].replace("<", "").replace(">", "")
        reason = "an input of a relay; what hangs on it, the message does not say"
        if "/status/switch" in topic:
            reason = "a relay that does not measure"
        node, _, channel = topic.partition("/status/switch:")
        address = f"{node}:{channel}" if channel not in {"", "0"} else ""
        return Case("shelly_gen2", topic, payload, _shelly_component(message), reason, address=address)
    if "sys" not in message:
        reason = "the body of an HTTP answer of a Gen1 device, which publishes bare values instead"
        return Case("shelly_gen1", "shellies/device/status", payload, {}, reason)
    whole = {"src": "device", "method": "NotifyFullStatus", "params": {"ts": message["sys"]["unixtime"], **message}}
    measuring = next((key for key in message if key.endswith(":0") and "aenergy" in message[key]), "")
    expected = _shelly_component(message.get(measuring, {}))
    return Case(
        "shelly_gen2", "device/events/rpc", json.dumps(whole).encode(), expected, "a relay that does not measure"
    )


_ELECTRIC_TYPES = frozenset({4, 5, 7, 8})
"""Commodities by type of ERT: https://github.com/bemasher/rtlamr/wiki/Compatible-Meters."""


def _rtlamr(record: Record) -> Case:
    count = re.search(r'"(?:Consumption|LastConsumptionCount)":(\d+)', record["payload"])
    kind = re.search(r'"(?:ERTType|Type)":(\d+)', record["payload"])
    electric = kind is not None and int(kind[1]) in _ELECTRIC_TYPES
    expected: Values = {"energy_import_kwh": int(count[1]) / 100} if count and electric else {}
    reason = "the type of the transmitter is none of an electricity, gas or water meter"
    return Case("rtlamr", "rtlamr", record["payload"].encode(), expected, reason, pulse_weight="10 Wh")


_WATER = {
    "total_m3": "volume_m3",
    "current_flow_m3h": "flow_m3_per_h",
    "total_backward_flow_m3": "backflow_m3",
}
_ELECTRICITY = {
    "total_energy_consumption_kwh": "energy_import_kwh",
    "total_energy_production_kwh": "energy_export_kwh",
    "active_consumption_kw": "power_kw",
    "active_consumption_l1_kw": "power_l1_kw",
    "active_consumption_l2_kw": "power_l2_kw",
    "active_consumption_l3_kw": "power_l3_kw",
    "current_power_consumption_phase1_kw": "power_l1_kw",
    "current_power_consumption_phase2_kw": "power_l2_kw",
    "current_power_consumption_phase3_kw": "power_l3_kw",
    "power_kw": "power_kw",
    "power_factor": "power_factor",
    "frequency_hz": "frequency_hz",
    "voltage_l1_n_v": "voltage_l1_v",
    "voltage_l2_n_v": "voltage_l2_v",
    "voltage_l3_n_v": "voltage_l3_v",
    "voltage_at_phase_1_v": "voltage_l1_v",
    "voltage_at_phase_2_v": "voltage_l2_v",
    "voltage_at_phase_3_v": "voltage_l3_v",
    "current_l1_a": "current_l1_a",
    "current_l2_a": "current_l2_a",
    "current_l3_a": "current_l3_a",
    "amperage_at_phase_1_a": "current_l1_a",
    "amperage_at_phase_2_a": "current_l2_a",
    "amperage_at_phase_3_a": "current_l3_a",
}


def _wmbusmeters(record: Record) -> Case:
    message = json.loads(record["payload"])
    water = "water" in message["media"]
    names = _WATER if water else _ELECTRICITY if message["media"] == "electricity" else {}
    expected: Values = {point: message[key] for key, point in names.items() if message.get(key) is not None}
    drawn = message.get("current_power_consumption_kw")
    if drawn is not None:
        expected["power_kw"] = drawn - (message.get("current_power_production_kw") or 0)
    reason = "no register, only the value of a past day" if water else "no measured value"
    if abs(float(expected.get("power_factor", 0))) > 1:
        del expected["power_factor"]  # there is none beyond 1
    if "phases_counter" in message and "partial_energy_consumption_kwh" in message:
        # Other telegrams of the same meter show a thousand times as much.
        expected, reason = {}, "its settings, in which MWh stand under the name of kWh"
    if not names:
        reason = f"media {message['media']}: no point of these kinds"
    kind: Kind = "water_meter" if water else "electricity_meter"
    return Case("wmbusmeters", record["topic"], record["payload"].encode(), expected, reason, kind=kind)


_TELEGRAM_LINE = re.compile(r"^\d-0:(\d+\.\d+\.\d+)(?:\*\d+)?\((-?[\d.]+)\*(k?Wh|k?W|V|A)\)", re.MULTILINE)
_TELEGRAM_POINTS = {
    "21.7.0": "power_l1_kw", "41.7.0": "power_l2_kw", "61.7.0": "power_l3_kw",
    "32.7.0": "voltage_l1_v", "52.7.0": "voltage_l2_v", "72.7.0": "voltage_l3_v",
    "31.7.0": "current_l1_a", "51.7.0": "current_l2_a", "71.7.0": "current_l3_a",
}  # fmt: skip


def _dsmr(record: Record) -> Case:
    found: dict[str, float] = {}
    for code, number, unit in _TELEGRAM_LINE.findall(record["payload"]):
        found[code] = float(number) / (1000 if unit in {"W", "Wh"} else 1)
    expected: Values = {point: found[code] for code, point in _TELEGRAM_POINTS.items() if code in found}
    for stem, point in (("1.8", "energy_import_kwh"), ("2.8", "energy_export_kwh")):
        tariffs = [value for code, value in found.items() if code.startswith(stem + ".") and not code.endswith(".0")]
        if f"{stem}.0" in found or tariffs:
            expected[point] = found.get(f"{stem}.0", sum(tariffs))
    for phase in "246":  # what flows back is taken from what flows in
        point, back = f"power_l{int(phase) // 2}_kw", found.get(f"{phase}2.7.0", 0)
        if point in expected:
            expected[point] = float(expected[point]) - back
    if "1.7.0" in found:
        expected["power_kw"] = found["1.7.0"] - found.get("2.7.0", 0)
    reason = "a heat meter alone: no point of these kinds"
    return Case("dsmr", "own/telegram", record["payload"].encode(), expected, reason, own_topic=True)


def _access(record: Record) -> Case:
    payload = record["payload"].encode()
    message = json.loads(payload)
    if record["device"] == "esp-rfid":
        expected: Values = {}
        if message.get("access") == "Denied":
            expected = {"event": "denied"}
        elif str(message.get("desc", "")).startswith("Door "):
            state = message["desc"].removeprefix("Door ").lower()
            expected = {"door": state, "event": {"open": "opened", "closed": "closed"}[state]}
        reason = "a template of the documentation, or nothing about access"
        return Case("esp_rfid", record["topic"], payload, expected, reason, kind="door")
    if record["device"].startswith("RAILS"):
        expected = {"credential": message["rfid"]} if "rfid" in message else {}
        return Case("rails", record["topic"], payload, expected, "a sign of life", kind="door")
    if record["device"].startswith("Dahua"):
        expected = {"door": "closed"} if message["Code"] == "DoorStatus" else {}
        return Case("dahua", "own/vto", payload, expected, "the light of the keys", own_topic=True, kind="door")
    topic = record["topic"].replace("<MAC>", "accc8e012345")
    return Case("axis", topic, payload, {}, "a motion sensor: no point of these kinds", kind="door")


def _lorawan(record: Record) -> Case:
    """As ChirpStack publishes it: with what the vendor's codec made of it; where we read bytes, with these alone."""
    device = record["device"]
    profile = "milesight_leak" if device.startswith("milesight/em300-sld") else "chirpstack"
    message = {
        "time": "2026-11-22T08:00:00.000Z",
        "deviceInfo": {"applicationId": "a", "devEui": "24e124fffef00001"},
        "fPort": record["fport"] if record["fport"] is not None else 85,
        "data": b64encode(bytes.fromhex(record["payload"])).decode(),
    }
    if profile == "chirpstack":
        message["object"] = record["expected"].get("data") or {}
    data = record["expected"].get("data") or {}
    expected: Values = {}
    if "leakage_status" in data:
        expected["leak"] = data["leakage_status"] == "leak"
    for item in data.get("history", []):
        expected["leak"] = item["leakage_status"] == "leak"
    if "activeEnergyImportL1T1" in data:
        expected = {
            "energy_import_kwh": data["activeEnergyImportL1T1"]["data"] / 1000,
            "power_l1_kw": data["activePowerL1"]["data"] / 1000,
            "voltage_l1_v": data["voltageL1N"]["data"],
            "current_l1_a": data["currentL1"]["data"] / 1000,
            "frequency_hz": data["frequency"]["data"],
        }
    if "pulseCount" in data:
        expected = {"energy_import_kwh": data["pulseCount"] / 100}
    topic = "application/a/device/24e124fffef00001/event/up"
    weight = "10 Wh" if "pulseCount" in data else ""
    reason = "settings or state of the device, or soil and weather"
    return Case(profile, topic, json.dumps(message).encode(), expected, reason, pulse_weight=weight)


def _beside(profile: str, topic: str, reason: str) -> Callable[[Record], Case]:
    """For families whose records speak of other things: they must be read, or refused with a reason."""

    def find(record: Record) -> Case:
        return Case(profile, record["topic"] or topic, record["payload"].encode(), {}, reason)

    return find


_FAMILIES: dict[str, Callable[[Record], Case]] = {
    "access_control": _access,
    "dsmr_p1": _dsmr,
    "homie": _beside("homie", "", "a car and a lamp"),
    "lorawan_chirpstack_profiles": _lorawan,
    "opcua_pubsub": _beside("opcua_pubsub", "opcua/site/data", "a demonstration server's counters and alarms"),
    "rtlamr": _rtlamr,
    "shelly": _shelly,
    "sparkplug": _beside("sparkplug_b", "", "printed as JSON, which is never on the wire"),
    "tasmota_ha": _tasmota,
    "tts_uplink": _beside("the_things_stack", "", "temperature and light"),
    "wmbusmeters": _wmbusmeters,
    "zigbee2mqtt": _zigbee2mqtt,
}
