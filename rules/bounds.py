"""Bounds: what a value is compared with, as engineers write it: `253 V`, `0.85`, `110 % of nominal_voltage`."""

import re
from collections.abc import Sequence
from functools import lru_cache
from math import isfinite
from typing import Annotated, NamedTuple, TypeAlias

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from devices.points import POINTS
from devices.quantities import convert_factor, parse_quantity
from devices.register import Device, Text
from devices.values import suggest

RATINGS = {"nominal_voltage": "V", "current_limit": "A", "flow_limit": "m³/h"}
"""Fields of a device that a bound may refer to, and their units."""

_SHARE = re.compile(r"(\d+(?:\.\d+)?) ?% ?of ([A-Za-z_ ]+)", re.ASCII)
_NUMBER = re.compile(r"([+-]?[\d.]+(?:[eE][+-]?\d+)?)\s*(\D.*)")
_STEPS = {"dBm": "dB"}
"""Units whose differences have another one."""


class Bound(NamedTuple):
    """A number, or a share of one of the device's ratings.

    Attributes:
        text: as it was written.
        rating: name of the rating; "" where it is a number with its unit.
        share: 1.1 for `110 % of …`.
    """

    text: str
    rating: str = ""
    share: float = 1.0

    def resolve(self, unit: str, device: Device | None) -> float:
        """The number, in a unit.

        Raises:
            ValueError: no such quantity, or the device has no such rating.
        """
        if not self.rating:
            return _read_quantity(self.text, unit)
        rating = getattr(device, self.rating) if device is not None else None
        if rating is None:
            raise ValueError(f"no {self.rating}")
        return float(f"{rating * self.share:.12g}")  # 110 % of 230 V are 253 V, and no more

    def resolve_step(self, unit: str, device: Device | None) -> float:
        """The number as a difference of two values: 9 °F are 5 °C, and of dBm the difference is in dB.

        Raises:
            ValueError: likewise.
        """
        unit = _STEPS.get(unit, unit)
        number = self.resolve(unit, device)
        match = _NUMBER.fullmatch(self.text) if unit == "°C" else None
        return float(match[1]) * convert_factor(match[2], unit)[0] if match else number

    def describe(self) -> Text:
        """As it was written, in both languages."""
        if not self.rating:
            return Text(en=self.text, zh=self.text)
        share = f"{self.share * 100:.10g}"
        return Text(en=f"{share} % of {self.rating}", zh=f"{self.rating} 的 {share} %")


@lru_cache(maxsize=4096)
def _read_quantity(text: str, unit: str) -> float:
    """One number for all devices, which saves time when nodes are made, and memory."""
    return parse_quantity(text, unit) if unit else _parse_number(text)


def _parse_number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"expected a number without unit, got {text!r}") from None
    if not isfinite(number):
        raise ValueError(f"expected a finite number, got {text!r}")
    return number


def read_bound(value: object) -> object:
    """What the YAML says, as a Bound.

    Raises:
        ValueError: it is neither a number nor a text, or there is no such rating.
    """
    if isinstance(value, Bound):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"expected a quantity such as 253 V, or 110 % of nominal_voltage, got {value!r}")  # noqa: TRY004 - pydantic turns a ValueError into a message
    text = value.strip() if isinstance(value, str) else repr(value)
    match = _SHARE.fullmatch(text)
    if match is None:
        return Bound(text)
    if match[2] not in RATINGS:
        hint = suggest(match[2], RATINGS)
        raise ValueError(f"expected a share of {', '.join(RATINGS)}, got {match[2]!r}{hint and '; '}{hint}")
    if float(match[1]) == 0:
        raise ValueError(f"expected a share of more than 0 %, got {text!r}")
    return Bound(text, match[2], float(match[1]) / 100)


def check_bound(bound: Bound, unit: str) -> None:
    """Looks at a bound before any device is known.

    Args:
        bound: what was written.
        unit: of the point that is compared with it; "" where the point has none.

    Raises:
        ValueError: another dimension, a unit that is missing, or a rating of another dimension.
    """
    if not bound.rating:
        bound.resolve(unit, None)
    elif RATINGS[bound.rating] != unit:
        raise ValueError(f"{bound.rating} is in {RATINGS[bound.rating]}, and the point in {unit or 'no unit'}")


def check_step(bound: Bound, unit: str) -> None:
    """Looks at a bound for a difference; it must be above zero.

    Raises:
        ValueError: see `check_bound`; or it is not above zero.
    """
    check_bound(bound, _STEPS.get(unit, unit))
    if not bound.rating and bound.resolve_step(unit, None) <= 0:
        raise ValueError(f"expected more than 0, got {bound.text!r}")


def miss_rating(bounds: Sequence[Bound | None], device: Device) -> str:
    """`no nominal_voltage`, where a device lacks a rating that one of these bounds needs; else ""."""
    for bound in bounds:
        if bound is not None and bound.rating and getattr(device, bound.rating) is None:
            return f"no {bound.rating}"
    return ""


def check_point(name: object) -> str:
    """A point's name.

    Raises:
        ValueError: there is none of this name.
    """
    if not isinstance(name, str) or name not in POINTS:
        hint = suggest(str(name), POINTS) or "see docs/reference/points.md"
        raise ValueError(f"there is no point {name!r}; {hint}")
    return name


def check_number(name: object) -> str:
    """The name of a point whose values are numbers.

    Raises:
        ValueError: there is none of this name, or it is no number.
    """
    point = POINTS[check_point(name)]
    if point.type is not float:
        raise ValueError(f"{point.name} is no number; expected a point such as power_kw")
    return point.name


def check_gauge(name: object) -> str:
    """The name of a point that goes up and down.

    Raises:
        ValueError: there is none of this name, it is no number, or it is a meter's register.
    """
    point = POINTS[check_number(name)]
    if point.kind == "register":
        raise ValueError(f"{point.name} is a meter's register, which only counts; expected a gauge such as power_kw")
    return point.name


BoundField: TypeAlias = Annotated[
    Bound,
    BeforeValidator(read_bound),
    PlainSerializer(lambda bound: bound.text, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "number"}],
            "examples": ["253 V", "30 L/h", "0.85", "110 % of nominal_voltage"],
        }
    ),
]
"""A bound as a model's field."""

_GAUGES = [point.name for point in POINTS.values() if point.kind == "gauge"]
_NUMBERS = [point.name for point in POINTS.values() if point.type is float]

PointName: TypeAlias = Annotated[
    str, BeforeValidator(check_point), WithJsonSchema({"type": "string", "enum": list(POINTS)})
]
"""Name of a point."""

GaugeName: TypeAlias = Annotated[str, BeforeValidator(check_gauge), WithJsonSchema({"type": "string", "enum": _GAUGES})]
"""Name of a point that goes up and down."""

NumberName: TypeAlias = Annotated[
    str, BeforeValidator(check_number), WithJsonSchema({"type": "string", "enum": _NUMBERS})
]
"""Name of a point whose values are numbers."""
