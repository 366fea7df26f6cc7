"""Compiled expressions, with the library's own interpreter as the second opinion."""

from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.pathtree import compile_tree

JSON: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([None, True, 0, 1, 2.5, "", "x", "y"]),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "expression",
    [
        "@", "a", "a.b", "a[0]", "a[-1].b", "[@]", "[a, b.c]", "a.[b, c]", "a[*]", "a[*].b", "*", "*.a", "a.*.b",
        "*.*", "a[*][0]", "a[].b", "a[1:]", "a[?b].c", "a || b", "a && b", "!a", "a | b", "a[*].b | [0]", "`5`", "'t'",
        "{x: a, y: b}", "a == b", "max(*)", "max(a.*.b)", "min(*)",
        "max(a, b)", "[a]", "sum(a[*].b)", "length(a)", "join(',', a)", "max_by(@, &a)",
        "sort_by(a, &b)[0].c", "not_null(a, b)", "to_number(a)", "keys(@)[0]",
    ],
)  # fmt: skip
@given(value=JSON)
def test_a_compiled_expression_finds_what_the_library_finds(expression: str, value: Any) -> None:  # noqa: ANN401 - JSON is anything
    parsed = jmespath.compile(expression)
    try:
        expected: object = parsed.search(value)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        expected = type(error)
    try:
        found: object = compile_tree(parsed.parsed)(value)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        found = type(error)
    assert repr(found) == repr(expected)
