"""Which values a point may take, and what to say where a value is wrong."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from math import inf, isfinite

from devices.errors import Undecodable
from devices.points import EVENTS, POINTS
from devices.reading import Value

TEXT_LENGTH_MAX = 256
"""Most characters in a text."""

VOCABULARY: Mapping[str, frozenset[str]] = {
    "event": EVENTS,
    "direction": frozenset({"in", "out"}),
    "door": frozenset({"open", "closed"}),
    "lock": frozenset({"locked", "unlocked"}),
}
"""Points whose texts are a closed list."""

_INTEGER_END = 2**64  # beyond it JSON itself has floats

_KINDS = {
    float: "a number",
    int: "a number",
    bool: "true or false",
    str: "a text",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def check_value(name: str, value: object) -> Value:
    """The value in its point's own type: integers become float, nothing else is converted.

    Args:
        name: of a point.
        value: as it stands in JSON.

    Raises:
        Undecodable: there is no such point, or it cannot take this value.
    """
    point = POINTS.get(name)
    if point is None:
        raise Undecodable(f"{shorten(name)!r} is no point", hint=suggest(shorten(name), POINTS))
    if point.type is float and type(value) is int:
        value = widen(value)
    if type(value) is not point.type:
        raise Undecodable(f"{name}: expected {_KINDS[point.type]}, got {describe(value)}")
    if type(value) is float and not isfinite(value):
        raise Undecodable(f"{name}: expected a finite number")
    if type(value) is str:
        _check_text(name, value)
    return value


def widen(value: int) -> float:
    """An integer as float; infinite where it is none of JSON's own integers."""
    return float(value) if abs(value) < _INTEGER_END else inf


def describe(value: object) -> str:
    """What kind of thing a JSON value is, without the value: `a number`, `a text`."""
    return _KINDS.get(type(value), "something else")


def shorten(name: str) -> str:
    """A name of somebody else's, short enough to be told."""
    return name if len(name) <= 40 else name[:39] + "…"  # noqa: PLR2004 - about what a line of a table holds


def suggest(name: str, known: Iterable[str]) -> str:
    """`did you mean voltage_v?`, or "" where nothing known is near."""
    return _suggest(name, tuple(known))


@lru_cache(maxsize=256)
def _suggest(name: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else ""


def _check_text(name: str, text: str) -> None:
    words = VOCABULARY.get(name)
    if words is not None and text not in words:
        raise Undecodable(f"{name}: not one of its words", hint=f"expected one of {', '.join(sorted(words))}")
    if len(text) > TEXT_LENGTH_MAX:
        raise Undecodable(f"{name}: longer than {TEXT_LENGTH_MAX} characters")
