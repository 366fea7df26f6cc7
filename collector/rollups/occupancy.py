"""Rollups of occupancy: how many people are in each area, counted from the doors' events; who they are is not kept."""

from collections.abc import Iterator, Sequence

from collector.accounts import QUARTER
from collector.store import Annotation, Store
from devices.reading import Reading, Value
from rules.occupancy import STAY, Occupancy
from rules.site import Site, area_of, front_of

PASSAGE_POINTS = ("event", "direction", "credential")
"""What tells who went which way."""

_TAGS = ("building", "floor", "area")


def roll_occupancy(store: Store, site: Site, start: int, end: int) -> Iterator[Annotation]:
    """Rows of `occupancy`: people at each quarter of an hour, in each area that has doors.

    Args:
        store: has the doors' events.
        site: knows doors and areas.
        start: first quarter, UTC ns.
        end: the quarter after the last.

    Raises:
        StoreError: the database does not answer.
    """
    doors = [device for device in site.devices.values() if device.kind == "door"]
    places = sorted({place for door in doors for place in (area_of(door), front_of(door)) if place.count("/") == 2})  # noqa: PLR2004 - building, floor, area
    areas = {place: Occupancy(place, site) for place in places}
    # Whoever came in before these has left by now: see `STAY`.
    events = read_events(store, [door.id for door in doors], PASSAGE_POINTS, start - STAY, end) if areas else []
    at = 0
    for quarter in range(start, end, QUARTER):
        while at < len(events) and events[at].time < quarter:
            event = events[at]
            for area in areas.values():
                if event.device in area.doors and "event" in event.values:
                    area.take(event.values["event"], event)
            at += 1
        for place, area in areas.items():
            tags = {"site": site.id, **dict(zip(_TAGS, place.split("/"), strict=True))}
            yield Annotation("occupancy", quarter, tags, {"people": float(area.people)})


def read_events(store: Store, doors: Sequence[str], points: Sequence[str], start: int, end: int) -> list[Reading]:
    """What doors told, in the order of time.

    Args:
        store: has it.
        doors: ids.
        points: that are wanted; readings without any of them are left out.
        start: first nanosecond, UTC.
        end: first nanosecond after.

    Raises:
        StoreError: the database does not answer.
    """
    found: dict[tuple[int, str], dict[str, Value]] = {}
    for point in points:
        for door, samples in store.series(doors, point, max(0, start), end).items():
            for sample in samples:
                found.setdefault((sample.time, door), {})[point] = sample.value
    return [Reading(door, time, time, values) for (time, door), values in sorted(found.items())]
