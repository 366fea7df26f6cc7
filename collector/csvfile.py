"""devices.csv and replacements.csv as the content that devices.yaml would have, and the place of every cell.

The first row names the columns. A column is a key of a device (`id`, `kind`, `building` …) or of a replacement;
`name_en` and `name_zh` make a name; `tag.circuit` is the tag `circuit`, which the site then allows. An empty cell is a
key left out, and spaces around a text are no part of it. Cells are separated by commas; a text with a comma, quote or
line break stands in double quotes (RFC 4180).

A spreadsheet program would run a text that begins with = + - or @ as a formula. Such a text is written with an
apostrophe in front, which is taken away when it is read.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from collector.tables import Entry, Header, Table
from collector.yamlfile import Fault, Path, Spot

LOST = (
    "a number of which the spreadsheet has lost the last digits",
    "format the cell as text and write it again",
)
"""What is wrong with a cell that holds 15 digits of a longer number, and what to do."""

_SCIENTIFIC = re.compile(r"\d[.,]\d+[Ee]\+\d{2}")
_CELL = re.compile(r'"(?:[^"]|"")*"|[^,\n]*')
_FORMULA = re.compile(r"'*([=@]|[+-](?!\d+(\.\d+)?$))")
"""How a text begins that a spreadsheet would run, with any apostrophes in front; -1 is but a number."""


class Sheet:
    """One CSV file.

    Attributes:
        value: its content: {"tags": [...], "devices": [{...}, ...]}, without what the faults spoil.
        faults: what is wrong with the columns and rows themselves.
    """

    def __init__(self, text: str, table: Table) -> None:
        self._text = text
        self._table = table
        self._starts: list[int] = []  # the line where each entry begins
        self.header = Header(table, ())
        self.faults: list[Fault] = []
        entries = list(self._read_entries())
        self.value: object = {table.key: entries} | ({"tags": list(self.header.tags())} if table.tagged else {})

    def locate(self, path: Path) -> Spot:
        """Where a cell stands, or its row where it has none; of an allowed tag, its column's name."""
        match path:
            case ("tags", int(index)):
                return self._locate_cell(1, list(self.header.tags().values())[index])
            case (str(), int(index), *rest):
                return self._locate_cell(self._starts[index], self.header.find(tuple(rest)) or 0)
        return Spot(1, 1)

    locate_key = locate

    def _locate_cell(self, line: int, column: int) -> Spot:
        row = self._offsets[line - 1]
        start, end = row, row - 1
        for _ in range(column + 1):
            cell = _CELL.match(self._text, end + 1) if end < row or self._text[end : end + 1] == "," else None
            if cell is None:  # the row is shorter
                break
            start, end = cell.span()
        line += self._text.count("\n", row, start)
        return Spot(line, start - self._offsets[line - 1] + 1, self._text[start:end])

    @cached_property
    def _offsets(self) -> list[int]:
        """Where each line begins."""
        return [0, *(match.end() for match in re.finditer("\n", self._text))]

    def _read_entries(self) -> Iterator[Entry]:
        rows = csv.reader(io.StringIO(self._text, newline=""), strict=True)
        line = 1
        try:
            for row in rows:
                if line == 1:
                    self._read_header(row)
                elif any(row) and self.header.paths:
                    self._starts.append(line)
                    yield self._read_row(row, line)
                line = rows.line_num + 1
        except csv.Error:
            hint = "close it, and double a quote that belongs to the text"
            self.faults.append(Fault(Spot(line, 1), "a quote is not closed, or text stands behind it", hint))

    def _read_header(self, row: list[str]) -> None:
        names = [name.strip() for name in row]
        while names and not names[-1]:  # spreadsheets leave empty columns behind
            names.pop()
        if len(names) == 1 and (separator := re.search(r"[;\t|]", names[0])):
            spot = self._locate_cell(1, 0)._replace(column=separator.start() + 1)
            self.faults.append(Fault(spot, f"columns are separated by {separator[0]!r}", "separate them by commas"))
            return
        header = Header(self._table, names)
        self.faults += [Fault(self._locate_cell(1, column), *rest) for column, *rest in header.faults]
        missing = [name for name in self._table.needed if name not in names]
        self.faults += [Fault(Spot(1, 1), f"missing column {name!r}", "no row can do without it") for name in missing]
        if not missing:
            self.header = header

    def _read_row(self, row: list[str], line: int) -> Entry:
        if any(row[len(self.header.paths) :]):
            spot = self._locate_cell(line, len(self.header.paths))
            self.faults.append(Fault(spot, "more cells than columns", "a text with a comma needs double quotes"))
        lost = [Fault(self._locate_cell(line, column), *LOST) for column, cell in enumerate(row) if is_lost(cell)]
        self.faults += lost
        return self.header.read([read_cell(cell) for cell in row])


def is_lost(cell: str) -> bool:
    """Whether a spreadsheet has written a long number, such as a meter's, in the short way: `1.23457E+17`."""
    return _SCIENTIFIC.fullmatch(cell.strip()) is not None


def read_cell(written: str) -> str:
    """The text that a cell stands for."""
    text = written.strip()
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def write_cell(text: str) -> str:
    """What `read_cell` reads as that text, and no spreadsheet runs."""
    return f"'{text}" if _FORMULA.match(text) else text


def write_csv(rows: Iterable[Iterable[str]]) -> str:
    """Rows of texts as a CSV file."""
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows([write_cell(text) for text in row] for row in rows)
    return file.getvalue()
