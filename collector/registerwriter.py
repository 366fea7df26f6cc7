"""Adds a device to the register's file: its text, comments and order stay, and the folder is valid before and after."""

import csv
import fcntl
import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from collector.configuration import DEVICES_CSV, DEVICES_YAML, ConfigurationError, Problem, load
from collector.errors import CollectorError
from collector.yamlfile import Document
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
    with _lock(folder):
        file = _choose_file(folder)
        text = file.read_bytes().decode("utf-8") if file.exists() else ""
        bom, text = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
        fields = device.model_dump(mode="json", exclude_defaults=True)
        try:
            longer = _add_item(text, fields) if file.name == DEVICES_YAML else _add_row(text, fields)
        except ValueError as error:
            raise CollectorError(f"{file}: {error}; add the device by hand") from None
        _check(folder, file, bom + longer)
        _replace(file, bom + longer)
    return file


def _choose_file(folder: Path) -> Path:
    in_yaml, in_csv = folder / DEVICES_YAML, folder / DEVICES_CSV
    if in_yaml.exists() and in_csv.exists():
        content = Document(in_yaml.read_text(encoding="utf-8-sig")).value
        return in_yaml if isinstance(content, dict) and content.get("devices") else in_csv
    return in_csv if in_csv.exists() else in_yaml


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Two that write at once would lose one of the devices."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _check(folder: Path, file: Path, text: str) -> None:
    """Reads the folder as it would be."""
    with tempfile.TemporaryDirectory() as name:
        shadow = Path(name)
        for entry in folder.iterdir():
            if entry != file:
                (shadow / entry.name).symlink_to(entry.resolve())
        (shadow / file.name).write_bytes(text.encode())
        try:
            load(shadow)
        except ConfigurationError as error:
            problems = [_move(problem, shadow, folder) for problem in error.problems]
            raise ConfigurationError(problems) from None


def _move(problem: Problem, source: Path, target: Path) -> Problem:
    """A problem of one folder, said of another."""
    message, hint = (text.replace(str(source), str(target)) for text in (problem.message, problem.hint))
    return problem._replace(file=target / problem.file.relative_to(source), message=message, hint=hint)


def _replace(file: Path, text: str) -> None:
    """Exchanges a file's content at once, as whoever reads it sees it, with its owner and rights."""
    target = file.resolve()
    fresh = target.with_name(f"{target.name}.new")
    with fresh.open("wb") as stream:
        stream.write(text.encode())
        stream.flush()
        os.fsync(stream.fileno())
    if target.exists():
        shutil.copymode(target, fresh)
        status = target.stat()
        with suppress(PermissionError):  # somebody else's file, in a folder of ours
            os.chown(fresh, status.st_uid, status.st_gid)
    fresh.replace(target)


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
        return _insert_line(text, _find_end(last), f"{indent}- {_flow(fields)}", newline)
    inner = f"{newline}{' ' * last.start_mark.column}"
    lines = inner.join(f"{name}: {_flow(value)}" for name, value in fields.items())
    return _insert_line(text, _find_end(last), f"{indent}- {lines}", newline)


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


def _find_end(node: yaml.Node) -> int:
    """Where a node's own text ends: libyaml counts what follows a block, such as comments, as a part of it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    index: int = node.end_mark.index
    return index


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


def _add_row(text: str, fields: Mapping[str, Any]) -> str:
    """The text of devices.csv with one more row, and with the columns that it needs.

    Raises:
        ValueError: the first row is no list of columns.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    cells = dict(_list_cells(fields))
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
    row = io.StringIO()
    csv.writer(row, lineterminator=newline).writerow([cells.get(name, "") for name in [*columns, *missing]])
    return head + newline + _end_line(text[end:], newline) + row.getvalue()


def _list_cells(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Columns and cells as csvfile.py reads them."""
    for name, value in fields.items():
        if isinstance(value, Mapping):
            prefix = "tag." if name == "tags" else f"{name}_"
            yield from ((f"{prefix}{key}", str(inner)) for key, inner in value.items())
        else:
            yield name, str(value)
