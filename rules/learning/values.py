"""Values: how far they are from what is usual at their time, in the unit of the quantity."""

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

    __slots__ = ("_before", "_sign", "learn", "mean", "season")

    def __init__(self, season: SeasonName, direction: Direction) -> None:
        self.season = Season(season)
        self.learn = self.season.add
        self._sign = {"up": 1, "down": -1, "both": 0}[direction]
        self.mean = self._before = 0.0

    def turn(self, slot: int, value: float) -> None:
        """See `Measure`."""
        self.season.turn(slot, value)

    def measure(self, value: float, elapsed: int) -> tuple[float, float]:
        """See `Measure`."""
        deviation = value - self.season.level
        self._before = mean = self.mean
        self.mean = mean = mean + elapsed / (elapsed + _MEAN_NS) * (deviation - mean)
        sign = self._sign
        if sign:
            return sign * deviation, sign * mean
        return (deviation if deviation > 0 else -deviation), (mean if mean > 0 else -mean)

    @staticmethod
    def join(spike: float, shift: float) -> float:
        """The larger one, for a spike moves the mean as well."""
        return max(spike, shift)

    def pass_over(self, *, alone: bool) -> None:
        """See `Measure`. A spike does not move the mean, which would go on when it is over."""
        if alone:
            self.mean = self._before

    def forget(self) -> None:
        """See `Measure`."""
        self.season.forget()

    def snapshot(self) -> list[Any]:
        """See `Measure`."""
        return [self.mean, self.season.snapshot()]

    def restore(self, state: list[Any]) -> None:
        """See `Measure`."""
        self.mean, season = state
        self.season.restore(season)
