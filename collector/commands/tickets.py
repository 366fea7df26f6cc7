"""`siteward tickets …`: looks into the desk's database and changes tickets there, whether the daemon runs or not."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import typer
from msgspec import to_builtins

from collector.commands.deskvisit import Comment, Reason, Who, name_user, visit_desk
from collector.commands.ticketviews import show_file, show_rows, show_ticket
from collector.terminal import DEFAULT_CONFIG, EXIT_FINDINGS, AsJson, ConfigFolder, fail, messages, print_json
from devices.values import suggest
from tickets.costs import find_cost, find_costs, sort_dearest
from tickets.counter import Counter
from tickets.deskplan import OTHER
from tickets.pictures import FORMATS, draw_ticket
from tickets.priority import URGENCIES, Urgency
from tickets.queue import OPEN, Filter, Order
from tickets.rates import Rates
from tickets.ticket import KINDS, PAUSES, STATES, Kind, Pause, Rating, State, Ticket

_Choice = TypeVar("_Choice")

app = typer.Typer(no_args_is_help=True, help="The service desk: tickets, who owns them, and what happened.")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="Such as W-2026-00042; 42 is this year's.")]
Person = Annotated[str, typer.Argument(metavar="PERSON", help="Id of a person in desk.yaml.")]


_KEEPING = "see whether `siteward run` runs, and wait for ten seconds"


def _check_picture(path: Path | None) -> Path | None:
    if path is not None and path.suffix not in FORMATS:
        raise typer.BadParameter(f"expected a name that ends in {' or '.join(FORMATS)}, got {path.name!r}")
    return path


# ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command("list")
def list_(
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    state: Annotated[str, typer.Option(help=f"One of {', '.join(STATES)}, open or all.")] = "open",
    kind: Annotated[str, typer.Option(help=f"One of {', '.join(KINDS)}.")] = "",
    team: Annotated[str, typer.Option(help="Id of a team.")] = "",
    category: Annotated[str, typer.Option(help="Id of a category.")] = "",
    owner: Annotated[str, typer.Option(help="Id of a person.")] = "",
    mine: Annotated[bool, typer.Option("--mine", help="Those that you own.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="Those whose answer or work is late.")] = False,
    sort: Annotated[
        str, typer.Option(help="priority, deadline, opened, or cost: the dearest to leave as it is.")
    ] = "priority",
    most: Annotated[int | None, typer.Option("--most", min=1, help="How many at most.")] = None,
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """List tickets; those that are open, the most important first."""
    groups: dict[str, tuple[State, ...]] = {"open": OPEN, "all": (), **{each: (each,) for each in STATES}}
    orders: dict[str, tuple[Order, bool]] = {
        "priority": ("priority", False),
        "deadline": ("deadline", False),
        "opened": ("opened", False),
        "cost": ("priority", True),
    }
    kinds: dict[str, Kind | None] = {"": None, **{each: each for each in KINDS}}
    wanted = Filter(
        states=_choose(state, groups, "--state"),
        kind=_choose(kind, kinds, "--kind"),
        team=team or None,
        category=category or None,
        owner=name_user(who) if mine else owner or None,
        overdue_at=time.time_ns() if overdue else None,
    )
    order, by_cost = _choose(sort, orders, "--sort")
    with visit_desk(config) as (configuration, desk):
        tickets = desk.list(wanted, order, None if by_cost else most)
        rates = Rates(configuration.tariffs, desk.site.zone)
        costs = find_costs(tickets, desk.list_members(tickets), rates, desk.site, time.time_ns())
    if by_cost:
        tickets = sort_dearest(tickets, costs)[:most]
    if as_json:
        print_json([to_builtins(ticket) | {"cost": to_builtins(costs.get(ticket.number))} for ticket in tickets])
    else:
        show_rows(tickets, costs, configuration)


@app.command()
def show(
    number: Number,
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    picture: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            callback=_check_picture,
            help="Draw its evidence into this .png or .svg.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a ticket: where it stands, what it costs, its alerts, and everything that happened."""
    with visit_desk(config) as (configuration, desk):
        file = desk.show(number)
        if picture is not None:
            evidence = desk.read_evidence(number)
            if evidence is None:
                fail(
                    f"nothing is kept with {file.ticket.number} yet; the daemon looks for it: {_KEEPING}", EXIT_FINDINGS
                )
            draw_ticket(file, evidence, desk.site, picture, configuration.settings.site.language)
            messages.print(f"Drawn: {picture}", markup=False, soft_wrap=True)
        rates = Rates(configuration.tariffs, desk.site.zone)
        cost = find_cost(file.members, rates, desk.site, file.ticket.closed_at or time.time_ns())
    if as_json:
        print_json(to_builtins(file) | {"cost": to_builtins(cost)})
    else:
        show_file(file, cost, configuration)


