"""The section on consumption: by place and category, against other periods and the budget, and day by day."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time

import numpy as np

from collector.reports.document import Cell, Chart, Column, Section, Series, Table
from collector.reports.metering import Metered
from collector.reports.sections.parts import (
    DIGITS,
    find_share,
    find_unit,
    head_compared,
    list_compared,
    name_category,
    name_of,
    note_known,
    note_priced,
)
from collector.reports.study import Study
from collector.reports.timeline import Floats, Timeline
from collector.reports.wording import Words

DAYS_MOST = 92
"""Longer periods are drawn by month."""

_LEVELS = ("table.floors", "table.areas")


def describe_consumption(study: Study, say: Words) -> Section:
    """Where and for what it was used."""
    tables = [_tabulate_buildings(study, say)]
    for level, key in enumerate(_LEVELS, 2):
        if any(len(place) == level for place in study.now.plant.places):
            tables.append(_tabulate_level(study, level, say(key), say))
    if study.context.plan.categories is not None and set(study.now.plant.categories.values()) - {None}:
        tables += [_tabulate_categories(study, say), _tabulate_matrix(study, say)]
    tables.append(_tabulate_budgets(study, say))
    return Section(
        heading=say("heading.consumption"),
        charts=[draw_use(study, say)],
        tables=[table for table in tables if table.rows],
    )


def _tabulate_buildings(study: Study, say: Words) -> Table:
    now, currency = study.now, study.context.rates.currency
    columns = [
        Column(say("building")),
        *_head_budgeted(study, say),
        *([Column(say("cost"), currency, 0)] if currency else []),
        Column(say("known"), "%", 1),
    ]

    def list_cells(name: str, place: Sequence[str]) -> list[Cell]:
        cost: list[Cell] = [now.find(place, weight="cost")] if currency else []
        return [name, *_list_budgeted(study, place, ""), *cost, now.known(place) * 100]

    rows = [list_cells(name_of(place, study, say), place) for place in now.plant.places if len(place) == 1]
    rest = _find_rest(now, ())
    if rows and rest is not None:
        blank: list[Cell] = [None] * (len(columns) - 3)
        rows.append([say("rest", place=say("site")), rest, find_share(rest, now.find()), *blank])
    total = list_cells(say("total"), ())
    note = "; ".join(filter(None, (note_known(now.known(), say), note_priced(study, say))))
    return Table(title=say("table.buildings"), columns=columns, rows=rows, total=total, note=note)


def _head_budgeted(study: Study, say: Words) -> list[Column]:
    unit, digits = find_unit(study), DIGITS[study.utility]
    return [*head_compared(say("used"), unit, digits, say), Column(say("budget"), unit, digits)]


def _list_budgeted(study: Study, place: Sequence[str], category: str | None) -> list[Cell]:
    """What a place or a category used, beside the other periods and its budget."""
    building = place[0] if place else None
    budget = None if category is None else study.budget(building, category or None)
    return [*list_compared(study.compare("amount", place, category), study.now.find()), budget]


def _tabulate_level(study: Study, level: int, title: str, say: Words) -> Table:
    """Every place of a level, and what larger ones have that is in none of these: together they are the total."""
    unit, digits, now = find_unit(study), DIGITS[study.utility], study.now
    columns = [
        Column(say("place")),
        Column(say("used"), unit, digits),
        Column(say("share"), "%", 1),
        Column(say("known"), "%", 1),
    ]
    whole = now.find()
    rows: list[list[Cell]] = []
    for place in ((), *now.plant.places):
        if len(place) == level:
            amount = now.find(place)
            cells: list[Cell] = [name_of(place, study, say), amount, find_share(amount, whole), now.known(place) * 100]
            rows.append(cells)
        elif len(place) < level and (rest := _find_rest(now, place)) is not None:
            rows.append([say("rest", place=name_of(place, study, say)), rest, find_share(rest, whole), None])
    total: list[Cell] = [say("total"), whole, find_share(whole, whole), now.known() * 100]
    return Table(title=title, columns=columns, rows=rows, total=total, note=say("note.adds"))


def _find_rest(metered: Metered, place: tuple[str, ...]) -> float | None:
    """What the meters that measure a place as a whole have beyond their sub-meters; None where there are none."""
    its = [usage for id_, usage in metered.usages.items() if metered.plant.scopes[id_] == place]
    return sum(float(usage.own[0]) for usage in its) if any(usage.known for usage in its) else None


def _list_categories(study: Study) -> list[str | None]:
    """Those that any meter has, in the order of reports.yaml; what has none comes last."""
    plan, used = study.context.plan.categories, set(study.now.plant.categories.values())
    return [*(name for name in (plan.groups if plan else ()) if name in used), *([None] if None in used else [])]


def _tabulate_categories(study: Study, say: Words) -> Table:
    columns = [Column(say("category")), *_head_budgeted(study, say), Column(say("known"), "%", 1)]

    def list_cells(name: str, category: str | None) -> list[Cell]:
        return [name, *_list_budgeted(study, (), category), study.now.known((), category) * 100]

    rows = [list_cells(name_category(each, study, say), each) for each in _list_categories(study)]
    return Table(
        title=say("table.categories"),
        columns=columns,
        rows=rows,
        total=list_cells(say("total"), ""),
        note=say("note.adds"),
    )


def _tabulate_matrix(study: Study, say: Words) -> Table:
    unit, digits, now = find_unit(study), DIGITS[study.utility], study.now
    buildings = [place for place in now.plant.places if len(place) == 1]
    columns = [Column(say("category")), *(Column(name_of(place, study, say), unit, digits) for place in buildings)]

    def list_cells(name: str, category: str | None) -> list[Cell]:
        return [name, *(now.find(place, category) for place in buildings)]

    rows = [list_cells(name_category(each, study, say), each) for each in _list_categories(study)]
    return Table(title=say("table.matrix"), columns=columns, rows=rows, total=list_cells(say("total"), ""))


def _tabulate_budgets(study: Study, say: Words) -> Table:
    """Every budget that holds in the period, and how much of it is used."""
    unit, digits, now = find_unit(study), DIGITS[study.utility], study.now
    columns = [
        Column(say("building")),
        Column(say("category")),
        Column(say("budget"), unit, digits),
        Column(say("used"), unit, digits),
        Column(say("share"), "%", 1),
        Column(say("known"), "%", 1),
    ]
    rows: list[list[Cell]] = []
    budgets = study.context.plan.budgets
    note = "" if all(each.per == study.period.length for each in budgets) else say("note.budget")
    for building, category in dict.fromkeys((each.building, each.category) for each in budgets):
        budget = study.budget(building, category)
        if budget is not None:
            place, which = ((building,) if building else ()), category or ""
            used = now.find(place, which)
            name = name_category(category, study, say) if category else say("all")
            known = now.known(place, which) * 100
            rows.append([name_of(place, study, say), name, budget, used, find_share(used, budget), known])
    return Table(title=say("table.budgets"), columns=columns, rows=rows, note=note)


# ── pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def draw_use(study: Study, say: Words) -> Chart:
    """Consumption by day, or by month of a long period, beside that of a year before."""
    places, now = cut_bars(study.timeline, study.now.total, study.now)
    _, then = cut_bars(study.year_before.timeline, study.year_before.total, study.year_before)
    then = [*then, *([None] * len(now))][: len(now)]  # February has 28 days or 29
    series = [Series(str(study.period), now)]
    if any(value is not None for value in then):
        series.append(Series(str(study.period.year_before()), then))
    key = "chart.days" if is_short(study) else "chart.months"
    return Chart(title=say(key), kind="bars", unit=find_unit(study), places=places, series=series)


def is_short(study: Study) -> bool:
    """Whether a period is drawn by day."""
    return study.period.days <= DAYS_MOST


def cut_bars(timeline: Timeline, amounts: Floats, metered: Metered) -> tuple[list[datetime], list[float | None]]:
    """Amounts by day, or by month of a long period; None where nothing is known."""
    by_day = timeline.sum_by_day(amounts) if len(timeline) else np.zeros(len(timeline.days))
    known = timeline.sum_by_day(metered.certain + (metered.total > 0)) if len(timeline) else by_day
    bars = [None if not sure else float(value) for value, sure in zip(by_day, known, strict=True)]
    starts = [datetime.combine(day, time(), timeline.zone) for day in timeline.days]
    if timeline.period.days <= DAYS_MOST:
        return starts, bars
    return _join_months(starts, bars)


def _join_months(starts: list[datetime], bars: list[float | None]) -> tuple[list[datetime], list[float | None]]:
    firsts = [number for number, start in enumerate(starts) if not number or start.month != starts[number - 1].month]
    sums = list(_sum_runs(firsts, bars))
    return [starts[first] for first in firsts], sums


def _sum_runs(firsts: list[int], bars: list[float | None]) -> Iterator[float | None]:
    for first, after in zip(firsts, [*firsts[1:], len(bars)], strict=True):
        known = [bar for bar in bars[first:after] if bar is not None]
        yield sum(known) if known else None
