"""Regular expressions of profiles, with a limit on time: on an unlucky text some would search for hours.

The library `regex` has what `re` has, and a time limit.
"""

from collections.abc import Callable
from typing import TypeAlias

import regex

from devices.errors import Undecodable

Search: TypeAlias = Callable[[str], regex.Match[str] | None]
"""Finds the first place where an expression matches. Raises Undecodable where that takes too long."""

SearchAll: TypeAlias = Callable[[str], list[regex.Match[str]]]
"""Finds every place where an expression matches. Raises Undecodable where that takes too long."""

_SECONDS_MAX = 0.05
_REPEATS = frozenset("*+?{")


def parse_expression(pattern: str) -> regex.Pattern[str]:
    """The expression of a pattern.

    Raises:
        ValueError: it is none; the message is for whoever wrote it.
    """
    try:
        return regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError) as error:
        raise ValueError(f"expected a regular expression: {error}") from None


def check_groups(pattern: str) -> str:
    """An expression with named groups, unchanged.

    Raises:
        ValueError: it is none; the message is for whoever wrote it.
    """
    if not parse_expression(pattern).groupindex:
        raise ValueError("expected a named group, such as (?P<power>[0-9.]+)")
    return pattern


def list_groups(pattern: str) -> list[str]:
    """The names of an expression's groups."""
    return list(parse_expression(pattern).groupindex)


def compile_search(pattern: str) -> Search:
    """The function that searches a text.

    Raises:
        ValueError: the pattern is no regular expression.
    """
    find = parse_expression(pattern).search
    if not _REPEATS & set(pattern):
        return find  # nothing to try again; and a time limit takes 2 µs

    def search(text: str) -> regex.Match[str] | None:
        try:
            return find(text, timeout=_SECONDS_MAX)
        except TimeoutError:
            raise _refuse_text() from None

    return search


def compile_search_all(pattern: str) -> SearchAll:
    """The function that searches a text from one place to the next; the limit on time is for all of them.

    Raises:
        ValueError: the pattern is no regular expression.
    """
    find = parse_expression(pattern).finditer

    def search_all(text: str) -> list[regex.Match[str]]:
        try:
            return list(find(text, timeout=_SECONDS_MAX))
        except TimeoutError:
            raise _refuse_text() from None

    return search_all


def _refuse_text() -> Undecodable:
    return Undecodable(
        "a regular expression of the profile takes too long on this text",
        hint="make it simpler: no repeats inside of repeats, [^;]* rather than .*",
    )
