"""`silent`: a device from which nothing arrives any more."""

from typing import Any, ClassVar, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from devices.durations import NANOSECONDS, write_duration
from devices.reading import Reading, Value
from devices.register import Device, Duration, Text
from devices.timestamps import format_rfc3339
from rules.alerts import Evidence
from rules.cadence import Cadence
from rules.conditions.logic import any_device
from rules.conditions.node import Condition, Node, Scope

_HOUR, _SECOND = NANOSECONDS["h"], NANOSECONDS["s"]


class Silent(Condition):
    """A device from which nothing arrives any more, for so long or for much longer than usual.

    It goes by arrivals, whatever times they carry: a backlog ends the silence. A device that was never heard of is
    silent from the moment at which the rule began to watch it; one whose cadence is to be learned says nothing before
    it has been heard for three days, and at no hour that it has not lived through three times, apart by working days
    and weekends. Doors that rest on holidays need an `active` calendar beside it.
    """

    summary: ClassVar[str] = "a device from which nothing arrives any more"
    is_silence: ClassVar[bool] = True

    for_: Duration | None = Field(None, alias="for", description="How long nothing has arrived.")
    learned: Literal[True] | None = Field(None, description="Three times as long as usual for the device at this hour.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.for_ is None) == (self.learned is None):
            got = "none" if self.for_ is None else "both"
            raise ValueError(f"expected one of `for: 15m` and `learned: true`, got {got}")
        return self

    def build(self, scope: Scope) -> Node:
        """A node that goes by arrivals."""

        def make(device: Device) -> Node:
            node = (
                _Overdue(device.id, scope.now, Cadence(scope.site.zone))
                if self.for_ is None
                else _Silent(device.id, scope.now, self.for_)
            )
            scope.listen_arrivals(device.id, node.take)
            return node

        return any_device(scope, make)

    def describe(self) -> Text:
        """See the base."""
        if self.for_ is None:
            return Text(
                en="nothing arrives for three times as long as usual for the device at this hour",
                zh="设备无数据上报的时间达到其在该时段通常间隔的三倍",
            )
        duration = write_duration(self.for_)
        return Text(en=f"nothing arrives for {duration}", zh=f"设备持续 {duration} 无数据上报")


class _Gap(NamedTuple):
    """What a device has not yet shown of the time in which it was silent.

    Attributes:
        begin: up to here it is known to have measured, UTC ns.
        end: from here on, likewise.
        step: ns that two of its readings may lie apart.
    """

    begin: int
    end: int
    step: int

    def fill(self, time: int) -> "_Gap":
        """What is left of it after a reading of this time."""
        if self.begin < time <= self.begin + self.step:
            return self._replace(begin=time)
        if self.end - self.step <= time < self.end:
            return self._replace(end=time)
        return self

    @property
    def is_filled(self) -> bool:
        """Whether the device has measured all along."""
        return self.end - self.begin <= self.step


class _Silent(Node):
    """Silent once nothing has arrived for so long.

    When the silence is over, readings that were measured in it may follow, newest or oldest first: once they leave no
    gap, it was the connection that was out and not the device.
    """

    __slots__ = ("_allowed", "_amendment", "_device", "_gap", "_heard", "_last", "_listening", "_newest", "_silence")

    def __init__(self, device: str, now: int, allowed: int) -> None:
        super().__init__()
        self._device = device
        self._allowed: int | None = allowed
        self._last, self._heard = now, False
        self._listening = now  # since when it could be heard
        self._newest = 0  # of its readings' own times
        self._silence = 0  # how long it is, or the last one was
        self._gap: _Gap | None = None
        self._amendment = ""
        self.due = now + allowed

    def take(self, reading: Reading) -> bool:
        """See `TakeArrival`. Where nothing changes, `due` stays: it is moved once it has come."""
        if self.truth or self._gap is not None or not self._heard:
            return self._return(reading)
        if reading.received > self._last:  # noqa: PLR1730 - every arrival comes through here
            self._last = reading.received
        if reading.time > self._newest:  # noqa: PLR1730 - likewise
            self._newest = reading.time
        return False

    def _hear(self, received: int) -> None:
        """Something has arrived."""
        self._last = received

    def _return(self, reading: Reading) -> bool:
        """It is the first that is heard, or the first after a silence, or may fill the gap of one."""
        truth = self.truth
        if truth:
            self._silence = reading.received - self._last
            if self._heard:
                self._gap = _Gap(min(self._newest, self._last), reading.received, self._allowed or 0)
        self._hear(max(reading.received, self._last))
        self._heard = True
        self._look(self._last)
        if self._gap is not None:
            self._fill(self._gap, reading.time)
        self._newest = max(self._newest, reading.time)
        return self.truth is not truth or self._amendment != ""

    def _look(self, time: int) -> None:
        """Sets truth and due."""
        end = max(self._last, self._listening) + (self._allowed or 0)
        self.truth, self.due = (True, None) if time >= end else (False, end)

    def _fill(self, gap: _Gap, time: int) -> None:
        gap = gap.fill(time)
        self._gap = None if gap.is_filled else gap
        if gap.is_filled:
            self._amendment = "was_reporting"

    def resume(self, time: int) -> None:
        """See the base."""
        if not self.truth:
            self._listening = max(self._listening, time)
            self._look(time)

    def advance(self, time: int) -> None:
        """See the base."""
        self._look(time)
        if self.truth:
            self._silence = time - self._last

    def amendment(self) -> str:
        """`was_reporting`, where the gap is filled."""
        amendment, self._amendment = self._amendment, ""
        return amendment

    def evidence(self) -> Evidence:
        """How long it is silent, or was; and when it was last heard of."""
        details: dict[str, Value] = {"last_heard": format_rfc3339(self._last) if self._heard else "never"}
        limit = None if self._allowed is None else self._allowed / _SECOND
        return Evidence(self._device, "silence", self._silence / _SECOND, limit, "s", details)

    def snapshot(self) -> list[Any]:
        """See the base."""
        gap = None if self._gap is None else list(self._gap)
        return [
            self.truth, self.due, self._last, self._heard, self._listening, self._newest, self._silence, gap,
            self._amendment,
        ]  # fmt: skip

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        (
            self.truth, self.due, self._last, self._heard, self._listening, self._newest, self._silence, gap,
            self._amendment,
        ) = state  # fmt: skip
        self._gap = None if gap is None else _Gap(*gap)


class _Overdue(_Silent):
    """Silent once nothing has arrived for much longer than is usual at the hour; looks again whenever an hour ends."""

    __slots__ = ("_cadence",)

    def __init__(self, device: str, now: int, cadence: Cadence) -> None:
        super().__init__(device, now, 0)
        self._cadence = cadence
        self._allowed = None
        self.due = (now // _HOUR + 1) * _HOUR

    def take(self, reading: Reading) -> bool:
        """See `TakeArrival`."""
        if self.truth or self._gap is not None or not self._heard:
            return self._return(reading)
        self._hear(max(reading.received, self._last))
        self._newest = max(reading.time, self._newest)
        return False

    def _hear(self, received: int) -> None:
        self._last = received
        self._cadence.hear(received, flagged=bool(self.truth))

    def resume(self, time: int) -> None:
        """See the base."""
        if not self.truth:
            self._cadence.skip(time)
            self._look(time)

    def _look(self, time: int) -> None:
        overdue, self.due = self._cadence.judge(time)
        if overdue:
            self.truth, self.due = True, None
            self._allowed = self._cadence.allow(time)
        elif overdue is not None or self.truth is not None:
            self.truth = False

    def snapshot(self) -> list[Any]:
        """See the base."""
        return [super().snapshot(), self._allowed, self._cadence.snapshot()]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        silent, self._allowed, cadence = state
        super().restore(silent)
        self._cadence.restore(cadence)
