"""Paths: where in a message something stands.

They are JMESPath (https://jmespath.org), and begin with `$` for what surrounds the reading.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar

import jmespath
from jmespath.parser import ParsedResult
from msgspec import Struct

from devices.errors import Undecodable
from devices.pathtree import compile_tree


class Scope(Struct):
    """What surrounds a reading in its message.

    Attributes:
        root: the whole message.
        parts: the named parts of the topic.
        port: LoRaWAN's FPort.
        up: the item around this one.
        key: its key in an object, where it is one of several there.
        index: its number in a list, likewise.
        pieces: the named parts of a text in it.
    """

    root: Any
    parts: Mapping[str, str]
    port: int | None = None
    up: Any = None
    key: str | None = None
    index: int | None = None
    pieces: Mapping[str, str] = {}


_T = TypeVar("_T")

Find: TypeAlias = Callable[[Any, Scope], Any]
"""Finds a value, from an item and what surrounds it; None where there is none."""

Step: TypeAlias = str | int
"""One step into an object (its key) or a list (its number)."""

_SURROUNDINGS = re.compile(r"\$(?P<name>[a-z]*)(?P<rest>.*)", re.DOTALL)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII).fullmatch
_PLAIN = re.compile(r"""[^.\[\](){}|&@*,`'"=<>!?$]+(\.[^.\[\](){}|&@*,`'"=<>!?$]+)*""").fullmatch
"""Keys and points between them."""


def check_path(path: str) -> str:
    """A path, unchanged.

    Raises:
        ValueError: it is none.
    """
    try:
        if path.startswith("$"):
            _split_surroundings(path)
        else:
            _parse(path).search({})
    except (jmespath.exceptions.JMESPathTypeError, ArithmeticError):
        return path  # a function that needs more than an empty message
    except jmespath.exceptions.JMESPathError as error:
        raise ValueError(_explain(path, error)) from None
    return path


def topic_part(path: str) -> str:
    """The named part of the topic that a path leads to, "" where it leads elsewhere."""
    return path.removeprefix("$topic.") if path.startswith("$topic.") else ""


def text_part(path: str) -> str:
    """The named part of a text that a path leads to, "" where it leads elsewhere."""
    return path.removeprefix("$part.") if path.startswith("$part.") else ""


def find_steps(path: str) -> tuple[Step, ...] | None:
    """The steps of a path that only goes from the item into objects and lists; None for any other."""
    return None if path.startswith("$") else _plain_steps(_parse(path).parsed)


def compile_path(path: str) -> Find:
    """The function that finds what a path leads to: plain look-ups where that is all that it asks for.

    Raises:
        ValueError: it is no path.
    """
    if path.startswith("$"):
        return _compile_surroundings(path)
    expression = _parse(path)
    steps = _plain_steps(expression.parsed)
    if steps is not None:
        return compile_steps(steps)

    find = compile_tree(expression.parsed)

    def search(item: Any, _scope: Scope) -> Any:  # noqa: ANN401 - JSON is anything
        try:
            return find(item)
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
            # The library's own errors are ValueErrors; some of its functions let Python's pass.
            raise Undecodable(f"path {path} fails on this message") from None

    return search


def compile_first(paths: Sequence[str]) -> Find:
    """The function that finds what the first of several paths leads to that leads anywhere."""
    or_item = len(paths) > 1 and paths[-1] == "@"
    places = paths[:-1] if or_item else paths
    steps = [find_steps(path.removeprefix("$.")) or () for path in places]
    keys = [step[0] for step in steps if len(step) == 1 and isinstance(step[0], str)]
    in_root = {path.startswith("$.") for path in places}
    if len(paths) == 1 or len(keys) < len(places) or len(in_root) > 1 or (or_item and in_root == {True}):
        return take_first([compile_path(path) for path in paths])

    def find_key(item: Any, _scope: Scope) -> Any:  # noqa: ANN401 - JSON is anything
        if type(item) is dict:
            for key in keys:
                found = item.get(key)
                if found is not None:
                    return found
        return item if or_item else None

    return (lambda _item, scope: find_key(scope.root, scope)) if in_root == {True} else find_key


def take_first(finds: Sequence[Callable[[Any, Scope], _T | None]]) -> Callable[[Any, Scope], _T | None]:
    """The function that gives what the first of several functions gives that gives anything."""

    def find_first(item: Any, scope: Scope) -> _T | None:  # noqa: ANN401 - JSON is anything
        for find in finds:
            found = find(item, scope)
            if found is not None:
                return found
        return None

    return find_first if len(finds) > 1 else finds[0]


def follow(item: Any, steps: tuple[Step, ...]) -> Any:  # noqa: ANN401 - JSON is anything
    """What the steps lead to, None where there is none."""
    for step in steps:
        if type(step) is int:
            if type(item) is not list:
                return None
            try:
                item = item[step]
            except IndexError:
                return None
        elif type(item) is dict:
            item = item.get(step)
        else:
            return None
    return item


def _explain(path: str, error: jmespath.exceptions.JMESPathError) -> str:
    """What is wrong with a path, for whoever wrote it; the library speaks of its tokens."""
    path = getattr(error, "expression", None) or path  # without what stands before it, such as `$.`
    if isinstance(error, jmespath.exceptions.EmptyExpressionError):
        return "expected a path, got nothing"
    at = getattr(error, "lex_position", None)
    if at is None:  # a function is unknown, or has too many arguments
        return f"{path!r} is no path (JMESPath): {str(error).rstrip('.')}"
    if at >= len(path):
        return f"{path!r} is no path (JMESPath): it ends too early"
    hint = "a key with other characters than letters, digits and _ stands in double quotes"
    if _PLAIN(path):
        hint = f"write '{_quote_keys(path)}'"
    if path[at] in "‘’“”":
        hint = "type quotes as ' or \""
    elif path[at] == "=":
        hint = "a comparison has two: =="
    elif path[at] in "+*/":
        hint = "it has no arithmetic; a point has `sum` and `scale`"
    elif getattr(error, "token_type", "") == "NUMBER" and at:
        hint = "numbers stand in backticks: `1`"
    return f"{path!r} is no path (JMESPath): did not expect {path[at]!r}, character {at + 1}; {hint}"


def _quote_keys(path: str) -> str:
    """A path of plain keys as JMESPath has it."""
    return ".".join(key if _NAME(key) else f'"{key}"' for key in path.split("."))


def _parse(path: str) -> ParsedResult:
    return jmespath.compile(path)


def compile_steps(steps: tuple[Step, ...]) -> Find:
    """The function that finds what steps lead to."""
    if not steps:
        return lambda item, _scope: item
    if len(steps) == 1 and isinstance(steps[0], str):
        name = steps[0]
        return lambda item, _scope: item.get(name) if type(item) is dict else None
    if len(steps) == 2 and all(isinstance(step, str) for step in steps):  # noqa: PLR2004 - a key in an object
        outer, inner = steps

        def find(item: Any, _scope: Scope) -> Any:  # noqa: ANN401 - JSON is anything
            around = item.get(outer) if type(item) is dict else None
            return around.get(inner) if type(around) is dict else None

        return find
    return lambda item, _scope: follow(item, steps)


def _compile_surroundings(path: str) -> Find:
    name, rest = _split_surroundings(path)
    match name:
        case "key" | "index" | "port":
            about = attrgetter(name)
            return lambda _item, scope: about(scope)
        case "topic":
            return lambda _item, scope: scope.parts.get(rest)
        case "part":
            return lambda _item, scope: scope.pieces.get(rest)
    find = compile_path(rest or "@")
    around = attrgetter(name or "root")
    if find_steps(rest or "@") is None:
        return _remember(find, around)
    return lambda _item, scope: find(around(scope), scope)


def _remember(find: Find, around: Callable[[Scope], Any]) -> Find:
    """A search through what surrounds all items of a message is made once, and not for every item again."""
    known: tuple[Any, Any] = (around, None)  # which is no message

    def search(_item: Any, scope: Scope) -> Any:  # noqa: ANN401 - JSON is anything
        nonlocal known
        last = known
        place = around(scope)
        if place is not last[0]:
            last = known = (place, find(place, scope))
        return last[1]

    return search


def _split_surroundings(path: str) -> tuple[str, str]:
    """The name behind `$` ("" for the root), and the path or name behind it.

    Raises:
        ValueError: there is no such name.
    """
    match = _SURROUNDINGS.fullmatch(path)
    name, rest = (match["name"], match["rest"]) if match else ("", "")
    inner = rest.removeprefix(".")
    if name in {"", "up"} and (not rest or inner != rest or rest.startswith("[")):
        if (inner or not rest) and not inner.startswith("$"):
            _parse(inner or "@")
            return name, inner
    elif (name in {"topic", "part"} and inner and inner != rest) or (name in {"key", "index", "port"} and not rest):
        return name, inner
    raise ValueError(f"{path!r} leads nowhere; known are $.a, $up.a, $topic.name, $part.name, $key, $index and $port")


def _plain_steps(node: Mapping[str, Any]) -> tuple[Step, ...] | None:
    match node["type"]:
        case "current" | "identity":
            return ()
        case "field":
            return (node["value"],)
        case "index":
            return (node["value"],)
        case "subexpression" | "index_expression":
            steps: tuple[Step, ...] = ()
            for child in node["children"]:
                more = _plain_steps(child)
                if more is None:
                    return None
                steps += more
            return steps
    return None
