"""The incidents of the simulated campus: what goes wrong, where and when."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, NamedTuple, TypeAlias

from collector.simulation.rhythm import Rhythm
from devices.durations import NANOSECONDS
from devices.register import Device, Text

IncidentKind: TypeAlias = Literal["night_leak", "forced_door", "meter_reset", "over_voltage", "silent_gateway"]

LEAK_M3_PER_H = 0.09
OVER_VOLTAGE_V = 258.0

_MINUTE = NANOSECONDS["m"]
_SECOND = NANOSECONDS["s"]


@dataclass(frozen=True)
class Incident:
    """One thing that goes wrong.

    Attributes:
        id: unique in the script.
        kind: what happens.
        subject: the device that it happens to.
        devices: every device whose readings show it, the subject among them.
        begin: UTC nanoseconds.
        duration: nanoseconds; 0 for what happens at once.
        text: one line for people.
    """

    id: str
    kind: IncidentKind
    subject: str
    devices: tuple[str, ...]
    begin: int
    duration: int
    text: Text

    @property
    def end(self) -> int:
        """The first nanosecond after it."""
        return self.begin + self.duration

    def covers(self, time: int) -> bool:
        """Whether it is going on at a moment (UTC nanoseconds)."""
        return self.begin <= time < self.end


class _Past(NamedTuple):
    """An incident of the back-fill: so many days before today, at a local hour, for so many minutes."""

    kind: IncidentKind
    which: float
    days_ago: int
    hour: float
    minutes: int


class _Soon(NamedTuple):
    """An incident of the live part: so many seconds after it begins, for so many minutes."""

    kind: IncidentKind
    which: float
    after_s: int
    minutes: int


# `which` of the devices that fit is chosen: 0 is the register's first, 1 its last.
_PAST = (
    _Past("meter_reset", 1, 7, 10.7, 0),
    _Past("forced_door", 1, 5, 3.2, 6),
    _Past("over_voltage", 1, 4, 19.1, 25),
    _Past("night_leak", 1, 3, 2.0, 55 * 60),
    _Past("silent_gateway", 1, 2, 14.0, 60),
)
_SOON = (
    _Soon("over_voltage", 0, 60, 2),
    _Soon("forced_door", 0.5, 90, 2),
    _Soon("night_leak", 0, 120, 30),
    _Soon("meter_reset", 0, 150, 0),
    _Soon("silent_gateway", 0.5, 220, 2),
)
_TEXTS: Mapping[IncidentKind, Text] = {
    "night_leak": Text(en="A pipe leaks 90 L/h, day and night", zh="管道漏水，昼夜每小时 90 升"),
    "forced_door": Text(en="A door is forced and held open", zh="门被强行打开且一直未关"),
    "meter_reset": Text(en="A meter's register falls to 0", zh="电表读数归零"),
    "over_voltage": Text(en="258 V on phase L1", zh="L1 相电压升至 258 V"),
    "silent_gateway": Text(en="A gateway falls silent, then catches up", zh="网关失联，恢复后补传数据"),
}


def is_main(device: Device) -> bool:
    """Whether a meter measures all that its building draws."""
    return device.tags.get("circuit") == "main"


def shows_phases(device: Device) -> bool:
    """Whether a meter tells voltage and current of each phase: main meters and those without a circuit do."""
    return device.tags.get("circuit", "main") == "main"


_SUBJECTS: Mapping[IncidentKind, Callable[[Device], bool]] = {
    "night_leak": lambda device: device.kind == "water_meter" and not is_main(device),
    "forced_door": lambda device: device.kind == "door",
    "meter_reset": lambda device: device.kind == "electricity_meter" and not is_main(device),
    "over_voltage": lambda device: device.kind == "electricity_meter" and shows_phases(device),
    "silent_gateway": lambda device: device.kind == "gateway",
}


def write_script(devices: Sequence[Device], rhythm: Rhythm, start: int, now: int) -> list[Incident]:
    """Chooses when and where incidents happen; those that fit no device or lie before the start are left out.

    Args:
        devices: all that are simulated.
        rhythm: the site's clock.
        start: where the simulation begins, UTC nanoseconds.
        now: where its live part begins, UTC nanoseconds.

    Returns:
        The incidents, oldest first.
    """
    today = rhythm.moment(now).day
    planned = [
        (kind, which, rhythm.locate(today - timedelta(days=days_ago), hour), minutes, "")
        for kind, which, days_ago, hour, minutes in _PAST
    ]
    planned += [(kind, which, now + after_s * _SECOND, minutes, "-live") for kind, which, after_s, minutes in _SOON]
    script = []
    for kind, which, begin, minutes, suffix in planned:
        fitting = [device for device in devices if _SUBJECTS[kind](device)]
        if begin < start or not fitting:
            continue
        subject = fitting[round(which * (len(fitting) - 1))].id
        behind = [each.id for each in devices if kind == "silent_gateway" and each.gateway == subject]
        script.append(
            Incident(
                id=kind.replace("_", "-") + suffix,
                kind=kind,
                subject=subject,
                devices=(subject, *behind),
                begin=begin,
                duration=minutes * _MINUTE,
                text=_TEXTS[kind],
            ),
        )
    return script
