"""Doors: who may not enter, doors that were forced or held, how many people are where and when."""

from collector.dashboards import shared
from collector.dashboards.panels import BAD, GOOD, ODD, Column, bars, curves, figure, rows, steps, week
from collector.dashboards.query import Query, ask, within
from collector.dashboards.shared import PLACE
from collector.dashboards.sheet import Sheet

_SOURCE = "door"
_AREA = "$tag_building $tag_floor $tag_area"
_FIGURES = {"granted": steps("blue"), "denied": steps(GOOD, (1, ODD)), "forced_open": steps(GOOD, (1, BAD))}
_FIGURES["held_open"] = steps(GOOD, (1, ODD))
_MARKED = "denied|forced_open|held_open|tamper|lock_fault|passback|duress|emergency_release"
_EVENT_COLOURS = {"denied": "orange", "held_open": "orange", "forced_open": "red", "duress": "red", "tamper": "red"}


def draw(sheet: Sheet) -> None:
    """Fills the dashboard."""
    sheet.narrow(_SOURCE, "building", "floor", "area", "device")
    sheet.annotate()
    for event, limits in _FIGURES.items():
        question = Query(shared.events(event, PLACE, by=""))
        sheet.add(event, figure(question, unit="short", limits=limits, empty="0"), 6, 4)
    sheet.row("row.events")
    passages = [
        Query(shared.events(event, PLACE), sheet.say(f"event.{event}"))
        for event in ("granted", "exit_request", "denied", "forced_open", "held_open")
    ]
    sheet.add("events", bars(*passages, unit="short", interval="1h"), 12)
    _show_doors(sheet)
    _list_events(sheet)
    sheet.row("row.people")
    where = within("building", "floor", "area")
    keep = '"building", "floor", "area"'
    present = ask('mean("people")', "occupancy", where, by=f"time($__interval), {keep}")
    sheet.add("people", curves(Query(present, _AREA), unit="short", interval="15m", floor=0), 12)
    largest = ask('max("people") AS "most", mean("people") AS "mean"', "occupancy", where, by=keep)
    columns = (
        *(Column(place, sheet.say(place)) for place in ("building", "floor", "area")),
        Column("most", sheet.say("column.most"), gauge=True),
        Column("mean", sheet.say("column.mean"), unit="none", width=90),
    )
    sheet.add("areas", rows(Query(largest), *columns, largest="most"), 12)
    sheet.row("row.week")
    entries = "\"event\" = 'granted'"
    heat = ask('count("event") AS "n"', _SOURCE, entries, PLACE, by="time(1h)", fill="0", local=True)
    sheet.add("week", week(Query(heat), 0, sheet.days(), sheet.say("week.entries"), sheet.zone), 24, 10)


def _show_doors(sheet: Sheet) -> None:
    """Doors with the most of what ought not to be."""
    doors = ask('count("event") AS "n"', _SOURCE, f'"event" =~ /^({_MARKED})$/', PLACE, by='"device"')
    columns = (
        Column("device", sheet.say("door"), link=sheet.link("access", device="${__value.raw}"), width=200),
        Column("n", sheet.say("column.count"), gauge=True),
    )
    sheet.add("doors", rows(Query(doors), *columns, largest="n"), 12)


def _list_events(sheet: Sheet) -> None:
    fields = '"device", "event", "direction", "reason"'
    question = ask(fields, _SOURCE, f'"event" =~ /^({_MARKED})$/', PLACE, newest=100)
    columns = (
        Column("Time", sheet.say("column.time"), width=160),
        Column("device", sheet.say("door")),
        Column("event", sheet.say("column.event"), colours=_EVENT_COLOURS),
        Column("direction", sheet.say("column.direction"), width=90),
        Column("reason", sheet.say("column.reason")),
    )
    sheet.add("list", rows(Query(question), *columns), 12, 10)
    denied = Query(
        ask('count("event")', _SOURCE, "\"event\" = 'denied'", PLACE, by='time($__interval), "device"'),
        "$tag_device",
    )
    sheet.add("denied.doors", bars(denied, unit="short", interval="1h"), 12, 10)
