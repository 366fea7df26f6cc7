"""Payloads that are plain text: lines of values, pairs of names and values, a text with a pattern, a value alone.

Zero bytes at the end, which C programs send with their strings, are passed over; so is a byte order mark.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from regex import Match

from devices.errors import Undecodable
from devices.expressions import check_groups, compile_search, compile_search_all
from devices.message import Part
from devices.register import Model

SIZE_MAX = 128 * 1024
"""Longer texts are refused; bytes."""

LINES_MAX = 10_000
"""More lines are refused."""

NO_COLUMN = "_"
"""In place of the name of a column that is passed over."""

_INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})", re.ASCII).fullmatch
_NUMBER = re.compile(r"-?(0|[1-9]\d*)([.,]\d+)?([eE][+-]?\d{1,3})?", re.ASCII).fullmatch
_NUMBER_LENGTH_MAX = 60
_LINE_END = re.compile(r"\r\n?|\n").split
_FLAGS = {"true": True, "false": False}
_NOTHING = frozenset({"", "null", "nan"})
_QUOTED_LENGTH_MIN = 2


def _check_separator(text: str) -> str:
    if text in '"\r\n':
        raise ValueError("expected one character, and neither a quote nor the end of a line")
    return text


class Csv(Model):
    """Lines of values (RFC 4180)."""

    columns: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        default_factory=list,
        max_length=1000,
        description="Names of the columns, in order; _ is passed over.",
    )
    separator: Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_check_separator)] = Field(
        ",",
        description="What stands between values.",
    )
    header: bool = Field(default=False, description="The first line of each message names the columns.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.header and self.columns:
            raise ValueError("columns: with header the first line of the message names them")
        if not self.header and not self.columns:
            raise ValueError("columns: needed, unless the first line names them (header: true)")
        repeated = _find_repeated(self.columns)
        if repeated:
            raise ValueError(f"columns: {repeated!r} stands there twice")
        return self


class Pairs(Model):
    """Names and values."""

    between: str = Field("=", min_length=1, max_length=10, description="What stands between a name and its value.")
    separator: str = Field(";", min_length=1, max_length=10, description="What stands between pairs.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.between in self.separator or self.separator in self.between:
            raise ValueError("between and separator: one of them contains the other")
        return self


class TextPattern(Model):
    """A regular expression whose named groups are the message."""

    pattern: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(check_groups)] = Field(
        description="Found anywhere in the text; its named groups are the message: P=(?P<power>[0-9.]+)W",
    )
    all: bool = Field(
        default=False,
        description="Every place where it is found is a reading; left out, only the first.",
    )


def compile_csv(options: Csv) -> Callable[[bytes], list[Part]]:
    """The function that opens lines of values: an object of texts for each line; empty fields are left out."""
    columns = tuple(options.columns)
    separator = options.separator

    def open_csv(payload: bytes) -> list[Part]:
        rows = _read_rows(_read_text(payload), separator)
        names = columns or _read_header(rows)
        return [Part(_name_fields(names, row)) for row in rows]

    return open_csv


def compile_pairs(options: Pairs | None) -> Callable[[bytes], list[Part]]:
    """The function that opens pairs of names and values: an object of texts for each line."""
    between, separator = (options or Pairs()).between, (options or Pairs()).separator
    lined = "\n" in separator or "\r" in separator

    def open_pairs(payload: bytes) -> list[Part]:
        text = _read_text(payload)
        lines = [text] if lined else _read_lines(text)
        return [Part(_name_values(line, between, separator)) for line in lines if line.strip()]

    return open_pairs


def compile_text(options: TextPattern) -> Callable[[bytes], list[Part]]:
    """The function that opens a text: an object of what the pattern's named groups hold, wherever it is found."""
    search = compile_search(options.pattern)
    search_all = compile_search_all(options.pattern) if options.all else None

    def open_text(payload: bytes) -> list[Part]:
        text = _read_text(payload)
        matches = [search(text)] if search_all is None else search_all(text)
        if len(matches) > LINES_MAX:
            raise Undecodable(f"text: the pattern is found more than {LINES_MAX} times")
        parts = [Part(_name_groups(match)) for match in matches if match]
        if not parts:
            raise Undecodable("text: the pattern is not found")
        return parts

    return open_text


def open_value(payload: bytes) -> list[Part]:
    """Opens a payload that is one value: a number, also with a decimal comma; true or false; else a text.

    Blanks around it and double quotes are taken away; what stands in quotes is a text. Digits with leading zeros are a
    text, because they number something. An empty payload, which clears a retained message, is no part, nor are null
    and NaN.

    Raises:
        Undecodable: it is too long, or not UTF-8.
    """
    text = _read_text(payload).strip()
    if text.lower() in _NOTHING:
        return []
    if text[0] == text[-1] == '"' and len(text) >= _QUOTED_LENGTH_MIN:
        return [Part(text[1:-1])]
    if len(text) <= _NUMBER_LENGTH_MAX:
        if _INTEGER(text):
            return [Part(int(text))]
        if _NUMBER(text):
            return [Part(float(text.replace(",", ".")))]
    return [Part(_FLAGS.get(text.lower(), text))]


def _read_text(payload: bytes) -> str:
    if len(payload) > SIZE_MAX:
        raise Undecodable(f"text: longer than {SIZE_MAX // 1024} KiB")
    try:
        return payload.decode("utf-8-sig").rstrip("\0")
    except UnicodeDecodeError:
        raise Undecodable("text: not UTF-8") from None


def _read_lines(text: str) -> list[str]:
    lines = _LINE_END(text)
    if len(lines) > LINES_MAX:
        raise Undecodable(f"text: more than {LINES_MAX} lines")
    return lines


def _read_rows(text: str, separator: str) -> Iterator[list[str]]:
    """The fields of each line that is not empty."""
    lines = _read_lines(text)
    reader = csv.reader(
        (line + "\n" for line in lines),
        delimiter=separator,
        skipinitialspace=separator not in " \t",
        strict=True,
    )
    try:
        for row in reader:
            fields = [field.strip() for field in row]
            if fields and fields != [""]:
                yield fields
    except csv.Error:
        raise Undecodable("csv: broken quotes") from None


def _read_header(rows: Iterator[list[str]]) -> tuple[str, ...]:
    names = next(rows, None)
    if names is None:
        raise Undecodable("csv: expected a first line with the names of the columns")
    if _find_repeated(names):
        raise Undecodable("csv: a name stands twice in the first line")
    return tuple(name or NO_COLUMN for name in names)


def _name_fields(names: tuple[str, ...], fields: list[str]) -> dict[str, str]:
    if len(fields) != len(names):
        raise Undecodable(f"csv: expected {len(names)} values in a line, got {len(fields)}")
    return {name: field for name, field in zip(names, fields, strict=True) if field and name != NO_COLUMN}


def _name_groups(match: Match[str]) -> dict[str, str]:
    return {name: value for name, value in match.groupdict().items() if value is not None}


def _name_values(line: str, between: str, separator: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for piece in line.split(separator):
        if not piece.strip():
            continue
        name, found, value = piece.strip().partition(between)
        name = name.strip()
        if not name or not found:
            raise Undecodable(f"pairs: expected a name and a value with {between!r} between them")
        if name in values:
            raise Undecodable("pairs: a name stands there twice")
        if value.strip():
            values[name] = value.strip()
    return values


def _find_repeated(names: Iterable[str]) -> str:
    seen = set()
    for name in names:
        if name in seen and name != NO_COLUMN:
            return name
        seen.add(name)
    return ""
