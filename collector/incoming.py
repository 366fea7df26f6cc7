"""Rows of a spreadsheet on their way into the register."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from collector.spreadsheet import Cell, Grid
from collector.tables import CHINESE_WORDS, DEVICES, REPLACEMENTS, Entry, Header, Table
from collector.yamlfile import Fault, Path, Spot

_IDENTITY = {"replacements": ("device", "at"), "devices": ("id",)}
"""Columns without which nobody knows what a row is about; the more of them, the surer it is which table it is."""


class Incoming:
    """One sheet, as a part of the register.

    Attributes:
        label: what messages call it.
        table: which list of the register it has rows of.
        header: its columns.
        entries: what its rows say.
        faults: what is wrong with its columns and cells.
    """

    def __init__(self, grid: Grid, table: Table, zone: ZoneInfo) -> None:
        """Reads the rows; the first that is not empty names the columns.

        Args:
            grid: the sheet.
            table: as `find_table` says.
            zone: the site's, for times that a spreadsheet program holds, which has no zones.
        """
        self.label, self.table = grid.label, table
        self.faults = list(grid.faults)
        self._zone = zone
        rows = ((number, row) for number, row in enumerate(grid.rows, 1) if any(row))
        number, names = next(rows)
        self.header = Header(table, _read_names(names, table))
        self.faults += [
            Fault(Spot(number, fault.column + 1), fault.message, fault.hint) for fault in self.header.faults
        ]
        self._head = number
        self._numbers: list[int] = []
        self.entries: list[Entry] = []
        for number, row in rows:
            self._numbers.append(number)
            self.entries.append(self.header.read(list(self._read_row(number, row))))

    @property
    def value(self) -> object:
        """What it says, as devices.yaml would."""
        return {self.table.key: self.entries} | ({"tags": list(self.header.tags())} if self.table.tagged else {})

    def locate(self, path: Path) -> Spot:
        """Row and column of a cell, or its row where it has none."""
        match path:
            case ("tags", int(index)):
                return Spot(self._head, list(self.header.tags().values())[index] + 1)
            case (str(), int(index), *rest):
                return Spot(self._numbers[index], (self.header.find(tuple(rest)) or 0) + 1)
        return Spot(self._head, 1)

    locate_key = locate

    def _read_row(self, number: int, row: list[Cell]) -> Iterator[str]:
        for column, cell in enumerate(row):
            path = self.header.paths[column] if column < len(self.header.paths) else ()
            spot = Spot(number, column + 1)
            if cell and column >= len(self.header.paths):
                self.faults.append(Fault(spot, "more cells than columns", "name the column, or empty the cell"))
            if isinstance(cell, str):
                yield CHINESE_WORDS.get(path, {}).get(cell, cell)
            elif path == ("at",):
                yield cell.replace(tzinfo=self._zone).isoformat()
            else:
                self.faults.append(
                    Fault(spot, "the spreadsheet made a date of this", "format the cell as text and write it again")
                )
                yield ""


def find_table(grid: Grid) -> Table | None:
    """The table that a sheet's first row names columns of; None where it is about something else."""
    names = next((row for row in grid.rows if any(row)), [])
    for table in (REPLACEMENTS, DEVICES):
        if set(_IDENTITY[table.key]) <= set(_read_names(names, table)):
            return table
    return None


def _read_names(cells: list[Cell], table: Table) -> list[str]:
    """Names of columns as devices.csv has them."""
    names = [" ".join(str(cell).split()) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return [_read_name(name, table) for name in names]


def _read_name(name: str, table: Table) -> str:
    known = table.chinese.get(name) or name.lower().replace(" ", "_")
    if known in table.columns:
        return known
    return name.replace("标签.", "tag.", 1) if name.startswith("标签.") else name
