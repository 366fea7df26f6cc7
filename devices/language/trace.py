"""How a form of message reads a payload, step by step: for people who write profiles. Slow, and never in the hot path.

What counts is what `compile_form` reads; this walks the same compiled pieces and writes down what each makes.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

import orjson

from devices.errors import Undecodable
from devices.formats.obis import compile_obis
from devices.language.addresses import compile_address
from devices.language.conditions import compile_when
from devices.language.convert import compile_source
from devices.language.forms import compile_form
from devices.language.items import compile_changes, compile_cut, compile_pieces, open_text
from devices.language.openers import Toolbox, compile_opener
from devices.language.plan import compile_same_names
from devices.language.profile import Form
from devices.language.sources import Condition, Criterion, PointSource
from devices.language.times import compile_time
from devices.message import Part, Record
from devices.paths import Scope, compile_path
from devices.reading import Value
from devices.timestamps import Moment
from devices.topics import list_parts

ITEMS_SHOWN = 5
"""So many items of a message are looked at."""

_NOTHING = "nothing there"


class Look(NamedTuple):
    """One look into a message.

    Attributes:
        name: the point, or what else it is for.
        path: where it looks.
        found: what stands there; None for nothing.
        made: what becomes of it; None for nothing.
        note: how, or why nothing does.
    """

    name: str
    path: str
    found: Any
    made: Value | Moment | None
    note: str = ""


class Item(NamedTuple):
    """What becomes of one item.

    Attributes:
        label: which one.
        content: what the points are looked for in.
        looks: in the order in which they are made.
        problem: why it cannot be read; "" where it can.
    """

    label: str
    content: Any
    looks: tuple[Look, ...]
    problem: str = ""


class Trace(NamedTuple):
    """How one form reads a message.

    Attributes:
        fits: whether the message is of this form.
        reason: why it is not, or why it holds no reading.
        problem: why it cannot be read; "" where it can.
        conditions: which were asked, and whether each holds.
        opened: what the format made of the payload, a body each; None where it was not opened.
        items: the first few.
        records: what the form reads, from whatever it can.
    """

    fits: bool
    reason: str = ""
    problem: str = ""
    conditions: tuple[tuple[str, bool], ...] = ()
    opened: tuple[Any, ...] | None = None
    items: tuple[Item, ...] = ()
    records: tuple[Record, ...] = ()


def trace_form(
    form: Form, toolbox: Toolbox, payload: bytes, received: int, parts: Mapping[str, str], *, by_topic: bool
) -> Trace:
    """Reads a payload and tells each step.

    Args:
        form: how.
        toolbox: what formats need beside it; nothing of it changes.
        payload: what.
        received: when it arrived, nanoseconds since 1970.
        parts: the named parts of its topic.
        by_topic: the topic says whose it is.
    """
    read = compile_form(form, deepcopy(toolbox), by_topic=by_topic)
    try:
        records, problem = read(payload, received, parts), ""
    except Undecodable as error:
        records, problem = [], str(error)
    trace = _Walk(form, deepcopy(toolbox), received).run(payload, parts)
    if records is None:
        return trace._replace(fits=False, reason=trace.reason or "the bytes are for another form")
    reason = f"ignored: {form.ignore}" if form.ignore else ""
    if not (reason or records or problem):
        reason = "holds none of the points, which is no fault"
    return trace._replace(fits=True, reason=reason, problem=problem, records=tuple(records))


class _Walk:
    """One walk through a message."""

    def __init__(self, form: Form, toolbox: Toolbox, received: int) -> None:
        self._form = form
        self._toolbox = toolbox
        self._received = received

    def run(self, payload: bytes, parts: Mapping[str, str]) -> Trace:
        """What each step makes, as far as the payload lets it."""
        form = self._form
        early = {path: condition for path, condition in form.when.items() if path.startswith("$topic.")}
        asked, reason = _ask(early, None, Scope(None, parts))
        if reason or form.format == "canonical" or (form.ignore and len(early) == len(form.when)):
            return Trace(not reason, reason, conditions=asked)
        try:
            opened = compile_opener(form, self._toolbox)(payload, self._received, parts) or []
        except Undecodable:
            return Trace(fits=True, conditions=asked)
        items: list[Item] = []
        for part in opened:
            scope = Scope(part.body if part.root is None else part.root, parts, part.port)
            asked, unmet = _ask(form.when, part.body, scope)
            reason = reason or unmet
            if not unmet and not form.ignore and len(items) < ITEMS_SHOWN:
                items += self._cut(part, scope)
        bodies = tuple(part.body for part in opened)
        return Trace(not reason, reason, "", asked, bodies, tuple(items[:ITEMS_SHOWN]))

    def _cut(self, part: Part, scope: Scope) -> list[Item]:
        """The first items of a part."""
        form = self._form
        try:
            body = part.body if form.within is None else open_text(compile_path(form.within)(part.body, scope))
            cut = compile_cut(form)
            items = [(body, scope)] if cut is None else list(cut(body, scope))
        except Undecodable as error:
            return [Item("", part.body, (), str(error))]
        if cut is None:
            return [self._look_at("", part, body, scope)]
        keys = [f" ({around.key})" if around.key is not None else "" for _, around in items]
        return [
            self._look_at(f"item {number} of {len(items)}{key}", part, item, around)
            for number, ((item, around), key) in enumerate(zip(items[:ITEMS_SHOWN], keys, strict=False), 1)
        ]

    def _look_at(self, label: str, part: Part, raw: Any, scope: Scope) -> Item:  # noqa: ANN401 - JSON is anything
        form = self._form
        item, looks = raw, []
        try:
            if form.parts:
                scope.pieces = compile_pieces(form.parts)(raw, scope) or {}
                found = compile_path(form.parts.path)(raw, scope)
                looks.append(Look("parts", form.parts.path, found, None, str(dict(scope.pieces) or "not found")))
            for change in compile_changes(form):
                item = change(item, scope)
            looks += [Look(name, "", None, value, f"of format {form.format}") for name, value in part.values.items()]
            for look in self._look_for_values(item, scope):
                looks.append(look)
            for look in self._look_around(raw, scope):
                looks.append(look)
        except Undecodable as error:
            return Item(label, item, tuple(looks), str(error))
        return Item(label, item, tuple(looks))

    def _look_for_values(self, item: Any, scope: Scope) -> Iterator[Look]:  # noqa: ANN401 - JSON is anything
        form = self._form
        for name, sources in form.points.items():
            yield from _look(name, sources, item, scope)
        if form.same_names:
            for name, value in compile_same_names(form.same_names)(item, scope).items():
                yield Look(name, form.same_names, compile_path(form.same_names)(item, scope)[name], value, "same name")
        if form.obis:
            for name, value in compile_obis(form.obis)(item).items():
                yield Look(name, form.obis.path, None, value, "OBIS codes")

    def _look_around(self, raw: Any, scope: Scope) -> Iterator[Look]:  # noqa: ANN401 - JSON is anything
        """Time and device."""
        form = self._form
        for path in form.time.path if form.time else ():
            found = compile_path(path)(raw, scope)
            if found is None:
                yield Look("time", path, None, None, _NOTHING)
            elif form.time:
                moment = compile_time(form.time, self._toolbox.zone)(raw, scope, self._received)
                less = f", less {form.time.less.path}" if form.time.less else ""
                yield Look("time", path, found, moment, " or ".join(form.time.format) + less)
                break
        if form.device:
            named = {name for topic in form.topics for name in list_parts(topic)}
            yield Look("device", " or ".join(form.device), None, compile_address(form.device, named)(raw, scope))


def _ask(when: Mapping[str, Condition], body: Any, scope: Scope) -> tuple[tuple[tuple[str, bool], ...], str]:  # noqa: ANN401 - JSON is anything
    """Each condition in words with its answer, and why the first that does not hold fails."""
    asked, reason = [], ""
    for path, condition in when.items():
        try:
            holds, found = compile_when({path: condition})(body, scope), compile_path(path)(body, scope)
        except Undecodable as error:
            holds, found = False, str(error)
        words = condition.model_dump(exclude_unset=True) if isinstance(condition, Criterion) else condition
        asked.append((f"{path}: {orjson.dumps(words).decode()}", holds))
        if not holds:
            reason = reason or f"{path} is {'not there' if found is None else repr(found)}"
    return tuple(asked), reason


def _look(name: str, sources: Sequence[PointSource], item: Any, scope: Scope) -> Iterator[Look]:  # noqa: ANN401 - JSON is anything
    """Every source of a point, up to the first that gives a value."""
    for source in sources:
        path = source.path or " + ".join(source.sum).replace("+ -", "- ") or "(constant)"
        found = _find(source, item, scope)
        try:
            made = compile_source(name, source)(item, scope)
        except Undecodable as error:
            yield Look(name, path, found, None, str(error).removeprefix(f"{name}: "))
            return
        if made is not None:
            yield Look(name, path, found, made, _describe(source))
            return
        yield Look(name, path, found, None, _explain_nothing(source, found, item, scope))


def _find(source: PointSource, item: Any, scope: Scope) -> Any:  # noqa: ANN401 - JSON is anything
    if source.value is not None:
        return source.value
    try:
        found = [compile_path(path.removeprefix("-"))(item, scope) for path in source.sum or [source.path or "@"]]
    except Undecodable:
        return None
    return None if None in found else found if source.sum else found[0]


def _describe(source: PointSource) -> str:
    """What a source does with what it finds, in the profile's own words."""
    keys = ("default", "sentinels", "combine", "pattern", "bit", "map", "unit", "scale")
    told = source.model_dump(exclude_unset=True, include={*keys})
    return ", ".join(key if key in {"map", "sentinels"} else f"{key}: {told[key]}" for key in keys if key in told)


def _explain_nothing(source: PointSource, found: Any, item: Any, scope: Scope) -> str:  # noqa: ANN401 - JSON is anything
    _, reason = _ask(source.when, item, scope)
    if reason:
        return f"when: {reason}"
    return _NOTHING if found is None else "means that nothing was measured"
