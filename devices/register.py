"""The register: which devices there are, what they are and where they stand."""

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from devices.durations import parse_duration, write_duration
from devices.points import POINTS

Kind: TypeAlias = Literal["electricity_meter", "water_meter", "door", "sensor", "gateway"]

SERIES_TAGS = ("site", "building", "floor", "area", "device")
"""The tags that every reading carries in the database; a tag of the register's own must be none of them."""


IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""The form of an id that is safe in topics, file names, tags and addresses of pages."""

PLACE = r"^[^\s,=\\+#/][^\n,=\\+#/]*$"
"""The form of the id of a building, floor or area; any script, no separators."""

TAG_VALUE = r"^[^\s\\][^\n\r\\]*$"
"""The form of a tag's value; line protocol can carry neither line breaks nor a backslash at the end."""


def _read_duration(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError(f"expected a duration with its unit such as 30s, 15m, 12h or 7d, got {value!r}")  # noqa: TRY004 - pydantic turns a ValueError into a message
    return parse_duration(value)


Duration: TypeAlias = Annotated[
    int,
    BeforeValidator(_read_duration),
    Field(gt=0),
    PlainSerializer(write_duration, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(\d+(\.\d+)?\s*(ms|s|m|min|h|d|w)\s*)+$",
            "examples": ["30s", "15m", "7d"],
        },
    ),
]
"""Nanoseconds, written as `30s`, `15m`, `1h30m`, `7d`."""

Identifier: TypeAlias = Annotated[str, Field(pattern=IDENTIFIER, max_length=64)]
"""An id that is safe everywhere."""

Place: TypeAlias = Annotated[str, Field(pattern=PLACE, max_length=64)]
"""The id of a building, floor or area."""

TagValue: TypeAlias = Annotated[str, Field(pattern=TAG_VALUE, max_length=64)]
"""The value of a further tag."""


class Model(BaseModel):
    """What all configuration has in common: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Text(Model):
    """A text in the languages of the interface; either may be missing."""

    en: str = ""
    zh: str = ""

    def pick(self, language: str, default: str = "") -> str:
        """The text in a language, else in the other one, else the default."""
        return (self.zh or self.en if language == "zh" else self.en or self.zh) or default


def _check_id(name: str) -> str:
    if name == "siteward":
        raise ValueError("'siteward' is the daemon itself; choose another id")
    return name


class Device(Model):
    """One device of the register."""

    id: Annotated[Identifier, AfterValidator(_check_id)] = Field(
        description="Unique in the register; stays when the device is renamed or moved."
    )
    kind: Kind = Field(description="What it is; also the measurement's name in the database.")
    profile: str = Field("canonical", description="How its payloads are read; see `siteward devices profiles`.")
    address: str = Field("", description="What the device calls itself in the topic; its id where empty.")
    topic: str = Field("", description="Its own topic, for a device that does not follow its profile's.")
    name: Text = Field(Text(), description="What people call it.")
    building: Place | Literal[""] = ""
    floor: Place | Literal[""] = ""
    area: Place | Literal[""] = ""
    interval: Duration | None = Field(None, description="How often it reports; the ledger expects as much.")
    tags: dict[str, TagValue] = Field(
        default_factory=dict,
        description="Further tags for the database, from the list at the register's head.",
    )


_OWN_FIELDS = ("received_time_s", "claimed_time_s")
"""Fields in which the database keeps a reading's other times."""


def _check_tag(name: str) -> str:
    if name in SERIES_TAGS or name in POINTS or name in _OWN_FIELDS:
        raise ValueError(
            f"{name!r} is already the name of a {'tag' if name in SERIES_TAGS else 'point'}; choose another"
        )
    return name


class Register(Model):
    """All devices of a site, and the tags they may carry."""

    tags: list[Annotated[Identifier, AfterValidator(_check_tag)]] = Field(
        default_factory=list,
        description="Further tags that devices may carry; a closed list keeps the database's index small.",
    )
    devices: list[Device] = Field(default_factory=list)

    def __iter__(self) -> Iterator[Device]:  # type: ignore[override] # a register is its devices
        """Every device, in the order of the file."""
        return iter(self.devices)

    def by_id(self) -> dict[str, Device]:
        """Devices by their id."""
        return {device.id: device for device in self.devices}


class Clash(NamedTuple):
    """Something in a register that cannot be right.

    Attributes:
        path: where it stands, such as ("devices", 17, "id").
        message: what is wrong, and what to do.
        other: where the entry stands that it clashes with, None where there is none.
    """

    path: tuple[str | int, ...]
    message: str
    other: tuple[str | int, ...] | None = None


def find_clashes(register: Register) -> Iterator[Clash]:
    """Everything that a device's own model cannot see: ids and topics used twice, tags that are not allowed."""
    ids: dict[str, int] = {}
    topics: dict[str, int] = {}
    addresses: dict[tuple[str, str], int] = {}
    allowed = frozenset(register.tags)
    for index, device in enumerate(register.devices):
        entry = ("devices", index)
        first = ids.setdefault(device.id, index)
        if first != index:
            yield Clash((*entry, "id"), f"device {device.id!r} stands here a second time", ("devices", first))
            continue
        if device.topic:
            first = topics.setdefault(device.topic, index)
            key, what = "topic", f"topic {device.topic!r}"
        else:
            address = device.address or device.id
            first = addresses.setdefault((device.profile, address), index)
            key, what = "address", f"address {address!r} of profile {device.profile!r}"
        if first != index:
            other = register.devices[first].id
            yield Clash((*entry, key), f"{what} already belongs to {other!r}", ("devices", first))
        for tag in device.tags:
            if tag not in allowed:
                known = ", ".join(sorted(allowed)) or "none are listed"
                yield Clash(
                    (*entry, "tags", tag),
                    f"tag {tag!r} is not in the register's list `tags` ({known}); add it there or leave it out",
                )
