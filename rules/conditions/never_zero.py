"""`never_zero`: water that never rests, as it does where a tap or a cistern runs on."""

from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, model_validator

from devices.counting.steps import LEFT_OUT, Step
from devices.durations import NANOSECONDS, write_duration
from devices.register import Device, Duration, Text
from rules.alerts import Evidence
from rules.bounds import BoundField, miss_rating
from rules.conditions.logic import any_device
from rules.conditions.meters import Integrator, WaterPoint, check_rate, explain_missing, listen_flow
from rules.conditions.node import Condition, Node, Scope
from rules.tally import BREAKS

if TYPE_CHECKING:
    from devices.reading import Value

_HOUR = NANOSECONDS["h"]


class NeverZero(Condition):
    """No rest in the flow for a long time.

    A rest is a time of at least `rest` in which the register stands still, or in which less than `least` flows. So the
    pulses of a meter must be closer than that to be taken for a flow: a meter with pulses of 10 L sees one of 20 L/h
    with a rest of 45 m, but not one of 5 L/h. It stays true until there is a rest. Where readings are missing the time
    begins again, unless the register stood still over them.
    """

    summary: ClassVar[str] = "flow without a rest for a long time"

    point: WaterPoint = Field(
        "volume_m3", description="The register, or the gauge of a meter that tells only the flow."
    )
    for_: Duration = Field(alias="for", description="So long without a rest.")
    rest: Duration = Field(
        45 * NANOSECONDS["m"], description="What counts as a rest; 45m sees an idle hour of hourly rows."
    )
    least: BoundField | None = Field(None, description="A flow up to which the meter may creep and be at rest.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.rest >= self.for_:
            raise ValueError(
                f"expected a rest shorter than {write_duration(self.for_)}, got {write_duration(self.rest)}"
            )
        if self.least is not None:
            check_rate(self.least, "m³/h")
        return self

    def fits(self, device: Device) -> str:
        """That it has no such register, or the rating is missing."""
        return miss_rating((self.least,), device) or explain_missing(device, self.point)

    def build(self, scope: Scope) -> Node:
        """A node for each device."""

        def make(device: Device) -> Node:
            node = _NeverZero(self, device)
            node.integrator = listen_flow(scope, device, self.point, node.take_step)
            return node

        return any_device(scope, make)

    def describe(self) -> Text:
        """See the base."""
        length, rest = write_duration(self.for_), write_duration(self.rest)
        least = self.least.describe() if self.least else None
        return Text(
            en=f"water has flowed for {length} without a rest of {rest}" + (f" below {least.en}" if least else ""),
            zh=f"连续流水 {length}，其间没有 {rest} 的停歇" + (f"（低于 {least.zh} 视为停歇）" if least else ""),
        )


class _NeverZero(Node):
    """Since when it flows, and since when it rests."""

    __slots__ = (
        "_amount", "_begin", "_device", "_least", "_length", "_newest", "_point", "_rest", "_rests_since", "integrator",
    )  # fmt: skip

    def __init__(self, plan: NeverZero, device: Device) -> None:
        super().__init__()
        self._device, self._point = device.id, plan.point
        self._length, self._rest = plan.for_, plan.rest
        self._least = plan.least.resolve("m³/h", device) if plan.least else 0.0
        self.integrator: Integrator | None = None
        self._begin: int | None = None  # of the flow
        self._newest = 0
        self._rests_since: int | None = None
        self._amount = 0.0  # since the flow began

    def take_step(self, step: Step) -> bool:
        """See `TakeStep`."""
        kind, begin, end, _, amount, is_gap = step
        if end <= begin or kind in LEFT_OUT:
            return False
        self._newest = end
        if kind in BREAKS or (is_gap and amount > 0.0):
            self._flow_from(end)
            return False
        if self._begin is None:
            self._begin = begin
        self._amount += amount
        if amount * _HOUR > self._least * (end - begin):
            self._rests_since = None
        else:
            self._rests_since = begin if self._rests_since is None else self._rests_since
            if end - self._rests_since >= self._rest:
                return self._find_rest(end)
        if self.truth is not True and end - self._begin >= self._length:
            self.truth = True
            return True
        return False

    def _flow_from(self, time: int) -> None:
        self._begin, self._rests_since, self._amount = time, None, 0.0

    def _find_rest(self, time: int) -> bool:
        """It rests: the flow, if any, is over."""
        changed = self.truth is not False
        self._begin, self._amount = time, 0.0
        self.truth = False
        return changed

    def evidence(self) -> Evidence:
        """The mean flow since it began, and how long that is."""
        hours = 0.0 if self._begin is None else (self._newest - self._begin) / _HOUR
        flow = self._amount / hours if hours else None
        details: dict[str, Value] = {"volume_m3": round(self._amount, 6), "hours": round(hours, 2)}
        return Evidence(self._device, self._point, flow, self._least, "m³/h", details)

    def snapshot(self) -> list[Any]:
        """See the base."""
        integrator = self.integrator.snapshot() if self.integrator else None
        return [self.truth, self._begin, self._newest, self._rests_since, self._amount, integrator]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        self.truth, self._begin, self._newest, self._rests_since, self._amount, integrator = state
        if self.integrator:
            self.integrator.restore(integrator)
