"""The formats of payloads, as forms of message use them. What each of them reads is shown by tests of its own."""

import pytest

from tests.profilebench import EIGHT, Keys, read, read_values, refuse

FLOW = {"fields": [{"name": "flow", "type": "uint16"}, {"name": "leak", "type": "uint8", "bit": 0}]}
FLOW_POINTS = {"flow_m3_per_h": {"path": "flow", "unit": "L/h"}, "leak": "leak"}
FLOW_VALUES = {"flow_m3_per_h": pytest.approx(0.3), "leak": True}

CODEC = """
function decodeUplink(input) {
  if (input.fPort !== 2) throw new Error("port " + input.fPort);
  return {data: {flow: input.bytes[0] * 256 + input.bytes[1], leak: input.bytes[2] === 1}};
}
"""
UPLINK = (
    '{"deviceInfo": {"devEui": "24E124136B502217"}, "fPort": %d, "data": "ASwB", "object": {"flow": 300, "leak": true},'
    ' "time": "2026-11-22T08:00:00+00:00", "rxInfo": [{"rssi": -71, "snr": 7.5}]}'
)


def test_json_is_mended_where_only_one_meaning_is_possible() -> None:
    assert read_values("{'power': 0230, 'leak': True,}", points={"power_kw": "power", "leak": "leak"}) == [
        {"power_kw": 230.0, "leak": True},
    ]
    assert refuse('{"power": 23', points={"power_kw": "power"}) == "payload is not JSON"


def test_canonical_says_all_by_itself() -> None:
    assert read('{"time": 1795334400000, "leak": true}', format="canonical") == [((EIGHT, 10**6), {"leak": True}, "")]


def test_csv_is_a_reading_a_line() -> None:
    form: Keys = {"format": "csv", "points": {"power_kw": {"path": "power", "unit": "W"}, "tariff": "tariff"}}
    columns = {"columns": ["power", "_", "tariff"], "separator": ";"}
    assert read_values("230;x;T1\n460;y;T2\n", csv=columns, **form) == [
        {"power_kw": 0.23, "tariff": "T1"},
        {"power_kw": 0.46, "tariff": "T2"},
    ]
    assert read_values("tariff,power\nT1,230", csv={"header": True}, **form) == [{"power_kw": 0.23, "tariff": "T1"}]


def test_pairs_are_names_and_values() -> None:
    points = {"temperature_c": "T", "humidity_percent": "H"}
    assert read_values("T=21.5;H=40", format="pairs", points=points) == [
        {"temperature_c": 21.5, "humidity_percent": 40.0}
    ]
    assert read_values("T:21.5,H:40", format="pairs", pairs={"between": ":", "separator": ","}, points=points) == [
        {"temperature_c": 21.5, "humidity_percent": 40.0},
    ]


def test_text_is_what_the_groups_of_its_pattern_hold() -> None:
    text = {"pattern": "P=(?P<power>[0-9.]+)W"}
    points = {"power_kw": {"path": "power", "unit": "W"}}
    assert read_values("now P=230W", format="text", text=text, points=points) == [{"power_kw": 0.23}]
    assert refuse("P=?", format="text", text=text, points=points) == "text: the pattern is not found"


@pytest.mark.parametrize(
    ("payload", "point", "value"),
    [
        ("21.5", "temperature_c", 21.5),
        ("21,5", "temperature_c", 21.5),
        ("true", "leak", True),
        ("open", "door", "open"),
    ],
)
def test_value_is_the_payload_alone(payload: str, point: str, value: object) -> None:
    assert read_values(payload, format="value", points={point: "@"}) == [{point: value}]


def test_an_empty_value_which_clears_a_retained_message_holds_nothing() -> None:
    assert read("", format="value", points={"leak": "@"}) == []


def test_binary_is_bytes_with_a_layout() -> None:
    assert read_values(b"\x01\x2c\x01", format="binary", layout=FLOW, points=FLOW_POINTS) == [FLOW_VALUES]
    assert refuse(b"\x01", format="binary", layout=FLOW, points=FLOW_POINTS) == "payload ends before flow"


@pytest.mark.parametrize("payload", [b"\x7f\x80\x00\x00", b"\xff\x80\x00\x00", b"\x7f\xc0\x00\x00"])
def test_neither_an_infinite_number_nor_none_is_a_value(payload: bytes) -> None:
    layout = {"fields": [{"name": "x", "type": "float32"}]}
    assert read(payload, format="binary", layout=layout, points={"power_kw": "x"}, may_be_empty=True) == []


@pytest.mark.parametrize(
    ("encoding", "payload"),
    [("hex", "012c01"), ("hex", " 0x012C01\n"), ("hex", "01:2c:01"), ("hex", "01-2C-01"), ("base64", "ASwB\n")],
)
def test_bytes_may_be_written_as_text(encoding: str, payload: str) -> None:
    form: Keys = {"format": "binary", "bytes": {"encoding": encoding}, "layout": FLOW, "points": FLOW_POINTS}
    assert read_values(payload, **form) == [FLOW_VALUES]


