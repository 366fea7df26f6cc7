"""The announcement: what a device, or whoever speaks for it, says of itself, whatever the ecosystem."""

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias

import orjson
from msgspec import Struct, field

from devices.errors import Undecodable
from devices.message import parse_json
from devices.points import POINTS
from devices.quantities import convert_factor
from devices.reading import Value

Heard: TypeAlias = tuple[str, bytes]
"""A message: its topic and its payload."""

Word: TypeAlias = str | bool
"""What stands for a state in a payload."""

_TEXT_LENGTH_MAX = 200


class Entity(NamedTuple):
    """One point that a device announces.

    Attributes:
        topic: where it will be published.
        steps: keys and numbers that lead to it in a JSON payload; empty: the payload is the value itself.
        point: what it is.
        unit: of the number there, "" where it has none.
        scale: what the number is multiplied by to be in that unit.
        words: the point's value for each word there; empty where it is a number.
    """

    topic: str
    steps: tuple[str | int, ...]
    point: str
    unit: str = ""
    scale: float = 1.0
    words: tuple[tuple[Word, Value], ...] = ()

    @property
    def sample(self) -> Word | int:
        """What may stand in a payload."""
        return self.words[0][0] if self.words else 1

    @property
    def meaning(self) -> Value | None:
        """The point's value for the sample; None where the unit is not said."""
        if self.words:
            return self.words[0][1]
        unit = POINTS[self.point].unit
        if unit and not self.unit:
            return None
        factor, offset = convert_factor(self.unit, unit)
        return self.scale * factor + offset


class Announcement(Struct):
    """A device as it is announced.

    Attributes:
        source: the ecosystem, for people.
        name: what people call the device.
        samples: messages such as it will send.
        profile: the built-in profile for its payloads, where the ecosystem's are all alike; else "".
        entities: its points by topic and name, where they are announced one by one.
        aliases: what its topics may call it, the likeliest first.
    """

    source: str
    name: str = ""
    samples: list[Heard] = field(default_factory=list)
    profile: str = ""
    entities: dict[tuple[str, str], Entity] = field(default_factory=dict)
    aliases: list[str] = field(default_factory=list)


def group_entities(entities: Iterable[Entity]) -> dict[str, list[Entity]]:
    """Entities by topic. A payload is JSON or a value alone: where a topic is said to be both, it is JSON."""
    groups: dict[str, list[Entity]] = {}
    for entity in entities:
        groups.setdefault(entity.topic, []).append(entity)
    return {topic: [entity for entity in group if entity.steps] or group for topic, group in groups.items()}


def read_object(payload: bytes) -> dict[str, Any]:
    """The JSON object of a payload; empty where it is none."""
    try:
        content = parse_json(payload)
    except Undecodable:
        return {}
    return content if isinstance(content, dict) else {}


def pick_text(value: object) -> str:
    """A short text, "" where the value is none."""
    return value if isinstance(value, str) and len(value) <= _TEXT_LENGTH_MAX else ""


def write_sample(content: object) -> bytes:
    """Content as JSON; b"" where it is nested too deeply to be written."""
    try:
        return orjson.dumps(content)
    except orjson.JSONEncodeError:
        return b""


def pick_objects(value: object) -> Iterable[dict[str, Any]]:
    """The objects of a list; nothing where the value is none."""
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()
