"""LoRaWAN: what network servers wrap around the bytes of a device, opened.

Uplinks of ChirpStack 4 and 3 (https://www.chirpstack.io/docs/chirpstack/integrations/events.html; Helium and the
servers in Milesight's gateways write alike), The Things Stack 3
(https://www.thethingsindustries.com/docs/integrations/data-formats/) and Actility's ThingPark (`DevEUI_uplink`). Joins,
acknowledgements, status, downlinks and the like hold no reading.
"""

import binascii
from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any, NamedTuple, TypeAlias

from devices.errors import Undecodable
from devices.message import Part, parse_json
from devices.reading import Value
from devices.timestamps import Moment, parse_rfc3339
from devices.values import widen

DecodeUplink: TypeAlias = Callable[[bytes, int, int], Any]
"""What a layout or a codec makes of bytes that came on an FPort at a time (nanoseconds since 1970)."""


class _Uplink(NamedTuple):
    """What all servers say of an uplink, as it stands in their JSON.

    Attributes:
        address: the DevEUI, or what else names the device.
        port: FPort; None where it is not said.
        data: the device's bytes.
        decoded: what the server made of them.
        time: when it was received.
        signals: RSSI and SNR at each gateway.
    """

    address: str
    port: object
    data: bytes
    decoded: Any
    time: object
    signals: Iterable[tuple[object, object]]


def open_lorawan(payload: bytes, received: int, decode: DecodeUplink | None) -> list[Part]:
    """What an uplink says: its body is the decoded object, its root the whole message; no part where it is no reading.

    The address is the DevEUI in lower case, or The Things Stack's device id where it gives no DevEUI; the points
    `rssi_dbm` and `snr_db` are those of the gateway that heard the device best.

    Args:
        payload: JSON of a network server.
        received: when it arrived, nanoseconds since 1970.
        decode: decodes the device's bytes; None: the server's own decoded object is taken.

    Raises:
        Undecodable: it is of no such server, or not decoded by anybody; and what `decode` raises.
    """
    message = parse_json(payload)
    uplink = _read_uplink(_object(message))
    if uplink is None:
        return []
    port = _read_port(uplink.port)
    if not uplink.decoded and (port == 0 or not uplink.data):  # commands of the network itself, or nothing at all
        return []
    moment = _read_time(uplink.time)
    if decode is None:
        body = uplink.decoded
        if not body:
            raise Undecodable(
                "the uplink is not decoded",
                hint="give the profile a layout or a codec, or the device a decoder in the network server",
            )
    elif uplink.data:
        body = decode(uplink.data, port or 0, moment[0] if moment else received)
    else:
        raise Undecodable("the uplink has no bytes to decode", hint="leave out the profile's layout or codec")
    return [Part(body, message, moment, uplink.address, _read_signals(uplink.signals), port)]


def _read_uplink(message: dict[str, Any]) -> _Uplink | None:
    """None: a message that is no uplink."""
    if "deviceInfo" in message:
        return _read_chirpstack_4(message)
    if "devEUI" in message:
        return _read_chirpstack_3(message)
    if "end_device_ids" in message or "downlinks" in message:
        return _read_things_stack(message, _object(message.get("uplink_message")))
    if "DevEUI_uplink" in message:
        return _read_thingpark(_object(message["DevEUI_uplink"]))
    if any(key.startswith("DevEUI_") for key in message):
        return None
    raise Undecodable(
        "no message of a known network server",
        hint="known are ChirpStack 3 and 4, The Things Stack 3 and ThingPark; of others, read the bytes by `bytes`",
    )


def _read_chirpstack_4(message: dict[str, Any]) -> _Uplink | None:
    if "data" not in message and "object" not in message:
        return None
    return _Uplink(
        address=_text(_object(message["deviceInfo"]).get("devEui")).lower(),
        port=message.get("fPort"),
        data=_read_base64(message.get("data")),
        decoded=message.get("object"),
        time=message.get("time"),
        signals=((heard.get("rssi"), heard.get("snr")) for heard in _objects(message.get("rxInfo"))),
    )


