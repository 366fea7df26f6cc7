"""The incidents of the simulated campus: what goes wrong, where and when."""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    days_ago: int
    hour: float
    minutes: int


class _Soon(NamedTuple):
    """An incident of the live part: so many seconds after it begins, for so many minutes."""

    kind: IncidentKind
    after_s: int
    minutes: float


_PAST = (
    _Past("meter_reset", 7, 10.7, 0),
    _Past("forced_door", 5, 3.2, 6),
    _Past("over_voltage", 4, 19.1, 25),
    _Past("night_leak", 3, 2.0, 55 * 60),
    _Past("silent_gateway", 2, 14.0, 60),
)
_SOON = (
    _Soon("over_voltage", 60, 2),
    _Soon("forced_door", 90, 2),
    _Soon("night_leak", 120, 30),
    _Soon("meter_reset", 150, 0),
    _Soon("silent_gateway", 180, 2),
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
    script: list[Incident] = []
    for kind, days_ago, hour, minutes in _PAST:
        begin = rhythm.locate(today - timedelta(days=days_ago), hour)
        if begin >= start:
            script += _cast(devices, kind, begin, minutes * _MINUTE, live=False)
    for kind, after_s, soon_minutes in _SOON:
        script += _cast(devices, kind, now + after_s * _SECOND, round(soon_minutes * _MINUTE), live=True)
    return script


def _cast(
    devices: Sequence[Device], kind: IncidentKind, begin: int, duration: int, *, live: bool
) -> Iterable[Incident]:
    """The incident, at the last device that fits in the back-fill and at the first one while live."""
    fitting = [device for device in devices if _SUBJECTS[kind](device)]
    if not fitting:
        return
    subject = fitting[0 if live else -1]
    shown = [subject.id]
    if kind == "silent_gateway":
        shown += [device.id for device in devices if device.tags.get("gateway") == subject.id]
    name = kind.replace("_", "-")
    yield Incident(
        id=f"{name}-live" if live else name,
        kind=kind,
        subject=subject.id,
        devices=tuple(shown),
        begin=begin,
        duration=duration,
        text=_TEXTS[kind],
    )
