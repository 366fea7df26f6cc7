"""Device profiles: YAML that says how a kind of device writes its payloads."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from devices.errors import Undecodable
from devices.layout import Layout
from devices.obis import Obis
from devices.paths import topic_part
from devices.points import POINTS
from devices.quantities import convert_factor
from devices.register import Duration, Identifier, Model, Text
from devices.sources import (
    PULSE,
    WRITTEN,
    Entries,
    Intervals,
    MessagePath,
    Paths,
    PointEntry,
    PointName,
    PointSource,
    Scalar,
    TimeSource,
    When,
)
from devices.texts import Csv, Pairs, TextPattern
from devices.topics import check_topic, list_parts
from devices.values import check_value

Format: TypeAlias = Literal[
    "json", "canonical", "csv", "pairs", "text", "value", "binary", "lorawan", "dsmr", "sparkplug_b"
]


class Bytes(Model):
    """Where the bytes are that a layout or a codec reads."""

    path: MessagePath | None = Field(None, description="format json: where they stand as text.")
    encoding: Literal["raw", "hex", "base64"] = Field("raw", description="How they are written.")
    port: MessagePath | None = Field(None, description="Where LoRaWAN's FPort stands, for a codec.")


def _read_codec(value: object) -> object:
    return {"file": value} if isinstance(value, str) else value


class CodecFile(Model):
    """JavaScript beside the profile."""

    file: str = Field(pattern=r"^[^/\\]+\.js$", description="Name of the file.")
    source: SkipJsonSchema[str] = Field("", exclude=True, description="Its text; read from the file.")


class Form(Model):
    """One form of message."""

    topics: list[Annotated[str, AfterValidator(check_topic)]] = Field(
        default_factory=list,
        description="MQTT filters with named parts: {device} is the device's address and {site} the site's id. "
        "Left out: every device names its own topic.",
    )
    when: When = Field(default_factory=dict, description="Conditions that a message must meet to be read by this.")
    ignore: str = Field("", description="Such messages hold no reading, and this is why.")
    format: Format = Field("json", description="How the payload is written.")
    csv: Csv | None = Field(None, description="format csv: its columns.")
    pairs: Pairs | None = Field(None, description="format pairs: what stands between them.")
    text: TextPattern | None = Field(None, description="format text: a regular expression.")
    bytes: Bytes | None = Field(None, description="Where the bytes are that `layout` or `codec` reads.")
    layout: Layout | None = Field(None, description="What the bytes mean.")
    codec: Annotated[
        CodecFile | None, BeforeValidator(_read_codec, json_schema_input_type=str | CodecFile | None)
    ] = Field(None, description="A file of JavaScript beside the profile that decodes the bytes.")
    within: MessagePath | None = Field(None, description="A path to the object in which all of this stands.")
    each: Paths | None = Field(
        None,
        description="A path to a list or an object in the message: each of its items is a reading. Several: steps.",
    )
    where: When = Field(default_factory=dict, description="Conditions for the items of `each`.")
    entries: Entries | None = Field(None, description="A list of names and values: makes one object of them.")
    under: MessagePath | None = Field(None, description="Puts what was read under the name that this leads to.")
    device: Annotated[
        list[str],
        BeforeValidator(lambda value: [value] if isinstance(value, str) else value, json_schema_input_type=str | list[str]),
    ] = Field(
        default_factory=list,
        description="The device's address, where it is not {device} of the topic: a path, or a text with paths or parts of "
        "the topic in { }. Several: the first whose parts are all there.",
    )
    time: TimeSource | None = Field(None, description="Left out: the format's own, else the arrival.")
    points: dict[PointName, PointEntry] = Field(default_factory=dict, description="Where each point stands.")
    obis: Obis | None = Field(None, description="Where OBIS codes stand.")
    intervals: Intervals | None = Field(None, description="Differences of a register over back-dated intervals.")
    repeats: Duration | None = Field(None, description="The same content within this time is the same event again.")
    strangers: Literal["quarantine", "ignore"] = Field(
        "quarantine",
        description="What becomes of what it says of devices that are not in the register.",
    )
    may_be_empty: bool = Field(False, description="Such messages often hold none of the points, and that is no fault.")

    @model_validator(mode="after")
    def _check_form(self) -> Self:
        for problem in _find_problems(self):
            raise ValueError(problem)
        return self


class ProfileTest(Model):
    """A payload, and what must be read from it."""

    name: str = Field("", description="What it shows.")
    topic: str = Field("", description="Where it is published; left out: the first topic, with device `device`.")
    payload: str | None = Field(None, description="As the device sends it.")
    payload_hex: str | None = Field(None, description="The same for bytes, in hexadecimal digits.")
    arrival: str = Field("", description="When it arrives, RFC 3339; left out: at the time of the first reading.")
    readings: list[dict[str, Scalar]] | None = Field(
        None,
        description="As Siteward's own payload would say it: points, `time` where the payload has one, and `device` where "
        "the message names it. Empty: the message is ignored.",
    )
    error: str = Field("", description="What is said of it, where it cannot be read.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.payload is None) == (self.payload_hex is None):
            raise ValueError("expected payload or payload_hex")
        if (self.readings is None) == (not self.error):
            raise ValueError("expected readings or error")
        try:
            bytes.fromhex(self.payload_hex or "")
        except ValueError:
            raise ValueError("payload_hex: expected pairs of hexadecimal digits") from None
        return self

    @property
    def data(self) -> bytes:
        """The payload."""
        return bytes.fromhex(self.payload_hex) if self.payload_hex is not None else (self.payload or "").encode()


_OWN_KEYS = frozenset({"id", "name", "description", "messages", "tests"})


class Profile(Form):
    """How a kind of device writes its payloads."""

    id: Identifier = Field(description="What the register calls it.")
    name: Text = Field(Text(), description="What people call it.")
    description: Text = Field(Text(), description="Which devices it reads, and how to set them up.")
    messages: list[Form] = Field(
        default_factory=list,
        description="The forms of message, where there are several; one alone stands at the top.",
    )
    tests: list[ProfileTest] = Field(default_factory=list, description="Payloads that must be read as said.")

    @model_validator(mode="after")
    def _check_form(self) -> Self:
        spare = self.model_fields_set - _OWN_KEYS
        if self.messages and spare:
            raise ValueError(f"{min(spare)}: say it in each of `messages`")
        for problem in [] if self.messages else _find_problems(self):
            raise ValueError(problem)
        return self

    def with_codecs(self, read: Callable[[str], str]) -> "Profile":
        """The same profile with the text of its codecs.

        Args:
            read: gives the text of a file beside the profile; what it raises is passed on.
        """
        if self.messages:
            return self.model_copy(update={"messages": [_give_codec(form, read) for form in self.messages]})
        return _give_codec(self, read)

    @property
    def forms(self) -> tuple[Form, ...]:
        """Every form of message."""
        return tuple(self.messages) or (self,)


_Form = TypeVar("_Form", bound=Form)


def _give_codec(form: _Form, read: Callable[[str], str]) -> _Form:
    if form.codec is None:
        return form
    codec = form.codec.model_copy(update={"source": read(form.codec.file)})
    return form.model_copy(update={"codec": codec})


_READING = frozenset(
    {
        "csv", "pairs", "text", "bytes", "layout", "codec", "within", "each", "where", "entries", "under", "device", "time", "points",
        "obis", "intervals", "repeats", "strangers", "may_be_empty",
    },
)  # fmt: skip
"""Keys that say how something is read."""

_SELF_NAMING = frozenset({"lorawan", "sparkplug_b"})
"""Formats whose messages name their device."""


def _find_problems(form: Form) -> Iterator[str]:
    given = form.model_fields_set & _READING
    if form.ignore or form.format == "canonical":
        allowed = {"repeats"} if not form.ignore else set()
        for name in sorted(given - allowed):
            reason = "such messages are ignored" if form.ignore else "the canonical payload says all by itself"
            yield f"{name}: {reason}"
    else:
        if not form.points and not form.obis and form.format != "dsmr":
            yield "points: needed, unless such messages are to be ignored (`ignore`)"
        yield from _find_format_problems(form)
        yield from _find_reference_problems(form)
        for name, sources in form.points.items():
            for index, source in enumerate(sources):
                where = f"points.{name}." + (f"{index}." if len(sources) > 1 else "")
                yield from (where + problem for problem in _find_point_problems(name, source))
    if not form.device and form.format not in _SELF_NAMING:
        for index, topic in enumerate(form.topics):
            if "device" not in list_parts(topic) and not form.ignore:
                yield f"topics.{index}: expected {{device}} in it, or `device`; or leave `topics` out, for topics of their own"


def _find_format_problems(form: Form) -> Iterator[str]:
    for name in ("csv", "pairs", "text"):
        if (getattr(form, name) is not None) != (form.format == name) and not (
            name == "pairs" and form.format == "pairs"
        ):
            yield f"{name}: belongs to format {name}" if form.format != name else f"{name}: needed for format {name}"
    if form.layout and form.codec:
        yield "codec: does not go with layout; one of them reads the bytes"
    decoded = form.layout or form.codec
    if form.format == "binary" and not decoded:
        yield "layout: needed for format binary, or codec"
    if form.format == "json" and bool(form.bytes) != bool(decoded):
        yield "bytes: needed with layout or codec" if decoded else "bytes: needs a layout or a codec"
    if form.format not in {"json", "binary", "lorawan"} and (form.bytes or decoded):
        yield f"{'bytes' if form.bytes else 'layout' if form.layout else 'codec'}: does not go with format {form.format}"
    if form.bytes and form.format == "lorawan":
        yield "bytes: format lorawan knows where they are"
    if form.bytes and form.format == "json" and (not form.bytes.path or form.bytes.encoding == "raw"):
        yield "bytes.path: needed for format json" if not form.bytes.path else "bytes.encoding: expected hex or base64"
    if form.bytes and form.format == "binary" and form.bytes.path:
        yield "bytes.path: the payload itself is the bytes"


def _find_reference_problems(form: Form) -> Iterator[str]:
    if form.where and not form.each:
        yield "where: belongs to each"
    if form.intervals and form.intervals.point not in form.points:
        yield f"intervals.point: {form.intervals.point!r} is none of the form's points"
    for path in _list_paths(form.model_dump(exclude={"topics"})):
        part = topic_part(path)
        for topic in form.topics if part else []:
            if part not in list_parts(topic):
                yield f"{path!r} leads nowhere: topic {topic!r} has no part {{{part}}}"


def _list_paths(value: Any) -> Iterator[str]:  # noqa: ANN401 - a form's dump is nested
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _list_paths(key)
            yield from _list_paths(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _list_paths(inner)
    elif isinstance(value, str):
        yield value


def _find_point_problems(name: str, source: PointSource) -> Iterator[str]:
    point = POINTS[name]
    if point.type is not float:
        for key in ("unit", "scale", "sum", "combine"):
            if key in source.model_fields_set:
                yield f"{key}: only for numbers, and {name} is none"
    elif isinstance(source.unit, str) and source.unit not in {PULSE, WRITTEN}:
        try:
            convert_factor(source.unit, point.unit)
        except ValueError as error:
            yield f"unit: {error}"
    words = [("map", value) for value in source.map.values()]
    words += [("otherwise", source.otherwise), ("value", source.value)]
    for key, value in words:
        if value is not None:
            try:
                check_value(name, value)
            except Undecodable as error:
                yield f"{key}: {error}"
