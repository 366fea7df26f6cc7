"""Watches: one rule on one subject, and how its alert comes and goes.

Words are those of ISA-18.2 and IEC 62682: `for` is the on-delay, `keep_firing_for` the off-delay. A watch that hears
one device lives in that device's time: a backlog is judged as it happened, and its deadlines are moved by what the
device is behind. One that hears several, or only arrivals, lives in the time of the engine's clock.
"""

from collections.abc import Mapping
from math import inf
from typing import Any, Protocol

from devices.reading import Reading
from rules.alerts import Alert, Evidence, Phase, Subject, Transition
from rules.conditions.logic import RECALLED_MOST, Combined
from rules.conditions.node import Node
from rules.errors import RulesError
from rules.gate import Gate
from rules.hindsight import Hindsight, Truths
from rules.pace import Pace
from rules.rule import Rule
from rules.telling import QUIET, Paced, Telling

_STEPS: dict[tuple[Phase, str], Phase] = {
    ("idle", "true"): "pending",
    ("pending", "false"): "idle",
    ("pending", "expired"): "firing",
    ("firing", "false"): "clearing",
    ("clearing", "true"): "firing",
    ("clearing", "expired"): "idle",
}
"""From a phase, by what happens, to the next; whatever is not here changes nothing."""


class Clock(Protocol):
    """What a watch needs of the engine.

    Attributes:
        now: UTC ns.
        past: how many alerts came and went in the past of devices that were behind, and were never told.
        turned: watches whose truth may have changed with the reading that is judged, and the moment of that.
    """

    now: int
    past: int
    turned: "list[tuple[Watch, int]]"

    def schedule(self, watch: "Watch", due: float) -> None:
        """Has `wake` called when the engine's clock comes to `due`; inf: not at all."""

    def tell(self, transition: Transition) -> None:
        """Hands out a transition."""


