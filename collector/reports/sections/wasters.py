"""The section on waste: the tickets that have cost most in the period."""

from collector.reports.document import Cell, Column, Section, Table
from collector.reports.sections.parts import DIGITS, find_unit
from collector.reports.study import Study
from collector.reports.wasters import Waster, find_wasters
from collector.reports.wording import Words
from tickets.titles import name_place
from tickets.wording import STATES


def describe_wasters(study: Study, say: Words) -> Section:
    """The ten dearest.

    Raises:
        DatabaseError: the desk cannot be read.
    """
    heading, context = say("heading.wasters"), study.context
    found = find_wasters(context, study.utility, study.timeline)
    if not found:
        return Section(heading=heading, paragraphs=[say("say.no_desk" if found is None else "say.no_wasters")])
    unit, currency = find_unit(study), context.rates.currency
    columns = [
        Column(say("ticket")),
        Column(say("what")),
        Column(say("place")),
        Column(say("state")),
        Column(say("used"), unit, DIGITS[study.utility]),
        Column(say("cost"), currency, 2),
        Column(say("carbon"), "kgCO2e", 0),
    ]

    def list_cells(waster: Waster) -> list[Cell]:
        ticket, cost = waster
        amount = cost.energy_kwh if study.utility == "electricity" else cost.water_m3
        return [
            ticket.number,
            ticket.title,
            name_place(ticket.place, context.site.places, say.language),
            STATES[ticket.state].pick(say.language),
            amount,
            cost.money if currency and not cost.unpriced_h else None,
            None if cost.unfactored_h else cost.carbon_kg,
        ]

    table = Table(
        title=say("table.wasters"),
        columns=columns,
        rows=[list_cells(each) for each in found],
        note=say("note.wasters"),
    )
    return Section(heading=heading, tables=[table])
