"""Bytes that are read by a layout."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from devices.errors import Undecodable
from devices.formats.bytereader import compile_layout
from devices.formats.layout import Layout


def read(digits: str, **layout: object) -> dict[str, Any]:
    return compile_layout(Layout.model_validate(layout))(bytes.fromhex(digits))


def read_value(digits: str, **field: object) -> object:
    return read(digits, fields=[{"name": "x"} | field]).get("x")


@pytest.mark.parametrize(
    ("digits", "field", "value"),
    [
        ("ff", {"type": "uint8"}, 255),
        ("ff", {"type": "int8"}, -1),
        ("0102", {"type": "uint16"}, 258),
        ("0102", {"type": "uint16", "byte_order": "little"}, 513),
        ("fffe", {"type": "int16"}, -2),
        ("010203", {"type": "uint24"}, 66_051),
        ("fffffe", {"type": "int24"}, -2),
        ("feffff", {"type": "int24", "byte_order": "little"}, -2),
        ("00bc614e", {"type": "uint32"}, 12_345_678),
        ("fffffff0", {"type": "int32"}, -16),
        ("0102030405", {"type": "uint40"}, 4_328_719_365),
        ("0504030201", {"type": "uint40", "byte_order": "little"}, 4_328_719_365),
        ("000000000100", {"type": "uint48"}, 256),
        ("ffffffffffffff00", {"type": "int64"}, -256),
        ("ffffffffffffffff", {"type": "uint64"}, 18_446_744_073_709_551_615),
        ("3c00", {"type": "float16"}, 1.0),
        ("c2f6e979", {"type": "float32"}, -123.45600128173828),
        ("400921fb54442d18", {"type": "float64"}, 3.141592653589793),
        ("7fc00000", {"type": "float32"}, None),
        ("01234567", {"type": "bcd", "length": 4}, 1_234_567),
        ("67452301", {"type": "bcd", "length": 4, "byte_order": "little"}, 1_234_567),
        ("41 42 20 00", {"type": "text", "length": 4}, "AB"),
        ("c3a9ff", {"type": "text"}, "é�"),
        ("00E1ff", {"type": "hex", "length": 2}, "00e1"),
        ("00E1ff", {"type": "hex"}, "00e1ff"),
        ("c2", {"type": "uint8", "bit": 7}, True),
        ("c2", {"type": "uint8", "bit": 0}, False),
        ("cbc6", {"type": "uint16", "bits": [0, 13], "scale": 0.001}, 3.014),
        ("cbc6", {"type": "uint16", "bits": [14, 15]}, 3),
        ("0f00", {"type": "int16", "bits": [8, 11]}, -1),
        ("0700", {"type": "int16", "bits": [8, 11]}, 7),
        ("0134", {"type": "uint16", "scale": 0.1}, 30.8),
        ("03", {"type": "uint8", "scale": 0.1}, 0.3),
        ("0290", {"type": "uint16", "scale": 0.1, "offset": -40}, 25.6),
        ("05", {"type": "uint8", "scale": 2.5, "offset": 1}, 13.5),
        ("05", {"type": "uint8", "offset": -40}, -35),
        ("7fff", {"type": "int16", "scale": 0.01, "sentinels": [32767]}, None),
        ("0001", {"type": "int16", "scale": 0.01, "sentinels": [32767]}, 0.01),
        ("01", {"type": "uint8", "map": {0: "normal", 1: "leak"}}, "leak"),
        ("02", {"type": "uint8", "map": {0: "normal", 1: "leak"}}, 2),
        ("01", {"type": "uint8", "bit": 0, "map": {True: "open", False: "closed"}}, "open"),
    ],
)
def test_what_a_value_is(digits: str, field: dict[str, object], value: object) -> None:
    assert read_value(digits, **field) == value


def test_a_flag_is_true_or_false_and_no_number() -> None:
    assert read_value("01", type="uint8", bit=0) is True


def test_fields_stand_one_behind_the_other() -> None:
    fields = [
        {"name": "a", "type": "uint8"},
        {"type": "hex", "length": 2},
        {"name": "b", "type": "uint16"},
        {"name": "c", "type": "uint16", "byte_order": "little"},
    ]
    assert read("01 ffff 0002 0300", fields=fields) == {"a": 1, "b": 2, "c": 3}


def test_fields_stand_where_they_say_and_may_overlap() -> None:
    fields = [
        {"name": "volume", "at": 1, "type": "uint32"},
        {"name": "burst", "at": 6, "type": "uint8", "bit": 1},
        {"name": "leak", "at": 6, "type": "uint8", "bit": 2},
        {"name": "after", "type": "uint8"},
        {"name": "battery", "at": -1, "type": "uint8"},
        {"name": "behind", "type": "uint8"},
    ]
    assert read("00 d2040000 00 04 07 08 63", byte_order="little", fields=fields) == {
        "volume": 1234,
        "burst": False,
        "leak": True,
        "after": 7,
        "battery": 99,
        "behind": 8,
    }


def test_some_fields_are_there_only_where_others_say_so() -> None:
    fields = [
        {"name": "has_level", "at": 0, "type": "uint8", "bit": 0},
        {"name": "kind", "at": 0, "type": "uint8", "bits": [4, 7]},
        {"name": "level", "type": "uint16", "when": {"has_level": True}},
        {"when": {"kind": [1, 2]}, "fields": [{"name": "door", "type": "uint8"}]},
        {"name": "last", "type": "uint8"},
    ]
    assert read("11 0100 05 09", fields=fields) == {"has_level": True, "kind": 1, "level": 256, "door": 5, "last": 9}
    assert read("30 09", fields=fields) == {"has_level": False, "kind": 3, "last": 9}


def test_groups_are_objects() -> None:
    fields = [
        {"name": "first", "fields": [{"name": "a", "type": "uint8"}, {"name": "b", "at": 2, "type": "uint8"}]},
        {"name": "c", "type": "uint8"},
    ]
    assert read("01 00 02 03", fields=fields) == {"first": {"a": 1, "b": 2}, "c": 3}


@pytest.mark.parametrize(
    ("digits", "repeat", "items"),
    [
        ("00 0001 0002 0003", 2, [1, 2]),
        ("00 0001 0002 0003", "end", [1, 2, 3]),
        ("02 0001 0002 0003", "count", [1, 2]),
        ("00", "count", []),
        ("00", "end", []),
    ],
)
def test_values_repeat(digits: str, repeat: object, items: list[int]) -> None:
    fields = [{"name": "count", "type": "uint8"}, {"name": "x", "type": "uint16", "repeat": repeat}]
    assert read(digits, fields=fields)["x"] == items


def test_groups_repeat_until_the_end() -> None:
    history = [
        {"name": "time", "type": "uint32"},
        {"name": "temperature", "type": "int16", "scale": 0.1, "sentinels": [0x7FFF]},
    ]
    fields = [
        {"name": "history", "fields": history, "repeat": "end"},
        {"name": "battery", "at": -1, "type": "uint8"},
    ]
    assert read("00f15365 ff00 01f15365 ff7f 5c", byte_order="little", fields=fields) == {
        "history": [{"time": 1_700_000_000, "temperature": 25.5}, {"time": 1_700_000_001}],
        "battery": 92,
    }


@pytest.mark.parametrize(
    ("digits", "order", "type_", "items"),
    [
        ("ff bf 0f 00 00 00", "little", "uint14", [16383, 62, 0]),
        ("12 3f", "big", "uint4", [1, 2, 3, 15]),
        ("12 3f", "little", "uint4", [2, 1, 15, 3]),
        ("f8", "big", "int4", [-1, -8]),
        ("ab cd ef", "big", "uint12", [0xABC, 0xDEF]),
        ("ab cd ef", "little", "uint12", [0xDAB, 0xEFC]),
    ],
)
def test_numbers_without_gaps(digits: str, order: str, type_: str, items: list[int]) -> None:
    fields = [{"name": "x", "type": type_, "repeat": len(items)}]
    assert read(digits, byte_order=order, fields=fields) == {"x": items}


def test_numbers_without_gaps_until_the_end_leave_out_the_rest_of_the_last_byte() -> None:
    fields = [
        {"name": "x", "type": "uint14", "repeat": "end", "scale": 0.001},
        {"name": "y", "at": -1, "type": "uint8"},
    ]
    assert read("e8 03 fa 00 00 07", byte_order="little", fields=fields) == {"x": [1.0, 1.0], "y": 7}


MILESIGHT = {
    "byte_order": "little",
    "tagged": {
        "tag": 2,
        "fields": {
            "0175": [{"name": "battery", "type": "uint8"}],
            "0367": [{"name": "temperature", "type": "int16", "scale": 0.1}],
            "ff0b": [{"type": "hex", "length": 1}],
            "20CE": {
                "into": "history",
                "fields": [{"name": "time", "type": "uint32"}, {"name": "temperature", "type": "int16", "scale": 0.1}],
            },
        },
    },
}


@pytest.mark.parametrize(
    ("digits", "values"),
    [
        ("01755c 03673401", {"battery": 92, "temperature": 30.8}),
        ("03673401 ff0bff 03673501", {"temperature": 30.9}),
        ("", {}),
        (
            "20ce00f15365ff00 20ce00f25365fe00",
            {
                "history": [
                    {"time": 1_700_000_000, "temperature": 25.5},
                    {"time": 1_700_000_256, "temperature": 25.4},
                ],
            },
        ),
    ],
)
def test_values_behind_tags(digits: str, values: dict[str, object]) -> None:
    assert read(digits, **MILESIGHT) == values


def test_tags_with_any_byte_put_it_into_names() -> None:
    tagged = {
        "tag": 2,
        "fields": {
            "??67": [{"name": "temperature_{0}", "type": "int16", "scale": 0.1}],
            "0567": [{"name": "outside", "type": "int16", "scale": 0.1}],
            "??02": [{"name": "{1}/{0}", "type": "uint8"}],
        },
    }
    assert read("0a6700ff 0567ff9c 300207", tagged=tagged) == {"temperature_10": 25.5, "outside": -10.0, "2/48": 7}


def test_tags_with_a_length_pass_over_what_is_not_listed() -> None:
    layout: dict[str, object] = {
        "fields": [{"name": "version", "type": "uint8"}],
        "tagged": {
            "length": 1,
            "fields": {
                "01": [{"name": "a", "type": "uint16"}],
                "02": [{"name": "b", "type": "text"}],
                "03": [{"name": "c", "type": "uint8", "repeat": "end"}],
                "04": [],
            },
        },
    }
    digits = "07 01 03 0102ff 09 02 ffff 0202 4f4b 0302 0102 0400"
    assert read(digits, **layout) == {"version": 7, "a": 258, "b": "OK", "c": [1, 2]}


@pytest.mark.parametrize(
    ("digits", "layout", "reason", "hint"),
    [
        ("0102", {"fields": [{"name": "x", "type": "uint32"}]}, "payload ends before x", "2 bytes missing"),
        (
            "0102",
            {
                "fields": [
                    {"name": "a", "type": "uint8"},
                    {"name": "b", "type": "uint16"},
                    {"name": "c", "type": "uint8"},
                ]
            },
            "payload ends before b",
            "1 byte missing",
        ),
        ("01", {"fields": [{"name": "x", "at": 4, "type": "uint8"}]}, "payload ends before x", "4 bytes missing"),
        ("01", {"fields": [{"name": "x", "at": -4, "type": "uint8"}]}, "payload ends before x", "3 bytes missing"),
        ("01", {"fields": [{"name": "x", "at": 2, "type": "text"}]}, "payload ends before x", "1 byte missing"),
        ("01", {"fields": [{"type": "hex", "length": 2}]}, "payload ends before unnamed bytes", "1 byte missing"),
        (
            "000102",
            {"fields": [{"name": "x", "fields": [{"name": "y", "type": "uint16"}], "repeat": "end"}]},
            "payload ends before x.y",
            "1 byte missing",
        ),
        ("00", {"fields": [{"name": "x", "type": "uint14", "repeat": 2}]}, "payload ends before x", "3 bytes missing"),
        ("00", {"length": 2, "fields": [{"name": "x", "type": "uint8"}]}, "payload of another length", "expected 2"),
        ("1a", {"fields": [{"name": "x", "type": "bcd", "length": 1}]}, "x: not in decimal digits (BCD)", ""),
        ("01", MILESIGHT, "payload ends before a tag", "1 byte missing"),
        ("0175", MILESIGHT, "payload ends before battery", "1 byte missing"),
        ("01755c 0399", MILESIGHT, "a tag that the layout does not list", "byte 3: add '0399' to `tagged`"),
        (
            "0103ff",
            {"tagged": {"length": 1, "fields": {"01": []}}},
            "payload ends before a tag's value",
            "2 bytes missing",
        ),
        (
            "7fc00000 01",
            {"fields": [{"name": "n", "type": "float32"}, {"name": "x", "type": "uint8", "repeat": "n"}]},
            "x: n is no count",
            "",
        ),
        (
            "0001",
            {
                "fields": [
                    {
                        "name": "x",
                        "repeat": "end",
                        "fields": [{"name": "k", "type": "uint8"}, {"name": "y", "type": "uint8", "when": {"k": 1}}],
                    },
                ],
            },
            "payload ends before x.y",
            "1 byte missing",
        ),
    ],
)
def test_bytes_that_are_not_as_the_layout_says(digits: str, layout: dict[str, Any], reason: str, hint: str) -> None:
    with pytest.raises(Undecodable) as caught:
        read(digits, **layout)
    assert (caught.value.reason, hint in caught.value.hint) == (reason, True)


def test_bytes_behind_the_last_field_are_no_fault() -> None:
    assert read("0102", fields=[{"name": "x", "type": "uint8"}]) == {"x": 1}


def test_a_payload_may_not_be_too_long() -> None:
    with pytest.raises(Undecodable, match="payload of more than 65,536 bytes"):
        read("00" * 65_537, fields=[{"name": "x", "type": "uint8", "repeat": "end"}])


def test_a_group_that_takes_no_bytes_is_not_repeated_for_ever() -> None:
    empty = {"name": "x", "repeat": 3, "fields": [{"name": "y", "type": "text"}]}
    with pytest.raises(Undecodable, match="x: a group without bytes is repeated"):
        read("", fields=[empty])


FIELD = {"name": "x", "type": "uint8"}


@pytest.mark.parametrize(
    ("layout", "place", "problem"),
    [
        ({}, (), "expected fields or tagged"),
        ({"fields": [FIELD | {"type": "unit8"}]}, ("fields", 0, "type"), "'unit8' is no type; did you mean uint8?"),
        (
            {"fields": [FIELD | {"type": "byte"}]},
            ("fields", 0, "type"),
            "'byte' is no type; expected uint8 to uint64, int8 to int64, float16, float32, float64, bcd, text, hex",
        ),
        ({"fields": [FIELD | {"type": "uint72"}]}, ("fields", 0, "type"), "'uint72' is no type; did you mean uint32?"),
        ({"fields": [FIELD | {"typ": 1}]}, ("fields", 0, "typ"), "Extra inputs are not permitted"),
        ({"fields": [{"name": "x"}]}, ("fields", 0), "type: needed, or fields"),
        ({"fields": [FIELD | {"length": 2}]}, ("fields", 0), "length: uint8 has its own"),
        ({"fields": [FIELD | {"type": "bcd"}]}, ("fields", 0), "length: needed for type bcd, 1 to 8 bytes"),
        (
            {"fields": [FIELD | {"type": "uint14"}]},
            ("fields", 0),
            "type: uint14 fills no whole bytes; use a wider type with bits, or repeat",
        ),
        (
            {"fields": [FIELD | {"type": "text", "repeat": 2}]},
            ("fields", 0),
            "length: needed where a text or hex repeats",
        ),
        ({"fields": [FIELD | {"bit": 8}]}, ("fields", 0), "bit: uint8 has the bits 0 to 7"),
        ({"fields": [FIELD | {"bits": [4, 9]}]}, ("fields", 0), "bits: uint8 has the bits 0 to 7"),
        ({"fields": [FIELD | {"bits": [4, 2]}]}, ("fields", 0, "bits"), "expected [lowest, highest], got [4, 2]"),
        (
            {"fields": [FIELD | {"type": "float32", "bit": 1}]},
            ("fields", 0),
            "bit: only of whole numbers in whole bytes",
        ),
        ({"fields": [FIELD | {"bit": 1, "scale": 2}]}, ("fields", 0), "scale: does not go with bit"),
        ({"fields": [FIELD | {"map": {1: "a"}, "scale": 2}]}, ("fields", 0), "scale: does not go with map"),
        ({"fields": [FIELD | {"type": "hex", "map": {1: "a"}}]}, ("fields", 0), "map: only of numbers"),
        ({"fields": [FIELD | {"scale": 0}]}, ("fields", 0), "scale: expected a size between 1e-12 and"),
        (
            {"fields": [{"type": "uint8", "scale": 2}]},
            ("fields", 0),
            "name: needed; without, the bytes are passed over",
        ),
        (
            {"fields": [{"name": "x", "fields": [FIELD], "scale": 2}]},
            ("fields", 0),
            "scale: does not go with fields; say it in each of them",
        ),
        ({"fields": [{"fields": [FIELD], "repeat": 2}]}, ("fields", 0), "name: needed for a group that repeats"),
        (
            {"fields": [{"name": "status", "type": "uint8"}, FIELD | {"when": {"state": 1}}]},
            (),
            "fields.1.when: no single field 'state' is read before it; did you mean status?",
        ),
        (
            {"fields": [FIELD | {"repeat": "count"}]},
            (),
            "fields.0.repeat: no single field 'count' is read before it, or 'end'",
        ),
        (
            {"fields": [{"name": "g", "fields": [FIELD | {"at": -1}]}]},
            (),
            "fields.0.fields.0.at: only fields of the layout itself are counted from the end",
        ),
        (
            {"tagged": {"tag": 2, "fields": {"01": []}}},
            ("tagged",),
            "fields.01: expected 2 bytes, got 1",
        ),
        (
            {"tagged": {"fields": {"xy": []}}},
            ("tagged", "fields", "xy", "[key]"),
            "expected bytes in hexadecimal digits, or ?? for any byte, such as '0175' or '??67', got 'xy'",
        ),
        (
            {"tagged": {"fields": {117: []}}},
            ("tagged", "fields", 117, "[key]"),
            "write tags in quotes, such as '0175'",
        ),
        (
            {"tagged": {"fields": {"??": [{"name": "x_{1}", "type": "uint8"}]}}},
            ("tagged",),
            "fields.??: {1} is no byte of the tag; expected {0}",
        ),
        (
            {"tagged": {"fields": {"01": [FIELD], "02": {"into": "x", "fields": [FIELD]}}}},
            (),
            "tagged.fields.02.into: 'x' is also the name of a field",
        ),
        (
            {"tagged": {"fields": {"01": [FIELD | {"when": {"y": 1}}]}}},
            (),
            "tagged.fields.01.fields.0.when: no single field 'y' is read before it",
        ),
    ],
)
def test_layouts_that_cannot_be(layout: dict[str, object], place: tuple[object, ...], problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Layout.model_validate(layout)
    [error] = caught.value.errors()
    assert (error["loc"], problem in error["msg"]) == (place, True), error["msg"]


STRUCT_TYPES = (
    *("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"),
    *("float16", "float32", "float64"),
)


@given(st.lists(st.tuples(st.sampled_from("bBhHiIqQefd"), st.binary(min_size=8, max_size=8)), min_size=1, max_size=8))
def test_fields_are_read_as_struct_reads_them(parts: list[tuple[str, bytes]]) -> None:
    types = dict(zip("bBhHiIqQefd", STRUCT_TYPES, strict=True))
    codes = "".join(code for code, _ in parts)
    data = b"".join(content[: struct.calcsize(code)] for code, content in parts)
    fields = [{"name": str(number), "type": types[code]} for number, code in enumerate(codes)]
    expected = {str(number): value for number, value in enumerate(struct.unpack(">" + codes, data)) if value == value}  # noqa: PLR0124 - NaN is left out
    assert compile_layout(Layout.model_validate({"fields": fields}))(data) == expected


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_undecodable(data: bytes) -> None:
    fields = [
        {"name": "kind", "type": "uint8"},
        {"name": "count", "type": "int8"},
        {"name": "name", "type": "text", "length": 3, "when": {"kind": [0, 1, 2]}},
        {"name": "number", "type": "bcd", "length": 2, "when": {"kind": [1]}},
        {"name": "items", "repeat": "count", "fields": [{"name": "a", "type": "float16", "scale": 0.1}]},
        {"name": "packed", "type": "int11", "repeat": "count"},
        {"name": "tail", "at": -2, "type": "uint16", "bits": [3, 9]},
    ]
    tagged = {"fields": {"??": [{"name": "t{0}", "type": "uint8"}], "01": {"into": "t2", "fields": [FIELD]}}}
    layout = compile_layout(Layout.model_validate({"fields": fields, "tagged": tagged}))
    try:
        values = layout(data)
    except Undecodable:
        return
    assert values["kind"] == data[0]
