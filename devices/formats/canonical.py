"""Siteward's own payload: a JSON object of points with an optional `time`, or a list of such objects."""

from typing import Any

from devices.errors import Undecodable
from devices.message import Record, parse_json
from devices.points import POINTS
from devices.timestamps import MILLISECOND, Moment, parse_epoch, parse_rfc3339
from devices.values import check_value, describe

_NUMBERS = frozenset(point.name for point in POINTS.values() if point.type is float)

_SECONDS = range(10**9, 10**11)
"""As milliseconds these are the years 1970 to 1973, as seconds 2001 to 5138."""


def read_canonical(payload: bytes, _received: int) -> list[Record]:
    """Reads a payload of Siteward's own form; one wrong value refuses the whole message.

    Raises:
        Undecodable: the payload is anything else.
    """
    message = parse_json(payload)
    if type(message) is not list:
        return [read_object(message)]
    if not message:
        raise Undecodable("the batch is empty")
    return [read_object(item) for item in message]


def read_object(item: Any) -> Record:  # noqa: ANN401 - JSON is anything
    """Reads one object of points; the object itself becomes the record's values.

    Raises:
        Undecodable: it is no object, has no point, or one of its values is wrong.
    """
    if type(item) is not dict:
        raise Undecodable(f"expected an object of points, got {describe(item)}")
    moment = _read_time(item.pop("time")) if "time" in item else None
    for name, value in item.items():
        # Most values are floats of known points, and JSON has only finite ones: these need nothing more.
        if type(value) is not float or name not in _NUMBERS:
            item[name] = check_value(name, value)
    if not item:
        raise Undecodable("no point in the message")
    return moment, item, ""


def _read_time(value: object) -> Moment:
    try:
        if type(value) is str:
            return parse_rfc3339(value)
        if type(value) is int or type(value) is float:
            if int(value) in _SECONDS:
                raise Undecodable("time: seconds, not milliseconds", hint="multiply by 1000, or send RFC 3339")
            return parse_epoch(value, MILLISECOND)
    except ValueError as error:
        raise Undecodable(f"time: {error}") from None
    raise Undecodable(f"time: expected RFC 3339 or milliseconds since 1970, got {describe(value)}")
