"""`siteward ledger`."""

import time
from collections import defaultdict
from typing import Annotated

import typer

from collector import ledger as book
from collector.commands.common import Begin, End, load_configuration, parse_span, show_moment, visit_journal
from collector.ledger import Line
from collector.terminal import DEFAULT_CONFIG, AsJson, ConfigFolder, console, fail, print_json, print_rows

_SUMS = ("expected", "received", "stored", "duplicate", "late", "quarantined", "waiting", "unexplained")

_RARE = {"duplicate", "late", "quarantined", "waiting"}
"""Columns that a table has only where there is something in them."""


def ledger(
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    begin: Begin = "24h",
    end: End = "",
    device: Annotated[str, typer.Option(help="Only this device, hour by hour.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show what became of every reading; exits with 1 where something is unexplained."""
    configuration = load_configuration(config)
    zone, now = configuration.settings.site.zone, time.time_ns()
    start, stop = parse_span(begin, end, zone, now)
    register = configuration.register.by_id()
    with visit_journal(configuration) as journal:
        book.fold(journal)
        lines = book.lines(journal, register, start=start, end=stop, now=now)
    if device:
        lines = [line for line in lines if line.device == device]
        if not lines and device not in register:
            fail(f"There is no device {device!r} in the register, and nothing came from it.")
    unexplained = sum(line.unexplained for line in lines)
    if as_json:
        print_json({"unexplained": unexplained, "lines": [line._asdict() for line in lines]})
    else:
        stored = sum(line.stored for line in lines)
        color = "red" if unexplained else "green"
        console.print(f"[bold {color}]unexplained: {unexplained:,}[/] beside {stored:,} readings stored")
        rows = (
            [{"hour": show_moment(line.hour * book.HOUR, zone)} | _counts([line]) for line in lines]
            if device
            else [{"device": name or "unknown"} | _counts(group) for name, group in _by_device(lines).items()]
        )
        shown = [name for name in rows[0] if name not in _RARE or any(row[name] for row in rows)] if rows else []
        rows = [{name: row[name] for name in shown} for row in rows]
        print_rows("Readings", rows, as_json=False, empty="Nothing has arrived in that time.")
    if unexplained:
        raise typer.Exit(1)


def _by_device(lines: list[Line]) -> dict[str, list[Line]]:
    """Devices with the most unexplained first."""
    groups: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        groups[line.device].append(line)
    return dict(sorted(groups.items(), key=lambda item: (-sum(line.unexplained for line in item[1]), item[0])))


def _counts(lines: list[Line]) -> dict[str, object]:
    sums: dict[str, object] = {name: sum(getattr(line, name) or 0 for line in lines) for name in _SUMS}
    if all(line.expected is None for line in lines):
        sums["expected"] = "-"
    return sums