class Watch:
    """One rule on one subject.

    Attributes:
        rule: what it says.
        subject: what it watches.
        clock: of the engine.
        order: its place among all watches, which decides who comes first where several are due at once.
        pace: of the one device that it hears; None where its time is the engine's.
        fingerprint: of all that its node was made from; a watch with the same one may go on from its state.
        phase: where it stands.
        since: when the condition came true, UTC ns.
        due: when it must be woken, by the engine's clock; inf where only values count.
        queued: when the engine will, which may be earlier.
    """

    __slots__ = (
        "_base", "_before", "_cause", "_combined", "_deadline", "_floor", "_gate", "_node", "_telling",
        "clock", "due", "fingerprint", "order", "pace", "phase", "queued", "rule", "since", "subject",
    )  # fmt: skip

    def __init__(self, rule: Rule, subject: Subject, node: Node, gate: Gate, clock: Clock, order: int) -> None:
        self.rule, self.subject, self.clock, self.order = rule, subject, clock, order
        self._node, self._gate = node, gate
        self._combined = node if isinstance(node, Combined) else None
        self.pace: Pace | None = None
        self.fingerprint = b""
        self.phase: Phase = "idle"
        self.since = 0
        self.due = self.queued = inf
        self._base = 0  # when the phase began, in the watch's time
        self._deadline: float = inf  # of the phase, likewise
        self._floor = 0  # up to here the condition is known to have been false, …
        self._before: Truths = ()  # … with these truths of its parts …
        self._cause = ""  # … and by readings of this device it then came true
        self._telling: Telling | None = None

    @property
    def lag(self) -> int:
        """Ns by which its time is behind the engine's clock."""
        return 0 if self.pace is None else self.pace.lag

    def blame(self, error: Exception) -> RulesError:
        """An error of this watch's node, as the engine raises it: judging cannot go on with a state half changed."""
        return RulesError(
            f"rule {self.rule.id}, {self.subject}: {type(error).__name__}: {error}; disable the rule", self.rule.id
        )

    # ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────

    def weigh(self, time: int) -> None:
        """A value of `time` may have changed the truth; the engine looks at it once the whole reading is taken."""
        self.clock.turned.append((self, time))

    def turn(self, time: int, pace: Pace, newest: int) -> None:
        """Looks at the truth after a reading.

        Args:
            time: of the value that may have changed it.
            pace: of the device that sent it.
            newest: time of its reading before, up to which the truth was as it was; 0 where there is none.
        """
        was_idle = self.phase == "idle"
        before = () if self._combined is None else self._combined.seen
        moment = time if self.pace is not None else max(time, self.clock.now)
        self._turn(moment, time, pace if pace.lag > 0 else None)
        if was_idle and self.phase != "idle":
            self._floor, self._before, self._cause = newest, before, pace.device
        cause = self._node.amendment()
        if cause and self._telling is not None:
            self._telling.amend(cause)
        self.plan()

    def settle(self, until: float, awaited: Pace | None) -> None:
        """Does what became due up to a moment of the watch's time, each at its own.

        Args:
            until: the last moment.
            awaited: the device that must catch up before an alert is told; None: there is none.
        """
        node, gate = self._node, self._gate
        while (due := min(self._deadline, gate.due, node.due or inf)) <= until:
            time = int(due)
            if node.due is not None and node.due <= time:
                node.advance(time)
                _check_due(node, time)
            gate.advance(time)
            if self._deadline <= time:
                self._enter(_STEPS[self.phase, "expired"], time, time, awaited)
            self._turn(time, time, awaited)
        self.plan()

    def follow(self, time: int, lag: int, awaited: Pace | None) -> None:
        """Its device tells of another time than the clock's: does what was due before that.

        Args:
            time: of its reading.
            lag: by which it was behind until now.
            awaited: see `settle`.
        """
        if time < self._gate.time:
            self._gate.move(time)
        if self.due - lag <= time:
            self.settle(time, awaited)
        else:
            self.plan()

    def wake(self) -> None:
        """The engine's clock has come to `due`."""
        now = self.clock.now
        self.settle(now - self.lag, None)
        telling = self._telling
        if telling is not None and telling.due <= now:
            telling.wake(now, is_firing=self.phase == "firing")
            self.plan()

    def resume(self, now: int) -> None:
        """Nothing could be heard up to here, by the engine's clock: silences begin anew."""
        self._node.resume(now)
        self.plan()

    def postpone(self, pace: Pace) -> bool:
        """A device has come up to here; whether an alert waits for it."""
        waits = self._telling is not None and self._telling.postpone(pace)
        self.plan()
        return waits

    def look_back(self, reading: Reading) -> None:
        """A reading that came too late: it disturbs nothing, and may show that the alert began earlier.

        Of a rule that hears several devices, only the one can show that whose reading made it true: between that and
        the reading before, nothing else in order is known of it.
        """
        leaves = (self._node,) if self._combined is None else self._combined.leaves
        if reading.device != self._cause or len(leaves) > RECALLED_MOST:
            return
        telling = self._tell_from_now_on()
        if telling.hindsight is None:
            telling.hindsight = Hindsight(self._floor, self.since, self._before)

        def recall(before: Truths) -> tuple[Truths, bool]:
            truths = list(before) or [None] * len(leaves)
            for point, value in reading.values.items():
                truths = [
                    leaf.recall(reading.device, point, value, truth) for leaf, truth in zip(leaves, truths, strict=True)
                ]
            whole = truths[0] if self._combined is None else self._combined.combine(iter(truths))
            return truths, whole is True and self._gate.was_open(reading.time)

        try:
            telling.hindsight.take(reading.time, recall, self.clock.now)
        except Exception as error:
            raise self.blame(error) from error
        self.plan()

    def _turn(self, moment: int, since: int, awaited: Pace | None) -> None:
        """Looks at the truth and takes the step that follows from it."""
        if self._combined is not None:
            self._combined.look()
        truth = self._node.truth if self._gate.open else False
        if truth is None:
            return  # what cannot be said neither raises an alert nor ends one
        phase = _STEPS.get((self.phase, "true" if truth else "false"))
        if phase is not None:
            self._enter(phase, moment, since, awaited)

    def _enter(self, phase: Phase, moment: int, since: int, awaited: Pace | None) -> None:
        before, self.phase, self._base = self.phase, phase, moment
        telling = self._telling
        match phase:
            case "pending":
                self.since = self._floor = since
                if telling is not None:
                    telling.begin()
            case "firing":
                self._tell_from_now_on().fire(awaited)
            case "idle" if telling is not None:
                telling.calm(was_firing=before == "clearing")
        self._deadline = self._find_deadline()
        if self._deadline <= moment:
            self._enter(_STEPS[phase, "expired"], moment, since, awaited)

    def _tell_from_now_on(self) -> Telling:
        """Its telling, which most watches never need."""
        if self._telling is None:
            self._telling = Telling(self)
        return self._telling

    def _find_deadline(self) -> float:
        match self.phase:
            case "pending":
                return self._base + (self.rule.for_ or 0)
            case "clearing":
                chatters = self._telling is not None and self._telling.times
                return self._base + max(self.rule.keep_firing_for or 0, QUIET if chatters else 0)
        return inf

    def plan(self) -> None:
        """Has itself woken when it is due."""
        due = min(self._deadline, self._gate.due, self._node.due or inf) + self.lag
        self.due = due if self._telling is None else min(due, self._telling.due)
        if self.due < self.queued:
            self.clock.schedule(self, self.due)

    # ── looking at it ────────────────────────────────────────────────────────────────────────────────────────────

    def evidence(self) -> Evidence:
        """What its node shows."""
        return self._node.evidence()

    def alert(self) -> Alert | None:
        """How it stands; None where there is nothing."""
        if self.phase == "idle":
            return None
        opened, evidence = None, self.evidence()
        if self._telling is not None:
            opened = self._telling.opened if self._telling.is_open else None
            evidence = self._telling.complete(evidence)
        return Alert(self.rule.id, self.subject, self.phase, self.since, opened, self.rule.severity, evidence)

    # ── state ────────────────────────────────────────────────────────────────────────────────────────────────────

    def snapshot(self) -> list[Any]:
        """Its state, in plain values; short while it is idle and has told nothing."""
        gate = self._gate
        state = [self._node.snapshot(), None if gate.due == inf else [gate.time, gate.open]]
        if self.phase == "idle" and self._telling is None:
            return state
        return [
            *state, self.phase, self.since, self._base, self._floor, self._cause, list(self._before),
            self._telling and self._telling.snapshot(),
        ]  # fmt: skip

    def restore(self, state: list[Any], plans: Mapping[str, Paced]) -> None:
        """Goes on from a snapshot of a watch with the same fingerprint; `for` and calendars may have changed.

        Args:
            state: from `snapshot`.
            plans: by device, with their paces.
        """
        node, gate, *rest = state
        self._node.restore(node)
        position = self.clock.now - self.lag
        time, was_open = gate or (position, True)
        self._gate.move(time)
        if rest:
            self.phase, self.since, self._base, self._floor, *course, telling = rest
            self._cause, self._before = course or ("", ())  # snapshots of before have none
            if telling is not None:
                self._telling = Telling(self)
                self._telling.restore(telling, plans)
            self._deadline = self._find_deadline()
        if self._gate.open != was_open:  # by another calendar
            self._turn(position, position, None)
        self.plan()


def end_of(rule: str, subject: Subject, state: list[Any], now: int, cause: str) -> Transition | None:
    """The end of an alert whose watch is gone.

    Args:
        rule: id.
        subject: of the watch.
        state: from the watch's `snapshot`.
        now: the engine's clock.
        cause: why the watch is gone.

    Returns:
        None where no alert was open.
    """
    _, _, *rest = state
    if not rest or rest[-1] is None:
        return None
    since, (opened, serial, is_open, severity, *_) = rest[1], rest[-1]
    if not is_open:
        return None
    return Transition("resolved", rule, subject, opened, serial, now, since, severity, cause=cause)


def _check_due(node: Node, time: int) -> None:
    if node.due is not None and node.due <= time:
        raise ValueError(f"its node is due at {node.due} again, and it is {time} already")
