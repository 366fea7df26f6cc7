"""`siteward status`: how the running daemon is, its rules, and what waits at the desk."""

import time
from collections import Counter
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from collector.checks.rules import Lag, ask_daemon, measure_lag
from collector.commands.common import load_configuration, show_moment, visit_journal
from collector.configuration import Configuration
from collector.desklook import find_version, look_at_desk
from collector.errors import CollectorError
from collector.terminal import DEFAULT_CONFIG, EXIT_FINDINGS, AsJson, ConfigFolder, console, fail, print_json
from devices.durations import NANOSECONDS, format_duration
from tickets.database import HEAD
from tickets.errors import TicketsError
from tickets.notify.letterbook import count_letters
from tickets.priority import PRIORITIES
from tickets.queue import Filter, list_tickets

_CLOCKS_SHOWN = 10
_TOLERATED_S = 60


def status(config: ConfigFolder = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Show how the running daemon is, its rules, and what waits at the desk.

    Exits with 1 where something needs a look.
    """
    configuration = load_configuration(config)
    live = ask_daemon(configuration)
    if live is None:
        address = configuration.settings.http.listen
        fail(f"No Siteward answers at {address}. Is it running? Start it with: siteward run --config {config}", 1)
    with visit_journal(configuration) as journal:
        lag = measure_lag(journal, live["rules"]["judged"])
    desk = _count_tickets(configuration)
    if as_json:
        print_json({**live, "rules": {**live["rules"], **lag._asdict()}, "desk": desk})
    else:
        verdict = "[red]needs a look[/]" if live["problems"] else "[green]good[/]"
        console.print(f"Site [bold]{live['site']}[/]: {verdict}", highlight=False)
        console.print(_lay_out(live, lag, desk, configuration))
    if live["problems"]:
        raise typer.Exit(EXIT_FINDINGS)


def _count_tickets(configuration: Configuration) -> dict[str, Any]:
    """Open tickets by priority, how many are late, and what is still to be told; where that is not known, why."""
    site = configuration.settings.site.id
    try:
        database = look_at_desk(configuration)
        if database is None:
            return {"trouble": "none yet"}
        try:
            with database.read() as connection:
                version = find_version(connection)
                if version != HEAD:
                    return {"trouble": f"the tables are of version {version}, expected {HEAD}; run: siteward doctor"}
                tickets = list_tickets(connection, site, Filter())
                late = list_tickets(connection, site, Filter(overdue_at=time.time_ns()))
                backlogs = count_letters(connection, site)
        finally:
            database.close()
    except (TicketsError, CollectorError) as error:
        return {"trouble": str(error)}
    counts = Counter(ticket.priority for ticket in tickets)
    return {
        "open": {name: counts[number] for number, name in enumerate(PRIORITIES, 1)},
        "overdue": len(late),
        "notifications": {backlog.channel: {"waiting": backlog.waiting, "dead": backlog.dead} for backlog in backlogs},
    }


def _lay_out(live: dict[str, Any], lag: Lag, desk: dict[str, Any], configuration: Configuration) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for problem in live["problems"]:
        grid.add_row("Problem", Text(problem, style="red"))
    grid.add_row("Broker", Text(live["broker"]["state"]))
    for name, text in _tell_readings(live):
        grid.add_row(name, Text(text))
    grid.add_row("Rules", Text(_tell_rules(live["rules"], lag, configuration)))
    grid.add_row("Tickets", _tell_tickets(desk))
    for channel, backlog in desk.get("notifications", {}).items():
        given_up = f", {backlog['dead']:,} were given up: siteward doctor" if backlog["dead"] else ""
        grid.add_row("Notices", Text(f"{channel}: {backlog['waiting']:,} wait{given_up}"))
    skews = sorted(live["clock_skew_s"].items(), key=lambda item: -abs(item[1]))
    for device, skew in [item for item in skews if abs(item[1]) > _TOLERATED_S][:_CLOCKS_SHOWN]:
        words = f"{device} is {format_duration(abs(skew) * NANOSECONDS['s'])} {'behind' if skew > 0 else 'ahead'}"
        grid.add_row("Clock", Text(words))
    return grid


def _tell_readings(live: dict[str, Any]) -> list[tuple[str, str]]:
    counts, journal, store = live["counts"], live["journal"], live["store"]
    arrived = (
        f"{counts['messages']:,} messages, {counts['readings']:,} readings since the start"
        f" ({counts['late']:,} late, {counts['duplicates']:,} duplicate, {counts['quarantined']:,} in quarantine)"
    )
    waiting = (
        f"{journal['head'] - journal['store']:,} readings wait for the database,"
        f" {journal['bytes'] / 1e6:,.1f} of {journal['quota_bytes'] / 1e6:,.0f} MB used"
    )
    return [("Arrived", arrived), ("Journal", waiting), ("Database", f"{store['state']} {store['trouble']}".rstrip())]


def _tell_rules(rules: dict[str, Any], lag: Lag, configuration: Configuration) -> str:
    """What judges, up to when, how far behind, and what the alerts are."""
    parts = [f"{len(configuration.rules):,} rules"]
    if lag.judged_at is not None:
        parts.append(f"judged up to {show_moment(lag.judged_at, configuration.settings.site.zone)}")
    if lag.oldest_at is not None:
        parts.append(f"{lag.waiting:,} readings behind ({format_duration(max(0, time.time_ns() - lag.oldest_at))})")
    parts += [f"{count:,} {phase}" for phase, count in sorted(rules["alerts"].items())]
    if rules["set_aside"]:
        parts.append(f"set aside: {', '.join(rules['set_aside'])}")
    return ", ".join(parts)


def _tell_tickets(desk: dict[str, Any]) -> Text:
    if "trouble" in desk:
        return Text(desk["trouble"])
    counts = {name: count for name, count in desk["open"].items() if count}
    if not counts:
        return Text("none open")
    words = f"{sum(counts.values()):,} open: {', '.join(f'{count:,} {name}' for name, count in counts.items())}"
    late = Text(f"; {desk['overdue']:,} overdue: siteward tickets list --overdue", style="red")
    return Text.assemble(words, late if desk["overdue"] else "")
