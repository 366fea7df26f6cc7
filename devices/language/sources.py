"""What a profile may say about one value: where it stands, and what to make of it."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, FiniteFloat, model_validator

from devices.expressions import check_groups, parse_expression
from devices.language.timepatterns import compile_pattern
from devices.paths import check_path
from devices.points import POINTS
from devices.register import Duration, Model
from devices.timestamps import check_zone
from devices.values import suggest

Scalar: TypeAlias = bool | int | FiniteFloat | str
"""A value as it may stand in a payload."""

SCALE_MIN, SCALE_MAX = 1e-12, 1e12

PULSE = "pulse"
"""The unit of pulses; what one is worth stands in the register."""

WRITTEN = "written"
"""In place of a unit: the text carries it."""

TIME_FORMATS = (
    "rfc3339", "local", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "dsmr", "age_s", "age_ms",
)  # fmt: skip
"""How times are written; beside them, patterns with %."""

MessagePath: TypeAlias = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(check_path)]
"""A path; see devices/paths.py."""


def _check_point(name: str) -> str:
    if name not in POINTS:
        words = set(name.lower().split("_"))
        near = sorted(POINTS, key=lambda point: -len(words & set(point.split("_"))))[:2]
        alike = " or ".join(point for point in near if words & set(point.split("_")))
        hint = suggest(name, POINTS) or (f"did you mean {alike}?" if alike else "see the list of points")
        raise ValueError(f"{name!r} is no point; {hint}")
    return name


PointName: TypeAlias = Annotated[str, AfterValidator(_check_point)]
"""A point of the closed list."""


def _check_signed_path(path: str) -> str:
    check_path(path.removeprefix("-"))
    return path


def _check_expression(pattern: str) -> str:
    parse_expression(pattern)
    return pattern


def _check_extraction(pattern: str) -> str:
    groups = parse_expression(pattern).groups
    if groups != 1:
        raise ValueError(f"expected one group in ( ), got {groups}")
    return pattern


SignedPath: TypeAlias = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_check_signed_path)]


class Criterion(Model):
    """What a value must be like."""

    present: bool | None = Field(None, description="true: the path finds something; false: it finds nothing.")
    above: FiniteFloat | None = Field(None, description="A number greater than this.")
    below: FiniteFloat | None = Field(None, description="A number less than this.")
    is_not: Scalar | list[Scalar] | None = Field(None, description="None of these.")
    contains: str | list[str] | None = Field(None, description="A text that holds this, or one of these.")
    matches: Annotated[str, AfterValidator(_check_expression)] | None = Field(
        None,
        description="A text in which this regular expression is found.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if all(value is None for _, value in self):
            raise ValueError("expected present, above, below, is_not, contains or matches")
        return self


Condition: TypeAlias = Scalar | list[Scalar] | Criterion
When: TypeAlias = dict[MessagePath, Condition]
"""Paths, and the value, one of the values, or the test for each."""


class UnitPath(Model):
    """A unit that the message names."""

    path: MessagePath
    map: dict[Scalar, Annotated[str, Field(min_length=1, max_length=40)]] = Field(
        default_factory=dict,
        description="The unit for each name or number there that is no unit itself, such as degreesCelsius or 30.",
    )


class ScalePath(Model):
    """A scale that the message gives."""

    path: MessagePath
    power_of_ten: bool = Field(default=False, description="The number there is an exponent: -2 is a scale of 0.01.")


class PointSource(Model):
    """Where a point stands in a message, and how its value becomes the point's."""

    path: MessagePath | None = Field(
        None,
        description="Where it stands; where it finds nothing, the point is left out.",
    )
    sum: list[SignedPath] = Field(
        default_factory=list,
        description="Paths to add up instead of one; - in front takes away. Where one finds nothing, the point is left "
        "out.",
    )
    value: Scalar | None = Field(
        None,
        description="A constant instead, for points that are given when something holds.",
    )
    when: When = Field(default_factory=dict, description="Conditions; where they do not hold, this gives nothing.")
    combine: Literal["sum", "mean", "min", "max", "first", "last", "none"] | None = Field(
        None,
        description="What to make of a list or an object of numbers; none: nothing. Left out, it is an error.",
    )
    pattern: Annotated[str, AfterValidator(_check_extraction)] | None = Field(
        None,
        description="A regular expression with one group, for a text that holds more than the value; "
        "where it is not found, the point is left out.",
    )
    bit: int | None = Field(None, ge=0, le=63, description="The number of a bit, 0 being the lowest: true or false.")
    map: dict[Scalar, Scalar | None] = Field(
        default_factory=dict,
        description="The point's value for each value there, null for nothing.",
    )
    otherwise: Scalar | None = Field(
        None,
        description="The value, or null for nothing, where map does not list it; left out, that is an error.",
    )
    sentinels: list[Scalar] = Field(
        default_factory=list,
        description="Values that mean 'nothing measured', such as 65535: the point is left out.",
    )
    default: Scalar | None = Field(
        None,
        description="What stands there where the path finds nothing: for senders that leave out 0 or false.",
    )
    unit: Annotated[str, Field(min_length=1, max_length=40)] | UnitPath | None = Field(
        None,
        description="The unit there, such as Wh or L; pulse; written, where the text carries it; {path: …}, where the "
        "message names it. Left out: the point's own.",
    )
    scale: FiniteFloat | ScalePath = Field(
        1.0,
        description="The number there times this is in `unit`; {path: …}, where the message gives it.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        for problem in self._find_problems():
            raise ValueError(problem)
        return self

    def _find_problems(self) -> Iterator[str]:
        given = [name for name in ("path", "sum", "value") if getattr(self, name) not in (None, [])]
        if len(given) != 1:
            yield "expected path, sum or value" + (f", one of them only, got {' and '.join(given)}" if given else "")
        if not (isinstance(self.scale, ScalePath) or SCALE_MIN <= abs(self.scale) <= SCALE_MAX):
            yield f"scale: expected a size between {SCALE_MIN:g} and {SCALE_MAX:g}"
        if self.value is not None:
            spare = self.model_fields_set - {"value", "when"}
            if spare:
                yield f"{min(spare)}: does not go with a constant value"
        if "otherwise" in self.model_fields_set and not self.map:
            yield "otherwise: belongs to map"
        if self.unit == WRITTEN and isinstance(self.scale, ScalePath):
            yield "scale: a path does not go with a unit that the text carries"
        if self.map or self.bit is not None:
            spare = self.model_fields_set & {"unit", "scale"}
            if spare:
                yield f"{min(spare)}: only for numbers that are not mapped"


def _read_sources(value: object) -> object:
    return [_read_path(item) for item in value] if isinstance(value, list) else [_read_path(value)]


def _read_path(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


PointEntry: TypeAlias = Annotated[
    list[PointSource],
    Field(min_length=1),
    BeforeValidator(_read_sources, json_schema_input_type=str | PointSource | list[str | PointSource]),
]
"""A point's sources, the first that gives a value holds; a text alone is a path."""


def _read_paths(value: object) -> object:
    return [value] if isinstance(value, str) else value


Paths: TypeAlias = Annotated[
    list[MessagePath],
    Field(min_length=1),
    BeforeValidator(_read_paths, json_schema_input_type=str | list[str]),
]


def _check_time_format(name: str) -> str:
    if "%" in name:
        compile_pattern(name)
    elif name not in TIME_FORMATS:
        hint = suggest(name, TIME_FORMATS) or f"expected {', '.join(TIME_FORMATS)} or a pattern such as %d/%m/%Y %H:%M"
        raise ValueError(f"{name!r} is no format of times; {hint}")
    return name


TimeFormat: TypeAlias = Annotated[
    str,
    AfterValidator(_check_time_format),
    Field(json_schema_extra={"anyOf": [{"enum": list(TIME_FORMATS)}, {"pattern": "%"}]}),
]
"""How a time is written."""


class TimeLag(Model):
    """How long before its time a reading was measured."""

    path: MessagePath = Field(description="Where its age stands, a number; where it finds nothing, there is none.")
    unit: Duration = Field(description="How long one of it is: 1s, 1ms; 62.5ms for sixteenths of a second.")


class TimeSource(Model):
    """Where a message says when it was measured."""

    path: Paths = Field(description="Where it stands, or several paths: the first that finds something.")
    format: Annotated[
        list[TimeFormat],
        Field(min_length=1),
        BeforeValidator(_read_paths, json_schema_input_type=TimeFormat | list[TimeFormat]),
    ] = Field(
        description="rfc3339: with an offset; local: without; epoch_…: since 1970, also as text; dsmr: YYMMDDhhmmss "
        "and W or S; age_…: before the arrival; or a pattern with %, as strptime has them. Several: the first in which "
        "it is written.",
    )
    zone: Annotated[str, AfterValidator(lambda name: check_zone(name) if name else name)] = Field(
        "",
        description="IANA name of the zone of the device's clock, for local, dsmr and patterns; left out: the site's.",
    )
    less: TimeLag | None = Field(None, description="An age that is taken from it, where the message gives one, too.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.zone and not any("%" in form or form in {"local", "dsmr"} for form in self.format):
            raise ValueError(f"zone: belongs to format local, dsmr or a pattern, not {' or '.join(self.format)}")
        return self


class Entries(Model):
    """Names and values that belong to one reading."""

    path: MessagePath = Field("@", description="Where the list stands, or an object of names and entries.")
    name: MessagePath | None = Field(None, description="Where an entry of a list says its name.")
    value: Paths = Field(
        default_factory=lambda: ["@"],
        description="Where it says its value, or several paths: the first that finds something; left out: the entry "
        "itself.",
    )
    where: When = Field(default_factory=dict, description="Conditions for an entry; others are left out.")


class TextParts(Model):
    """A text that says several things, such as `meter7.voltage`."""

    path: MessagePath = Field(description="Where it stands in the item.")
    pattern: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(check_groups)] = Field(
        description="A regular expression; what its named groups hold are the parts. Items in which it is not found "
        "are left out.",
    )


class Intervals(Model):
    """What a register rose by in each of the last intervals."""

    path: MessagePath = Field(description="Where the list of differences stands.")
    every: Duration = Field(description="Length of an interval.")
    newest: Literal["first", "last"] = Field(description="At which end of the list the newest interval is.")
    point: PointName = Field(
        description="The register's point; its value in the message is that at the end of the newest interval.",
    )
    unit: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(None, description="Of the differences.")
    scale: FiniteFloat = Field(1.0, description="A difference times this is in `unit`.")
