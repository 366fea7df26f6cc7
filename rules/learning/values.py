"""Values: how far they are from what is usual at their time, in the unit of the quantity."""

from math import inf
from typing import Any, ClassVar, Literal, TypeAlias

from devices.durations import NANOSECONDS
from rules.learning.season import Season, SeasonName

Direction: TypeAlias = Literal["up", "down", "both"]

_MEAN_NS = 4 * NANOSECONDS["h"]


class Values:
    """The deviation of the last value, which shows spikes, and its mean over some hours: levels that shift and stay.

    Attributes:
        season: what is usual at what time.
        mean: of the deviations over some hours, with its sign.
    """

    share: ClassVar[float] = 0.15
    """See `Measure`."""

    __slots__ = ("_bound", "_sign", "learn", "mean", "season")

    def __init__(self, season: SeasonName, direction: Direction) -> None:
        self.season = Season(season)
        self.learn = self.season.add
        self._sign = {"up": 1, "down": -1, "both": 0}[direction]
        self._bound = inf
        self.mean = 0.0

    def settle(self, usual: float) -> None:
        """See `Measure`."""
        self._bound = usual

    def turn(self, slot: int, value: float) -> None:
        """See `Measure`."""
        self.season.turn(slot, value)

    def measure(self, value: float, elapsed: int) -> tuple[float, float]:
        """See `Measure`."""
        deviation = value - self.season.level
        mean, bound = self.mean, self._bound
        bounded = bound if deviation > bound else -bound if deviation < -bound else deviation
        self.mean = mean = mean + elapsed / (elapsed + _MEAN_NS) * (bounded - mean)
        sign = self._sign
        if sign:
            return sign * deviation, sign * mean
        return (deviation if deviation > 0 else -deviation), (mean if mean > 0 else -mean)

    @staticmethod
    def join(spike: float, shift: float) -> float:
        """The larger one, for a spike moves the mean as well."""
        return max(spike, shift)

    def pass_over(self) -> None:
        """See `Measure`."""

    def forget(self) -> None:
        """See `Measure`."""
        self.season.forget()

    def snapshot(self) -> list[Any]:
        """See `Measure`."""
        return [self.mean, None if self._bound == inf else self._bound, self.season.snapshot()]

    def restore(self, state: list[Any]) -> None:
        """See `Measure`."""
        self.mean, bound, season = state
        self._bound = inf if bound is None else bound
        self.season.restore(season)
