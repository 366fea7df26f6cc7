"""Bounds: what a value is compared with, as engineers write it: `253 V`, `0.85`, `110 % of nominal_voltage`."""

import re
from typing import Annotated, NamedTuple, TypeAlias

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from devices.points import POINTS
from devices.quantities import parse_quantity
from devices.register import Device

RATINGS = {"nominal_voltage": "V", "current_limit": "A", "flow_limit": "m³/h"}
"""Fields of a device that a bound may refer to, and their units."""

_SHARE = re.compile(r"(\d+(?:\.\d+)?) ?% of ([a-z_]+)", re.ASCII)


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
            return parse_quantity(self.text, unit) if unit else _parse_number(self.text)
        rating = getattr(device, self.rating) if device is not None else None
        if rating is None:
            raise ValueError(f"no {self.rating}")
        return float(rating) * self.share


def _parse_number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"expected a number without unit, got {text!r}") from None


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
        raise ValueError(f"expected a share of {', '.join(RATINGS)}, got {match[2]!r}")
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


def check_point(name: str) -> str:
    """A point's name, for a condition that needs numbers.

    Raises:
        ValueError: there is none of this name, or its values are no numbers.
    """
    from devices.values import suggest  # noqa: PLC0415

    if name not in POINTS:
        raise ValueError(f"there is no point {name!r}; {suggest(name, POINTS) or 'see docs/reference/points.md'}")
    return name


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

PointName: TypeAlias = Annotated[str, Field(json_schema_extra={"enum": list(POINTS)}), BeforeValidator(check_point)]
"""Name of a point."""
