"""Addresses of devices, where the message and not the topic names them: paths, or texts with paths in { }."""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from devices.errors import Undecodable
from devices.paths import Scope, check_path, compile_path

_BRACES = re.compile(r"\{([^{}]*)\}")


def check_address(template: str) -> str:
    """A text that makes an address, unchanged.

    Raises:
        ValueError: it is none.
    """
    texts, paths = _split(template)
    if any("{" in text or "}" in text for text in texts):
        raise ValueError("a { or } stands alone")
    for path in paths:
        check_path(path)
    return template


def list_paths(template: str) -> list[str]:
    """The paths, and names of parts of the topic, in a text that makes an address."""
    return _split(template)[1]


def compile_address(templates: Sequence[str], parts: Collection[str]) -> Callable[[Any, Scope], str]:
    """The function that makes the address of an item's device; it raises Undecodable where it cannot.

    Args:
        templates: the first whose paths all find something holds.
        parts: names of the topic's parts, which may stand in { } as they are.
    """
    finds = [_compile_template(template, parts) for template in templates]

    def find_device(item: Any, scope: Scope) -> str:  # noqa: ANN401 - JSON is anything
        for find in finds:
            address = find(item, scope)
            if address:
                return address
        raise Undecodable("the message does not name its device", hint=f"expected it at {' or '.join(templates)}")

    return find_device


def name_of(found: object) -> str:
    """What names something, as text: devices number themselves too. "" for anything else."""
    if isinstance(found, str):
        return found
    if isinstance(found, float) and found.is_integer():
        return str(int(found))
    return str(found) if type(found) is int else ""


def _split(template: str) -> tuple[list[str], list[str]]:
    """The texts around the paths, and the paths; a template without braces is one path."""
    pieces = _BRACES.split(template)
    return (pieces[::2], pieces[1::2]) if len(pieces) > 1 else (["", ""], [template])


def _compile_template(template: str, parts: Collection[str]) -> Callable[[Any, Scope], str]:
    texts, paths = _split(template)
    finds = [compile_path(f"$topic.{path}" if path in parts and path != template else path) for path in paths]
    pairs = tuple(zip(finds, texts[1:], strict=True))
    start = texts[0]

    def fill(item: Any, scope: Scope) -> str:  # noqa: ANN401 - JSON is anything
        address = start
        for find, text in pairs:
            found = find(item, scope)
            if type(found) is not str:
                found = name_of(found)
            if not found:
                return ""
            address += found + text
        return address

    return fill
