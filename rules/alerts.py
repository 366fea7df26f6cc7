"""Alerts: what the engine says when a condition comes true, and when it is over."""

from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct, field

from devices.reading import Value

Severity: TypeAlias = Literal["info", "minor", "major", "critical"]

SEVERITIES: tuple[Severity, ...] = ("info", "minor", "major", "critical")
"""From the least to the worst."""

SubjectKind: TypeAlias = Literal["device", "area", "floor", "building", "site"]

Phase: TypeAlias = Literal["idle", "pending", "firing", "clearing"]
"""Where a watch is: nothing; true, but not for long enough; firing; firing, and false, but not for long enough."""


class Subject(NamedTuple):
    """What an alert is about.

    Attributes:
        kind: what it is.
        id: of a device, its id; of a place, the ids from the building down, joined with `/`; of the site, its id.
    """

    kind: SubjectKind
    id: str

    def __str__(self) -> str:
        """`device em-a-01`, as it stands in messages."""
        return f"{self.kind} {self.id}"


class Evidence(Struct, array_like=True, frozen=True):
    """What showed it.

    Attributes:
        device: that gave the value; "" where it comes from several.
        point: of the value, or what stands for it, such as `silence`; "" where there is none.
        value: as measured, in the point's unit; None where there is none.
        limit: what it was compared with, in the same unit; None where there is none.
        unit: of both.
        details: anything else that people should see, by a name in the words of the condition's reference.
    """

    device: str = ""
    point: str = ""
    value: Value | None = None
    limit: float | None = None
    unit: str = ""
    details: dict[str, Value] = field(default_factory=dict)


NOTHING = Evidence()

TransitionKind: TypeAlias = Literal["fired", "resolved", "amended"]


class Transition(Struct, array_like=True, frozen=True):
    """One step of an alert that the desk must know. The same journal gives the same transitions.

    Attributes:
        kind: fired: it is to be told now; resolved: it is over; amended: later data show more about it, which may be
            over by then.
        rule: id.
        subject: what it is about.
        opened: when it was first told, UTC ns, a little later where another one was told then; with rule and subject,
            the alert's key for ever.
        serial: 0 for `fired`, then 1, 2, …: with the key, the transition's own.
        at: when this happened, by the clock of the readings, UTC ns.
        since: when the condition came true, as known now.
        severity: the rule's.
        evidence: what showed it.
        cause: why, where telemetry is not the reason: `rule removed`, `rule changed`, `device removed`, `device
            changed`, `state lost`; of an amendment, what the data now show: `began_earlier`, `was_reporting`.
    """

    kind: TransitionKind
    rule: str
    subject: Subject
    opened: int
    serial: int
    at: int
    since: int
    severity: Severity
    evidence: Evidence = NOTHING
    cause: str = ""


class Alert(Struct, array_like=True, frozen=True):
    """How one rule stands to one subject right now.

    Attributes:
        rule: id.
        subject: what it is about.
        phase: pending, firing or clearing.
        since: when the condition came true, UTC ns.
        opened: when it was told; None where it has not been.
        severity: the rule's.
        evidence: the latest.
    """

    rule: str
    subject: Subject
    phase: Phase
    since: int
    opened: int | None
    severity: Severity
    evidence: Evidence
