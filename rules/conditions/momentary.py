"""What conditions on events share: an event is over in a moment, and what it shows holds for a while."""

from typing import Any

from msgspec import convert, to_builtins
from pydantic import Field

from devices.durations import NANOSECONDS
from devices.reading import Reading
from devices.register import Device, Duration
from rules.alerts import NOTHING, Evidence
from rules.conditions.node import Condition, Node
from rules.occupancy import credential_of

_HOLD = 5 * NANOSECONDS["m"]
_SHOWN_DIGITS = 8


class Momentary(Condition):
    """A condition on events of doors."""

    hold: Duration = Field(
        _HOLD, description="How long it stays true after the event, where the door does not tell that it is over."
    )

    def fits(self, device: Device) -> str:
        """Only doors, and sensors on them, have such events."""
        return "" if device.kind in {"door", "sensor"} else "no door"


class Lasting(Node):
    """True from an event on, until `hold` is over or something ends it."""

    __slots__ = ("_hold", "_shown")

    def __init__(self, hold: int) -> None:
        super().__init__()
        self.truth = False
        self._hold = hold
        self._shown = NOTHING

    def show(self, time: int, evidence: Evidence) -> bool:
        """Something was seen at a time; it holds for a while. Answers as a `Take` does."""
        changed = not self.truth
        self.truth, self.due, self._shown = True, time + self._hold, evidence
        return changed

    def end(self) -> bool:
        """It is over; likewise."""
        changed = bool(self.truth)
        self.truth, self.due = False, None
        return changed

    def advance(self, time: int) -> None:
        """See the base."""
        del time
        self.end()

    def evidence(self) -> Evidence:
        """What was seen last."""
        return self._shown

    def snapshot(self) -> list[Any]:
        """See the base."""
        return [self.truth, self.due, to_builtins(self._shown)]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        self.truth, self.due, shown = state
        self._shown = convert(shown, Evidence)


class AtDoor(Lasting):
    """Holds until the door closes, where the door has ever told that it opens or closes."""

    __slots__ = ("_tells",)

    def __init__(self, hold: int) -> None:
        super().__init__(hold)
        self._tells = False

    def show(self, time: int, evidence: Evidence) -> bool:
        """See the base."""
        changed = super().show(time, evidence)
        if self._tells:
            self.due = None
        return changed

    def snapshot(self) -> list[Any]:
        """See the base."""
        return [super().snapshot(), self._tells]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        lasting, self._tells = state
        super().restore(lasting)


def shorten(credential: str) -> str:
    """The first digits of a credential's hash, which tell people apart on one page and lead nowhere else."""
    return credential.rpartition(":")[2][:_SHOWN_DIGITS]


def credential_details(reading: Reading) -> dict[str, float | bool | str]:
    """Whose event it was, for evidence; nothing where that is not known."""
    credential = credential_of(reading)
    return {"credential": shorten(credential)} if credential else {}
