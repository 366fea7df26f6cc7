"""Proposals: devices that announce themselves, as the register could list them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import isclose
from typing import NamedTuple, TypeAlias

from devices.discovery import homeassistant, homie, shelly, tasmota, zigbee2mqtt
from devices.discovery.announcements import Announcement, Entity, Heard, group_entities, write_sample
from devices.discovery.identification import Place, Surroundings, find_places, read_messages
from devices.discovery.sketch import Sketch, draw_sketch
from devices.discovery.suggestions import suggest_id, suggest_kind
from devices.reading import Value
from devices.register import Kind

FILTERS = (*zigbee2mqtt.FILTERS, *tasmota.FILTERS, *shelly.FILTERS, *homie.FILTERS, *homeassistant.FILTERS)
"""The topic filters of all announcements."""

_READERS: tuple[Callable[[Iterable[Heard]], list[Announcement]], ...] = (
    zigbee2mqtt.read_announcements,
    tasmota.read_announcements,
    shelly.read_announcements,
    homie.read_announcements,
    homeassistant.read_announcements,
)
"""The ecosystems' own words before Home Assistant's, of which many speak beside their own."""


_Found: TypeAlias = dict[Heard, dict[Place, dict[str, Value]]]
"""What is read in each sample of each device."""


class Proposal(NamedTuple):
    """A device as the register could list it.

    Attributes:
        source: the ecosystem, for people.
        place: how it is heard; its profile is "" where none reads it.
        name: what people call it, or "".
        kind: what its points speak for.
        points: what is, or would be, read of it.
        topics: where it publishes, as far as is known.
        sketch: a profile that would read it, where there is none yet.
    """

    source: str
    place: Place
    name: str
    kind: Kind
    points: tuple[str, ...]
    topics: frozenset[str]
    sketch: Sketch | None = None


def propose(messages: Iterable[Heard], around: Surroundings) -> list[Proposal]:
    """The devices of announcements that give points, each once.

    Args:
        messages: what came under FILTERS; whatever it is, nothing is raised.
        around: what the site's messages are read with.
    """
    heard = list(messages)
    announcements = [announcement for read in _READERS for announcement in read(heard)]
    for announcement in announcements:
        announcement.samples += _make_samples(announcement.entities.values())
    found = _read_samples(announcements, around)
    proposals: dict[Place, Proposal] = {}
    unread: list[Announcement] = []
    for announcement in announcements:
        mine = _prefer(announcement, found)
        topics = frozenset(topic for topic, _ in announcement.samples)
        for place, points in mine.items():
            fresh = Proposal(announcement.source, place, announcement.name, suggest_kind(points), points, topics)
            proposals[place] = _join(proposals.get(place, fresh), fresh)
        if not mine and announcement.entities:
            unread.append(announcement)
    return [*proposals.values(), *_draw(unread, around)]


def _join(first: Proposal, second: Proposal) -> Proposal:
    """One device, of whom two have told."""
    points = tuple(dict.fromkeys(first.points + second.points))
    kind, topics = suggest_kind(points), first.topics | second.topics
    return first._replace(name=first.name or second.name, kind=kind, points=points, topics=topics)


def _read_samples(announcements: Iterable[Announcement], around: Surroundings) -> _Found:
    """What the profiles read of every sample, of whatever device."""
    owners = {sample: each for each in announcements for sample in each.samples}
    places = find_places(owners, around)
    for sample, announcement in owners.items():
        if announcement.profile and not places[sample]:  # published elsewhere than its profile expects
            places[sample] = {Place(announcement.profile, "", sample[0])}
    found: _Found = {sample: {} for sample in owners}
    for sample, place, values in read_messages(owners, sorted(set().union(*places.values())), around):
        found[sample].setdefault(place, {}).update(values)
    return found


def _prefer(announcement: Announcement, found: _Found) -> dict[Place, tuple[str, ...]]:
    """The devices of an announcement and their points, by the profile that reads most of it and nothing wrongly."""
    mine: dict[Place, dict[str, None]] = {}
    wrong: set[str] = set()
    for sample in announcement.samples:
        for place, values in found[sample].items():
            mine.setdefault(place, {}).update(dict.fromkeys(values))
            if _contradicts(announcement, sample[0], values):
                wrong.add(place.profile)
    read: Counter[str] = Counter()
    for place, points in mine.items():
        read[place.profile] += len(points)
    best = next((profile for profile, _ in read.most_common() if profile not in wrong), "")
    return {place: tuple(points) for place, points in mine.items() if place.profile == best}


def _contradicts(announcement: Announcement, topic: str, values: Mapping[str, Value]) -> bool:
    """Whether a point of a sample is read otherwise than it was announced, such as litres as cubic meters."""
    for name, value in values.items():
        entity = announcement.entities.get((topic, name))
        meaning = entity.meaning if entity else None
        if isinstance(value, float) and isinstance(meaning, float):
            if not isclose(value, meaning, rel_tol=1e-6, abs_tol=1e-9):
                return True
        elif meaning is not None and value != meaning:
            return True
    return False


def _draw(announcements: Iterable[Announcement], around: Surroundings) -> Iterator[Proposal]:
    """Sketches for those whom no profile reads."""
    taken = set(around.profiles)
    for announcement in announcements:
        points = tuple(dict.fromkeys(entity.point for entity in announcement.entities.values()))
        called = announcement.name or next(iter(announcement.aliases), "")
        name = suggest_id(called.lower(), suggest_kind(points), taken)
        sketch = draw_sketch(announcement, name)
        if sketch is not None:
            taken.add(name)
            place = Place("", sketch.address, sketch.topic)
            topics = frozenset(topic for topic, _ in announcement.entities)
            yield Proposal(announcement.source, place, announcement.name, suggest_kind(points), points, topics, sketch)


def _make_samples(entities: Iterable[Entity]) -> list[Heard]:
    """A message for each topic, with a value for each entity."""
    samples = []
    for topic, group in group_entities(entities).items():
        body: object = None
        for entity in group:
            body = _put(body, entity.steps, entity.sample)
        samples.append((topic, body.encode() if isinstance(body, str) else write_sample(body)))
    return samples


def _put(body: object, steps: tuple[str | int, ...], value: object) -> object:
    """The body with a value where the steps lead."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        items = body if isinstance(body, list) else []
        items += [None] * (step + 1 - len(items))
        items[step] = _put(items[step], rest, value)
        return items
    content = body if isinstance(body, dict) else {}
    content[step] = _put(content.get(step), rest, value)
    return content
