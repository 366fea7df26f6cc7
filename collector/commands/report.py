"""`siteward report`."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from collector import logs
from collector.claim import claim
from collector.commands.common import load_configuration
from collector.commands.simulate import show_progress
from collector.configuration import Configuration
from collector.errors import CollectorError
from collector.reports.deliverybook import FOLDER
from collector.reports.formats.writers import FormatName
from collector.reports.period import EXPECTED, Period, parse_period
from collector.reports.posting import post_due
from collector.reports.printing import make_report, name_file, print_report
from collector.terminal import DEFAULT_CONFIG, EXIT_FINDINGS, ConfigFolder, console, fail
from tickets.errors import TicketsError
from tickets.titles import Language

PURPOSES = {
    "energy": "Electricity: where and when it was used, its peaks, losses, waste and cost.",
    "water": "Water: where it was used, what flows at night, losses, waste and cost.",
    "access": "Doors: passages, refusals, doors forced or held open, busy hours. Nobody is named.",
    "service": "The desk: tickets, how fast they were answered and solved, promises, ratings, causes.",
    "carbon": "Emissions of electricity and water, by the factors that were valid.",
}
"""What each report is about."""

app = typer.Typer(
    no_args_is_help=True, help="Reports on energy, water, access, service and carbon, as HTML, PDF, XLSX or CSV."
)

Format = StrEnum("Format", {name: name for name in get_args(FormatName)})  # type: ignore[misc] # from the closed list
Tongue = StrEnum("Tongue", {name: name for name in get_args(Language)})  # type: ignore[misc] # likewise


def _make_command(name: str) -> Callable[..., None]:
    def report(
        config: ConfigFolder = DEFAULT_CONFIG,
        *,
        period: Annotated[str, typer.Option("--period", "-p", help=f"Such as {EXPECTED}.")] = "last-month",
        format_: Annotated[
            Format | None, typer.Option("--format", "-f", help="Left out: by the ending of --output, else html.")
        ] = None,
        output: Annotated[
            Path | None,
            typer.Option(
                "--output", "-o", help="File or folder; left out: SITE-REPORT-PERIOD.FORMAT in the current folder."
            ),
        ] = None,
        language: Annotated[Tongue | None, typer.Option("--language", "-l", help="Left out: the site's.")] = None,
    ) -> None:
        configuration = load_configuration(config)
        logs.configure()
        now = time.time_ns()
        spoken = cast("Language", language.value) if language else configuration.settings.site.language
        chosen = _read_period(period, configuration, now)
        kind = _choose_format(cast("FormatName", format_.value) if format_ else None, output)
        file = _choose_file(output, name_file(configuration, name, chosen, kind))
        try:
            with show_progress() as bar:
                task = bar.add_task("Working out", total=1.0)
                made = make_report(
                    configuration, name, chosen, spoken, now, lambda share: bar.update(task, completed=share)
                )
                bar.update(task, description=f"Writing {kind}", completed=1.0)
                print_report(made, kind, file)
        except (CollectorError, TicketsError, OSError, sqlite3.Error) as error:
            fail(f"No report was made: {error}", EXIT_FINDINGS)
        console.print(str(file), soft_wrap=True, highlight=False, markup=False)

    return report


for _name, _purpose in PURPOSES.items():
    app.command(_name, help=f"{_purpose} A file of the same name is replaced.")(_make_command(_name))


@app.command()
def deliver(config: ConfigFolder = DEFAULT_CONFIG) -> None:
    """Send the reports that reports.yaml's `deliveries` ask for and that are due; the daemon does so by itself.

    What was sent is remembered. Exits with 1 where something could not be sent, and is to be tried again later.
    """
    # The daemon, which may have called us, holds these for itself.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    configuration = load_configuration(config)
    logs.configure()
    folder = configuration.settings.data_dir / FOLDER
    try:
        descriptor = claim(folder)
    except (CollectorError, OSError) as error:
        fail(f"Reports are being sent already, or cannot be: {error}", EXIT_FINDINGS)
    try:
        failed = post_due(configuration)
    except (OSError, sqlite3.Error) as error:
        fail(f"{folder}: {error}", EXIT_FINDINGS)
    finally:
        os.close(descriptor)
    if failed:
        raise typer.Exit(EXIT_FINDINGS)


def _read_period(text: str, configuration: Configuration, now: int) -> Period:
    try:
        period = parse_period(text, configuration.settings.site.zone, now)
    except ValueError as error:
        fail(f"--period: {error}")
    if period.start >= now:
        fail(f"--period {text}: it has not begun; nothing can be told of it.")
    return period


def _choose_format(format_: FormatName | None, output: Path | None) -> FormatName:
    ending = output.suffix[1:].lower() if output is not None and not output.is_dir() else ""
    if format_ is None:
        return ending if ending in get_args(FormatName) else "html"  # type: ignore[return-value] # of the closed list
    if ending in get_args(FormatName) and ending != format_:
        fail(f"--format {format_} does not fit --output {output}; leave one of them out.")
    return format_


def _choose_file(output: Path | None, name: str) -> Path:
    if output is None:
        return Path(name)
    file = output / name if output.is_dir() else output
    if not file.parent.is_dir():
        fail(f"--output: there is no folder {file.parent}; make it first.")
    return file
