"""From a form of message to the function that reads it: opened by its format, cut into items, each item into points."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Protocol, TypeAlias

from devices.errors import Pointless, Undecodable
from devices.formats.canonical import read_canonical
from devices.formats.obis import compile_obis
from devices.language.addresses import compile_address
from devices.language.conditions import compile_when
from devices.language.convert import compile_value
from devices.language.items import ITEMS_MOST, compile_changes, compile_cut, compile_pieces, open_text
from devices.language.openers import Toolbox, compile_opener
from devices.language.plan import ReadPoints, compile_points, compile_same_names
from devices.language.profile import Form
from devices.language.sources import Intervals, PointSource, TextParts
from devices.language.times import compile_time
from devices.message import Part, Record
from devices.paths import Scope, compile_path
from devices.reading import Value
from devices.topics import list_parts
from devices.values import shorten


class ReadForm(Protocol):
    """The function that reads messages of a form."""

    def __call__(
        self, payload: bytes, received: int, parts: Mapping[str, str], *, settled: bool = False
    ) -> list[Record] | None:
        """What a message says; empty where it holds no reading; None where it is of another form.

        Args:
            payload: as it came.
            received: when it arrived, nanoseconds since 1970.
            parts: the named parts of its topic.
            settled: its conditions, save those for the topic, are known to hold.

        Raises:
            Undecodable: it is not what the form says.
        """


ReadItem: TypeAlias = Callable[[Any, Scope, int, Part], list[Record]]
"""Reads one item of a part; no records where it holds none of the points."""

_SELF_NAMING = frozenset({"dsmr", "sparkplug_b"})
"""Formats that name devices beside that of the topic."""

_KEYS_MOST = 8
"""So many keys of a message are told to whoever wrote the profile."""


def compile_form(form: Form, toolbox: Toolbox, *, by_topic: bool) -> ReadForm:
    """The function that reads messages of a form.

    Args:
        form: what they look like.
        toolbox: what formats need beside it.
        by_topic: the topic says whose they are, so the form's `device` is not asked.

    Raises:
        ValueError: a codec is no JavaScript.
    """
    topical = {path: test for path, test in form.when.items() if path.startswith("$topic.")}
    on_topic = compile_when(topical) if topical else None
    if form.ignore and all(path.startswith("$topic.") for path in form.when):
        return lambda _payload, _received, parts, *, settled=False: (  # noqa: ARG005 - of the topic nothing is settled
            [] if on_topic is None or on_topic(None, Scope(None, parts)) else None
        )
    if form.format == "canonical":
        return lambda payload, received, _parts, *, settled=False: read_canonical(payload, received)  # noqa: ARG005 - it asks nothing
    open_payload = compile_opener(form, toolbox)
    holds = compile_when(form.when) if form.when else None
    read_part = _compile_part(form, toolbox, by_topic=by_topic)
    may_be_empty = form.may_be_empty or bool(form.ignore)

    def read(payload: bytes, received: int, parts: Mapping[str, str], *, settled: bool = False) -> list[Record] | None:
        if on_topic is not None and not on_topic(None, Scope(None, parts)):
            return None
        opened = open_payload(payload, received, parts)
        if opened is None:
            return None
        if not opened:
            return []
        records: list[Record] = []
        fits = False
        for part in opened:
            body, root = part.body, part.root
            scope = Scope(body if root is None else root, parts, part.port)
            if settled or holds is None or holds(body, scope):
                fits = True
                records += read_part(part, scope, received)
        if fits and not records and not may_be_empty:
            raise Pointless(_describe(opened[0].body))
        return records if fits else None

    return read


def _describe(body: Any) -> str:  # noqa: ANN401 - JSON is anything
    """Where points might have been, for whoever wrote the profile."""
    if type(body) is dict and body:
        keys = [shorten(key) for key in islice(body, _KEYS_MOST)]
        return f" among the keys {', '.join(keys)}{', …' if len(body) > _KEYS_MOST else ''}"
    return "" if type(body) in {dict, list} else "; the path of a value alone is @"


def _compile_part(form: Form, toolbox: Toolbox, *, by_topic: bool) -> Callable[[Part, Scope, int], list[Record]]:
    """The function that reads what a format made of a payload."""
    if form.ignore:
        return lambda _part, _scope, _received: []
    enter = compile_path(form.within) if form.within else None
    cut = compile_cut(form)
    read_item = _compile_item(form, toolbox, by_topic=by_topic)
    if form.parts:
        read_item = _take_apart(form.parts, read_item)

    def read_part(part: Part, scope: Scope, received: int) -> list[Record]:
        body = part.body if enter is None else open_text(enter(part.body, scope))
        if cut is None:
            return read_item(body, scope, received, part)
        records: list[Record] = []
        for item, around in cut(body, scope):
            records += read_item(item, around, received, part)
            if len(records) > ITEMS_MOST:
                raise Undecodable(f"more than {ITEMS_MOST} readings")
        return records

    return read_part


def _compile_item(form: Form, toolbox: Toolbox, *, by_topic: bool) -> ReadItem:
    changes = compile_changes(form)
    read_values = _compile_values(form)
    read_time = compile_time(form.time, toolbox.zone) if form.time else None
    parts = {part for topic in form.topics for part in list_parts(topic)}
    find_device = compile_address(form.device, parts) if form.device and not by_topic else None
    spread = _compile_intervals(form.intervals) if form.intervals else None
    self_naming = not by_topic or form.format in _SELF_NAMING
    # What a format gives by itself, such as the strength of the signal, is no reading where the profile's points are
    # missing; what a telegram gives is.
    must_find = bool(form.points or form.same_names or form.obis) and form.format != "dsmr"

    def read_item(raw: Any, scope: Scope, received: int, part: Part) -> list[Record]:  # noqa: ANN401 - JSON is anything
        item = raw
        for change in changes:
            item = change(item, scope)
        values = read_values(item, scope)
        if must_find and not values:
            return []
        if part.values:
            values = part.values | values
        if not values:
            return []
        moment = read_time(raw, scope, received) if read_time is not None else None
        if moment is None:
            moment = part.moment
        if find_device is not None:
            address = find_device(raw, scope)
        else:
            address = part.address if self_naming else ""
            if not address and not by_topic:
                raise Undecodable("the message does not name its device")
        record = (moment, values, address)
        return [record] if spread is None else [*spread(raw, scope, received, record), record]

    return read_item


def _compile_values(form: Form) -> ReadPoints:
    """The function that reads an item's points; what `points` says goes before the rest."""
    read_points = compile_points(form.points)
    read_names = compile_same_names(form.same_names) if form.same_names else None
    read_obis = compile_obis(form.obis) if form.obis else None
    if read_names is None and read_obis is None:
        return read_points
    if read_names is not None and read_obis is None and not form.points:
        return read_names

    def read_values(item: Any, scope: Scope) -> dict[str, Value]:  # noqa: ANN401 - JSON is anything
        values = read_points(item, scope)
        if read_names is not None:
            values = read_names(item, scope) | values
        return values if read_obis is None else read_obis(item) | values

    return read_values


def _take_apart(parts: TextParts, read_item: ReadItem) -> ReadItem:
    """The same for items with a text of several parts; those in which it is not found hold no reading."""
    find_pieces = compile_pieces(parts)

    def read_parts(item: Any, scope: Scope, received: int, part: Part) -> list[Record]:  # noqa: ANN401 - JSON is anything
        pieces = find_pieces(item, scope)
        if pieces is None:
            return []
        scope.pieces = pieces
        return read_item(item, scope, received, part)

    return read_parts


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
        if type(rises) is not list or len(rises) > ITEMS_MOST:
            raise Undecodable(f"expected a list of differences at {intervals.path}")
        end, resolution = moment or (received, 1)
        records: list[Record] = []
        for rise in rises if intervals.newest == "first" else reversed(rises):
            difference = convert(rise) if rise is not None else None
            if type(difference) is not float:
                break  # beyond an interval that is missing the register is not known
            register -= difference
            end -= intervals.every
            records.append(((end, resolution), {intervals.point: register}, address))
        return records[::-1]

    return spread
