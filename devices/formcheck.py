"""What the parts of a form of message must agree on, which none of them can see alone."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from devices.expressions import list_groups
from devices.paths import text_part, topic_part
from devices.sourcecheck import find_interval_problems, find_source_problems
from devices.sources import PULSE
from devices.topics import list_parts

if TYPE_CHECKING:
    from devices.profile import Form

_DETAILS = frozenset({"csv", "pairs", "text", "bytes", "layout", "codec"})
"""Keys that say how a payload is opened."""

_READING = frozenset(
    {
        "within", "each", "where", "parts", "entries", "under", "device", "time", "points", "same_names", "obis",
        "intervals", "repeats", "strangers", "may_be_empty",
    },
)  # fmt: skip
"""Keys that say how readings are made of it."""

_SELF_NAMING = frozenset({"lorawan", "sparkplug_b"})
"""Formats whose messages name their device."""


def find_form_problems(form: "Form") -> Iterator[str]:
    """What is wrong, each with the key in front that it is about, such as `points.power_kw.0.unit: `."""
    given = form.model_fields_set
    if form.ignore:
        for name in sorted(given & _READING):
            yield f"{name}: such messages are ignored"
    elif form.format == "canonical":
        for name in sorted(given & (_READING | _DETAILS | {"when"}) - {"repeats", "strangers"}):
            yield f"{name}: the canonical payload says all by itself"
    else:
        if not (form.points or form.same_names or form.obis) and form.format != "dsmr":
            yield "points: needed, unless such messages are to be ignored (`ignore`)"
        for name, sources in form.points.items():
            for where, problem in find_source_problems(name, sources):
                yield f"points.{name}.{where}{problem}"
    yield from _find_format_problems(form)
    yield from _find_naming_problems(form)
    yield from _find_reference_problems(form)


def _find_format_problems(form: "Form") -> Iterator[str]:
    for name in ("csv", "pairs", "text"):
        if name in form.model_fields_set and form.format != name:
            yield f"{name}: belongs to format {name}"
    if form.format == "csv" and not form.csv:
        yield "csv: needed for format csv"
    if form.format == "text" and not form.text:
        yield "text: needed for format text"
    if form.layout and form.codec:
        yield "codec: does not go with layout; one of them reads the bytes"
    yield from _find_bytes_problems(form, "layout" if form.layout else "codec" if form.codec else "")


def _find_bytes_problems(form: "Form", decoder: str) -> Iterator[str]:
    place = form.bytes
    if form.format == "json":
        if bool(place) != bool(decoder):
            yield (
                "bytes: needs a layout or a codec" if place else f"bytes: needed, to say where the {decoder} finds them"
            )
        if place and not place.path:
            yield "bytes.path: needed for format json"
        if place and place.encoding == "raw":
            yield "bytes.encoding: expected hex or base64, for bytes in JSON"
    elif form.format == "binary":
        if not decoder:
            yield "layout: needed for format binary, or codec"
        for name in ("path", "port") if place else ():
            if getattr(place, name):
                yield f"bytes.{name}: belongs to format json; here the payload itself is the bytes"
    elif place or (decoder and form.format != "lorawan"):
        yield f"{'bytes' if place else decoder}: does not go with format {form.format}"


def _find_naming_problems(form: "Form") -> Iterator[str]:
    """What is wrong in how a message's device is found."""
    if form.device and not form.topics:
        yield "device: without `topics` every device has a topic of its own"
    if form.device or form.ignore or form.format in _SELF_NAMING:
        return
    for index, topic in enumerate(form.topics):
        if "device" not in list_parts(topic):
            yield f"topics.{index}: expected {{device}} in it, or the key `device`; or no `topics`: each device its own"


def _find_reference_problems(form: "Form") -> Iterator[str]:
    for name in ("where", "itself"):
        if getattr(form, name) and not form.each:
            yield f"{name}: belongs to each"
    if form.intervals:
        point, unit = form.intervals.point, form.intervals.unit
        if point not in form.points and not form.same_names:
            yield f"intervals.point: {point!r} is none of the form's points"
        elif any((source.unit == PULSE) != (unit == PULSE) for source in form.points.get(point, [])):
            yield f"intervals.unit: {PULSE} goes for the point and the differences, or for neither"
        yield from (f"intervals.{problem}" for problem in find_interval_problems(form.intervals))
    surroundings = {
        "$port": form.format == "lorawan" or bool(form.bytes and form.bytes.port),
        "$key": bool(form.each),
        "$index": bool(form.each),
    }
    for where, path in _list_surroundings(form):
        if not surroundings.get(path, True):
            yield f"{where}: {path} leads nowhere without {'bytes.port' if path == '$port' else 'each'}"
        for lack in _find_missing_parts(form, path):
            yield f"{where}: {path} leads nowhere: {lack}"


def _find_missing_parts(form: "Form", path: str) -> Iterator[str]:
    """What a path to a named part does not find."""
    if text_part(path):
        if not form.parts:
            yield "there is no `parts`"
        elif text_part(path) not in list_groups(form.parts.pattern):
            yield f"the pattern of `parts` has no group {text_part(path)}"
    part = topic_part(path)
    for topic in (form.topics or ["of a device's own"]) if part else []:
        if part not in list_parts(topic):
            yield f"topic {topic!r} has no part {{{part}}}"


def _list_surroundings(form: "Form") -> Iterator[tuple[str, str]]:
    """The paths of a form that begin with `$`, and where they stand."""
    return _walk(form.model_dump(exclude={"topics", *_DETAILS}), "")


def _walk(value: Any, where: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - a dump is nested
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(key, where)
            yield from _walk(inner, f"{where}.{key}" if where else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _walk(inner, f"{where}.{index}")
    elif isinstance(value, str) and value.removeprefix("-").startswith("$"):
        yield where, value.removeprefix("-")
