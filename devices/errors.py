"""The errors of this package."""

from typing import NamedTuple

from devices.reading import Reading


class DeviceError(Exception):
    """Something about a device is wrong; the message says where, what, and what to do."""


class Unroutable(DeviceError):  # noqa: N818 - names the state of a device
    """A device of the register that cannot be heard, or is heard where another one is.

    Attributes:
        device: its id.
    """

    def __init__(self, device: str, message: str) -> None:
        super().__init__(f"device {device!r}: {message}")
        self.device = device


class Stranger(NamedTuple):
    """A device that is heard and is not in the register.

    Attributes:
        profile: how it was heard.
        address: what it calls itself.
    """

    profile: str
    address: str


class Undecodable(DeviceError):  # noqa: N818 - names the state of a message, as the design does
    """A message that cannot become readings, or not all of it.

    Attributes:
        reason: what is wrong, without any value of the message: quarantine groups by it.
        hint: what to do about it.
        device: the device in the register, or "" where none was found.
        strangers: devices of the message that are not in the register.
        readings: what it says of devices that are.
    """

    def __init__(
        self,
        reason: str,
        *,
        hint: str = "",
        device: str = "",
        strangers: tuple[Stranger, ...] = (),
        readings: tuple[Reading, ...] = (),
    ) -> None:
        super().__init__(f"{reason} ({hint})" if hint else reason)
        self.reason = reason
        self.hint = hint
        self.device = device
        self.strangers = strangers
        self.readings = readings


class Pointless(Undecodable):
    """A form of message finds none of its points; another form of the profile may."""

    def __init__(self, place: str = "") -> None:
        super().__init__("no point in the message", hint=f"the profile finds none of its points{place}")
