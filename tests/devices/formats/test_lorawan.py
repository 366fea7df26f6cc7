"""Uplinks of network servers, opened."""

import base64
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import Undecodable
from devices.formats.lorawan import open_lorawan
from devices.message import Part
from devices.reading import Value
from devices.timestamps import Moment

EIGHT = 1_795_334_400_000_000_000  # 2026-11-22T08:00:00Z
NINE = 1_795_338_000_000_000_000

CHIRPSTACK_4: dict[str, Any] = {
    "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
    "time": "2026-11-22T08:00:00.123456789+00:00",
    "deviceInfo": {"applicationName": "meters", "deviceName": "hall", "devEui": "24E124136B501234"},
    "fCnt": 10,
    "fPort": 85,
    "data": base64.b64encode(bytes.fromhex("01755c")).decode(),
    "object": {"battery": 92},
    "rxInfo": [
        {"gatewayId": "0016c001f153a14c", "rssi": -107, "snr": 7.5},
        {"gatewayId": "0016c001f153a14d", "rssi": -57, "snr": 9},
    ],
}

CHIRPSTACK_3: dict[str, Any] = {
    "applicationID": "1",
    "devEUI": base64.b64encode(bytes.fromhex("24e124136b501234")).decode(),
    "rxInfo": [{"gatewayID": "AAE=", "rssi": -60, "loRaSNR": 5.5, "time": "2026-11-22T08:00:00Z"}],
    "fPort": 85,
    "data": "AXVc",
    "objectJSON": '{"battery":92}',
}

MILESIGHT_GATEWAY: dict[str, Any] = {
    "applicationID": 1,
    "devEUI": "24e124136b501234",
    "fPort": 85,
    "data": "AXVc",
    "rxInfo": [{"mac": "24e124fffef00001", "rssi": -60, "loRaSNR": 5.5, "time": "2026-11-22T08:00:00Z"}],
    "object": {"battery": 92},
}

