"""What the register knows of a meter's counters, in the units of the points that come from them."""

from devices.counting.steps import CounterFacts, Replacement
from devices.points import POINTS
from devices.quantities import parse_quantity
from devices.register import METERED, Device, Register

_PHASES = 3


def find_facts(register: Register, device: Device, point: str) -> CounterFacts:
    """What is known of a counter; replacements and the register's width with the ratio that the device applies.

    Args:
        register: that the device stands in.
        device: a meter.
        point: one of its registers, such as `volume_m3`.
    """
    unit, factor = POINTS[point].unit, device.factor(point)
    replacements = sorted(
        Replacement(entry.at, parse_quantity(entry.final, unit) * factor, parse_quantity(entry.first, unit) * factor)
        for entry in register.replacements
        if entry.device == device.id and (entry.point or METERED[device.kind]) == point
    )
    return CounterFacts(device.rollover(point), _find_limit(device), device.interval, tuple(replacements))


def _find_limit(device: Device) -> float | None:
    """The most that can flow through: m³/h, or kW on all phases at their nominal voltage."""
    if device.nominal_voltage and device.current_limit:
        return _PHASES * device.nominal_voltage * device.current_limit / 1000
    return device.flow_limit
