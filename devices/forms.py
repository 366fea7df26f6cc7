"""From a form of message to the function that reads it: opened by its format, cut into items, each item into points."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from devices.canonical import read_canonical
from devices.conditions import compile_when
from devices.convert import compile_value
from devices.errors import Undecodable
from devices.formats import Toolbox, compile_opener
from devices.message import Part, Record
from devices.obis import compile_obis
from devices.paths import Find, Scope, compile_path
from devices.plan import compile_points
from devices.profile import Form
from devices.reading import Value
from devices.sources import Entries, Intervals, PointSource
from devices.times import compile_time
from devices.topics import list_parts

ReadForm: TypeAlias = Callable[[bytes, int, Mapping[str, str]], list[Record] | None]
"""Reads a payload that arrived at a time (nanoseconds since 1970) on a topic with these named parts. None: it is of another
form; no records: it holds no reading. Raises Undecodable."""

ReadItem: TypeAlias = Callable[[Any, Scope, int, Part], list[Record]]
"""Reads one item of a part; no records where it holds none of the points."""

Change: TypeAlias = Callable[[Any, Scope], Any]
"""Makes another item of an item."""

_BRACES = re.compile(r"\{([^{}]*)\}")
_ITEMS_MOST = 10_000


def compile_form(form: Form, toolbox: Toolbox, *, own_topic: bool = False) -> ReadForm:
    """The function that reads messages of a form.

    Args:
        form: what they look like.
        toolbox: what formats need beside it.
        own_topic: the topic belongs to one device alone, so the form's `device` is not asked.

    Raises:
        ValueError: a codec is no JavaScript.
    """
    if form.format == "canonical":
        return lambda payload, received, _parts: read_canonical(payload, received)
    on_topic = compile_when({path: test for path, test in form.when.items() if path.startswith("$topic.")})
    if form.ignore and all(path.startswith("$topic.") for path in form.when):
        return lambda _payload, _received, parts: [] if on_topic(None, Scope(None, parts)) else None
    open_payload = compile_opener(form, toolbox)
    holds = compile_when(form.when) if form.when else None
    enter = compile_path(form.within) if form.within else None
    cut = _compile_cut(form)
    read_item = _compile_item(form, toolbox, own_topic=own_topic)

    def read(payload: bytes, received: int, parts: Mapping[str, str]) -> list[Record] | None:
        if holds and not on_topic(None, Scope(None, parts)):
            return None
        opened = open_payload(payload, received, parts)
        if not opened:
            return opened  # type: ignore[return-value] # an empty list is one of anything
        records: list[Record] = []
        fits = False
        for part in opened:
            scope = Scope(part.body if part.root is None else part.root, parts, part.port)
            if holds and not holds(part.body, scope):
                continue
            fits = True
            body = part.body if enter is None else enter(part.body, scope)
            if cut is None:
                records += read_item(body, scope, received, part)
            else:
                for item, around in cut(body, scope):
                    records += read_item(item, around, received, part)
        if not records and fits and not form.may_be_empty and not form.ignore:
            raise Undecodable("no point in the message", hint="the profile finds none of its points")
        return records if fits else None

    return read


# ── items ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _compile_cut(form: Form) -> Callable[[Any, Scope], Iterable[tuple[Any, Scope]]] | None:
    """The function that cuts a message into items; None where it is one."""
    if not form.each:
        return None
    steps = [(path, compile_path(path)) for path in form.each]
    admits = compile_when(form.where) if form.where else None

    def cut(body: Any, scope: Scope) -> Iterable[tuple[Any, Scope]]:  # noqa: ANN401 - JSON is anything
        items = [(body, scope)]
        for path, find in steps:
            items = [
                (item, Scope(scope.root, scope.parts, scope.port, outer, key, index))
                for outer, around in items
                for key, index, item in _open_list(path, find(outer, around), around)
            ]
            if len(items) > _ITEMS_MOST:
                raise Undecodable(f"more than {_ITEMS_MOST} items at {path}")
        if admits is None:
            return items
        return [(item, around) for item, around in items if admits(item, around)]

    return cut


def _open_list(path: str, found: Any, around: Scope) -> Iterable[tuple[str | None, int | None, Any]]:  # noqa: ANN401 - JSON is anything
    if type(found) is list:
        return [(around.key, index, item) for index, item in enumerate(found)]
    if type(found) is dict:
        return [(key, around.index, item) for key, item in found.items()]
    if found is None:
        return []
    raise Undecodable(f"expected a list of readings at {path}")


def _compile_changes(form: Form) -> list[Change]:
    changes: list[Change] = []
    if form.entries:
        changes.append(_compile_entries(form.entries))
    if form.under:
        changes.append(_compile_under(form.under))
    return changes


def _compile_entries(entries: Entries) -> Change:
    find = compile_path(entries.path)
    find_name = compile_path(entries.name)
    find_value = compile_path(entries.value) if entries.value else lambda entry, _scope: entry

    def gather(item: Any, scope: Scope) -> Any:  # noqa: ANN401 - JSON is anything
        found = find(item, scope)
        if found is None:
            return {}
        if type(found) is not list:
            raise Undecodable(f"expected a list of names and values at {entries.path}")
        return {
            name: find_value(entry, scope)
            for entry in found
            if type(name := _address(find_name(entry, scope))) is str
        }

    return gather


def _compile_under(path: str) -> Change:
    find = compile_path(path)

    def put(item: Any, scope: Scope) -> Any:  # noqa: ANN401 - JSON is anything
        name = _address(find(item, scope))
        return {name: item} if name else {}

    return put


# ── readings ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _compile_item(form: Form, toolbox: Toolbox, *, own_topic: bool) -> ReadItem:
    changes = _compile_changes(form)
    read_points = compile_points(form.points)
    read_obis = compile_obis(form.obis) if form.obis else None
    read_time = compile_time(form.time, toolbox.zone) if form.time else None
    find_device = _compile_device(form) if form.device and not own_topic else None
    spread = _compile_intervals(form.intervals) if form.intervals else None
    by_topic = own_topic or any("device" in list_parts(topic) for topic in form.topics)
    self_naming = form.format == "dsmr" or not by_topic or form.format == "sparkplug_b"
    own_points = bool(form.points or form.obis)

    def read_item(raw: Any, scope: Scope, received: int, part: Part) -> list[Record]:  # noqa: ANN401 - JSON is anything
        item = raw
        for change in changes:
            item = change(item, scope)
        values: dict[str, Value] = read_points(item, scope)
        if read_obis is not None:
            values = read_obis(item) | values
        if not values and (own_points and form.format != "dsmr"):
            return []
        if part.values:
            values = part.values | values
        if not values:
            return []
        moment = read_time(raw, scope, received) if read_time else None
        if moment is None:
            moment = part.moment
        address = part.address if self_naming else ""
        if find_device is not None:
            address = find_device(raw, scope)
        record = (moment, values, address)
        return [*spread(raw, scope, received, record), record] if spread else [record]

    return read_item


def _compile_device(form: Form) -> Callable[[Any, Scope], str]:
    """The function that finds the device's address."""
    parts = {part for topic in form.topics for part in list_parts(topic)}
    templates = [_compile_template(template, parts) for template in form.device]

    def find_device(item: Any, scope: Scope) -> str:  # noqa: ANN401 - JSON is anything
        for find in templates:
            address = find(item, scope)
            if address:
                return address
        raise Undecodable("the message does not name its device", hint=f"expected it at {' or '.join(form.device)}")

    return find_device


