"""The energy report: what electricity was used, where and when, and what it cost."""

from collector.reports.context import Context
from collector.reports.document import Report
from collector.reports.period import Period
from collector.reports.sections.consumption import describe_consumption
from collector.reports.sections.cost import describe_cost, tell_factors, tell_prices
from collector.reports.sections.load import describe_load, explain_off_hours, make_peak_figure
from collector.reports.sections.losses import describe_losses
from collector.reports.sections.parts import bind, tell_basis
from collector.reports.sections.quality import describe_quality
from collector.reports.sections.summary import sum_up
from collector.reports.sections.wasters import describe_wasters
from collector.reports.sections.weather import describe_weather, tell_method
from collector.reports.study import open_study
from collector.reports.wording import Words


def make_energy(context: Context, period: Period) -> Report:
    """Makes the energy report.

    Raises:
        StoreError: the database does not answer.
        DatabaseError: the desk cannot be read.
    """
    say, study = Words(context.language), open_study(context, period, "electricity")
    sections = [
        sum_up(study, make_peak_figure(study, say), say),
        describe_consumption(study, say),
        describe_load(study, say),
        describe_weather(study, say),
        describe_cost(study, say),
        describe_losses(study, say),
        describe_wasters(study, say),
        describe_quality(study, say("heading.quality"), say),
    ]
    remarks = [
        *tell_basis(study, say),
        say("remark.load"),
        explain_off_hours(study, say),
        *tell_method(study, say),
        *tell_prices(study, say),
        *tell_factors(study, say),
    ]
    return bind("energy", context, period, sections, remarks)
