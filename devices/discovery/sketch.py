"""A sketch of a profile, for a device whose points are announced one by one and whom no profile reads."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from devices.discovery.announcements import Announcement, Entity, Word, group_entities
from devices.language.profile import Profile
from devices.topics import DEVICE

_FLAGS = {"true": True, "on": True, "false": False, "off": False}


class Sketch(NamedTuple):
    """A profile that somebody has yet to look at.

    Attributes:
        id: of the profile.
        text: YAML.
        address: of the device in this profile; "" where every device names its own topic.
        topic: that topic, else "".
    """

    id: str
    text: str
    address: str
    topic: str


def draw_sketch(announcement: Announcement, name: str) -> Sketch | None:
    """A profile of what is announced; None where it would be none.

    Args:
        announcement: with its entities.
        name: id for the profile.
    """
    by_topic = group_entities(announcement.entities.values())
    level = _find_level([topic.split("/") for topic in by_topic], announcement.aliases)
    if level is None:  # one topic for all, else the one that says most
        topic = max(by_topic, key=lambda topic: len(by_topic[topic]))
        content, address = _draw_form(by_topic[topic]), ""
    else:
        address, topic = next(iter(by_topic)).split("/")[level], ""
        forms = [{"topics": [_put_device(t, level)]} | _draw_form(entities) for t, entities in by_topic.items()]
        content = forms[0] if len(forms) == 1 else {"messages": forms}
    profile = {"id": name} | content
    try:
        Profile.model_validate(profile)
    except ValidationError:
        return None
    called = " ".join(announcement.name.split()) or address or topic
    head = (
        f"# Sketched from what {announcement.source} was told of {called}. Look at units and meanings, and save it as\n"
        f"# profiles/{name}.yaml in the folder of the configuration.\n"
    )
    text = yaml.dump(
        profile, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None
    )
    return Sketch(name, head + text, address, topic)


def _find_level(topics: Sequence[Sequence[str]], aliases: Iterable[str]) -> int | None:
    """The level of all topics that names the device; None where a topic of its own says it better."""
    shared: list[str] = []
    for levels in zip(*topics, strict=False):
        if len(set(levels)) > 1:
            break
        shared.append(levels[0].casefold())
    for alias in aliases:
        if alias and alias.casefold() in shared:
            return shared.index(alias.casefold())
    return len(shared) - 1 if shared and len(topics) > 1 else None


def _put_device(topic: str, level: int) -> str:
    levels = topic.split("/")
    levels[level] = DEVICE
    return "/".join(levels)


def _draw_form(entities: Sequence[Entity]) -> dict[str, Any]:
    """The form of the messages of one topic: JSON, or a value alone."""
    points = {entity.point: _draw_source(entity) for entity in entities}
    return {"points": points} if entities[0].steps else {"format": "value", "points": points}


def _draw_source(entity: Entity) -> dict[str, Any]:
    source: dict[str, Any] = {"path": _write_path(entity.steps)}
    if entity.unit:
        source["unit"] = entity.unit
    if entity.scale != 1:
        source["scale"] = entity.scale
    if entity.words:
        source["map"] = {key: value for word, value in entity.words for key in _spell(word)}
    return source


def _write_path(steps: Sequence[str | int]) -> str:
    """The steps as a path."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            name = step if step.isidentifier() and step.isascii() else '"' + step.replace('"', '\\"') + '"'
            path += f".{name}" if path else name
    return path or "@"


def _spell(word: Word) -> list[Word]:
    """A word as it may be read: Home Assistant's templates make True of JSON's true, and an on alone is true."""
    if isinstance(word, str) and word.lower() in _FLAGS:
        return [word, _FLAGS[word.lower()]]
    return [word]
