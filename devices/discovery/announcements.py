"""The announcement: what a device, or whoever speaks for it, says of itself, whatever the ecosystem."""

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias

from msgspec import Struct, field

from devices.errors import Undecodable
from devices.message import parse_json
from devices.reading import Value

Heard: TypeAlias = tuple[str, bytes]
"""A message: its topic and its payload."""

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
    words: tuple[tuple[str | bool, Value], ...] = ()


class Announcement(Struct):
    """A device as it is announced.

    Attributes:
        source: the ecosystem, for people.
        name: what people call the device.
        samples: messages such as it will send.
        profile: the built-in profile for its payloads, where the ecosystem's are all alike; else "".
        entities: its points one by one, where they are announced so.
        aliases: texts by which its topics may call it.
    """

    source: str
    name: str = ""
    samples: list[Heard] = field(default_factory=list)
    profile: str = ""
    entities: list[Entity] = field(default_factory=list)
    aliases: set[str] = field(default_factory=set)


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


def pick_objects(value: object) -> Iterable[dict[str, Any]]:
    """The objects of a list; nothing where the value is none."""
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()
