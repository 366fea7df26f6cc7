"""Watches: one rule on one subject, and how its alert comes and goes.

Words are those of ISA-18.2 and IEC 62682: `for` is the on-delay, `keep_firing_for` the off-delay. Times are the
devices' own: a backlog is judged as it happened, and told only once the device has caught up, so that nobody is called
about what is over. `lag` is how far the device's readings are behind the engine's clock; deadlines are moved by as much.
"""

from math import inf
from typing import Any, Protocol

from devices.durations import NANOSECONDS
from rules.alerts import Alert, Evidence, Phase, Subject, Transition, TransitionKind
from rules.conditions.logic import Combined
from rules.conditions.node import Node
from rules.gate import Gate
from rules.rule import Rule

SETTLE = 10 * NANOSECONDS["s"]
"""How long a device that is catching up must give nothing more before its alerts are told."""

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
    """What a watch needs of the engine."""

    now: int

    def schedule(self, watch: "Watch", due: float) -> None:
        """Has `wake` called when the engine's clock comes to `due`; inf: not at all."""

    def tell(self, transition: Transition) -> None:
        """Hands out a transition."""


class Watch:
    """One rule on one subject.

    Attributes:
        rule: what it says; another with the same condition may take its place.
        subject: what it watches.
        order: its place among all watches, which decides who comes first where several are due at once.
        lag: ns by which its device's readings are behind the engine's clock.
        due: when it must be woken, by the engine's clock; inf where only values count.
        queued: when the engine will, which may be earlier.
    """

    __slots__ = (
        "_announce", "_clock", "_combined", "_deadline", "_gate", "_node", "_opened", "_phase", "_serial", "_since",
        "due", "lag", "order", "queued", "rule", "subject",
    )  # fmt: skip

    def __init__(self, rule: Rule, subject: Subject, node: Node, gate: Gate, clock: Clock, order: int) -> None:
        self.rule, self.subject, self.order = rule, subject, order
        self._node, self._gate, self._clock = node, gate, clock
        self._combined = node if isinstance(node, Combined) else None
        self.lag = 0
        self.due = self.queued = inf
        self._phase: Phase = "idle"
        self._since = 0
        self._deadline: float = inf  # of the phase, in the devices' time
        self._opened: int | None = None
        self._serial = 0
        self._announce: float = inf  # by the engine's clock

    # ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────

    def weigh(self, time: int) -> None:
        """A value of `time` may have changed the truth."""
        self._turn(time, told=self.lag == 0)
        self._plan()

    def settle(self, until: float, *, told: bool) -> None:
        """Does what became due up to a moment of the devices' time, each at its own.

        Args:
            until: the last moment.
            told: whether an alert may be told at once: the devices have nothing more to say about that time.
        """
        while (due := min(self._deadline, self._gate.due, self._node.due or inf)) <= until:
            time = int(due)
            if self._node.due is not None and self._node.due <= time:
                self._node.advance(time)
            self._gate.advance(time)
            if self._deadline <= time:
                self._enter(_STEPS[self._phase, "expired"], time, told=told)
            self._turn(time, told=told)
        self._plan()

    def wake(self) -> None:
        """The engine's clock has come to `due`."""
        now = self._clock.now
        self.settle(now - self.lag, told=True)
        if self._announce <= now:
            self._announce = inf
            self._tell_fired()
            self._plan()

    def _turn(self, time: int, *, told: bool) -> None:
        """Looks at the truth and takes the step that follows from it."""
        if self._combined is not None:
            self._combined.weigh()
        truth = self._node.truth and self._gate.open
        if truth is None:
            return  # what cannot be said neither raises an alert nor ends one
        phase = _STEPS.get((self._phase, "true" if truth else "false"))
        if phase is not None:
            self._enter(phase, time, told=told)

    def _enter(self, phase: Phase, time: int, *, told: bool) -> None:
        before, self._phase, self._deadline = self._phase, phase, inf
        match phase:
            case "pending":
                self._since = time
                self._deadline = time + (self.rule.for_ or 0)
            case "clearing":
                self._deadline = time + (self.rule.keep_firing_for or 0)
            case "firing" if before == "pending" and told:
                self._tell_fired()
            case "firing" if before == "pending":
                self._announce = self._clock.now + SETTLE
            case "idle" if self._opened is not None:
                self._tell("resolved")
                self._opened = None
        if phase == "idle":
            self._announce = inf
        if self._deadline <= time:
            self._enter(_STEPS[phase, "expired"], time, told=told)

    def _plan(self) -> None:
        due = min(self._deadline, self._gate.due, self._node.due or inf) + self.lag
        self.due = min(due, self._announce)
        if self.due < self.queued:
            self._clock.schedule(self, self.due)

    # ── telling ──────────────────────────────────────────────────────────────────────────────────────────────────

    def postpone(self) -> None:
        """The device is still catching up: what it says may be over in a moment."""
        if self._announce != inf:
            self._announce = self._clock.now + SETTLE
            self._plan()

    def _tell_fired(self) -> None:
        self._opened, self._serial = self._clock.now, 0
        self._tell("fired")

    def _tell(self, kind: TransitionKind, cause: str = "") -> None:
        if self._opened is None:
            return
        self._clock.tell(
            Transition(
                kind,
                self.rule.id,
                self.subject,
                self._opened,
                self._serial,
                self._clock.now,
                self._since,
                self.rule.severity,
                self._node.evidence(),
                cause,
            )
        )
        self._serial += 1

    def end(self, cause: str) -> None:
        """The rule or the subject goes: an alert that was told is over."""
        if self._opened is not None:
            self._tell("resolved", cause)
        self._phase, self._opened, self._deadline, self._announce = "idle", None, inf, inf

    # ── looking at it ────────────────────────────────────────────────────────────────────────────────────────────

    def alert(self) -> Alert | None:
        """How it stands; None where there is nothing."""
        if self._phase == "idle":
            return None
        evidence: Evidence = self._node.evidence()
        return Alert(self.rule.id, self.subject, self._phase, self._since, self._opened, self.rule.severity, evidence)

    def snapshot(self) -> list[Any]:
        """Its state, in plain values."""
        deadline = None if self._deadline == inf else int(self._deadline)
        announce = None if self._announce == inf else int(self._announce)
        return [
            self._phase, self._since, deadline, self._opened, self._serial, announce, self.lag, self._node.snapshot(),
        ]  # fmt: skip

    def restore(self, state: list[Any]) -> None:
        """Goes on from a snapshot of a watch of the same condition on the same subject."""
        self._phase, self._since, deadline, self._opened, self._serial, announce, self.lag, node = state
        self._deadline = inf if deadline is None else deadline
        self._announce = inf if announce is None else announce
        self._node.restore(node)
        self._plan()
