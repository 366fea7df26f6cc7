"""Tickets: what one is, what may happen to it, and its states. This module holds all of the state machine."""

from typing import Any, Literal, TypeAlias, get_args

from msgspec import Struct, field

Kind: TypeAlias = Literal["incident", "repair", "supplies", "inspection", "suggestion"]
"""An incident is raised by a rule; the others by a person or a schedule."""

KINDS: tuple[Kind, ...] = get_args(Kind)

State: TypeAlias = Literal[
    "new", "assigned", "in_progress", "waiting", "done", "resolved", "closed", "cancelled"
]  # fmt: skip
"""new: nobody owns it; assigned: somebody does, and has not begun; waiting: paused, for a reason; done: the owner says
that the work is finished, and the telemetry must show it; resolved: it is good; closed, cancelled: over."""

STATES: tuple[State, ...] = get_args(State)
RUNNING: frozenset[State] = frozenset({"new", "assigned", "in_progress"})
"""In which the clocks of the service levels run."""
OVER: frozenset[State] = frozenset({"closed", "cancelled"})
"""In which a ticket is not open any more."""

EventKind: TypeAlias = Literal[
    "opened", "alerted", "joined", "left", "affected", "cleared", "amended",
    "acknowledged", "taken", "assigned", "handed_over", "paused", "resumed", "done", "resolved", "closed",
    "reopened", "cancelled", "commented", "prioritised", "rated", "escalated", "muted", "referenced",
]  # fmt: skip

STEPS: dict[tuple[State, EventKind], State] = {
    ("new", "assigned"): "assigned",
    ("new", "taken"): "in_progress",
    ("assigned", "taken"): "in_progress",
    ("assigned", "handed_over"): "assigned",
    ("in_progress", "handed_over"): "assigned",
    ("waiting", "handed_over"): "assigned",
    ("assigned", "paused"): "waiting",
    ("in_progress", "paused"): "waiting",
    ("waiting", "resumed"): "in_progress",
    ("new", "done"): "done",
    ("assigned", "done"): "done",
    ("in_progress", "done"): "done",
    ("waiting", "done"): "done",
    ("new", "resolved"): "resolved",
    ("assigned", "resolved"): "resolved",
    ("in_progress", "resolved"): "resolved",
    ("waiting", "resolved"): "resolved",
    ("done", "resolved"): "resolved",
    ("done", "closed"): "closed",
    ("resolved", "closed"): "closed",
    ("done", "reopened"): "in_progress",
    ("resolved", "reopened"): "in_progress",
    ("closed", "reopened"): "new",
    ("cancelled", "reopened"): "new",
    **{(state, "cancelled"): "cancelled" for state in STATES if state not in OVER},
}
"""From a state, by an event, to the next. Work that nobody owns is new when it is reopened, not in progress."""

REMARKS: dict[EventKind, frozenset[State]] = {
    "alerted": frozenset(STATES),
    "joined": frozenset(STATES),
    "left": frozenset(STATES),
    "affected": frozenset(STATES),
    "cleared": frozenset(STATES),
    "amended": frozenset(STATES),
    "commented": frozenset(STATES),
    "acknowledged": RUNNING | {"waiting"},
    "prioritised": frozenset(STATES) - OVER,
    "escalated": frozenset(STATES) - OVER,
    "muted": frozenset(STATES) - OVER,
    "rated": frozenset({"resolved", "closed"}),
    "referenced": frozenset(STATES),
}
"""Events that leave the state as it is, and the states in which they may happen."""

RESPONSES: frozenset[EventKind] = frozenset(
    {"acknowledged", "taken", "assigned", "handed_over", "paused", "done", "resolved", "cancelled"}
)
"""What counts as the first response, where a person does it."""

Pause: TypeAlias = Literal["parts", "access", "third_party", "requester"]
"""What a ticket waits for."""

PAUSES: tuple[Pause, ...] = get_args(Pause)


