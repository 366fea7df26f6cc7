"""What the entries of a register must agree on, which none of them can see alone."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from devices.points import POINTS
from devices.quantities import parse_quantity
from devices.register import METERED, Device, Register, Replacement, registers_of
from devices.values import suggest

_SPEAKERS: Mapping[str, tuple[str, ...]] = {"door": ("gateway", "door")}
"""What may speak for a kind of device, where it is not gateways alone."""


class Clash(NamedTuple):
    """Something in a register that cannot be right.

    Attributes:
        path: where it stands, such as ("devices", 17, "id").
        message: what is wrong, and what to do.
        other: where the entry stands that it clashes with, None where there is none.
    """

    path: tuple[str | int, ...]
    message: str
    other: tuple[str | int, ...] | None = None


def find_clashes(register: Register) -> Iterator[Clash]:
    """Everything that an entry's own model cannot see: what is used twice, not allowed, or does not follow."""
    ids: dict[str, int] = {}
    taken: dict[tuple[str, ...], int] = {}
    for index, device in enumerate(register.devices):
        entry = ("devices", index)
        first = ids.setdefault(device.id, index)
        if first != index:
            yield Clash((*entry, "id"), f"device {device.id!r} stands here a second time", ("devices", first))
            continue
        for key, claim, what in _find_claims(device):
            first = taken.setdefault((key, *claim), index)
            if first != index:
                other = register.devices[first].id
                yield Clash((*entry, key), f"{what} already belongs to {other!r}", ("devices", first))
        for tag in device.tags:
            if tag not in register.tags:
                known = ", ".join(sorted(register.tags)) or "none are listed"
                yield Clash(
                    (*entry, "tags", tag),
                    f"tag {tag!r} is not in the register's list `tags` ({known}); add it there or leave it out",
                )
    yield from _check_gateways(register, ids)
    yield from _check_replacements(register, ids)


def _find_claims(device: Device) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """What only one device may have: its key, what makes it unique, and how to call it."""
    if device.topic:
        yield "topic", (device.topic,), f"topic {device.topic!r}"
    else:
        address = device.address or device.id
        yield "address", (device.profile, address), f"address {address!r} of profile {device.profile!r}"
    if device.metering_point:
        yield "metering_point", (device.metering_point,), f"metering point {device.metering_point!r}"


def _check_gateways(register: Register, ids: dict[str, int]) -> Iterator[Clash]:
    """What devices hang on: gateways, and doors on the controller of another one; never in a circle."""
    for index, device in enumerate(register.devices):
        if not device.gateway:
            continue
        path, above = ("devices", index, "gateway"), ids.get(device.gateway)
        if above is None:
            gateways = [other.id for other in register.devices if other.kind == "gateway"]
            hint = suggest(device.gateway, gateways) or suggest(device.gateway, ids) or "see: siteward devices list"
            yield Clash(path, f"there is no device {device.gateway!r}; {hint}")
        elif register.devices[above].kind not in _SPEAKERS.get(device.kind, ("gateway",)):
            kinds = " or ".join(_SPEAKERS.get(device.kind, ("gateway",)))
            kind = register.devices[above].kind
            message = f"gateway: expected a {kinds} for a device of kind {device.kind}, got {device.gateway!r}"
            yield Clash(path, f"{message}, which is of kind {kind}")
        elif _hangs_on_itself(register, ids, index):
            why = "itself" if above == index else f"{device.gateway!r}, which hangs on it in turn"
            yield Clash(path, f"gateway: {device.id!r} would hang on {why}")


def _hangs_on_itself(register: Register, ids: dict[str, int], index: int) -> bool:
    """Whether the way up from a device leads back to it."""
    seen: set[int] = set()
    above = ids.get(register.devices[index].gateway)
    while above is not None and above not in seen:
        if above == index:
            return True
        seen.add(above)
        above = ids.get(register.devices[above].gateway)
    return False


def _check_replacements(register: Register, ids: dict[str, int]) -> Iterator[Clash]:
    histories: dict[tuple[str, str], list[int]] = {}
    for index, replacement in enumerate(register.replacements):
        clash = _check_meter(register, ids, index)
        if clash is not None:
            yield clash
            continue
        device = register.devices[ids[replacement.device]]
        point = replacement.point or METERED[device.kind]
        for key, message in _check_readings(replacement, POINTS[point].unit):
            yield Clash(("replacements", index, key), message)
        histories.setdefault((device.id, point), []).append(index)
    for (name, _), history in histories.items():
        history.sort(key=lambda index: register.replacements[index].at)
        for before, index in pairwise(history):
            yield from _check_sequence(register, before, index)
        newest, device = history[-1], register.devices[ids[name]]
        installed = register.replacements[newest].installed
        if installed and device.meter and installed != device.meter:
            message = f"installed: expected {device.meter!r}, the meter that hangs at {name!r}, got {installed!r}"
            yield Clash(("replacements", newest, "installed"), message, ("devices", ids[name]))


def _check_meter(register: Register, ids: dict[str, int], index: int) -> Clash | None:
    """Whether a replacement is about a register that there is."""
    entry, replacement = ("replacements", index), register.replacements[index]
    if replacement.device not in ids:
        hint = suggest(replacement.device, ids) or "see: siteward devices list"
        return Clash((*entry, "device"), f"there is no device {replacement.device!r}; {hint}")
    kind = register.devices[ids[replacement.device]].kind
    known = registers_of(kind)
    if not known:
        return Clash((*entry, "device"), f"device {replacement.device!r} is a {kind}; only meters are replaced")
    if replacement.point and replacement.point not in known:
        message = f"point: expected {' or '.join(known)} for a device of kind {kind}, got '{replacement.point}'"
        return Clash((*entry, "point"), message)
    return None


def _check_readings(replacement: Replacement, unit: str) -> Iterator[tuple[str, str]]:
    for key, text in (("final", replacement.final), ("first", replacement.first)):
        try:
            if parse_quantity(text, unit) < 0:
                yield key, f"{key}: expected what the meter showed, at least 0, got {text!r}"
        except ValueError as error:
            yield key, f"{key}: {error}"


def _check_sequence(register: Register, before: int, index: int) -> Iterator[Clash]:
    """Two replacements of one register, one after the other."""
    earlier, later = register.replacements[before], register.replacements[index]
    other = ("replacements", before)
    if later.at == earlier.at:
        yield Clash(("replacements", index, "at"), f"at: {later.device!r} has another replacement at that time", other)
    elif earlier.installed and later.removed and earlier.installed != later.removed:
        message = f"removed: expected {earlier.installed!r}, which was installed before, got {later.removed!r}"
        yield Clash(("replacements", index, "removed"), message, other)