# ── changing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command("open")
def open_(
    title: Annotated[str, typer.Argument(metavar="TITLE", help="One line.")],
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    kind: Annotated[str, typer.Option(help="repair, supplies, inspection or suggestion.")] = "repair",
    category: Annotated[str, typer.Option(help="Id of a category in desk.yaml.")] = OTHER,
    place: Annotated[str, typer.Option(help="Ids from the building down, such as A/1F/hall.")] = "",
    urgency: Annotated[str, typer.Option(help=f"One of {', '.join(URGENCIES)}.")] = "medium",
    comment: Comment = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Open a ticket: something is to be repaired, brought, looked after or changed."""
    chosen_kind: Kind = _choose(kind, {each: each for each in KINDS}, "--kind")
    chosen_urgency: Urgency = _choose(urgency, {each: each for each in URGENCIES}, "--urgency")

    def act(counter: Counter) -> Ticket:
        return counter.open(
            name_user(who), chosen_kind, title, category=category, place=place, urgency=chosen_urgency, comment=comment
        )

    _change(config, act, as_json=as_json)


# ── steps that say no more than who, and perhaps why ──────────────────────────────────────────────────────────────────

_Step: TypeAlias = Callable[[Counter, str, str, str], Ticket]

_STEPS: dict[str, tuple[_Step, str]] = {
    "ack": (Counter.acknowledge, "Say that you know of it; the clock of the work goes on."),
    "take": (Counter.take, "Take a ticket: you own it until it is closed or handed over."),
    "resume": (Counter.resume, "Go on with a ticket that waits."),
    "done": (
        Counter.finish,
        "Say that the work is done; where telemetry can show it, the ticket is closed once it has stayed good.",
    ),
    "resolve": (Counter.resolve, "Say that it is good, whoever did it."),
    "close": (Counter.close, "Close a resolved ticket before it closes by itself."),
}

_REASONED_STEPS: dict[str, tuple[_Step, str]] = {
    "reopen": (Counter.reopen, "Open a ticket again, because it is not good after all."),
    "cancel": (Counter.cancel, "End a ticket without work, such as a false alarm."),
}
"""Those that nobody may take without saying why."""


def _add_step(name: str, step: _Step, words: str) -> None:
    @app.command(name, help=words)
    def command(
        number: Number,
        config: ConfigFolder = DEFAULT_CONFIG,
        *,
        comment: Comment = "",
        who: Who = "",
        as_json: AsJson = False,
    ) -> None:
        _change(config, lambda counter: step(counter, number, name_user(who), comment), as_json=as_json)


def _add_reasoned_step(name: str, step: _Step, words: str) -> None:
    @app.command(name, help=words)
    def command(
        number: Number,
        comment: Reason,
        config: ConfigFolder = DEFAULT_CONFIG,
        *,
        who: Who = "",
        as_json: AsJson = False,
    ) -> None:
        _change(config, lambda counter: step(counter, number, name_user(who), comment), as_json=as_json)


for _name, (_step, _words) in _STEPS.items():
    _add_step(_name, _step, _words)
for _name, (_step, _words) in _REASONED_STEPS.items():
    _add_reasoned_step(_name, _step, _words)


# ── steps that say more ───────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
def assign(
    number: Number,
    person: Person,
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    comment: Comment = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Give a ticket that nobody owns to a person."""
    _change(config, lambda counter: counter.assign(number, name_user(who), person, comment), as_json=as_json)


@app.command("hand-over")
def hand_over(
    number: Number,
    person: Person,
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    comment: Comment = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Give a ticket that you own to another person."""
    _change(config, lambda counter: counter.hand_over(number, name_user(who), person, comment), as_json=as_json)


@app.command("comment")
def comment_(
    number: Number,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What you have to say.")],
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Say something about a ticket."""
    _change(config, lambda counter: counter.comment(number, name_user(who), text), as_json=as_json)


@app.command()
def wait(
    number: Number,
    reason: Annotated[str, typer.Argument(metavar="FOR", help=f"One of {', '.join(PAUSES)}.")],
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    comment: Comment = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Pause a ticket: the clock of the work stands still."""
    pause: Pause = _choose(reason, {each: each for each in PAUSES}, "FOR")
    _change(config, lambda counter: counter.wait(number, name_user(who), pause, comment), as_json=as_json)


@app.command()
def rate(
    number: Number,
    speed: Annotated[int, typer.Option(min=1, max=5, help="How fast it went.")],
    attitude: Annotated[int, typer.Option(min=1, max=5, help="How you were treated.")],
    resolution: Annotated[int, typer.Option(min=1, max=5, help="How good it is now.")],
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    comment: Comment = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Rate how you were served, from 1 to 5."""
    rating = Rating(speed, attitude, resolution)
    _change(config, lambda counter: counter.rate(number, name_user(who), rating, comment), as_json=as_json)


# ── what all share ───────────────────────────────────────────────────────────────────────────────────────────────────


def _change(config: ConfigFolder, act: Callable[[Counter], Ticket], *, as_json: bool) -> None:
    with visit_desk(config) as (configuration, desk):
        ticket = act(Counter(desk))
    if as_json:
        print_json(to_builtins(ticket))
    else:
        show_ticket(ticket, configuration)


def _choose(text: str, options: Mapping[str, _Choice], name: str) -> _Choice:
    if text not in options:
        hint = suggest(text, options)
        fail(
            f"{name}: expected one of {', '.join(filter(None, options))}, got {text!r}" + (f"; {hint}" if hint else "")
        )
    return options[text]
