"""Conditions: what a message, an item or a value must be like to be read."""

from collections.abc import Callable
from typing import Any, TypeAlias

from devices.expressions import compile_search
from devices.language.sources import Condition, Criterion, Scalar, When
from devices.numbers import number_of
from devices.paths import Scope, compile_path

Holds: TypeAlias = Callable[[Any, Scope], bool]
"""Whether an item meets conditions."""

_NUMBERS = frozenset({int, float})
_FLAGS = {True: "true", False: "false"}


def compile_when(when: When) -> Holds:
    """The function that tells whether all conditions hold."""
    tests = [(compile_path(path), compile_condition(condition)) for path, condition in when.items()]

    def holds(item: Any, scope: Scope) -> bool:  # noqa: ANN401 - JSON is anything
        for find, test in tests:  # noqa: SIM110 - a generator takes twice as long
            if not test(find(item, scope)):
                return False
        return True

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
        present = criterion.present
        checks.append(lambda found: (found is not None) is present)
    if criterion.above is not None:
        above = criterion.above
        checks.append(lambda found: (number := _number(found)) is not None and number > above)
    if criterion.below is not None:
        below = criterion.below
        checks.append(lambda found: (number := _number(found)) is not None and number < below)
    if criterion.is_not is not None:
        refused = plain_texts(criterion.is_not)
        checks.append(lambda found: plain_text(found) not in refused)
    if criterion.contains is not None:
        pieces = [criterion.contains] if isinstance(criterion.contains, str) else criterion.contains
        checks.append(lambda found: type(found) is str and any(piece in found for piece in pieces))
    if criterion.matches is not None:
        search = compile_search(criterion.matches)
        checks.append(lambda found: (text := plain_text(found)) is not None and search(text) is not None)
    return checks[0] if len(checks) == 1 else lambda found: all(check(found) for check in checks)


def plain_texts(values: Scalar | list[Scalar]) -> frozenset[str | None]:
    """A value, or several, as `plain_text` has them."""
    return frozenset(map(plain_text, values if isinstance(values, list) else [values]))


def _number(found: Any) -> float | None:  # noqa: ANN401 - JSON is anything
    number = number_of(found)
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
