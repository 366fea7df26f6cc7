"""`siteward mutes …`: keeps alerts quiet while work is being done, or because somebody puts them aside."""

import time
from typing import Annotated, Literal

import typer

from collector.commands.common import RuleIds, parse_moment, show_moment
from collector.commands.deskvisit import Reason, Who, name_user, visit_desk
from collector.terminal import DEFAULT_CONFIG, AsJson, ConfigFolder, console, fail, print_rows
from devices.durations import parse_duration
from rules.mutes import Mute
from rules.site import Site
from tickets.counter import Counter
from tickets.mutebook import list_mutes

app = typer.Typer(no_args_is_help=True, help="Maintenance windows and shelved alerts: remembered, without tickets.")

Subjects = Annotated[
    list[str],
    typer.Argument(metavar="WHAT...", help="A device, a place such as A/1F, or the site; what is below goes with it."),
]
Length = Annotated[str, typer.Option("--for", help="For how long, such as 2h.", show_default=False)]


@app.command("list")
def list_(config: ConfigFolder = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """List what is kept quiet now or will be."""
    with visit_desk(config) as (configuration, desk), desk.database.read() as connection:
        entries = list_mutes(connection, desk.site.id, time.time_ns())
    zone = configuration.settings.site.zone
    rows = [
        {
            "id": entry.mute.id,
            "kind": entry.mute.kind,
            "what": ", ".join(map(str, entry.mute.subjects)),
            "rules": ", ".join(entry.mute.rules) or "all",
            "from": show_moment(entry.mute.begin, zone),
            "to": show_moment(entry.mute.end, zone),
            "who": entry.who,
            "why": entry.reason,
            "ticket": entry.ticket,
        }
        for entry in entries
    ]
    print_rows("Mutes", rows, as_json=as_json, empty="Nothing is kept quiet.")


@app.command()
def maintenance(
    subjects: Subjects,
    length: Length,
    reason: Reason,
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    begin: Annotated[str, typer.Option("--from", help="2026-11-22T08:00; left out: now.")] = "",
    ticket: Annotated[str, typer.Option(help="Number of the ticket whose work it is for.")] = "",
    who: Who = "",
) -> None:
    """Open a maintenance window: alerts there open no tickets, unless they outlast it."""
    with visit_desk(config) as (configuration, desk):
        start = parse_moment(begin, configuration.settings.site.zone, time.time_ns()) if begin else time.time_ns()
        mute = _make("maintenance", subjects, [], start, length, desk.site)
        entry = Counter(desk).mute(name_user(who), mute, reason, ticket)
    console.print(f"maintenance {entry.mute.id} until {show_moment(entry.mute.end, desk.site.zone)}", highlight=False)


@app.command()
def shelve(
    subjects: Subjects,
    length: Length,
    reason: Reason,
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    rule: RuleIds = None,
    who: Who = "",
) -> None:
    """Put alerts aside for a while."""
    with visit_desk(config) as (_, desk):
        mute = _make("shelf", subjects, rule or [], time.time_ns(), length, desk.site)
        entry = Counter(desk).mute(name_user(who), mute, reason)
    console.print(f"shelf {entry.mute.id} until {show_moment(entry.mute.end, desk.site.zone)}", highlight=False)


@app.command()
def end(
    id_: Annotated[int, typer.Argument(metavar="ID", help="In `siteward mutes list`.")],
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    who: Who = "",
) -> None:
    """End one early."""
    with visit_desk(config) as (_, desk):
        Counter(desk).unmute(name_user(who), id_)
    console.print("It is over.")


def _make(
    kind: Literal["maintenance", "shelf"], subjects: list[str], rules: list[str], begin: int, length: str, site: Site
) -> Mute:
    try:
        stop = begin + parse_duration(length)
    except ValueError as error:
        fail(f"--for: {error}")
    return Mute(0, kind, begin, stop, tuple(map(site.find_subject, subjects)), tuple(rules))
