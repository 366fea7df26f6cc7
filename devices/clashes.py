"""What the entries of a register must agree on, which none of them can see alone."""

from collections.abc import Iterator
from typing import NamedTuple

from devices.points import POINTS
from devices.quantities import parse_quantity
from devices.register import METERED, Device, Register, Replacement, registers_of
from devices.values import suggest


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


def _check_replacements(register: Register, ids: dict[str, int]) -> Iterator[Clash]:
    latest: dict[tuple[str, str], int] = {}
    for index, replacement in enumerate(register.replacements):
        entry = ("replacements", index)
        if replacement.device not in ids:
            hint = suggest(replacement.device, ids) or "see: siteward devices list"
            yield Clash((*entry, "device"), f"there is no device {replacement.device!r}; {hint}")
            continue
        device = register.devices[ids[replacement.device]]
        known = registers_of(device.kind)
        if not known:
            yield Clash((*entry, "device"), f"device {device.id!r} is a {device.kind}; only meters are replaced")
            continue
        point = replacement.point or METERED[device.kind]
        if point not in known:
            message = f"point: a {device.kind} does not count {point}; write {' or '.join(known)}"
            yield Clash((*entry, "point"), message)
            continue
        for key, message in _check_readings(replacement, POINTS[point].unit):
            yield Clash((*entry, key), message)
        before = latest.get((device.id, point))
        if before is not None:
            yield from _check_order(register, before, index)
        latest[device.id, point] = index
    for (name, _), index in latest.items():
        installed, device = register.replacements[index].installed, register.devices[ids[name]]
        if installed and device.meter and installed != device.meter:
            message = (
                f"the register says that meter {device.meter!r} hangs at {name!r}; this is the newest replacement there"
            )
            yield Clash(("replacements", index, "installed"), message, ("devices", ids[name]))


def _check_readings(replacement: Replacement, unit: str) -> Iterator[tuple[str, str]]:
    for key, text in (("final", replacement.final), ("first", replacement.first)):
        try:
            if parse_quantity(text, unit) < 0:
                yield key, f"{key}: expected what the meter shows, which is never negative, got {text!r}"
        except ValueError as error:
            yield key, f"{key}: {error}"


def _check_order(register: Register, before: int, index: int) -> Iterator[Clash]:
    """Two replacements of one register, one after the other in the file."""
    earlier, later = register.replacements[before], register.replacements[index]
    other = ("replacements", before)
    if later.at <= earlier.at:
        yield Clash(("replacements", index, "at"), "at: not after the one before it; list the oldest first", other)
    elif earlier.installed and later.removed and earlier.installed != later.removed:
        message = f"removed: expected {earlier.installed!r}, which was installed before, got {later.removed!r}"
        yield Clash(("replacements", index, "removed"), message, other)
