"""A node alone, outside of an engine: it is told values and time, and held to what every node promises."""

from collections.abc import Mapping

import msgspec

from devices.reading import Reading, Value
from rules.alerts import Subject
from rules.conditions.node import Condition, Take, TakeArrival, TakeCount, TakeStep
from rules.site import Site
from tests.rulebench import at


def say(device: str, time: str | int, points: Mapping[str, Value]) -> Reading:
    """A reading of points by their names, which arrives at once."""
    moment = at(time) if isinstance(time, str) else time
    return Reading(device, moment, moment, dict(points))


class Alone:
    """A node of a condition for a subject, and its scope."""

    def __init__(self, condition: Condition, site: Site, subject: Subject, now: int = 0) -> None:
        self.site, self.subject, self.now = site, subject, now
        self.devices = site.group(list(site.register), subject.kind)[subject]
        self._takes: list[tuple[str, str, Take]] = []
        self._counts: list[tuple[str, TakeCount]] = []
        self.node = condition.build(self)

    def listen(self, device: str, point: str, take: Take) -> None:
        assert device in self.site.devices
        self._takes.append((device, point, take))

    def listen_arrivals(self, device: str, take: TakeArrival) -> None:
        raise NotImplementedError

    def listen_steps(self, device: str, point: str, take: TakeStep) -> None:
        raise NotImplementedError

    def listen_occupancy(self, area: str, take: TakeCount) -> None:
        self._counts.append((area, take))

    def hear(self, reading: Reading) -> object:
        """Gives the node what it listens to; what it says then."""
        for point, value in reading.values.items():
            for device, wanted, take in self._takes:
                if (device, wanted) == (reading.device, point):
                    before = self.node.truth, self.node.due
                    self._check(before, weighed=take(value, reading))
        return self.said

    def count(self, area: str, people: int, seen: int) -> object:
        """Likewise, a number of people."""
        for wanted, take in self._counts:
            if wanted == area:
                before = self.node.truth, self.node.due
                self._check(before, weighed=take(people, seen))
        return self.said

    def _check(self, before: tuple[bool | None, int | None], *, weighed: bool) -> None:
        truth, due = before
        if not weighed:
            assert self.node.truth is truth
            assert self.node.due is None or (due is not None and self.node.due >= due)

    def pass_time(self, time: int) -> list[object]:
        """Time passes; what the node says at each moment when it is due."""
        said: list[object] = []
        while (due := self.node.due) is not None and due <= time:
            self.node.advance(due)
            assert self._is_due_after(due)
            said.append((due, self.said))
        return said

    def _is_due_after(self, time: int) -> bool:
        return self.node.due is None or self.node.due > time

    @property
    def said(self) -> object:
        return self.node.truth, self.node.due, self.node.evidence()

    def go_on_from(self, other: "Alone") -> None:
        """Restores a snapshot of another one's node, as it comes back from a file."""
        self.node.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(other.node.snapshot())))
        assert self.said == other.said
