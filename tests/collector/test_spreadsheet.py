"""Spreadsheets as they come: written by other programs, in other encodings, damaged."""

import io
from datetime import datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from collector import spreadsheet
from collector.spreadsheet import SpreadsheetError, make_workbook, read_spreadsheet

ROWS = [["id", "kind", "name_zh"], ["wm-1", "water_meter", "总水表"]]
LOST = "a number of which the spreadsheet has lost the last digits"


def save(path: Path, *rows: list[object]) -> Path:
    """A workbook of one sheet, as another program writes it."""
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_csv_of_any_dialect(encoding: str, separator: str, newline: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes("".join(separator.join(row) + newline for row in ROWS).encode(encoding))
    (grid,) = read_spreadsheet(file)
    assert (grid.label, grid.rows, grid.faults) == (file, ROWS, [])
    assert bool(grid.note) == (encoding == "gb18030")


def test_csv_in_no_encoding_that_is_known(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"id,kind\n\xff\xff\n")
    with pytest.raises(SpreadsheetError, match=r"a\.csv: neither UTF-8 nor GB18030 text; save it as \.xlsx"):
        read_spreadsheet(file)


def test_csv_with_cells_that_are_lost(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('id,meter\na,1.23457E+17\nb,"x\n', encoding="utf-8")
    (grid,) = read_spreadsheet(file)
    assert grid.faults == [
        ((2, 2, ""), LOST, "format the cell as text and write it again"),
        (
            (3, 1, ""),
            "a quote is not closed, or text stands behind it",
            "close it, and double a quote that belongs to the text",
        ),
    ]


def test_a_workbook_with_what_programs_make_of_cells(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["id", 7, 7.0, 0.1, 20000000000, True, None, datetime(2026, 3, 1, 10), " x ", "", None])  # noqa: DTZ001 - cells have no zones
    sheet.append([])
    sheet.append([7, "=1+1"])
    sheet["A3"].number_format = "000"
    book.save(tmp_path / "a.xlsx")
    (grid,) = read_spreadsheet(tmp_path / "a.xlsx")
    assert grid.rows == [
        ["id", "7", "7", "0.1", "20000000000", "True", "", datetime(2026, 3, 1, 10), "x"],  # noqa: DTZ001 - likewise
        [],
        ["007"],
    ]
    assert grid.faults == []


def test_a_workbook_with_cells_that_are_lost(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append([1234567890123456789, None])
    sheet["B1"].value, sheet["B1"].data_type = "#N/A", "e"
    book.save(tmp_path / "a.xlsx")
    (grid,) = read_spreadsheet(tmp_path / "a.xlsx")
    assert grid.faults == [
        ((1, 1, ""), LOST, "format the cell as text and write it again"),
        ((1, 2, ""), "the cell holds the error #N/A", "mend its formula, or write the value"),
    ]


def test_sheets_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    file.write_bytes(make_workbook({"devices": ROWS, "replacements": [["device"]]}))
    assert [(str(grid.label), grid.rows) for grid in read_spreadsheet(file)] == [
        (f"{file}!devices", ROWS),
        (f"{file}!replacements", [["device"]]),
    ]


def test_every_cell_that_is_written_is_a_text() -> None:
    rows = [["id", "meter"], ["=1+1", "007"], ["-1F", ""]]
    (sheet,) = load_workbook(io.BytesIO(make_workbook({"devices": rows}))).worksheets
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert [cell.value for cell in cells] == ["id", "meter", "=1+1", "007", "-1F", None]
    assert {cell.data_type for cell in cells if cell.value} == {"s"}
    assert {cell.number_format for cell in cells} == {"@"}
    assert sheet.freeze_panes == "B2"


@pytest.mark.parametrize("content", [b"", b"id,kind\n", b"PK\x03\x04" + bytes(100)])
def test_what_is_no_workbook(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    file.write_bytes(content)
    with pytest.raises(SpreadsheetError, match=r"a\.xlsx: no workbook, or a damaged one \(BadZipFile"):
        read_spreadsheet(file)


def test_a_workbook_that_unpacks_into_too_much(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(spreadsheet.SIZE_MAX + 1))
    assert file.stat().st_size < 100_000
    with pytest.raises(SpreadsheetError, match="larger than 50,000,000 bytes when unpacked"):
        read_spreadsheet(file)


def test_a_row_that_is_far_away(tmp_path: Path) -> None:
    book = Workbook()
    book.worksheets[0].cell(1_048_576, 1, "x")
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(SpreadsheetError, match="more than 100,000 rows or 5,000,000 cells; delete what is empty"):
        read_spreadsheet(tmp_path / "a.xlsx")


GOOD = make_workbook({"devices": ROWS})


@given(
    start=st.integers(0, len(GOOD)),
    cut=st.integers(0, 40),
    written=st.binary(max_size=8),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_damaged_workbook_is_read_or_told(start: int, cut: int, written: bytes, tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    file.write_bytes(GOOD[:start] + written + GOOD[start + cut :])
    try:
        grids = read_spreadsheet(file)
    except SpreadsheetError as error:
        assert str(error).startswith(f"{file}: ")  # noqa: PT017 - either is good
    else:
        assert all(isinstance(cell, str | datetime) for grid in grids for row in grid.rows for cell in row)
