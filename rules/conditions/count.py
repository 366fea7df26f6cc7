"""`count`: something that happens so often within so long."""

from bisect import insort
from collections.abc import Callable
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from devices.durations import NANOSECONDS, write_duration
from devices.reading import Reading, Value
from devices.register import Duration, Text
from rules.alerts import Evidence
from rules.conditions.momentary import shorten
from rules.conditions.node import Condition, Node, Scope
from rules.happening import Happening, Onsets, Per, describe_key, find_key
from rules.recent import Recent

KEYS_MOST = 1000
"""How many keys of one subject are remembered; of more, the one that was not heard of for longest is forgotten."""


class Count(Happening, Condition):
    """An event that happens so often within so long, or a value that so often passes a bound.

    True until fewer of them lie within the window.
    """

    summary: ClassVar[str] = "something that happens so often within so long"

    at_least: int = Field(ge=1, le=1000, description="How often.")
    within: Duration = Field(description="The window.")
    per: Per | None = Field(
        None, description="What is counted for each by itself; left out: everything of the rule's subject together."
    )

    @model_validator(mode="after")
    def _check_per(self) -> Self:
        if self.per == "credential" and self.event is None:
            raise ValueError("per: only events have a credential, and `point` counts values")
        return self

    def build(self, scope: Scope) -> Node:
        """A node that remembers the latest times of each key."""
        node = _Count(self, find_key(self.per, scope))
        node.onsets = self.follow(scope, node.tell)
        return node

    def describe(self) -> Text:
        """See the base."""
        what, key, within = super().describe(), describe_key(self.per), write_duration(self.within)
        often = f"at least {self.at_least} times" if self.at_least > 1 else "at least once"
        return Text(
            en=f"{what.en} {often} within {within}{f', {key.en}' if key.en else ''}",
            zh=f"{key.zh}在 {within} 内发生“{what.zh}”至少 {self.at_least} 次",
        )


class _Count(Node):
    """Of each key, the latest times at which it happened, as many as matter."""

    __slots__ = ("_at_least", "_hot", "_key", "_latest", "_per", "_recent", "_what", "_within", "onsets")

    onsets: Onsets
    """What it counts; set once it listens."""

    def __init__(self, condition: Count, key: Callable[[Reading], str]) -> None:
        super().__init__()
        self.truth = False
        self._at_least, self._within = condition.at_least, condition.within
        self._per, self._key = condition.per, key
        self._what = "event" if condition.event is not None else condition.point
        self._recent: Recent[str, tuple[int, list[int]]] = Recent(KEYS_MOST)  # how often since it was quiet; times
        self._hot: dict[str, int] = {}  # key: until when it is true
        self._latest: list[Any] = ["", "", 0]  # key that became hot or stayed so last: its device, name, how often

    def tell(self, reading: Reading) -> bool:
        """See `Tell`."""
        key = self._key(reading)
        if not key:
            return False
        time = reading.time
        self._recent.forget(time - self._within - 1)
        known = self._recent.get(key)
        often, times = known[1] if known is not None and time - known[0] <= self._within else (0, [])
        insort(times, time)  # devices have clocks of their own
        if len(times) > self._at_least:
            del times[0]
        often += 1
        self._recent.put(key, times[-1], (often, times))
        if len(times) < self._at_least or times[-1] - times[0] > self._within:
            return False
        self._latest = [reading.device, key, often]
        self._hot[key] = times[0] + self._within + 1
        if len(self._hot) > KEYS_MOST:
            del self._hot[next(iter(self._hot))]
        truth, due = self.truth, self.due
        self.truth, self.due = True, min(self._hot.values())
        return not truth or due is None or self.due < due

    def advance(self, time: int) -> None:
        """See the base: some are quiet again."""
        self._hot = {key: until for key, until in self._hot.items() if until > time}
        self.truth, self.due = bool(self._hot), min(self._hot.values(), default=None)

    def evidence(self) -> Evidence:
        """How often it happened since it was quiet, and to whom."""
        device, key, often = self._latest
        details: dict[str, Value] = {"within_s": self._within / NANOSECONDS["s"]}
        if self._per == "credential" and key:
            details["credential"] = shorten(key)
        elif self._per is not None and key:
            details[self._per] = key
        if len(self._hot) > 1:
            details["others"] = float(len(self._hot) - 1)
        return Evidence(device, self._what, float(often), float(self._at_least), "", details)

    def snapshot(self) -> list[Any]:
        """See the base."""
        recent = [[key, time, [often, list(times)]] for key, time, (often, times) in self._recent.snapshot()]
        return [self.truth, self.due, recent, dict(self._hot), list(self._latest), self.onsets.snapshot()]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        self.truth, self.due, recent, hot, latest, onsets = state
        self._recent.restore([[key, time, (often, list(times))] for key, time, (often, times) in recent])
        self._hot, self._latest = dict(hot), list(latest)
        self.onsets.restore(onsets)
