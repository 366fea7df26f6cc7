"""Annotations: writes what became of alerts and tickets into the store, so that dashboards draw it over the curves.

The desk's database says what the store does not know yet: a row's `drawn` is the state that was written last. The
thread writes what is newer, then notes that; done again, it changes nothing, and an outage of the store loses nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import structlog
from sqlalchemy import Connection, Table, bindparam, select, update

from collector.configuration import Configuration
from collector.deskopening import open_desk_database
from collector.errors import BatchRejected, BatchTooLarge, CollectorError
from collector.store import Annotation, Store
from devices.reading import Value
from devices.register import Text
from rules.alerts import Subject
from rules.site import Site, area_of
from tickets.book import read_event
from tickets.database import Database
from tickets.errors import TicketsError
from tickets.history import follow
from tickets.priority import PRIORITIES
from tickets.tables import ALERTS, EVENTS, TICKETS
from tickets.ticket import Event, Ticket
from tickets.titles import Language, name_subject
from tickets.wording import STATES
from tickets.worker import Words, Worker

log = structlog.get_logger()

State: TypeAlias = Literal["starting", "idle", "drawing", "refused"]

_MOST = 500
_LOOK_S = 2.0
_PAUSE_S = 10.0

_FIRING = Text(en="firing", zh="告警")
_RESOLVED = Text(en="resolved", zh="恢复")
_PLACES = ("building", "floor", "area")


class Annotator(Worker[tuple[Configuration, Store]]):
    """The thread that writes annotations.

    Attributes:
        state: idle where the store knows everything; refused while it or the desk's database cannot be used.
        written: annotations since the start.
    """

    words = Words(
        refused="no annotations can be written; they wait in the desk's database",
        resumed="annotations can be written again",
        failed="annotating failed unexpectedly; it will be tried again",
        left="the store does not answer; leaving it",
    )
    foreseen = (CollectorError, TicketsError)

    def __init__(
        self,
        configuration: Configuration,
        store: Store,
        open_database: Callable[[Configuration], Database] = open_desk_database,
    ) -> None:
        """Nothing is opened yet.

        Args:
            configuration: in force.
            store: somebody else prepares and closes it.
            open_database: opens the desk's.
        """
        super().__init__("annotator")
        self.state: State = "starting"
        self.written = 0
        self._configuration, self._store, self._open = configuration, store, open_database
        self._database: Database | None = None

    # ── from other threads ───────────────────────────────────────────────────────────────────────────────────────

    def use(self, configuration: Configuration, store: Store) -> None:
        """Goes on with a changed configuration or another store; where the desk is does not change while we run."""
        self.change((configuration, store))

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────

    def retreat(self, error: Exception) -> float:  # noqa: ARG002 - all are alike here
        """Waits for the store, or for the desk's database."""
        self.state = "refused"
        return _PAUSE_S

    def close(self) -> None:
        """Ends the connection to the desk's database, once the thread is over."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def step(self) -> float:
        """Writes everything that the store does not know yet; what is left is written after the next start.

        Raises:
            StoreError, DatabaseError: one of the two cannot be used.
        """
        self._configuration, self._store = self.take() or (self._configuration, self._store)
        if self._database is None:
            self._database = self._open(self._configuration)
        while not self._stopping and self._next is None and self._draw(self._database):
            self.state = "drawing"
        self.state = "idle"
        return _LOOK_S

    def _draw(self, database: Database) -> bool:
        """Writes some hundred rows; False where there are none."""
        site, language = self._configuration.rule_site(), self._configuration.settings.site.language
        names = {rule.id: rule.name.pick(language, rule.id) for rule in self._configuration.rules}
        with database.read() as connection:
            alerts = connection.execute(
                select(ALERTS, TICKETS.c.number)
                .outerjoin(TICKETS, TICKETS.c.id == ALERTS.c.ticket_id)
                .where(ALERTS.c.site == site.id, ALERTS.c.drawn != ALERTS.c.serial)
                .order_by(ALERTS.c.id)
                .limit(_MOST)
            ).all()
            tickets = connection.execute(
                select(TICKETS.c.id, TICKETS.c.drawn, TICKETS.c.version)
                .where(TICKETS.c.site == site.id, TICKETS.c.drawn != TICKETS.c.version)
                .order_by(TICKETS.c.id)
                .limit(_MOST)
            ).all()
            histories: dict[int, list[Event]] = {row.id: [] for row in tickets}
            found = (
                select(EVENTS).where(EVENTS.c.ticket_id.in_(histories)).order_by(EVENTS.c.ticket_id, EVENTS.c.number)
            )
            for row in connection.execute(found) if histories else ():
                histories[row.ticket_id].append(read_event(row))
        annotations = [
            each for row in alerts for each in draw_alert(row, names.get(row.rule, row.rule), site, language)
        ]
        for row in tickets:
            annotations += draw_ticket(histories[row.id], row.drawn, site, language)
        self._write(annotations)
        with database.write() as connection:
            _note(connection, ALERTS, [{"row": row.id, "known": row.serial} for row in alerts])
            _note(connection, TICKETS, [{"row": row.id, "known": row.version} for row in tickets])
        return bool(alerts or tickets)

    def _write(self, annotations: Sequence[Annotation]) -> None:
        """Stores annotations; one that the store does not take is told in the log and left out."""
        if not annotations:
            return
        try:
            self._store.annotate(annotations)
        except (BatchRejected, BatchTooLarge) as error:
            if len(annotations) == 1:
                log.warning(
                    "the store rejects an annotation; it is left out", annotation=annotations[0], reason=str(error)
                )
                return
            middle = len(annotations) // 2
            self._write(annotations[:middle])
            self._write(annotations[middle:])
        else:
            self.written += len(annotations)


def _note(connection: Connection, table: Table, rows: list[dict[str, int]]) -> None:
    """Says what the store knows now; what has changed meanwhile is newer than that."""
    if rows:
        statement = update(table).where(table.c.id == bindparam("row")).values(drawn=bindparam("known"))
        connection.execute(statement, rows)


# ── drawing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def draw_alert(row: Any, rule: str, site: Site, language: Language) -> Iterator[Annotation]:  # noqa: ANN401 - a row
    """An alert's beginning and, where it is over, its end.

    Args:
        row: of the table of alerts, with the `number` of its ticket, which may be None.
        rule: its name.
        site: knows devices and places.
        language: of texts.
    """
    subject = Subject(row.subject_kind, row.subject_id)
    tags = _place(subject, site) | {"rule": row.rule, "severity": row.severity}
    fields: dict[str, Value] = {"title": f"{rule}: {name_subject(subject, site, language)}", "ticket": row.number or ""}
    fields |= _show_evidence(row.evidence)
    if row.held:
        fields["held"] = row.held
    if row.cleared_at is not None:
        fields["duration_s"] = (row.cleared_at - row.since) / 1e9
    yield Annotation("alert", row.opened, tags | {"state": "firing"}, fields | {"state_text": _FIRING.pick(language)})
    if row.cleared_at is not None:
        told = fields | {"state_text": _RESOLVED.pick(language)}
        yield Annotation("alert", row.cleared_at, tags | {"state": "resolved"}, told)


def draw_ticket(events: Sequence[Event], drawn: int, site: Site, language: Language) -> Iterator[Annotation]:
    """Every step of a ticket from one state to another.

    Args:
        events: its whole history.
        drawn: number of the last event that the store knows.
        site: knows devices and places.
        language: of texts.
    """
    ticket: Ticket | None = None
    for event in events:
        before = ticket.state if ticket is not None else None
        ticket = follow(ticket, event)
        if event.number <= drawn or ticket.state == before:
            continue
        tags = _place_ticket(ticket, site) | {
            "rule": ticket.rule,
            "category": ticket.category,
            "kind": ticket.kind,
            "priority": PRIORITIES[ticket.priority - 1],
            "state": ticket.state,
        }
        fields: dict[str, Value] = {
            "title": ticket.title,
            "number": ticket.number,
            "state_text": STATES[ticket.state].pick(language),
            "duration_s": (event.at - ticket.opened_at) / 1e9,
        }
        yield Annotation("ticket", event.at, tags, fields | _show_evidence(ticket.evidence))


def _place(subject: Subject, site: Site) -> dict[str, str]:
    tags = {"site": site.id}
    place = subject.id if subject.kind in _PLACES else ""
    if subject.kind == "device":
        tags["device"] = subject.id
        device = site.devices.get(subject.id)
        place = area_of(device) if device else ""
    return tags | dict(zip(_PLACES, filter(None, place.split("/")), strict=False))


def _place_ticket(ticket: Ticket, site: Site) -> dict[str, str]:
    """The ticket's own place: what stands there may have moved since."""
    device = {"device": ticket.subject_id} if ticket.subject_kind == "device" else {}
    return {"site": site.id, **device, **dict(zip(_PLACES, filter(None, ticket.place.split("/")), strict=False))}


def _show_evidence(evidence: Mapping[str, Any]) -> dict[str, Value]:
    """The value that showed it: a number as `value`, a text as `value_text`, so that a field has one type for ever."""
    value = evidence.get("value")
    if value is None:
        return {}
    return {"value_text": value} if isinstance(value, str) else {"value": float(value)}
