"""The counter: what people ask of the desk. Whoever asks is named, and stands in the ticket's history."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec.structs import asdict

from rules.mutes import Mute
from tickets.book import Case
from tickets.desk import Desk
from tickets.deskplan import OTHER
from tickets.errors import NotAllowed, Overtaken, check_known
from tickets.mutebook import MuteEntry, check_mute, end_mute, write_mute
from tickets.priority import Impact, Urgency
from tickets.ticket import EventKind, Kind, Pause, Rating, Ticket

TITLE_MOST = 200
"""Characters of a title that a person writes."""

NAME_MOST = 64
"""Characters of a person's id."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # PostgreSQL keeps no NUL, and nobody needs the others


class Counter:
    """What people may do with a desk's tickets.

    Every method takes the ticket's number and who asks, and returns the ticket afterwards. With `version`, of the
    ticket as that person saw it, it raises Overtaken where somebody was faster. All of them raise UnknownTicket,
    NotAllowed where the ticket's state or the person's role does not admit it, and DatabaseError.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def open(
        self,
        who: str,
        kind: Kind,
        title: str,
        *,
        category: str = OTHER,
        place: str = "",
        urgency: Urgency = "medium",
        comment: str = "",
    ) -> Ticket:
        """Opens a ticket for a person.

        Args:
            who: asks.
            kind: any but incident, which rules raise.
            title: one line.
            category: of desk.yaml.
            place: ids from the building down, joined with `/`.
            urgency: how soon it gets worse.
            comment: the whole story.

        Raises:
            NotAllowed: one of these is not as it should be.
        """
        title = " ".join(_clean(title).split())
        if kind == "incident":
            raise NotAllowed("incidents are raised by rules; open a repair")
        if not title or len(title) > TITLE_MOST:
            raise NotAllowed(f"expected a title of 1 to {TITLE_MOST} characters, got {len(title)}")
        check_known(category, {OTHER, *self._desk.plan.categories}, "category")
        self._check_place(place)
        team = self._desk.dispatch.find_team(category, place)
        promise = self._desk.dispatch.promise(self._desk.dispatch.find_impact(category, place), urgency, team)
        return self._desk.add(
            _check_name(who),
            _clean(comment),
            **promise._asdict(),
            kind=kind,
            category=category,
            title=title,
            place=place,
            team=team,
            assignee=self._desk.dispatch.find_on_duty(team, self._desk.clock()),
            requester=who,
            close_after=self._desk.plan.close_after,
        )

    def acknowledge(self, number: str, who: str, comment: str = "", *, version: int | None = None) -> Ticket:
        """Somebody knows. It counts as the first response, and is not silence: the clock of the work goes on."""
        return self._change(
            number, who, lambda case: case.add("acknowledged", self._desk.clock(), who, _clean(comment)), version
        )

    def take(self, number: str, who: str, comment: str = "", *, version: int | None = None) -> Ticket:
        """The first to take a ticket owns it until it is closed or handed over.

        Raises:
            Overtaken: somebody else owns it.
        """

        def act(case: Case) -> None:
            self._check_worker(who)
            _check_free(case.ticket, who)
            case.add("taken", self._desk.clock(), who, _clean(comment))

        return self._change(number, who, act, version)

    def assign(self, number: str, who: str, to: str, comment: str = "", *, version: int | None = None) -> Ticket:
        """Gives a ticket that nobody owns to somebody.

        Raises:
            Overtaken: somebody owns it.
        """

        def act(case: Case) -> None:
            self._check_worker(to)
            _check_free(case.ticket, "")
            case.add("assigned", self._desk.clock(), who, _clean(comment), owner=to)

        return self._change(number, who, act, version)

    def hand_over(self, number: str, who: str, to: str, comment: str = "", *, version: int | None = None) -> Ticket:
        """The owner, or who leads the team, gives a ticket to somebody else."""

        def act(case: Case) -> None:
            self._check_worker(to)
            self._check_owner(case.ticket, who)
            if to == case.ticket.owner:
                raise NotAllowed(f"{case.ticket.number} belongs to {to} already")
            case.add("handed_over", self._desk.clock(), who, _clean(comment), owner=to, before=case.ticket.owner)

        return self._change(number, who, act, version)

    def comment(self, number: str, who: str, comment: str) -> Ticket:
        """Says something."""
        text = _need(comment, "a comment")
        return self._change(number, who, lambda case: case.add("commented", self._desk.clock(), who, text))

    def wait(self, number: str, who: str, reason: Pause, comment: str = "", *, version: int | None = None) -> Ticket:
        """Pauses a ticket, for a reason; the clock of the work stands still."""
        return self._act_as_owner(number, who, "paused", comment, version, reason=reason)

    def resume(self, number: str, who: str, comment: str = "", *, version: int | None = None) -> Ticket:
        """Goes on after a pause."""
        return self._act_as_owner(number, who, "resumed", comment, version)

    def finish(self, number: str, who: str, comment: str = "", *, version: int | None = None) -> Ticket:
        """Says that the work is done. Where telemetry can show it, it must; see `tickets.schedule`."""

        def act(case: Case) -> None:
            self._check_owner(case.ticket, who)
            case.add("done", self._desk.clock(), who, _clean(comment))
            if case.ticket.quiet_for is None and not case.ticket.firing:
                case.add("resolved", self._desk.clock())

        return self._change(number, who, act, version)

    def resolve(self, number: str, who: str, comment: str = "", *, version: int | None = None) -> Ticket:
        """Says that it is good, whoever did it.

        Raises:
            NotAllowed: the telemetry says otherwise.
        """

        def act(case: Case) -> None:
            _check_quiet(case.ticket)
            case.add("resolved", self._desk.clock(), who, _clean(comment))

        return self._change(number, who, act, version)

    def close(self, number: str, who: str, comment: str = "", *, version: int | None = None) -> Ticket:
        """Closes a resolved ticket before it closes by itself.

        Raises:
            NotAllowed: the telemetry has not stayed good for long enough.
        """

        def act(case: Case) -> None:
            ticket = case.ticket
            _check_quiet(ticket)
            good_since = max(ticket.quiet_since or 0, ticket.done_at or 0, ticket.resolved_at or 0)
            if ticket.open and good_since and ticket.quiet_for and self._desk.clock() < good_since + ticket.quiet_for:
                until = datetime.fromtimestamp((good_since + ticket.quiet_for) // 10**9, UTC).astimezone(
                    self._desk.site.zone
                )
                raise NotAllowed(
                    f"{ticket.number}: the telemetry must stay good until {until:%Y-%m-%d %H:%M};"
                    " it is closed by itself then"
                )
            case.add("closed", self._desk.clock(), who, _clean(comment))

        return self._change(number, who, act, version)

    def reopen(self, number: str, who: str, comment: str, *, version: int | None = None) -> Ticket:
        """It is not good after all; says why."""
        text = _need(comment, "a reason")
        return self._change(
            number, who, lambda case: case.add("reopened", self._desk.clock(), who, text, why="asked"), version
        )

    def cancel(self, number: str, who: str, comment: str, *, version: int | None = None) -> Ticket:
        """Ends a ticket without work, such as a false alarm; says why."""
        text = _need(comment, "a reason")
        return self._change(number, who, lambda case: case.add("cancelled", self._desk.clock(), who, text), version)

    def prioritise(
        self, number: str, who: str, impact: Impact, urgency: Urgency, comment: str, *, version: int | None = None
    ) -> Ticket:
        """Judges impact and urgency anew; says why. What is promised follows, counted from the opening."""
        text = _need(comment, "a reason")

        def act(case: Case) -> None:
            promise = self._desk.dispatch.promise(impact, urgency, case.ticket.team)
            case.add("prioritised", self._desk.clock(), who, text, **promise._asdict())

        return self._change(number, who, act, version)

    def rate(self, number: str, who: str, rating: Rating, comment: str = "") -> Ticket:
        """How the requester was served.

        Raises:
            NotAllowed: it was somebody else's request, or the rating is not from 1 to 5.
        """
        marks = asdict(rating)
        if not all(1 <= mark <= 5 for mark in marks.values()):  # noqa: PLR2004 - five stars
            raise NotAllowed(f"expected marks from 1 to 5, got {', '.join(map(str, marks.values()))}")

        def act(case: Case) -> None:
            if case.ticket.requester not in {"", who}:
                raise NotAllowed(
                    f"{case.ticket.number} was asked for by {case.ticket.requester}, who alone can rate it"
                )
            case.add("rated", self._desk.clock(), who, _clean(comment), **marks)

        return self._change(number, who, act)

    def mute(self, who: str, mute: Mute, reason: str, ticket: str = "") -> MuteEntry:
        """Keeps alerts quiet for a while: for maintenance, or because somebody puts them aside.

        Args:
            who: answers for it.
            mute: what, and until when; its id is given here.
            reason: why.
            ticket: number of the ticket whose work it is for; "" for none.
        """
        _check_name(who)
        text, now = _need(reason, "a reason"), self._desk.clock()
        check_mute(mute, now, self._desk.site, self._desk.rules)
        with self._desk.write() as book:
            case = book.find(self._desk.complete(ticket)) if ticket else None
            entry = MuteEntry(mute, who, text, case.ticket.number if case else "")
            entry = write_mute(book.connection, self._desk.site.id, entry, case.id if case else None)
            if case is not None:
                case.add("muted", now, who, text, mute=entry.mute.id, until=mute.end)
                book.save([case])
        return entry

    def unmute(self, who: str, id_: int) -> None:
        """Ends a mute early."""
        _check_name(who)
        with self._desk.write() as book:
            end_mute(book.connection, self._desk.site.id, id_, self._desk.clock())

    # ── who may ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _change(self, number: str, who: str, act: Callable[[Case], None], version: int | None = None) -> Ticket:
        _check_name(who)
        return self._desk.change(number, act, version)

    def _act_as_owner(
        self, number: str, who: str, kind: EventKind, comment: str, version: int | None, **details: str
    ) -> Ticket:
        def act(case: Case) -> None:
            self._check_owner(case.ticket, who)
            case.add(kind, self._desk.clock(), who, _clean(comment), **details)

        return self._change(number, who, act, version)

    def _check_owner(self, ticket: Ticket, who: str) -> None:
        """The owner and the team's lead may act; anybody, where nobody owns it or the team has no lead."""
        team = self._desk.plan.teams.get(ticket.team)
        lead = team.lead if team else ""
        if lead and ticket.owner and who not in {ticket.owner, lead}:
            raise NotAllowed(f"{ticket.number} belongs to {ticket.owner}; they or {lead} can hand it over")

    def _check_worker(self, person: str) -> None:
        """Whoever works on tickets stands in desk.yaml, where that lists people."""
        if self._desk.plan.people:
            check_known(person, self._desk.plan.people, "person")

    def _check_place(self, place: str) -> None:
        """A place that places.yaml has, where that lists any."""
        level = {building.id: building.floors for building in self._desk.site.places.buildings}
        if not place or not level:
            return
        building, *below = place.split("/")
        check_known(building, level, "building")
        floors = {floor.id: floor.areas for floor in level[building]}
        for floor in below[:1]:
            check_known(floor, floors, "floor")
        for area in below[1:]:
            check_known(area, [each.id for each in floors[below[0]]], "area")


def _check_free(ticket: Ticket, who: str) -> None:
    if ticket.owner and ticket.owner != who:
        raise Overtaken(f"{ticket.number} belongs to {ticket.owner}; ask them to hand it over")


def _check_quiet(ticket: Ticket) -> None:
    if ticket.firing:
        raise NotAllowed(
            f"{ticket.number}: {ticket.firing} alert(s) are not over; say that the work is done, and the telemetry"
            " decides; or cancel the ticket, and say why"
        )


def _check_name(who: str) -> str:
    if not who or len(who) > NAME_MOST or _CONTROL.search(who):
        raise NotAllowed(f"expected the name of who asks, of 1 to {NAME_MOST} characters, got {who!r}")
    return who


def _clean(text: str) -> str:
    return _CONTROL.sub("", text).strip()


def _need(comment: str, what: str) -> str:
    text = _clean(comment)
    if not text:
        raise NotAllowed(f"expected {what}, got none")
    return text
