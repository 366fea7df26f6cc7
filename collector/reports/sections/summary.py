"""The section that sums up what a utility's meters counted: the first of its report, which many read alone."""

from collector.reports.document import Figure, Section
from collector.reports.sections.cost import make_carbon_figure, make_cost_figure, tell_worth
from collector.reports.sections.load import list_off_hours, tell_off_hours
from collector.reports.sections.parts import (
    DIGITS,
    find_unit,
    make_daily_figure,
    make_figure,
    note_known,
    tell_use,
)
from collector.reports.study import Study
from collector.reports.wording import Words


def sum_up(study: Study, own: Figure, say: Words) -> Section:
    """How much, what it cost and emitted, and when.

    Args:
        study: of the utility.
        own: the figure that only this utility has.
        say: words.
    """
    unit, digits, notes = find_unit(study), DIGITS[study.utility], [note_known(study.now.known(), say)]
    budget = study.budget() if study.timeline.is_over else None  # until then, the sentence alone tells of it
    told = [tell_use(study, say), say.tell([*tell_worth(study, say), *tell_off_hours(study, say)])]
    return Section(
        heading=say("heading.summary"),
        paragraphs=list(filter(None, told)),
        figures=[
            make_figure(say(study.utility), study.compare(), unit, digits=digits, budget=budget, notes=notes),
            make_daily_figure(study, say),
            make_cost_figure(study, say),
            make_carbon_figure(study, say),
            own,
            *list_off_hours(study, say),
        ],
    )
