"""Conditions: what a message, an item or a value must be like to be read."""

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from devices.paths import Scope, compile_path
from devices.sources import Condition, Test, When

Holds: TypeAlias = Callable[[Any, Scope], bool]
"""Whether an item meets conditions."""

_NUMBERS = frozenset({int, float})
_FLAGS = {True: "true", False: "false"}


def compile_when(when: When) -> Holds:
    """The function that tells whether all conditions hold."""
    tests = [(compile_path(path), _compile_condition(condition)) for path, condition in when.items()]

    def holds(item: Any, scope: Scope) -> bool:  # noqa: ANN401 - JSON is anything
        for find, test in tests:
            if not test(find(item, scope)):
                return False
        return True

    return holds


def _compile_condition(condition: Condition) -> Callable[[Any], bool]:
    if isinstance(condition, Test):
        return _compile_test(condition)
    values = condition if isinstance(condition, list) else [condition]
    wanted = frozenset(_plain(value) for value in values)
    return lambda found: _plain(found) in wanted


def _compile_test(test: Test) -> Callable[[Any], bool]:
    checks: list[Callable[[Any], bool]] = []
    if test.present is not None:
        checks.append(lambda found: (found is not None) is test.present)
    if test.above is not None:
        above = test.above
        checks.append(lambda found: (number := _number(found)) is not None and number > above)
    if test.below is not None:
        below = test.below
        checks.append(lambda found: (number := _number(found)) is not None and number < below)
    if test.is_not is not None:
        refused = frozenset(_plain(value) for value in (test.is_not if isinstance(test.is_not, list) else [test.is_not]))
        checks.append(lambda found: _plain(found) not in refused)
    if test.matches is not None:
        search = re.compile(test.matches).search
        checks.append(lambda found: type(found) is str and search(found) is not None)
    return checks[0] if len(checks) == 1 else lambda found: all(check(found) for check in checks)


def _number(found: Any) -> float | None:  # noqa: ANN401 - JSON is anything
    if type(found) is str:
        try:
            return float(found)
        except ValueError:
            return None
    return found if type(found) in _NUMBERS else None


def _plain(value: Any) -> str | None:  # noqa: ANN401 - JSON is anything
    """A value as text, so that 1 and "1", true and "true" are alike; None for what is no single value."""
    kind = type(value)
    if kind is str:
        return value
    if kind is bool:
        return _FLAGS[value]
    if kind is float and value.is_integer():
        return str(int(value))
    return str(value) if kind in _NUMBERS else None
