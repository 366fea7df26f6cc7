"""A Sparkplug B edge node for tests: what it publishes, message by message."""

from typing import Any, NamedTuple

from devices.formats.sparkplug_payload import PAYLOAD

TIME = 1_795_334_400_000
"""2026-11-22T08:00:00Z in ms; each message of a node is a second later than the one before."""

INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, FLOAT, DOUBLE, BOOLEAN, STRING, DATETIME, TEXT, UUID = range(
    1, 16
)


class Spoken(NamedTuple):
    """A message of a node."""

    topic: str
    payload: bytes

    @property
    def parts(self) -> dict[str, str]:
        """The named parts of the topic."""
        return dict(zip(("group", "type", "node", "device"), self.topic.split("/")[1:], strict=False))


def metric(name: str = "", value: object = None, datatype: int = DOUBLE, **others: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    """A metric as its fields; without a name it has its alias alone."""
    fields = {"datatype": datatype, **others} | ({"name": name} if name else {})
    if value is not None:
        kinds = {FLOAT: "float_value", DOUBLE: "double_value", BOOLEAN: "boolean_value", DATETIME: "long_value"}
        kinds |= {INT64: "long_value", UINT64: "long_value", STRING: "string_value", TEXT: "string_value"}
        fields[kinds.get(datatype, "int_value")] = value
    return fields


class EdgeNode:
    """Publishes in order, with `seq` and `bdSeq` as the specification has them.

    Attributes:
        seq: of its newest message; set it to lose some.
        session: bdSeq.
        time: of its newest message, ms since 1970.
    """

    def __init__(self, name: str = "Plant/Gateway", time: int = TIME) -> None:
        self.group, self.name = name.split("/")
        self.seq = 255
        self.session = 0
        self.time = time - 1000

    def birth(self, *metrics: dict[str, Any]) -> Spoken:
        """NBIRTH."""
        self.seq = 255
        return self._say("NBIRTH", "", metric("bdSeq", self.session, INT64), *metrics)

    def device_birth(self, device: str, *metrics: dict[str, Any]) -> Spoken:
        """DBIRTH."""
        return self._say("DBIRTH", device, *metrics)

    def data(self, *metrics: dict[str, Any], device: str = "") -> Spoken:
        """NDATA, or DDATA of a device."""
        return self._say("DDATA" if device else "NDATA", device, *metrics)

    def death(self) -> Spoken:
        """NDEATH, as its last will has it."""
        payload = PAYLOAD(metrics=[metric("bdSeq", self.session, INT64)])
        return Spoken(self._topic("NDEATH"), payload.SerializeToString())

    def device_death(self, device: str) -> Spoken:
        """DDEATH."""
        return self._say("DDEATH", device)

    def _say(self, kind: str, device: str, *metrics: dict[str, Any]) -> Spoken:
        self.seq = (self.seq + 1) % 256
        self.time += 1000
        payload = PAYLOAD(timestamp=self.time, seq=self.seq, metrics=metrics)
        return Spoken(self._topic(kind, device), payload.SerializeToString())

    def _topic(self, kind: str, device: str = "") -> str:
        return "/".join(["spBv1.0", self.group, kind, self.name, *([device] if device else [])])
