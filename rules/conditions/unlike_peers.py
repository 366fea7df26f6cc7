"""`unlike_peers`: a device unlike the others of its group, by median and median absolute deviation."""

from collections.abc import Sequence
from math import isfinite
from statistics import median
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import BeforeValidator, Field

from devices.counting.steps import LEFT_OUT, Step
from devices.durations import NANOSECONDS
from devices.points import POINTS
from devices.reading import Reading, Value
from devices.register import Device, Text
from rules.alerts import Evidence
from rules.bounds import PointName
from rules.conditions.logic import any_device
from rules.conditions.meters import explain_missing
from rules.conditions.node import Condition, Node, Scope
from rules.conditions.unlike_usual import check_number, find_unit
from rules.site import Site

PEERS_MIN, PEERS_MAX = 5, 30
"""With fewer it says nothing; of more, the nearest in the register are taken."""

SENSITIVITIES = {"low": 10.0, "medium": 6.0, "high": 3.5}
"""How many usual deviations of the group; 3.5 is what Iglewicz and Hoaglin recommend (How to Detect and Handle
Outliers, ASQC 1993)."""

_HOUR = NANOSECONDS["h"]
_INTERVALS_FRESH = 3
_NORMAL = 1.4826
"""Standard deviations of a normal law in a median absolute deviation."""
_SENSITIVITY_MIN, _SENSITIVITY_MAX = 1, 1000
_DEVIATION_MIN = 0.02
"""Of the median: no group is ever taken to be more even than that."""
_PLACES = ("area", "floor", "building")


def _read_sensitivity(value: object) -> object:
    if isinstance(value, str) and value in SENSITIVITIES:
        return SENSITIVITIES[value]
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not _SENSITIVITY_MIN <= value <= _SENSITIVITY_MAX
    ):
        raise ValueError(f"expected low, medium, high, or a number of usual deviations from 1 to 1000, got {value!r}")
    return float(value)


def _check_group(name: str) -> str:
    if name != "kind" and name not in _PLACES and not (name.startswith("tag:") and len(name) > len("tag:")):
        raise ValueError(f"expected kind, area, floor, building, or tag:NAME with a tag's name, got {name!r}")
    return name


GroupName: TypeAlias = Annotated[str, BeforeValidator(_check_group)]


