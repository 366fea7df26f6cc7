"""JSON that is not quite JSON: what is repaired, and what stays broken."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import Undecodable
from devices.repair import SIZE_MAX, parse_loose

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
NESTED = st.lists(JSON, min_size=1) | st.dictionaries(st.text(), JSON, min_size=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"id": 00000000, "n": 007, "f": -01.50, "e": 1e05, "z": 0, "t": 100}',
         {"id": 0, "n": 7, "f": -1.5, "e": 1e5, "z": 0, "t": 100}),
        ('{"a": 1 "b": 2}', {"a": 1, "b": 2}),
        ('{"a": {"x": 1}\n"b": "y""c": [3]"d": null}', {"a": {"x": 1}, "b": "y", "c": [3], "d": None}),
        ('[{"a": 1} {"a": 2}]', [{"a": 1}, {"a": 2}]),
        ('{"a": [1, 2,], "b": {"c": 3,},}', {"a": [1, 2], "b": {"c": 3}}),
        ('{"a": 1, // volts\n "b": /* amps */ 2} // end', {"a": 1, "b": 2}),
        ('{"a": "// no comment", "b": "/* none */"}', {"a": "// no comment", "b": "/* none */"}),
        ("{'a': 'it\\'s', 'b': 'say \"x\"', 'c': \"it's\"}", {"a": "it's", "b": 'say "x"', "c": "it's"}),
        ("{'a': True, 'b': False, 'c': None}", {"a": True, "b": False, "c": None}),
        ("[NaN, nan, -nan, Infinity, -Infinity, inf]", [None] * 6),
        ('\ufeff{"a": 1}', {"a": 1}),
        ('{"a":\u00a01}', {"a": 1}),
        ('{"a": 1}\0\0', {"a": 1}),
    ],
)  # fmt: skip
def test_what_can_mean_one_thing_only_is_repaired(text: str, expected: Any) -> None:  # noqa: ANN401 - JSON is anything
    assert parse_loose(text.encode()) == expected


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('{"a": 12', "cut off: it ends before its last bracket"),
        ("[", "cut off: it ends before its last bracket"),
        ('{"a": 1} {"a": 2}', "unexpected at line 1 column 10"),
        ('{"a": 1}}', "unexpected at line 1 column 9"),
        ('{"a": 1,\n "b": [2}', "unexpected at line 2 column 9"),
        ('{"a": "x}', "unexpected at line 1 column 7"),
        ('{"a": 12"b": 3}', "unexpected at line 1 column 9"),  # digits may be missing with the comma
        ('{"a": tru"b": 3}', "unexpected at line 1 column 10"),
        ("[1 2]", "unexpected at line 1 column 4"),
        ('["a" "b"]', "unexpected at line 1 column 6"),
        ("[1,,2]", "unexpected at line 1 column 4"),
        ("[,]", "unexpected at line 1 column 2"),
        ('{"a" 1}', "unexpected at line 1 column 6"),
        ('{"a": 1 "b"}', "unexpected at line 1 column 12"),
        ("{a: 1}", "unexpected at line 1 column 2"),
        ("{1: 2}", "unexpected at line 1 column 2"),
        ('{"a": +5}', "unexpected at line 1 column 7"),
        ('{"a": 0x10}', "unexpected at line 1 column 8"),
        ('{"a": 2026-11-22}', "unexpected at line 1 column 11"),
        ('{"a": 1 /* }', "unexpected at line 1 column 9"),
        ('"' + "x" * SIZE_MAX + '"', "longer than 16 KiB, so that no repair was tried"),
    ],
)  # fmt: skip
def test_anything_else_stays_broken(text: str, hint: str) -> None:
    with pytest.raises(Undecodable) as raised:
        parse_loose(text.encode())
    assert (raised.value.reason, raised.value.hint) == ("payload is not JSON", hint)


@pytest.mark.parametrize("text", ["", "\0", '{"a": yes}', '"\\x41"', '["\n"]', "1e999", "[" * 5000 + "]" * 5000])
def test_what_the_parser_refuses_stays_broken(text: str) -> None:
    with pytest.raises(Undecodable, match=r"^payload is not JSON"):
        parse_loose(text.encode())


def test_text_that_is_not_utf8_stays_broken() -> None:
    with pytest.raises(Undecodable) as raised:
        parse_loose(b'{"unit": "\xb0C", }')
    assert raised.value.hint == "not UTF-8"


@given(JSON)
def test_json_itself_is_read_as_ever(value: Any) -> None:  # noqa: ANN401 - JSON is anything
    text = orjson.dumps(value)
    assert parse_loose(text) == orjson.loads(text)


@given(NESTED, st.data())
def test_no_part_of_a_cut_message_is_taken_for_the_whole(value: Any, data: st.DataObject) -> None:  # noqa: ANN401 - JSON is anything
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    end = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(Undecodable):
        parse_loose(text[:end])


@given(st.binary() | st.text(alphabet="{}[]:,\"'\\/* \n0123.eE-+naTNutrlse#x").map(str.encode))
def test_whatever_comes_is_read_or_undecodable(payload: bytes) -> None:
    try:
        value = parse_loose(payload)
    except Undecodable as error:
        assert error.reason == "payload is not JSON"  # noqa: PT017 - both outcomes are right
    else:
        assert parse_loose(orjson.dumps(value)) == value
