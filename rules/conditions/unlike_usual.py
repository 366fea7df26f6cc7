"""`unlike_usual`: a value, a rate of consumption or a machine's runs, unlike what the device itself has taught."""

from math import isfinite, log10
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from devices.counting.steps import LEFT_OUT, Step
from devices.durations import NANOSECONDS
from devices.points import POINTS
from devices.reading import Reading, Value
from devices.register import Device, Text
from rules.alerts import Evidence
from rules.bounds import PointName, check_point
from rules.conditions.logic import any_device
from rules.conditions.meters import explain_missing
from rules.conditions.node import Condition, Node, Scope
from rules.learning.profile import LEARNING_DAYS, Profile
from rules.learning.runs import Runs
from rules.learning.season import SeasonName
from rules.learning.values import Direction, Values

SENSITIVITIES = {"low": 1000.0, "medium": 100.0, "high": 10.0}
"""In how many days a usual device comes so far once."""

_HOUR = NANOSECONDS["h"]
_SCORE_SHOWN_MAX = 4
_DAYS_MIN, _DAYS_MAX = 2, 1_000_000
_RATES = {"kWh": "kW", "m³": "m³/h"}
_WORDS = {
    "up": Text(en="is higher than", zh="高于"),
    "down": Text(en="is lower than", zh="低于"),
    "both": Text(en="is unlike", zh="异于"),
}
_SEASONS = {
    "none": Text(),
    "day": Text(en="at this hour", zh="同一时刻"),
    "week": Text(en="at this hour of such a day", zh="同类日同一时刻"),
}


def read_sensitivity(value: object) -> object:
    """How rare it must be, in days.

    Raises:
        ValueError: neither a word nor a number of days.
    """
    if isinstance(value, str) and value in SENSITIVITIES:
        return SENSITIVITIES[value]
    if isinstance(value, bool) or not isinstance(value, int | float) or not _DAYS_MIN <= value <= _DAYS_MAX:
        raise ValueError(
            f"expected low, medium, high, or a number of days from {_DAYS_MIN} to {_DAYS_MAX}"
            f" in which it may happen once, got {value!r}"
        )
    return float(value)


Rarity: TypeAlias = Annotated[
    float,
    BeforeValidator(read_sensitivity),
    Field(json_schema_extra={"anyOf": [{"enum": list(SENSITIVITIES)}, {"type": "number", "minimum": 2}]}),
]
"""How rare something must be, in days."""


def check_number(name: str) -> str:
    """A point's name, of which the values are numbers.

    Raises:
        ValueError: they are not.
    """
    check_point(name)
    if POINTS[name].type is not float:
        raise ValueError(f"{name} is no quantity; expected a point with a number")
    return name


def find_unit(point: str) -> str:
    """Of what is judged: a register's is that of its rate."""
    unit = POINTS[point].unit
    return _RATES.get(unit, unit) if POINTS[point].kind == "register" else unit


