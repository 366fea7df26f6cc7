"""Line protocol: readings as the bytes that InfluxDB and its kin take.

The format: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
"""

from collections.abc import Mapping, Sequence

import orjson

from collector.store import Annotation
from devices.reading import Reading, Value
from devices.register import SELF, Device, Register

UNKNOWN = "unknown"
"""Measurement of devices that left the register while their readings waited: nothing is lost, only their place."""

RECEIVED = "received_time_s"
"""Field of late readings: when they arrived, seconds since 1970."""

CLAIMED = "claimed_time_s"
"""Field of readings whose device's own time was not believed: that time, seconds since 1970."""

# The register allows no backslash and no line break in tags. In texts line protocol has no line break.
_TAG = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_TEXT = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": " "})


class LineRenderer:
    """Renders readings of one site: measurement = device kind, tags = place and device, fields = points.

    Readings of the daemon itself (device `siteward`) become measurement `siteward` with the tag site only; those of
    a device that is not in the register become measurement `unknown` with the tags device and site.
    """

    def __init__(self, site: str, register: Register) -> None:
        self._site = site
        self._devices = register.by_id()
        self._heads: dict[str, bytes] = {}

    def measurement(self, device: str) -> str:
        """Where the readings of a device are."""
        known = self._devices.get(device)
        if known is not None:
            return known.kind
        return SELF if device == SELF else UNKNOWN

    def render(self, readings: Sequence[Reading]) -> bytes:
        """One line a reading, UTF-8, without a line break at the end. Names of points need no escaping."""
        heads = self._heads
        lines = []
        for reading in readings:
            head = heads.get(reading.device) or self._make_head(reading.device)
            values = reading.values
            if str in map(type, values.values()):
                fields = _write_fields(values)
            else:
                # JSON's numbers and booleans are line protocol's, and orjson is three times as fast as Python.
                fields = orjson.dumps(values)[2:-1].replace(b'":', b"=").replace(b',"', b",")
            if reading.late or reading.claimed is not None:
                fields += _write_other_times(reading)
            lines.append(b"%b %b %d" % (head, fields, reading.time))
        return b"\n".join(lines)

    def _make_head(self, device: str) -> bytes:
        known = self._devices.get(device)
        tags = {"site": self._site}
        if known is not None or device != SELF:
            tags["device"] = device
        if known is not None:
            tags |= _place(known)
        pairs = (f",{_escape(name)}={_escape(tags[name])}" for name in sorted(tags) if tags[name])
        head = self._heads[device] = (self.measurement(device) + "".join(pairs)).encode()
        return head


def render_annotations(annotations: Sequence[Annotation]) -> bytes:
    """One line an annotation, as `LineRenderer.render`; tags without a value are left out."""
    lines = []
    for annotation in annotations:
        tags = sorted(annotation.tags.items())
        head = annotation.measurement + "".join(f",{name}={_escape(value)}" for name, value in tags if value)
        lines.append(b"%b %b %d" % (head.encode(), _write_fields(annotation.fields), annotation.time))
    return b"\n".join(lines)


def _place(device: Device) -> Mapping[str, str]:
    return {**device.tags, "building": device.building, "floor": device.floor, "area": device.area}


def _escape(text: str) -> str:
    return text.translate(_TAG)


def _write_fields(values: Mapping[str, Value]) -> bytes:
    return ",".join([f"{point}={_write_value(value)}" for point, value in values.items()]).encode()


def _write_value(value: Value) -> str:
    if isinstance(value, str):
        return f'"{value.translate(_TEXT)}"'
    return repr(value).lower()  # true, not True


def _write_other_times(reading: Reading) -> bytes:
    times = {RECEIVED: reading.received if reading.late else None, CLAIMED: reading.claimed}
    return "".join(f",{field}={time / 1e9!r}" for field, time in times.items() if time is not None).encode()
