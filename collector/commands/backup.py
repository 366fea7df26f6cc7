"""`siteward backup` and `siteward restore`."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from collector import logs
from collector.backup.restoring import restore_backup
from collector.backup.taking import take_backup
from collector.commands.common import load_configuration
from collector.errors import CollectorError
from collector.terminal import DEFAULT_CONFIG, EXIT_FINDINGS, ConfigFolder, console, fail, messages
from tickets.errors import TicketsError

_EXPECTED_ERRORS = (CollectorError, TicketsError, OSError, sqlite3.Error)


def backup(
    file: Annotated[Path, typer.Argument(help="Archive to be made, or a folder, where it is named by site and time.")],
    config: ConfigFolder = DEFAULT_CONFIG,
) -> None:
    """Save everything that is not in InfluxDB into one file, also while the daemon runs.

    In it are the configuration, the journal with quarantine and ledger, the rules' state, tickets, the keys of
    credentials, and the embedded store; passwords and tokens are not. Exits with 1 where a database is damaged.
    """
    configuration = load_configuration(config)
    logs.configure()
    try:
        with _bar("Saving") as bar:
            taken = take_backup(configuration, file, bar)
    except _EXPECTED_ERRORS as error:
        fail(f"No backup was made: {error}", EXIT_FINDINGS)
    size = decimal(taken.path.stat().st_size)
    console.print(f"{taken.path}: {size}, site {taken.manifest.site} as of {taken.manifest.made}", soft_wrap=True)
    console.print("Whoever has this file can read who went where: keep it as closed as the site itself.")
    if taken.manifest.left_out:
        console.print(f"Not in it, keep them elsewhere: {', '.join(taken.manifest.left_out)}", soft_wrap=True)
    if taken.damaged:
        told = "; ".join(f"{name}: {trouble}" for name, trouble in taken.damaged.items())
        fail(f"Damaged, and in it as it is: {told}. docs/operations/recovery.md says what to do.", EXIT_FINDINGS)


def restore(
    file: Annotated[Path, typer.Argument(help="Archive that `siteward backup` made.")],
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Move aside what is there; nothing is deleted.")] = False,
    keep_config: Annotated[
        bool, typer.Option("--keep-config", help="Leave the configuration: it says where data and tickets go.")
    ] = False,
) -> None:
    """Bring a site back as it was when a backup was made.

    The archive is checked as a whole before anything is touched. No daemon may run on the data_dir meanwhile.
    """
    logs.configure()
    try:
        with _bar("Restoring") as bar:
            restored = restore_backup(file, config, bar, replace=replace, keep_config=keep_config)
    except _EXPECTED_ERRORS as error:
        fail(f"Not restored: {error}", EXIT_FINDINGS)
    made = restored.manifest.made
    console.print(f"Site {restored.manifest.site} is as of {made} again, in {restored.data_dir}", soft_wrap=True)
    if restored.aside is not None:
        console.print(f"What was there before is in {restored.aside}", soft_wrap=True)
    if restored.missing:
        console.print(f"Put back, for no backup holds them: {', '.join(map(str, restored.missing))}", soft_wrap=True)
    console.print(f"Next: siteward check --config {config}, then siteward run --config {config}", soft_wrap=True)


class _Bar:
    def __init__(self, bars: Bars, task: TaskID) -> None:
        self._bars, self._task = bars, task

    def expect(self, count: int) -> None:
        self._bars.update(self._task, total=count)

    def advance(self, count: int) -> None:
        self._bars.advance(self._task, count)


@contextmanager
def _bar(words: str) -> Iterator[_Bar]:
    columns = (TextColumn(words), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Bars(*columns, console=messages) as bars:
        yield _Bar(bars, bars.add_task("", total=None))
