"""A rate over time with its exact integral: what a meter's power is to its register."""

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Self

from devices.durations import NANOSECONDS

NODE_NS = 5 * NANOSECONDS["m"]
"""Between nodes this far apart a rate runs straight, so that its integral is exact in closed form."""

_HOUR = NANOSECONDS["h"]


class Step(NamedTuple):
    """A constant rate on top, from `begin` until before `end` (UTC nanoseconds)."""

    begin: int
    end: int
    rate: float


class Curve:
    """A rate per hour, straight between nodes, and steps on top of it. Both values depend on time alone.

    Args:
        node: the rate at a node's time (UTC nanoseconds), never negative.
        start: where integration begins; nothing is asked for earlier.
        steps: what is added at once.
    """

    def __init__(self, node: Callable[[int], float], start: int, steps: Sequence[Step] = ()) -> None:
        self._node = node
        self._first = start // NODE_NS
        self._nodes = array("d", [node(self._first * NODE_NS)])
        self._totals = array("d", [0.0])
        self.start = self._first * NODE_NS
        self.steps = tuple(steps)

    @classmethod
    def sum(cls, curves: Iterable["Curve"], start: int, factor: float = 1.0) -> Self:
        """What a main meter sees: all curves together, times a factor for what is lost on the way."""
        parts = tuple(curves)
        return cls(
            lambda time: factor * sum(part.node(time) for part in parts),
            start,
            [step._replace(rate=factor * step.rate) for part in parts for step in part.steps],
        )

    def node(self, time: int) -> float:
        """The rate at a node, without steps."""
        index = time // NODE_NS - self._first
        self._extend(index)
        return self._nodes[index]

    def rate(self, time: int) -> float:
        """The rate at a moment."""
        index, past = self._locate(time)
        low, high = self._nodes[index], self._nodes[index + 1]
        return low + (high - low) * past + sum(step.rate for step in self.steps if step.begin <= time < step.end)

    def total(self, time: int) -> float:
        """The integral from the start to a moment."""
        index, past = self._locate(time)
        low, high = self._nodes[index], self._nodes[index + 1]
        smooth = self._totals[index] + (low + (high - low) * past / 2) * past * NODE_NS / _HOUR
        return smooth + sum(
            step.rate * max(0, min(time, step.end) - max(self.start, step.begin)) / _HOUR for step in self.steps
        )

    def _locate(self, time: int) -> tuple[int, float]:
        """The node before a moment, and how far the moment is past it, 0 to 1."""
        index, past = divmod(time, NODE_NS)
        index -= self._first
        if index < 0:
            raise ValueError("a curve knows nothing of the time before its start")
        self._extend(index + 1)
        return index, past / NODE_NS

    def _extend(self, index: int) -> None:
        while len(self._nodes) <= index:
            before = self._nodes[-1]
            after = self._node((self._first + len(self._nodes)) * NODE_NS)
            self._nodes.append(after)
            self._totals.append(self._totals[-1] + (before + after) / 2 * NODE_NS / _HOUR)
