"""`passback`: a credential that lets a second person in."""

from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from devices.durations import NANOSECONDS, write_duration
from devices.reading import Reading, Value
from devices.register import Device, Duration, Text
from rules.alerts import Evidence
from rules.conditions.logic import AnyOf
from rules.conditions.momentary import Lasting, Momentary, credential_details
from rules.conditions.node import Node, Scope
from rules.occupancy import PASSAGES, Boundary, credential_of
from rules.recent import Recent
from rules.site import area_of

_WITHIN = 15 * NANOSECONDS["m"]
_REPEATS = 30 * NANOSECONDS["s"]


class Passback(Momentary):
    """A credential that enters an area again and has not left it.

    The controller's own event `passback` counts at once. Beside that it is inferred from the readers on the ways in and
    out of the door's area (timed anti-passback), once one on a way out has been heard. It is meant for areas where
    every way out has a reader; where people leave by a button, only the controller's event should count.
    """

    summary: ClassVar[str] = "a credential enters an area again without having left it"

    within: Duration = Field(
        _WITHIN, description="How soon after the first entry; later, leaving may have been missed."
    )
    repeats: Duration = Field(_REPEATS, description="So soon after the first entry it is the same one, read again.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.repeats >= self.within:
            raise ValueError("repeats: expected less than within, or no entry can count")
        return self

    def fits(self, device: Device) -> str:
        """See the base."""
        return "no door" if device.kind != "door" else "" if device.area else "no area"

    def build(self, scope: Scope) -> Node:
        """See the base."""
        nodes = []
        for area in dict.fromkeys(map(area_of, scope.devices)):
            boundary = Boundary(area, scope.site)
            own = {device.id for device in scope.devices if area_of(device) == area}
            node = _Passback(self, boundary, own)
            for door in boundary.doors:
                scope.listen(door, "event", node.take)
            nodes.append(node)
        return nodes[0] if len(nodes) == 1 else AnyOf(nodes)

    def describe(self) -> Text:
        """See the base."""
        within = write_duration(self.within)
        return Text(
            en=f"a credential enters the area again within {within} and has not left it,"
            " or the controller says passback",
            zh=f"同一凭证在 {within} 内未离开又再次进入该区域，或控制器报告反潜回",
        )


class _Passback(Lasting):
    """One area: who came in lately and has not left."""

    __slots__ = ("_boundary", "_inside", "_own", "_repeats", "_tells_exits", "_within")

    def __init__(self, condition: Passback, boundary: Boundary, own: set[str]) -> None:
        super().__init__(condition.hold)
        self._boundary, self._own = boundary, own
        self._within, self._repeats = condition.within, condition.repeats
        self._inside: Recent[str, str] = Recent()  # credential: the door of the entry
        self._tells_exits = False

    def take(self, value: Value, reading: Reading) -> bool:
        """See `Take`."""
        if value == "passback" and reading.device in self._own:
            return self.show(
                reading.time, Evidence(reading.device, "event", "passback", details=credential_details(reading))
            )
        credential = credential_of(reading) if value in PASSAGES and "direction" in reading.values else ""
        if not credential:
            return False
        match self._boundary.enters(reading):
            case True:
                return self._enter(credential, reading)
            case False:
                self._tells_exits = True
                self._inside.drop(credential)
        return False

    def _enter(self, credential: str, reading: Reading) -> bool:
        time = reading.time
        self._inside.forget(time - self._within - 1)
        before = self._inside.get(credential)
        if before is not None and time - before[0] < self._repeats:
            return False
        self._inside.put(credential, time, reading.device)
        if before is None or not self._tells_exits or reading.device not in self._own:
            return False
        since, door = before
        after_s, within_s = (time - since) / NANOSECONDS["s"], self._within / NANOSECONDS["s"]
        details = {**credential_details(reading), "first_door": door}
        return self.show(time, Evidence(reading.device, "passback", after_s, within_s, "s", details))

    def snapshot(self) -> list[Any]:
        """See the base."""
        return [super().snapshot(), self._inside.snapshot(), self._tells_exits]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        lasting, inside, self._tells_exits = state
        super().restore(lasting)
        self._inside.restore(inside)
