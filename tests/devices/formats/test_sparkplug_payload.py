"""Sparkplug's payloads on the wire, and what their values mean."""

import struct
from collections.abc import Callable
from math import isfinite

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devices.errors import Undecodable
from devices.formats.sparkplug_payload import (
    PAYLOAD,
    Metric,
    encode_command,
    parse_payload,
    read_alias,
    read_name,
    read_unit,
    read_value,
)
from tests.edgenode import BOOLEAN, DATETIME, FLOAT, INT8, INT16, INT32, INT64, STRING, UINT8, UINT32, UINT64, metric


def parse_metric(fields: dict[str, object]) -> Metric:
    """The metric as it comes off the wire."""
    return parse_payload(PAYLOAD(metrics=[fields]).SerializeToString()).metrics[0]


# ── the wire ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_payload_is_read_from_the_bytes_that_the_specification_makes_of_it() -> None:
    payload = bytes.fromhex(
        "08 80d09392a034"  # timestamp 1795334400000
        "12 17"  # a metric of 23 bytes
        "0a 05 506f776572"  # name "Power"
        "10 03"  # alias 3
        "18 80d09392a034"  # timestamp
        "20 09"  # datatype Float
        "65 cdcc4441"  # float_value 12.3
        "18 02"  # seq 2
    )
    message = parse_payload(payload)
    (power,) = message.metrics
    assert (message.timestamp, message.seq) == (1_795_334_400_000, 2)
    assert (read_name(power), read_alias(power), power.timestamp, power.datatype) == ("Power", 3, 1_795_334_400_000, 9)
    assert read_value(power, 0) == 12.3


def test_a_command_has_the_bytes_that_the_specification_makes_of_it() -> None:
    assert encode_command("On", 1_795_334_400_123_456_789).hex(" ") == bytes.fromhex(
        "08 fbd09392a034"  # timestamp 1795334400123
        "12 0f"
        "0a 02 4f6e"  # name "On"
        "18 fbd09392a034"
        "20 0b"  # datatype Boolean
        "70 01"  # boolean_value true
    ).hex(" ")


def test_fields_that_hold_no_single_value_are_passed_over() -> None:
    dataset = bytes.fromhex("8a01 04 08 02 12 00")  # field 17: two columns, one without a name
    template = bytes.fromhex("9201 02 2801")  # field 18: a definition
    for field in (dataset, template, bytes.fromhex("8201 02 ffff")):  # field 16: bytes
        body = bytes.fromhex("0a 01 41") + field
        (odd,) = parse_payload(b"\x12" + bytes([len(body)]) + body).metrics
        assert (read_name(odd), read_value(odd, 0)) == ("A", None)


@pytest.mark.parametrize("payload", [b"", b"hello", b'{"timestamp": 1}', b"\x12\xff\xff\xff\xff\x0f", b"\x0b" * 200])
def test_other_things_are_refused(payload: bytes) -> None:
    with pytest.raises(Undecodable, match=r"^payload is not Sparkplug B$"):
        parse_payload(payload)


def test_a_payload_that_would_fill_the_memory_is_refused() -> None:
    empty = b"\x12\x00"  # a metric in two bytes
    with pytest.raises(Undecodable, match=r"^longer than 2097152 bytes"):
        parse_payload(empty * (2**20 + 1))
    with pytest.raises(Undecodable, match=r"^more than 20000 metrics"):
        parse_payload(empty * 20_001)
    assert len(parse_payload(empty * 20_000).metrics) == 20_000


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("field", "sent", "datatype", "value"),
    [
        ("int_value", 0x7F, INT8, 127),
        ("int_value", 0x80, INT8, -128),
        ("int_value", 0xFFFFFFFF, INT8, -1),
        ("int_value", 0xFF85, INT16, -123),
        ("int_value", 0xFFFFFF85, INT32, -123),
        ("long_value", 0xFFFFFF85, INT32, -123),
        ("long_value", 2**64 - 5, INT64, -5),
        ("int_value", 0xFFFFFF85, INT64, 0xFFFFFF85),
        ("int_value", 0xFF, UINT8, 255),
        ("long_value", 2**32 - 1, UINT32, 4294967295),
        ("long_value", 2**64 - 1, UINT64, 18446744073709551615),
        ("long_value", 1_795_334_400_000, DATETIME, 1_795_334_400_000),
        ("int_value", 5, 0, 5),
        ("int_value", 1, BOOLEAN, True),
        ("boolean_value", False, BOOLEAN, False),
        ("double_value", 0.1, 10, 0.1),
        ("float_value", 230.1, FLOAT, 230.1),
        ("string_value", "Größe", STRING, "Größe"),
    ],
)
def test_a_value_is_what_its_datatype_says(field: str, sent: object, datatype: int, value: object) -> None:
    got = read_value(parse_metric({field: sent}), datatype)
    assert (got, type(got)) == (value, type(value))


