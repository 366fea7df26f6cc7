"""Sorting: from the outbox and from changed tickets to letters. Whom an event concerns was said when it happened."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, select, update

from tickets.book import read_event
from tickets.deskplan import DeskPlan
from tickets.notify.letterbook import LetterBook
from tickets.notify.messenger import Messenger
from tickets.notify.pacing import URGENT, Pace
from tickets.notify.webhook import Webhook
from tickets.tables import EVENTS, OUTBOX, TICKETS
from tickets.ticket import Event, EventKind

Channel: TypeAlias = Messenger | Webhook

ROOM_EVENTS: frozenset[EventKind] = frozenset({"opened", "reopened", "escalated", "resolved", "cancelled"})
"""What a room is told of its teams' tickets."""

OWN_EVENTS: frozenset[EventKind] = frozenset({"referenced"})
"""What comes of telling, and is not told."""

_MOST = 500


class Sorter:
    """Sorts for the channels of one site."""

    def __init__(self, plan: DeskPlan, site: str, channels: Mapping[str, Channel], pace: Pace) -> None:
        self._plan, self._site, self._pace = plan, site, pace
        self._channels = channels
        self._rooms = [each for each in channels.values() if isinstance(each, Messenger) and each.room]
        self._webhooks = [each for each in channels.values() if isinstance(each, Webhook)]

    def has_work(self, connection: Connection) -> bool:
        """Whether anything lies there that is not sorted."""
        asked = (select(TICKETS.c.id).where(*self._untold()), select(OUTBOX.c.id).where(*self._unsorted()))
        return any(connection.scalar(each.limit(1)) is not None for each in asked)

    def sort(self, connection: Connection, now: int) -> None:
        """Writes the letters of what lies there, up to some hundreds; done again, it changes nothing.

        Args:
            connection: of a transaction that writes.
            now: UTC ns. What is too old to be told is passed over.
        """
        self._oldest = now - self._pace.give_up_after
        letters = LetterBook(connection, self._site)
        letters.add(self._sort_outbox(connection, now))
        letters.add(self._sort_tickets(connection))

    # ── people ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _unsorted(self) -> tuple[Any, ...]:
        return (OUTBOX.c.site == self._site, OUTBOX.c.sent_at.is_(None))

    def _sort_outbox(self, connection: Connection, now: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        rows = connection.execute(
            select(OUTBOX, TICKETS.c.priority)
            .join(TICKETS, TICKETS.c.id == OUTBOX.c.ticket_id)
            .where(*self._unsorted())
            .order_by(OUTBOX.c.id)
            .limit(_MOST)
        ).all()
        for row in rows:
            letters, unreached = self._address(row)
            found += letters
            where = OUTBOX.c.id == row.id
            error = f"no address: {', '.join(unreached)}" if unreached else ""
            connection.execute(update(OUTBOX).where(where).values(sent_at=now, error=error))
        return found

    def _address(self, row: Any) -> tuple[list[dict[str, Any]], list[str]]:  # noqa: ANN401 - a row
        """The letters of a row of the outbox, and who has no address."""
        if row.written_at < self._oldest:
            return [], []
        letters: list[dict[str, Any]] = []
        unreached: list[str] = []
        for id_ in row.people:
            person = self._plan.people.get(id_)
            channels = [name for name in (person.contacts if person else ()) if self._is_personal(name)]
            letters += [self._write(row.ticket_id, row.event, name, id_, row) for name in channels]
            if not channels:
                unreached.append(id_)
        return letters, unreached

    def _is_personal(self, name: str) -> bool:
        channel = self._channels.get(name)
        return isinstance(channel, Messenger) and not channel.room

    def _write(self, ticket_id: int, event: int, channel: str, recipient: str, row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row
        return {
            "ticket_id": ticket_id,
            "event": event,
            "channel": channel,
            "recipient": recipient,
            "written_at": row.written_at,
            "due_at": row.written_at + (0 if row.priority <= URGENT else self._pace.gather),
        }

    # ── rooms and outside systems ────────────────────────────────────────────────────────────────────────────────

    def _untold(self) -> tuple[Any, ...]:
        return (TICKETS.c.site == self._site, TICKETS.c.told != TICKETS.c.version)

    def _sort_tickets(self, connection: Connection) -> list[dict[str, Any]]:
        rows = connection.execute(select(TICKETS).where(*self._untold()).order_by(TICKETS.c.id).limit(_MOST)).all()
        histories = self._load_news(connection, [row.id for row in rows])
        found: list[dict[str, Any]] = []
        for row in rows:
            for event in histories[row.id]:
                found += self._post(row, event)
            connection.execute(update(TICKETS).where(TICKETS.c.id == row.id).values(told=row.version))
        return found

    def _load_news(self, connection: Connection, ids: Sequence[int]) -> Mapping[int, list[Event]]:
        """The events of tickets that are not told."""
        news: dict[int, list[Event]] = {id_: [] for id_ in ids}
        found = (
            select(EVENTS)
            .join(TICKETS, TICKETS.c.id == EVENTS.c.ticket_id)
            .where(EVENTS.c.ticket_id.in_(ids), EVENTS.c.number > TICKETS.c.told, EVENTS.c.at >= self._oldest)
            .order_by(EVENTS.c.ticket_id, EVENTS.c.number)
        )
        for row in connection.execute(found) if ids else ():
            news[row.ticket_id].append(read_event(row))
        return news

    def _post(self, ticket: Any, event: Event) -> list[dict[str, Any]]:  # noqa: ANN401 - a row
        if event.kind in OWN_EVENTS:
            return []
        base = {"ticket_id": ticket.id, "event": event.number, "written_at": event.at}
        letters = [
            base | {"channel": webhook.name, "recipient": ticket.number, "due_at": event.at}
            for webhook in self._webhooks
        ]
        if event.kind in ROOM_EVENTS:
            due = event.at + (0 if ticket.priority <= URGENT else self._pace.gather)
            rooms = [room for room in self._rooms if not room.teams or ticket.team in room.teams]
            letters += [base | {"channel": room.name, "recipient": "", "due_at": due} for room in rooms]
        return letters
