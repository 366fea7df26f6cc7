"""Values: how far they are from what is usual at their time, in usual deviations."""

from math import exp
from typing import Any, ClassVar, Literal, TypeAlias

from devices.durations import NANOSECONDS
from rules.learning.season import Season, SeasonName

Direction: TypeAlias = Literal["up", "down", "both"]

_MEAN_NS = 4 * NANOSECONDS["h"]


class Values:
    """The deviation of the last value, which shows spikes, and its mean over some hours: levels that shift and stay.

    Attributes:
        season: what is usual at what time.
    """

    share: ClassVar[float] = 0.15
    """See `Measure`."""

    __slots__ = ("_elapsed", "_gain", "_mean", "_sign", "season")

    def __init__(self, season: SeasonName, direction: Direction) -> None:
        self.season = Season(season)
        self._sign = {"up": 1, "down": -1, "both": 0}[direction]
        self._elapsed = -1
        self._gain = self._mean = 0.0

    def measure(self, value: float, local: int, elapsed: int) -> tuple[float, float]:
        """See `Measure`."""
        if elapsed != self._elapsed:
            self._elapsed = elapsed
            self._gain = 1 - exp(-elapsed / _MEAN_NS)
        season = self.season
        season.predict(local)
        deviation = (value - season.level) / (season.error or 1e-9)
        self._mean = mean = self._mean + self._gain * (deviation - self._mean)
        if self._sign:
            return self._sign * deviation, self._sign * mean
        return abs(deviation), abs(mean)

    @staticmethod
    def join(spike: float, shift: float) -> float:
        """The larger one, for a spike moves the mean as well."""
        return spike if spike > shift else shift  # noqa: FURB136 - max() takes three times as long

    def learn(self, value: float, elapsed: int) -> None:
        """See `Measure`."""
        self.season.learn(value, elapsed)

    def pass_over(self) -> None:
        """See `Measure`."""

    def forget(self) -> None:
        """See `Measure`."""
        self.season.forget()

    def snapshot(self) -> list[Any]:
        """See `Measure`."""
        return [self._mean, self.season.snapshot()]

    def restore(self, state: list[Any]) -> None:
        """See `Measure`."""
        self._mean, season = state
        self.season.restore(season)
