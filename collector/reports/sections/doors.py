"""Sections on doors: when and where people pass, who was refused and why, and which doors fail."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from collector.reports.context import Context
from collector.reports.document import Cell, Chart, Column, Section, Series, Table
from collector.reports.doorcounts import FEW, SITE, Crowd, DoorCounts, DoorTally, PlaceCounts
from collector.reports.period import Period
from collector.reports.sections.parts import find_share
from collector.reports.wording import Words
from devices.durations import NANOSECONDS
from rules.localtime import show_time
from tickets.queue import Filter, list_tickets
from tickets.titles import name_place

_MINUTE = NANOSECONDS["m"]
_DAY = timedelta(days=1)
_HOURS, _WEEKDAYS = 24, 7
_MOST = 20
"""Doors that are listed."""


def describe_people(context: Context, period: Period, counts: DoorCounts, say: Words) -> Section:
    """When and where people pass."""
    return Section(
        heading=say("heading.people"),
        charts=[_draw_days(counts, period, 0, "access.by_day", say), _draw_hours(counts, say)],
        tables=[_tabulate_places(context, counts, say)],
    )


def describe_refusals(counts: DoorCounts, period: Period, say: Words) -> Section:
    """Who was refused, and why."""
    heading = say("heading.refusals")
    if not counts.denied.count:
        return Section(heading=heading, paragraphs=[say("access.say_no_refusals")])
    columns = [Column(say("access.reason")), Column(say("access.denied")), Column(say("share"), "%", 1)]
    few, many = Crowd(), dict[str, Crowd]()
    for reason, crowd in counts.reasons.items():
        if crowd.is_few:  # a reason may hold a name
            few.join(crowd)
        else:
            many[reason] = crowd

    def list_cells(label: str, crowd: Crowd) -> list[Cell]:
        return [label, crowd.told, find_share(crowd.told, counts.denied.told)]

    order = sorted(many, key=lambda reason: -many[reason].count)
    rows = [list_cells(reason or say("access.no_reason"), many[reason]) for reason in order]
    if few.count:
        rows.append(list_cells(say("access.few_reasons", few=FEW), few))
    table = Table(
        title=say("access.by_reason"), columns=columns, rows=rows, total=list_cells(say("total"), counts.denied)
    )
    chart = _draw_days(counts, period, 1, "access.denied_by_day", say)
    return Section(heading=heading, charts=[chart], tables=[table])


def describe_doors(context: Context, period: Period, counts: DoorCounts, say: Words) -> Section:
    """Which doors fail.

    Raises:
        DatabaseError: the desk cannot be read.
    """
    heading, tickets = say("heading.doors"), _count_tickets(context, period, counts)
    troubled = [id_ for id_, tally in counts.doors.items() if _is_troubled(tally) or tickets.get(id_)]
    if not troubled:
        return Section(heading=heading, paragraphs=[say("access.say_no_trouble")])
    troubled.sort(key=lambda id_: (-_weigh(counts.doors[id_]), -tickets.get(id_, 0), id_))
    devices = context.site.devices
    columns = [
        Column(say("access.door")),
        Column(say("access.forced")),
        Column(say("access.held")),
        Column(say("access.held_hours"), "min", 0),
        Column(say("access.longest"), "min", 0),
        Column(say("access.unclosed")),
        Column(say("access.faults")),
        Column(say("access.denied")),
        Column(say("access.tickets")),
    ]

    def list_cells(id_: str) -> list[Cell]:
        tally = counts.doors[id_]
        return [
            devices[id_].name.pick(say.language, id_),
            tally.forced,
            tally.held,
            tally.held_ns / _MINUTE,
            tally.longest_ns / _MINUTE,
            tally.unclosed,
            tally.faults,
            tally.denied.told,
            tickets.get(id_, 0) if context.desk is not None else None,
        ]

    rows = [list_cells(id_) for id_ in troubled[:_MOST]]
    more = len(troubled) - _MOST
    note = say("access.blank", few=FEW) + (" " + say("note.more", count=more) if more > 0 else "")
    return Section(heading=heading, tables=[Table(title=say("access.by_door"), columns=columns, rows=rows, note=note)])


def _tabulate_places(context: Context, counts: DoorCounts, say: Words) -> Table:
    has_hours = context.working is not None
    columns = [
        Column(say("place")),
        Column(say("access.people")),
        Column(say("access.entered")),
        *([Column(say("access.off_hours_share"), "%", 1)] if has_hours else []),
        Column(say("access.denied")),
        Column(say("access.peak")),
        Column(say("access.peak_at")),
    ]
    few, rows = PlaceCounts(), []

    def list_cells(label: str, place: PlaceCounts, *, is_told: bool = True) -> list[Cell]:
        people, is_many = len(place.credentials), place.peak >= FEW and is_told
        return [
            label,
            None if people < FEW and place.entries.count else people,
            place.entries.told,
            *([find_share(place.off_hours.told, place.entries.told)] if has_hours else []),
            place.denied.told,
            place.peak if is_told else None,
            show_time(place.peak_at, context.zone) if place.peak_at is not None and is_many else None,
        ]

    for name, place in counts.places.items():
        if place.entries.is_few:
            few.entries.join(place.entries)
            few.off_hours.join(place.off_hours)
            few.denied.join(place.denied)
            few.credentials |= place.credentials
        elif name != SITE:
            rows.append(list_cells(name_place(name, context.site.places, say.language), place))
    if few.entries.count:
        rows.append(list_cells(say("access.few", few=FEW), few, is_told=False))
    return Table(
        title=say("access.by_place"),
        columns=columns,
        rows=rows,
        total=list_cells(say("site"), counts.places[SITE]),
        note=say("access.blank", few=FEW),
    )


def _draw_days(counts: DoorCounts, period: Period, which: int, key: str, say: Words) -> Chart:
    """Passages (0) or refusals (1) by the local day."""
    days = [period.first + number * _DAY for number in range(period.days)]
    values = [counts.by_day[day][which].told if day in counts.by_day else None for day in days]
    return Chart(
        title=say(key),
        kind="bars",
        unit="",
        places=[datetime.combine(day, time(), period.zone) for day in days],
        series=[Series(say("access.denied" if which else "access.passages"), values)],
        note=say("access.blank", few=FEW),
    )


def _draw_hours(counts: DoorCounts, say: Words) -> Chart:
    rows = [
        Series(
            say(f"weekday.{weekday}"),
            [counts.by_hour[weekday, hour].told if (weekday, hour) in counts.by_hour else 0 for hour in range(_HOURS)],
        )
        for weekday in range(_WEEKDAYS)
    ]
    return Chart(
        title=say("access.by_hour"),
        kind="heat",
        unit="",
        places=[f"{hour:02}:00" for hour in range(_HOURS)],
        series=rows,
        note=say("access.blank", few=FEW),
    )


def _is_troubled(tally: DoorTally) -> bool:
    return _weigh(tally) > 0


def _weigh(tally: DoorTally) -> int:
    return tally.forced + tally.held + tally.faults


def _count_tickets(context: Context, period: Period, counts: DoorCounts) -> Mapping[str, int]:
    """Tickets of the period that are about a door."""
    found: dict[str, int] = {}
    if context.desk is None:
        return found
    with context.desk.read() as connection:
        tickets = list_tickets(connection, context.site.id, Filter(states=(), kind="incident"))
    for ticket in tickets:
        if ticket.subject_id in counts.doors and period.start <= ticket.opened_at < period.end:
            found[ticket.subject_id] = found.get(ticket.subject_id, 0) + 1
    return found
