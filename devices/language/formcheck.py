"""What the parts of a form of message must agree on, which none of them can see alone."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from devices.expressions import list_groups
from devices.language.addresses import list_paths
from devices.language.sourcecheck import find_interval_misfits, find_source_misfits
from devices.misfits import Misfit, Path
from devices.paths import text_part, topic_part
from devices.topics import list_parts

if TYPE_CHECKING:
    from devices.language.profile import Bytes, Form

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


def find_form_misfits(form: "Form") -> Iterator[Misfit]:
    """What does not go together."""
    given = form.model_fields_set
    if form.ignore:
        for name in sorted(given & _READING):
            yield Misfit((name,), "such messages are ignored")
    elif form.format == "canonical":
        for name in sorted(given & (_READING | _DETAILS | {"when"}) - {"repeats", "strangers"}):
            yield Misfit((name,), "the canonical payload says all by itself")
    else:
        if not (form.points or form.same_names or form.obis) and form.format != "dsmr":
            yield Misfit(("points",), "needed, unless such messages are to be ignored (`ignore`)")
        for name, sources in form.points.items():
            for misfit in find_source_misfits(name, sources):
                yield misfit.below("points", name)
    yield from _find_format_misfits(form)
    yield from _find_naming_misfits(form)
    yield from _find_reference_misfits(form)


def _find_format_misfits(form: "Form") -> Iterator[Misfit]:
    for name in ("csv", "pairs", "text"):
        if name in form.model_fields_set and form.format != name:
            yield Misfit((name,), f"belongs to format {name}")
    for name in ("csv", "text"):
        if form.format == name and getattr(form, name) is None:
            yield Misfit((name,), f"needed for format {name}")
    if form.layout and form.codec:
        yield Misfit(("codec",), "does not go with layout; one of them reads the bytes")
    yield from _find_bytes_misfits(form, "layout" if form.layout else "codec" if form.codec else "")


def _find_bytes_misfits(form: "Form", decoder: str) -> Iterator[Misfit]:
    place = form.bytes
    if form.format == "json":
        yield from _find_enclosed_misfits(place, decoder)
    elif form.format == "binary":
        if not decoder:
            yield Misfit(("layout",), "needed for format binary, or codec")
        for name in ("path", "port") if place else ():
            if getattr(place, name):
                yield Misfit(("bytes", name), "belongs to format json; here the payload itself is the bytes")
    elif place or (decoder and form.format != "lorawan"):
        yield Misfit(("bytes" if place else decoder,), f"does not go with format {form.format}")


def _find_enclosed_misfits(place: "Bytes | None", decoder: str) -> Iterator[Misfit]:
    """What is wrong with bytes in JSON."""
    if place and not decoder:
        yield Misfit(("bytes",), "needs a layout or a codec")
    if decoder and not place:
        yield Misfit(("bytes",), f"needed, to say where the {decoder} finds them")
    if place and not place.path:
        yield Misfit(("bytes", "path"), "needed for format json")
    if place and place.encoding == "raw":
        yield Misfit(("bytes", "encoding"), "expected hex or base64, for bytes in JSON")


def _find_naming_misfits(form: "Form") -> Iterator[Misfit]:
    """What is wrong in how a message's device is found."""
    if form.device and not form.topics:
        yield Misfit(("device",), "without `topics` every device has a topic of its own")
    if form.device or form.ignore or form.format in _SELF_NAMING:
        return
    for index, topic in enumerate(form.topics):
        if "device" not in list_parts(topic):
            message = f"{topic!r} does not name the device; write {{device}} for that level, or say `device`"
            yield Misfit(("topics", index), message)


def _find_reference_misfits(form: "Form") -> Iterator[Misfit]:
    for name in ("where", "itself"):
        if getattr(form, name) and not form.each:
            yield Misfit((name,), "belongs to each")
    if form.intervals:
        sources = form.points.get(form.intervals.point, [])
        for misfit in find_interval_misfits(form.intervals, sources, named=bool(form.same_names)):
            yield misfit.below("intervals")
    surroundings = {
        "$port": form.format == "lorawan" or bool(form.bytes and form.bytes.port),
        "$key": bool(form.each),
        "$index": bool(form.each),
    }
    content = form.model_dump(exclude={"topics", *_DETAILS}) | {"device": [list_paths(text) for text in form.device]}
    for where, path in _walk(content, ()):
        if not surroundings.get(path, True):
            yield Misfit(where, f"{path} leads nowhere without {'bytes.port' if path == '$port' else 'each'}")
        for lack in _find_missing_parts(form, path):
            yield Misfit(where, f"{path} leads nowhere: {lack}")


def _find_missing_parts(form: "Form", path: str) -> Iterator[str]:
    """What a path to a named part does not find."""
    if text_part(path):
        if not form.parts:
            yield "there is no `parts`"
        elif text_part(path) not in list_groups(form.parts.pattern):
            yield f"the pattern of `parts` has no group {text_part(path)}"
    part = topic_part(path)
    if part and not form.topics:
        yield "without `topics` every device has a topic of its own"
    for topic in form.topics if part else ():
        if part not in list_parts(topic):
            yield f"topic {topic!r} has no part {{{part}}}"


def _walk(value: Any, where: Path) -> Iterator[tuple[Path, str]]:  # noqa: ANN401 - a dump is nested
    """The paths in a form's dump that begin with `$`, and where they stand."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(key, where)
            yield from _walk(inner, (*where, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _walk(inner, (*where, index))
    elif isinstance(value, str) and value.removeprefix("-").startswith("$"):
        yield where, value.removeprefix("-")
