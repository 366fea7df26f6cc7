"""What several dashboards ask and show alike."""

from grafana_foundation_sdk.models.dashboard import Panel

from collector.dashboards.panels import BAD, GOOD, ODD, PRIORITIES, SEVERITIES, Column, bars, rows, steps, week
from collector.dashboards.query import DAILY, FINE, Query, ask, nest, within
from collector.dashboards.sheet import Sheet

ELECTRICITY = "\"utility\" = 'electricity'"
WATER = "\"utility\" = 'water'"
TOP = "\"role\" = 'top'"
"""Meters that no other meter feeds: their sum is what a place used."""

ROLE = "\"role\" = '${role:raw}'"
"""Meters that the reader has chosen."""

PLACE = within("building", "floor", "area", "device")
"""Devices that the reader has chosen."""

BUILDING, DEVICE = "$tag_building", "$tag_device"
"""Legends: what each curve is of."""

CUBIC_METRES, FLOW, EMISSIONS = "suffix: m³", "suffix: m³/h", "suffix: kg CO₂e"

LOSSES = steps(BAD, (-0.02, GOOD), (0.05, ODD), (0.1, BAD))
"""Shares of what a main meter counts; sub-meters that count more than their main are wrong, too."""

OFF_HOURS = steps(GOOD, (0.3, ODD), (0.5, BAD))
"""Shares of what is used."""

KNOWN = steps(BAD, (0.9, ODD), (0.99, GOOD))
"""Shares of the time of which consumption is known."""

_TICKETS = '"team", "kind", "priority"'


def money(sheet: Sheet) -> str:
    """Unit of costs."""
    return f"suffix: {sheet.edition.currency}" if sheet.edition.currency else "short"


def total(field: str, *conditions: str) -> str:
    """The sum of a field of `consumption` over the range."""
    return ask(f'sum("{field}")', "consumption", *conditions)


def daily(field: str, tag: str, *conditions: str) -> str:
    """Daily sums of a field of `consumption` by a tag."""
    return ask(f'sum("{field}")', "consumption", *conditions, by=f'{DAILY}, "{tag}"', local=True)


def hourly(field: str, tag: str, *conditions: str) -> str:
    """Mean of the hourly sums of a field of `consumption` by a tag: what an hour counts is the mean power or flow."""
    tags = f'"{tag}"'
    return nest('mean("x")', f'sum("{field}")', "consumption", *conditions, step="1h", each=tags, keep=tags)


def base(field: str, tag: str, *conditions: str) -> str:
    """The quietest hour of each day: base load in kW, minimum night flow in m³/h."""
    tags = f'"{tag}"'
    return nest(
        'min("x")',
        f'sum("{field}")',
        "consumption",
        *conditions,
        step="1h",
        each=tags,
        by=DAILY,
        keep=tags,
        local=True,
    )


def people(tag: str, *conditions: str) -> str:
    """How many people are in places, by a tag."""
    return nest(
        'sum("x")', 'mean("people")', "occupancy", *conditions, each='"building", "floor", "area"', keep=f'"{tag}"'
    )


def tickets(field: str, tag: str = "", *conditions: str) -> str:
    """A count of the desk over time, by a tag: a restart within a quarter of an hour counts no ticket twice."""
    keep = f'"{tag}"' if tag else ""
    return nest('sum("x")', f'last("{field}")', "desk", *conditions, each=_TICKETS, keep=keep)


def events(event: str, *conditions: str, by: str = FINE) -> str:
    """How many events of a kind doors told."""
    return ask('count("event")', "door", f"\"event\" = '{event}'", *conditions, by=by)


def add_alerts(sheet: Sheet, *conditions: str, width: int = 12) -> None:
    """The newest alerts."""
    fields = '"severity", "title", "value", "rule", "device"'
    question = ask(fields, "alert", "\"state\" = 'firing'", *conditions, newest=50)
    sheet.add("alerts", show_alerts(sheet, Query(question)), width, 10)


