"""JSON as some devices write it: repaired where only one meaning is possible, and never where something may be missing.

Repaired are comments, leading zeros, `NaN` and `Infinity` (nothing measured: null), a missing comma between two members
or two objects, a comma behind the last one, single quotes, Python's `True`, `False` and `None`, a byte order mark,
blanks that JSON does not know, and zero bytes at the end. Whatever ends before its last bracket stays broken: the
number at its end could have been cut.
"""

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Any, NamedTuple

import orjson

from devices.errors import Undecodable

SIZE_MAX = 16 * 1024
"""Longer payloads are not repaired, so that no message costs more than some 20 ms; bytes."""

_TOKEN = re.compile(
    r"""
      (?P<blank>  \s+ | //[^\n]* | /\*.*?\*/ )
    | (?P<mark>   [][{}:,] )
    | (?P<string> "[^"\\]*(?:\\.[^"\\]*)*" )
    | (?P<single> '[^'\\]*(?:\\.[^'\\]*)*' )
    | (?P<number> -?\d+(?:\.\d+)?(?:[eE][+-]?\d+)? )
    | (?P<word>   -?[A-Za-z]+ )
    """,
    re.DOTALL | re.VERBOSE,
)
_LEADING_ZEROS = re.compile(r"0(?<![\d.]0)0*(?=\d)", re.ASCII)  # with a 0 in front, which is found fast
_QUOTES = re.compile(r'\\.|"', re.DOTALL)
_WORDS = {"true": "true", "True": "true", "false": "false", "False": "false", "null": "null", "None": "null"}
_NOT_MEASURED = frozenset({"nan", "inf", "infinity"})
_OPENERS = frozenset("{[")
_OPENER_OF = {"}": "{", "]": "["}
_WHOLE_ENDS = ('"', "}", "]")


class _Token(NamedTuple):
    kind: str
    text: str
    spaced: bool
    at: int


class _Next(Enum):
    """What is expected."""

    FIRST = auto()  # a value; in an object a key; or the bracket's end
    MORE = auto()  # likewise, behind a comma
    COLON = auto()
    VALUE = auto()
    COMMA = auto()
    NOTHING = auto()


_ENDS = frozenset({_Next.FIRST, _Next.MORE, _Next.COMMA})


def parse_loose(payload: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    """What a payload that is not quite JSON says; JSON itself is read as ever.

    Raises:
        Undecodable: it cannot be repaired, or is longer than SIZE_MAX.
    """
    if len(payload) > SIZE_MAX:
        raise _refuse(f"longer than {SIZE_MAX // 1024} KiB, so that no repair was tried")
    try:
        text = payload.decode().removeprefix("\ufeff").rstrip("\0")
    except UnicodeDecodeError:
        raise _refuse("not UTF-8") from None
    try:
        return orjson.loads(_strip_zeros(text))
    except orjson.JSONDecodeError:
        pass  # something else is wrong as well
    try:
        return orjson.loads("".join(_repair(text)))
    except orjson.JSONDecodeError as error:
        raise _refuse(str(error)) from None


def _strip_zeros(text: str) -> str:
    """The text without leading zeros, unless a backslash makes quotes hard to tell."""
    if "\\" in text:
        return text
    pieces = text.split('"')
    pieces[::2] = _LEADING_ZEROS.sub("", '"'.join(pieces[::2])).split('"')
    return '"'.join(pieces)


def _repair(text: str) -> list[str]:
    """The text's tokens as JSON has them."""
    done: list[str] = []
    brackets: list[str] = []
    expected: _Next | None = _Next.FIRST
    for token in _tokenize(text):
        bracket = brackets[-1] if brackets else ""
        if expected is _Next.COMMA and _lacks_comma(token, done[-1], bracket):
            done.append(",")
            expected = _Next.MORE
        if token.text in _OPENER_OF:
            if bracket != _OPENER_OF[token.text] or expected not in _ENDS:
                raise _refuse(f"unexpected at {_place(text, token.at)}")
            if expected is _Next.MORE:
                done.pop()
            brackets.pop()
            expected = _Next.COMMA if brackets else _Next.NOTHING
        else:
            expected = _advance(token, expected, bracket)
            if expected is None:
                raise _refuse(f"unexpected at {_place(text, token.at)}")
            if token.text in _OPENERS:
                brackets.append(token.text)
        done.append(token.text)
    if brackets:
        raise _refuse("cut off: it ends before its last bracket")
    return done


def _advance(token: _Token, expected: _Next | None, bracket: str) -> _Next | None:
    """What is expected behind a token inside of a bracket; None where the token itself is not."""
    starts = expected in {_Next.FIRST, _Next.MORE}
    keyed = starts and bracket == "{"
    valued = expected is _Next.VALUE or (starts and not keyed)
    match token.text:
        case "," if expected is _Next.COMMA:
            return _Next.MORE
        case ":" if expected is _Next.COLON:
            return _Next.VALUE
        case "{" | "[" if valued:
            return _Next.FIRST
        case _ if keyed and token.kind == "string":
            return _Next.COLON
        case _ if valued and token.kind != "mark":
            return _Next.COMMA if bracket else _Next.NOTHING
    return None


def _lacks_comma(token: _Token, before: str, bracket: str) -> bool:
    """Whether a comma was left out: before a key in an object, between two objects in a list.

    Digits that touch the next member are no whole number for sure.
    """
    if bracket == "[":
        return token.text == "{" and before == "}"
    return token.kind == "string" and (token.spaced or before.endswith(_WHOLE_ENDS))


def _tokenize(text: str) -> Iterator[_Token]:
    at, spaced = 0, False
    while at < len(text):
        match = _TOKEN.match(text, at)
        kind = match.lastgroup if match else None
        if match is None or kind is None:
            raise _refuse(f"unexpected at {_place(text, at)}")
        if kind != "blank":
            yield _normalize(kind, match[0], spaced, at)
        spaced = kind == "blank"
        at = match.end()


def _normalize(kind: str, text: str, spaced: bool, at: int) -> _Token:  # noqa: FBT001 - a field of the token
    if kind == "single":
        inner = _QUOTES.sub(lambda found: {'"': '\\"', "\\'": "'"}.get(found[0], found[0]), text[1:-1])
        return _Token("string", f'"{inner}"', spaced, at)
    if kind == "number":
        text = _LEADING_ZEROS.sub("", text)
    elif kind == "word":
        text = "null" if text.removeprefix("-").lower() in _NOT_MEASURED else _WORDS.get(text, text)
    return _Token(kind, text, spaced, at)


def _place(text: str, at: int) -> str:
    return f"line {text.count(chr(10), 0, at) + 1} column {at - text.rfind(chr(10), 0, at)}"


def _refuse(hint: str) -> Undecodable:
    return Undecodable("payload is not JSON", hint=hint)
