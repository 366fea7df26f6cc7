"""Payloads that are plain text."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from devices.errors import Undecodable
from devices.formats.texts import (
    SIZE_MAX,
    Csv,
    Pairs,
    TextPattern,
    compile_csv,
    compile_pairs,
    compile_text,
    open_value,
)
from devices.message import Part


def bodies(parts: list[Part]) -> list[object]:
    return [part.body for part in parts]


def complaint(open_payload: Callable[[bytes], list[Part]], payload: bytes) -> str:
    with pytest.raises(Undecodable) as raised:
        open_payload(payload)
    return raised.value.reason


# ── lines of values ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "payload", "expected"),
    [
        (Csv(columns=["p", "u"]), b"1,2", [{"p": "1", "u": "2"}]),
        (Csv(columns=["p", "u"]), b"1,2\n", [{"p": "1", "u": "2"}]),
        (
            Csv(columns=["p", "u"]),
            b"1,2\r\n3,4\r5,6",
            [{"p": "1", "u": "2"}, {"p": "3", "u": "4"}, {"p": "5", "u": "6"}],
        ),
        (Csv(columns=["p", "_", "u"]), b"1,2,3", [{"p": "1", "u": "3"}]),
        (Csv(columns=["_", "_", "u"]), b"1,2,3", [{"u": "3"}]),
        (Csv(columns=["p", "u"]), b" 1 ,  2 ", [{"p": "1", "u": "2"}]),
        (Csv(columns=["p", "u"]), b"1,", [{"p": "1"}]),
        (Csv(columns=["p"]), b"\n1\n\n  \n2\n", [{"p": "1"}, {"p": "2"}]),
        (Csv(columns=["p", "u"], separator=";"), b"1,5;2,5", [{"p": "1,5", "u": "2,5"}]),
        (Csv(columns=["p", "u"], separator="\t"), b"1\t2", [{"p": "1", "u": "2"}]),
        (Csv(columns=["p", "u"], separator=" "), b"1 2", [{"p": "1", "u": "2"}]),
        (Csv(columns=["name", "u"]), b'"a ""b"", c", 2', [{"name": 'a "b", c', "u": "2"}]),
        (Csv(columns=["name", "u"]), b'"a\nb",2', [{"name": "a\nb", "u": "2"}]),
        (Csv(header=True), b"p,u\n1,2\n3,4", [{"p": "1", "u": "2"}, {"p": "3", "u": "4"}]),
        (Csv(header=True), b"p,,u,\n1,2,3,4", [{"p": "1", "u": "3"}]),
        (Csv(header=True), b"p,u\n", []),
        (Csv(columns=["\u7535\u538b"]), "\ufeff230\0\0".encode(), [{"\u7535\u538b": "230"}]),
        (Csv(columns=["p"]), b"", []),
    ],
)
def test_each_line_is_a_reading(options: Csv, payload: bytes, expected: list[object]) -> None:
    assert bodies(compile_csv(options)(payload)) == expected


@pytest.mark.parametrize(
    ("options", "payload", "reason"),
    [
        (Csv(columns=["p", "u"]), b"1,2\n1", "csv: expected 2 values in a line, got 1"),
        (Csv(columns=["p", "u"]), b"1,2,3", "csv: expected 2 values in a line, got 3"),
        (Csv(columns=["p", "u"]), b'1,"2', "csv: broken quotes"),
        (Csv(columns=["p", "u"]), b'1,"2"3', "csv: broken quotes"),
        (Csv(columns=["p"]), b"\xff\xfe1", "text: not UTF-8"),
        (Csv(columns=["p"]), b"1" * (SIZE_MAX + 1), "text: longer than 128 KiB"),
        (Csv(columns=["p"]), b"1\n" * 10_001, "text: more than 10000 lines"),
        (Csv(header=True), b"", "csv: expected a first line with the names of the columns"),
        (Csv(header=True), b"p,p\n1,2", "csv: a name stands twice in the first line"),
        (Csv(header=True), b"p,u\n1", "csv: expected 2 values in a line, got 1"),
    ],
)
def test_lines_that_are_not_as_said_are_refused(options: Csv, payload: bytes, reason: str) -> None:
    assert complaint(compile_csv(options), payload) == reason


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "columns: needed, unless the first line names them (header: true)"),
        ({"columns": ["a"], "header": True}, "columns: with header the first line of the message names them"),
        ({"columns": ["a", "_", "a"]}, "columns: 'a' stands there twice"),
        ({"columns": ["a"], "separator": '"'}, "expected one character, and neither a quote nor the end of a line"),
        ({"columns": ["a"], "separator": "\n"}, "expected one character, and neither a quote nor the end of a line"),
        ({"columns": ["a"], "separator": ";;"}, "String should have at most 1 character"),
        ({"columns": [""]}, "String should have at least 1 character"),
    ],
)
def test_wrong_columns_are_refused_at_once(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Csv.model_validate(options)
    assert [error["msg"].removeprefix("Value error, ") for error in raised.value.errors()] == [message]


# ── names and values ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "payload", "expected"),
    [
        (None, b"T=21.5;H=40", [{"T": "21.5", "H": "40"}]),
        (Pairs(), b" T = 21.5 ; H = 40 ;\r\n", [{"T": "21.5", "H": "40"}]),
        (Pairs(), b"T=;H=40;name=a=b", [{"H": "40", "name": "a=b"}]),
        (Pairs(), b"T=1\nT=2\n\n", [{"T": "1"}, {"T": "2"}]),
        (Pairs(between=":", separator=","), b"T:21.5,H:40\0", [{"T": "21.5", "H": "40"}]),
        (Pairs(between=": ", separator="\n"), b"T: 21.5\nH: 40\n", [{"T": "21.5", "H": "40"}]),
        (Pairs(between=" ", separator=","), b"T 21.5, H  40", [{"T": "21.5", "H": "40"}]),
        (Pairs(between="=", separator=" "), b"T=21.5  H=40", [{"T": "21.5", "H": "40"}]),
        (Pairs(), b"", []),
    ],
)
def test_each_line_of_pairs_is_a_reading(options: Pairs | None, payload: bytes, expected: list[object]) -> None:
    assert bodies(compile_pairs(options)(payload)) == expected


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"T=1;H", "pairs: expected a name and a value with '=' between them"),
        (b"T=1;=2", "pairs: expected a name and a value with '=' between them"),
        (b"T=1;T=2", "pairs: a name stands there twice"),
        (b"T=\xff", "text: not UTF-8"),
    ],
)
def test_pairs_that_are_none_are_refused(payload: bytes, reason: str) -> None:
    assert complaint(compile_pairs(Pairs()), payload) == reason


@pytest.mark.parametrize(("between", "separator"), [("=", "="), ("=", ";="), ("::", ":")])
def test_what_stands_between_must_be_told_apart(between: str, separator: str) -> None:
    with pytest.raises(ValidationError, match="between and separator: one of them contains the other"):
        Pairs(between=between, separator=separator)


# ── a text with a pattern ────────────────────────────────────────────────────────────────────────────────────────


def test_the_named_groups_of_a_pattern_are_the_message() -> None:
    open_text = compile_text(TextPattern(pattern=r"P=(?P<power>[0-9.]+)W(?: (?P<state>\w+))?"))
    assert bodies(open_text(b"at 8: P=12.5W ok")) == [{"power": "12.5", "state": "ok"}]
    assert bodies(open_text(b"P=3W")) == [{"power": "3"}]


def test_a_text_without_the_pattern_is_refused() -> None:
    assert complaint(compile_text(TextPattern(pattern="P=(?P<power>.)")), b"Q=1") == "text: the pattern is not found"


@pytest.mark.parametrize("pattern", [r"(?P<a>(a+)+)$", r"(?P<a>.*)x(.*)x(.*)x(.*)y"])
def test_no_text_keeps_a_pattern_busy(pattern: str) -> None:
    reason = "a regular expression of the profile takes too long on this text"
    assert complaint(compile_text(TextPattern(pattern=pattern)), b"a" * 5000 + b"x" * 5000) == reason


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("P=(", "expected a regular expression: missing ) at position 3"),
        ("P=[0-9.]+W", "expected a named group, such as (?P<power>[0-9.]+)"),
        ("P=([0-9.]+)W", "expected a named group, such as (?P<power>[0-9.]+)"),
        ("", "String should have at least 1 character"),
    ],
)
def test_a_wrong_pattern_is_refused_at_once(pattern: str, message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        TextPattern(pattern=pattern)
    assert [error["msg"].removeprefix("Value error, ") for error in raised.value.errors()] == [message]


# ── one value ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"230", 230),
        (b"-5", -5),
        (b"230.5", 230.5),
        (b"230,5", 230.5),
        (b" 230.5\r\n", 230.5),
        (b"230.5\0", 230.5),
        (b"1.5e3", 1500.0),
        (b"0", 0),
        (b"0.5", 0.5),
        (b"9223372036854775808", 9223372036854775808.0),
        (b"true", True),
        (b"FALSE", False),
        (b"ON", "ON"),
        (b"off", "off"),
        (b"0042", "0042"),
        (b"100,200,300", "100,200,300"),
        (b"12.5 kWh", "12.5 kWh"),
        (b'"12.5"', "12.5"),
        (b'"true"', "true"),
        (b'"', '"'),
        (b'""', ""),
        ("\u5f00".encode(), "\u5f00"),
        (b"1" * 61, "1" * 61),
    ],
)
def test_one_value_is_read(payload: bytes, expected: object) -> None:
    (body,) = bodies(open_value(payload))
    assert body == expected
    assert type(body) is type(expected)


@pytest.mark.parametrize("payload", [b"", b" \n", b"\0", b"null", b"NaN"])
def test_a_payload_that_says_nothing_is_no_reading(payload: bytes) -> None:
    assert open_value(payload) == []


def test_bytes_that_are_no_text_are_no_value() -> None:
    assert complaint(open_value, b"\xb0") == "text: not UTF-8"


@given(st.binary(max_size=200) | st.text(alphabet='0123456789.,;="\n\r\t aT_').map(str.encode))
def test_whatever_comes_is_read_or_undecodable(payload: bytes) -> None:
    for open_payload in (
        compile_csv(Csv(columns=["a", "b"])),
        compile_csv(Csv(header=True, separator=" ")),
        compile_pairs(Pairs()),
        compile_text(TextPattern(pattern="(?P<a>[0-9]+)")),
        open_value,
    ):
        try:
            parts = open_payload(payload)
        except Undecodable:
            continue
        said = payload.decode("utf-8-sig")
        for body in (part.body for part in parts):
            values = body.values() if isinstance(body, dict) else [body]
            assert all(value in said for value in values if isinstance(value, str))