def _read_chirpstack_3(message: dict[str, Any]) -> _Uplink | None:
    if not message.keys() & {"data", "object", "objectJSON"}:
        return None
    decoded = message.get("object")
    if decoded is None and message.get("objectJSON"):
        decoded = parse_json(_text(message["objectJSON"]).encode())
    heard = list(_objects(message.get("rxInfo")))
    return _Uplink(
        address=_read_eui(_text(message["devEUI"])),
        port=message.get("fPort"),
        data=_read_base64(message.get("data")),
        decoded=decoded,
        time=next((time for time in (one.get("time") for one in heard) if time), message.get("publishedAt")),
        signals=((one.get("rssi"), one.get("loRaSNR")) for one in heard),
    )


def _read_things_stack(message: dict[str, Any], uplink: dict[str, Any]) -> _Uplink | None:
    if not uplink:
        return None
    device = _object(message.get("end_device_ids"))
    settings = _object(uplink.get("settings"))
    silence = 0 if "lora" in _object(settings.get("data_rate")) else None  # it leaves out what is 0
    return _Uplink(
        address=_text(device.get("dev_eui")).lower() or _text(device.get("device_id")),
        port=uplink.get("f_port", 0),
        data=_read_base64(uplink.get("frm_payload")),
        decoded=uplink.get("decoded_payload"),
        time=uplink.get("received_at") or message.get("received_at"),
        signals=((heard.get("rssi"), heard.get("snr", silence)) for heard in _objects(uplink.get("rx_metadata"))),
    )


def _read_thingpark(uplink: dict[str, Any]) -> _Uplink:
    data = _text(uplink.get("payload_hex"))
    try:
        content = bytes.fromhex(data)
    except ValueError:
        raise Undecodable("payload_hex: expected hexadecimal digits") from None
    return _Uplink(
        address=_text(uplink.get("DevEUI")).lower(),
        port=uplink.get("FPort", 0),
        data=content,
        decoded=uplink.get("payload"),
        time=uplink.get("Time"),
        signals=[(uplink.get("LrrRSSI"), uplink.get("LrrSNR"))],
    )


def _read_port(port: object) -> int | None:
    number = _number(port)
    return int(number) if number is not None else None


def _read_time(time: object) -> Moment | None:
    if not time:
        return None
    try:
        return parse_rfc3339(time)
    except ValueError as error:
        raise Undecodable(f"time of the uplink: {error}") from None


def _read_signals(signals: Iterable[tuple[object, object]]) -> dict[str, Value]:
    heard = [(strength, _number(ratio)) for rssi, ratio in signals if (strength := _number(rssi)) is not None]
    if not heard:
        return {}
    rssi, snr = max(heard, key=lambda signal: signal[0])
    values: dict[str, Value] = {"rssi_dbm": rssi}
    if snr is not None:
        values["snr_db"] = snr
    return values


def _read_base64(data: object) -> bytes:
    try:
        return binascii.a2b_base64(_text(data), strict_mode=True)
    except ValueError:
        raise Undecodable("the uplink's bytes are not in base64") from None


def _read_eui(text: str) -> str:
    """A DevEUI that stands there in hexadecimal digits, or in base64."""
    return text.lower() if len(text) == 16 else _read_base64(text).hex()  # noqa: PLR2004 - digits of an EUI-64


def _number(value: object) -> float | None:
    if type(value) is str:
        try:
            number = float(value)
        except ValueError:
            return None
    elif type(value) is int or type(value) is float:
        number = widen(value) if type(value) is int else value
    else:
        return None
    return number if isfinite(number) else None


def _text(value: object) -> str:
    return value if type(value) is str else ""


def _object(value: object) -> dict[str, Any]:
    return value if type(value) is dict else {}


def _objects(value: object) -> Iterable[dict[str, Any]]:
    return map(_object, value) if type(value) is list else ()
