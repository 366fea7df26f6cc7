"""`siteward dashboards …`: Grafana dashboards as files, and the figures that they draw."""

import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from collector import logs
from collector.commands.common import load_configuration, parse_span
from collector.dashboards.export import export as write
from collector.errors import CollectorError
from collector.rollups.rollups import Rollups
from collector.settings import EmbeddedStore
from collector.stores import open_store
from collector.terminal import DEFAULT_CONFIG, ConfigFolder, console, fail, messages
from devices.durations import NANOSECONDS
from rules.localtime import find_hour

_PIECE = NANOSECONDS["w"]
"""A day is read on both sides of each piece."""

app = typer.Typer(no_args_is_help=True, help="Grafana dashboards as files, and the figures that they draw.")


@app.callback()
def _root() -> None:
    """Grafana dashboards as files, and the figures that they draw."""


@app.command()
def export(
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Gets a folder for each language.")] = Path(
        "dashboards"
    ),
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            envvar="SITEWARD_CONFIG",
            metavar="DIR",
            help="Folder of the configuration: its time zone, currency, nominal voltage and tickets' address go in.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write the dashboards as JSON that Grafana imports or is provisioned with.

    Without a configuration they fit any site; days then end at midnight of a time zone that the reader types.
    """
    configuration = load_configuration(config) if config else None
    try:
        written = write(to, configuration)
    except OSError as error:
        fail(f"{error.filename or to}: cannot be written: {error.strerror or error}", 1)
    console.print(f"Wrote {len(written)} dashboards to {to}", highlight=False, soft_wrap=True)


@app.command()
def fill(
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    begin: Annotated[str, typer.Option("--from", help="2026-11-22, 2026-11-22T08:00, or how long ago.")] = "35d",
    end: Annotated[str, typer.Option("--to", help="Likewise; left out: until now.")] = "",
) -> None:
    """Work out consumption of the past anew, by the hour.

    The daemon does so each night for as long as a reading may be late. For what was imported, for a tariff that was put
    right, or for a meter's replacement that was entered late, say from when on.
    """
    logs.configure()
    configuration = load_configuration(config)
    if isinstance(configuration.settings.store, EmbeddedStore):
        fail("No dashboard reads the embedded store. See what it holds with: siteward report")
    zone, now = configuration.settings.site.zone, time.time_ns()
    start, stop = (find_hour(moment, zone) for moment in parse_span(begin, end, zone, now))
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    try:
        with (
            closing(open_store(configuration)) as store,
            Progress(*columns, console=messages, transient=True) as progress,
        ):
            rollups, task = Rollups(configuration, store), progress.add_task("Working out", total=stop - start)
            for first in range(start, stop, _PIECE):
                rollups.roll(first, min(first + _PIECE, stop), now)
                progress.update(task, completed=first + _PIECE - start)
    except CollectorError as error:
        fail(str(error), 1)
    console.print(f"Wrote {rollups.written:,} rows of consumption and losses.", highlight=False)