def show_alerts(sheet: Sheet, query: Query) -> Panel:
    """A table of alerts."""
    return rows(
        query,
        Column("Time", sheet.say("column.time"), width=160),
        Column("severity", sheet.say("column.severity"), colours=SEVERITIES, width=90),
        Column("title", sheet.say("column.title")),
        Column("value", sheet.say("column.value"), width=90),
        Column("rule", sheet.say("column.rule"), width=180),
    )


def show_tickets(sheet: Sheet, *conditions: str) -> Panel:
    """A table of the newest steps of tickets."""
    fields = '"number", "title", "state_text", "priority", "category", "duration_s"'
    columns = (
        Column("Time", sheet.say("column.time"), width=160),
        Column("number", sheet.say("column.number"), link=sheet.ticket_link, width=130),
        Column("priority", sheet.say("column.priority"), colours=PRIORITIES, width=80),
        Column("title", sheet.say("column.title")),
        Column("category", sheet.say("column.category"), width=110),
        Column("state_text", sheet.say("column.state"), width=110),
        Column("duration_s", sheet.say("column.since"), unit="s", width=110),
    )
    return rows(Query(ask(fields, "ticket", *conditions, newest=100)), *columns)


def add_use(sheet: Sheet, board: str, field: str, name: str, unit: str, digits: int, *conditions: str) -> None:
    """Which meters count most, and at which hours of the week.

    Args:
        sheet: gets two panels.
        board: the name of its dashboard.
        field: of `consumption`.
        name: under which texts tell of it.
        unit: for people.
        digits: of an hour's amount, behind the point.
        conditions: all of them must hold.
    """
    largest = ask(f'sum("{field}") AS "{name}", sum("cost") AS "cost"', "consumption", *conditions, by='"device"')
    link = sheet.link(board, device="${__value.raw}", role="${role:raw}")
    columns = (
        Column("device", sheet.say("device"), link=link, width=200),
        Column(name, sheet.say(f"column.{name}"), unit=unit, gauge=True),
        Column("cost", sheet.say("column.cost"), unit=money(sheet), width=120),
    )
    sheet.add("largest", rows(Query(largest), *columns, largest=name), 12)
    heat = ask(f'sum("{field}") AS "n"', "consumption", *conditions, by="time(1h)", local=True)
    sheet.add("week", week(Query(heat), digits, sheet.days(), sheet.say(f"week.{name}"), sheet.zone), 24, 10)


def add_balance(sheet: Sheet, unit: str, shown: str, *conditions: str) -> None:
    """What main meters count against the sum of what they feed, and of which meters least is known.

    Args:
        sheet: gets three panels.
        unit: kwh or m3.
        shown: the same for people.
        conditions: all of them must hold.
    """
    lost = Query(ask(f'sum("loss_{unit}")', "balance", *conditions, by=f'{DAILY}, "device"', local=True), "$tag_device")
    sheet.add("loss", bars(lost, unit=shown, interval="1d", stacked=False), 8, 10)
    fields = f'sum("main_{unit}") AS "main", sum("subs_{unit}") AS "subs", sum("loss_{unit}") AS "loss"'
    share = f'sum("loss_{unit}") / sum("main_{unit}") AS "share"'
    columns = (
        Column("device", sheet.say("column.main")),
        Column("main", sheet.say("column.counted"), unit=shown),
        Column("subs", sheet.say("column.subs"), unit=shown),
        Column("loss", sheet.say("column.loss"), unit=shown),
        Column("share", sheet.say("column.share"), unit="percentunit", limits=LOSSES),
    )
    question = ask(f"{fields}, {share}", "balance", *conditions, by='"device"')
    sheet.add("balance", rows(Query(question), *columns, largest="share"), 8, 10)
    known = Query(ask('mean("known_ratio") AS "known"', "consumption", *conditions, by='"device"'))
    least = (
        Column("device", sheet.say("device")),
        Column("known", sheet.say("column.known"), unit="percentunit", limits=KNOWN),
    )
    sheet.add("known", rows(known, *least, smallest="known"), 8, 10)
