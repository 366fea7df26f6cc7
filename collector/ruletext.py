"""Rules as text: the words of one rule out of a file, and in the place of another's. What stands around it stays."""

from typing import NamedTuple

import yaml

from collector.errors import CollectorError
from collector.yamlfile import find_end

_HEAD = "rules:\n  - "


class _Place(NamedTuple):
    """Where a rule's own text begins and ends, and in which column it begins (from 0)."""

    start: int
    end: int
    column: int


def read_entry(text: str, rule: str) -> str:
    """The text of a rule as the first column would have it, with the comments inside of it.

    Args:
        text: of a file of rules.
        rule: id.

    Raises:
        CollectorError: the rule is not in it, or the file is no block of rules.
    """
    text = text.replace("\r\n", "\n")
    place = _find(text, rule)
    first, *others = text[place.start : place.end].rstrip().split("\n")
    return "\n".join([first, *(_outdent(line, place.column) for line in others)])


def replace_entry(text: str, rule: str, entry: str) -> str:
    """The text of a file with other words for a rule.

    Args:
        text: of a file of rules.
        rule: id.
        entry: as `read_entry` gives it.

    Raises:
        CollectorError: see `read_entry`.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    plain = text.replace("\r\n", "\n")
    place = _find(plain, rule)
    end = place.start + len(plain[place.start : place.end].rstrip())
    return (plain[: place.start] + _indent(entry, place.column) + plain[end:]).replace("\n", newline)


def write_alone(entry: str) -> str:
    """A file that holds one rule.

    Args:
        entry: as `read_entry` gives it.
    """
    return f"{_HEAD}{_indent(entry, len(_HEAD) - _HEAD.index(' '))}\n"


def _find(text: str, rule: str) -> _Place:
    root = yaml.compose(text, yaml.CSafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    rules = next((value for key, value in pairs if key.value == "rules"), None)
    if not isinstance(rules, yaml.SequenceNode) or rules.flow_style:
        raise CollectorError("expected `rules:` and below it a list, each rule behind a '- '; change the rule by hand")
    for node in rules.value:
        entries = node.value if isinstance(node, yaml.MappingNode) else []
        if any(key.value == "id" and value.value == rule for key, value in entries):
            return _Place(node.start_mark.index, find_end(node), node.start_mark.column)
    raise CollectorError(f"there is no rule {rule!r}")


def _outdent(line: str, column: int) -> str:
    blank = len(line) - len(line.lstrip(" "))
    return line[min(blank, column) :]


def _indent(entry: str, column: int) -> str:
    first, *others = entry.split("\n")
    return "\n".join([first, *(f"{' ' * column}{line}" if line else line for line in others)])
