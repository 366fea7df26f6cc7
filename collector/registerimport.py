"""What spreadsheets change in the register: checked as a part of the whole configuration, compared, and written."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from collector.configuration import Configuration, load
from collector.csvfile import Sheet, write_csv
from collector.errors import CollectorError
from collector.folder import DEVICES_CSV, DEVICES_YAML, REPLACEMENTS_CSV, ConfigurationError, Problem
from collector.incoming import Incoming
from collector.registerfile import find_columns, lock_folder, replace_files, write_entry, write_rows
from collector.tables import DEVICES, REPLACEMENTS, Entry, cells_of, name_column, put
from collector.wording import Source
from collector.yamlfile import Document, Fault, Spot
from collector.yamlfile import Path as Place
from devices.register import Device, Register, Replacement
from devices.timestamps import parse_rfc3339

_TABLES = {DEVICES_CSV: DEVICES, REPLACEMENTS_CSV: REPLACEMENTS}

Key: TypeAlias = tuple[object, ...]
"""What an entry is about: ("devices", id), or ("replacements", device, time, point)."""


class Change(NamedTuple):
    """What becomes of what a row is about.

    Attributes:
        table: `devices` or `replacements`.
        device: its id.
        kind: `added`, `changed` or `same`.
        cells: what was and what will be, by column; only those that change.
    """

    table: str
    device: str
    kind: str
    cells: Mapping[str, tuple[str, str]]


class _Held(NamedTuple):
    """An entry that the register has."""

    file: Path
    number: int
    model: Device | Replacement


class RegisterImport:
    """Rows of spreadsheets beside the register. A cell that is there says what shall be; a column that is not, nothing.

    Attributes:
        changes: one for each row.
        texts: what the files that change will hold.
    """

    def __init__(self, configuration: Configuration, sheets: Sequence[Incoming]) -> None:
        """Compares, and changes nothing yet.

        Args:
            configuration: as it is.
            sheets: with the rows; their entries become whole ones.

        Raises:
            ConfigurationError: with every problem of a cell, or of the configuration that would come about.
        """
        self._folder = configuration.folder
        self._before = _read_register(self._folder)
        self._sources = _open_register(self._before)
        self._held = _hold(configuration.register, self._sources)
        rows = [(sheet, row, _find_key(sheet, row)) for sheet in sheets for row in range(len(sheet.entries))]
        for sheet, row, key in rows:
            if key in self._held:
                sheet.entries[row] = _merge(sheet, row, self._held[key].model)
        drafts: dict[Path, Source] = self._find_rest({key for _, _, key in rows})
        register = load(self._folder, drafts | {sheet.label: sheet for sheet in sheets}).register
        self._models = _index(register)
        self.changes = [self._compare(sheet, key) for sheet, _, key in rows]
        problems = [
            problem
            for (sheet, row, key), change in zip(rows, self.changes, strict=True)
            for problem in self._find_foreign(sheet, row, key, change)
        ]
        if problems:
            raise ConfigurationError(problems)
        self.texts = dict(self._write_texts(rows))
        self._check()

    def write(self) -> None:
        """Puts the new files in the place of the old ones.

        Raises:
            CollectorError: somebody else has changed the register since it was compared; nothing was written.
            OSError: they cannot be written.
        """
        with lock_folder(self._folder):
            if _read_register(self._folder) != self._before:
                raise CollectorError("the register was changed meanwhile; nothing was written. Run this again.")
            replace_files(self.texts)

    def _find_rest(self, keys: set[Key]) -> dict[Path, Source]:
        """The register's files without what the rows are about."""
        kept: dict[Path, dict[str, list[int]]] = {file: {"devices": [], "replacements": []} for file in self._sources}
        for key, held in self._held.items():
            if key not in keys:
                kept[held.file][str(key[0])].append(held.number)
        return {file: _Rest(source, kept[file]) for file, source in self._sources.items()}

    def _compare(self, sheet: Incoming, key: Key) -> Change:
        held, model = self._held.get(key), self._models[key]
        before = dict(cells_of(write_entry(held.model))) if held else {}
        after = dict(cells_of(write_entry(model)))
        cells = {
            name_column(path): (before.get(path, ""), after.get(path, ""))
            for path in dict.fromkeys((*before, *after))
            if before.get(path) != after.get(path)
        }
        return Change(sheet.table.key, str(key[1]), ("changed" if cells else "same") if held else "added", cells)

    def _find_foreign(self, sheet: Incoming, row: int, key: Key, change: Change) -> Iterator[Problem]:
        """Changes of what stands in devices.yaml, which people write themselves."""
        held = self._held.get(key)
        if held is None or held.file.name != DEVICES_YAML:
            return
        place = f"{held.file}:{self._sources[held.file].locate((sheet.table.key, held.number)).line}"
        for column, (before, after) in change.cells.items():
            spot = sheet.locate((sheet.table.key, row, *sheet.table.find(column)))
            message = f"{column}: {place} has {before or 'nothing'!r} for {change.device!r}, not {after or 'nothing'!r}"
            hint = "change it there, or delete the entry there"
            yield Problem(sheet.label, spot.line, spot.column, message, hint)

    def _write_texts(self, rows: Sequence[tuple[Incoming, int, Key]]) -> Iterator[tuple[Path, str]]:
        for name, table in _TABLES.items():
            file = self._folder / name
            source = self._sources.get(file) or Sheet("", table)
            before: list[Entry] = _content(source).get(table.key, [])
            entries = deepcopy(before)
            for (sheet, row, key), change in zip(rows, self.changes, strict=True):
                if sheet.table is not table or change.kind == "same":
                    continue
                if key in self._held:
                    cells = dict(cells_of(sheet.entries[row]))
                    for column in change.cells:
                        put(entries[self._held[key].number], table.find(column), cells.get(table.find(column), ""))
                else:
                    entries.append(sheet.entries[row])
            if entries != before:
                there = source.header.paths if isinstance(source, Sheet) else []
                yield file, write_csv(write_rows(find_columns(table, entries, there), entries))

    def _check(self) -> None:
        """Reads the files as they will be, before any of them is."""
        drafts = {file: Sheet(text, _TABLES[file.name]) for file, text in self.texts.items()}
        if _index(load(self._folder, drafts).register) != self._models:
            raise CollectorError("the files would not be read back as they were checked; nothing was written")


