"""Mutes: maintenance windows and shelved alerts. While one holds, alerts are remembered and no ticket is opened."""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from rules.alerts import Subject, SubjectKind
from rules.site import Site


class Mute(Struct, frozen=True):
    """What is kept quiet, and for how long.

    Attributes:
        id: of its record at the desk.
        kind: maintenance: work is being done there; shelf: somebody put an alert aside (ISA-18.2: shelve).
        begin: first nanosecond, UTC.
        end: first nanosecond after; there is always an end.
        rules: ids of rules; empty: all.
        subjects: devices and places; a device stands for what hangs below it, a place for what is in it, the site for
            everything.
    """

    id: int
    kind: Literal["maintenance", "shelf"]
    begin: int
    end: int
    subjects: tuple[Subject, ...]
    rules: tuple[str, ...] = ()

    def covers(self, rule: str, subject: Subject, time: int, site: Site) -> bool:
        """Whether an alert is kept quiet at a moment (UTC ns)."""
        if not self.begin <= time < self.end or (self.rules and rule not in self.rules):
            return False
        return any(each in self.subjects for each in find_surroundings(subject, site))

    def __str__(self) -> str:
        """As it stands in an order's reason: `maintenance 12`."""
        return f"{self.kind} {self.id}"


def find_surroundings(subject: Subject, site: Site) -> Iterator[Subject]:
    """The subject itself and all that it hangs below or lies in."""
    yield subject
    if subject.kind == "device":
        for ancestor in site.ancestors(subject.id):
            yield Subject("device", ancestor)
        device = site.devices.get(subject.id)
        if device is not None:
            places = (site.subject_of(device, kind) for kind in ("area", "floor", "building"))
            yield from (place for place in places if place is not None)
    elif subject.kind != "site":
        ids = subject.id.split("/")
        levels: tuple[tuple[SubjectKind, int], ...] = (("floor", 2), ("building", 1))
        for kind, depth in levels:
            if len(ids) > depth:
                yield Subject(kind, "/".join(ids[:depth]))
    yield Subject("site", site.id)
