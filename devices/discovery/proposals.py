"""Proposals: devices that announce themselves, as the register could list them."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from devices.discovery import homeassistant, homie, shelly, tasmota, zigbee2mqtt
from devices.discovery.announcements import Announcement, Entity, Heard, group_entities, write_sample
from devices.discovery.identification import Place, Surroundings, find_places, read_values
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
    samples = [sample for announcement in announcements for sample in announcement.samples]
    places = find_places(samples, around)
    for announcement in announcements:
        for sample in announcement.samples:
            if announcement.profile and not places[sample]:  # published elsewhere than its profile expects
                places[sample] = {Place(announcement.profile, "", sample[0])}
    values = read_values(samples, set().union(*places.values()), around)
    proposals: dict[Place, Proposal] = {}
    unread: list[Announcement] = []
    for announcement in announcements:
        mine = {place for sample in announcement.samples for place in places[sample] if values[place]}
        topics = frozenset(topic for topic, _ in announcement.samples)
        for place in sorted(_prefer(mine, values)):
            points = tuple(values[place])
            fresh = Proposal(announcement.source, place, announcement.name, suggest_kind(points), points, topics)
            known = proposals.setdefault(place, fresh)
            proposals[place] = known._replace(name=known.name or fresh.name, topics=known.topics | topics)
        if not mine and announcement.entities:
            unread.append(announcement)
    return [*proposals.values(), *_draw(unread, around)]


def _prefer(places: Collection[Place], values: Mapping[Place, Mapping[str, Value]]) -> list[Place]:
    """Those of the profile that reads most, where several read the same messages."""
    read: Counter[str] = Counter()
    for place in sorted(places):
        read[place.profile] += len(values[place])
    return [place for place in places if place.profile == read.most_common(1)[0][0]]


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
            body = _put(body, entity.steps, entity.words[0][0] if entity.words else 1)
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
