"""`sequence`: several things that happen one after the other within so long."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from devices.durations import NANOSECONDS, write_duration
from devices.reading import Reading, Value
from devices.register import Device, Duration, Text
from rules.alerts import Evidence
from rules.conditions.momentary import Lasting, shorten
from rules.conditions.node import Condition, Node, Scope
from rules.happening import Happening, Onsets, Per, describe_key, find_key
from rules.recent import Recent

KEYS_MOST = 1000
"""How many keys of one subject are remembered; of more, the one that was not heard of for longest is forgotten."""

_HOLD = 5 * NANOSECONDS["m"]


class Sequence(Condition):
    """Several things that happen one after the other within so long; what else happens between them does not matter."""

    summary: ClassVar[str] = "several things that happen one after the other within so long"

    steps: list[Happening] = Field(min_length=2, max_length=8, description="What happens, in this order.")
    within: Duration = Field(description="How long it may take from the first to the last.")
    per: Per | None = Field(
        None, description="What all steps have in common; left out: only that they are of the rule's subject."
    )
    hold: Duration = Field(_HOLD, description="How long it stays true after the last step.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.per == "credential" and any(step.event is None for step in self.steps):
            raise ValueError("per: only events have a credential, and a step with `point` has none")
        return self

    def fits(self, device: Device) -> str:
        """A rating that is missing."""
        return next(filter(None, (step.fits(device) for step in self.steps)), "")

    def build(self, scope: Scope) -> Node:
        """A node that remembers how far each key has come."""
        node = _Sequence(self, find_key(self.per, scope))
        count = len(self.steps)
        # the last step listens first, so that one event does not take two equal steps at once
        node.onsets = [self.steps[index].follow(scope, partial(node.tell, index)) for index in reversed(range(count))]
        return node

    def describe(self) -> Text:
        """See the base."""
        steps = [step.describe() for step in self.steps]
        key, within = describe_key(self.per), write_duration(self.within)
        return Text(
            en=f"{', then '.join(step.en for step in steps)}, within {within}{f', {key.en}' if key.en else ''}",
            zh=f"{key.zh}在 {within} 内先后发生：{'；'.join(step.zh for step in steps)}",
        )


class _Sequence(Lasting):
    """Of each key: for each step but the last, the latest first step from which it was reached, and when it was.

    The latest first step is enough: whatever an earlier one can still complete within the time, this one can, too.
    """

    __slots__ = ("_key", "_last", "_per", "_recent", "_within", "onsets")

    def __init__(self, condition: Sequence, key: Callable[[Reading], str]) -> None:
        super().__init__(condition.hold)
        self._last, self._within = len(condition.steps) - 1, condition.within
        self._per, self._key = condition.per, key
        self._recent: Recent[str, list[list[int]]] = Recent(KEYS_MOST)  # by step: [first, reached], [] where not yet
        self.onsets: list[Onsets] = []

    def tell(self, index: int, reading: Reading) -> bool:
        """A step happened; True where the tree must be weighed."""
        key = self._key(reading)
        if not key:
            return False
        time = reading.time
        self._recent.forget(time - self._within - 1)
        known = self._recent.get(key)
        if known is None and index:
            return False
        steps = known[1] if known is not None else [[] for _ in range(self._last)]
        first = time if index == 0 else self._find_first(steps[index - 1], time)
        if first is None:
            return False
        if index == self._last:
            return self._complete(key, first, reading)
        if not steps[index] or first >= steps[index][0]:
            steps[index] = [first, time]
        self._recent.put(key, time if known is None else max(time, known[0]), steps)
        return False

    def _find_first(self, before: list[int], time: int) -> int | None:
        """From when a step may count that follows another; None where it does not follow in time."""
        if not before or before[1] > time or time - before[0] > self._within:
            return None
        return before[0]

    def _complete(self, key: str, first: int, reading: Reading) -> bool:
        self._recent.drop(key)
        took_s, within_s = (reading.time - first) / NANOSECONDS["s"], self._within / NANOSECONDS["s"]
        details: dict[str, Value] = {"steps": float(self._last + 1)}
        if self._per == "credential":
            details["credential"] = shorten(key)
        elif self._per is not None:
            details[self._per] = key
        return self.show(reading.time, Evidence(reading.device, "sequence", took_s, within_s, "s", details))

    def snapshot(self) -> list[Any]:
        """See the base."""
        recent = [[key, time, [list(step) for step in steps]] for key, time, steps in self._recent.snapshot()]
        return [super().snapshot(), recent, [onsets.snapshot() for onsets in self.onsets]]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        lasting, recent, onsets = state
        super().restore(lasting)
        self._recent.restore([[key, time, [list(step) for step in steps]] for key, time, steps in recent])
        for each, part in zip(self.onsets, onsets, strict=True):
            each.restore(part)
