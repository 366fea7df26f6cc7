"""devices.csv as the content that devices.yaml would have, and the place of every cell.

The first row names the columns. A column is a key of a device (`id`, `kind`, `building` …); `name_en` and `name_zh`
make its name; `tag.circuit` is its tag `circuit`, which the site then allows. An empty cell is a key left out. Cells
are separated by commas; a text with a comma, quote or line break stands in double quotes (RFC 4180).
"""

import csv
import io
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from collector.yamlfile import Fault, Path, Spot
from devices.register import Device
from devices.values import suggest

_TAG = "tag."
_COLUMNS: dict[str, Path] = {
    **{name: (name,) for name in Device.model_fields if name not in {"name", "tags"}},
    **{f"name_{language}": ("name", language) for language in ("en", "zh")},
}
"""Where a column's cells stand in a device."""

_NEEDED = [name for name, field in Device.model_fields.items() if field.is_required()]

_CELL = re.compile(r'"(?:[^"]|"")*"|[^,\n]*')


class Sheet:
    """One CSV file of devices.

    Attributes:
        value: its content: {"tags": [...], "devices": [{...}, ...]}, without what the faults spoil.
        faults: what is wrong with the columns and rows themselves.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._columns: list[Path] = []
        self._starts: list[int] = []  # the line where each device begins
        self.faults: list[Fault] = []
        devices = list(self._read_devices())
        self.value: object = {"tags": [column[1] for column in self._columns if "tags" in column], "devices": devices}

    def locate(self, path: Path) -> Spot:
        """Where a cell stands, or its row where it has none; of an allowed tag, its column's name."""
        match path:
            case ("devices", int(index), *rest):
                column = self._columns.index(tuple(rest)) if tuple(rest) in self._columns else 0
                return self._locate_cell(self._starts[index], column)
            case ("tags", int(index)):
                columns = [number for number, column in enumerate(self._columns) if "tags" in column]
                return self._locate_cell(1, columns[index])
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

    def _read_devices(self) -> Iterator[dict[object, object]]:
        rows = csv.reader(io.StringIO(self._text, newline=""), strict=True)
        line = 1
        try:
            for row in rows:
                if line == 1:
                    self._read_header(row)
                elif any(row) and self._columns:
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
        known = ", ".join([*_COLUMNS, f"{_TAG}NAME"])
        for index, name in enumerate(names):
            column = ("tags", name.removeprefix(_TAG)) if name.startswith(_TAG) else _COLUMNS.get(name, ())
            spot = self._locate_cell(1, index)
            if not column:
                hint = suggest(name, _COLUMNS) or f"known columns are {known}"
                self.faults.append(Fault(spot, f"unknown column {name!r}", hint))
            elif column in self._columns:
                self.faults.append(Fault(spot, f"column {name!r} stands here a second time", "keep one"))
                column = ()
            self._columns.append(column)
        missing = [name for name in _NEEDED if name not in names]
        for name in missing:
            self.faults.append(Fault(Spot(1, 1), f"missing column {name!r}", f"known columns are {known}"))
        if missing:
            self._columns = []

    def _read_row(self, row: list[str], line: int) -> dict[object, object]:
        if any(row[len(self._columns) :]):
            spot = self._locate_cell(line, len(self._columns))
            self.faults.append(Fault(spot, "more cells than columns", "a text with a comma needs double quotes"))
        device: dict[object, Any] = {}
        for column, cell in zip(self._columns, row, strict=False):
            text = cell.strip()
            if text and column:
                key, *part = column
                if part:
                    device.setdefault(key, {})[part[0]] = text
                else:
                    device[key] = text
        return device
