"""The energy report: what electricity was used, where and when, and what it cost."""

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
from collector.reports.sections.load import (
    describe_load,
    explain_off_hours,
    list_off_hours,
    make_peak_figure,
    tell_off_hours,
)
from collector.reports.sections.losses import describe_losses
from collector.reports.sections.parts import make_daily_figure, make_figure, note_known, tell_basis, tell_use
from collector.reports.sections.quality import describe_quality
from collector.reports.sections.wasters import describe_wasters
from collector.reports.sections.weather import describe_weather, tell_method
from collector.reports.study import Study, open_study
from collector.reports.wording import Words
from rules.localtime import show_time


def make_energy(context: Context, period: Period) -> Report:
    """Makes the energy report.

    Raises:
        StoreError: the database does not answer.
        DatabaseError: the desk cannot be read.
    """
    say = Words(context.language)
    study = open_study(context, period, "electricity")
    return Report(
        name="energy",
        title=say("title.energy", period=period),
        site=context.site_name,
        language=context.language,
        period=period,
        made=show_time(context.now, context.zone),
        sections=[
            _sum_up(study, say),
            describe_consumption(study, say),
            describe_load(study, say),
            describe_weather(study, say),
            describe_cost(study, say),
            describe_losses(study, say),
            describe_wasters(study, say),
            describe_quality(study, say("heading.quality"), say),
        ],
        remarks=[
            *tell_basis(study, say),
            say("remark.load"),
            explain_off_hours(study, say),
            *tell_method(study, say),
            *tell_prices(study, say),
            *tell_factors(study, say),
        ],
    )


def _sum_up(study: Study, say: Words) -> Section:
    notes = [note_known(study.now.known(), say)]
    told = [tell_use(study, say), say.tell([*tell_worth(study, say), *tell_off_hours(study, say)])]
    return Section(
        heading=say("heading.summary"),
        paragraphs=list(filter(None, told)),
        figures=[
            make_figure(say("electricity"), study.compare(), "kWh", budget=study.budget(), notes=notes),
            make_daily_figure(study, say),
            make_cost_figure(study, say),
            make_carbon_figure(study, say("scope2"), say),
            make_peak_figure(study, say),
            *list_off_hours(study, say),
        ],
    )
