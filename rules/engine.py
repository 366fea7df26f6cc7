"""The engine: readings in, transitions of alerts out. No I/O and no clock: time is what readings and `advance` say.

The engine's clock goes by arrivals (`Reading.received`) and by `advance`, and never back. What is due happens at its
own moment whenever the clock passes it, so that it makes no difference how often `advance` is called. A reading is
taken whole before any rule looks at it. Where a rule's node fails, the engine says which one and stops: a state that is
half changed must not be judged from, nor saved.
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from math import inf
from typing import Any

from devices.reading import Reading
from rules.alerts import Alert, Subject, Transition
from rules.errors import RulesError, SnapshotError
from rules.pace import STALE, Pace
from rules.plans import ArrivalListener, Listener, Plan, Wiring
from rules.rule import Rule
from rules.site import Site
from rules.watch import Watch, end_of

VERSION = 2
"""Of snapshots, with all that is in them. Whoever changes a shape counts on, so that none is misread."""

_NONE: list[Transition] = []


class Engine:
    """All rules of a site, on all their subjects.

    Attributes:
        now: the engine's clock, UTC ns.
        late: how many readings came too late to be judged.
        past: how many alerts came and went in the past of devices that were behind, and were never told.
        turned: see `rules.watch.Clock`.
    """

    def __init__(self, rules: Sequence[Rule], site: Site, now: int) -> None:
        """Compiles the rules.

        Args:
            rules: each with an id of its own.
            site: what they are about.
            now: where the clock begins, UTC ns.
        """
        self.now = now
        self.late = self.past = 0
        self.turned: list[tuple[Watch, int]] = []
        self._told: list[Transition] = []
        self._build(rules, site)

    def _build(self, rules: Sequence[Rule], site: Site) -> None:
        self._rules, self._site = rules, site
        self._heap: list[tuple[float, int, Watch]] = []
        self._wiring = Wiring(rules, site, self)
        self._plans = self._wiring.plans

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def schedule(self, watch: Watch, due: float) -> None:
        """See `rules.watch.Clock`."""
        watch.queued = due
        heappush(self._heap, (due, watch.order, watch))

    def tell(self, transition: Transition) -> None:
        """See `rules.watch.Clock`."""
        self._told.append(transition)

    def advance(self, now: int) -> list[Transition]:
        """Time has passed: does what became due, and returns what is to be told. A time in the past changes nothing.

        Whatever arrived before must have been evaluated: a reading that arrived and waits may prevent an alert.

        Raises:
            RulesError: a rule cannot be judged.
        """
        self._run(max(self.now, now))
        return self._take_told()

    def resume(self, now: int) -> None:
        """Nothing could be heard up to now, for reasons of our own: silences begin anew, those that were told go on."""
        for watch in dict.fromkeys(watch for plan in self._plans.values() for _, watch in plan.arrivals):
            watch.resume(max(self.now, now))

    def _run(self, now: int) -> None:
        heap = self._heap
        while heap and heap[0][0] <= now:
            due, _, watch = heappop(heap)
            if watch.queued != due:
                continue  # queued again for an earlier time since
            watch.queued = inf
            self.now = max(self.now, int(due))
            if watch.due <= due:
                try:
                    watch.wake()
                except Exception as error:
                    raise watch.blame(error) from error
            if watch.due < watch.queued:
                self.schedule(watch, watch.due)
        self.now = now

    def _take_told(self) -> list[Transition]:
        if not self._told:
            return _NONE
        told, self._told = self._told, []
        return told

    # ── readings ─────────────────────────────────────────────────────────────────────────────────────────────────

    def evaluate(self, reading: Reading) -> list[Transition]:
        """Judges one reading, in the order of the journal, and returns what is to be told; most often nothing.

        Raises:
            RulesError: a rule cannot be judged.
        """
        now = reading.received
        if now < self.now:  # noqa: PLR1730 - every reading comes through here
            now = self.now
        heap = self._heap
        if heap and heap[0][0] <= now:
            self._run(now)
        self.now = now
        plan = self._plans.get(reading.device)
        if plan is not None:
            newest = plan.pace.newest
            if reading.late:
                self.late += 1
                self._look_back(plan, reading)
            else:
                self._judge(plan, reading)
            if self.turned:
                self._turn(plan.pace, newest)
        return self._take_told() if self._told else _NONE

    def _judge(self, plan: Plan, reading: Reading) -> None:
        pace, time = plan.pace, reading.time
        if time > pace.newest:
            pace.newest, pace.values = time, reading.values
        else:
            reading = pace.join(reading)
            time = pace.newest
        lag = reading.received - time
        if pace.lag or not 0 <= lag <= STALE:
            self._follow(plan, time, lag)
        find = reading.values.get
        # By index: unpacking would touch every watch, which most often lies far away in memory and is not needed.
        listener: Listener | ArrivalListener | None = None
        try:
            for listener in plan.listeners:
                value = find(listener[0])
                if value is not None and listener[1](value, reading) and listener[2] is not None:
                    listener[2].weigh(time)
            for listener in plan.arrivals:
                if listener[0](reading):
                    listener[1].weigh(reading.received - listener[1].lag)
        except RulesError:
            raise
        except Exception as error:
            raise _blame(listener and listener[-1], reading, error) from error

    def _follow(self, plan: Plan, time: int, lag: int) -> None:
        """The device tells of another time than the clock's, or did: brings its watches to the moment before."""
        pace = plan.pace
        before, pace.lag = pace.lag, lag if abs(lag) > STALE else 0
        for watch in plan.watches:
            try:
                watch.follow(time, before, pace if before > 0 else None)
            except Exception as error:
                raise watch.blame(error) from error
        if pace.waiting:
            pace.waiting = tuple(watch for watch in pace.waiting if watch.postpone(pace))

    def _turn(self, pace: Pace, newest: int) -> None:
        """Looks at the rules that the reading may have changed."""
        turned, self.turned = self.turned, []
        for watch, time in turned:
            try:
                watch.turn(time, pace, newest)
            except Exception as error:
                raise watch.blame(error) from error

    def _look_back(self, plan: Plan, reading: Reading) -> None:
        """A reading that came too late: it disturbs nothing, and may show that an alert began earlier."""
        watches = [watch for point, _, watch in plan.listeners if point in reading.values and watch is not None]
        for watch in dict.fromkeys(watches):
            if watch.phase != "idle":
                watch.look_back(reading)
        for take_arrival, watch in plan.arrivals:
            try:
                if take_arrival(reading):
                    watch.weigh(reading.received - watch.lag)
            except Exception as error:
                raise watch.blame(error) from error

    # ── state ────────────────────────────────────────────────────────────────────────────────────────────────────

    def alerts(self) -> list[Alert]:
        """All that are pending, firing or clearing."""
        return [alert for watch in self._wiring.watches.values() if (alert := watch.alert()) is not None]

    def snapshot(self) -> dict[str, Any]:
        """The state of everything, in plain values that msgspec can write; that of each subject stands by itself."""
        wiring = self._wiring
        rules: dict[str, list[list[Any]]] = {rule: [] for rule in wiring.conditions}
        for (rule, subject), watch in wiring.watches.items():
            rules[rule].append([subject.kind, subject.id, watch.fingerprint, *watch.snapshot()])
        return {
            "version": VERSION,
            "now": self.now,
            "late": self.late,
            "past": self.past,
            "paces": {device: plan.pace.snapshot() for device, plan in wiring.plans.items() if plan.pace.newest},
            "sources": [[key, source.snapshot()] for key, source in wiring.sources.items()],
            "conditions": dict(wiring.conditions),
            "rules": rules,
        }

    def restore(self, state: dict[str, Any]) -> list[Transition]:
        """Goes on from a snapshot, of these rules or of former ones.

        Returns:
            The ends of alerts whose rules or devices are gone or have changed since.

        Raises:
            SnapshotError: this version cannot read it.
        """
        version = state.get("version")
        if version != VERSION:
            raise SnapshotError(
                f"the rules' snapshot is of version {version}, and expected is {VERSION}: delete it, and the rules"
                " begin anew, or run the version of Siteward that wrote it"
            )
        try:
            if state["now"] != self.now:
                self.now = state["now"]
                self._build(self._rules, self._site)  # what is new begins at the snapshot's time
            self._resume(state)
        except SnapshotError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise SnapshotError(
                f"the rules' snapshot is damaged ({type(error).__name__}: {error}): delete it, and the rules begin anew"
            ) from error
        return self._take_told()

    def use(self, rules: Sequence[Rule], site: Site) -> list[Transition]:
        """Takes over changed rules or another register; what has not changed goes on.

        Returns:
            The ends of alerts whose rules or devices are gone or have changed.
        """
        state = self.snapshot()
        self._build(rules, site)
        self._resume(state)
        return self._take_told()

    def _resume(self, state: dict[str, Any]) -> None:
        wiring = self._wiring
        self.late, self.past = state["late"], state["past"]
        for device, pace in state["paces"].items():
            if device in wiring.plans:
                wiring.plans[device].pace.restore(pace)
        for key, source in state["sources"]:
            if tuple(key) in wiring.sources:
                wiring.sources[tuple(key)].restore(source)
        for rule, entries in state["rules"].items():
            changed = wiring.conditions.get(rule) != state["conditions"][rule]
            cause = "rule removed" if rule not in wiring.conditions else "rule changed" if changed else ""
            for kind, name, fingerprint, *watch_state in entries:
                self._resume_watch(rule, Subject(kind, name), fingerprint, watch_state, cause)

    def _resume_watch(self, rule: str, subject: Subject, fingerprint: bytes, state: list[Any], cause: str) -> None:
        watch = self._wiring.watches.get((rule, subject))
        if watch is None or watch.fingerprint != fingerprint:
            cause = cause or ("device removed" if watch is None else "device changed")
            end = end_of(rule, subject, state, self.now, cause)
            if end is not None:
                self._told.append(end)
            return
        try:
            watch.restore(state, self._plans)
        except Exception as error:
            raise SnapshotError(
                f"the rules' snapshot, rule {rule}, {subject}: {type(error).__name__}: {error}; delete the snapshot,"
                " and the rules begin anew"
            ) from error


def _blame(watch: Watch | None, reading: Reading, error: Exception) -> RulesError:
    if watch is not None:
        return watch.blame(error)
    return RulesError(f"readings of device {reading.device}: {type(error).__name__}: {error}")
