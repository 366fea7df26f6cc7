"""The site at a glance: what it used, what is wrong, who is there; from here one goes on to the other dashboards."""

from collector.dashboards import shared
from collector.dashboards.panels import BAD, GOOD, ODD, bars, curves, figure, gauges, steps
from collector.dashboards.query import Query, ask, within
from collector.dashboards.shared import ELECTRICITY, TOP, WATER
from collector.dashboards.sheet import Sheet

_PLACE = within("building")
_BUILDING = "$tag_building"


def draw(sheet: Sheet) -> None:
    """Fills the dashboard."""
    sheet.narrow("consumption", "building")
    sheet.annotate()
    _show_figures(sheet)
    sheet.row("row.use")
    load = Query(shared.hourly("energy_kwh", "building", ELECTRICITY, TOP, _PLACE), _BUILDING)
    sheet.add("load", curves(load, unit="kwatt", interval="1h", floor=0), 12)
    flow = Query(shared.hourly("volume_m3", "building", WATER, TOP, _PLACE), _BUILDING)
    sheet.add("flow", curves(flow, unit=shared.FLOW, interval="1h", floor=0), 12)
    energy = Query(shared.daily("energy_kwh", "building", ELECTRICITY, TOP, _PLACE), _BUILDING)
    sheet.add("energy.daily", bars(energy, unit="kwatth", interval="1d"), 12)
    volume = Query(shared.daily("volume_m3", "building", WATER, TOP, _PLACE), _BUILDING)
    sheet.add("volume.daily", bars(volume, unit=shared.CUBIC_METRES, interval="1d"), 12)
    sheet.row("row.people")
    present = Query(shared.people("building", _PLACE), _BUILDING)
    sheet.add("people", curves(present, unit="short", interval="15m", floor=0), 12)
    sheet.add("doors", bars(*_ask_doors(sheet), unit="short", interval="1h"), 12)
    sheet.row("row.wrong")
    shared.add_alerts(sheet, _PLACE, width=16)
    known = ask('mean("known_ratio")', "consumption", _PLACE, by='"building"')
    sheet.add("known", gauges(Query(known, _BUILDING), unit="percentunit", limits=shared.KNOWN, most=1), 8, 10)


def _show_figures(sheet: Sheet) -> None:
    figures = {
        "electricity": (shared.total("energy_kwh", ELECTRICITY, TOP, _PLACE), "kwatth", "electricity"),
        "water": (shared.total("volume_m3", WATER, TOP, _PLACE), shared.CUBIC_METRES, "water"),
        "cost": (shared.total("cost", TOP, _PLACE), shared.money(sheet), ""),
        "emissions": (shared.total("emissions_kgco2e", TOP, _PLACE), shared.EMISSIONS, ""),
    }
    for key, (question, unit, board) in figures.items():
        link = sheet.lead(board) if board else None
        sheet.add(key, figure(Query(question), unit=unit, decimals=0, link=link), 4, 4)
    for key, field, mark in (("tickets", "open", ODD), ("overdue", "resolution_overdue", BAD)):
        count = Query(shared.tickets(field))
        limits = steps(GOOD, (1, mark))
        panel = figure(count, unit="short", limits=limits, interval="15m", link=sheet.lead("desk"))
        sheet.add(key, panel, 4, 4)


def _ask_doors(sheet: Sheet) -> list[Query]:
    return [
        Query(shared.events(event, _PLACE), sheet.say(f"event.{event}"))
        for event in ("denied", "forced_open", "held_open")
    ]
