"""Alerts in the database, within one transaction: read once, changed in memory, written once."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from rules.alerts import SubjectKind, Transition
from rules.orders import AlertKey
from tickets.tables import ALERTS, TICKETS
from tickets.titles import plain_evidence

_CHUNK = 500


def write_key(key: AlertKey) -> str:
    """An alert's key as text: rule, kind and id of the subject, when it was first told."""
    rule, (kind, subject), opened = key
    return f"{rule}|{kind}|{subject}|{opened}"


def key_of(transition: Transition) -> str:
    """Likewise, of a transition's alert."""
    return f"{fingerprint_of(transition)}|{transition.opened}"


def fingerprint_of(transition: Transition) -> str:
    """Rule and subject as text: what no two open tickets share."""
    return f"{transition.rule}|{transition.subject.kind}|{transition.subject.id}"


@dataclass(slots=True)
class AlertRow:
    """One alert; the names are those of the table's columns.

    Attributes:
        id: of its row; None before it is written.
    """

    id: int | None
    key: str
    fingerprint: str
    rule: str
    subject_kind: SubjectKind
    subject_id: str
    opened: int
    serial: int
    held: str
    ticket_id: int | None
    leads: list[str]
    awaits: str
    cause: str
    holds: list[str]
    since: int
    severity: str
    evidence: dict[str, object]
    cleared_at: int | None

    def columns(self) -> dict[str, Any]:
        """What stands in its row, without the id."""
        return {column: getattr(self, column) for column in _COLUMNS}


_COLUMNS = tuple(field.name for field in fields(AlertRow) if field.name != "id")


class AlertBook:
    """A site's alerts, as far as a transaction needs them."""

    def __init__(self, connection: Connection, site: str) -> None:
        self._connection, self._site = connection, site
        self._rows: dict[str, AlertRow] = {}
        self._changed: dict[str, AlertRow] = {}

    def load(self, keys: Collection[str]) -> None:
        """Reads alerts by their keys; unknown ones are not there."""
        self._read(ALERTS.c.key, keys)

    def load_below(self, keys: Collection[str]) -> None:
        """Reads alerts that wait for one of these to have a ticket, or that these explain."""
        self._read(ALERTS.c.awaits, keys)
        self._read(ALERTS.c.cause, keys)

    def _read(self, column: Any, values: Collection[str]) -> None:  # noqa: ANN401 - any column of the table
        for chunk in _cut(sorted(values)):
            found = select(ALERTS).where(ALERTS.c.site == self._site, column.in_(chunk))
            for row in self._connection.execute(found):
                columns = {column: getattr(row, column) for column in ("id", *_COLUMNS)}
                self._rows.setdefault(row.key, AlertRow(**columns))

    def find(self, key: str) -> AlertRow | None:
        """An alert that was loaded or begun."""
        return self._rows.get(key)

    def list_waiting(self, key: str) -> list[AlertRow]:
        """The alerts, of those loaded, that wait for one to have a ticket."""
        return [row for row in self._rows.values() if row.awaits == key]

    def list_explained(self, key: str) -> list[AlertRow]:
        """The alerts, of those loaded, that have no ticket because another one explains them."""
        return [row for row in self._rows.values() if row.cause == key and row.cleared_at is None]

    def begin(self, transition: Transition) -> AlertRow:
        """An alert that is heard of for the first time."""
        row = AlertRow(
            id=None,
            key=key_of(transition),
            fingerprint=fingerprint_of(transition),
            rule=transition.rule,
            subject_kind=transition.subject.kind,
            subject_id=transition.subject.id,
            opened=transition.opened,
            serial=transition.serial,
            held="",
            ticket_id=None,
            leads=[],
            awaits="",
            cause="",
            holds=[],
            since=transition.since,
            severity=transition.severity,
            evidence=plain_evidence(transition.evidence),
            cleared_at=None,
        )
        self._rows[row.key] = self._changed[row.key] = row
        return row

    def change(self, row: AlertRow) -> None:
        """An alert is not as it was read: it will be written."""
        self._changed[row.key] = row

    def find_tickets(self, fingerprints: Collection[str]) -> dict[str, int]:
        """Ids of the open tickets about the same rule and subject, by fingerprint: their own, else one they joined."""
        found: dict[str, int] = {}
        for chunk in _cut(sorted(fingerprints)):
            newest = (
                select(ALERTS.c.fingerprint, func.max(ALERTS.c.ticket_id))
                .join(TICKETS, TICKETS.c.id == ALERTS.c.ticket_id)
                .where(ALERTS.c.site == self._site, ALERTS.c.fingerprint.in_(chunk), TICKETS.c.closed_at.is_(None))
                .group_by(ALERTS.c.fingerprint)
            )
            own = select(TICKETS.c.fingerprint, TICKETS.c.id).where(
                TICKETS.c.site == self._site, TICKETS.c.fingerprint.in_(chunk), TICKETS.c.closed_at.is_(None)
            )
            for question in (newest, own):
                found |= {row[0]: row[1] for row in self._connection.execute(question)}
        return found

    def save(self) -> None:
        """Writes every alert that is new or changed."""
        fresh = [row.columns() | {"site": self._site} for row in self._changed.values() if row.id is None]
        changed = [row.columns() | {"row": row.id} for row in self._changed.values() if row.id is not None]
        if fresh:
            self._connection.execute(insert(ALERTS), fresh)
        if changed:
            self._connection.execute(update(ALERTS).where(ALERTS.c.id == bindparam("row")), changed)
        self._changed = {}


def _cut(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[at : at + _CHUNK] for at in range(0, len(values), _CHUNK))
