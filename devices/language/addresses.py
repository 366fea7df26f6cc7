"""Addresses of devices, where the message and not the topic names them: paths, or texts with paths in { }."""

import re
from collections.abc import Callable, Collection, Sequence
from itertools import groupby
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
    split = [_aim(template, parts) for template in templates]
    alike = groupby(split, lambda pair: (pair[0], pair[1][:-1]))  # those that differ in their last path only
    finds = [_compile_template(*key, [paths[-1] for _, paths in group]) for key, group in alike]

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


def _aim(template: str, parts: Collection[str]) -> tuple[list[str], list[str]]:
    """The texts and paths of a template; what is a part of the topic in { } leads there."""
    texts, paths = _split(template)
    return texts, [f"$topic.{path}" if path in parts and path != template else path for path in paths]


def _compile_template(texts: Sequence[str], paths: Sequence[str], last: Sequence[str]) -> Callable[[Any, Scope], str]:
    """The function that fills in a template, behind its other paths the first of several that names something."""
    find_last = _compile_names(last)
    if not paths and not any(texts):
        return find_last
    start, *between, end = texts
    pairs = [(_compile_names([path]), text) for path, text in zip(paths, between, strict=True)]

    def fill(item: Any, scope: Scope) -> str:  # noqa: ANN401 - JSON is anything
        final = find_last(item, scope)
        if not final:
            return ""
        address = start
        for find, text in pairs:
            name = find(item, scope)
            if not name:
                return ""
            address += name + text
        return address + final + end

    return fill


def _compile_names(paths: Sequence[str]) -> Callable[[Any, Scope], str]:
    """The function that finds the first of several paths that leads to a name; "" where none does."""
    finds = [compile_path(path) for path in paths]

    def find_name(item: Any, scope: Scope) -> str:  # noqa: ANN401 - JSON is anything
        for find in finds:
            found = find(item, scope)
            if found is not None:
                name = found if type(found) is str else name_of(found)
                if name:
                    return name
        return ""

    return find_name
