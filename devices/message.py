"""A message on its way to readings: what every kind of payload is read into."""

from collections.abc import Callable
from typing import Any, TypeAlias

import orjson

from devices.errors import Undecodable
from devices.reading import Value
from devices.timestamps import Moment

Record: TypeAlias = tuple[Moment | None, dict[str, Value]]
"""What a payload says of one moment: the payload's own time, where it has one, and point name to value."""

Reader: TypeAlias = Callable[[bytes, int], list[Record]]
"""Turns a payload that arrived at a time (nanoseconds since 1970) into one record or more, or raises Undecodable."""


def parse_json(payload: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    """The payload as JSON.

    Raises:
        Undecodable: it is none, is not UTF-8, or nests too deeply.
    """
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise Undecodable("payload is not JSON", hint=str(error)) from None
