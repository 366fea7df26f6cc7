"""Alerts and tickets: over the curves that they belong to, by team and rule, and how promises are kept."""

from collector.dashboards import shared
from collector.dashboards.panels import BAD, GOOD, ODD, Column, bars, curves, figure, gauges, rows, steps
from collector.dashboards.query import DAILY, Query, ask, ask_values, within
from collector.dashboards.shared import ELECTRICITY, TOP, WATER
from collector.dashboards.sheet import Sheet

_PLACE = within("building")
_TEAM = within("team")
_KEPT = steps(BAD, (0.8, ODD), (0.95, GOOD))
_FIRING = "\"state\" = 'firing'"


def draw(sheet: Sheet) -> None:
    """Fills the dashboard."""
    sheet.narrow("alert", "building")
    sheet.choose("team", ask_values("desk", "team"))
    sheet.annotate()
    for field, mark in (("open", ODD), ("unowned", ODD), ("response_overdue", BAD), ("resolution_overdue", BAD)):
        question = Query(shared.tickets(field, "", _TEAM))
        sheet.add(field, figure(question, unit="short", limits=steps(GOOD, (1, mark)), interval="15m"), 6, 4)
    sheet.row("row.curves")
    load = Query(shared.hourly("energy_kwh", "building", ELECTRICITY, TOP, _PLACE), "$tag_building")
    sheet.add("load", curves(load, unit="kwatt", interval="1h", floor=0), 12, 9)
    flow = Query(shared.hourly("volume_m3", "building", WATER, TOP, _PLACE), "$tag_building")
    sheet.add("flow", curves(flow, unit=shared.FLOW, interval="1h", floor=0), 12, 9)
    _show_alerts(sheet)
    _show_tickets(sheet)
    _show_promises(sheet)


def _show_alerts(sheet: Sheet) -> None:
    sheet.row("row.alerts")
    shared.add_alerts(sheet, _PLACE, width=16)
    frequent = ask('count("title") AS "n"', "alert", _FIRING, _PLACE, by='"rule"')
    columns = (
        Column("rule", sheet.say("column.rule"), width=200),
        Column("n", sheet.say("column.count"), gauge=True),
    )
    sheet.add("rules", rows(Query(frequent), *columns, largest="n"), 8, 10)
    by_day = ask('count("title")', "alert", _FIRING, _PLACE, by=f'{DAILY}, "severity"', local=True)
    sheet.add("severities", bars(Query(by_day, "$tag_severity"), unit="short", interval="1d"), 12)
    lasting = ask('mean("duration_s")', "alert", "\"state\" = 'resolved'", _PLACE, by='"rule"')
    sheet.add("durations", gauges(Query(lasting, "$tag_rule"), unit="s"), 12)


def _show_tickets(sheet: Sheet) -> None:
    sheet.row("row.tickets")
    by_team = Query(shared.tickets("open", "team", _TEAM), "$tag_team")
    sheet.add("teams", curves(by_team, unit="short", interval="15m", floor=0), 8)
    by_priority = Query(shared.tickets("open", "priority", _TEAM), "$tag_priority")
    sheet.add("priorities", curves(by_priority, unit="short", interval="15m", floor=0), 8)
    by_kind = Query(shared.tickets("open", "kind", _TEAM), "$tag_kind")
    sheet.add("kinds", curves(by_kind, unit="short", interval="15m", floor=0), 8)
    sheet.add("steps", shared.show_tickets(sheet, _PLACE), 24, 10)


def _show_promises(sheet: Sheet) -> None:
    sheet.row("row.promises")
    for field in ("response_met_ratio", "resolution_met_ratio"):
        question = ask(f'mean("{field}")', "service", _TEAM, by='"team"')
        sheet.add(field, gauges(Query(question, "$tag_team"), unit="percentunit", limits=_KEPT, most=1), 8)
    flows = [
        Query(ask(f'sum("{field}")', "service", _TEAM, by=DAILY, local=True), sheet.say(field))
        for field in ("opened", "resolved")
    ]
    sheet.add("throughput", bars(*flows, unit="short", interval="1d", stacked=False), 8)
