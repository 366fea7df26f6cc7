"""Reports as CSV: one number a line, with all that says what it is; for programs, pivot tables and other databases.

In a report tables have different heads, and a file that holds them one below another can be read by nobody. So every
number has a line of its own, and the columns are always the same, whatever the report and its language. Numbers have a
point and no separators; times are in ISO 8601 with their offset. The file begins with a byte order mark, without which
Excel on a Chinese Windows takes UTF-8 for GBK. A text that a spreadsheet would run as a formula has an apostrophe in
front.
"""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import TypeAlias

from collector.csvfile import write_cell
from collector.reports.comparison import compare
from collector.reports.document import Cell, Figure, Report, Section

COLUMNS = ("report", "period", "section", "kind", "title", "row", "column", "unit", "value")
"""kind is text, figure, chart or table; title names the figure, chart or table; row and column the place within it."""

_DIGITS = 6
"""Behind the point; what follows is noise of the arithmetic."""

_Line: TypeAlias = tuple[str, str, str, str, str, Cell]
"""Kind, title, row, column, unit, value."""


def write_csv(report: Report) -> bytes:
    """The file."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")  # as RFC 4180 has it
    writer.writerow(COLUMNS)
    sections = [*report.sections, Section(heading="", paragraphs=report.remarks)]
    for section in sections:
        for line in _list_lines(section):
            cells: list[Cell] = [report.name, str(report.period), section.heading, *line]
            writer.writerow([_write_cell(cell) for cell in cells])
    return file.getvalue().encode("utf-8-sig")


def _list_lines(section: Section) -> Iterator[_Line]:
    for number, paragraph in enumerate(section.paragraphs, 1):
        yield "text", "", str(number), "", "", paragraph
    for figure in section.figures:
        yield from _list_figure(figure)
    for chart in section.charts:
        for series in chart.series:
            places: list[Cell] = list(chart.places)
            for place, value in zip(places, series.values, strict=True):
                yield "chart", chart.title, str(_write_cell(place)), series.label, chart.unit, value
    for table in section.tables:
        totals = [] if table.total is None else [table.total]
        for number, row in enumerate([*table.rows, *totals], 1):
            name = "total" if number > len(table.rows) else str(number)
            for column, cell in zip(table.columns, row, strict=True):
                yield "table", table.title, name, column.label, column.unit, cell


def _list_figure(figure: Figure) -> Iterator[_Line]:
    yield "figure", figure.label, "", "value", figure.unit, figure.value
    for each in compare(figure):
        yield "figure", figure.label, "", each.basis, figure.unit, each.then
    if figure.note:
        yield "figure", figure.label, "", "note", "", figure.note


def _write_cell(cell: Cell) -> str | float | None:
    if isinstance(cell, datetime):
        return cell.isoformat()
    if isinstance(cell, str):
        return write_cell(cell.strip())
    return cell if cell is None else round(cell, _DIGITS)
