"""Conditions: what a message, an item or a value must be like to be read."""

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from devices.expressions import compile_search
from devices.language.sources import Condition, Criterion, Scalar, When
from devices.numbers import number_of
from devices.paths import Scope, compile_path, find_steps

Holds: TypeAlias = Callable[[Any, Scope], bool]
"""Whether an item meets conditions."""

_NUMBERS = frozenset({int, float})
_INTEGER = re.compile("0|-?[1-9][0-9]{0,29}").fullmatch
"""The texts of JSON's integers; those that are longer are floats there."""
_FLAGS = {True: "true", False: "false"}


def compile_when(when: When) -> Holds:
    """The function that tells whether all conditions hold."""
    tests = [_compile_test(path, condition) for path, condition in when.items()]

    def holds(item: Any, scope: Scope) -> bool:  # noqa: ANN401 - JSON is anything
        for test in tests:  # noqa: SIM110 - a generator takes twice as long
            if not test(item, scope):
                return False
        return True

    return tests[0] if len(tests) == 1 else holds


def list_needed(when: When) -> frozenset[str]:
    """The keys without which an object cannot meet all conditions."""
    steps = ((find_steps(path) or (0,), condition) for path, condition in when.items())
    return frozenset(
        first for (first, *_), condition in steps if isinstance(first, str) and not compile_condition(condition)(None)
    )


def _compile_test(path: str, condition: Condition) -> Holds:
    find = compile_path(path)
    if isinstance(condition, Criterion):
        test = _compile_criterion(condition)
        [key, *deeper] = find_steps(path) or (0,)
        if isinstance(key, str) and not deeper:
            return lambda item, _scope: test(item.get(key) if type(item) is dict else None)
        return lambda item, scope: test(find(item, scope))
    wanted = plain_texts(condition)
    integers = frozenset(int(text) for text in wanted if text is not None and _INTEGER(text))

    def holds(item: Any, scope: Scope) -> bool:  # noqa: ANN401 - JSON is anything
        found = find(item, scope)
        if type(found) is int:
            return found in integers
        return (found if type(found) is str else plain_text(found)) in wanted

    return holds


def compile_condition(condition: Condition) -> Callable[[Any], bool]:
    """The function that tells whether what a path finds, None for nothing, is as it must be."""
    if isinstance(condition, Criterion):
        return _compile_criterion(condition)
    wanted = plain_texts(condition)
    return lambda found: (found if type(found) is str else plain_text(found)) in wanted


def _compile_criterion(criterion: Criterion) -> Callable[[Any], bool]:
    checks: list[Callable[[Any], bool]] = []
    if criterion.present is not None:
        checks.append((lambda found: found is not None) if criterion.present else (lambda found: found is None))
    if criterion.above is not None:
        above = criterion.above
        checks.append(lambda found: (number := _number(found)) is not None and number > above)
    if criterion.below is not None:
        below = criterion.below
        checks.append(lambda found: (number := _number(found)) is not None and number < below)
    if criterion.is_not is not None:
        refused = plain_texts(criterion.is_not)
        checks.append(lambda found: (found if type(found) is str else plain_text(found)) not in refused)
    if criterion.contains is not None:
        checks.append(_compile_contains(criterion.contains))
    if criterion.matches is not None:
        search = compile_search(criterion.matches)
        checks.append(lambda found: (text := plain_text(found)) is not None and search(text) is not None)
    return checks[0] if len(checks) == 1 else _join(checks)


def _join(checks: list[Callable[[Any], bool]]) -> Callable[[Any], bool]:
    def holds(found: Any) -> bool:  # noqa: ANN401 - JSON is anything
        for check in checks:  # noqa: SIM110 - a generator takes twice as long
            if not check(found):
                return False
        return True

    return holds


def _compile_contains(wanted: str | list[str]) -> Callable[[Any], bool]:
    pieces = [wanted] if isinstance(wanted, str) else wanted

    def contains(found: Any) -> bool:  # noqa: ANN401 - JSON is anything
        if type(found) is str:
            for piece in pieces:
                if piece in found:
                    return True
        return False

    return contains


def plain_texts(values: Scalar | list[Scalar]) -> frozenset[str | None]:
    """A value, or several, as `plain_text` has them."""
    return frozenset(map(plain_text, values if isinstance(values, list) else [values]))


def _number(found: Any) -> float | None:  # noqa: ANN401 - JSON is anything
    number = found if type(found) is float else number_of(found)
    return number if type(number) is float else None


def plain_text(value: Any) -> str | None:  # noqa: ANN401 - JSON is anything
    """A value as text, so that 1 and "1", true and "true" are alike; None for what is no single value."""
    kind = type(value)
    if isinstance(value, str):
        return value
    if kind is bool:
        return _FLAGS[value]
    if kind is float and value.is_integer():
        return str(int(value))
    return str(value) if kind in _NUMBERS else None
