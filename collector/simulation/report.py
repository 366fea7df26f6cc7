"""What simulated devices send: reports, and Siteward's own payload made of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import orjson

from devices.durations import NANOSECONDS
from devices.reading import Value
from devices.register import Device


class Report(NamedTuple):
    """What one device says about one moment (UTC nanoseconds, whole milliseconds)."""

    time: int
    values: dict[str, Value]


def find_topic(device: Device, site: str) -> str:
    """Where a device of the profile `canonical` publishes."""
    return device.topic or f"siteward/{site}/{device.address or device.id}/readings"


def encode(reports: Sequence[Report]) -> bytes:
    """The payload: one object, or a batch where there are several."""
    objects = [{"time": _format(report.time), **report.values} for report in reports]
    return orjson.dumps(objects[0] if len(objects) == 1 else objects)


def _format(time: int) -> str:
    """RFC 3339, always with milliseconds: their digits say how fine the clock is."""
    seconds, rest = divmod(time, NANOSECONDS["s"])
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000, tzinfo=None)
    return moment.isoformat(timespec="milliseconds") + "Z"
