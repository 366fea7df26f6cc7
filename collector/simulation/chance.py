"""Chance that repeats itself: the same key always draws the same number, in whatever order keys are asked for."""

from collections.abc import Sequence
from hashlib import blake2b
from statistics import NormalDist
from typing import TypeAlias, TypeVar

Part: TypeAlias = str | int
Choice = TypeVar("Choice")

_BYTES = 6
_STEPS = 1 << 8 * _BYTES
_NORMAL = NormalDist()


class Chance:
    """Draws that depend on a key alone."""

    def __init__(self, *key: Part) -> None:
        self._key = "/".join(map(str, key))

    def sub(self, *key: Part) -> "Chance":
        """Chance of its own for a part of what is simulated."""
        return Chance(self._key, *key)

    def share(self, *key: Part) -> float:
        """Even between 0 and 1, without both ends."""
        text = "/".join((self._key, *map(str, key)))
        drawn = int.from_bytes(blake2b(text.encode(), digest_size=_BYTES).digest())
        return (drawn + 0.5) / _STEPS

    def between(self, low: float, high: float, *key: Part) -> float:
        """Even between two numbers."""
        return low + (high - low) * self.share(*key)

    def normal(self, *key: Part) -> float:
        """Normal with mean 0 and standard deviation 1."""
        return _NORMAL.inv_cdf(self.share(*key))

    def pick(self, choices: Sequence[Choice], *key: Part) -> Choice:
        """One of the choices."""
        return choices[int(self.share(*key) * len(choices))]
