"""Sections on the desk's work: tickets by team, category and kind, speed and promises, ratings, causes and costs."""

from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from itertools import pairwise

from collector.reports.context import Context
from collector.reports.document import Cell, Chart, Column, Section, Series, Table
from collector.reports.period import Period
from collector.reports.sections.consumption import DAYS_MOST
from collector.reports.servicecounts import ServiceCounts
from collector.reports.timeline import Timeline
from collector.reports.wasters import MOST, Waster, find_wasters
from collector.reports.wording import Words
from devices.durations import NANOSECONDS
from rules.localtime import find_midnight
from tickets.priority import PRIORITIES
from tickets.ticket import Ticket
from tickets.titles import name_place
from tickets.wording import KINDS, STATES

HOUR = NANOSECONDS["h"]
_DAY = timedelta(days=1)
_MOST_RULES = 10


def scale(value: float | None, unit: int) -> float | None:
    """A time in a unit; None stays."""
    return None if value is None else value / unit


def share(ratio: float | None) -> float | None:
    """A ratio in per cent; None stays."""
    return None if ratio is None else ratio * 100


def describe_work(context: Context, period: Period, counts: ServiceCounts, say: Words) -> Section:
    """How many tickets there were, and whose."""
    plan = context.configuration.desk
    namers: Mapping[str, Callable[[str], str]] = {
        "team": lambda team: name_team(context, team, say),
        "category": lambda name: plan.category(name).name.pick(say.language, name) if name in plan.categories else name,
        "kind": lambda kind: KINDS[kind].pick(say.language),  # type: ignore[index] # a kind
    }
    heads = {"team": "service.team", "category": "service.category", "kind": "service.kind"}
    tables = []
    for name, namer in namers.items():
        columns = [
            Column(say(heads[name])),
            *(Column(say(f"service.{key}")) for key in ("opened", "done", "backlog", "reopened")),
        ]
        rows: list[list[Cell]] = [
            [namer(key), *_count_cells(counts.pick(_choose(name, key)))] for key in counts.find_keys(name)
        ]
        total: list[Cell] = [say("total"), *_count_cells(counts)]
        tables.append(Table(title=say(f"service.by_{name}"), columns=columns, rows=rows, total=total))
    return Section(heading=say("heading.work"), charts=[_draw_days(period, counts, say)], tables=tables)


def describe_promises(context: Context, counts: ServiceCounts, say: Words) -> Section:
    """How fast the desk was, and whether that was what it had promised."""
    teams = counts.find_keys("team")
    parts = [counts.pick(_choose("team", team)) for team in teams]
    names = [name_team(context, team, say) for team in teams]
    speeds = ("response", "response_most", "resolution", "resolution_most")
    promises = ("response_kept", "resolution_kept")
    columns = [
        *(Column(say(f"service.{key}"), "h", 1) for key in speeds),
        *(Column(say(f"service.{key}"), "%", 0) for key in promises),
    ]
    by_team = Table(
        title=say("service.speed_by_team"),
        columns=[Column(say("service.team")), *columns],
        rows=[[name, *_speed_cells(part)] for name, part in zip(names, parts, strict=True)],
        total=[say("total"), *_speed_cells(counts)],
    )
    levels = sorted({each.ticket.priority for each in counts.opened})
    by_priority = Table(
        title=say("service.by_priority"),
        columns=[Column(say("service.priority")), Column(say("service.opened")), *columns],
        rows=[
            [PRIORITIES[level - 1], len(part.opened), *_speed_cells(part)]
            for level, part in ((level, counts.pick(_choose("priority", level))) for level in levels)
        ],
    )
    chart = Chart(
        title=say("service.kept_by_team"),
        kind="stacked",
        unit="",
        places=names,
        series=[
            Series(say("service.kept"), [part.resolution_promises.kept for part in parts]),
            Series(say("service.broken"), [part.resolution_promises.broken for part in parts]),
        ],
    )
    has_promises = any(counts.resolution_promises)
    return Section(
        heading=say("heading.promises"),
        charts=[chart] if has_promises else [],
        tables=[table for table in (by_team, by_priority) if table.rows],
    )


def describe_ratings(context: Context, counts: ServiceCounts, say: Words) -> Section:
    """How people who asked for something were served."""
    heading = say("heading.ratings")
    if not counts.marks.count:
        return Section(heading=heading, paragraphs=[say("service.say_no_ratings")])
    columns = [
        Column(say("service.team")),
        Column(say("service.ratings")),
        *(Column(say(f"service.mark_{key}"), say("service.marks"), 1) for key in ("speed", "attitude", "resolution")),
        Column(say("service.satisfied"), "%", 0),
    ]

    def list_cells(name: str, part: ServiceCounts) -> list[Cell]:
        marks = part.marks
        return [name, marks.count, marks.speed, marks.attitude, marks.resolution, share(marks.satisfied)]

    teams = sorted({each.ticket.team for each in counts.reviews if each.was_rated(counts.start, counts.end)})
    rows = [list_cells(name_team(context, team, say), counts.pick(_choose("team", team))) for team in teams]
    table = Table(title=say("service.by_team"), columns=columns, rows=rows, total=list_cells(say("total"), counts))
    return Section(heading=heading, tables=[table])


