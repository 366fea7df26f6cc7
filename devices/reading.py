"""The reading: what one device said about one moment."""

from typing import TypeAlias

from msgspec import Struct

Value: TypeAlias = float | bool | str
"""The value of a point: numbers are always float, in the unit that the point's name carries."""


class Reading(Struct, array_like=True, gc=False):
    """What one device said about one moment.

    Attributes:
        device: id in the register.
        time: when it was measured, UTC, nanoseconds since 1970: the payload's time where it is plausible, else
            the arrival.
        received: when it arrived, likewise.
        values: point name to value, never empty.
        late: older than the newest reading of its device.
        claimed: the payload's own time where it was not believed, else None.
    """

    device: str
    time: int
    received: int
    values: dict[str, Value]
    late: bool = False
    claimed: int | None = None
