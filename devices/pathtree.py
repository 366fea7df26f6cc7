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
            return lambda value: None if value is None else [child(value) for child in children]
        case "projection":
            return _project(children, lambda base: base if type(base) is list else None)
        case "value_projection":
            return _project(children, lambda base: base.values() if type(base) is dict else None)
        case "function_expression":
            name = node["value"]
            return lambda value: _CALL(name, [child(value) for child in children])
    return _chain(children)


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