class Event(Struct, frozen=True):
    """One thing that happened to a ticket. The events are the truth; everything else follows from them.

    Attributes:
        number: from 1, without gaps, in the ticket.
        at: when it was recorded, UTC ns; never before the event that precedes it.
        who: id of the person; "" where it was the desk itself.
        kind: what happened.
        comment: what the person said.
        details: whatever belongs to the kind, in plain values.
    """

    number: int
    at: int
    who: str
    kind: EventKind
    comment: str = ""
    details: dict[str, Any] = field(default_factory=dict)


class Rating(Struct, frozen=True):
    """How somebody was served, from 1 to 5."""

    speed: int
    attitude: int
    resolution: int


class Ticket(Struct, frozen=True, kw_only=True):
    """A ticket as its events leave it.

    Attributes:
        site: that it belongs to.
        number: for people, such as W-2026-00042; unique on the site.
        kind: of request.
        category: of desk.yaml.
        title: one line.
        place: ids from the building down, joined with `/`; may be "".
        impact: on the site.
        urgency: likewise.
        priority: 1 is the first.
        team: whose work it is.
        assignee: whom the roster asks to take it; "" where nobody is on duty.
        requester: who asked; "" for an incident.
        rule: of an incident.
        subject_kind: of an incident, what it is about.
        subject_id: likewise.
        since: of an incident, when the condition came true, as known now, UTC ns.
        severity: of an incident.
        evidence: of an incident, the latest: device, point, value, limit, unit, details.
        runbook: what to do.
        follows: number of the ticket that this one goes on from; "" for most.
        clears: what an alert's end does: resolve it, or wait for a person.
        quiet_for: ns that the telemetry must stay good before it is closed; None: the rule asks for nothing.
        close_after: ns after which a resolved ticket is closed, where nothing must be verified.
        response_within: ns of the team's time until the first response; None: nothing is promised.
        resolution_within: likewise until the work is done.
        hours: calendar of the team's time; "" for all hours.
        opened_at: UTC ns, like all that follow.
        state: where it stands.
        owner: who took it or was given it.
        waiting_for: while it waits, for what.
        firing: how many of its alerts are not over.
        alerts: how many there were in all.
        quiet_since: when the last one was over; None while one is not, and for what no rule raised.
        responded_at: first response.
        acknowledged_at: when somebody first said that they know.
        done_at: when the work was last called done.
        resolved_at: when it last became good.
        closed_at: when it was closed or cancelled.
        reopened: how often.
        escalations: the steps that were taken, such as `response 50%`.
        rating: by the requester.
        version: number of the last event.
        updated_at: time of the last event.
        response_due: when the first response is late; it stays where that was so. See tickets/schedule.py.
        resolution_due: likewise the work.
        wake_at: when the desk must look at it again by the clock.
    """

    site: str
    number: str
    kind: Kind
    category: str
    title: str
    place: str = ""
    impact: str = ""
    urgency: str = ""
    priority: int = 4
    team: str = ""
    assignee: str = ""
    requester: str = ""
    rule: str = ""
    subject_kind: str = ""
    subject_id: str = ""
    since: int | None = None
    severity: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    runbook: str = ""
    follows: str = ""
    clears: Literal["resolve", "wait"] = "wait"
    quiet_for: int | None = None
    close_after: int = 0
    response_within: int | None = None
    resolution_within: int | None = None
    hours: str = ""
    opened_at: int
    state: State = "new"
    owner: str = ""
    waiting_for: str = ""
    firing: int = 0
    alerts: int = 0
    quiet_since: int | None = None
    responded_at: int | None = None
    acknowledged_at: int | None = None
    done_at: int | None = None
    resolved_at: int | None = None
    closed_at: int | None = None
    reopened: int = 0
    escalations: list[str] = field(default_factory=list)
    rating: Rating | None = None
    version: int
    updated_at: int
    response_due: int | None = None
    resolution_due: int | None = None
    wake_at: int | None = None

    @property
    def open(self) -> bool:
        """Whether anything may still be done."""
        return self.state not in OVER

    @property
    def fingerprint(self) -> str | None:
        """What no two open tickets of a site share: rule and subject; None for what no rule raised."""
        return f"{self.rule}|{self.subject_kind}|{self.subject_id}" if self.rule else None
