"""The section on cost: what was paid for, by the prices that held at each hour."""

from collections.abc import Mapping

from collector.reports.document import Cell, Chart, Column, Figure, Section, Series, Table
from collector.reports.sections.consumption import cut_bars, is_short
from collector.reports.sections.parts import ALL, DIGITS, find_share, find_unit, make_figure, note_known, note_priced
from collector.reports.study import Study
from collector.reports.wording import Words, write_number, write_percent
from tickets.tariffs import CARBON, Utility

SCOPES: Mapping[Utility, str] = {"electricity": "scope2", "water": "scope3"}
"""After the GHG Protocol."""


def describe_cost(study: Study, say: Words) -> Section:
    """What it cost, by band and by day."""
    heading = say("heading.cost")
    if not study.now.covered("cost"):
        return Section(heading=heading, paragraphs=[say("say.no_prices")])
    _, now = cut_bars(study.timeline, study.now.total * study.values.price, study.now)
    places, _ = cut_bars(study.timeline, study.now.total, study.now)
    currency = study.context.rates.currency
    key = "chart.cost_days" if is_short(study) else "chart.cost_months"
    chart = Chart(title=say(key), kind="bars", unit=currency, places=places, series=[Series(str(study.period), now)])
    has_bands = len(study.values.bands) > 1 or note_priced(study, say)
    tables = [_tabulate_bands(study, say)] if has_bands else []
    return Section(heading=heading, charts=[chart], tables=tables)


def make_cost_figure(study: Study, say: Words) -> Figure:
    """What it cost; not known where there is no price."""
    notes = [note_known(study.now.known(), say), note_priced(study, say)]
    return make_figure(say("cost"), study.compare("cost"), study.context.rates.currency, notes=notes)


def make_carbon_figure(study: Study, say: Words) -> Figure:
    """What it emitted, by its scope; not known where there is no factor."""
    share = study.now.covered("carbon")
    partly = say("note.factored", share=write_percent(share)) if 0 < share < ALL else ""
    label = say(SCOPES[study.utility])
    return make_figure(label, study.compare("carbon"), CARBON, notes=[note_known(study.now.known(), say), partly])


def tell_worth(study: Study, say: Words) -> list[str]:
    """What it cost and emitted, in sentences."""
    now, currency, told = study.now, study.context.rates.currency, []
    if now.covered("cost"):
        told.append(say("say.cost", money=write_number(now.sum("cost")), currency=currency))
    if now.covered("carbon"):
        told.append(say("say.carbon", carbon=write_number(now.sum("carbon"))))
    return told


def _tabulate_bands(study: Study, say: Words) -> Table:
    """Bands add up to the total: each has the part of a quarter of an hour in which it holds."""
    unit, digits, now = find_unit(study), DIGITS[study.utility], study.now
    currency = study.context.rates.currency
    columns = [
        Column(say("band")),
        Column(say("used"), unit, digits),
        Column(say("share"), "%", 1),
        Column(say("price"), f"{currency}/{unit}", 4),
        Column(say("cost"), currency, 2),
        Column(say("share"), "%", 1),
    ]
    whole, money = now.sum(), now.sum("cost")

    def list_cells(name: str, amount: float, cost: float | None) -> list[Cell]:
        price = cost / amount if cost is not None and amount > 0 else None
        return [name, amount, find_share(amount, whole), price, cost, find_share(cost, money)]

    rows = [
        list_cells(name or say("own_price"), now.sum(f"band {name}"), now.sum(f"cost {name}"))
        for name in study.values.bands
    ]
    unpriced = whole - now.sum("priced")
    if unpriced > (1 - ALL) * whole:
        rows.append(list_cells(say("unpriced"), unpriced, None))
    return Table(
        title=say("table.bands"),
        columns=columns,
        rows=rows,
        total=list_cells(say("total"), whole, money),
        note=note_known(now.known(), say),
    )


def tell_prices(study: Study, say: Words) -> list[str]:
    """Which prices were taken, for the last page."""
    return [say("remark.tariff")] if study.now.covered("cost") else []


def tell_factors(study: Study, say: Words) -> list[str]:
    """Which emission factors were taken and who published them, for the last page."""
    entries = getattr(study.context.configuration.tariffs.emissions, study.utility)
    days = study.timeline.days
    return [
        say("remark.factor", first=entry.from_, factor=entry.factor, source=entry.source or say("remark.no_source"))
        for entry in entries
        if any(entry.holds_on(day) for day in days)
    ]
