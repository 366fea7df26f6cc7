"""What several commands begin with."""

import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer

from collector import credentialkeys, logs
from collector.configuration import Configuration, load
from collector.errors import CollectorError
from collector.folder import ConfigurationError
from collector.journal import Journal
from collector.terminal import fail, messages
from devices.durations import parse_duration

Begin = Annotated[str, typer.Option("--from", help="2026-11-22, 2026-11-22T08:00, or how long ago: 36h.")]
"""The option; see `parse_span`."""

End = Annotated[str, typer.Option("--to", help="Likewise; left out: until now.")]
"""The option; its default is ""."""

DeviceId = Annotated[str, typer.Argument(metavar="ID", help="Id in the register.")]

RuleIds = Annotated[list[str] | None, typer.Option("--rule", help="Id of a rule; may be given again. Left out: all.")]
"""The option; its default is None."""

_LATEST = 2**63 - 1
"""What SQLite can hold: the year 2262."""


def load_configuration(folder: Path) -> Configuration:
    """The configuration of a folder; prints every problem and ends the command where it has any."""
    try:
        return load(folder)
    except ConfigurationError as error:
        refuse(error, folder)


def refuse(error: ConfigurationError, folder: Path) -> NoReturn:
    """Prints every problem of a folder and ends the command."""
    for problem in error.problems:
        messages.print(str(problem), style="red", markup=False, soft_wrap=True)
    fail(f"{len(error.problems)} problem(s) in {folder}; nothing was done.")


def add_keys(configuration: Configuration) -> Configuration:
    """The same with the keys of credentials, for what decodes messages; ends the command where they cannot be used."""
    try:
        credentialkeys.prepare(configuration.settings)
        return configuration.with_keys()
    except (CollectorError, OSError) as error:
        fail(str(error), 1)


def visit_journal(configuration: Configuration) -> closing[Journal]:
    """The journal of a site, also while its daemon runs; ends the command where there is none."""
    logs.configure()  # what it has to say goes beside the answer, not into it
    settings = configuration.settings
    path = settings.data_dir / "journal.db"
    try:
        if not path.exists():
            fail(f"{path}: there is no journal yet. It is made by: siteward run --config {configuration.folder}", 1)
        return closing(Journal(path, settings.journal.quota))
    except PermissionError:
        fail(f"{path}: not readable for you. Run this as the user that the daemon runs as.", 1)
    except (sqlite3.Error, CollectorError) as error:
        fail(f"{path}: {error}. If the file is damaged, the next start of the daemon repairs it.", 1)


def parse_span(begin: str, end: str, zone: ZoneInfo, now: int) -> tuple[int, int]:
    """`--from` and `--to` as UTC nanoseconds, where an empty `--to` is now; ends the command where they are no span."""
    start, stop = parse_moment(begin, zone, now), parse_moment(end, zone, now) if end else now
    if start >= stop:
        fail(f"--from {begin} is not before --to {end or 'now'}.")
    return start, stop


def parse_moment(text: str, zone: ZoneInfo, now: int) -> int:
    """UTC nanoseconds of `2026-11-22`, `2026-11-22T08:00`, or `36h` ago; local time where no zone is given.

    Ends the command where it is neither.
    """
    with suppress(ValueError):
        return max(0, now - parse_duration(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text!r} is no time. Write 2026-11-22, 2026-11-22T08:00 or how long ago: 36h, 7d.")
    seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp())
    return min(max(0, seconds * 1_000_000_000), _LATEST)


def show_moment(nanoseconds: int | None, zone: ZoneInfo) -> str:
    """Local time for people, to the second; "-" for None."""
    if nanoseconds is None:
        return "-"
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
