"""P1 telegrams: what a smart meter sends to its owner each second (DSMR P1 companion standard 2.2 to 5.0.2).

Belgium (e-MUCS), Luxembourg, Sweden, Hungary and others send the same form with registers of their own, as do some
meters of EasyMeter, Iskra and Sagemcom. Meters on the main one's M-Bus stand in the same telegram.
"""

import re
from collections.abc import Iterator
from datetime import tzinfo
from typing import NamedTuple

from devices.errors import Undecodable
from devices.formats.obis import read_obis
from devices.message import Part
from devices.numbers import number_of
from devices.quantities import convert_factor
from devices.timestamps import Moment, parse_dsmr

SIZE_MAX = 64 * 1024
"""Longer payloads are refused; bytes."""

_TELEGRAM = re.compile(rb"^/(?:[^!\n]|\n(?!/))*!([0-9A-Fa-f]{0,4})([^/]*)", re.MULTILINE)
_LINE = re.compile(r"\s*([0-9A-Za-z][0-9A-Za-z:.*-]*)((?:\s*\([^()]*\))+)[ \t]*(?=[\r\n]|$)")
_GROUP = re.compile(r"\(([^()]*)\)")
_CHANNEL = re.compile(r"0-(\d{1,2}):(24|96)\.(\d{1,2})\.(\d)", re.ASCII).fullmatch
_ENCRYPTED = 0xDB  # tag of a general-glo-ciphering APDU, as in Luxembourg and Austria
_CLOCK = "0-0:1.0.0"
_UNSET_CLOCK = "700101"

_KINDS = {
    "2": ("energy_import_kwh", "kWh"),
    "6": ("volume_m3", "m³"),  # warm water
    "7": ("volume_m3", "m³"),
    "21": ("volume_m3", "m³"),  # hot water
    "22": ("volume_m3", "m³"),  # cold water
}
"""What meters on the M-Bus count, by their device type (EN 13757-3); gas and heat have no points."""

_NEW_GROUPS = 2
"""Of a reading: time, and value with its unit."""

_OLD_GROUPS = 7
"""Of a reading before DSMR 4: time, status, minutes, number of values, code, unit, value."""


class _Reading(NamedTuple):
    time: str
    value: str
    unit: str


def open_dsmr(payload: bytes, zone: tzinfo) -> list[Part]:
    """Opens telegrams: a part for each, and one for each electricity or water meter on its M-Bus.

    The body of a part is an object of the telegram's texts by code, a list where there are several. The address of a
    meter on the M-Bus is its equipment identifier, which stands in it as hexadecimal ASCII and is printed on the meter.
    What follows a telegram is passed over.

    Args:
        payload: with the checksum or without.
        zone: where the meter stands.

    Raises:
        Undecodable: there is no whole telegram, its checksum is wrong, or one of its lines or registers is broken.
    """
    if len(payload) > SIZE_MAX:
        raise Undecodable(f"telegram: longer than {SIZE_MAX // 1024} KiB")
    if payload[:1] == bytes([_ENCRYPTED]):
        raise Undecodable("telegram: encrypted", hint="let the gateway decrypt it with the key from the grid operator")
    parts: list[Part] = []
    for match in _TELEGRAM.finditer(payload):
        data = match[0][: match.start(1) - match.start()]
        _check_sum(data, match[1])
        if b"(" in match[2]:  # a damaged byte became the ! that ends it
            raise Undecodable("telegram: a line is broken")
        parts += _read_telegram(data.decode("latin-1"), zone)
    if not parts:
        raise Undecodable("telegram: not whole", hint="expected it from / to !")
    return parts


def compute_crc(data: bytes) -> int:
    """The checksum of a telegram: CRC-16/ARC (polynomial x^16 + x^15 + x^2 + 1, least significant bit first)."""
    crc = 0
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


def _make_crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


_CRC_TABLE = _make_crc_table()


