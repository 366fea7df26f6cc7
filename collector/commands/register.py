"""`siteward devices import|export`: the register as a spreadsheet."""

from collections import Counter
from pathlib import Path
from typing import Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer

from collector.commands.common import load_configuration
from collector.csvfile import write_csv
from collector.errors import CollectorError
from collector.folder import ConfigurationError, Problem
from collector.incoming import Incoming, find_table
from collector.registerfile import write_table
from collector.registerimport import Change, RegisterImport
from collector.spreadsheet import make_workbook, read_spreadsheet
from collector.tables import DEVICES, REPLACEMENTS
from collector.terminal import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFolder,
    console,
    fail,
    messages,
    print_json,
    print_rows,
)

Spreadsheets = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="CSV or XLSX; rows of devices, of replacements, or both.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")]


def import_(
    files: Spreadsheets,
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take devices and replaced meters over from spreadsheets into devices.csv and replacements.csv.

    The first row names the columns, in English or Chinese, as `siteward devices export` writes them. A column that is
    left out changes nothing, an empty cell empties; what is not in the spreadsheet stays as it is. Nothing is written
    before everything is good.
    """
    configuration = load_configuration(config)
    sheets = _read_sheets(files, configuration.settings.site.zone)
    try:
        plan = RegisterImport(configuration, sheets)
        if not dry_run:
            plan.write()
    except ConfigurationError as error:
        _refuse(error.problems)
    except (CollectorError, OSError) as error:
        fail(str(error))
    written = [] if dry_run else [str(file) for file in plan.texts]
    if as_json:
        print_json({"changes": [change._asdict() for change in plan.changes], "written": written})
    else:
        _print_changes(plan.changes, written, dry_run=dry_run)


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .csv or .xlsx.")],
    config: ConfigFolder = DEFAULT_CONFIG,
) -> None:
    """Write the register as a spreadsheet, to be edited and imported again.

    A workbook (.xlsx) has a sheet of devices and one of replacements, and keeps leading zeros. Beside a .csv, which has
    one table only, replacements go to FILE-replacements.csv.
    """
    register = load_configuration(config).register
    tables = {table.key: write_table(table, register) for table in (DEVICES, REPLACEMENTS)}
    match file.suffix.lower():
        case ".xlsx":
            contents = {file: make_workbook(tables)}
        case ".csv":
            beside = file.with_stem(f"{file.stem}-{REPLACEMENTS.key}")
            names = {file: DEVICES.key} | ({beside: REPLACEMENTS.key} if register.replacements else {})
            # Spreadsheet programs take UTF-8 for something else where it has no mark.
            contents = {path: write_csv(tables[key]).encode("utf-8-sig") for path, key in names.items()}
        case _:
            fail(f"{file}: expected a name that ends in .csv or .xlsx")
    for path in contents:
        if path.exists():
            fail(f"{path} exists. Delete it, or choose another name.")
    try:
        for path, content in contents.items():
            path.write_bytes(content)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")
    done = f"Wrote {len(register.devices):,} devices to {' and '.join(map(str, contents))}."
    console.print(done, markup=False, highlight=False, soft_wrap=True)


def _read_sheets(files: list[Path], zone: ZoneInfo) -> list[Incoming]:
    """The sheets of all files that hold a part of the register; ends the command where there is none, or a fault."""
    sheets = []
    for file in files:
        try:
            grids = read_spreadsheet(file)
        except OSError as error:
            fail(f"{file}: {error.strerror}")
        except CollectorError as error:
            fail(str(error))
        found = []
        for grid in grids:
            table = find_table(grid)
            note = grid.note if table else "left out: its first row names no columns of the register" * any(grid.rows)
            if note:
                messages.print(f"{grid.label}: {note}", style="yellow", markup=False, soft_wrap=True)
            if table:
                found.append(Incoming(grid, table, zone))
        if not found:
            fail(f"{file}: expected a column `id` for devices, or columns `device` and `at` for replacements")
        sheets += found
    return sheets


def _print_changes(changes: list[Change], written: list[str], *, dry_run: bool) -> None:
    rows = [
        {
            "change": change.kind,
            "what": change.device if change.table == DEVICES.key else f"replacement at {change.device}",
            "cells": "\n".join(
                f"{name}: {f'{before} → ' if before else ''}{after or '–'}"
                for name, (before, after) in change.cells.items()
            ),
        }
        for change in changes
        if change.kind != "same"
    ]
    print_rows("Changes", rows, as_json=False, empty="Nothing changes.")
    counts = Counter(change.kind for change in changes)
    summary = f"{counts['added']:,} added, {counts['changed']:,} changed, {counts['same']:,} left alone."
    done = f"Wrote {' and '.join(written)}." if written else "Nothing was written."
    console.print(summary, done, "(--dry-run)" if dry_run else "", highlight=False, markup=False, soft_wrap=True)


def _refuse(problems: list[Problem]) -> NoReturn:
    for problem in problems:
        messages.print(str(problem), style="red", markup=False, soft_wrap=True)
    fail(f"{len(problems)} problem(s); nothing was written.")
