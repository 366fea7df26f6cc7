"""What a profile may say about bytes: fields at their places, groups that repeat, and values behind tags."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, FiniteFloat, model_validator

from devices.register import Model
from devices.values import suggest

Word: TypeAlias = bool | int | FiniteFloat | str
"""What a number may stand for."""

ByteOrder: TypeAlias = Literal["little", "big"]

END = "end"
"""In place of a count: until the end."""

ANY_BYTE = "??"
"""In place of two digits of a tag."""

_BITS_MAX = 64
_LENGTH_MAX = 65_536
_BCD_LENGTH_MAX = 8
_SCALE_MIN, _SCALE_MAX = 1e-12, 1e12
_FLOAT_BITS = {"float16": 16, "float32": 32, "float64": 64}
_OTHER_TYPES = (*_FLOAT_BITS, "bcd", "text", "hex")
_USUAL_TYPES = (*(f"{kind}{bits}" for kind in ("uint", "int") for bits in (8, 16, 24, 32, 40, 48, 64)), *_OTHER_TYPES)
_INTEGER = re.compile(r"(u?)int([1-9]\d?)", re.ASCII).fullmatch
_BYTE = "[0-9a-f]{2}|[?]{2}"
_TAG = re.compile(rf"(?:{_BYTE})+").fullmatch
_PLACEHOLDER = re.compile(r"\{(\d*)[^}]*\}?").finditer


def _check_type(name: str) -> str:
    match = _INTEGER(name)
    if name not in _OTHER_TYPES and not (match and int(match[2]) <= _BITS_MAX):
        hint = suggest(name, _USUAL_TYPES) or "expected uint8 to uint64, int8 to int64, " + ", ".join(_OTHER_TYPES)
        raise ValueError(f"{name!r} is no type; {hint}")
    return name


def _check_bits(bits: list[int]) -> list[int]:
    if bits[0] > bits[1]:
        raise ValueError(f"expected [lowest, highest], got [{bits[0]}, {bits[1]}]")
    return bits


class BinaryField(Model):
    """A value in the bytes, or with `fields` a group of them."""

    name: str = Field(
        "",
        max_length=64,
        description="What paths call it. Left out: the bytes are passed over; a group's fields stand beside it.",
    )
    at: int | None = Field(
        None,
        ge=-_LENGTH_MAX,
        lt=_LENGTH_MAX,
        description="The number of its first byte, 0 being the first of the payload or of the group; negative: from "
        "the end of the payload. Left out: behind the field before.",
    )
    type: Annotated[str, AfterValidator(_check_type)] = Field(
        "",
        description="uint8 to uint64, int8 to int64, float16, float32, float64, bcd, text or hex; uint14 and the like, "
        "which fill no whole bytes, only with `repeat`.",
    )
    length: int | None = Field(
        None,
        ge=1,
        le=_LENGTH_MAX,
        description="Bytes of a bcd, text or hex; of a text or hex left out: all that follow.",
    )
    byte_order: ByteOrder | None = Field(None, description="Where it differs from the layout's.")
    bit: int | None = Field(None, ge=0, description="A bit of the number, 0 being the lowest: true or false.")
    bits: (
        Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=2, max_length=2), AfterValidator(_check_bits)]
        | None
    ) = Field(
        None,
        description="Part of the number: [lowest, highest] bit; of an int the highest is the sign.",
    )
    sentinels: list[int | FiniteFloat] = Field(
        default_factory=list,
        description="Numbers that mean 'nothing measured', as they are sent: the field is left out.",
    )
    scale: FiniteFloat = Field(1.0, description="The number times this, …")
    offset: FiniteFloat = Field(0.0, description="… plus this, is the value.")
    map: dict[bool | int, Word] = Field(
        default_factory=dict,
        description="Words for numbers; a number that is not listed stays.",
    )
    when: dict[str, Word | list[Word]] = Field(
        default_factory=dict,
        description="It is there only where fields before it have this value, or one of these.",
    )
    repeat: Annotated[int, Field(ge=1, le=_LENGTH_MAX)] | str | None = Field(
        None,
        description="It is there so many times and makes a list: a number, the name of a field before it, or `end`: "
        "until the end.",
    )
    fields: list["BinaryField"] = Field(default_factory=list, description="What a group holds, instead of `type`.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        for problem in self._find_group_problems() if self.fields else self._find_value_problems():
            raise ValueError(problem)
        return self

    def _find_group_problems(self) -> Iterator[str]:
        spare = self.model_fields_set - {"name", "at", "when", "repeat", "fields"}
        if spare:
            yield f"{min(spare)}: does not go with fields; say it in each of them"
        if self.repeat is not None and not self.name:
            yield "name: needed for a group that repeats"

    def _find_value_problems(self) -> Iterator[str]:
        if not self.type:
            yield "type: needed, or fields"
        if self.length is not None and self.width is not None:
            yield f"length: {self.type} has its own"
        if self.type == "bcd" and not 1 <= (self.length or 0) <= _BCD_LENGTH_MAX:
            yield f"length: needed for type bcd, 1 to {_BCD_LENGTH_MAX} bytes"
        if self.is_packed and self.repeat is None:
            yield f"type: {self.type} fills no whole bytes; use a wider type with bits, or repeat"
        if self.length is None and self.width is None and self.repeat is not None:
            yield "length: needed where a text or hex repeats"
        for key, highest in (("bit", self.bit), ("bits", self.bits[1] if self.bits else None)):
            if highest is not None and (self.is_packed or not _INTEGER(self.type)):
                yield f"{key}: only of whole numbers in whole bytes"
            elif highest is not None and highest >= (self.width or 0):
                yield f"{key}: {self.type} has the bits 0 to {(self.width or 0) - 1}"
        yield from self._find_number_problems()

    def _find_number_problems(self) -> Iterator[str]:
        given = self.model_fields_set
        for key, others in (("bit", {"bits", "scale", "offset", "sentinels"}), ("map", {"scale", "offset"})):
            spare = given & others if key in given else set()
            if spare:
                yield f"{min(spare)}: does not go with {key}"
        if self.type in {"text", "hex"}:
            spare = given & {"scale", "offset", "map", "sentinels", "byte_order"}
            if spare - ({"byte_order"} if self.type == "hex" and self.length else set()):
                yield f"{min(spare)}: only of numbers"
        if not _SCALE_MIN <= abs(self.scale) <= _SCALE_MAX:
            yield f"scale: expected a size between {_SCALE_MIN} and {_SCALE_MAX}"
        if not self.name and (given - {"at", "type", "length", "when", "repeat"}):
            yield "name: needed; without, the bytes are passed over"

    @property
    def width(self) -> int | None:
        """Bits of a number; None where `length` says how many bytes."""
        match = _INTEGER(self.type)
        return int(match[2]) if match else _FLOAT_BITS.get(self.type)

    @property
    def size(self) -> int:
        """Bytes of one value; 0 where they are not known before, or it is a group."""
        return self.length or (self.width or 0) // 8

    @property
    def signed(self) -> bool:
        """Whether it is a whole number with a sign."""
        return self.type.startswith("int")

    @property
    def is_packed(self) -> bool:
        """Whether it fills no whole bytes."""
        return self.width is not None and self.width % 8 != 0


def _read_entry(value: object) -> object:
    return {"fields": value} if isinstance(value, list) else value


class TagEntry(Model):
    """What stands behind a tag."""

    into: str = Field("", max_length=64, description="A list that collects them, where the tag may come several times.")
    fields: list[BinaryField] = Field(description="The values, in order; none: the tag stands alone.")


def _check_tag(tag: object) -> str:
    if not isinstance(tag, str):
        raise ValueError("write tags in quotes, such as '0175'")  # noqa: TRY004 - pydantic turns a ValueError into a message
    if not _TAG(tag.lower()):
        raise ValueError(
            f"expected bytes in hexadecimal digits, or ?? for any byte, such as '0175' or '??67', got {tag!r}"
        )
    return tag.lower()


class Tagged(Model):
    """Values that follow one another, each behind a tag that says which it is."""

    tag: int = Field(1, ge=1, le=4, description="Bytes of a tag.")
    length: int = Field(
        0,
        ge=0,
        le=4,
        description="Bytes behind the tag that say how long the value is; 0: the fields say it.",
    )
    fields: dict[
        Annotated[str, BeforeValidator(_check_tag)],
        Annotated[TagEntry, BeforeValidator(_read_entry, json_schema_input_type=list[BinaryField] | TagEntry)],
    ] = Field(
        min_length=1,
        description="For each tag, in hexadecimal digits, the fields behind it; ?? is any byte, and {0}, {1} in "
        "names for the tag's first and second byte as a number.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        for tag, entry in self.fields.items():
            if len(tag) != 2 * self.tag:
                raise ValueError(f"fields.{tag}: expected {self.tag} bytes, got {len(tag) // 2}")
            for match in (match for field in entry.fields for match in _PLACEHOLDER(field.name)):
                if match[0] not in {f"{{{number}}}" for number in range(self.tag)}:
                    known = " or ".join(f"{{{number}}}" for number in range(self.tag))
                    raise ValueError(f"fields.{tag}: {match[0]} is no byte of the tag; expected {known}")
        return self


class Layout(Model):
    """What the bytes of a payload mean."""

    byte_order: ByteOrder = Field("big", description="Which byte of a number comes first.")
    length: int | None = Field(
        None, ge=1, le=_LENGTH_MAX, description="Bytes of the payload, where it must have so many."
    )
    fields: list[BinaryField] = Field(default_factory=list, description="The values at the beginning, in order.")
    tagged: Tagged | None = Field(None, description="What follows them is values behind tags.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.fields and not self.tagged:
            raise ValueError("expected fields or tagged")
        for problem in self._find_problems():
            raise ValueError(problem)
        return self

    def _find_problems(self) -> Iterator[str]:
        yield from _find_reference_problems(self.fields, "fields", [])
        for tag, entry in self.tagged.fields.items() if self.tagged else ():
            path = f"tagged.fields.{tag}.fields"
            if entry.into in self._list_names():
                yield f"tagged.fields.{tag}.into: {entry.into!r} is also the name of a field"
            yield from _find_reference_problems(entry.fields, path, [])
            yield from _find_inner_problems(entry.fields, path)

    def _list_names(self) -> set[str]:
        fields = list(self.fields)
        for entry in self.tagged.fields.values() if self.tagged else ():
            fields += [] if entry.into else entry.fields
        return {field.name for field in fields if field.name}


def _find_reference_problems(fields: Sequence[BinaryField], path: str, known: list[str]) -> Iterator[str]:
    """What of fields refers to others that are not read before them; adds their own names to those known."""
    for index, field in enumerate(fields):
        here = f"{path}.{index}"
        for name in field.when:
            if name not in known:
                yield f"{here}.when: {_say_unknown(name, known)}"
        if isinstance(field.repeat, str) and field.repeat not in {END, *known}:
            yield f"{here}.repeat: {_say_unknown(field.repeat, known)}, or {END!r}"
        beside = not field.name and field.repeat is None
        yield from _find_reference_problems(field.fields, f"{here}.fields", known if beside else [])
        yield from _find_inner_problems(field.fields, f"{here}.fields")
        if field.name and field.repeat is None and not field.fields:
            known.append(field.name)


def _find_inner_problems(fields: Sequence[BinaryField], path: str) -> Iterator[str]:
    for index, field in enumerate(fields):
        if field.at is not None and field.at < 0:
            yield f"{path}.{index}.at: only fields of the layout itself are counted from the end"


def _say_unknown(name: str, known: list[str]) -> str:
    return f"no single field {name!r} is read before it" + (f"; {hint}" if (hint := suggest(name, known)) else "")