def _check_sum(data: bytes, written: bytes) -> None:
    if not written:  # before DSMR 4 there was none
        return
    # Some gateways change the ends of lines, which the meter had counted.
    given = int(written, 16)
    if compute_crc(data) != given and compute_crc(re.sub(rb"\r?\n", b"\r\n", data)) != given:
        raise Undecodable("telegram: the checksum is wrong", hint="it was damaged on its way")


def _read_telegram(text: str, zone: tzinfo) -> list[Part]:
    lines = dict(_read_lines(text))
    registers = {code: groups[-1] for code, groups in lines.items()}
    body = {code: groups[0] if len(groups) == 1 else groups for code, groups in lines.items()}
    moment = _read_moment(registers.get(_CLOCK, ""), zone)
    main = Part(body, moment=moment, values=read_obis(registers))
    return [main, *_read_bus(lines, body, zone)]


def _read_lines(text: str) -> Iterator[tuple[str, list[str]]]:
    """The code and the texts in brackets of each line behind the one that names the meter."""
    start, end = text.find("\n"), text.rfind("!")
    data = text[start:end].rstrip() if start >= 0 else ""
    at = 0
    while at < len(data):
        match = _LINE.match(data, at)
        if match is None:
            raise Undecodable("telegram: a line is broken")
        yield match[1], _GROUP.findall(match[2])
        at = match.end()


def _read_moment(text: str, zone: tzinfo) -> Moment | None:
    """None where the meter's clock is not set, which some write as 632525252525W: the values hold all the same."""
    try:
        return parse_dsmr(text, zone)
    except ValueError:
        return None


# ── meters on the M-Bus ──────────────────────────────────────────────────────────────────────────────────────────


def _read_bus(lines: dict[str, list[str]], body: dict[str, str | list[str]], zone: tzinfo) -> Iterator[Part]:
    channels: dict[str, dict[str, list[str]]] = {}
    for code, groups in lines.items():
        match = _CHANNEL(code)
        if match and match[1] != "0":
            channels.setdefault(match[1], {})[".".join(match.groups()[1:])] = groups
    for channel, registers in channels.items():
        part = _read_channel(registers, zone)
        if part is not None:
            part.body = {code: value for code, value in body.items() if code.startswith(f"0-{channel}:")}
            yield part


def _read_channel(registers: dict[str, list[str]], zone: tzinfo) -> Part | None:
    """What a meter on the M-Bus says; None where there is none, it has not been read, or has no points."""
    kind = registers.get("24.1.0", [""])[-1]
    identifiers = (registers.get(code, [""])[-1] for code in ("96.1.0", "96.1.1"))
    address = _decode_identifier(next(filter(None, identifiers), ""))
    reading = _find_reading(registers)
    point, into = _KINDS.get(kind.lstrip("0"), ("", ""))
    if not point or not address or reading is None or not reading.value:
        return None
    moment = _read_moment(reading.time, zone)
    if reading.time.startswith(_UNSET_CLOCK) or (reading.time and moment is None):
        return None
    number = number_of(reading.value)
    if type(number) is not float:
        raise Undecodable("telegram: expected a number from a meter on the M-Bus")
    try:
        scale = convert_factor(reading.unit, into)[0] if reading.unit else 1.0
    except ValueError as error:
        raise Undecodable("telegram: not a unit of this meter on the M-Bus", hint=str(error)) from None
    return Part(None, moment=moment, address=address, values={point: number * scale})


def _find_reading(registers: dict[str, list[str]]) -> _Reading | None:
    old = registers.get("24.3.0", [])
    if len(old) == _OLD_GROUPS:
        return _Reading(old[0], old[6], old[5])
    new = registers.get("24.2.1", [])
    if len(new) != _NEW_GROUPS:
        return None
    value, _, unit = new[1].partition("*")
    return _Reading(new[0], value, unit)


def _decode_identifier(text: str) -> str:
    """`3853414731` is `8SAG1`; what is no ASCII in hexadecimal digits stays as it is."""
    try:
        decoded = bytes.fromhex(text).decode("ascii")
    except ValueError:
        return text
    return decoded if decoded.isalnum() else text
