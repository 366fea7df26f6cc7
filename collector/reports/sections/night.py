"""The section on night flow: what runs when hardly anybody needs water, which is where leaks show."""

from collections.abc import Sequence
from statistics import median

from collector.reports.document import Cell, Column, Figure, Section, Table
from collector.reports.sections.load import draw_heat
from collector.reports.sections.parts import find_share, name_meter
from collector.reports.study import Study
from collector.reports.timeline import HOURS_PER_QUARTER
from collector.reports.wording import Words, write_number

_FLOW = "m³/h"
_DIGITS = 3
_MOST = 10
"""Meters that are listed."""


def describe_night(study: Study, say: Words) -> Section:
    """The least that flows, by meter; the largest first."""
    hours = len(study.timeline) * HOURS_PER_QUARTER
    columns = [
        Column(say("meter")),
        Column(say("nights")),
        Column(say("median"), _FLOW, _DIGITS),
        Column(say("lowest"), _FLOW, _DIGITS),
        Column(say("highest"), _FLOW, _DIGITS),
        Column(say("all_day"), "m³", 1),
        Column(say("share"), "%", 1),
    ]
    flowing = [item for item in study.now.usages.items() if not item[1].nights or round(max(item[1].nights), _DIGITS)]
    flowing.sort(key=lambda item: _rank(item[1].nights), reverse=True)
    rows: list[list[Cell]] = []
    for id_, usage in flowing[:_MOST]:
        nights = usage.nights
        flow = median(nights) if nights else None
        amount = None if flow is None else flow * hours
        share = find_share(amount, usage.amount)
        lowest, highest = min(nights, default=None), max(nights, default=None)
        rows.append([name_meter(id_, study, say), len(nights), flow, lowest, highest, amount, share])
    begin, end = str(study.context.plan.night).split("-")
    notes = [say("note.night", begin=begin, end=end)]
    if smaller := [max(usage.nights) for _, usage in flowing[_MOST:] if usage.nights]:
        notes.append(say("note.smaller", count=len(smaller), highest=write_number(max(smaller), _DIGITS)))
    if resting := len(study.now.usages) - len(flowing):
        notes.append(say("note.resting", count=resting))
    table = Table(title=say("table.night"), columns=columns, rows=rows, note=say.tell(notes))
    return Section(
        heading=say("heading.night"),
        figures=[make_night_figure(study, say)],
        charts=[draw_heat(study.now, "chart.night", _FLOW, say)],
        tables=[table],
    )


def make_night_figure(study: Study, say: Words) -> Figure:
    """The least that flows on the whole site: the median of its nights."""
    now, before, year_before = (
        median(each.nights) if each.nights else None for each in (study.now, study.before, study.year_before)
    )
    is_over = study.timeline.is_over
    return Figure(
        label=say("night_flow"),
        value=now,
        unit=_FLOW,
        digits=_DIGITS,
        before=before if is_over else None,
        year_before=year_before if is_over else None,
        less_is_better=True,
    )


def _rank(nights: Sequence[float]) -> tuple[float, float]:
    """What runs in most nights comes first, then what ran in some, as a new leak does."""
    return (round(median(nights), _DIGITS), max(nights)) if nights else (-1.0, 0.0)
