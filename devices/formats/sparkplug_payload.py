"""Payloads of Sparkplug B: protocol buffers, their metrics, and what the values of those mean.

The numbers are those of the Sparkplug 3.0.0 specification, chapter 6 (https://sparkplug.eclipse.org/specification).
Values that are no single one (bytes, files, data sets, templates) are not declared, so that they are passed over.
"""

import struct
from collections.abc import Sequence
from math import isfinite
from typing import Protocol, cast

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message import Message as ProtobufMessage
from google.protobuf.message_factory import GetMessageClass

from devices.errors import Undecodable
from devices.timestamps import MILLISECOND

_SIZE_MAX = 2**21  # bytes; a birth of 20,000 metrics has about as many
_METRICS_MAX = 20_000

_BOOLEAN = 11
_SIGNED_BITS = {1: 8, 2: 16, 3: 32, 4: 64}
"""Datatypes Int8 to Int64: they travel as unsigned numbers."""

_NOT_GOOD = frozenset({0, 500})
"""The property Quality of values that are bad or stale."""

_FLOAT = struct.Struct("f")

_PACKAGE = "siteward.sparkplug"

_MESSAGES: dict[str, dict[int, str]] = {
    "Payload": {1: "timestamp uint64", 2: "metrics Metric*", 3: "seq uint64"},
    "Metric": {
        1: "name string",
        2: "alias uint64",
        3: "timestamp uint64",
        4: "datatype uint32",
        5: "is_historical bool",
        7: "is_null bool",
        9: "properties Properties",
        10: "int_value uint32 |",
        11: "long_value uint64 |",
        12: "float_value float |",
        13: "double_value double |",
        14: "boolean_value bool |",
        15: "string_value string |",
    },
    "Properties": {1: "keys string*", 2: "values Property*"},
    "Property": {3: "int_value uint32 |", 4: "long_value uint64 |", 8: "string_value string |"},
}
"""Message to field number to name and type; `*` repeats, `|` is one of several."""


class Message(Protocol):
    """What all messages of protocol buffers can do."""

    def HasField(self, name: str) -> bool:  # noqa: N802 - protobuf's own name
        """Whether a field was sent; its default reads the same."""

    def WhichOneof(self, name: str) -> str | None:  # noqa: N802 - likewise
        """Which of several fields was sent."""


class Properties(Message, Protocol):
    """Names and values that belong together by their place."""

    keys: Sequence[str | bytes]
    values: Sequence[Message]


class Metric(Message, Protocol):
    """A value of a node or a device. A text that is not UTF-8 is bytes.

    One that is historical is like any other: its time says all.
    """

    name: str | bytes
    alias: int
    timestamp: int
    datatype: int
    is_null: bool
    properties: Properties


class Payload(Message, Protocol):
    """What a node publishes; times in ms since 1970."""

    timestamp: int
    metrics: Sequence[Metric]
    seq: int


def _make_class() -> type[ProtobufMessage]:
    """The class of the message `Payload`."""
    file = FileDescriptorProto(name="sparkplug.proto", package=_PACKAGE, syntax="proto2")
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for number, words in fields.items():
            name, type_name, *choice = words.split()
            field = message.field.add(name=name, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL)
            if type_name.endswith("*"):
                field.label = FieldDescriptorProto.LABEL_REPEATED
            if type_name.strip("*") in _MESSAGES:
                field.type = FieldDescriptorProto.TYPE_MESSAGE
                field.type_name = f".{_PACKAGE}.{type_name.strip('*')}"
            else:
                field.type = FieldDescriptorProto.Type.Value(f"TYPE_{type_name.strip('*').upper()}")
            if choice:
                field.oneof_index = 0
        if any("|" in words for words in fields.values()):
            message.oneof_decl.add(name="value")
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))


PAYLOAD = _make_class()
"""Makes a Payload, from its fields or from bytes."""


