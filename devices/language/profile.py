"""Device profiles: YAML that says how a kind of device writes its payloads."""

from collections.abc import Callable
from typing import Annotated, Literal, Self, TypeAlias, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from devices.formats.layout import Layout
from devices.formats.obis import Obis
from devices.formats.texts import Csv, Pairs, TextPattern
from devices.language.addresses import check_address
from devices.language.formcheck import find_form_misfits
from devices.language.sources import (
    Entries,
    Intervals,
    MessagePath,
    Paths,
    PointEntry,
    PointName,
    Scalar,
    TextParts,
    TimeSource,
    When,
)
from devices.misfits import Misfit, refuse
from devices.register import Duration, Identifier, Model, Text, Timestamp
from devices.topics import check_topic, list_parts

Format: TypeAlias = Literal[
    "json", "canonical", "csv", "pairs", "text", "value", "binary", "lorawan", "dsmr", "sparkplug_b"
]


class Bytes(Model):
    """Where the bytes are that a layout or a codec reads."""

    path: MessagePath | None = Field(None, description="format json: where they stand as text.")
    encoding: Literal["raw", "hex", "base64"] = Field("raw", description="How they are written.")
    port: MessagePath | None = Field(None, description="Where LoRaWAN's FPort stands, for a codec.")


CODEC_NAME = r"^[^/\\]+\.js$"
"""The form of a codec's name."""


def _read_codec(value: object) -> object:
    return {"file": value} if isinstance(value, str) else value


def _read_addresses(value: object) -> object:
    return [value] if isinstance(value, str) else value


class CodecFile(Model):
    """JavaScript beside the profile."""

    file: str = Field(pattern=CODEC_NAME, description="Name of the file.")
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
    codec: Annotated[CodecFile | None, BeforeValidator(_read_codec, json_schema_input_type=str | CodecFile | None)] = (
        Field(None, description="A file of JavaScript beside the profile that decodes the bytes.")
    )
    within: MessagePath | None = Field(None, description="A path to the object in which all of this stands.")
    each: Paths | None = Field(
        None,
        description="A path to a list or an object in the message: each of its items is a reading. Several: steps.",
    )
    where: When = Field(default_factory=dict, description="Conditions for the items of `each`.")
    itself: bool = Field(
        default=False,
        description="What stands around the items of `each` is a reading, too, such as the present beside a history.",
    )
    parts: TextParts | None = Field(None, description="A text whose parts `$part.name` leads to.")
    entries: Entries | None = Field(None, description="A list of names and values: makes one object of them.")
    under: MessagePath | None = Field(None, description="Puts what was read under the name that this leads to.")
    device: Annotated[
        list[Annotated[str, AfterValidator(check_address)]],
        BeforeValidator(_read_addresses, json_schema_input_type=str | list[str]),
    ] = Field(
        default_factory=list,
        description="The device's address, where it is not {device} of the topic: a path, or a text with paths or "
        "parts of the topic in { }. Several: the first whose parts are all there.",
    )
    time: TimeSource | None = Field(None, description="Left out: the format's own, else the arrival.")
    points: dict[PointName, PointEntry] = Field(default_factory=dict, description="Where each point stands.")
    same_names: MessagePath | None = Field(
        None,
        description="A path to an object whose keys are called like points: each is that point, in its own unit.",
    )
    obis: Obis | None = Field(None, description="Where OBIS codes stand.")
    intervals: Intervals | None = Field(None, description="Differences of a register over back-dated intervals.")
    repeats: Duration | None = Field(None, description="The same content within this time is the same event again.")
    strangers: Literal["quarantine", "ignore"] = Field(
        "quarantine",
        description="What becomes of what it says of devices that are not in the register.",
    )
    may_be_empty: bool = Field(
        default=False, description="Such messages often hold none of the points, and that is no fault."
    )

    @model_validator(mode="after")
    def _check_form(self) -> Self:
        refuse(find_form_misfits(self))
        return self

    def is_named_by(self, topic: str) -> bool:
        """Whether the {device} of a topic is the address of the message's device."""
        return "device" in list_parts(topic) and not self.device and self.format != "sparkplug_b"


class ProfileTest(Model):
    """A payload, and what must be read from it."""

    name: str = Field("", description="What it shows.")
    topic: str = Field("", description="Where it is published; left out: the first topic, with device `device`.")
    payload: str | None = Field(None, description="As the device sends it.")
    payload_hex: str | None = Field(None, description="The same for bytes, in hexadecimal digits.")
    arrival: Timestamp | None = Field(None, description="When it arrives; left out: at the time of the first reading.")
    readings: list[dict[str, Scalar]] | None = Field(
        None,
        description="As Siteward's own payload would say it: points, `time` where the payload has one, and `device` "
        "where the message names it. Empty: the message is ignored.",
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
        spare = sorted(self.model_fields_set - _OWN_KEYS)
        if self.messages:
            refuse(Misfit((key,), "with `messages`, each of them says it for itself") for key in spare)
        else:
            refuse(find_form_misfits(self))
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
