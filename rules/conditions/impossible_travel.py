"""`impossible_travel`: a credential at two places sooner than anybody can walk from one to the other."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from devices.durations import NANOSECONDS, write_duration
from devices.reading import Reading, Value
from devices.register import Device, Duration, Text
from rules.alerts import Evidence
from rules.conditions.momentary import Lasting, Momentary, credential_details
from rules.conditions.node import Node, Scope
from rules.occupancy import credential_of
from rules.recent import Recent

_WITHIN = 2 * NANOSECONDS["m"]
_USES = frozenset({"granted", "denied", "passback", "duress"})
"""Events that show where a credential is, whether it was let in or not."""


class ImpossibleTravel(Momentary):
    """A credential that is used in two buildings within a time in which nobody gets from one to the other.

    The path is followed over all doors of the site; an alert is about the door where the credential turned up
    last, so the rule's selection says at which doors that matters. With `per: site` one alert speaks for all.
    """

    summary: ClassVar[str] = "a credential at two places sooner than anybody can get from one to the other"

    between: Literal["building", "floor"] = Field("building", description="What counts as two places.")
    within: Duration = Field(_WITHIN, description="The least time that the way between two of them takes.")

    def fits(self, device: Device) -> str:
        """See the base."""
        return "no door" if device.kind != "door" else "" if self._place(device) else f"no {self.between}"

    def build(self, scope: Scope) -> Node:
        """See the base."""
        places = {device.id: place for device in scope.site.register if (place := self._place(device))}
        node = _Travel(places, {device.id for device in scope.devices}, self.within, self.hold)
        for door in places:
            scope.listen(door, "event", node.take)
        return node

    def _place(self, device: Device) -> str:
        """Where a door is, as far as places are told apart; "" for what is no door, or is nowhere."""
        if device.kind != "door" or not getattr(device, self.between):
            return ""
        return device.building if self.between == "building" else f"{device.building}/{device.floor}"

    def describe(self) -> Text:
        """See the base."""
        within, is_building = write_duration(self.within), self.between == "building"
        return Text(
            en=f"a credential is used {'in two buildings' if is_building else 'on two floors'} within {within}",
            zh=f"同一凭证在 {within} 内先后出现在两个{'楼栋' if is_building else '楼层'}",
        )


class _Travel(Lasting):
    """Where each credential was last, for as long as that matters."""

    __slots__ = ("_doors", "_own", "_places", "_within")

    def __init__(self, places: dict[str, str], own: set[str], within: int, hold: int) -> None:
        super().__init__(hold)
        self._places, self._own, self._within = places, own, within
        self._doors: Recent[str, str] = Recent()  # credential: the door of its last use

    def take(self, value: Value, reading: Reading) -> bool:
        """See `Take`."""
        credential = credential_of(reading) if value in _USES else ""
        if not credential:
            return False
        time = reading.time
        self._doors.forget(time - self._within)
        since, door = self._doors.get(credential) or (time, reading.device)
        if time >= since:
            self._doors.put(credential, time, reading.device)
        took = abs(time - since)  # the doors' readings may arrive in another order than people walk
        if self._places.get(door) == self._places[reading.device] or took >= self._within:
            return False
        if reading.device not in self._own:
            return False
        details = {**credential_details(reading), "from": door, "to": reading.device}
        took_s, within_s = took / NANOSECONDS["s"], self._within / NANOSECONDS["s"]
        return self.show(time, Evidence(reading.device, "travel", took_s, within_s, "s", details))

    def snapshot(self) -> list[Any]:
        """See the base."""
        return [super().snapshot(), self._doors.snapshot()]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        lasting, doors = state
        super().restore(lasting)
        self._doors.restore(doors)