THINGS_STACK: dict[str, Any] = {
    "end_device_ids": {
        "device_id": "hall",
        "application_ids": {"application_id": "meters"},
        "dev_eui": "24E124136B501234",
    },
    "received_at": "2026-11-22T08:00:00.5Z",
    "uplink_message": {
        "f_port": 85,
        "f_cnt": 10,
        "frm_payload": "AXVc",
        "decoded_payload": {"battery": 92},
        "rx_metadata": [{"gateway_ids": {"gateway_id": "roof"}, "rssi": -60}],
        "settings": {"data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}}},
        "received_at": "2026-11-22T08:00:00.250Z",
    },
}

THINGPARK: dict[str, Any] = {
    "DevEUI_uplink": {
        "Time": "2026-11-22T09:00:00.000+01:00",
        "DevEUI": "24E124136B501234",
        "FPort": "85",
        "payload_hex": "01755c",
        "payload": {"battery": 92},
        "LrrRSSI": "-60.000000",
        "LrrSNR": "5.500000",
    },
}


def open_message(message: object) -> list[Part]:
    return open_lorawan(orjson.dumps(message), NINE, None)


def change(message: dict[str, Any], key: str, **values: object) -> dict[str, Any]:
    return message | {key: message[key] | values}


@pytest.mark.parametrize(
    ("message", "moment", "signal"),
    [
        (CHIRPSTACK_4, (EIGHT + 123_456_789, 1), {"rssi_dbm": -57, "snr_db": 9}),
        (CHIRPSTACK_3, (EIGHT, 10**9), {"rssi_dbm": -60, "snr_db": 5.5}),
        (MILESIGHT_GATEWAY, (EIGHT, 10**9), {"rssi_dbm": -60, "snr_db": 5.5}),
        (THINGS_STACK, (EIGHT + 250_000_000, 10**6), {"rssi_dbm": -60, "snr_db": 0}),
        (THINGPARK, (EIGHT, 10**6), {"rssi_dbm": -60, "snr_db": 5.5}),
    ],
)
def test_uplinks_are_alike_whatever_server_they_come_from(
    message: object, moment: Moment, signal: dict[str, Value]
) -> None:
    assert open_message(message) == [Part({"battery": 92}, message, moment, "24e124136b501234", signal, 85)]


@pytest.mark.parametrize("message", [CHIRPSTACK_4, CHIRPSTACK_3, MILESIGHT_GATEWAY, THINGS_STACK, THINGPARK])
def test_bytes_are_decoded_where_the_profile_knows_how(message: object) -> None:
    seen = []

    def decode(data: bytes, port: int, received: int) -> dict[str, int]:
        seen.append((data, port, received // 10**9))
        return {"charge": data[2]}

    [part] = open_lorawan(orjson.dumps(message), NINE, decode)
    assert (part.body, part.root, seen) == ({"charge": 92}, message, [(b"\x01u\\", 85, EIGHT // 10**9)])


def test_a_codec_gets_the_arrival_where_the_server_tells_no_time() -> None:
    message = CHIRPSTACK_4 | {"time": None}
    [part] = open_lorawan(orjson.dumps(message), NINE, lambda _data, _port, received: {"at": received})
    assert (part.body, part.moment) == ({"at": NINE}, None)


def test_the_device_id_stands_in_for_a_missing_eui() -> None:
    [part] = open_message(THINGS_STACK | {"end_device_ids": {"device_id": "hall"}})
    assert part.address == "hall"


@pytest.mark.parametrize(
    ("message", "values"),
    [
        (CHIRPSTACK_4 | {"rxInfo": []}, {}),
        (CHIRPSTACK_4 | {"rxInfo": [{"rssi": -70}]}, {"rssi_dbm": -70}),
        (CHIRPSTACK_4 | {"rxInfo": [{"snr": 3}, {"rssi": "-70", "snr": None}]}, {"rssi_dbm": -70}),
        (change(THINGS_STACK, "uplink_message", settings={"data_rate": {"fsk": {}}}), {"rssi_dbm": -60}),
    ],
)
def test_signals_are_taken_where_they_are_there(message: object, values: object) -> None:
    assert open_message(message)[0].values == values


def test_the_things_stack_leaves_out_a_port_of_zero() -> None:
    uplink = {key: value for key, value in THINGS_STACK["uplink_message"].items() if key != "f_port"}
    [part] = open_message(THINGS_STACK | {"uplink_message": uplink})
    assert part.port == 0


EUI = {"devEui": "24e124136b501234"}
IDS = {"device_id": "hall", "dev_eui": "24E124136B501234"}


@pytest.mark.parametrize(
    "message",
    [
        {"time": "2026-11-22T08:00:00Z", "deviceInfo": EUI, "devAddr": "00189440"},
        {"deviceInfo": EUI, "margin": 5, "batteryLevel": 98.4},
        {"deviceInfo": EUI, "acknowledged": True, "fCntDown": 3},
        {"deviceInfo": EUI, "level": "ERROR", "code": "UPLINK_CODEC", "description": "JS error"},
        {"devEUI": "JOEkE2tQEjQ=", "devAddr": "ABgUQA=="},
        {"devEUI": "JOEkE2tQEjQ=", "error": "JS error", "type": "UPLINK_CODEC"},
        {"end_device_ids": IDS, "join_accept": {"session_key_id": "AXBSH1Pk6Z0G166RlH16CQ=="}},
        {"end_device_ids": IDS, "downlink_ack": {"f_port": 15, "frm_payload": "vu8="}},
        {"downlinks": [{"f_port": 15, "frm_payload": "vu8="}]},
        {"DevEUI_downlink_Sent": {"DevEUI": "24E124136B501234"}},
        CHIRPSTACK_4 | {"fPort": 0, "data": "Ag==", "object": None},
        CHIRPSTACK_4 | {"fPort": 0, "data": "", "object": {}},
        CHIRPSTACK_4 | {"data": "", "object": None},
        THINGS_STACK | {"uplink_message": {"frm_payload": "Ag==", "f_cnt": 3}},
        THINGS_STACK | {"uplink_message": {"f_port": 1, "f_cnt": 3}},
        {"DevEUI_uplink": {"DevEUI": "24E124136B501234", "FCntUp": "3", "ADRbit": "1"}},
    ],
)
def test_what_is_no_reading_is_passed_over(message: object) -> None:
    assert open_message(message) == []


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"temperature": 21}, "no message of a known network server"),
        ([CHIRPSTACK_4], "no message of a known network server"),
        (5, "no message of a known network server"),
        (CHIRPSTACK_4 | {"object": None}, "the uplink is not decoded"),
        (CHIRPSTACK_4 | {"object": {}}, "the uplink is not decoded"),
        (change(THINGS_STACK, "uplink_message", decoded_payload=None), "the uplink is not decoded"),
        (CHIRPSTACK_4 | {"data": "A"}, "the uplink's bytes are not in base64"),
        (CHIRPSTACK_4 | {"time": "yesterday"}, "time of the uplink: expected a text such as 2026-11-22T08:00:00Z"),
        (CHIRPSTACK_3 | {"objectJSON": "{"}, "payload is not JSON"),
        (change(THINGPARK, "DevEUI_uplink", payload_hex="0"), "payload_hex: expected hexadecimal digits"),
    ],
)
def test_messages_that_cannot_be_opened(message: object, reason: str) -> None:
    with pytest.raises(Undecodable) as caught:
        open_message(message)
    assert caught.value.reason == reason


def test_a_decoded_object_does_not_stand_in_for_bytes_that_a_layout_should_read() -> None:
    with pytest.raises(Undecodable, match="the uplink has no bytes to decode"):
        open_lorawan(orjson.dumps(CHIRPSTACK_4 | {"data": ""}), NINE, lambda *_: {"a": 1})


KEYS = sorted(
    {
        *CHIRPSTACK_4, *CHIRPSTACK_3, *THINGS_STACK, *THINGS_STACK["uplink_message"],
        *THINGPARK, *THINGPARK["DevEUI_uplink"], "DevEUI_x", "downlinks", "devEui", "dev_eui", "device_id",
        "rssi", "snr", "loRaSNR", "data_rate", "lora", "time",
    },
)  # fmt: skip
JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from(["AXVc", "24e124136b501234", "2026-11-22T08:00:00Z", "nan", "", "x"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)),
    max_leaves=20,
)  # fmt: skip


@given(st.one_of(JSON, st.dictionaries(st.sampled_from(KEYS), JSON, min_size=1)))
def test_any_json_is_opened_or_undecodable(message: object) -> None:
    try:
        parts = open_lorawan(orjson.dumps(message), NINE, lambda data, port, _received: {"n": len(data), "port": port})
    except Undecodable:
        return
    assert len(parts) <= 1


@given(st.binary(max_size=60))
def test_any_bytes_are_undecodable(payload: bytes) -> None:
    with pytest.raises(Undecodable):
        open_lorawan(payload, NINE, None)