class UnlikePeers(Condition):
    """A value far from those of the other devices of its kind in its group, at about the same time.

    Values are compared as they are, registers by their rate: group what should be alike. At least five others must have
    said something within three intervals; of more than thirty, those nearest in the register are taken.
    """

    summary: ClassVar[str] = "unlike the other devices of its group"

    point: Annotated[PointName, BeforeValidator(check_number)] = Field(
        description="What is compared; of a register, its rate."
    )
    group_by: GroupName = Field(
        description="What the devices have in common beside their kind: kind, area, floor, building, tag:NAME."
    )
    sensitivity: Annotated[float, BeforeValidator(_read_sensitivity)] = Field(
        SENSITIVITIES["medium"],
        description="low, medium, high, or how many usual deviations of the group.",
        json_schema_extra={"anyOf": [{"enum": list(SENSITIVITIES)}, {"type": "number", "minimum": 1}]},
    )

    def fits(self, device: Device) -> str:
        """A register that its kind does not have, or no such place or tag."""
        if POINTS[self.point].kind == "register" and (missing := explain_missing(device, self.point)):
            return missing
        return "" if self._group_of(device) else f"no {self.group_by.removeprefix('tag:')}"

    def _group_of(self, device: Device) -> tuple[str, ...]:
        """What it shares with its peers; empty where it has none."""
        if self.group_by == "kind":
            return (device.kind,)
        if self.group_by.startswith("tag:"):
            tag = device.tags.get(self.group_by.removeprefix("tag:"))
            return (device.kind, str(tag)) if tag is not None else ()
        names = [getattr(device, place) for place in _PLACES[_PLACES.index(self.group_by) :]]
        return (device.kind, *names) if all(names) else ()

    def _find_peers(self, device: Device, site: Site) -> list[str]:
        group = self._group_of(device)
        members = [other.id for other in site.register if self._group_of(other) == group]
        place = members.index(device.id)
        first = max(0, min(place - PEERS_MAX // 2, len(members) - PEERS_MAX - 1))
        return [other for other in members[first : first + PEERS_MAX + 1] if other != device.id]

    def build(self, scope: Scope) -> Node:
        """A node that knows the last value of each peer."""

        def make(device: Device) -> Node:
            fresh = max((device.interval or 0) * _INTERVALS_FRESH, _HOUR)
            node = _Among(self.point, device.id, self._find_peers(device, scope.site), self.sensitivity, fresh)
            for place, member in enumerate(node.members):
                listener = _Listener(node, place)
                if POINTS[self.point].kind == "register":
                    scope.listen_steps(member, self.point, listener.take_step)
                else:
                    scope.listen(member, self.point, listener.take)
            return node

        return any_device(scope, make)

    def describe(self) -> Text:
        """See the base."""
        group = self.group_by.removeprefix("tag:")
        return Text(
            en=f"{self.point} is {self.sensitivity:g} usual deviations"
            f" from the median of the devices of the same {group}",
            zh=f"{self.point} 偏离同一 {group} 内同类设备中位数 {self.sensitivity:g} 倍通常偏差",
        )


class _Listener:
    """Takes the values of one member of the group."""

    __slots__ = ("_node", "_place")

    def __init__(self, node: "_Among", place: int) -> None:
        self._node, self._place = node, place

    def take(self, value: Value, reading: Reading) -> bool:
        """See `Take`."""
        return self._node.hear(self._place, value, reading.time)  # type: ignore[arg-type] # a point's type is fixed

    def take_step(self, step: Step) -> bool:
        """See `TakeStep`."""
        if step.is_gap or step.kind in LEFT_OUT or step.end <= step.begin:
            return False
        return self._node.hear(self._place, step.amount * _HOUR / (step.end - step.begin), step.end)


class _Among(Node):
    """One device among its peers; judged where it says something itself.

    Attributes:
        members: the device, then its peers.
    """

    __slots__ = ("_fresh_ns", "_limit", "_median", "_peers", "_point", "_reach", "_times", "_values", "members")

    def __init__(self, point: str, device: str, peers: Sequence[str], limit: float, fresh_ns: int) -> None:
        super().__init__()
        self.members = (device, *peers)
        self._point, self._limit, self._fresh_ns = point, limit, fresh_ns
        self._values = [0.0] * len(self.members)
        self._times: list[int | None] = [None] * len(self.members)
        self._peers = 0
        self._median = self._reach = 0.0

    def hear(self, place: int, value: float, time: int) -> bool:
        """Takes a member's value; of the device itself, judges it."""
        if not isfinite(value):
            return False
        self._values[place], self._times[place] = value, time
        if place:
            return False
        truth = self._judge(value, time)
        if truth is self.truth:
            return False
        self.truth = truth
        return True

    def _judge(self, value: float, time: int) -> bool | None:
        oldest = time - self._fresh_ns
        times = self._times
        fresh = [v for v, t in zip(self._values[1:], times[1:], strict=True) if t is not None and t >= oldest]
        self._peers = len(fresh)
        if len(fresh) < PEERS_MIN:
            return None
        self._median = middle = median(fresh)
        deviation = _NORMAL * median(abs(other - middle) for other in fresh)
        self._reach = self._limit * max(deviation, _DEVIATION_MIN * abs(middle))
        return abs(value - middle) > self._reach

    def evidence(self) -> Evidence:
        """The value, what it passed, and the group's median; or that there are too few peers."""
        value = self._values[0] if self._times[0] is not None else None
        unit = find_unit(self._point)
        if self.truth is None or value is None:
            return Evidence(self.members[0], self._point, value, None, unit, {"peers": f"{self._peers} of {PEERS_MIN}"})
        limit = self._median + (self._reach if value > self._median else -self._reach)
        details: dict[str, Value] = {"median": self._median, "peers": float(self._peers)}
        return Evidence(self.members[0], self._point, value, limit, unit, details)

    def snapshot(self) -> list[Any]:
        """See the base; by the members' ids, for the register may change."""
        heard = {
            member: [value, time]
            for member, value, time in zip(self.members, self._values, self._times, strict=True)
            if time is not None
        }
        return [self.truth, self._peers, self._median, self._reach, heard]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        self.truth, self._peers, self._median, self._reach, heard = state
        for place, member in enumerate(self.members):
            if member in heard:
                self._values[place], self._times[place] = heard[member]
