"""Regular expressions of profiles: found as ever, and never for long."""

import re

import pytest

from devices.errors import Undecodable
from devices.expressions import compile_search, parse_expression


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("LEAK|BURST", "DRY BURST", "BURST"),
        (r"(?P<a>\d+)W", "at 12W", "12W"),
        ("(^| )SMOKE( |$)", "SMOKE_SENSOR", None),
        ("[0-9]{3}", "12", None),
    ],
)
def test_an_expression_is_found_anywhere(pattern: str, text: str, found: str | None) -> None:
    match = compile_search(pattern)(text)
    assert (match[0] if match else None) == found


def test_a_search_that_would_take_hours_is_given_up() -> None:
    with pytest.raises(Undecodable) as raised:
        compile_search("(a+)+$")("a" * 5000 + "!")
    assert raised.value.reason == "a regular expression of the profile takes too long on this text"


@pytest.mark.parametrize("pattern", ["(", "a**b[", "(?P<a>x)(?P<a"])
def test_what_is_no_expression_is_refused(pattern: str) -> None:
    for use in (parse_expression, compile_search):
        with pytest.raises(ValueError, match=f"^{re.escape('expected a regular expression: ')}"):
            use(pattern)
