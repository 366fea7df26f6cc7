"""Quantities: numbers with units as people and devices write them, in the unit that a point or a setting is kept in.

Units are those of units.txt beside this module, read by pint. Loading both takes 0.2 s, so it waits for the first unit.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import cache, lru_cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import normalize

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from devices.values import shorten

if TYPE_CHECKING:
    from pint import Unit, UnitRegistry


class Dimension(NamedTuple):
    """What a quantity is, for people.

    Attributes:
        name: what people call it.
        example: a number with a usual unit.
        units: the usual units.
    """

    name: str
    example: str
    units: tuple[str, ...]


DIMENSIONS = {
    "kWh": Dimension("active energy", "1234.5 kWh", ("kWh", "Wh", "MWh", "MJ")),
    "kvarh": Dimension("reactive energy", "12 kvarh", ("kvarh", "varh", "Mvarh")),
    "kVAh": Dimension("apparent energy", "12 kVAh", ("kVAh", "VAh")),
    "kW": Dimension("active power", "3.5 kW", ("kW", "W", "MW")),
    "kvar": Dimension("reactive power", "1.5 kvar", ("kvar", "var", "Mvar")),
    "kVA": Dimension("apparent power", "1.5 kVA", ("kVA", "VA", "MVA")),
    "V": Dimension("voltage", "230 V", ("V", "kV", "mV")),
    "A": Dimension("current", "63 A", ("A", "mA", "kA")),
    "Hz": Dimension("frequency", "50 Hz", ("Hz", "mHz", "kHz")),
    "m³": Dimension("volume", "10 L", ("m³", "L", "mL", "ft³", "gal")),
    "m³/h": Dimension("flow", "30 L/h", ("m³/h", "L/h", "L/min", "L/s", "gal/min")),
    "bar": Dimension("pressure", "3 bar", ("bar", "mbar", "MPa", "kPa", "Pa", "psi")),
    "°C": Dimension("temperature", "21 °C", ("°C", "°F", "K")),
    "%": Dimension("share", "45 %", ("%", "ppm", "ppb")),
    "dBm": Dimension("signal level", "-90 dBm", ("dBm",)),
    "dB": Dimension("level", "7 dB", ("dB",)),
    "s": Dimension("time", "30 s", ("s", "min", "h", "d", "ms")),
    "m": Dimension("length", "5 m", ("m", "cm", "mm", "km")),
}
"""Every dimension by the unit that it is kept in; what is kept in ppm or without a unit is a share too."""

_AMBIGUOUS = {
    "mw": "write mW or MW",
    "mwh": "write MWh",
    "mvar": "write Mvar",
    **dict.fromkeys(("吨", "t", "ton", "tons"), "that is a mass; of water, write its volume in m³"),
    **dict.fromkeys(("方", "立方"), "write m³"),
    **dict.fromkeys(("公斤", "kg"), "that is a mass; of a pressure, write bar or MPa"),
}
"""Units that people use and that say too little, in lower case, and what to write."""

QUANTITY = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)? *[^\d\s.,+-].*$"
"""The form of a quantity, for editors."""

_LENGTH_MAX = 60
_NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(.*)", re.ASCII)
_JOINT = re.compile(r"\s*([*·⋅/])\s*|\s+")
_POWER = re.compile(r"([^\W\d]\w*?)\^?([-−]?[1-3])")
_NAMES_OF_SIGNS = str.maketrans({"°": "deg", "%": "percent"})


@lru_cache(maxsize=1024)  # thousands of devices have the same few ratings
def parse_quantity(text: str, unit: str) -> float:
    """The number that a text such as `30 L/h` stands for.

    Args:
        text: a number with a decimal point, and its unit.
        unit: what the number is wanted in, such as `m³/h`: a point's unit, or `kvarh`, `kVAh`, `m`.

    Raises:
        ValueError: it is none, or of another dimension; the message says what is expected.
    """
    plain = normalize("NFKC", text[: _LENGTH_MAX + 1]).strip()
    match = _NUMBER.fullmatch(plain) if len(plain) <= _LENGTH_MAX else None
    if match is None:
        raise _refuse(text, unit)
    number, written = match.groups()
    if not written and unit:
        raise _refuse(text, unit, ", which has no unit")
    if re.match(r"[,'_\d]", written):
        raise _refuse(text, unit, "; write a decimal point, and nothing between thousands")
    conversion = _convert(written, unit)
    if isinstance(conversion, str):
        raise _refuse(text, unit, conversion)
    scale, offset = conversion
    try:
        return float(Fraction(number) * scale + offset)
    except OverflowError:
        raise _refuse(text, unit, ", which is beyond all measure") from None


def write_quantity(value: float, unit: str) -> str:
    """The text that `parse_quantity` reads as exactly that: `0.03 m³/h`."""
    return f"{repr(value).removesuffix('.0')} {unit}"


def convert_factor(unit: str, into: str) -> tuple[float, float]:
    """What turns a number in one unit into another: the number times scale plus offset.

    Args:
        unit: as people or devices write it: `Wh`, `°F`, `W min`, `L/min`, `㎥`, `%`, `千瓦时`.
        into: a point's unit, or `kvarh`, `kVAh`, `m`.

    Returns:
        Scale and offset.

    Raises:
        ValueError: there is no such unit, or it is of another dimension; the message says what is expected.
    """
    conversion = _convert(unit[: _LENGTH_MAX + 1], into)
    if isinstance(conversion, str):
        name, _, units = _dimension(into)
        raise ValueError(f"expected a unit of {name} ({', '.join(units)}), got {shorten(unit)!r}{conversion}")  # noqa: TRY004 - the text is at fault, not its type
    scale, offset = conversion
    return float(scale), float(offset)


def known_unit(unit: str) -> bool:
    """Whether a unit is understood at all."""
    return _parse(unit[: _LENGTH_MAX + 1]) is not None


@dataclass(frozen=True)
class Quantity:
    """Marks a model's number that is written with its unit: `Annotated[float, Quantity("m³/h")]` takes `30 L/h`.

    Attributes:
        unit: what the number is kept in.
    """

    unit: str

    @property
    def example(self) -> str:
        """One with a usual unit."""
        return _dimension(self.unit).example

    def __get_pydantic_core_schema__(self, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        """How pydantic reads and writes it."""
        writer = core_schema.plain_serializer_function_ser_schema(self._write, when_used="json")
        return core_schema.no_info_before_validator_function(self._read, handler(source), serialization=writer)

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """What editors know of it."""
        return {"type": "string", "pattern": QUANTITY, "examples": [self.example]}

    def _read(self, value: object) -> float:
        if isinstance(value, str):
            return parse_quantity(value, self.unit)
        raise _refuse(value, self.unit, ", which has no unit" if type(value) in {int, float} else "")

    def _write(self, value: float) -> str:
        return write_quantity(value, self.unit)


def _refuse(given: object, unit: str, why: str = "") -> ValueError:
    name, example, _ = _dimension(unit)
    shown = repr(shorten(given)) if isinstance(given, str) else shorten(str(given))
    return ValueError(f"expected {name} with its unit such as {example}, got {shown}{why}")


def _dimension(unit: str) -> Dimension:
    return DIMENSIONS.get(unit) or DIMENSIONS["%"]


@lru_cache(maxsize=1024)
def _convert(unit: str, into: str) -> tuple[Fraction, Fraction] | str:
    """Scale and offset, exactly; or the end of a message that says why there are none.

    What fails is kept too, so that a device's bad units cost no more than good ones.
    """
    if normalize("NFKC", unit) == normalize("NFKC", into):  # which is most often so, and needs no pint
        return Fraction(1), Fraction(0)
    source, target = _parse(unit), _parse(into)
    if source is None or target is None:
        return _suggest(unit, into)
    if source.dimensionality != target.dimensionality:
        return _tell_apart(source)
    convert = _registry().convert
    offset = Fraction(convert(Fraction(0), source, target))
    return Fraction(convert(Fraction(1), source, target)) - offset, offset


def _suggest(unit: str, into: str) -> str:
    """What may have been meant."""
    for factor in _JOINT.split(unit.lower()):
        if factor in _AMBIGUOUS:
            return f"; {_AMBIGUOUS[factor]}"
    usual = {name.lower(): name for dimension in DIMENSIONS.values() for name in dimension.units}
    usual |= {name.lower(): name for name in _dimension(into).units}  # of W and w, the one that is wanted
    near = get_close_matches(unit.lower(), usual, n=1)
    return f"; did you mean {usual[near[0]]}?" if near else ""


def _tell_apart(unit: "Unit") -> str:
    """Which dimension a unit has that is of the wrong one."""
    for kept, dimension in DIMENSIONS.items():
        other = _parse(kept)
        if other is not None and other.dimensionality == unit.dimensionality:
            return f", which is {dimension.name}"
    return ", which is something else"


@cache
def _registry() -> "UnitRegistry[Any]":
    from pint import UnitRegistry  # noqa: PLC0415 - see the module's first lines

    with as_file(files("devices") / "units.txt") as path:
        return UnitRegistry(path, on_redefinition="raise", non_int_type=Fraction)


@cache
def _names() -> frozenset[str]:
    """Units as they are written, without pint's own differences of temperatures."""
    return frozenset(name for name in _registry() if not name.startswith(("delta_", "Δ")))


@lru_cache(maxsize=1024)
def _parse(unit: str) -> "Unit | None":
    """A unit of the list, or several of them joined; None where it is no such thing."""
    plain = normalize("NFKC", unit).strip().translate(_NAMES_OF_SIGNS)
    if len(plain) > _LENGTH_MAX:
        return None
    words = _JOINT.split(plain)  # factors and, between them, what joins them: None for a space
    words[::2] = [_spell_factor(word) for word in words[::2]]
    words[1::2] = [word if word == "/" else "*" for word in words[1::2]]
    if (plain and not all(words)) or "/" in words[:-2]:  # nobody knows what kW/m*h is
        return None
    return _registry().parse_units("".join(words))


def _spell_factor(factor: str) -> str:
    """A factor as pint writes it, `m**3` for `m3`; "" where its name is not in the list."""
    if factor in _names():
        return factor
    match = _POWER.fullmatch(factor)
    return f"{match[1]}**{match[2].replace('−', '-')}" if match and match[1] in _names() else ""
