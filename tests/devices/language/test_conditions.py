"""Conditions on messages, items and values."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from devices.language.conditions import compile_when
from devices.language.sources import When
from devices.paths import Scope

WHEN: TypeAdapter[When] = TypeAdapter(When)


def holds(message: Any, when: object, parts: dict[str, str] | None = None, port: int | None = None) -> bool:  # noqa: ANN401 - JSON is anything
    return compile_when(WHEN.validate_python(when))(message, Scope(message, parts or {}, port))


@pytest.mark.parametrize(
    ("condition", "met", "missed"),
    [
        ("power", ["power"], ["Power", "", None, ["power"], {"power": 1}, 1]),
        (1, [1, 1.0, "1"], [True, "true", "1.0", 10, None, [1]]),
        ("1", [1, 1.0, "1"], [True, 11, None]),
        (1.5, [1.5, "1.5"], [1, "15", None]),
        (True, [True, "true"], [1, "1", "True", False, None]),
        (False, [False, "false"], [0, "", None]),
        ([1, 2, "x"], [1, "2", "x"], [3, None, [1, 2, "x"]]),
        ({"present": True}, [0, False, "", [], {}], [None]),
        ({"present": False}, [None], [0, False, "", [], {}]),
        ({"above": 0}, [1, 0.1, "2", "0,5"], [0, -1, "0", True, "x", None, [1]]),
        ({"below": 1000}, [999, "-5"], [1000, "1e3", True, None, "x"]),
        ({"above": 0, "below": 10}, [5], [0, 10, 11]),
        ({"is_not": "0"}, ["1", 1, None, "", False], ["0", 0, 0.0]),
        ({"is_not": [1, "off"]}, [2, "on", None, True], ["1", 1, "off"]),
        ({"present": True, "is_not": 0}, [1, ""], [0, "0", None]),
        ({"contains": "em:"}, ["em:0", "xem:"], ["em", None, 5, ["em:"]]),
        ({"contains": ["em:", "pm"]}, ["em:0", "pm1"], ["e", None]),
        ({"matches": "^em:[0-9]$"}, ["em:0"], ["em:12", "xem:0", None, ["em:0"]]),
        ({"matches": "^4"}, [404, "4xx"], [200, None]),
    ],
)
def test_a_condition_holds_for_some_values_and_not_for_others(
    condition: object, met: list[object], missed: list[object]
) -> None:
    assert [value for value in met if not holds({"x": value}, {"x": condition})] == []
    assert [value for value in missed if holds({"x": value}, {"x": condition})] == []


def test_all_conditions_must_hold() -> None:
    when = {"type": "power", "$port": [1, 2], "battery": {"present": True}, "level": {"above": 0}}
    message = {"type": "power", "battery": 80, "level": 1}
    assert holds(message, when, port=2)
    assert not holds(message, when, port=3)
    assert not holds(message | {"type": "energy"}, when, port=2)
    assert not holds(message | {"battery": None}, when, port=2)
    assert not holds(message | {"level": 0}, when, port=2)


def test_no_condition_always_holds() -> None:
    assert holds(None, {})


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ({}, "expected present, above, below, is_not, contains or matches"),
        ({"present": None}, "expected present, above, below, is_not, contains or matches"),
        ({"matches": "("}, "expected a regular expression: "),
        ({"over": 5}, "Extra inputs are not permitted"),
    ],
)
def test_other_conditions_are_refused(condition: object, reason: str) -> None:
    with pytest.raises(ValidationError) as raised:
        WHEN.validate_python({"x": condition})
    assert reason in str(raised.value)
