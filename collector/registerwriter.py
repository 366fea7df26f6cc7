"""Adds a device to the register's file: its text, comments and order stay, and the folder is valid before and after."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from collector.configuration import load
from collector.csvfile import Sheet, write_csv
from collector.errors import CollectorError
from collector.folder import DEVICES_CSV, DEVICES_YAML
from collector.registerfile import lock_folder, replace_files, write_entry
from collector.tables import DEVICES, Entry, cells_of, name_column
from collector.yamlfile import Document, find_end
from devices.register import Device

_BOM = "\ufeff"


def add_device(folder: Path, device: Device) -> Path:
    """Writes a device behind the others, in devices.yaml where the site lists devices there, else in devices.csv.

    Args:
        folder: of the configuration.
        device: what is to be listed; keys with their default are left out.

    Returns:
        The file that was changed.

    Raises:
        ConfigurationError: with the device, or already without it, the folder would be wrong; nothing was changed.
        CollectorError: the file is written in a way that cannot be added to.
        OSError: the file cannot be read or written.
    """
    with lock_folder(folder):
        file = _choose_file(folder)
        text = file.read_bytes().decode("utf-8") if file.exists() else ""
        bom, text = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
        fields = write_entry(device)
        try:
            longer = _add_item(text, fields) if file.name == DEVICES_YAML else _add_row(text, fields)
        except ValueError as error:
            raise CollectorError(f"{file}: {error}; add the device by hand") from None
        _check(folder, file, longer)
        replace_files({file: bom + longer})
    return file


def _choose_file(folder: Path) -> Path:
    in_yaml, in_csv = folder / DEVICES_YAML, folder / DEVICES_CSV
    if in_yaml.exists() and in_csv.exists():
        content = Document(in_yaml.read_text(encoding="utf-8-sig")).value
        return in_yaml if isinstance(content, dict) and content.get("devices") else in_csv
    return in_csv if in_csv.exists() else in_yaml


def _check(folder: Path, file: Path, text: str) -> None:
    """Reads the folder as it would be."""
    plain = text.replace("\r\n", "\n")
    load(folder, {file: Document(plain) if file.name == DEVICES_YAML else Sheet(plain, DEVICES)})


# ── devices.yaml ─────────────────────────────────────────────────────────────────────────────────────────────────


def _add_item(text: str, fields: Mapping[str, Any]) -> str:
    """The text of devices.yaml with one more entry, in the manner of the last one.

    Raises:
        ValueError: there is no place for it.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    found = _find_devices(text)
    if found is None:
        return f"{_end_line(text, newline)}devices:{newline}  - {_flow(fields)}{newline}"
    key, devices = found
    if isinstance(devices, yaml.ScalarNode):  # `devices:` and nothing behind it
        return _insert_line(text, key.end_mark.index, f"  - {_flow(fields)}", newline)
    if not isinstance(devices, yaml.SequenceNode):
        raise ValueError("`devices` is no list")  # noqa: TRY004 - a mistake in a text, not in a call
    if devices.flow_style:
        if devices.value:
            return _insert(text, devices.value[-1].end_mark.index, f", {_flow(fields)}")
        return _insert(text, devices.start_mark.index + 1, _flow(fields))
    last = devices.value[-1]
    indent = " " * devices.start_mark.column
    if not isinstance(last, yaml.MappingNode) or last.flow_style:
        return _insert_line(text, find_end(last), f"{indent}- {_flow(fields)}", newline)
    inner = f"{newline}{' ' * last.start_mark.column}"
    lines = inner.join(f"{name}: {_flow(value)}" for name, value in fields.items())
    return _insert_line(text, find_end(last), f"{indent}- {lines}", newline)


def _find_devices(text: str) -> tuple[yaml.Node, yaml.Node] | None:
    """The key `devices` and what stands behind it."""
    root = yaml.compose(text, yaml.CSafeLoader)
    if root is None:
        return None
    if not isinstance(root, yaml.MappingNode):
        raise ValueError("expected `devices:` and a list")  # noqa: TRY004 - a mistake in a text, not in a call
    found = next(((key, value) for key, value in root.value if key.value == "devices"), None)
    if found is None and root.flow_style:
        raise ValueError("there is no `devices` in its brackets")
    return found


def _insert(text: str, index: int, more: str) -> str:
    return text[:index] + more + text[index:]


def _insert_line(text: str, index: int, line: str, newline: str) -> str:
    """Puts a line behind the one in which the text before an index ends."""
    end = text.find("\n", len(text[:index].rstrip()))
    head, tail = (text, "") if end < 0 else (text[: end + 1], text[end + 1 :])
    return f"{_end_line(head, newline)}{line}{newline}{tail}"


def _end_line(text: str, newline: str) -> str:
    return text if not text or text.endswith("\n") else text + newline


def _flow(value: object) -> str:
    """A value in one line of YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(name)}: {_flow(inner)}" for name, inner in value.items()) + "}"
    written = yaml.dump([value], Dumper=yaml.CSafeDumper, default_flow_style=True, allow_unicode=True, width=10**6)
    plain = written.strip()[1:-1]
    # PyYAML speaks YAML 1.1, to which `1e5` is a text.
    return plain if Document(plain).value == value else f"'{plain}'"


# ── devices.csv ──────────────────────────────────────────────────────────────────────────────────────────────────


def _add_row(text: str, fields: Entry) -> str:
    """The text of devices.csv with one more row, and with the columns that it needs.

    Raises:
        ValueError: the first row is no list of columns.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    cells = {name_column(path): str(cell) for path, cell in cells_of(fields)}
    lines = io.StringIO(text, newline="").readlines()
    rows = csv.reader(lines, strict=True)
    try:
        columns = [name.strip() for name in next(rows, [])]
    except csv.Error:
        raise ValueError("the first row cannot be read") from None
    end = sum(map(len, lines[: rows.line_num]))
    while columns and not columns[-1]:  # spreadsheets leave empty columns behind
        columns.pop()
    missing = [name for name in cells if name not in columns]
    head = text[:end].rstrip("\r\n")
    if missing:
        head = ",".join(filter(None, [head.rstrip(", \t"), *missing]))
    row = write_csv([[cells.get(name, "") for name in [*columns, *missing]]])
    return head + newline + _end_line(text[end:], newline) + row.replace("\n", newline)
