"""What the conditions on meters share: registers they may name, and a flow gauge read as a register."""

from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field

from devices.counting.steps import Step
from devices.durations import NANOSECONDS
from devices.points import POINTS
from devices.reading import Reading, Value
from devices.register import METERED, Device, registers_of
from rules.bounds import Bound, check_bound, check_point
from rules.conditions.node import Scope, TakeStep

REGISTERS = tuple(point.name for point in POINTS.values() if point.kind == "register")

FLOW = "flow_m3_per_h"

RATES = {"kW": "energy_import_kwh", "m³/h": "volume_m3"}
"""Units of a rate, and the register whose consumption in an hour it is."""

_GAP_NS = NANOSECONDS["h"]
_GAP_INTERVALS = 1.5


def _check_register(name: str) -> str:
    check_point(name)
    if name not in REGISTERS:
        raise ValueError(f"{name} is no register that counts; expected one of {', '.join(REGISTERS)}")
    return name


def _check_flow(name: str) -> str:
    if name not in ("volume_m3", FLOW):
        raise ValueError(f"expected volume_m3, or {FLOW} for a meter that tells only that, got {name!r}")
    return name


RegisterName: TypeAlias = Annotated[
    str, Field(json_schema_extra={"enum": list(REGISTERS)}), BeforeValidator(_check_register)
]
"""Name of a point that counts."""

WaterPoint: TypeAlias = Annotated[
    str, Field(json_schema_extra={"enum": ["volume_m3", FLOW]}), BeforeValidator(_check_flow)
]
"""Where the flow of water is taken from."""


def check_rate(bound: Bound, unit: str) -> None:
    """Looks at a bound of a flow or power before any device is known.

    Raises:
        ValueError: another dimension, or below zero.
    """
    check_bound(bound, unit)
    if not bound.rating and bound.resolve(unit, None) < 0.0:
        raise ValueError(f"expected 0 or more, got {bound.text!r}")


def explain_missing(device: Device, point: str) -> str:
    """`no volume_m3` where a device is no meter that counts it; else ""."""
    return "" if point in (*registers_of(device.kind), FLOW) else f"no {point}"


def main_register(device: Device) -> str:
    """What a meter counts first of all; "" where the device is no meter."""
    return METERED.get(device.kind, "")


class Integrator:
    """A flow gauge as a register: each value holds until the next one."""

    __slots__ = ("_gap_ns", "_take", "_time", "_value")

    def __init__(self, device: Device, take: TakeStep) -> None:
        self._gap_ns = device.interval * _GAP_INTERVALS if device.interval else _GAP_NS
        self._take = take
        self._time: int | None = None
        self._value = 0.0

    def take(self, value: Value, reading: Reading) -> bool:
        """See `rules.conditions.node.Take`."""
        time, before = reading.time, self._time
        amount = 0.0 if before is None else max(self._value, 0.0) * (time - before) / NANOSECONDS["h"]
        self._time, self._value = time, value  # type: ignore[assignment] # a gauge's values are numbers
        if before is None or time <= before:
            return False
        return self._take(Step("count", before, time, amount, amount, time - before > self._gap_ns))

    def snapshot(self) -> list[Any]:
        """Its state, in plain values."""
        return [self._time, self._value]

    def restore(self, state: list[Any]) -> None:
        """Goes on from a snapshot."""
        self._time, self._value = state


def listen_flow(scope: Scope, device: Device, point: str, take: TakeStep) -> Integrator | None:
    """Has a node take the steps of a register, or those that a flow gauge stands for.

    Returns:
        What integrates the gauge and belongs to the node's state; None for a register.
    """
    if point != FLOW:
        scope.listen_steps(device.id, point, take)
        return None
    integrator = Integrator(device, take)
    scope.listen(device.id, point, integrator.take)
    return integrator
