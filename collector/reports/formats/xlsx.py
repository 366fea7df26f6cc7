"""Reports as a workbook: a sheet for each section, numbers as numbers, charts that Excel draws from them."""

import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from collector.reports.charts import name_places
from collector.reports.comparison import Basis, compare
from collector.reports.document import Cell, Chart, Column, Figure, Report, Section, Table
from collector.reports.formats import show
from collector.reports.wording import Words

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

_NAME_MOST = 31
_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
"""What Excel does not take in the name of a sheet."""

_WIDE, _NARROW = 60, 9
"""Widths of columns, in characters."""

_CHART_WIDTH_CM, _CHART_HEIGHT_CM, _CHART_ROWS = 20.0, 8.0, 17
_TIME_FORMATS = {len(time): time for time in ("mm-dd", "yyyy-mm", "mm-dd hh:mm")}
"""By the length of what `name_places` says of times."""

_COLD, _HOT = "FFFFFF", "E69F00"
_LATIN = 0x2E80
"""Letters from here on are twice as wide."""


def write_xlsx(report: Report) -> bytes:
    """The workbook."""
    # It takes as long to load as the rest of a command: only who writes one pays.
    from openpyxl import Workbook  # noqa: PLC0415 - see above

    say, book = Words(report.language), Workbook()
    book.remove(book.worksheets[0])
    book.properties.title, book.properties.creator = report.title, "Siteward"
    head = [f"{report.site} · {show.show_days(report, say)}", say("format.made", time=show.show_moment(report.made))]
    remarks = Section(heading=say("format.remarks"), paragraphs=report.remarks)
    names: set[str] = set()
    for number, section in enumerate([*report.sections, *([remarks] if report.remarks else [])]):
        sheet = _Sheet(book.create_sheet(_name_sheet(section.heading, names)), say)
        if number == 0:
            sheet.write_line(report.title, is_bold=True)
            sheet.write_lines(head)
        sheet.write_section(section)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _name_sheet(heading: str, taken: set[str]) -> str:
    """A name that Excel takes and no other sheet has, whatever its case."""
    name = _FORBIDDEN.sub(" ", heading).strip()[:_NAME_MOST] or "-"
    number = 1
    while name.lower() in taken:
        number += 1
        name = f"{name[: _NAME_MOST - 4]} {number}"
    taken.add(name.lower())
    return name


class _Block(NamedTuple):
    """Where numbers stand: the row of their heads, the last row, and how many columns there are."""

    head: int
    last: int
    columns: int


