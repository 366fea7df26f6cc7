"""A decoder that knows every device of a message: for benchmarks that read payloads without a site."""

from collections.abc import Iterable

from devices.decoder import Decoder
from devices.errors import Undecodable
from devices.language.catalog import Catalog
from devices.register import Device, Kind, Register
from devices.timestamps import TimeLimits

SITE = "site"
RECEIVED = 1_795_334_400 * 10**9
"""2026-11-22T08:00:00Z: when every message arrives."""

_EVER = TimeLimits(past=200 * 365 * 86_400 * 10**9, future=200 * 365 * 86_400 * 10**9)
_ADDRESSES_MOST = 20


def adopt(
    profile: str,
    messages: Iterable[tuple[str, bytes]],
    *,
    topic: str = "",
    kind: Kind = "sensor",
    pulse_weight: str = "",
    address: str = "",
) -> Decoder:
    """A decoder with a device of the profile for each address in the messages.

    Args:
        profile: id of a built-in profile.
        messages: topics and payloads.
        topic: the device's own topic, for profiles without any.
        kind: of the devices.
        pulse_weight: of the devices, where their profile counts pulses.
        address: of a device that is known before it is heard.
    """
    more = {"pulse_weight": pulse_weight} if pulse_weight else {}
    # A profile's topics are heard where a device has it; this one has an address that no message names.
    nobody = {"topic": topic} if topic else {"address": address or ("-/-/-" if profile == "sparkplug_b" else "-")}
    devices = [_make("nobody", kind, profile, nobody | more)]
    decoder = _make_decoder(devices)
    for name, payload in messages:
        for _ in range(_ADDRESSES_MOST):
            try:
                decoder.decode(name, payload, RECEIVED)
            except Undecodable as error:
                if not error.strangers:
                    break
                for stranger in error.strangers:
                    devices.append(_make(f"d{len(devices)}", kind, profile, {"address": stranger.address} | more))
                decoder = _make_decoder(devices)
            else:
                break
    return decoder


def _make(name: str, kind: Kind, profile: str, more: dict[str, str]) -> Device:
    return Device.model_validate({"id": name, "kind": kind, "profile": profile} | more)


def _make_decoder(devices: list[Device]) -> Decoder:
    return Decoder(Register(devices=devices), Catalog(), SITE, _EVER)
