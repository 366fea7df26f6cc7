"""The carbon report: what the electricity and the water of a site have emitted, by the factors valid at each date."""

from collections.abc import Sequence
from dataclasses import replace

from collector.reports.context import Context, Progress
from collector.reports.document import Cell, Chart, Column, Figure, Report, Section, Series, Table
from collector.reports.period import Period
from collector.reports.sections.consumption import cut_bars, is_short
from collector.reports.sections.cost import SCOPES, make_carbon_figure, tell_factors
from collector.reports.sections.parts import DIGITS, bind, find_unit, head_compared, list_compared, name_of, tell_basis
from collector.reports.sections.quality import describe_quality
from collector.reports.study import Compared, Study, open_study
from collector.reports.wording import Words, write_number
from tickets.tariffs import CARBON


def make_carbon(context: Context, period: Period) -> Report:
    """Makes the carbon report.

    Raises:
        StoreError: the database does not answer.
    """
    say = Words(context.language)
    studies = [
        open_study(replace(context, progress=_share_progress(context.progress, number)), period, utility)
        for number, utility in enumerate(SCOPES)
    ]
    remarks = [say("remark.ghg")]
    for study in studies:
        remarks += [each for each in (*tell_factors(study, say), *tell_basis(study, say)) if each not in remarks]
    sections = [
        _sum_up(studies, say),
        Section(
            heading=say("heading.carbon"),
            charts=[_draw(studies, say)],
            tables=[_tabulate_sources(studies, say), _tabulate_buildings(studies, say)],
        ),
        *(
            describe_quality(study, say("heading.quality_of", what=say(study.utility)), say)
            for study in studies
            if study.now.usages
        ),
    ]
    return bind("carbon", context, period, sections, remarks)


def _share_progress(progress: Progress, number: int) -> Progress:
    """Each utility is a part of the work."""
    return lambda share: progress((number + share) / len(SCOPES))


def _add(found: Sequence[Compared]) -> Compared:
    """What is known of all; of the periods before only where all are."""
    now = [each.now for each in found if each.now is not None]
    before, year_before = (
        None if any(value is None for value in values) else sum(filter(None, values))
        for values in ([each.before for each in found], [each.year_before for each in found])
    )
    return Compared(sum(now) if now else None, before, year_before)


def _sum_up(studies: Sequence[Study], say: Words) -> Section:
    figures = [make_carbon_figure(study, say) for study in studies]
    total = _add([study.compare("carbon") for study in studies if study.now.usages])
    notes = list(dict.fromkeys(figure.note for figure in figures if figure.note))
    figure = Figure(
        label=say("carbon"),
        value=total.now,
        unit=CARBON,
        before=total.before,
        year_before=total.year_before,
        less_is_better=True,
        note="; ".join(notes),
    )
    context, period = studies[0].context, studies[0].period
    told = (
        say("say.nothing", period=period)
        if total.now is None
        else say("say.carbon_total", site=context.site_name, carbon=write_number(total.now), period=period)
    )
    return Section(heading=say("heading.summary"), paragraphs=[told], figures=[figure, *figures])


def _draw(studies: Sequence[Study], say: Words) -> Chart:
    places, series = cut_bars(studies[0].timeline, studies[0].now.total, studies[0].now)[0], []
    for study in studies:
        if study.now.covered("carbon"):
            _, bars = cut_bars(study.timeline, study.now.total * study.values.factor, study.now)
            series.append(Series(say(study.utility), bars))
    key = "chart.carbon_days" if is_short(studies[0]) else "chart.carbon_months"
    return Chart(title=say(key), kind="stacked", unit=CARBON, places=places, series=series)


def _tabulate_sources(studies: Sequence[Study], say: Words) -> Table:
    columns = [
        Column(say("source")),
        Column(say("used")),
        *head_compared(say("carbon"), CARBON, 0, say),
        Column(say("known"), "%", 1),
    ]
    whole = _add([study.compare("carbon") for study in studies])

    def list_cells(name: str, amount: str, found: Compared, known: float | None) -> list[Cell]:
        return [name, amount, *list_compared(found, whole.now), known]

    rows = []
    for study in studies:
        amount = study.now.find()
        written = say("nobody_knows") if amount is None else f"{amount:,.{DIGITS[study.utility]}f} {find_unit(study)}"
        rows.append(list_cells(say(SCOPES[study.utility]), written, study.compare("carbon"), study.now.known() * 100))
    return Table(
        title=say("table.sources"), columns=columns, rows=rows, total=list_cells(say("total"), "", whole, None)
    )


def _tabulate_buildings(studies: Sequence[Study], say: Words) -> Table:
    columns = [
        Column(say("building")),
        *(Column(say(study.utility), CARBON, 0) for study in studies),
        Column(say("total"), CARBON, 0),
    ]
    buildings = dict.fromkeys(place for study in studies for place in study.now.plant.places if len(place) == 1)

    def list_cells(name: str, place: Sequence[str]) -> list[Cell]:
        found = [study.compare("carbon", place) for study in studies]
        return [name, *(each.now for each in found), _add(found).now]

    rows = [list_cells(name_of(place, studies[0], say), place) for place in buildings]
    return Table(title=say("table.buildings"), columns=columns, rows=rows, total=list_cells(say("total"), ()))
