"""Tellings: what the desk is told of one watch's alerts, and when.

An alert of a device that is behind is told once the device has caught up, or has come no closer for a while: a device
that always reports an hour late is told, and one that empties its memory is not told of what is over. An alert that
comes again and again (chattering, in ISA-18.2's word) becomes one, which is over when it has been quiet for long.
"""

from math import inf
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

from devices.durations import NANOSECONDS
from rules.alerts import Evidence, Transition, TransitionKind
from rules.hindsight import Hindsight
from rules.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rules.watch import Watch

CHATTER_TIMES = 3
"""An alert that is told so often …"""

CHATTER_WITHIN = 1 * NANOSECONDS["h"]
"""… within so long is chattering, …"""

QUIET = 30 * NANOSECONDS["m"]
"""… and is over when its condition has been false for so long, or for the rule's off-delay where that is longer."""

_CLOSER = 0.9
"""A device that is behind by no more than this share of what it was is catching up."""


class Paced(Protocol):
    """What has the pace of a device."""

    @property
    def pace(self) -> Pace:
        """Of the device."""


class Telling:
    """What the desk was told and will be told of one watch.

    Attributes:
        opened: when the newest alert was told, UTC ns; None where none ever was.
        is_open: whether that one is not over.
        times: how often the condition has come while it chatters; 0 where it does not.
        hindsight: what late readings show of the alert that is there; None where none came.
    """

    __slots__ = (
        "_announce", "_awaited", "_fired", "_is_latest", "_lag", "_serial", "_watch",
        "hindsight", "is_open", "opened", "times",
    )  # fmt: skip

    def __init__(self, watch: "Watch") -> None:
        self._watch = watch
        self.opened: int | None = None
        self.is_open = False
        self.times = 0
        self.hindsight: Hindsight | None = None
        self._serial = 0
        self._is_latest = False  # whether the condition's latest coming is the one that was told
        self._fired: tuple[int, ...] = ()  # when alerts were told lately
        self._announce: int | None = None  # when an alert that waits is told, by the engine's clock
        self._awaited: Pace | None = None  # whose catching up it waits for
        self._lag = 0  # by how much that one was behind when it last came closer

    @property
    def due(self) -> float:
        """When `wake` must be called, by the engine's clock; inf: not at all."""
        announce = inf if self._announce is None else self._announce
        hindsight = self.hindsight
        if hindsight is None or hindsight.due is None or not self.is_open:
            return announce
        return min(announce, hindsight.due)

    # ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self) -> None:
        """The condition has come true."""
        self._is_latest = False

    def fire(self, awaited: Pace | None) -> None:
        """It has been true for long enough, or is true again.

        Args:
            awaited: the device that must catch up first; None: there is none.
        """
        if self.is_open:
            self.times += 1 if self.times else 0
        elif awaited is not None:
            self._wait(awaited)
        elif self._announce is None:
            self._tell_fired()

    def calm(self, *, was_firing: bool) -> None:
        """It has been false for long enough."""
        if self.is_open:
            self._tell("resolved")
            self.is_open = False
            if self.times:
                self.times, self._fired = 0, ()
        elif was_firing:
            self._watch.clock.past += 1
        self._announce = self._awaited = self.hindsight = None

    def wake(self, now: int, *, is_firing: bool) -> None:
        """The engine's clock has come to `due`.

        Args:
            now: the clock.
            is_firing: whether the condition is true: what is over is not told, and what comes back is.
        """
        if self._announce is not None and self._announce <= now:
            self._announce = self._awaited = None
            if is_firing:
                self._tell_fired()
        hindsight = self.hindsight
        if self.is_open and hindsight is not None and hindsight.due is not None and hindsight.due <= now:
            hindsight.due = None
            if hindsight.since != self._watch.since:
                self._watch.since = hindsight.since
                self._tell("amended", "began_earlier")

    def amend(self, cause: str) -> None:
        """Later data show more of the alert that was told last, which may be over."""
        if self._is_latest:
            self._tell("amended", cause)

    # ── devices that are behind ──────────────────────────────────────────────────────────────────────────────────

    def _wait(self, pace: Pace) -> None:
        self._awaited, self._lag = pace, pace.lag
        self._announce = self._watch.clock.now + pace.patience
        if self._watch not in pace.waiting:
            pace.waiting += (self._watch,)

    def postpone(self, pace: Pace) -> bool:
        """A device has come up to here; whether it is waited for at all."""
        if self._awaited is not pace:
            return False
        if pace.lag < self._lag * _CLOSER:
            self._wait(pace)
        return True

    # ── telling ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _tell_fired(self) -> None:
        now = self._watch.clock.now
        self.opened = now if self.opened is None else max(now, self.opened + 1)  # the key is unique for ever
        self._serial, self.is_open, self._is_latest = 0, True, True
        self._fired = (*(time for time in self._fired if now - time < CHATTER_WITHIN), now)
        if len(self._fired) >= CHATTER_TIMES:
            self.times = len(self._fired)
        self._tell("fired")

    def _tell(self, kind: TransitionKind, cause: str = "") -> None:
        watch = self._watch
        rule, now = watch.rule, watch.clock.now
        assert self.opened is not None  # noqa: S101 - nothing is told before `fired`
        watch.clock.tell(
            Transition(
                kind,
                rule.id,
                watch.subject,
                self.opened,
                self._serial,
                now,
                watch.since,
                rule.severity,
                self.complete(watch.evidence()),
                cause,
            )
        )
        self._serial += 1

    def complete(self, evidence: Evidence) -> Evidence:
        """Evidence, with how often it came."""
        if not self.times:
            return evidence
        return replace(evidence, details={**evidence.details, "times": float(self.times)})

    # ── state ────────────────────────────────────────────────────────────────────────────────────────────────────

    def snapshot(self) -> list[Any]:
        """Its state, in plain values; the severity is for `end_of` in rules/watch.py."""
        return [
            self.opened, self._serial, self.is_open, self._watch.rule.severity, self._is_latest, self.times,
            self._fired, self._announce, self._awaited and self._awaited.device, self._lag,
            self.hindsight and self.hindsight.snapshot(),
        ]  # fmt: skip

    def restore(self, state: list[Any], plans: "Mapping[str, Paced]") -> None:
        """Goes on from a snapshot.

        Args:
            state: from `snapshot`.
            plans: by device, with their paces.
        """
        (
            self.opened, self._serial, self.is_open, _, self._is_latest, self.times,
            fired, self._announce, awaited, self._lag, hindsight,
        ) = state  # fmt: skip
        self._fired = tuple(fired)
        self.hindsight = None if hindsight is None else Hindsight.restored(hindsight)
        if awaited in plans:
            self._awaited = plans[awaited].pace
            self._awaited.waiting += (self._watch,)
