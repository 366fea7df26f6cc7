"""The water report: what water was used, where and when, what runs at night, and what it cost."""

from collector.reports.context import Context
from collector.reports.document import Report, Section
from collector.reports.period import Period
from collector.reports.sections.consumption import describe_consumption
from collector.reports.sections.cost import (
    describe_cost,
    make_carbon_figure,
    make_cost_figure,
    tell_factors,
    tell_prices,
    tell_worth,
)
from collector.reports.sections.load import explain_off_hours, list_off_hours, tell_off_hours
from collector.reports.sections.losses import describe_losses
from collector.reports.sections.night import describe_night, make_night_figure
from collector.reports.sections.parts import DIGITS, make_daily_figure, make_figure, note_known, tell_basis, tell_use
from collector.reports.sections.quality import describe_quality
from collector.reports.sections.wasters import describe_wasters
from collector.reports.study import Study, open_study
from collector.reports.wording import Words
from rules.localtime import show_time


def make_water(context: Context, period: Period) -> Report:
    """Makes the water report.

    Raises:
        StoreError: the database does not answer.
        DatabaseError: the desk cannot be read.
    """
    say = Words(context.language)
    study = open_study(context, period, "water")
    return Report(
        name="water",
        title=say("title.water", period=period),
        site=context.site_name,
        language=context.language,
        period=period,
        made=show_time(context.now, context.zone),
        sections=[
            _sum_up(study, say),
            describe_consumption(study, say),
            describe_night(study, say),
            describe_losses(study, say),
            describe_cost(study, say),
            describe_wasters(study, say),
            describe_quality(study, say("heading.quality"), say),
        ],
        remarks=[
            *tell_basis(study, say),
            explain_off_hours(study, say),
            *tell_prices(study, say),
            *tell_factors(study, say),
        ],
    )


def _sum_up(study: Study, say: Words) -> Section:
    digits, notes = DIGITS["water"], [note_known(study.now.known(), say)]
    figures = [
        make_figure(say("water"), study.compare(), "m³", digits=digits, budget=study.budget(), notes=notes),
        make_daily_figure(study, say),
        make_cost_figure(study, say),
        make_carbon_figure(study, say("scope3"), say),
        make_night_figure(study, say),
        *list_off_hours(study, say),
    ]
    told = [tell_use(study, say), say.tell([*tell_worth(study, say), *tell_off_hours(study, say)])]
    return Section(heading=say("heading.summary"), paragraphs=list(filter(None, told)), figures=figures)
