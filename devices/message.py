"""A message on its way to readings: what every kind of payload is read into."""

from typing import Any, TypeAlias

import orjson
from msgspec import Struct, field

from devices.reading import Value
from devices.repair import parse_loose
from devices.timestamps import Moment

Record: TypeAlias = tuple[Moment | None, dict[str, Value], str]
"""What a payload says of one moment: the payload's own time, where it has one; point name to value; and the address of
the device, "" where it is the topic's."""


class Part(Struct):
    """What a format makes of a payload: something about one device at one moment.

    Attributes:
        body: where the profile's paths start: an object, a list, a number or a text.
        root: where `$.` paths start; None: at the body.
        moment: its time, where the format itself says so.
        address: the device, where the format itself names it.
        values: points that the format itself gives, such as the strength of the signal.
        port: LoRaWAN's FPort.
    """

    body: Any
    root: Any = None
    moment: Moment | None = None
    address: str = ""
    values: dict[str, Value] = field(default_factory=dict)
    port: int | None = None


def parse_json(payload: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    """The payload as JSON, repaired where only one meaning is possible; see devices/repair.py.

    Raises:
        Undecodable: it is none, is not UTF-8, or nests too deeply.
    """
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return parse_loose(payload)
