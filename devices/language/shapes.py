"""Shapes: what holds for all objects with the same keys, worked out once. A device's messages have few."""

from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")
_REMEMBERED_MOST = 256
_REMEMBERED_LENGTH_MAX = 2000
"""Characters of all keys; longer ones are worked out every time, so that what is remembered stays small."""


class Shapes(dict[tuple[str, ...], _T], Generic[_T]):
    """By the keys of an object, in their order, what holds for it. Its size is bounded, whatever arrives."""

    def __init__(self, work_out: Callable[[tuple[str, ...]], _T]) -> None:
        """Nothing is remembered yet.

        Args:
            work_out: says what holds for objects with these keys.
        """
        super().__init__()
        self._work_out = work_out

    def __missing__(self, keys: tuple[str, ...]) -> _T:
        """Works it out."""
        found = self._work_out(keys)
        if sum(map(len, keys)) <= _REMEMBERED_LENGTH_MAX:
            if len(self) >= _REMEMBERED_MOST:
                self.clear()
            self[keys] = found
        return found
