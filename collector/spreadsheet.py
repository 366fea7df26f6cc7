"""Spreadsheets as people keep them: CSV of any dialect, and XLSX; their cells, and new workbooks."""

import csv
import io
import re
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from zipfile import ZipFile

from collector.csvfile import LOST, is_lost, read_cell
from collector.errors import CollectorError
from collector.yamlfile import Fault, Spot

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

Cell: TypeAlias = str | datetime
"""A text without spaces around it, "" where there is none; or a date, which a program made of one."""

SIZE_MAX = 50_000_000
"""Most bytes of a file, unpacked."""

ROWS_MAX = 100_000
CELLS_MAX = 5_000_000
"""Most rows of a sheet, and cells with the empty ones between them."""

_DIGITS_MAX = 15
"""What a spreadsheet keeps of a number."""

_SEPARATORS = ",;\t"


class SpreadsheetError(CollectorError):
    """A file that is no spreadsheet, or more of one than a register needs."""


class Grid(NamedTuple):
    """One sheet.

    Attributes:
        label: what messages call it: the file, and its name where the file has several.
        rows: all of them, from the first on.
        faults: cells that hold nothing of use; line and column are their row and column.
        note: how it was read, where that may surprise.
    """

    label: Path
    rows: list[list[Cell]]
    faults: list[Fault]
    note: str = ""


def read_spreadsheet(file: Path) -> list[Grid]:
    """The sheets of a file: .xlsx, or CSV in UTF-8, UTF-16 or GB18030, with commas, semicolons or tabs.

    Raises:
        SpreadsheetError: it is no such thing, or too large.
        OSError: it cannot be read.
    """
    if file.stat().st_size > SIZE_MAX:
        raise SpreadsheetError(f"{file}: larger than {SIZE_MAX:,} bytes; a register is much smaller")
    if file.suffix.lower() == ".xlsx":
        return _read_workbook(file)
    return [_read_text(file)]


def make_workbook(tables: Mapping[str, Sequence[Sequence[str]]]) -> bytes:
    """An .xlsx file with a sheet for each table; every cell is a text, so that no program changes or runs it.

    Args:
        tables: rows by the name of their sheet; the first one holds the names of the columns.
    """
    from openpyxl import Workbook  # noqa: PLC0415 - takes as long to load as the rest of a command

    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in tables.items():
        _write_sheet(book.create_sheet(name), rows)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _write_sheet(sheet: "Worksheet", rows: Sequence[Sequence[str]]) -> None:
    from openpyxl.styles import Font  # noqa: PLC0415 - likewise
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 - likewise

    for number, row in enumerate(rows, 1):
        for column, text in enumerate(row, 1):
            cell = sheet.cell(number, column)
            if text:
                cell.value = text
                cell.data_type = "s"  # also what begins with =
            cell.number_format = "@"
    for column, texts in enumerate(zip(*rows, strict=True), 1):
        sheet.cell(1, column).font = Font(bold=True)
        dimension = sheet.column_dimensions[get_column_letter(column)]
        dimension.number_format = "@"  # for rows that people add
        dimension.width = min(max(map(len, texts)), 40) + 2
    sheet.freeze_panes = "B2"


def _read_text(file: Path) -> Grid:
    data = file.read_bytes()
    encodings = ("utf-16",) if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise SpreadsheetError(f"{file}: neither UTF-8 nor GB18030 text; save it as .xlsx or 'CSV UTF-8'")
    head = text.lstrip().partition("\n")[0]
    separator = max(_SEPARATORS, key=head.count)
    rows: list[list[Cell]] = []
    faults: list[Fault] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            rows.append([read_cell(cell) for cell in row])
            faults += [Fault(Spot(len(rows), column), *LOST) for column, cell in enumerate(row, 1) if is_lost(cell)]
    except csv.Error:
        hint = "close it, and double a quote that belongs to the text"
        faults.append(Fault(Spot(len(rows) + 1, 1), "a quote is not closed, or text stands behind it", hint))
    return Grid(file, rows, faults, "read as GB18030: see that its names are right" if encoding == "gb18030" else "")


def _read_workbook(file: Path) -> list[Grid]:
    from openpyxl import load_workbook  # noqa: PLC0415 - takes as long to load as the rest of a command

    try:
        _check_size(file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what is no cell, such as drawings
            book = load_workbook(file, read_only=True, data_only=True)
            try:
                sheets = [_read_sheet(Path(f"{file}!{sheet.title}"), sheet) for sheet in book.worksheets]
            finally:
                book.close()
    except (SpreadsheetError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - openpyxl lets through whatever a damaged file causes
        raise SpreadsheetError(f"{file}: no workbook, or a damaged one ({error!r}); save it as .xlsx again") from None
    return [sheets[0]._replace(label=file)] if len(sheets) == 1 else sheets


def _check_size(file: Path) -> None:
    with ZipFile(file) as archive:
        if sum(part.file_size for part in archive.infolist()) > SIZE_MAX:
            raise SpreadsheetError(f"{file}: larger than {SIZE_MAX:,} bytes when unpacked")


def _read_sheet(label: Path, sheet: Any) -> Grid:  # noqa: ANN401 - openpyxl does not say what it reads into
    sheet.reset_dimensions()  # programs write wrong ones
    rows: list[list[Cell]] = []
    faults: list[Fault] = []
    count = 0
    for row in sheet.iter_rows():
        count += len(row)
        if len(rows) == ROWS_MAX or count > CELLS_MAX:
            raise SpreadsheetError(f"{label}: more than {ROWS_MAX:,} rows or {CELLS_MAX:,} cells; delete what is empty")
        texts: list[Cell] = []
        for column, cell in enumerate(row, 1):
            text, problem = _read_value(cell)
            texts.append(text)
            if problem:
                faults.append(Fault(Spot(len(rows) + 1, column), *problem))
        while texts and not texts[-1]:
            texts.pop()
        rows.append(texts)
    return Grid(label, rows, faults)


def _read_value(cell: Any) -> tuple[Cell, tuple[str, str] | None]:  # noqa: ANN401 - likewise
    """What a cell holds; and what is wrong with it, and what to do."""
    value = cell.value
    if value is None or isinstance(value, datetime):
        return value or "", None
    if cell.data_type == "e":
        return "", (f"the cell holds the error {value}", "mend its formula, or write the value")
    if isinstance(value, int | float) and not isinstance(value, bool):
        problem = LOST if abs(value) >= 10**_DIGITS_MAX else None
        leading_zeros = re.fullmatch("0+", cell.number_format)
        return f"{value:0{len(leading_zeros[0])}.0f}" if leading_zeros else f"{value:.{_DIGITS_MAX}g}", problem
    return str(value).strip(), None
