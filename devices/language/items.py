"""From a message to its items, each of which is a reading: cut out, chosen, taken apart, put under names."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from devices.errors import Undecodable
from devices.expressions import compile_search
from devices.language.addresses import name_of
from devices.language.conditions import compile_when
from devices.language.profile import Form
from devices.language.sources import Entries, TextParts
from devices.message import parse_json
from devices.paths import Scope, compile_first, compile_path

Cut: TypeAlias = Callable[[Any, Scope], Iterable[tuple[Any, Scope]]]
"""Cuts a message into items, each with what surrounds it."""

Change: TypeAlias = Callable[[Any, Scope], Any]
"""Makes another item of an item."""

ITEMS_MOST = 10_000
"""More of them in a message are refused."""


def open_text(found: Any) -> Any:  # noqa: ANN401 - JSON is anything
    """What stands in a text that is JSON itself; anything else stays."""
    return parse_json(found.encode()) if type(found) is str else found


def compile_cut(form: Form) -> Cut | None:
    """The function that cuts a message into items; None where it is one itself."""
    if not form.each:
        return None
    (outermost, find_outermost), *further = [(path, compile_path(path)) for path in form.each]
    admits = compile_when(form.where) if form.where else None

    def cut(body: Any, scope: Scope) -> Iterable[tuple[Any, Scope]]:  # noqa: ANN401 - JSON is anything
        items = _open_list(outermost, find_outermost(body, scope), body, scope)
        for path, find in further:
            inner: list[tuple[Any, Scope]] = []
            for outer, around in items:
                inner += _open_list(path, find(outer, around), outer, around)
                if len(inner) > ITEMS_MOST:
                    raise _too_many(path)
            items = inner
        if admits is not None:
            items = [(item, around) for item, around in items if admits(item, around)]
        return [*items, (body, scope)] if form.itself else items

    return cut


def _open_list(path: str, found: Any, outer: Any, around: Scope) -> list[tuple[Any, Scope]]:  # noqa: ANN401 - JSON is anything
    """The items of a list or an object that was found in another item, each with what surrounds it."""
    if found is None:
        return []
    if type(found) is not list and type(found) is not dict:
        raise Undecodable(f"expected a list of readings at {path}")
    if len(found) > ITEMS_MOST:
        raise _too_many(path)
    root, parts, port = around.root, around.parts, around.port
    if isinstance(found, list):
        key = around.key
        return [(item, Scope(root, parts, port, outer, key, index)) for index, item in enumerate(found)]
    index = around.index
    return [(item, Scope(root, parts, port, outer, key, index)) for key, item in found.items()]


def _too_many(path: str) -> Undecodable:
    return Undecodable(f"more than {ITEMS_MOST} items at {path}")


def compile_changes(form: Form) -> list[Change]:
    """What makes of an item the one in which points stand, in this order."""
    changes: list[Change] = []
    if form.entries:
        changes.append(_compile_entries(form.entries))
    if form.under:
        changes.append(_compile_under(form.under))
    return changes


def _compile_entries(entries: Entries) -> Change:
    find = compile_path(entries.path)
    find_name = compile_path(entries.name) if entries.name else None
    find_value = compile_first(entries.value)
    admits = compile_when(entries.where) if entries.where else None

    def gather(item: Any, scope: Scope) -> Any:  # noqa: ANN401 - JSON is anything
        found = find(item, scope)
        if found is None:
            return {}
        if type(found) is dict and find_name is None:
            if admits is not None:
                found = {name: entry for name, entry in found.items() if admits(entry, scope)}
            return {name: find_value(entry, scope) for name, entry in found.items()}
        if type(found) is dict:
            found = list(found.values())
        if type(found) is not list or find_name is None:
            wanted = "an object" if find_name is None else "a list"
            raise Undecodable(f"expected {wanted} of names and values at {entries.path}")
        named: dict[str, Any] = {}
        for entry in found:
            name = find_name(entry, scope)
            if type(name) is not str:
                name = name_of(name)
            if name and (admits is None or admits(entry, scope)):
                named[name] = find_value(entry, scope)
        return named

    return gather


def _compile_under(path: str) -> Change:
    find = compile_path(path)

    def put(item: Any, scope: Scope) -> Any:  # noqa: ANN401 - JSON is anything
        name = name_of(find(item, scope))
        return {name: item} if name else {}

    return put


def compile_pieces(parts: TextParts) -> Callable[[Any, Scope], Mapping[str, str] | None]:
    """The function that takes a text in an item apart; it gives None where the pattern is not found."""
    find = compile_path(parts.path)
    search = compile_search(parts.pattern)

    def find_pieces(item: Any, scope: Scope) -> Mapping[str, str] | None:  # noqa: ANN401 - JSON is anything
        text = find(item, scope)
        match = search(text) if type(text) is str else None
        return {name: value for name, value in match.groupdict().items() if value} if match else None

    return find_pieces
