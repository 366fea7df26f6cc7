"""Plans: which watches a device's readings concern. Made once; judging a reading only follows them."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

from devices.counting.facts import find_facts
from devices.register import Device
from rules.alerts import Subject
from rules.conditions.node import Take, TakeArrival, TakeCount, TakeStep
from rules.coverage import find_coverage
from rules.gate import Gate, Timetable
from rules.occupancy import Occupancy
from rules.pace import Pace
from rules.rule import Rule
from rules.site import Site
from rules.sources import Meter, Source
from rules.watch import Clock, Watch

Listener: TypeAlias = tuple[str, Take, Watch | None]
"""The point whose values it takes, and the watch to weigh where the answer is True; None for a source."""

ArrivalListener: TypeAlias = tuple[TakeArrival, Watch]
"""Who takes every reading, and the watch to weigh where the answer is True."""


class Plan:
    """What is done with the readings of one device.

    Attributes:
        pace: how they come.
        listeners: who takes their values; sources, which work something out for several watches, come first.
        arrivals: who takes every reading.
        watches: those that live in the device's time.
    """

    __slots__ = ("arrivals", "listeners", "pace", "watches")

    def __init__(self, device: str) -> None:
        self.pace = Pace(device)
        self.listeners: tuple[Listener, ...] = ()
        self.arrivals: tuple[ArrivalListener, ...] = ()
        self.watches: list[Watch] = []

    @property
    def points(self) -> Sequence[str]:
        """What is listened to."""
        return list(dict.fromkeys(point for point, _, _ in self.listeners))

    def hear(self, point: str, take: Take, watch: Watch | None) -> None:
        """Has a watch's node take the values of a point, or a source."""
        self.listeners += ((point, take, watch),)

    def arrange(self) -> None:
        """Puts sources first, then watches by their rules."""
        self.listeners = tuple(sorted(self.listeners, key=lambda entry: -1 if entry[2] is None else entry[2].order))
        self.arrivals = tuple(sorted(self.arrivals, key=lambda entry: entry[1].order))


