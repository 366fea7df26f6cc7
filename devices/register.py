"""The register: which devices there are, what they are, where they stand, and what hung there before."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from devices.durations import parse_duration, write_duration
from devices.metering import parse_pulse_weight, parse_ratio, parse_rollover
from devices.points import POINTS
from devices.quantities import Quantity
from devices.timestamps import format_rfc3339, parse_rfc3339

Kind: TypeAlias = Literal["electricity_meter", "water_meter", "door", "sensor", "gateway"]

SERIES_TAGS = ("site", "building", "floor", "area", "device")
"""The tags that every reading carries in the database; a tag of the register's own must be none of them."""


IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""The form of an id that is safe in topics, file names, tags and addresses of pages."""

_UNSEEN = r"\x00-\x1f\x7f\ufffe\uffff"
"""Characters that no table or database should carry."""

PLACE = rf"^[^\s{_UNSEEN},=\\+#/]([^{_UNSEEN},=\\+#/]*[^\s{_UNSEEN},=\\+#/])?$"
"""The form of the id of a building, floor or area; any script, no separators."""

TAG_VALUE = rf"^[^\s{_UNSEEN}\\]([^{_UNSEEN}\\]*[^\s{_UNSEEN}\\])?$"
"""The form of a tag's value; line protocol can carry neither line breaks nor a backslash at the end."""

LINE = rf"^([^\s{_UNSEEN}]([^{_UNSEEN}]*[^\s{_UNSEEN}])?)?$"
"""The form of a text of one line, which may be empty."""

WORDS = r"^[^\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]*$"
"""The form of a text for people."""


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


def _read_timestamp(value: object) -> int:
    try:
        return parse_rfc3339(value)[0]
    except ValueError as error:
        raise ValueError(f"{error}, got {value!r}") from None


Timestamp: TypeAlias = Annotated[
    int,
    BeforeValidator(_read_timestamp),
    PlainSerializer(format_rfc3339, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-03-01T10:00:00+08:00"]}),
]
"""Nanoseconds since 1970, written in RFC 3339 with an offset."""

Identifier: TypeAlias = Annotated[str, Field(pattern=IDENTIFIER, max_length=64)]
"""An id that is safe everywhere."""

Place: TypeAlias = Annotated[str, Field(pattern=PLACE, max_length=64)]
"""The id of a building, floor or area."""

TagValue: TypeAlias = Annotated[str, Field(pattern=TAG_VALUE, max_length=64)]
"""The value of a further tag."""

Line: TypeAlias = Annotated[str, Field(pattern=LINE)]
"""A text of one line, such as a topic."""

SerialNumber: TypeAlias = Annotated[str, Field(pattern=LINE, max_length=64)]
"""What somebody else calls a meter or a metering point."""

Words: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True), Field(pattern=WORDS)]
"""A text for people."""


class Model(BaseModel):
    """What all configuration has in common: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Text(Model):
    """A text in the languages of the interface; either may be missing."""

    en: Words = ""
    zh: Words = ""

    def pick(self, language: str, default: str = "") -> str:
        """The text in a language, else in the other one, else the default."""
        return (self.zh or self.en if language == "zh" else self.en or self.zh) or default


SELF = "siteward"
"""The device id of the daemon's own readings."""


def _check_id(name: str) -> str:
    if name == SELF:
        raise ValueError("'siteward' is the daemon itself; choose another id")
    return name


