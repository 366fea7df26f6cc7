"""What all commands share on a terminal: tables for people, JSON for programs, exit codes, the --config option."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import orjson
import typer
from rich.console import Console
from rich.table import Table

EXIT_FINDINGS = 1
EXIT_USAGE = 2

console = Console(emoji=False)
"""Answers go here."""

messages = Console(stderr=True, highlight=False)
"""Errors and progress go here, so that answers can be piped."""

ConfigFolder = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="SITEWARD_CONFIG", metavar="DIR", help="Folder of the configuration."),
]
"""The option; its default is `DEFAULT_CONFIG`."""

DEFAULT_CONFIG = Path("config")
"""Below the folder that one stands in."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]


def fail(message: str, code: int = EXIT_USAGE) -> NoReturn:
    """Prints what is wrong, and what to do, and ends the command."""
    messages.print(message, style="red", markup=False, soft_wrap=True)
    raise typer.Exit(code)


def print_json(value: object) -> None:
    """Prints a value as indented JSON."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE, default=str).decode())


def print_rows(title: str, rows: Sequence[Mapping[str, object]], *, as_json: bool, empty: str = "Nothing.") -> None:
    """Prints rows with the same keys as a table, or as a JSON list.

    Args:
        title: stands above the table.
        rows: what to print; the first row's keys are the column heads.
        as_json: for programs.
        empty: said where there are no rows.
    """
    if as_json:
        print_json(list(rows))
        return
    if not rows:
        console.print(empty)
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in rows[0]:
        numeric = any(isinstance(row[name], int | float) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    console.print(table)