def describe_causes(context: Context, period: Period, counts: ServiceCounts, say: Words) -> Section:
    """Which rules opened most tickets, and which tickets have cost most.

    Raises:
        DatabaseError: the desk cannot be read.
    """
    names = {rule.id: rule.name.pick(say.language, rule.id) for rule in context.configuration.rules}
    raised = counts.pick(lambda ticket: bool(ticket.rule))
    parts = {rule: raised.pick(_choose("rule", rule)) for rule in raised.find_keys("rule")}
    most = sorted((rule for rule in parts if parts[rule].opened), key=lambda rule: -len(parts[rule].opened))
    columns = [
        Column(say("service.rule")),
        *(Column(say(f"service.{key}")) for key in ("opened", "done", "backlog", "reopened")),
        Column(say("service.resolution"), "h", 1),
    ]
    rules = Table(
        title=say("service.by_rule"),
        columns=columns,
        rows=[
            [names.get(rule, rule), *_count_cells(parts[rule]), scale(parts[rule].resolutions.median, HOUR)]
            for rule in most[:_MOST_RULES]
        ],
    )
    dearest = _tabulate_dearest(context, period, say)
    told = [
        say(key)
        for key, table in (("service.say_no_rules", rules), ("service.say_no_costs", dearest))
        if not table.rows
    ]
    return Section(
        heading=say("heading.causes"), paragraphs=told, tables=[each for each in (rules, dearest) if each.rows]
    )


def name_team(context: Context, team: str, say: Words) -> str:
    """What people call a team."""
    known = context.configuration.desk.teams.get(team)
    return known.name.pick(say.language, team) if known else team or say("service.no_team")


def _tabulate_dearest(context: Context, period: Period, say: Words) -> Table:
    timeline, currency = Timeline(period, context.now), context.rates.currency
    found: dict[str, Waster] = {}
    if len(timeline):
        for utility in ("electricity", "water"):
            found |= {each.ticket.number: each for each in find_wasters(context, utility, timeline) or ()}
    columns = [
        Column(say("ticket")),
        Column(say("what")),
        Column(say("place")),
        Column(say("state")),
        Column(say("electricity"), "kWh"),
        Column(say("water"), "m³", 1),
        Column(say("cost"), currency, 2),
    ]

    def list_cells(waster: Waster) -> list[Cell]:
        ticket, cost = waster
        return [
            ticket.number,
            ticket.title,
            name_place(ticket.place, context.site.places, say.language),
            STATES[ticket.state].pick(say.language),
            cost.energy_kwh or None,
            cost.water_m3 or None,
            cost.money if currency and not cost.unpriced_h else None,
        ]

    order = sorted(found.values(), key=lambda each: (-each.cost.money, each.ticket.number))
    rows = [list_cells(each) for each in order[:MOST]]
    return Table(title=say("service.dearest"), columns=columns, rows=rows, note=say("service.remark.costs"))


def _draw_days(period: Period, counts: ServiceCounts, say: Words) -> Chart:
    """Tickets opened and done by the day, or by the month of a long period."""
    days = [period.first + number * _DAY for number in range(period.days)]
    is_short = period.days <= DAYS_MOST
    firsts = days if is_short else [day for number, day in enumerate(days) if day.day == 1 or not number]
    edges = [find_midnight(day, period.zone) for day in (*firsts, period.after)]
    spans = list(pairwise(edges))
    opened = [sum(a <= each.ticket.opened_at < b for each in counts.opened) for a, b in spans]
    done = [sum(a <= (each.finished_at or 0) < b for each in counts.finished) for a, b in spans]
    return Chart(
        title=say("service.by_day" if is_short else "service.by_month"),
        kind="bars",
        unit="",
        places=[datetime.combine(day, time(), period.zone) for day in firsts],
        series=[Series(say("service.opened"), opened), Series(say("service.done"), done)],
    )


def _choose(name: str, value: object) -> Callable[[Ticket], bool]:
    return lambda ticket: getattr(ticket, name) == value


def _count_cells(counts: ServiceCounts) -> list[Cell]:
    return [len(counts.opened), len(counts.finished), len(counts.backlog), counts.reopened]


def _speed_cells(counts: ServiceCounts) -> list[Cell]:
    responses, resolutions = counts.responses, counts.resolutions
    times = (responses.median, responses.most, resolutions.median, resolutions.most)
    return [
        *(scale(value, HOUR) for value in times),
        share(counts.response_promises.ratio),
        share(counts.resolution_promises.ratio),
    ]