class UnlikeUsual(Condition):
    """What a device says is unlike what it has said before, at such an hour of such a day.

    Registers are judged by their rate, from row to row. It says nothing before it has learned for seven days of two
    readings an hour or more often; what it flags it does not learn, unless that lasts for a week. Of a machine that
    switches on and off, such as a heater, a pump or a compressor, `of: runs` watches what its runs use instead.
    """

    summary: ClassVar[str] = "unlike the device's own learned profile"

    point: Annotated[PointName, BeforeValidator(check_number)] = Field(
        description="What is judged; a register: its rate."
    )
    sensitivity: Rarity = Field(
        SENSITIVITIES["medium"], description="low, medium, high, or in how many days so much may happen once."
    )
    season: SeasonName = Field(
        "week", description="After what its usual values repeat; week: workdays, Saturdays, Sundays."
    )
    direction: Direction = Field("both", description="Which deviations count.")
    of: Literal["value", "runs"] = Field(
        "value", description="What is judged: the value, or what the runs of a machine use."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.of == "runs" and self.model_fields_set & {"direction", "season"}:
            raise ValueError("of: runs: runs are judged by how much more they use; leave out direction and season")
        return self

    def fits(self, device: Device) -> str:
        """A register that its kind does not have."""
        return explain_missing(device, self.point) if POINTS[self.point].kind == "register" else ""

    def build(self, scope: Scope) -> Node:
        """A node with a profile of its own."""

        def make(device: Device) -> Node:
            node = _Unlike(self, device.id, scope.site.zone)
            if POINTS[self.point].kind == "register":
                scope.listen_steps(device.id, self.point, node.take_step)
            else:
                scope.listen(device.id, self.point, node.take)
            return node

        return any_device(scope, make)

    def describe(self) -> Text:
        """See the base."""
        days = f"{self.sensitivity:g}"
        if self.of == "runs":
            return Text(
                en=f"{self.point} shows that the device runs longer, or more often, than usual, as once in {days} days",
                zh=f"{self.point} 显示设备运行比平时更久或更频繁（{days} 天一遇）",
            )
        word, season = _WORDS[self.direction], _SEASONS[self.season]
        at = f" {season.en}" if season.en else ""
        return Text(
            en=f"{self.point} {word.en} usual{at}, as once in {days} days",
            zh=f"{self.point} {word.zh}{season.zh}的平时水平（{days} 天一遇）",
        )


class _Unlike(Node):
    """A value against a profile."""

    __slots__ = ("_device", "_limit", "_measure", "_point", "_profile", "_unit", "_value")

    def __init__(self, condition: UnlikeUsual, device: str, zone: ZoneInfo) -> None:
        super().__init__()
        self._device, self._point, self._unit = device, condition.point, find_unit(condition.point)
        self._limit = log10(condition.sensitivity)
        self._measure = Runs() if condition.of == "runs" else Values(condition.season, condition.direction)
        self._profile = Profile(self._measure, self._limit, zone)
        self._value: float | None = None

    def take(self, value: Value, reading: Reading) -> bool:
        """See `Take`."""
        return self._judge(value, reading.time)  # type: ignore[arg-type] # a point's type is fixed

    def take_step(self, step: Step) -> bool:
        """See `TakeStep`."""
        if step.is_gap or step.kind in LEFT_OUT or step.end <= step.begin:
            return False
        return self._judge(step.amount * _HOUR / (step.end - step.begin), step.end)

    def _judge(self, value: float, time: int) -> bool:
        if not isfinite(value):
            return False
        self._value = value
        profile = self._profile
        score = profile.take(time, value)
        truth = score >= self._limit if profile.is_ready else None
        if truth is self.truth:
            return False
        self.truth = truth
        return True

    def evidence(self) -> Evidence:
        """The value, what was usual, how rare it is; or how far it has learned."""
        profile, measure = self._profile, self._measure
        if not profile.is_ready:
            learning: dict[str, Value] = {"learning": f"{int(profile.days)} of {LEARNING_DAYS} days"}
            return Evidence(self._device, self._point, self._value, None, self._unit, learning)
        limit, limit_of_mean = profile.find_limits()
        details: dict[str, Value] = {"once_in_days": float(round(10 ** min(profile.score, _SCORE_SHOWN_MAX)))}
        if isinstance(measure, Runs):
            details |= {"on_min": measure.length, "mean_of_1h": measure.mean, "limit_of_mean": limit}
            return Evidence(self._device, self._point, self._value, None, self._unit, details)
        details["usual"] = level = measure.season.level
        if abs(measure.mean) > limit_of_mean:
            details["mean_deviation_of_4h"] = measure.mean
        below = self._value is not None and self._value < level
        return Evidence(
            self._device, self._point, self._value, level - limit if below else level + limit, self._unit, details
        )

    def snapshot(self) -> list[Any]:
        """See the base."""
        return [self.truth, self._value, self._profile.snapshot()]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        self.truth, self._value, profile = state
        self._profile.restore(profile)
