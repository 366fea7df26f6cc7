"""Tickets on a terminal."""

import time
from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from collector.commands.common import show_moment
from collector.configuration import Configuration
from collector.runbooks import show_runbook
from collector.terminal import console, print_rows
from devices.durations import NANOSECONDS, format_duration
from tickets.costs import Cost
from tickets.costwords import sum_up_cost, tell_cost
from tickets.priority import PRIORITIES
from tickets.queue import File, Member
from tickets.ticket import RUNNING, Event, Ticket
from tickets.titles import name_place, write_value
from tickets.wording import KINDS, PAUSES, STATES, tell_event

_SECOND = NANOSECONDS["s"]
_WIDE = 110
"""Columns of a terminal that has room for places."""

_SHOWN = 20
"""Members that are listed one by one."""


def show_rows(tickets: Sequence[Ticket], costs: Mapping[str, Cost], configuration: Configuration) -> None:
    """A table of tickets, with what they have cost where any has."""
    if not tickets:
        console.print("No tickets.")
        return
    language, now = configuration.settings.site.language, time.time_ns()
    is_wide = console.width >= _WIDE  # else where it is stands in the title, and in the ticket
    shown = (
        "number",
        "",
        "state",
        "what",
        *(["where"] if is_wide else []),
        "owner",
        "due",
        *(["cost"] if costs else []),
    )
    table = Table(title="Tickets", title_justify="left", header_style="bold", box=None, pad_edge=False)
    for name in shown:
        is_text = name in {"what", "where"}
        table.add_column(name, overflow="fold", no_wrap=not is_text, ratio=1 if is_text else None)
    for ticket in tickets:
        cells: dict[str, str | Text] = {
            "number": ticket.number,
            "": PRIORITIES[ticket.priority - 1],
            "state": STATES[ticket.state].pick(language),
            "what": Text(ticket.title),
            "where": _show_place(ticket, configuration),
            "owner": _show_owner(ticket, configuration),
            "due": _show_due(ticket, now),
            "cost": sum_up_cost(costs[ticket.number], language) if ticket.number in costs else "",
        }
        table.add_row(*(cells[name] for name in shown))
    console.print(table)


def show_ticket(ticket: Ticket, configuration: Configuration) -> None:
    """One line: what it is now."""
    language = configuration.settings.site.language
    owner = _show_owner(ticket, configuration)
    parts = [ticket.number, PRIORITIES[ticket.priority - 1], STATES[ticket.state].pick(language), ticket.title]
    console.print("  ".join([*parts, *filter(None, [owner])]), markup=False, highlight=False, soft_wrap=True)


def show_file(file: File, cost: Cost | None, configuration: Configuration) -> None:
    """A ticket with its alerts and its history."""
    ticket, site = file.ticket, configuration.settings.site
    language, zone, now = site.language, site.zone, time.time_ns()
    console.print(f"{ticket.number}  {ticket.title}", style="bold", markup=False, highlight=False, soft_wrap=True)
    evidence = ticket.evidence
    value = write_value(evidence.get("value"), evidence.get("unit", ""), language)
    facts = {
        "state": STATES[ticket.state].pick(language)
        + (f": {PAUSES[ticket.waiting_for].pick(language)}" if ticket.waiting_for else ""),  # type: ignore[index] # a pause
        "kind": KINDS[ticket.kind].pick(language),
        "priority": f"{PRIORITIES[ticket.priority - 1]} (impact {ticket.impact}, urgency {ticket.urgency})",
        "category": ticket.category,
        "where": _show_place(ticket, configuration),
        "team": _show_team(ticket.team, configuration),
        "owner": _show_owner(ticket, configuration),
        "asked for by": _show_person(ticket.requester, configuration),
        "rule": ticket.rule,
        "since": show_moment(ticket.since, zone) if ticket.since is not None else "",
        "evidence": " ".join(filter(None, [evidence.get("point", ""), value])),
        "limit": write_value(evidence.get("limit"), evidence.get("unit", ""), language),
        "cost": "" if cost is None else tell_cost(cost, language),
        "runbook": show_runbook(ticket.runbook, configuration.folder),
        "goes on from": ticket.follows,
        "answer due": _show_deadline(ticket.response_due, ticket.responded_at, configuration),
        "work due": _show_deadline(ticket.resolution_due, ticket.done_at or ticket.resolved_at, configuration),
        "due": _show_due(ticket, now),
        "rating": "" if ticket.rating is None else "{speed} {attitude} {resolution}".format(**_marks(ticket)),
    }
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, text in facts.items():
        if text:
            table.add_row(name, text)
    console.print(table)
    if file.members:
        _show_members(file.members, configuration)
    _show_history(file.events, configuration)


def _marks(ticket: Ticket) -> dict[str, int]:
    rating = ticket.rating
    return {} if rating is None else {name: getattr(rating, name) for name in rating.__struct_fields__}


def _show_members(members: Sequence[Member], configuration: Configuration) -> None:
    zone = configuration.settings.site.zone
    firing = sum(member.cleared_at is None for member in members if not member.affected)
    rows = [
        {
            "alert": f"{member.subject_kind} {member.subject_id}",
            "rule": member.rule,
            "since": show_moment(member.since, zone),
            "until": "consequence" if member.affected else show_moment(member.cleared_at, zone),
        }
        for member in members[:_SHOWN]
    ]
    print_rows(f"Alerts: {len(members):,}, of which {firing:,} are not over", rows, as_json=False)
    if len(members) > _SHOWN:
        console.print(f"… and {len(members) - _SHOWN:,} more; all: --json")


def _show_history(events: Sequence[Event], configuration: Configuration) -> None:
    site = configuration.settings.site
    rows = [
        {
            "when": show_moment(event.at, site.zone),
            "who": _show_person(event.who, configuration) or "-",
            "what": tell_event(event, site.language, site.zone),
            "comment": event.comment,
        }
        for event in events
    ]
    print_rows("History", rows, as_json=False)


def _show_due(ticket: Ticket, now: int) -> str:
    """How much time is left, where a clock runs."""
    dues = [ticket.resolution_due] if ticket.responded_at is not None else [ticket.response_due, ticket.resolution_due]
    due = min((each for each in dues if each is not None), default=None)
    if due is None or ticket.state not in RUNNING:
        return ""
    left = format_duration(abs(due - now) // _SECOND * _SECOND)
    return f"in {left}" if due > now else f"{left} late"


def _show_deadline(due: int | None, kept_at: int | None, configuration: Configuration) -> str:
    if due is None:
        return ""
    late = " (late)" if (kept_at or time.time_ns()) > due else ""
    return show_moment(due, configuration.settings.site.zone) + late


def _show_place(ticket: Ticket, configuration: Configuration) -> str:
    return name_place(ticket.place, configuration.places, configuration.settings.site.language)


def _show_team(team: str, configuration: Configuration) -> str:
    known = configuration.desk.teams.get(team)
    return known.name.pick(configuration.settings.site.language, team) if known else team


def _show_person(person: str, configuration: Configuration) -> str:
    known = configuration.desk.people.get(person)
    return known.name.pick(configuration.settings.site.language, person) if known else person


def _show_owner(ticket: Ticket, configuration: Configuration) -> str:
    """Who owns it; in brackets, who is asked to take it."""
    if ticket.owner:
        return _show_person(ticket.owner, configuration)
    asked = _show_person(ticket.assignee, configuration)
    return f"({asked or _show_team(ticket.team, configuration)})" if ticket.open else ""