def parse_payload(payload: bytes) -> Payload:
    """The payload as a message.

    Raises:
        Undecodable: it is none, or larger than any that makes sense.
    """
    if len(payload) > _SIZE_MAX:
        raise Undecodable(f"longer than {_SIZE_MAX} bytes", hint="split what the node publishes")
    try:
        message = PAYLOAD.FromString(payload)
    except DecodeError:
        message = PAYLOAD()
    if not message.ListFields():  # other things parse, too, and hold nothing
        raise Undecodable("payload is not Sparkplug B")
    parsed = cast("Payload", message)
    if len(parsed.metrics) > _METRICS_MAX:
        raise Undecodable(f"more than {_METRICS_MAX} metrics", hint="split what the node publishes")
    return parsed


def read_name(metric: Metric) -> str:
    """The name of a metric, "" where it has none.

    Raises:
        Undecodable: it is not UTF-8.
    """
    return _check_text(metric.name)


def read_alias(metric: Metric) -> int | None:
    """The alias of a metric, where it has one; 0 is one."""
    return metric.alias if metric.alias or metric.HasField("alias") else None


def read_unit(metric: Metric) -> str:
    """The engineering unit that a metric's properties name, else "".

    Raises:
        Undecodable: it is not UTF-8.
    """
    unit = _read_property(metric, "engUnit")
    return _check_text(unit) if isinstance(unit, str | bytes) else ""


def read_value(metric: Metric, datatype: int) -> bool | float | str | None:
    """The value of a metric; None where there is none, or none that was measured: null, no finite number, bad, stale.

    Args:
        metric: with or without a datatype of its own.
        datatype: what the birth says.

    Raises:
        Undecodable: it does not fit its datatype, or is not UTF-8.
    """
    kind = metric.WhichOneof("value")
    if kind is None or metric.is_null or _read_property(metric, "Quality") in _NOT_GOOD:
        return None
    value = getattr(metric, kind)
    datatype = metric.datatype or datatype
    if type(value) is int:
        if datatype in _SIGNED_BITS:
            return _read_signed(value, _SIGNED_BITS[datatype], 32 if kind == "int_value" else 64)
        return value != 0 if datatype == _BOOLEAN else value
    if type(value) is float:
        if not isfinite(value):
            return None
        return _shorten(value) if kind == "float_value" else value
    return value if type(value) is bool else _check_text(value)


def encode_command(name: str, now: int) -> bytes:
    """The payload of a command that sets a metric to true, sent at a time (nanoseconds since 1970)."""
    time = now // MILLISECOND
    metric = {"name": name, "timestamp": time, "datatype": _BOOLEAN, "boolean_value": True}
    return PAYLOAD(timestamp=time, metrics=[metric]).SerializeToString()


def _read_signed(value: int, bits: int, sent_bits: int) -> int:
    """Two's complement, in as many bits as the datatype has, or extended to all that are sent."""
    for width in (bits, sent_bits):
        if width >= bits and value >> (width - 1) == 1:
            value -= 1 << width
            break
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        raise Undecodable("a metric's number does not fit its datatype")
    return value


def _shorten(value: float) -> float:
    """The shortest decimal that is this 32-bit number: 12.1, where its 64 bits say 12.100000381469727."""
    for digits in (6, 7, 8):
        short = float(f"{value:.{digits}g}")
        if _FLOAT.unpack(_FLOAT.pack(short))[0] == value:
            return short
    return float(f"{value:.9g}")


def _read_property(metric: Metric, name: str) -> object:
    if not metric.HasField("properties"):
        return None
    for key, held in zip(metric.properties.keys, metric.properties.values, strict=False):
        if key == name:
            kind = held.WhichOneof("value")
            return None if kind is None else getattr(held, kind)
    return None


def _check_text(text: object) -> str:
    if not isinstance(text, str):
        raise Undecodable("a text that is not UTF-8")
    return text