@pytest.mark.parametrize(
    ("encoding", "payload"), [("hex", "0g"), ("hex", "012"), ("hex", "é"), ("base64", "AS!B"), ("base64", "ASw")]
)
def test_other_digits_are_refused(encoding: str, payload: str) -> None:
    form: Keys = {"format": "binary", "bytes": {"encoding": encoding}, "layout": FLOW, "points": FLOW_POINTS}
    assert refuse(payload, **form) == f"expected {encoding} digits"


def test_bytes_may_stand_in_json() -> None:
    form: Keys = {"bytes": {"path": "data", "encoding": "base64", "port": "fPort"}, "points": FLOW_POINTS}
    assert read_values('{"data": "ASwB"}', layout=FLOW, **form) == [FLOW_VALUES]
    assert read_values('{"data": "ASwB", "fPort": "2"}', codec_file=CODEC, **form) == [FLOW_VALUES]


def test_conditions_on_the_message_are_asked_before_its_bytes_are_decoded() -> None:
    form: Keys = {"bytes": {"path": "data", "encoding": "hex", "port": "p"}, "layout": FLOW, "points": FLOW_POINTS}
    for when in ({"$.type": "up"}, {"$port": 2}, {"$.data": {"present": True}}):
        assert read('{"type": "join", "p": 3}', when=when, **form) is None
        assert read_values('{"type": "up", "p": 2, "data": "012c01"}', when=when, **form) == [FLOW_VALUES]


def test_conditions_on_what_the_bytes_say_are_asked_behind() -> None:
    form: Keys = {"format": "binary", "layout": FLOW, "points": FLOW_POINTS}
    assert read(b"\x01\x2c\x00", when={"leak": True}, **form) is None
    assert read_values(b"\x01\x2c\x01", when={"leak": True}, **form) == [FLOW_VALUES]


def test_json_without_its_bytes_is_a_fault_unless_it_may_be_empty() -> None:
    form: Keys = {"bytes": {"path": "data", "encoding": "hex"}, "layout": FLOW, "points": FLOW_POINTS}
    assert refuse("{}", **form) == "expected a text of hex digits at data, got null"
    assert refuse('{"data": [1]}', **form) == "expected a text of hex digits at data, got a list"
    assert read("{}", may_be_empty=True, **form) == []


def test_lorawan_is_the_decoded_object_and_what_the_network_adds() -> None:
    [record] = read(UPLINK % 2, format="lorawan", by_topic=False, points=FLOW_POINTS) or []
    assert record == ((EIGHT, 10**9), {"rssi_dbm": -71.0, "snr_db": 7.5} | FLOW_VALUES, "24e124136b502217")


def test_lorawan_with_a_layout_or_a_codec_decodes_the_bytes() -> None:
    for decoder in ({"layout": FLOW}, {"codec_file": CODEC}):
        [values] = read_values(UPLINK % 2, format="lorawan", points=FLOW_POINTS, **decoder)
        assert values == {"rssi_dbm": -71.0, "snr_db": 7.5} | FLOW_VALUES
    assert refuse(UPLINK % 3, format="lorawan", points=FLOW_POINTS, codec_file=CODEC) == "vendor.js: the codec fails"


def test_bytes_of_another_port_do_not_come_to_the_codec() -> None:
    form: Keys = {"format": "lorawan", "when": {"$port": 2}, "points": FLOW_POINTS, "codec_file": CODEC}
    assert read(UPLINK % 3, **form) is None
    assert len(read_values(UPLINK % 2, **form)) == 1


def test_what_the_network_adds_alone_is_no_reading() -> None:
    assert refuse(UPLINK % 2, format="lorawan", points={"door": "door"}) == "no point in the message"
    assert read(UPLINK % 2, format="lorawan", points={"door": "door"}, may_be_empty=True) == []


def test_uplinks_may_be_ignored_without_being_decoded() -> None:
    undecoded = '{"deviceInfo": {"devEui": "24e1"}, "fPort": 10, "data": "AQ=="}'
    assert read(undecoded, format="lorawan", when={"$port": 10}, ignore="a sign of life") == []
    assert read(undecoded, format="lorawan", when={"$port": 11}, ignore="a sign of life") is None


def test_dsmr_knows_its_points_and_names_the_meters_on_its_bus() -> None:
    telegram = (
        "/ACM5 meter\r\n\r\n1-0:1.8.1(000012.500*kWh)\r\n0-1:24.1.0(007)\r\n0-1:96.1.0(4D31)\r\n"
        "0-1:24.2.1(261122090000W)(00020.500*m3)\r\n!\r\n"
    )
    records = read(telegram, format="dsmr", zone="Europe/Amsterdam")
    assert records == [
        (None, {"energy_import_kwh": 12.5}, ""),
        ((EIGHT, 10**9), {"volume_m3": 20.5}, "M1"),
    ]
