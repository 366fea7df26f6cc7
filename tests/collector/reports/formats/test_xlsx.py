"""The workbook, read back: numbers are numbers, texts are no formulas, charts draw what they should."""

import io
from datetime import datetime
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from collector.reports.formats.xlsx import write_xlsx
from tests.reportsample import NASTY, make_sample


@pytest.fixture(scope="module")
def book() -> Workbook:
    return load_workbook(io.BytesIO(write_xlsx(make_sample())))


def find(sheet: Worksheet, text: str) -> tuple[int, int]:
    """Row and column of the first cell that holds a text."""
    return next((cell.row, cell.column) for row in sheet.iter_rows() for cell in row if cell.value == text)


def read_row(sheet: Worksheet, text: str) -> list[Any]:
    row, column = find(sheet, text)
    return [sheet.cell(row, number).value for number in range(column, column + 10)]


def test_every_section_has_a_sheet_whose_name_excel_takes(book: Workbook) -> None:
    assert book.sheetnames == ["Summary", "Consumption", "longlonglonglonglonglonglonglon", "How to read this report"]


def test_figures_stand_with_their_units_and_changes(book: Workbook) -> None:
    sheet = book["Summary"]
    assert sheet["A1"].value == "Energy report 2026-10"
    row = read_row(sheet, "Electricity")
    assert row[:3] == ["Electricity", 12345.6, "kWh"]
    assert row[3::2][:3] == [11000, 13000, 12000]
    assert [round(change, 1) for change in row[4::2][:3]] == [12.2, -5.0, 2.9]
    assert row[9] == "at least: 98.0 % of the time is known"
    assert read_row(sheet, "Nobody knows")[:5] == ["Nobody knows", None, "kW", None, None]


def test_numbers_are_numbers_with_formats(book: Workbook) -> None:
    sheet = book["Consumption"]
    row, _ = find(sheet, "=1+1")
    assert (sheet.cell(row, 2).value, sheet.cell(row, 2).number_format) == (1234.56, "#,##0.0")
    assert sheet.cell(row, 3).value == datetime(2026, 10, 5, 14, 30)  # noqa: DTZ001 - Excel knows no zones
    assert sheet.cell(row, 4).value is None
    assert read_row(sheet, "Total")[:2] == ["Total", 8641.92]
    assert sheet.cell(find(sheet, "Total")[0], 1).font.b


def test_no_text_is_a_formula(book: Workbook) -> None:
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s", "n", "d"}
    assert set(NASTY) <= {cell.value for cell in cells}
    assert "bell" in {cell.value for cell in cells}  # what XML cannot hold is left out


def test_charts_draw_the_numbers_beside_them(book: Workbook) -> None:
    sheet = book["Consumption"]
    bars, lines, stacked = sheet._charts  # type: ignore[attr-defined] # openpyxl reads them into it
    assert [type(chart).__name__ for chart in (bars, lines, stacked)] == ["BarChart", "LineChart", "BarChart"]
    assert stacked.grouping == "stacked"
    assert bars.x_axis.number_format.formatCode == "mm-dd"
    row, _ = find(sheet, "2026-10 (kWh)")
    assert bars.series[0].val.numRef.f == f"'Consumption'!$B${row + 1}:$B${row + 31}"
    assert bars.series[0].cat.numRef.f == f"'Consumption'!$A${row + 1}:$A${row + 31}"
    assert len(bars.series) == 2
    assert sheet.cell(row + 1, 4).value == 140


def test_heat_is_coloured_and_heads_stay(book: Workbook) -> None:
    sheet = book["Consumption"]
    row, _ = find(sheet, "周一")
    (rule,) = sheet.conditional_formatting
    assert str(rule.sqref) == f"B{row}:Y{row + 1}"
    assert sheet.freeze_panes == "B2"
    head = find(book["Summary"], "Figure")[0]
    assert book["Summary"].freeze_panes == f"B{head + 1}"
    assert sheet.column_dimensions["A"].width > len(max(NASTY, key=len))


def test_it_speaks_chinese() -> None:
    book = load_workbook(io.BytesIO(write_xlsx(make_sample("zh"))))
    assert book.sheetnames[:2] == ["摘要", "用量"]
    assert read_row(book["摘要"], "用电量")[1] == 12345.6
