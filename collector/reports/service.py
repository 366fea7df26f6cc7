"""The service report: tickets, how fast they were answered and done, promises kept, ratings, causes and costs."""

from typing import NamedTuple

from collector.reports.context import Context
from collector.reports.document import Figure, Report, Section
from collector.reports.period import Period
from collector.reports.sections.desk import (
    HOUR,
    describe_causes,
    describe_promises,
    describe_ratings,
    describe_work,
    scale,
    share,
)
from collector.reports.sections.parts import bind
from collector.reports.servicecounts import ServiceCounts
from collector.reports.wording import Words, write_number, write_percent
from rules.localtime import show_time
from tickets.dispatch import Dispatch
from tickets.review import find_beginning, read_reviews

_PARTS = 3


class _Counted(NamedTuple):
    """The period, and the others where the desk had begun before them."""

    now: ServiceCounts
    before: ServiceCounts | None
    year_before: ServiceCounts | None


def make_service(context: Context, period: Period) -> Report:
    """Makes the service report.

    Raises:
        DatabaseError: the desk cannot be read.
    """
    say = Words(context.language)
    counted = _count_periods(context, period)
    remarks = [say(f"service.remark.{key}") for key in ("days", "hours", "promises", "ratings", "costs", "compare")]
    if period.end > context.now:
        remarks.append(say("remark.not_over", time=f"{show_time(context.now, context.zone):%Y-%m-%d %H:%M}"))
    sections = [Section(heading=say("heading.summary"), paragraphs=[say("say.no_desk")])]
    if counted is not None:
        now = counted.now
        sections = [_sum_up(counted, period, say)]
        if now.reviews:
            sections += [
                describe_work(context, period, now, say),
                describe_promises(context, now, say),
                describe_ratings(context, now, say),
                describe_causes(context, period, now, say),
            ]
    return bind("service", context, period, sections, remarks)


def _count_periods(context: Context, period: Period) -> _Counted | None:
    if context.desk is None:
        return None
    site = context.site
    dispatch = Dispatch(context.configuration.desk, site.calendars, context.zone)
    found: list[ServiceCounts | None] = []
    with context.desk.read() as connection:
        begins = find_beginning(connection, site.id)
        for number, each in enumerate((period, period.before(), period.year_before())):
            end = min(each.end, context.now)
            has_begun = begins is not None and begins < each.start and period.end <= context.now
            if number == 0 or has_begun:
                reviews = read_reviews(connection, site.id, each.start, end)
                found.append(ServiceCounts(reviews, dispatch, each.start, end, context.now))
            else:
                found.append(None)
            context.progress((number + 1) / _PARTS)
    now, before, year_before = found
    assert now is not None  # noqa: S101 - the period itself is always counted
    return _Counted(now, before, year_before)


def _sum_up(counted: _Counted, period: Period, say: Words) -> Section:
    now = counted.now
    told = [
        say(
            "service.say",
            period=period,
            opened=write_number(len(now.opened)),
            done=write_number(len(now.finished)),
            backlog=write_number(len(now.backlog)),
        )
    ]
    ratios = now.response_promises.ratio, now.resolution_promises.ratio
    if ratios[0] is not None and ratios[1] is not None:
        told.append(
            say("service.say_kept", response=write_percent(ratios[0], 0), resolution=write_percent(ratios[1], 0))
        )
    return Section(
        heading=say("heading.summary"),
        paragraphs=[say.tell(told)],
        figures=_list_figures(counted, say),
    )


_FIGURES: dict[str, tuple[str, int, bool | None]] = {
    "service.opened": ("", 0, None),
    "service.done": ("", 0, None),
    "service.backlog": ("", 0, True),
    "service.reopened": ("", 0, True),
    "service.response": ("h", 1, True),
    "service.response_most": ("h", 1, True),
    "service.resolution": ("h", 1, True),
    "service.resolution_most": ("h", 1, True),
    "service.response_kept": ("%", 0, False),
    "service.resolution_kept": ("%", 0, False),
    "service.satisfied": ("%", 0, False),
}
"""Unit, digits, and whether less is better."""


def _list_figures(counted: _Counted, say: Words) -> list[Figure]:
    notes = _list_notes(counted.now, say)
    now, *others = (None if each is None else _find_values(each) for each in counted)
    made = []
    for key, (unit, digits, less_is_better) in _FIGURES.items():
        before, year_before = (None if other is None else other[key] for other in others)
        made.append(
            Figure(
                label=say(key),
                value=now[key] if now else None,
                unit=unit,
                digits=digits,
                before=before,
                year_before=year_before,
                less_is_better=less_is_better,
                note=notes.get(key, ""),
            )
        )
    return made


def _find_values(counts: ServiceCounts) -> dict[str, float | None]:
    return {
        "service.opened": len(counts.opened),
        "service.done": len(counts.finished),
        "service.backlog": len(counts.backlog),
        "service.reopened": counts.reopened,
        "service.response": scale(counts.responses.median, HOUR),
        "service.response_most": scale(counts.responses.most, HOUR),
        "service.resolution": scale(counts.resolutions.median, HOUR),
        "service.resolution_most": scale(counts.resolutions.most, HOUR),
        "service.response_kept": share(counts.response_promises.ratio),
        "service.resolution_kept": share(counts.resolution_promises.ratio),
        "service.satisfied": share(counts.marks.satisfied),
    }


def _list_notes(counts: ServiceCounts, say: Words) -> dict[str, str]:
    """How many tickets a figure is made from."""
    if not (counts.opened or counts.finished):
        return {}
    answers = [say("service.answers_of", count=counts.responses.count)]
    waiting = len(counts.opened) - counts.responses.count
    if waiting:
        answers.append(say("service.unanswered", count=waiting))
    promises = {
        "service.response_kept": counts.response_promises,
        "service.resolution_kept": counts.resolution_promises,
    }
    return {
        "service.response": say.join(answers),
        "service.resolution": say("service.works_of", count=counts.resolutions.count),
        "service.satisfied": say("service.ratings_of", count=counts.marks.count),
        **{
            key: say("service.promises_of", kept=tally.kept, decided=tally.kept + tally.broken)
            for key, tally in promises.items()
        },
    }