def _write_out(value: object) -> object:
    """A text without spaces around it; a number as one too, so that its unit is asked for, and not quotes around it."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if type(value) in {int, float} else value


METERED: Mapping[str, str] = MappingProxyType({"electricity_meter": "energy_import_kwh", "water_meter": "volume_m3"})
"""What each kind of meter counts first of all."""

_OWNERS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("meter", "metering_point", "pulse_weight", "rolls_over_at"), tuple(METERED)),
    **dict.fromkeys(("nominal_voltage", "current_limit", "ct_ratio", "vt_ratio"), ("electricity_meter",)),
    "flow_limit": ("water_meter",),
    **dict.fromkeys(("outside", "direction"), ("door",)),
}
"""Which kinds of devices a field belongs to, where it is not all."""


class Device(Model):
    """One device of the register. A meter is a metering point, at which one box follows another."""

    id: Annotated[Identifier, AfterValidator(_check_id)] = Field(
        description="Unique in the register; stays when the device is renamed or moved."
    )
    kind: Kind = Field(description="What it is; also the measurement's name in the database.")
    profile: str = Field("canonical", description="How its payloads are read; see `siteward devices profiles`.")
    address: Line = Field("", description="What the device calls itself in the topic; its id where empty.")
    topic: Line = Field("", description="Its own topic, for a device that does not follow its profile's.")
    name: Text = Field(Text(), description="What people call it.")
    building: Place | Literal[""] = Field("", description="Where it is: id of a building of places.yaml.")
    floor: Place | Literal[""] = Field("", description="Id of a floor of that building.")
    area: Place | Literal[""] = Field("", description="Where it is; of a door, the area behind it.")
    outside: Place | Literal[""] = Field(
        "", description="The area in front of a door, on the same floor; none where that is outdoors."
    )
    direction: Literal["in", "out"] | None = Field(
        None, description="Which way a door's reader lets people: in to its area, or out of it."
    )
    gateway: Identifier | Literal[""] = Field(
        "", description="Id of the gateway or controller that it hangs on; where that is silent, so is this."
    )
    interval: Duration | None = Field(None, description="How often it reports; the ledger expects as much.")
    meter: SerialNumber = Field("", description="Serial number of the meter that hangs there now.")
    metering_point: SerialNumber = Field("", description="What the utility calls the metering point.")
    nominal_voltage: Annotated[float, Quantity("V"), Field(gt=0)] | None = Field(
        None, description="Voltage that the supply should have, between phase and neutral."
    )
    current_limit: Annotated[float, Quantity("A"), Field(gt=0)] | None = Field(
        None, description="Current that a phase may carry."
    )
    flow_limit: Annotated[float, Quantity("m³/h"), Field(gt=0)] | None = Field(
        None, description="Flow that the pipe or the meter may carry."
    )
    pulse_weight: str = Field(
        "",
        description="What a pulse stands for, or the constant on the meter's face, before any ratio; for profiles that"
        " count pulses.",
        examples=["10 L", "1 Wh", "1600 imp/kWh"],
    )
    ct_ratio: str = Field(
        "",
        description="Ratio of its current transformers, where the meter itself does not apply it.",
        examples=["200/5"],
    )
    vt_ratio: str = Field(
        "",
        description="Ratio of its voltage transformers, where the meter itself does not apply it.",
        examples=["10000/100"],
    )
    rolls_over_at: str = Field(
        "",
        description="Where its register starts again from zero, before any ratio; `24 bit` counts pulses.",
        examples=["1000000 kWh", "100000 m³", "24 bit"],
    )
    tags: dict[str, TagValue] = Field(
        default_factory=dict,
        description="Further tags for the database, from the list at the register's head.",
    )

    def factor(self, point: str) -> float:
        """What a number from the meter is multiplied with: the ratio of the transformers in front of it.

        Args:
            point: of the closed list; what is neither voltage, current, power nor energy has 1.
        """
        voltage = parse_ratio(self.vt_ratio) if self.vt_ratio else 1.0
        current = parse_ratio(self.ct_ratio) if self.ct_ratio else 1.0
        ratios = {"V": voltage, "A": current, **dict.fromkeys(("kWh", "kW", "kvar", "kVA"), voltage * current)}
        return ratios.get(POINTS[point].unit, 1.0)

    def pulse_factor(self, point: str) -> float | None:
        """What a pulse stands for in the point's unit, with the ratio; None where the register does not say."""
        weight = self._read_pulse_weight(point)
        return None if weight is None else weight * self.factor(point)

    def rollover(self, point: str) -> float | None:
        """Where a register starts again from zero, in the point's unit and with the ratio; None where nobody says."""
        if not self.rolls_over_at or point not in registers_of(self.kind):
            return None
        width = parse_rollover(self.rolls_over_at, POINTS[point].unit, self._read_pulse_weight(point))
        return width * self.factor(point)

    def _read_pulse_weight(self, point: str) -> float | None:
        if not self.pulse_weight or point not in registers_of(self.kind):
            return None
        return parse_pulse_weight(self.pulse_weight, POINTS[point].unit)

    @field_validator("ct_ratio", "vt_ratio", mode="before")
    @classmethod
    def _check_ratio(cls, value: object) -> object:
        text = _write_out(value)
        if isinstance(text, str) and text:
            parse_ratio(text)
        return text

    @field_validator("pulse_weight", "rolls_over_at", mode="before")
    @classmethod
    def _check_register(cls, value: object, info: ValidationInfo) -> object:
        text, kind = _write_out(value), info.data.get("kind", "")
        if isinstance(text, str) and text and kind in METERED:
            unit = POINTS[METERED[kind]].unit
            if info.field_name == "pulse_weight":
                parse_pulse_weight(text, unit)
            else:
                weight = info.data.get("pulse_weight", f"1 {unit}")  # one that is wrong is told by itself
                parse_rollover(text, unit, parse_pulse_weight(weight, unit) if weight else None)
        return text

    @field_validator(*_OWNERS)
    @classmethod
    def _check_owner(cls, value: object, info: ValidationInfo) -> object:
        kind, owners = info.data.get("kind"), _OWNERS[str(info.field_name)]
        if value and kind and kind not in owners:
            raise ValueError(f"belongs to kind {' or '.join(owners)}, not {kind}")
        return value

    @field_validator("outside")
    @classmethod
    def _check_outside(cls, area: str, info: ValidationInfo) -> str:
        if area and area == info.data.get("area"):
            raise ValueError("expected another area than the one behind the door; leave it out where it is outdoors")
        return area


