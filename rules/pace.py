"""Paces: how the readings of one device come: how far behind, what came last, and who waits for it to catch up."""

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from devices.durations import NANOSECONDS
from devices.reading import Reading, Value

if TYPE_CHECKING:
    from rules.watch import Watch

STALE = 5 * NANOSECONDS["s"]
"""A device whose readings arrive longer than this after their times, or before them, is judged in its own time."""

SETTLE = 10 * NANOSECONDS["s"]
"""How long, at least, a device that is behind must come no closer before its alerts are told."""

_PATIENCE_MAX = 10 * NANOSECONDS["m"]
_PATIENCE = 10
"""One part in so many of its lag is waited for a device: who is an hour behind loses little by a few minutes more."""


_SAID_MOST = 16
"""How many readings of one moment are remembered, to know those that come again."""


class Pace:
    """How the readings of one device come.

    Attributes:
        device: its id.
        lag: ns by which its readings are behind the engine's clock where that is more than STALE, negative where its
            clock is ahead, else 0.
        newest: time of its newest reading, UTC ns; 0 before the first.
        values: what that said.
        waiting: watches that tell their alerts once it has caught up.
    """

    __slots__ = ("_also", "_also_at", "device", "lag", "newest", "values", "waiting")

    def __init__(self, device: str) -> None:
        self.device = device
        self.lag = self.newest = 0
        self.waiting: tuple[Watch, ...] = ()
        self.values: dict[str, Value] = {}
        self._also: tuple[dict[str, Value], ...] = ()  # what other readings said of one moment …
        self._also_at = 0  # … which was this

    @property
    def patience(self) -> int:
        """How long to wait for the device to come closer, ns."""
        return max(SETTLE, min(self.lag // _PATIENCE, _PATIENCE_MAX))

    def join(self, reading: Reading) -> Reading:
        """Takes one more reading of the newest moment, with only those values that the device has not said already.

        One that is a little older is of that moment too: of events on a coarse clock arrival tells the order. An event
        is the same only where everything about it is: two people may pass at once.
        """
        if self._also_at != self.newest:
            self._also_at, self._also = self.newest, ()
        said = (self.values, *self._also)
        values = reading.values
        if "event" in values:
            fresh = {} if values in said else values
        else:
            fresh = {point: value for point, value in values.items() if all(each.get(point) != value for each in said)}
        if fresh:
            self._also = (*self._also, fresh)[-_SAID_MOST:]
        return replace(reading, time=self.newest, values=fresh)

    def snapshot(self) -> list[Any]:
        """Its state, in plain values."""
        return [self.newest, self.lag, self.values, list(self._also) if self._also_at == self.newest else []]

    def restore(self, state: list[Any]) -> None:
        """Goes on from a snapshot."""
        self.newest, self.lag, self.values, also = state
        self._also_at, self._also = self.newest, tuple(also)
