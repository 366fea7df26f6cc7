"""Water: consumption, flow, the night flow that tells of leaks, what meters report, losses between meters."""

from collector.dashboards import shared
from collector.dashboards.panels import BAD, GOOD, ODD, Column, bars, curves, figure, rows, steps
from collector.dashboards.query import DAILY, FINE, Query, ask, nest, within
from collector.dashboards.shared import BUILDING, CUBIC_METRES, DEVICE, FLOW, PLACE, ROLE, WATER
from collector.dashboards.sheet import COUNTED, Sheet

_SOURCE = "water_meter"
_CHOSEN = (WATER, ROLE, PLACE)
_WHOLE = '"known_ratio" > 0.99'
"""Hours that are known; of one that is not, too little was counted."""

_NIGHT_FLOWS = steps(GOOD, (0.012, ODD), (0.4, BAD))
"""A dripping tap, and more than a large building lets pass by night, m³/h; as the rule water-runs-at-night has it."""


def draw(sheet: Sheet) -> None:
    """Fills the dashboard."""
    sheet.narrow(_SOURCE, "building", "floor", "area", "device")
    sheet.choose_role("water")
    sheet.annotate()
    _show_figures(sheet)
    _show_flow(sheet)
    _show_leaks(sheet)
    sheet.row("row.balance")
    shared.add_balance(sheet, "m3", CUBIC_METRES, WATER, PLACE)


def _show_figures(sheet: Sheet) -> None:
    sheet.add("volume", figure(Query(shared.total("volume_m3", *_CHOSEN)), unit=CUBIC_METRES, decimals=1), 6, 4)
    sheet.add("cost", figure(Query(shared.total("cost", *_CHOSEN)), unit=shared.money(sheet), decimals=0), 6, 4)
    share = ask('sum("volume_off_hours_m3") / sum("volume_m3")', "consumption", *_CHOSEN)
    sheet.add("share", figure(Query(share), unit="percentunit", limits=shared.OFF_HOURS, decimals=0), 6, 4)
    reported = ask('count("leak")', _SOURCE, '"leak" = true', PLACE)
    sheet.add("leak", figure(Query(reported), unit="short", limits=steps(BAD), empty="0"), 6, 4)


def _show_flow(sheet: Sheet) -> None:
    sheet.row("row.flow")
    flow = Query(ask('mean("flow_m3_per_h")', _SOURCE, COUNTED, by=f'{FINE}, "device"'), DEVICE)
    sheet.add("flow", curves(flow, unit=FLOW, floor=0), 12)
    volume = Query(shared.daily("volume_m3", "building", *_CHOSEN), BUILDING)
    sheet.add("daily", bars(volume, unit=CUBIC_METRES, interval="1d"), 12)
    pressure = Query(ask('mean("pressure_bar")', _SOURCE, COUNTED, by=f'{FINE}, "device"'), DEVICE)
    sheet.add("pressure", curves(pressure, unit="pressurebar"), 12)
    shared.add_use(sheet, "water", "volume_m3", "volume", CUBIC_METRES, 1, *_CHOSEN)


def _show_leaks(sheet: Sheet) -> None:
    sheet.row("row.leaks")
    night = Query(shared.base("volume_m3", "device", _WHOLE, *_CHOSEN), DEVICE)
    sheet.add("night", curves(night, unit=FLOW, interval="1d", floor=0, limits=_NIGHT_FLOWS), 12)
    each = '"device"'
    quietest = nest(
        'min("x") AS "least"',
        'sum("volume_m3")',
        "consumption",
        _WHOLE,
        WATER,
        PLACE,
        step="1h",
        each=each,
        by="",
        keep=each,
    )
    columns = (
        Column("device", sheet.say("device"), width=200),
        Column("least", sheet.say("column.least"), unit=FLOW, limits=_NIGHT_FLOWS),
    )
    sheet.add("never", rows(Query(quietest), *columns, largest="least"), 12)
    plumbing = shared.show_tickets(sheet, "\"category\" = 'plumbing'", within("building", "floor", "area"))
    sheet.add("tickets", plumbing, 16, 10)
    rise = 'max("backflow_m3") - min("backflow_m3")'
    backwards = Query(ask(rise, _SOURCE, PLACE, by=f'{DAILY}, "device"', local=True), DEVICE)
    sheet.add("backflow", bars(backwards, unit=CUBIC_METRES, interval="1d"), 8, 10)
