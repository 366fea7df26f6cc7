"""The formats of payloads: each opens a payload into parts, in which the profile's paths then find their way."""

import binascii
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from devices.codec import Codec
from devices.conditions import compile_when
from devices.dsmr import open_dsmr
from devices.errors import Undecodable
try:  # until it is there
    from devices.layout import compile_layout
except ImportError:
    compile_layout = None
from devices.lorawan import open_lorawan
from devices.message import Part, parse_json
from devices.paths import Scope, compile_path
from devices.profile import Bytes, Form
from devices.sparkplug import Host
from devices.texts import compile_csv, compile_pairs, compile_text, open_value

Opener: TypeAlias = Callable[[bytes, int, Mapping[str, str]], list[Part] | None]
"""Opens a payload that arrived at a time on a topic with these named parts; None where it is of another form."""

DecodeBytes: TypeAlias = Callable[[bytes, int], Any]
"""What a layout or a codec makes of bytes and LoRaWAN's FPort."""


class Toolbox(NamedTuple):
    """What formats need beside the profile.

    Attributes:
        zone: IANA name of the site's time zone.
        host: what is known of Sparkplug's nodes; None where the site has none.
    """

    zone: str
    host: Host | None = None


class _OtherForm(Exception):  # noqa: N818 - no error: the message is for another form
    """The bytes are not of this form."""


def compile_opener(form: Form, toolbox: Toolbox) -> Opener:
    """The function that opens the payloads of a form.

    Raises:
        ValueError: the form's codec is no JavaScript.
    """
    match form.format:
        case "csv":
            assert form.csv is not None  # noqa: S101 - the model has seen to it
            return _plain(compile_csv(form.csv))
        case "pairs":
            return _plain(compile_pairs(form.pairs))
        case "text":
            assert form.text is not None  # noqa: S101 - likewise
            return _plain(compile_text(form.text))
        case "value":
            return _plain(open_value)
        case "dsmr":
            clock = ZoneInfo(toolbox.zone)
            return lambda payload, _received, _parts: open_dsmr(payload, clock)
        case "sparkplug_b":
            host = toolbox.host or Host(())
            return lambda payload, _received, parts: host.read(parts, payload)
        case "lorawan":
            return _compile_uplink(form)
        case "binary":
            return _compile_bytes(form)
    return _compile_enclosed(form, form.bytes) if form.bytes else _open_json


def _open_json(payload: bytes, _received: int, _parts: Mapping[str, str]) -> list[Part]:
    return [Part(parse_json(payload))]


def _plain(open_payload: Callable[[bytes], list[Part]]) -> Opener:
    return lambda payload, _received, _parts: open_payload(payload)


def _compile_uplink(form: Form) -> Opener:
    decode = _compile_decoder(form)
    if decode is None:
        return lambda payload, _received, _parts: open_lorawan(payload, None)

    def open_uplink(payload: bytes, _received: int, _parts: Mapping[str, str]) -> list[Part] | None:
        try:
            return open_lorawan(payload, decode)
        except _OtherForm:
            return None

    return open_uplink


def _compile_bytes(form: Form) -> Opener:
    decode = _compile_decoder(form)
    read = _compile_encoding(form.bytes.encoding if form.bytes else "raw")

    def open_bytes(payload: bytes, _received: int, _parts: Mapping[str, str]) -> list[Part]:
        assert decode is not None  # noqa: S101 - the model has seen to it
        return [Part(decode(read(payload), 0))]

    return open_bytes


def _compile_enclosed(form: Form, place: Bytes) -> Opener:
    """For bytes that stand as text in a JSON message."""
    decode = _compile_decoder(form)
    find = compile_path(place.path or "@")
    find_port = compile_path(place.port) if place.port else lambda _item, _scope: None
    read = _compile_encoding(place.encoding)

    def open_enclosed(payload: bytes, _received: int, parts: Mapping[str, str]) -> list[Part] | None:
        assert decode is not None  # noqa: S101 - the model has seen to it
        message = parse_json(payload)
        scope = Scope(message, parts)
        text, port = find(message, scope), find_port(message, scope)
        if text is None:
            return []
        if type(text) is not str or type(port) not in {int, type(None)}:
            raise Undecodable(f"expected a text of {place.encoding} digits at {place.path}, and a number as port")
        try:
            body = decode(read(text.encode()), port or 0)
        except _OtherForm:
            return None
        return [Part(body, root=message, port=port)]

    return open_enclosed


def _compile_decoder(form: Form) -> DecodeBytes | None:
    decode: DecodeBytes
    if form.layout:
        read = compile_layout(form.layout)
        decode = lambda data, _port: read(data)  # noqa: E731 - a name for either
    elif form.codec:
        decode = Codec(form.codec.source, form.codec.file).decode
    else:
        return None
    conditions = {path: condition for path, condition in form.when.items() if path == "$port"}
    if not conditions:
        return decode
    holds = compile_when(conditions)

    def decode_own(data: bytes, port: int) -> Any:  # noqa: ANN401 - a codec returns anything
        if not holds(None, Scope(None, {}, port)):
            raise _OtherForm
        return decode(data, port)

    return decode_own


def _compile_encoding(encoding: str) -> Callable[[bytes], bytes]:
    if encoding == "raw":
        return lambda data: data
    read = _read_hex if encoding == "hex" else binascii.a2b_base64

    def read_text(text: bytes) -> bytes:
        try:
            return read(text)
        except ValueError:
            raise Undecodable(f"expected {encoding} digits") from None

    return read_text


def _read_hex(text: bytes) -> bytes:
    return bytes.fromhex(text.decode("ascii").strip().removeprefix("0x").replace(":", " ").replace("-", " "))