def registers_of(kind: str) -> list[str]:
    """The points that a kind of device counts, such as energy taken and energy given; none but for meters."""
    if kind not in METERED:
        return []
    domain = POINTS[METERED[kind]].domain
    return [point.name for point in POINTS.values() if point.kind == "register" and point.domain == domain]


class Replacement(Model):
    """One meter that took the place of another."""

    device: Identifier = Field(description="Id of the device whose meter it was.")
    at: Timestamp = Field(description="When it was done.")
    removed: SerialNumber = Field("", description="Serial number of the old meter.")
    installed: SerialNumber = Field("", description="Serial number of the new meter.")
    final: str = Field(
        description="What the old meter showed last, before any ratio.", examples=["84210.5 kWh", "1234.567 m³"]
    )
    first: str = Field(description="What the new meter showed first, likewise.", examples=["0 kWh", "0.002 m³"])
    point: Literal["energy_import_kwh", "energy_export_kwh", "volume_m3", "backflow_m3"] | None = Field(
        None,
        description="Which of the meter's registers; left out: energy_import_kwh or volume_m3. A meter with two has an"
        " entry for each.",
    )

    _write_out = field_validator("final", "first", mode="before")(_write_out)


_OWN_FIELDS = ("received_time_s", "claimed_time_s")
"""Fields in which the database keeps a reading's other times."""


def _check_tag(name: str) -> str:
    if name in SERIES_TAGS or name in POINTS or name in _OWN_FIELDS:
        raise ValueError(
            f"{name!r} is already the name of a {'tag' if name in SERIES_TAGS else 'point'}; choose another"
        )
    return name


class Register(Model):
    """All devices of a site, the tags they may carry, and the meters that were replaced."""

    tags: list[Annotated[Identifier, AfterValidator(_check_tag)]] = Field(
        default_factory=list,
        description="Further tags that devices may carry; a closed list keeps the database's index small.",
    )
    devices: list[Device] = Field(default_factory=list)
    replacements: list[Replacement] = Field(default_factory=list, description="Meters that took the place of others.")

    def __iter__(self) -> Iterator[Device]:  # type: ignore[override] # a register is its devices
        """Every device, in the order of the file."""
        return iter(self.devices)

    def by_id(self) -> dict[str, Device]:
        """Devices by their id."""
        return {device.id: device for device in self.devices}
