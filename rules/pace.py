"""Paces: how the readings of one device come: how far behind, what came last, and who waits for it to catch up."""

from typing import TYPE_CHECKING, Any

from devices.durations import NANOSECONDS
from devices.reading import Value

if TYPE_CHECKING:
    from rules.watch import Watch

STALE = 5 * NANOSECONDS["s"]
"""A device whose readings arrive longer than this after their times, or before them, is judged in its own time."""

SETTLE = 10 * NANOSECONDS["s"]
"""How long, at least, a device that is behind must come no closer before its alerts are told."""

_PATIENCE_MAX = 10 * NANOSECONDS["m"]
_PATIENCE = 10
"""One part in so many of its lag is waited for a device: who is an hour behind loses little by a few minutes more."""


class Pace:
    """How the readings of one device come.

    Attributes:
        device: its id.
        lag: ns by which its readings are behind the engine's clock where that is more than STALE, negative where its
            clock is ahead, else 0.
        newest: time of its newest reading, UTC ns; None before the first.
        values: what it said of that moment.
        waiting: watches that tell their alerts once it has caught up.
    """

    __slots__ = ("device", "lag", "newest", "values", "waiting")

    def __init__(self, device: str) -> None:
        self.device = device
        self.lag = 0
        self.newest: int | None = None
        self.waiting: tuple[Watch, ...] = ()
        self.values: dict[str, Value] = {}

    @property
    def patience(self) -> int:
        """How long to wait for the device to come closer, ns."""
        return max(SETTLE, min(self.lag // _PATIENCE, _PATIENCE_MAX))

    def repeat(self, values: dict[str, Value]) -> dict[str, Value]:
        """Takes more values of the newest reading's time; returns those that the device has not said already."""
        known = self.values
        fresh = {point: value for point, value in values.items() if known.get(point) != value}
        if fresh:
            self.values = {**known, **fresh}
        return fresh

    def snapshot(self) -> list[Any]:
        """Its state, in plain values."""
        return [self.newest, self.lag, self.values]

    def restore(self, state: list[Any]) -> None:
        """Goes on from a snapshot."""
        self.newest, self.lag, self.values = state
