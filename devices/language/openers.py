"""The formats of payloads: each opens a payload into parts, in which the profile's paths then find their way."""

import binascii
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from devices.errors import Undecodable
from devices.formats.bytereader import compile_layout
from devices.formats.codec import Codec
from devices.formats.dsmr import open_dsmr
from devices.formats.lorawan import DecodeUplink, open_lorawan
from devices.formats.sparkplug import Host
from devices.formats.texts import compile_csv, compile_pairs, compile_text, open_value
from devices.language.conditions import compile_when
from devices.language.profile import Bytes, Form
from devices.language.sources import Condition
from devices.message import Part, parse_json
from devices.numbers import number_of
from devices.paths import Scope, compile_path
from devices.values import describe

Opener: TypeAlias = Callable[[bytes, int, Mapping[str, str]], list[Part] | None]
"""Opens a payload that arrived at a time on a topic with these named parts; None where it is of another form."""


_NO_PARTS: Mapping[str, str] = {}


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
        case "json":
            return _compile_enclosed(form, form.bytes) if form.bytes else _open_json
    open_text = _compile_text(form)
    return lambda payload, _received, _parts: open_text(payload)


def _compile_text(form: Form) -> Callable[[bytes], list[Part]]:
    if form.csv:
        return compile_csv(form.csv)
    if form.text:
        return compile_text(form.text)
    return compile_pairs(form.pairs) if form.format == "pairs" else open_value


def _compile_json() -> Callable[[bytes, int, Mapping[str, str]], list[Part]]:
    """The several forms of a profile look at one message after another; none of them changes it, or mends it again."""
    last: tuple[bytes | None, list[Part] | Undecodable] = (None, [])

    def open_json(payload: bytes, _received: int, _parts: Mapping[str, str]) -> list[Part]:
        nonlocal last
        known, opened = last
        if known is not payload:
            try:
                opened = [Part(parse_json(payload))]
            except Undecodable as error:
                opened = error
            last = (payload, opened)
        if isinstance(opened, list):
            return opened
        raise Undecodable(opened.reason, hint=opened.hint)

    return open_json


_open_json = _compile_json()


def peek_json(payload: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    """The payload as JSON; nobody may change it.

    Raises:
        Undecodable: it is none.
    """
    return _open_json(payload, 0, _NO_PARTS)[0].body


def _compile_uplink(form: Form) -> Opener:
    decode = _compile_decoder(form)
    if decode is None and form.ignore and all(path.startswith("$") for path in form.when):
        decode = _leave_bytes
    if decode is not None and "$port" in form.when:
        decode = _compile_gate(decode, form.when["$port"])

    def open_uplink(payload: bytes, received: int, _parts: Mapping[str, str]) -> list[Part] | None:
        try:
            return open_lorawan(payload, received, decode) if decode else _open_uplink_once(payload, received)
        except _OtherForm:
            return None

    return open_uplink


@lru_cache(maxsize=1)
def _open_uplink_once(payload: bytes, received: int) -> list[Part]:
    """What the network server decoded; several forms look at it one after another, and none of them changes it."""
    return open_lorawan(payload, received, None)


def _leave_bytes(_data: bytes, _port: int, _time: int) -> bool:
    """For uplinks that are ignored, whatever is in them."""
    return True


def _compile_gate(decode: DecodeUplink, condition: Condition) -> DecodeUplink:
    """Lets only bytes of the right port come to a codec, which fails on others."""
    holds = compile_when({"$port": condition})

    def decode_own(data: bytes, port: int, time: int) -> Any:  # noqa: ANN401 - a codec returns anything
        if not holds(None, Scope(None, {}, port)):
            raise _OtherForm
        return decode(data, port, time)

    return decode_own


def _compile_bytes(form: Form) -> Opener:
    decode = _compile_decoder(form)
    read = _compile_encoding(form.bytes.encoding if form.bytes else "raw")

    def open_bytes(payload: bytes, received: int, _parts: Mapping[str, str]) -> list[Part]:
        assert decode is not None  # noqa: S101 - the model has seen to it
        return [Part(decode(read(payload), 0, received))]

    return open_bytes


def _compile_enclosed(form: Form, place: Bytes) -> Opener:
    """For bytes that stand as text in a JSON message."""
    decode = _compile_decoder(form)
    holds = compile_when({path: condition for path, condition in form.when.items() if path.startswith("$")})
    find = compile_path(place.path or "@")
    find_port = compile_path(place.port) if place.port else lambda _item, _scope: None
    read = _compile_encoding(place.encoding)

    def open_enclosed(payload: bytes, received: int, parts: Mapping[str, str]) -> list[Part] | None:
        assert decode is not None  # noqa: S101 - the model has seen to it
        message = parse_json(payload)
        scope = Scope(message, parts)
        port = number_of(find_port(message, scope))
        scope.port = int(port) if isinstance(port, float) and port.is_integer() else None
        if not holds(None, scope):
            return None
        text = find(message, scope)
        if text is None and form.may_be_empty:
            return []
        if not isinstance(text, str):
            raise Undecodable(f"expected a text of {place.encoding} digits at {place.path}, got {describe(text)}")
        return [Part(decode(read(text.encode()), scope.port or 0, received), root=message, port=scope.port)]

    return open_enclosed


def _compile_decoder(form: Form) -> DecodeUplink | None:
    if form.layout:
        read = compile_layout(form.layout)
        return lambda data, _port, _time: read(data)
    return Codec(form.codec.source, form.codec.file).decode if form.codec else None


def _compile_encoding(encoding: str) -> Callable[[bytes], bytes]:
    if encoding == "raw":
        return lambda data: data
    read = _read_hex if encoding == "hex" else _read_base64

    def read_text(text: bytes) -> bytes:
        try:
            return read(text)
        except ValueError:
            raise Undecodable(f"expected {encoding} digits") from None

    return read_text


def _read_hex(text: bytes) -> bytes:
    return bytes.fromhex(text.decode("ascii").strip().removeprefix("0x").replace(":", " ").replace("-", " "))


def _read_base64(text: bytes) -> bytes:
    return binascii.a2b_base64(text.strip(), strict_mode=True)