def _compile_template(template: str, parts: set[str]) -> Callable[[Any, Scope], str]:
    pieces = _BRACES.split(template)
    if len(pieces) == 1:
        find_alone = compile_path(template)
        return lambda item, scope: _address(find_alone(item, scope))
    texts = pieces[::2]
    finds: list[Find] = [compile_path(f"$topic.{name}" if name in parts else name) for name in pieces[1::2]]

    def fill(item: Any, scope: Scope) -> str:  # noqa: ANN401 - JSON is anything
        address = texts[0]
        for find, text in zip(finds, texts[1:], strict=True):
            found = _address(find(item, scope))
            if not found:
                return ""
            address += found + text
        return address

    return fill


def _address(found: object) -> str:
    """What names something, as text: devices number themselves too. "" for anything else."""
    if type(found) is str:
        return found
    if type(found) is float and found.is_integer():
        return str(int(found))
    return str(found) if type(found) is int else ""


def _compile_intervals(intervals: Intervals) -> Callable[[Any, Scope, int, Record], list[Record]]:
    """The function that works out the register at the end of each earlier interval, the oldest first."""
    find = compile_path(intervals.path)
    given = {"unit": intervals.unit} if intervals.unit else {}
    convert = compile_value(intervals.point, PointSource(path="@", scale=intervals.scale, **given))

    def spread(item: Any, scope: Scope, received: int, record: Record) -> list[Record]:  # noqa: ANN401 - JSON is anything
        moment, values, address = record
        rises = find(item, scope)
        register = values.get(intervals.point)
        if rises is None or type(register) is not float:
            return []
        if type(rises) is not list or len(rises) > _ITEMS_MOST:
            raise Undecodable(f"expected a list of differences at {intervals.path}")
        end, resolution = moment or (received, 1)
        records: list[Record] = []
        for rise in rises if intervals.newest == "first" else reversed(rises):
            difference = convert(rise)
            if type(difference) is not float:
                break
            register -= difference
            end -= intervals.every
            records.append(((end, resolution), {intervals.point: register}, address))
        return records[::-1]

    return spread
