"""`siteward run` and `siteward status`."""

import sqlite3
from typing import Annotated, Any

import orjson
import typer
import urllib3

from collector import logs
from collector.commands.common import load_configuration
from collector.daemon import Daemon
from collector.errors import CollectorError
from collector.terminal import DEFAULT_CONFIG, AsJson, ConfigFolder, console, fail, print_json
from devices.durations import format_duration


def run(
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log details.")] = False,
) -> None:
    """Run the daemon: from the broker to the database, until it is told to stop."""
    configuration = load_configuration(config)
    logs.configure(verbose=verbose)
    try:
        daemon = Daemon(configuration)
    except (CollectorError, OSError, sqlite3.Error) as error:
        fail(f"Cannot start: {error}")
    raise typer.Exit(daemon.run())


def status(config: ConfigFolder = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Show how the running daemon is."""
    address = load_configuration(config).settings.http.listen
    try:
        answer = urllib3.request("GET", f"http://{address}/live", timeout=3, retries=False)
        live: dict[str, Any] = orjson.loads(answer.data)
    except (urllib3.exceptions.HTTPError, orjson.JSONDecodeError):
        fail(f"No Siteward answers at {address}. Is it running? Start it with: siteward run --config {config}", 1)
    if as_json:
        print_json(live)
    else:
        _show(live)
    if live["problems"]:
        raise typer.Exit(1)


def _show(live: dict[str, Any]) -> None:
    counts, journal, store = live["counts"], live["journal"], live["store"]
    console.print(f"Site [bold]{live['site']}[/]: {'[red]needs a look[/]' if live['problems'] else '[green]good[/]'}")
    for problem in live["problems"]:
        console.print(f"  {problem}", style="red", markup=False)
    console.print(f"Broker    {live['broker']['state']}")
    console.print(
        f"Arrived   {counts['messages']:,} messages, {counts['readings']:,} readings since the start"
        f" ({counts['late']:,} late, {counts['duplicates']:,} duplicate, {counts['quarantined']:,} in quarantine)",
    )
    console.print(
        f"Journal   {journal['head'] - journal['store']:,} readings wait for the database,"
        f" {journal['bytes'] / 1e6:,.1f} of {journal['quota_bytes'] / 1e6:,.0f} MB used",
    )
    console.print(f"Database  {store['state']} {store['trouble']}", markup=False)
    behind = {device: skew for device, skew in live["clock_skew_s"].items() if abs(skew) > 60}  # noqa: PLR2004 - a minute
    for device, skew in sorted(behind.items(), key=lambda item: -abs(item[1]))[:10]:
        words = "behind" if skew > 0 else "ahead"
        console.print(f"Clock     {device} is {format_duration(abs(skew) * 1e9)} {words}")
