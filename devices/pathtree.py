"""JMESPath expressions as functions: what the library's interpreter finds, without a walk through the tree each time.

Nodes that are seldom, such as filters, are left to the library.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from jmespath.functions import Functions
from jmespath.visitor import TreeInterpreter

Search: TypeAlias = Callable[[Any], Any]
"""What an expression finds in a value; it raises what the library raises."""

_LIBRARY = TreeInterpreter()
_CALL = Functions().call_function
_EXTREMES: dict[str, Callable[[list[str]], str]] = {"max": max, "min": min}
_TEXTS = {str}
_INNER = frozenset(
    {
        "subexpression", "index_expression", "pipe", "multi_select_list", "projection", "value_projection",
        "function_expression",
    }
)  # fmt: skip
"""Nodes whose children become functions, too."""


def compile_tree(node: Mapping[str, Any]) -> Search:
    """The function for a node of a parsed expression."""
    if node["type"] in _INNER:
        return _compile_inner(node, [compile_tree(child) for child in node["children"]])
    if node["type"] in {"current", "identity"}:
        return lambda value: value
    if node["type"] == "field":
        key = node["value"]
        return lambda value: value.get(key) if type(value) is dict else None
    return lambda value: _LIBRARY.visit(node, value)  # type: ignore[arg-type] # a node, which has no name outside


def _compile_inner(node: Mapping[str, Any], children: list[Search]) -> Search:
    match node["type"]:
        case "multi_select_list":
            return _select(children, itself=node["children"][0]["type"] == "current")
        case "projection":
            return _project(children, lambda base: base if type(base) is list else None)
        case "value_projection":
            return _project(children, lambda base: base.values() if type(base) is dict else None)
        case "function_expression":
            return _compile_function(node["value"], children)
    return _chain(children)


def _select(children: list[Search], *, itself: bool) -> Search:
    """A list of what each child finds; where the only one is the value itself, as profiles have it, of that."""
    if len(children) == 1 and itself:
        return lambda value: None if value is None else [value]
    if len(children) == 1:
        [child] = children
        return lambda value: None if value is None else [child(value)]
    return lambda value: None if value is None else [child(value) for child in children]


def _compile_function(name: str, arguments: list[Search]) -> Search:
    """A call of the library's functions; the greatest or the least of a list of texts is found without it."""
    extreme = _EXTREMES.get(name)
    if extreme is None or len(arguments) != 1:
        return lambda value: _CALL(name, [argument(value) for argument in arguments])
    [argument] = arguments

    def find(value: Any) -> Any:  # noqa: ANN401 - JSON is anything
        found = argument(value)
        return extreme(found) if type(found) is list and {*map(type, found)} == _TEXTS else _CALL(name, [found])

    return find


def _chain(steps: list[Search]) -> Search:
    def follow(value: Any) -> Any:  # noqa: ANN401 - JSON is anything
        for step in steps:
            value = step(value)
        return value

    return follow


def _project(children: list[Search], open_base: Callable[[Any], Iterable[Any] | None]) -> Search:
    find, step = children

    def project(value: Any) -> list[Any] | None:  # noqa: ANN401 - JSON is anything
        base = open_base(find(value))
        return None if base is None else [found for item in base if (found := step(item)) is not None]

    return project