def test_a_datatype_in_the_message_holds_before_that_of_the_birth() -> None:
    assert read_value(parse_metric({"int_value": 0xFF, "datatype": UINT8}), INT8) == 255


@pytest.mark.parametrize(("field", "sent", "datatype"), [("int_value", 0x100, INT8), ("long_value", 2**40, INT32)])
def test_a_number_that_is_too_large_for_its_datatype_is_refused(field: str, sent: int, datatype: int) -> None:
    with pytest.raises(Undecodable, match=r"^a metric's number does not fit its datatype$"):
        read_value(parse_metric({field: sent}), datatype)


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from([(INT8, 8), (INT16, 16), (INT32, 32), (INT64, 64)]))
def test_signed_numbers_come_back_however_many_bits_were_sent(number: int, kind: tuple[int, int]) -> None:
    datatype, bits = kind
    number = (number + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)
    widths = [("long_value", 64), *([("int_value", 32)] if bits <= 32 else [])]
    for field, width in widths:
        for sent in (number % 2**width, number % 2**bits):
            assert read_value(parse_metric({field: sent}), datatype) == number


@given(st.floats(width=32))
@example(3.4028234663852886e38)
@example(1.401298464324817e-45)
@example(8589973.5)
def test_a_float_is_the_shortest_decimal_that_says_the_same(number: float) -> None:
    got = read_value(parse_metric({"float_value": number}), FLOAT)
    if not isfinite(number):
        assert got is None
    else:
        assert isinstance(got, float)
        assert struct.pack("f", got) == struct.pack("f", number)
        assert len(f"{got!r}".replace("-", "").replace(".", "").split("e")[0].strip("0")) <= 9


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"is_null": True},
        {"is_null": True, "double_value": 5.0},
        {"double_value": float("nan")},
        {"double_value": float("inf")},
        {"float_value": float("-inf")},
        {"double_value": 5.0, "properties": {"keys": ["Quality"], "values": [{"int_value": 500}]}},
        {"double_value": 5.0, "properties": {"keys": ["engUnit", "Quality"], "values": [{}, {"int_value": 0}]}},
    ],
)
def test_what_was_not_measured_has_no_value(fields: dict[str, object]) -> None:
    assert read_value(parse_metric({"name": "Power", **fields}), 0) is None


@pytest.mark.parametrize("quality", [[{"int_value": 192}], [{"long_value": 192}], [{}], []])
def test_what_is_not_said_to_be_bad_is_good(quality: list[object]) -> None:
    fields = {"double_value": 5.0, "properties": {"keys": ["Quality"], "values": quality}}
    assert read_value(parse_metric(fields), 0) == 5.0


def test_an_alias_may_be_zero_and_a_name_may_be_missing() -> None:
    assert read_alias(parse_metric({"alias": 0})) == 0
    assert read_alias(parse_metric({"name": "A"})) is None
    assert read_name(parse_metric({"alias": 2**64 - 1})) == ""
    assert read_alias(parse_metric({"alias": 2**64 - 1})) == 2**64 - 1


def test_the_engineering_unit_is_a_property() -> None:
    properties = {"keys": ["engLow", "engUnit"], "values": [{"int_value": 0}, {"string_value": "kW"}]}
    assert read_unit(parse_metric(metric("Power", properties=properties))) == "kW"
    assert (
        read_unit(parse_metric(metric("Power", properties={"keys": ["engUnit"], "values": [{"int_value": 3}]}))) == ""
    )
    assert read_unit(parse_metric(metric("Power"))) == ""


def test_a_text_that_is_not_utf_8_is_refused() -> None:
    (odd,) = parse_payload(bytes.fromhex("12 06 0a 01 ff 7a 01 ff")).metrics
    for read in (read_name, lambda metric: read_value(metric, STRING)):
        with pytest.raises(Undecodable, match=r"^a text that is not UTF-8$"):
            read(odd)


@given(st.binary(max_size=200))
def test_whatever_comes_is_refused_or_says_the_same_once_more(payload: bytes) -> None:
    try:
        parsed = parse_payload(payload)
    except Undecodable:
        return
    written = PAYLOAD.FromString(payload).SerializeToString()
    for one, again in zip(parsed.metrics, parse_payload(written).metrics, strict=True):
        alias = read_alias(one)
        assert alias is None or 0 <= alias < 2**64
        for read in (read_name, read_alias, read_unit, lambda metric: read_value(metric, metric.datatype)):
            told = say(read, one)
            assert told == say(read, again)
            assert not isinstance(told, float) or isfinite(told)


def say(read: Callable[[Metric], object], one: Metric) -> object:
    try:
        return read(one)
    except Undecodable as error:
        return error.reason
