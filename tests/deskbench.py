"""A desk for tests: rules as YAML text, a clock that a test sets, and orders as short as they can be."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from devices.durations import parse_duration
from rules.alerts import Evidence, Severity, Subject, SubjectKind, Transition, TransitionKind
from rules.orders import AlertKey, Order, OrderKind
from tests.rulebench import at, make_site, read_rules
from tickets.counter import Counter
from tickets.database import Database, file_url, open_database
from tickets.desk import Desk
from tickets.deskplan import DeskPlan

START = at("2026-03-02 08:00")
"""A Monday."""

RULES = """
- {id: plain, name: {en: Voltage high, zh: 电压过高}, when: &when {threshold: {point: voltage_v, above: 253 V}}}
- {id: verified, when: *when, ticket: {category: plumbing, verify: {quiet_for: 2h}}}
- {id: waits, when: *when, ticket: {clears: wait}}
- {id: waits-verified, when: *when, ticket: {clears: wait, verify: {quiet_for: 2h}}}
- {id: silent, when: *when, severity: major, ticket: {title: "{device.name} gone"}}
- {id: no-ticket, when: *when, ticket: null}
"""

DEVICES: list[Mapping[str, object]] = [
    {"id": "gw", "kind": "gateway", "building": "A", "name": {"en": "Gateway A", "zh": "网关A"}},
    *({"id": f"em-{n}", "kind": "electricity_meter", "building": "A", "floor": "1F"} for n in range(10)),
]


class Clock:
    """Says what a test wants."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now

    def pass_(self, duration: str) -> int:
        self.now += parse_duration(duration)
        return self.now


class Bench:
    """A desk with all that a test needs of it."""

    def __init__(
        self,
        database: Database,
        plan: Mapping[str, object] | None = None,
        devices: Sequence[Mapping[str, object]] = DEVICES,
        **site: object,
    ) -> None:
        self.clock = Clock()
        self.database = database
        self.site = make_site(devices, **site)  # type: ignore[arg-type] # passed through
        self.desk = Desk(
            database,
            DeskPlan.model_validate(plan or {}),
            self.site,
            read_rules(RULES),
            language="en",
            clock=self.clock,
        )
        self.counter = Counter(self.desk)
        self.opened: dict[tuple[str, str], int] = {}

    def order(
        self,
        kind: OrderKind,
        rule: str = "plain",
        device: str = "em-1",
        *,
        serial: int | None = None,
        opened: int | None = None,
        since: int | None = None,
        lead: AlertKey | None = None,
        cause: AlertKey | None = None,
        why: str = "",
        reason: str = "",
        severity: Severity = "minor",
        value: float = 260.0,
        subject: SubjectKind = "device",
    ) -> Order:
        """An order about the newest alert of a rule and a device; a placement begins one where there is none."""
        if kind in {"open", "join", "hold"} and opened is None and (rule, device) not in self.opened:
            self.opened[rule, device] = self.clock.now
        opened = opened if opened is not None else self.opened[rule, device]
        what: TransitionKind = "amended" if kind == "amend" else "resolved" if kind == "clear" else "fired"
        number = serial if serial is not None else int(what != "fired")
        evidence = Evidence(device, "voltage_v", value, 253.0, "V")
        transition = Transition(
            what,
            rule,
            Subject(subject, device),
            opened,
            number,
            self.clock.now,
            since or opened,
            severity,
            evidence,
            why,
        )
        if kind == "clear":
            self.opened.pop((rule, device), None)
        return Order(kind, transition, lead, reason, cause)

    def do(self, kind: OrderKind, rule: str = "plain", device: str = "em-1", **rest: object) -> None:
        """Has the desk do one order."""
        self.desk.apply([self.order(kind, rule, device, **rest)])  # type: ignore[arg-type] # passed through

    def key(self, rule: str, device: str) -> AlertKey:
        """Key of the newest alert."""
        return rule, ("device", device), self.opened[rule, device]


def open_file(folder: Path) -> Database:
    """A fresh SQLite database."""
    return open_database(file_url(folder / "desk.db"))
