"""Evidence: the readings around an alert that are kept with its ticket, and outlive the retention of the store. Pure.

They begin a day before the alert and end an hour after the last one was over.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Protocol, TypeAlias

from msgspec import Struct

from devices.durations import NANOSECONDS
from devices.points import POINTS
from devices.reading import Value
from devices.register import Device
from rules.site import Site
from tickets.queue import Member

BEFORE = 24 * NANOSECONDS["h"]
AFTER = NANOSECONDS["h"]

SAMPLES_MAX = 2_000
"""Of one series."""

SERIES_MAX = 8
"""Of one ticket."""

_MAIN_POINTS: Mapping[str, tuple[str, ...]] = {
    "electricity_meter": ("power_kw", "energy_import_kwh"),
    "water_meter": ("flow_m3_per_h", "volume_m3"),
    "door": ("event", "door"),
}
"""What shows a device where its alert names no point."""

_BESIDE: Mapping[str, tuple[str, ...]] = {"event": ("reason", "door")}
"""What belongs to a point. No credential: who went where is personal data."""

Samples: TypeAlias = Sequence[tuple[int, Value]]
"""Times (UTC ns) and values, oldest first."""


class History(Protocol):
    """What devices have said."""

    def series(self, device: str, points: Sequence[str], start: int, end: int) -> Mapping[str, Samples]:
        """Values by their points, for start <= time < end (UTC ns); a point without values is absent."""


class Series(Struct, frozen=True, array_like=True):
    """One point of one device.

    Attributes:
        device: id.
        point: its name.
        times: UTC ns, rising.
        values: as many.
    """

    device: str
    point: str
    times: list[int]
    values: list[Value]

    def samples(self) -> Iterator[tuple[int, Value]]:
        """Times with their values."""
        return zip(self.times, self.values, strict=True)


class Evidence(Struct, frozen=True):
    """What is kept with a ticket.

    Attributes:
        begins_at: from here on readings were looked for, UTC ns.
        ends_at: until before here.
        series: what was found.
    """

    begins_at: int
    ends_at: int
    series: list[Series]


def find_points(members: Iterable[Member], site: Site) -> dict[str, list[str]]:
    """The points of devices that show what alerts are about, by device; no more than are kept."""
    found: dict[str, list[str]] = {}
    count = 0
    for member in members:
        device = site.devices.get(member.evidence.get("device") or member.subject_id)
        if member.affected or device is None:
            continue
        points = found.setdefault(device.id, [])
        for point in _find_shown(member, device):
            if point not in points and count < SERIES_MAX:
                points.append(point)
                count += 1
    return {device: points for device, points in found.items() if points}


def _find_shown(member: Member, device: Device) -> list[str]:
    named = [member.evidence.get("point", ""), *member.evidence.get("details", ())]
    points = [point for point in named if point in POINTS and point != "credential"]
    return [each for point in points or _MAIN_POINTS.get(device.kind, ()) for each in (point, *_BESIDE.get(point, ()))]


def thin(samples: Samples, most: int = SAMPLES_MAX) -> Samples:
    """So many samples at most; of each stretch of time the lowest and the highest stay, of words the newest."""
    if len(samples) <= most:
        return samples
    if isinstance(samples[0][1], str):
        return samples[-most:]
    first, stretches = samples[0][0], most // 2
    length = (samples[-1][0] - first) // stretches + 1
    extremes: dict[int, list[tuple[int, Value]]] = {}
    value = itemgetter(1)
    for sample in samples:
        pair = extremes.setdefault((sample[0] - first) // length, [sample, sample])
        pair[0], pair[1] = min(pair[0], sample, key=value), max(pair[1], sample, key=value)
    return [sample for pair in extremes.values() for sample in sorted(set(pair))]


def merge(before: Evidence | None, begins_at: int, ends_at: int, found: Mapping[tuple[str, str], Samples]) -> Evidence:
    """What was kept, together with what was found now.

    Args:
        before: what was kept so far.
        begins_at: from here on readings have been looked for, now or before, UTC ns.
        ends_at: until before here.
        found: by device and point; what is new for a time takes the place of what was kept.
    """
    old = {(series.device, series.point): series for series in before.series} if before else {}
    merged: list[Series] = []
    for key in dict.fromkeys([*old, *found]):
        samples = dict(old[key].samples()) if key in old else {}
        samples.update(found.get(key, ()))
        thinned = thin(sorted(samples.items(), key=itemgetter(0)))
        merged.append(Series(*key, [time for time, _ in thinned], [value for _, value in thinned]))
    begins_at = min(begins_at, before.begins_at) if before else begins_at
    return Evidence(begins_at, ends_at, merged)
