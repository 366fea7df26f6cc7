"""From a profile to a function that reads its payloads: whatever can be decided once is decided here."""

import re
from collections.abc import Callable
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import jmespath

from devices.canonical import read_canonical
from devices.errors import Undecodable
from devices.message import Reader, Record, parse_json
from devices.points import POINTS
from devices.profile import PointSource, Profile, TimeSource
from devices.reading import Value
from devices.timestamps import MILLISECOND, SECOND, Moment, parse_epoch, parse_local, parse_rfc3339
from devices.values import check_value, widen

Find: TypeAlias = Callable[[Any], Any]
"""Finds a value in a message; None where there is none."""

Convert: TypeAlias = Callable[[Any], Value | None]
"""Turns what was found into a point's value; None where it means that nothing was measured."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII).fullmatch
_NUMBER_LENGTH_MAX = 40
_FLAGS = {"true": True, "false": False}
_SCALARS = frozenset({bool, int, float, str})


def compile_profile(profile: Profile, zone: str) -> Reader:
    """The function that reads a profile's payloads.

    Args:
        profile: what they look like.
        zone: IANA name of the site's time zone, for clocks that show local time.
    """
    if profile.format == "canonical":
        return read_canonical
    find_items = compile_path(profile.each) if profile.each else lambda message: [message]
    read_item = _compile_item(profile, zone)

    def read(payload: bytes, received: int) -> list[Record]:
        items = find_items(parse_json(payload))
        if type(items) is not list:
            raise Undecodable("no list of readings in the message", hint=f"profile {profile.id} expects it at `each`")
        records = [record for item in items if (record := read_item(item, received))]
        if not records:
            raise Undecodable("no point in the message", hint=f"profile {profile.id} finds none of its points")
        return records

    return read


def compile_path(path: str) -> Find:
    """The function that finds a JMESPath in a message: plain look-ups where the path is only names and dots."""
    expression = jmespath.compile(path)
    names = _plain_names(expression.parsed)

    def look_up(node: Any) -> Any:  # noqa: ANN401 - JSON is anything
        for name in names or ():
            if type(node) is not dict:
                return None
            node = node.get(name)
        return node

    def search(message: Any) -> Any:  # noqa: ANN401 - JSON is anything
        try:
            return expression.search(message)
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
            # The library's own errors are ValueErrors; some of its functions let Python's pass.
            raise Undecodable(f"path {path} fails on this message") from None

    return look_up if names else search


def _plain_names(node: dict[str, Any]) -> list[str] | None:
    if node["type"] == "field":
        return [node["value"]]
    if node["type"] != "subexpression":
        return None
    names: list[str] = []
    for child in node["children"]:
        more = _plain_names(child)
        if more is None:
            return None
        names += more
    return names


def _compile_item(profile: Profile, zone: str) -> Callable[[Any, int], Record | None]:
    read_time = _compile_time(profile.time, zone) if profile.time else None
    plan = [(name, compile_path(source.path), _compile_value(name, source)) for name, source in profile.points.items()]

    def read_item(item: Any, received: int) -> Record | None:  # noqa: ANN401 - JSON is anything
        values: dict[str, Value] = {}
        for name, find, convert in plan:
            raw = find(item)
            if raw is not None and (value := convert(raw)) is not None:
                values[name] = value
        if not values:
            return None
        return (read_time(item, received) if read_time else None), values

    return read_item


def _compile_time(source: TimeSource, zone: str) -> Callable[[Any, int], Moment | None]:
    find = compile_path(source.path)
    parse = _choose_parser(source, zone)

    def read_time(item: Any, received: int) -> Moment | None:  # noqa: ANN401 - JSON is anything
        value = find(item)
        if value is None:
            return None
        try:
            return parse(value, received)
        except ValueError as error:
            raise Undecodable(f"time: {error}") from None

    return read_time


def _choose_parser(source: TimeSource, zone: str) -> Callable[[object, int], Moment]:
    match source.format:
        case "rfc3339":
            return lambda value, _received: parse_rfc3339(value)
        case "epoch_s":
            return lambda value, _received: parse_epoch(value, SECOND)
        case "epoch_ms":
            return lambda value, _received: parse_epoch(value, MILLISECOND)
        case "local":
            clock = ZoneInfo(source.zone or zone)
            return lambda value, received: parse_local(value, clock, received)


def _compile_value(name: str, source: PointSource) -> Convert:
    loosen = _LOOSEN[POINTS[name].type]
    scale = source.scale
    words = {_key(there): check_value(name, value) for there, value in source.map.items()}
    sentinels = frozenset(_key(there) for there in source.sentinels)

    def convert(raw: object) -> Value:
        value = loosen(raw)
        return check_value(name, value * scale if type(value) is float else value)

    def look_up(raw: object) -> Value | None:
        key = _key(raw)
        if key in sentinels:
            return None
        if not words:
            return convert(raw)
        if key not in words:
            raise Undecodable(f"{name}: a value that the profile's map does not list", hint="add it to the map")
        return words[key]

    return look_up if words or sentinels else convert


def _key(value: object) -> tuple[bool, object]:
    """To Python true is 1; to a device it is not."""
    return type(value) is bool, value if type(value) in _SCALARS else None


def _read_number(raw: object) -> object:
    if type(raw) is int:
        return widen(raw)
    if type(raw) is str and len(raw) <= _NUMBER_LENGTH_MAX and _NUMBER(raw):
        return float(raw)
    return raw


def _read_flag(raw: object) -> object:
    return _FLAGS.get(raw.lower(), raw) if type(raw) is str else raw


_LOOSEN: dict[type[Value], Callable[[object], object]] = {
    float: _read_number,
    bool: _read_flag,
    str: lambda raw: raw,
}
"""What devices write for a type of point, made JSON's own: numbers and flags may come as text."""