class _Sheet:
    """One sheet, written from above."""

    def __init__(self, sheet: "Worksheet", say: Words) -> None:
        from openpyxl.worksheet.properties import PageSetupProperties  # noqa: PLC0415 - see `write_xlsx`

        self._sheet, self._say = sheet, say
        sheet.page_setup.orientation = "landscape"  # on paper as wide as a page, as long as it takes
        sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        self._row = 1
        self._blocks: list[_Block] = []

    def write_section(self, section: Section) -> None:
        """Everything of a section."""
        self.write_line(section.heading, is_bold=True)
        self.write_lines(section.paragraphs)
        if section.figures:
            self._write_figures(section.figures)
        for table in section.tables:
            self._write_table(table)
        for chart in section.charts:
            if chart.series:
                self._write_chart(chart)
        if len(self._blocks) == 1:  # of several tables, the head of one would stand above the others
            self._sheet.freeze_panes = f"B{self._blocks[0].head + 1}"
        else:
            self._sheet.freeze_panes = "B2"
        self._fit()

    def write_lines(self, texts: Iterable[str]) -> None:
        """Sentences, one below another."""
        for text in filter(None, texts):
            self.write_line(text)

    def write_line(self, text: str, *, is_bold: bool = False) -> None:
        """One sentence; it reaches over its neighbours."""
        self._put(1, text, is_bold=is_bold)
        self._row += 1

    # ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _write_figures(self, figures: Sequence[Figure]) -> None:
        say = self._say
        bases: tuple[Basis, ...] = ("before", "year_before", "budget")
        columns = [Column(say("format.figure")), Column(say("format.value")), Column(say("format.unit"))]
        for basis in bases:
            columns += [Column(say(basis)), Column(say("change"), say("format.percent_or_points"))]
        rows: list[list[Cell]] = []
        digits: list[list[int]] = []
        for figure in figures:
            found = {each.basis: each for each in compare(figure)}
            cells: list[Cell] = [figure.label, figure.value, figure.unit]
            for basis in bases:
                other = found.get(basis)
                cells += [other.then, other.change] if other else [None, None]
            rows.append([*cells, figure.note])
            digits.append([figure.digits, figure.digits, 0, *([figure.digits, 1] * len(bases)), 0])
        self._write_grid(say("format.figures"), [*columns, Column(say("format.note"))], rows, digits)

    def _write_table(self, table: Table) -> None:
        digits = [column.digits for column in table.columns]
        rows = [*table.rows, *([] if table.total is None else [table.total])]
        block = self._write_grid(table.title, table.columns, rows, [digits] * len(rows))
        if table.total is not None:
            for column in range(1, block.columns + 1):
                self._emphasize(block.last, column)
        self.write_lines([table.note])

    def _write_chart(self, chart: Chart) -> None:
        """The numbers, and beside them the chart; a table of colours is coloured itself."""
        limits = [] if chart.limit is None else [Column(self._say("format.limit"), chart.unit, 2)]
        if chart.kind == "heat":
            columns = [Column(""), *(Column(str(place), "", 1) for place in chart.places)]
            rows: list[list[Cell]] = [[series.label, *series.values] for series in chart.series]
        else:
            columns = [Column(""), *(Column(series.label, chart.unit, 2) for series in chart.series), *limits]
            places: list[Cell] = list(chart.places)
            values = zip(*(series.values for series in chart.series), strict=True)
            rest: list[Cell] = [chart.limit] if limits else []
            rows = [[place, *row, *rest] for place, row in zip(places, values, strict=True)]
        title = f"{chart.title} ({chart.unit})" if chart.unit else chart.title
        block = self._write_grid(title, columns, rows, [[column.digits for column in columns]] * len(rows))
        if chart.kind == "heat":
            self._color(block)
        else:
            self._draw(chart, block)
            self._row = max(self._row, block.head + _CHART_ROWS)
        self.write_lines([chart.note])

    # ── cells ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _write_grid(
        self, title: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], digits: Sequence[Sequence[int]]
    ) -> _Block:
        self._row += 1
        self.write_line(title, is_bold=True)
        head = self._row
        for number, column in enumerate(columns, 1):
            self._put(number, show.show_head(column), is_bold=True)
        for row, places in zip(rows, digits, strict=True):
            self._row += 1
            for number, (cell, after) in enumerate(zip(row, places, strict=True), 1):
                self._put(number, cell, digits=after)
        block = _Block(head, self._row, len(columns))
        self._blocks.append(block)
        self._row += 1
        return block

    def _put(self, column: int, content: Cell, *, digits: int = 0, is_bold: bool = False) -> None:
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415 - see `write_xlsx`

        cell = self._sheet.cell(self._row, column)
        if isinstance(content, str):
            cell.value = ILLEGAL_CHARACTERS_RE.sub("", content)
            cell.data_type = "s"  # also what begins with =
        elif isinstance(content, datetime):
            cell.value = content.replace(tzinfo=None)  # Excel knows no time zones
            cell.number_format = "yyyy-mm-dd hh:mm" if content.hour or content.minute else "yyyy-mm-dd"
        elif content is not None:
            cell.value = content
            cell.number_format = "#,##0" + (f".{'0' * digits}" if digits else "")
        if is_bold:
            self._emphasize(self._row, column)

    def _emphasize(self, row: int, column: int) -> None:
        from openpyxl.styles import Font  # noqa: PLC0415 - see `write_xlsx`

        self._sheet.cell(row, column).font = Font(bold=True)

    def _fit(self) -> None:
        """Columns as wide as what stands in their blocks; sentences reach over."""
        from openpyxl.utils import get_column_letter  # noqa: PLC0415 - see `write_xlsx`

        rows = [row for block in self._blocks for row in range(block.head, block.last + 1)]
        for column in range(1, max((block.columns for block in self._blocks), default=1) + 1):
            cells = (self._sheet.cell(row, column) for row in rows)
            widths = [_measure(cell.value, cell.number_format) for cell in cells]
            letter = get_column_letter(column)
            self._sheet.column_dimensions[letter].width = min(_WIDE, max([_NARROW, *widths]) + 2)

    # ── charts ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _draw(self, chart: Chart, block: _Block) -> None:
        from openpyxl.chart import BarChart, LineChart, Reference  # noqa: PLC0415 - see `write_xlsx`
        from openpyxl.utils import get_column_letter  # noqa: PLC0415 - likewise

        drawn: BarChart | LineChart
        if chart.kind == "lines":
            drawn = LineChart()
        else:
            is_stacked = chart.kind == "stacked"
            drawn = BarChart(grouping="stacked" if is_stacked else "clustered", overlap=100 if is_stacked else None)
        drawn.title, drawn.y_axis.title = chart.title, chart.unit or None
        drawn.width, drawn.height = _CHART_WIDTH_CM, _CHART_HEIGHT_CM  # type: ignore[assignment] # any number will do
        drawn.x_axis.delete = drawn.y_axis.delete = False  # else newer Excel hides them
        if any(isinstance(place, datetime) for place in chart.places):  # else it shows the number of a day
            drawn.x_axis.number_format = _TIME_FORMATS[len(name_places(chart.places)[0])]
        last = 1 + len(chart.series) + (1 if chart.limit is not None and chart.kind == "lines" else 0)
        numbers = Reference(self._sheet, min_col=2, max_col=last, min_row=block.head, max_row=block.last)
        drawn.add_data(numbers, titles_from_data=True)
        drawn.set_categories(Reference(self._sheet, min_col=1, min_row=block.head + 1, max_row=block.last))
        self._sheet.add_chart(drawn, f"{get_column_letter(block.columns + 2)}{block.head}")

    def _color(self, block: _Block) -> None:
        from openpyxl.formatting.rule import ColorScaleRule  # noqa: PLC0415 - see `write_xlsx`
        from openpyxl.utils import get_column_letter  # noqa: PLC0415 - likewise

        rule = ColorScaleRule(  # type: ignore[no-untyped-call] # openpyxl has no types for it
            start_type="min", start_color=_COLD, end_type="max", end_color=_HOT
        )
        span = f"B{block.head + 1}:{get_column_letter(block.columns)}{block.last}"
        self._sheet.conditional_formatting.add(span, rule)


def _measure(value: object, number_format: str) -> int:
    """How many characters wide a cell is."""
    if isinstance(value, str):
        return sum(2 if ord(letter) >= _LATIN else 1 for letter in value)
    if isinstance(value, datetime):
        return len(number_format)
    return len(f"{value:,.{len(number_format.partition('.')[2])}f}") if isinstance(value, int | float) else 0
