"""The engine: readings in, transitions of alerts out. No I/O and no clock: time is what readings and `advance` say.

The engine's clock goes by arrivals (`Reading.received`) and by `advance`, and never back. What is due happens at its
own moment whenever the clock passes it, so that it makes no difference how often `advance` is called.
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from math import inf
from typing import Any

from devices.durations import NANOSECONDS
from devices.reading import Reading
from rules.alerts import Alert, Transition
from rules.plans import Plan, Wiring
from rules.rule import Rule
from rules.site import Site
from rules.watch import Watch

STALE = 5 * NANOSECONDS["s"]
"""A reading that arrives later than so long after its time is judged in its own time; see rules/watch.py."""

_NONE: list[Transition] = []


class Engine:
    """All rules of a site, on all their subjects.

    Attributes:
        now: the engine's clock, UTC ns.
    """

    def __init__(self, rules: Sequence[Rule], site: Site, now: int) -> None:
        """Compiles the rules.

        Args:
            rules: each with an id of its own.
            site: what they are about.
            now: where the clock begins, UTC ns.
        """
        self.now = now
        self._told: list[Transition] = []
        self._heap: list[tuple[float, int, Watch]] = []
        self._wiring = Wiring(rules, site, self)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def schedule(self, watch: Watch, due: float) -> None:
        """See `rules.watch.Clock`."""
        watch.queued = due
        heappush(self._heap, (due, watch.order, watch))

    def tell(self, transition: Transition) -> None:
        """See `rules.watch.Clock`."""
        self._told.append(transition)

    def advance(self, now: int) -> list[Transition]:
        """Time has passed: does what became due, and returns what is to be told. A time in the past changes nothing."""
        self._run(now)
        return self._take_told()

    def _run(self, now: int) -> None:
        heap = self._heap
        while heap and heap[0][0] <= now:
            due, _, watch = heappop(heap)
            if watch.queued != due:
                continue  # queued again for an earlier time since
            watch.queued = inf
            self.now = max(self.now, int(due))
            if watch.due <= due:
                watch.wake()
            if watch.due < watch.queued:
                self.schedule(watch, watch.due)
        self.now = max(self.now, now)

    def _take_told(self) -> list[Transition]:
        if not self._told:
            return _NONE
        told, self._told = self._told, []
        return told

    # ── readings ─────────────────────────────────────────────────────────────────────────────────────────────────

    def evaluate(self, reading: Reading) -> list[Transition]:
        """Judges one reading, in the order of the journal, and returns what is to be told; most often nothing."""
        received = reading.received
        if received > self.now:
            if self._heap and self._heap[0][0] <= received:
                self._run(received)
            self.now = received
        plan = self._wiring.plans.get(reading.device)
        if plan is None:
            return self._take_told() if self._told else _NONE
        for take_arrival, watch in plan.arrivals:
            if take_arrival(reading):
                watch.weigh(received)
        if reading.late:
            self._recall(plan, reading)
        else:
            self._judge(plan, reading)
        return self._take_told() if self._told else _NONE

    def _judge(self, plan: Plan, reading: Reading) -> None:
        lag = self.now - reading.time
        if lag > STALE or plan.lag:
            self._catch_up(plan, reading.time, lag if lag > STALE else 0)
        listeners, sources = plan.listeners, plan.sources
        for point, value in reading.values.items():
            if sources:
                for source in sources.get(point, ()):
                    source.take(value, reading)
            for take, watch in listeners.get(point, ()):
                if take(value, reading):
                    watch.weigh(reading.time)

    def _catch_up(self, plan: Plan, time: int, lag: int) -> None:
        """The device is behind, or was: brings its watches to the moment before this reading."""
        catching_up = lag < plan.lag
        plan.lag = lag
        for watch in plan.watches:
            watch.lag = lag
            watch.settle(time - 1, told=lag == 0)
            if catching_up:
                watch.postpone()

    def _recall(self, plan: Plan, reading: Reading) -> None:
        """A reading that came too late: it disturbs nothing, and may show that an open alert began earlier."""

    # ── state ────────────────────────────────────────────────────────────────────────────────────────────────────

    def alerts(self) -> list[Alert]:
        """All that are pending, firing or clearing."""
        return [alert for watch in self._wiring.watches.values() if (alert := watch.alert()) is not None]

    def snapshot(self) -> dict[str, Any]:
        """The state of everything, in plain values that msgspec can write."""
        raise NotImplementedError

    def restore(self, state: dict[str, Any]) -> list[Transition]:
        """Goes on from a snapshot, of these rules or of former ones."""
        raise NotImplementedError

    def use(self, rules: Sequence[Rule], site: Site) -> list[Transition]:
        """Takes over changed rules or another register; what has not changed goes on."""
        raise NotImplementedError
