"""Device profiles: YAML that says how a kind of device writes its payloads."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Annotated, Literal, Self, TypeAlias

import jmespath
import yaml
from pydantic import AfterValidator, BeforeValidator, Field, FiniteFloat, model_validator

from devices.errors import Undecodable
from devices.points import POINTS
from devices.register import Identifier, Model, Text
from devices.timestamps import check_zone
from devices.topics import check_topic
from devices.values import check_value, suggest

Scalar: TypeAlias = bool | int | FiniteFloat | str
"""A value as it may stand in a payload."""

_SCALE_MIN, _SCALE_MAX = 1e-12, 1e12


def _check_path(path: str) -> str:
    try:
        jmespath.compile(path).search({})
    except jmespath.exceptions.JMESPathTypeError:
        return path  # a function that needs more than an empty message
    except jmespath.exceptions.JMESPathError as error:
        raise ValueError(f"expected JMESPath: {' '.join(str(error).split())}") from None
    return path


def _check_point(name: str) -> str:
    if name not in POINTS:
        raise ValueError(f"{name!r} is no point; {suggest(name, POINTS) or 'see the list of points'}")
    return name


def _check_zone(name: str) -> str:
    return check_zone(name) if name else name


def _read_path(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


MessagePath: TypeAlias = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_check_path)]
"""JMESPath (https://jmespath.org/specification.html): where in a message something stands."""


class PointSource(Model):
    """Where a point stands in a message, and how its value becomes the point's."""

    path: MessagePath = Field(
        description="JMESPath; where it finds nothing, the point is left out. Functions want something: `a && sum(a)`.",
    )
    scale: FiniteFloat = Field(1.0, description="The number there times this is the point's, in the point's unit.")
    map: dict[Scalar, Scalar] = Field(
        default_factory=dict,
        description="The point's value for each value there; a value that is not listed is an error.",
    )
    sentinels: list[Scalar] = Field(
        default_factory=list,
        description="Values that mean 'nothing measured', such as 65535: the point is left out.",
    )


PointEntry: TypeAlias = Annotated[PointSource, BeforeValidator(_read_path, json_schema_input_type=str | PointSource)]
"""A point's source; a text alone is its path."""


class TimeSource(Model):
    """Where a message says when it was measured."""

    path: MessagePath = Field(description="JMESPath; where it finds nothing, the arrival is the time.")
    format: Literal["rfc3339", "epoch_s", "epoch_ms", "local"] = Field(
        description="rfc3339: with an offset; epoch_s, epoch_ms: since 1970, also as text; local: without an offset.",
    )
    zone: Annotated[str, AfterValidator(_check_zone)] = Field(
        "",
        description="local: IANA name of the time zone of the device's clock; left out: the site's.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.zone and self.format != "local":
            raise ValueError(f"zone: belongs to format local, not {self.format}")
        return self


class ProfileTest(Model):
    """A payload, and what must be read from it."""

    name: str = Field("", description="What it shows.")
    payload: str = Field(description="As the device sends it.")
    readings: list[dict[str, Scalar]] = Field(
        min_length=1,
        description="As Siteward's own payload would say it: points, and `time` where the payload has one.",
    )


class Profile(Model):
    """How a kind of device writes its payloads."""

    id: Identifier = Field(description="What the register calls it.")
    name: Text = Field(Text(), description="What people call it.")
    description: Text = Field(Text(), description="Which devices it reads, and how to set them up.")
    topics: list[Annotated[str, AfterValidator(check_topic)]] = Field(
        default_factory=list,
        description="Where its devices publish: MQTT filters in which {device} is the device's address and {site} "
        "the site's id. Left out: every device names its own topic.",
    )
    format: Literal["json", "canonical"] = Field(
        "json",
        description="json: read by `points`; canonical: Siteward's own payload.",
    )
    each: MessagePath | None = Field(
        None,
        description="JMESPath to a list in the message: each of its items is a reading, and paths start there.",
    )
    time: TimeSource | None = Field(None, description="Left out: the arrival is the time.")
    points: dict[Annotated[str, AfterValidator(_check_point)], PointEntry] = Field(
        default_factory=dict,
        description="Where each point stands.",
    )
    tests: list[ProfileTest] = Field(default_factory=list, description="Payloads that must be read as said.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.format == "canonical":
            for name in ("each", "time", "points"):
                if getattr(self, name):
                    raise ValueError(f"{name}: belongs to format json; the canonical payload says all by itself")
        elif not self.points:
            raise ValueError("points: needed for format json")
        for name, source in self.points.items():
            for problem in _find_problems(name, source):
                raise ValueError(f"points.{name}.{problem}")
        return self


def _find_problems(name: str, source: PointSource) -> Iterator[str]:
    if source.scale != 1 and (POINTS[name].type is not float or source.map):
        yield "scale: only for numbers that are not mapped"
    if not _SCALE_MIN <= abs(source.scale) <= _SCALE_MAX:
        yield f"scale: expected a size between {_SCALE_MIN} and {_SCALE_MAX}"
    for value in source.map.values():
        try:
            check_value(name, value)
        except Undecodable as error:
            yield f"map: {error}"


def load_builtin() -> dict[str, Profile]:
    """The profiles that come with Siteward, by their id."""
    folder = files("devices") / "profiles"
    profiles = (
        Profile.model_validate(yaml.load(file.read_bytes(), yaml.CSafeLoader))
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".yaml")
    )
    return {profile.id: profile for profile in profiles}
