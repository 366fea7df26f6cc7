"""Plans: which watches a device's readings concern. Made once; judging a reading only follows them."""

from collections.abc import Sequence
from typing import NamedTuple

from devices.counting.facts import find_facts
from devices.register import Device
from rules.alerts import Subject
from rules.conditions.node import Take, TakeArrival, TakeCount, TakeStep
from rules.gate import Gate
from rules.occupancy import Occupancy
from rules.rule import Rule
from rules.site import Site
from rules.sources import Meter, Source
from rules.watch import Clock, Watch


class Plan:
    """What is done with the readings of one device.

    Attributes:
        listeners: by point, who takes its values, and the watch to weigh where the answer is True.
        sources: by point, what works something out of its values for several watches.
        arrivals: who takes every reading.
        watches: all that the device's readings concern, each once.
        lag: ns by which the device's readings are behind, where that is more than they should; else 0.
    """

    __slots__ = ("arrivals", "lag", "listeners", "sources", "watches")

    def __init__(self) -> None:
        self.listeners: dict[str, list[tuple[Take, Watch]]] = {}
        self.sources: dict[str, list[Source]] = {}
        self.arrivals: list[tuple[TakeArrival, Watch]] = []
        self.watches: list[Watch] = []
        self.lag = 0


class Unfit(NamedTuple):
    """A selected device that a rule cannot judge, and why."""

    rule: str
    device: str
    reason: str


class Wiring:
    """All watches of a site's rules, and what they listen to.

    Attributes:
        plans: by device.
        watches: by rule and subject, in order.
        sources: by what they are about, such as ("meter", "wm-a-01", "volume_m3").
        unfit: devices that were selected and left out.
    """

    def __init__(self, rules: Sequence[Rule], site: Site, clock: Clock) -> None:
        self.plans: dict[str, Plan] = {}
        self.watches: dict[tuple[str, Subject], Watch] = {}
        self.sources: dict[tuple[str, ...], Source] = {}
        self.unfit: list[Unfit] = []
        self._site, self._clock = site, clock
        for rule in rules:
            if rule.enabled:
                self._wire(rule)

    def _wire(self, rule: Rule) -> None:
        devices = []
        for device in rule.select.pick(self._site.register):
            reason = rule.when.fits(device)
            if reason:
                self.unfit.append(Unfit(rule.id, device.id, reason))
            else:
                devices.append(device)
        calendars = self._site.calendars
        for subject, members in self._site.group(devices, rule.per).items():
            scope = _Scope(subject, members, self._site)
            node = rule.when.build(scope)
            gate = Gate(
                [calendars.find(name) for name in rule.active or ()],
                [calendars.find(name) for name in rule.mute or ()],
                self._site.zone,
                self._clock.now,
            )
            watch = Watch(rule, subject, node, gate, self._clock, len(self.watches))
            self.watches[rule.id, subject] = watch
            self._connect(scope, watch)

    def _connect(self, scope: "_Scope", watch: Watch) -> None:
        for device, point, take in scope.values:
            self._plan(device, watch).listeners.setdefault(point, []).append((take, watch))
        for device, take_arrival in scope.arrivals:
            self._plan(device, watch).arrivals.append((take_arrival, watch))
        for device, point, take_step in scope.steps:
            self._meter(device, point).listeners.append((take_step, watch))
            self._plan(device, watch)
        for area, take_count in scope.counts:
            occupancy = self._occupancy(area)
            occupancy.listeners.append((take_count, watch))
            for door in occupancy.doors:
                self._plan(door, watch)

    def _plan(self, device: str, watch: Watch) -> Plan:
        plan = self.plans.setdefault(device, Plan())
        if watch not in plan.watches:
            plan.watches.append(watch)
        return plan

    def _meter(self, device: str, point: str) -> Meter:
        key = ("meter", device, point)
        source = self.sources.get(key)
        if not isinstance(source, Meter):
            register = self._site.register
            source = self.sources[key] = Meter(find_facts(register, self._site.devices[device], point))
            self.plans.setdefault(device, Plan()).sources.setdefault(point, []).append(source)
        return source

    def _occupancy(self, area: str) -> Occupancy:
        key = ("occupancy", area)
        source = self.sources.get(key)
        if not isinstance(source, Occupancy):
            source = self.sources[key] = Occupancy(area, self._site)
            for door in source.doors:
                self.plans.setdefault(door, Plan()).sources.setdefault("event", []).append(source)
        return source


class _Scope:
    """See `rules.conditions.node.Scope`."""

    def __init__(self, subject: Subject, devices: tuple[Device, ...], site: Site) -> None:
        self.subject, self.devices, self.site = subject, devices, site
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
