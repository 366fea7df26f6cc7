"""Electricity: load, demand, what runs while nobody is there, power quality, losses between meters."""

from grafana_foundation_sdk.models.dashboard import Panel

from collector.dashboards import shared
from collector.dashboards.panels import BAD, GOOD, Column, bars, curves, figure, gauges, rows, steps
from collector.dashboards.query import DAILY, FINE, Query, ask, nest
from collector.dashboards.shared import BUILDING, DEVICE, ELECTRICITY, PLACE, ROLE
from collector.dashboards.sheet import COUNTED, Sheet

_DEMAND = "15m"
"""Demand is the mean power of a quarter of an hour, by which utilities bill."""

_PHASES = (1, 2, 3)
_SOURCE = "electricity_meter"
_CHOSEN = (ELECTRICITY, ROLE, PLACE)
_OFF_HOURS = 'sum("energy_off_hours_kwh") / sum("energy_kwh")'


def draw(sheet: Sheet) -> None:
    """Fills the dashboard."""
    sheet.narrow(_SOURCE, "building", "floor", "area", "device")
    sheet.choose_role("electricity")
    sheet.annotate()
    _show_figures(sheet)
    _show_load(sheet)
    _show_off_hours(sheet)
    _show_quality(sheet)
    _show_balance(sheet)


def _show_figures(sheet: Sheet) -> None:
    sheet.add("energy", figure(Query(shared.total("energy_kwh", *_CHOSEN)), unit="kwatth", decimals=0), 6, 4)
    sheet.add("cost", figure(Query(shared.total("cost", *_CHOSEN)), unit=shared.money(sheet), decimals=0), 6, 4)
    peak = nest('max("x")', 'sum("energy_kwh")', "consumption", *_CHOSEN, step="1h", each='"site"', by="")
    sheet.add("peak", figure(Query(peak), unit="kwatt", decimals=1), 6, 4)
    share = Query(ask(_OFF_HOURS, "consumption", *_CHOSEN))
    sheet.add("share", figure(share, unit="percentunit", limits=shared.OFF_HOURS, decimals=0), 6, 4)


def _show_load(sheet: Sheet) -> None:
    sheet.row("row.load")
    load = Query(shared.hourly("energy_kwh", "building", *_CHOSEN), BUILDING)
    sheet.add("load", curves(load, unit="kwatt", interval="1h", floor=0), 12)
    power = Query(ask('mean("power_kw")', _SOURCE, COUNTED, by=f'{FINE}, "device"'), DEVICE)
    sheet.add("power", curves(power, unit="kwatt", floor=0), 12)
    each = '"device"'
    demand = nest(
        'max("x")', 'mean("power_kw")', _SOURCE, COUNTED, step=_DEMAND, each=each, by=DAILY, keep=each, local=True
    )
    sheet.add("demand", bars(Query(demand, DEVICE), unit="kwatt", interval="1d", stacked=False), 12)
    shared.add_use(sheet, "electricity", "energy_kwh", "energy", "kwatth", 0, *_CHOSEN)


def _show_off_hours(sheet: Sheet) -> None:
    sheet.row("row.off_hours")
    spans = {
        "off_hours": 'sum("energy_off_hours_kwh")',
        "hours": 'sum("energy_kwh") - sum("energy_off_hours_kwh")',
    }
    queries = [
        Query(ask(field, "consumption", *_CHOSEN, by=DAILY, local=True), sheet.say(name))
        for name, field in spans.items()
    ]
    sheet.add("off_hours", bars(*queries, unit="kwatth", interval="1d"), 8)
    base = Query(shared.base("energy_kwh", "building", *_CHOSEN), BUILDING)
    sheet.add("base", curves(base, unit="kwatt", interval="1d", floor=0), 8)
    by_building = Query(ask(_OFF_HOURS, "consumption", *_CHOSEN, by='"building"'), BUILDING)
    sheet.add("shares", gauges(by_building, unit="percentunit", limits=shared.OFF_HOURS, most=1), 8)


def _show_quality(sheet: Sheet) -> None:
    sheet.row("row.quality")
    nominal = sheet.edition.voltage_v
    band = steps(BAD, (round(0.9 * nominal, 1), GOOD), (round(1.1 * nominal, 1), BAD))
    voltages = [_ask_mean(f"voltage_l{phase}_v", f"{DEVICE} L{phase}") for phase in _PHASES]
    voltages.append(_ask_mean("voltage_v", DEVICE))
    sheet.add("voltage", curves(*voltages, unit="volt", limits=band), 12)
    worst = ", ".join(
        f'{pick}("voltage_l{phase}_v") AS "{pick}{phase}"' for phase in _PHASES for pick in ("min", "max")
    )
    columns = [
        Column(f"{pick}{phase}", f"{sheet.say(f'column.{pick}')} L{phase}", unit="volt", limits=band)
        for phase in _PHASES
        for pick in ("min", "max")
    ]
    extremes = Query(ask(worst, _SOURCE, PLACE, by='"device"'))
    sheet.add("extremes", rows(extremes, Column("device", sheet.say("device"), width=160), *columns), 12)
    hertz = [
        Query(ask(f'{pick}("frequency_hz")', _SOURCE, PLACE, by=FINE), sheet.say(f"column.{pick}"))
        for pick in ("min", "max")
    ]
    mains = steps(BAD, (49.5, GOOD), (50.5, BAD))
    sheet.add("frequency", curves(*hertz, unit="hertz", limits=mains), 12)
    factor = steps(BAD, (0.9, GOOD))
    sheet.add("factor", curves(_ask_mean("power_factor", DEVICE), unit="none", limits=factor), 12)
    sheet.add("voltage.unbalance", _compare_phases("voltage_l{}_v", 0.02), 12)
    sheet.add("current.unbalance", _compare_phases("current_l{}_a", 0.15), 12)


def _ask_mean(point: str, legend: str) -> Query:
    return Query(ask(f'mean("{point}")', _SOURCE, PLACE, by=f'{FINE}, "device"'), legend)


def _compare_phases(point: str, limit: float) -> Panel:
    """How far each phase is from the mean of the three, as a share of it."""
    means = [f'mean("{point.format(phase)}")' for phase in _PHASES]
    mean = f"(({' + '.join(means)}) / 3)"
    queries = [
        Query(ask(f"({each} - {mean}) / {mean}", _SOURCE, PLACE, by=f'{FINE}, "device"'), f"{DEVICE} L{phase}")
        for phase, each in zip(_PHASES, means, strict=True)
    ]
    return curves(*queries, unit="percentunit", limits=steps(BAD, (-limit, GOOD), (limit, BAD)))


def _show_balance(sheet: Sheet) -> None:
    sheet.row("row.balance")
    shared.add_balance(sheet, "kwh", "kwatth", ELECTRICITY, PLACE)