class _Rest:
    """A file of the register without some of its entries."""

    def __init__(self, source: Source, kept: Mapping[str, Sequence[int]]) -> None:
        self.faults: list[Fault] = []
        self._source, self._kept = source, kept
        content = _content(source)
        self.value: object = content | {
            key: [content[key][index] for index in kept[key]] for key in kept if key in content
        }

    def locate(self, path: Place) -> Spot:
        return self._source.locate(self._translate(path))

    def locate_key(self, path: Place) -> Spot:
        return self._source.locate_key(self._translate(path))

    def _translate(self, path: Place) -> Place:
        match path:
            case (str(key), int(index), *rest) if key in self._kept:
                return (key, self._kept[key][index], *rest)
        return path


def _read_register(folder: Path) -> dict[Path, str]:
    """The texts of the register's files, in the order in which they make the register."""
    files = [folder / name for name in (DEVICES_YAML, DEVICES_CSV, REPLACEMENTS_CSV)]
    return {file: file.read_text(encoding="utf-8-sig") for file in files if file.exists()}


def _open_register(texts: Mapping[Path, str]) -> dict[Path, Source]:
    return {
        file: Sheet(text, _TABLES[file.name]) if file.name in _TABLES else Document(text)
        for file, text in texts.items()
    }


def _hold(register: Register, sources: Mapping[Path, Source]) -> dict[Key, _Held]:
    """Where everything in the register stands."""
    models: dict[str, Iterator[Device | Replacement]] = {
        "devices": iter(register.devices),
        "replacements": iter(register.replacements),
    }
    held = {}
    for file, source in sources.items():
        for name, rest in models.items():
            for number in range(len(_content(source).get(name, ()))):
                model = next(rest)
                held[_key_of(model)] = _Held(file, number, model)
    return held


def _content(source: Source) -> dict[str, Any]:
    return source.value if isinstance(source.value, dict) else {}


def _key_of(model: Device | Replacement) -> Key:
    if isinstance(model, Device):
        return "devices", model.id
    return "replacements", model.device, model.at, model.point


def _index(register: Register) -> dict[Key, Device | Replacement]:
    models: list[Device | Replacement] = [*register.devices, *register.replacements]
    return {_key_of(model): model for model in models}


def _find_key(sheet: Incoming, row: int) -> Key:
    """What a row is about, so far as it says so."""
    entry = sheet.entries[row]
    if sheet.table is DEVICES:
        return "devices", entry.get("id")
    at = entry.get("at")
    with suppress(ValueError):
        at = parse_rfc3339(at)[0]
    return "replacements", entry.get("device"), at, entry.get("point")


def _merge(sheet: Incoming, row: int, model: Device | Replacement) -> Entry:
    """An entry that the register has, with the cells of a row in place of its own."""
    cells = dict(cells_of(sheet.entries[row]))
    entry = write_entry(model)
    for path in sheet.header.paths:
        if path:
            put(entry, path, cells.get(path, ""))
    return entry