class Wiring:
    """All watches of a site's rules, and what they listen to.

    Attributes:
        plans: by device.
        watches: by rule and subject, in order.
        sources: by what they are about, such as ("meter", "wm-a-01", "volume_m3").
        conditions: fingerprint of what each rule says its condition is.
    """

    def __init__(self, rules: Sequence[Rule], site: Site, clock: Clock) -> None:
        self.plans: dict[str, Plan] = {}
        self.watches: dict[tuple[str, Subject], Watch] = {}
        self.sources: dict[tuple[str, ...], Source] = {}
        self.conditions: dict[str, bytes] = {}
        self._site, self._clock = site, clock
        self._timetables: dict[tuple[tuple[str, ...], tuple[str, ...]], Timetable] = {}
        jobs = [job for rule in rules if rule.enabled for job in self._plan_rule(rule)]
        places = {device.id: place for place, device in enumerate(site.register)}
        # Device by device, so that what one reading needs lies together in memory.
        for order in sorted(range(len(jobs)), key=lambda order: places[jobs[order].devices[0].id]):
            self._wire(jobs[order], order)
        self.watches = dict(sorted(self.watches.items(), key=lambda entry: entry[1].order))
        for plan in self.plans.values():
            plan.arrange()

    def _plan_rule(self, rule: Rule) -> "Iterator[_Job]":
        """The watches that a rule needs."""
        self.conditions[rule.id] = _hash([rule.per, rule.condition_text])
        timetable = self._find_timetable(tuple(rule.active or ()), tuple(rule.mute or ()))
        for subject, devices in find_coverage(rule, self._site).subjects.items():
            yield _Job(rule, timetable, subject, devices)

    def _wire(self, job: "_Job", order: int) -> None:
        rule, timetable, subject, devices = job
        now = self._clock.now
        scope = _Scope(subject, devices, self._site, now)
        node = rule.when.build(scope)
        watch = Watch(rule, subject, node, Gate(timetable, now), self._clock, order)
        watch.fingerprint = _hash([self.conditions[rule.id].hex(), *scope.facts()])
        self.watches[rule.id, subject] = watch
        self._connect(scope, watch)
        watch.plan()

    def _find_timetable(self, active: tuple[str, ...], mute: tuple[str, ...]) -> Timetable:
        timetable = self._timetables.get((active, mute))
        if timetable is None:
            find = self._site.calendars.find
            timetable = Timetable([find(name) for name in active], [find(name) for name in mute], self._site.zone)
            self._timetables[active, mute] = timetable
        return timetable

    def _connect(self, scope: "_Scope", watch: Watch) -> None:
        heard: dict[str, Plan] = {}
        for device, point, take in scope.values:
            heard[device] = plan = self._plan(device)
            plan.hear(point, take, watch)
        for device, point, take_step in scope.steps:
            heard[device] = self._plan(device)
            self._meter(device, point).listeners += ((take_step, watch),)
        for area, take_count in scope.counts:
            occupancy = self._occupancy(area)
            occupancy.listeners.append((take_count, watch))
            heard |= {door: self._plan(door) for door in occupancy.doors}
        arrivals = {device: self._plan(device) for device, _ in scope.arrivals}
        for device, take_arrival in scope.arrivals:
            arrivals[device].arrivals += ((take_arrival, watch),)
        if len(heard) == 1 and arrivals.keys() <= heard.keys():
            (plan,) = heard.values()
            plan.watches.append(watch)
            watch.pace = plan.pace

    def _plan(self, device: str) -> Plan:
        plan = self.plans.get(device)
        if plan is None:
            plan = self.plans[device] = Plan(device)
        return plan

    def _meter(self, device: str, point: str) -> Meter:
        key = ("meter", device, point)
        source = self.sources.get(key)
        if not isinstance(source, Meter):
            register = self._site.register
            source = self.sources[key] = Meter(find_facts(register, self._site.devices[device], point))
            self._plan(device).hear(point, source.take, None)
        return source

    def _occupancy(self, area: str) -> Occupancy:
        key = ("occupancy", area)
        source = self.sources.get(key)
        if not isinstance(source, Occupancy):
            source = self.sources[key] = Occupancy(area, self._site)
            for door in source.doors:
                self._plan(door).hear("event", source.take, None)
        return source


class _Job(NamedTuple):
    """A watch that is to be made."""

    rule: Rule
    timetable: Timetable
    subject: Subject
    devices: tuple[Device, ...]


class _Scope:
    """See `rules.conditions.node.Scope`."""

    def __init__(self, subject: Subject, devices: tuple[Device, ...], site: Site, now: int) -> None:
        self.subject, self.devices, self.site, self.now = subject, devices, site, now
        self.values: list[tuple[str, str, Take]] = []
        self.arrivals: list[tuple[str, TakeArrival]] = []
        self.steps: list[tuple[str, str, TakeStep]] = []
        self.counts: list[tuple[str, TakeCount]] = []

    def listen(self, device: str, point: str, take: Take) -> None:
        """See the protocol."""
        self.values.append((device, point, take))

    def listen_arrivals(self, device: str, take: TakeArrival) -> None:
        """See the protocol."""
        self.arrivals.append((device, take))

    def listen_steps(self, device: str, point: str, take: TakeStep) -> None:
        """See the protocol."""
        self.steps.append((device, point, take))

    def listen_occupancy(self, area: str, take: TakeCount) -> None:
        """See the protocol."""
        self.counts.append((area, take))

    def facts(self) -> Iterable[str]:
        """What the node was made from, beside the rule: its devices, what is known of them, and what it listens to."""
        for device in self.devices:
            yield (
                f"{device.id} {device.nominal_voltage} {device.current_limit} {device.flow_limit} {device.interval}"
                f" {device.direction}"
            )
        yield self.site.zone.key
        for name, point, _ in (*self.values, *self.steps):
            yield f"{name} {point}"
        for name, _ in (*self.arrivals, *self.counts):
            yield name


def _hash(texts: Iterable[str]) -> bytes:
    return blake2b("\n".join(texts).encode(), digest_size=8).digest()
