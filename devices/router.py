"""The router: which devices a topic may speak of, and how its payloads are read."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from devices.errors import Undecodable, Unroutable
from devices.formats.sparkplug import Host, split_address
from devices.language.forms import ReadForm, compile_form
from devices.language.openers import Toolbox
from devices.language.profile import Form, Profile
from devices.language.sources import PULSE
from devices.language.switch import Gates, compile_switch, find_gates
from devices.points import POINTS
from devices.register import Device, Register
from devices.topics import DEVICE, SITE, has_wildcard, list_parts, reduce_filters, to_filter
from devices.topictree import TopicTree
from devices.values import suggest

_NO_PARTS: Mapping[str, str] = {}
_FOUND_MOST = 10_000
_SPARKPLUG = "sparkplug_b"


class Target(NamedTuple):
    """A device, and what its record adds to what it says.

    Attributes:
        id: in the register.
        factors: points, and what their values are multiplied by; 0 for pulses that nobody has given a weight, None for
            pulses whose weight says that they count something else: ratios of transformers, the weight of a pulse.
        direction: the way through which a door's reader lets people, "" where it is not known.
    """

    id: str
    factors: tuple[tuple[str, float | None], ...] = ()
    direction: str = ""


class Leg(NamedTuple):
    """One way in which the messages of a topic are read.

    Attributes:
        read: reads them.
        target: the device of the topic; None where the message names it.
        parts: the named parts of the topic.
        members: devices by the addresses that messages give.
        profile: id of the profile.
        quiet: devices that are not in the register are left out without a word.
        gates: what its form asks of a message; None where it is no JSON.
        stranger: the address in the topic, where no device has it; else "".
        settled: a message is known to be what the form asks for.
    """

    read: ReadForm
    target: Target | None
    parts: Mapping[str, str]
    members: Mapping[str, Target]
    profile: str
    quiet: bool
    gates: Gates | None
    stranger: str = ""
    settled: bool = False


class Route(NamedTuple):
    """All ways in which the messages of a topic are read.

    Attributes:
        legs: the ways.
        choose: leaves out those that cannot read a payload; None where all are to be tried.
    """

    legs: tuple[Leg, ...]
    choose: Callable[[bytes], Sequence[Leg]] | None = None


class _Branch(NamedTuple):
    """A form, made ready.

    Attributes:
        form: as the profile has it.
        profile: id of the profile.
        read: reads its messages.
        members: devices by address.
        by_topic: {device} of the topic is the address.
        gates: what the form asks of a message; None where it is no JSON.
        counted: its points that are counted in pulses.
    """

    form: Form
    profile: str
    read: ReadForm
    members: dict[str, Target]
    by_topic: bool
    gates: Gates | None
    counted: tuple[str, ...]

    def lead(self, parts: Mapping[str, str]) -> Leg:
        """The way to read a message on a topic with these parts."""
        target = self.members.get(parts["device"]) if self.by_topic else None
        quiet = self.form.strangers == "ignore"
        return Leg(self.read, target, parts, self.members, self.profile, quiet, self.gates)


class Router:
    """Finds the route of a topic. Its size is bounded, whatever arrives.

    Attributes:
        filters: the MQTT topic filters that catch what the devices publish, none of them covering another.
            Siteward's own topic is always among them, so that a device that is not in the register is noticed.
        host: what is known of Sparkplug's nodes; None where the register has none.
        windows: device id to the time (ns) within which the same content is the same event.
    """

    def __init__(self, register: Register, profiles: Mapping[str, Profile], site: str, zone: str) -> None:
        """Prepares the routes.

        Args:
            register: the devices.
            profiles: by id.
            site: id of the site, for topics that hold it.
            zone: IANA name of the site's time zone, for devices that send local time.

        Raises:
            Unroutable: a device names an unknown profile, cannot be heard, or is heard where another one is.
        """
        used = _find_profiles(register, profiles)
        self.host = _find_nodes(register, used)
        self.windows = _find_windows(register, used)
        self._site = site
        self._toolbox = Toolbox(zone, self.host)
        self._tree: TopicTree[_Branch] = TopicTree()
        self._routes: dict[str, Route] = {}
        self._owners: dict[str, str] = {}
        self._own: dict[int, ReadForm] = {}
        self._found: dict[str, Route] = {}  # where wildcards led, so that a topic is searched once
        branches = {name: self._prepare(profile) for name, profile in used.items()}
        for device in register:
            _check_wildcards(device)
            _check_pulses(device, branches[device.profile])
            if device.topic:
                self._give_topic(device, used[device.profile], branches[device.profile])
            else:
                self._give_address(device, used[device.profile], branches[device.profile])
        for topic, owner in self._owners.items():
            if topic not in self._routes:  # a topic of a profile: everything that has it is known by now
                self._routes[topic] = self._search(topic)
                others = {leg.target.id for leg in self._routes[topic].legs if leg.target} - {owner}
                if others:
                    raise Unroutable(owner, f"{topic!r} already belongs to {min(others)!r}")
        self.filters = reduce_filters([*self._list_filters(used), *self._routes])

    def find(self, topic: str) -> Route:
        """The route of a topic.

        Raises:
            Undecodable: it belongs to no device of the register.
        """
        route = self._routes.get(topic) or self._found.get(topic)
        if route is None:
            route = self._search(topic)
            if not any(leg.stranger for leg in route.legs):
                if len(self._found) >= _FOUND_MOST:
                    self._found.clear()
                self._found[topic] = route
        return route

    def _search(self, topic: str) -> Route:
        known: list[Leg] = []
        unknown: list[Leg] = []
        for branch, parts in self._tree.find(topic):
            leg = branch.lead(parts)
            if branch.by_topic and leg.target is None:
                unknown.append(leg._replace(stranger=parts["device"]))
            else:
                known.append(leg)
        if not any(leg.target for leg in known):
            known += unknown
        if known:
            return _join(known)
        raise Undecodable("no device has this topic", hint="name the topic in devices.yaml")

    # ── preparing ────────────────────────────────────────────────────────────────────────────────────────────────

    def _prepare(self, profile: Profile) -> list[_Branch]:
        """Compiles a profile's forms and puts them where their topics lead."""
        branches = []
        for form in profile.forms:
            for by_topic in sorted({form.is_named_by(topic) for topic in form.topics}) or [False]:
                read = compile_form(form, self._toolbox, by_topic=by_topic)
                branch = _Branch(form, profile.id, read, {}, by_topic, find_gates(form), _list_counted(form))
                branches.append(branch)
                for topic in form.topics:
                    if form.is_named_by(topic) == by_topic:
                        self._tree.add(topic.replace(SITE, self._site), branch)
        return branches

    def _give_topic(self, device: Device, profile: Profile, branches: list[_Branch]) -> None:
        """Makes a topic a device's own: whatever comes there is read as its."""
        if any(form.format == _SPARKPLUG for form in profile.forms):
            raise Unroutable(device.id, f"leave out its `topic`; profile {profile.id!r} goes by the address alone")
        self._claim(device.topic, device)
        self._routes[device.topic] = _join(
            Leg(
                self._compile_own(branch.form),
                _aim(device, branch),
                _NO_PARTS,
                branch.members,
                profile.id,
                branch.form.strangers == "ignore",
                branch.gates,
            )
            for branch in _first_of_each(branches)
        )

    def _compile_own(self, form: Form) -> ReadForm:
        if id(form) not in self._own:
            self._own[id(form)] = compile_form(form, self._toolbox, by_topic=True)
        return self._own[id(form)]

    def _give_address(self, device: Device, profile: Profile, branches: list[_Branch]) -> None:
        """Makes a device known by its address, in topics and in messages."""
        address = device.address or device.id
        if not any(form.topics for form in profile.forms):
            raise Unroutable(device.id, f"give it a `topic`; profile {profile.id!r} has none for all")
        for branch in branches:
            other = branch.members.setdefault(address, _aim(device, branch))
            if other.id != device.id:
                raise Unroutable(device.id, f"{address!r} already belongs to {other.id!r}")
            for topic in branch.form.topics if branch.by_topic else ():
                bare = topic.replace(SITE, self._site)
                if list_parts(bare) == ["device"] and not has_wildcard(bare):
                    name = bare.replace(DEVICE, address)
                    self._claim(name, device)
                    if "/" in address:  # which {device} alone does not match
                        self._tree.add_name(name, branch, {"device": address})
                elif "/" in address and DEVICE in bare:
                    raise Unroutable(device.id, f"expected no / in {address!r}, because {topic} has wildcards")

    def _claim(self, topic: str, device: Device) -> None:
        other = self._owners.setdefault(topic, device.id)
        if other != device.id:
            raise Unroutable(device.id, f"{topic!r} already belongs to {other!r}")

    def _list_filters(self, used: Mapping[str, Profile]) -> Iterator[str]:
        for profile in used.values():
            for form in profile.forms:
                if form.format != _SPARKPLUG:
                    yield from (to_filter(topic.replace(SITE, self._site)) for topic in form.topics)
        if self.host is not None:
            yield from self.host.filters


def _join(legs: Iterable[Leg]) -> Route:
    every = tuple(legs)
    return Route(every, compile_switch([(leg, leg.gates) for leg in every], lambda leg: leg._replace(settled=True)))


def _find_profiles(register: Register, profiles: Mapping[str, Profile]) -> dict[str, Profile]:
    """The profiles that the devices have, and Siteward's own."""
    used = {"canonical": profiles["canonical"]} if "canonical" in profiles else {}
    for device in register:
        if device.profile not in used:
            if device.profile not in profiles:
                hint = suggest(device.profile, profiles) or f"known are {', '.join(sorted(profiles))}"
                raise Unroutable(device.id, f"there is no profile {device.profile!r}; {hint}")
            used[device.profile] = profiles[device.profile]
    return used


def _find_nodes(register: Register, used: Mapping[str, Profile]) -> Host | None:
    speaking = {profile.id for profile in used.values() if any(form.format == _SPARKPLUG for form in profile.forms)}
    devices = [device for device in register if device.profile in speaking]
    for device in devices:
        try:
            split_address(device.address or device.id)
        except ValueError as error:
            raise Unroutable(device.id, str(error)) from None
    return Host([device.address or device.id for device in devices]) if devices else None


def _find_windows(register: Register, used: Mapping[str, Profile]) -> dict[str, int]:
    longest = {
        name: max((form.repeats for form in profile.forms if form.repeats), default=0) for name, profile in used.items()
    }
    return {device.id: longest[device.profile] for device in register if longest[device.profile]}


def _check_wildcards(device: Device) -> None:
    for text in (device.topic, device.address or device.id):
        if has_wildcard(text):
            raise Unroutable(device.id, f"expected no wildcard (+, #) in {text!r}")


def _check_pulses(device: Device, branches: Sequence[_Branch]) -> None:
    """Whoever can only send pulses needs a weight."""
    counted = {name: device.pulse_factor(name) for branch in branches for name in branch.counted}
    if counted and all(branch.counted for branch in branches if not branch.form.ignore) and not any(counted.values()):
        raise Unroutable(device.id, f"give it a `pulse_weight`: its profile counts {' or '.join(counted)} in pulses")


def _list_counted(form: Form) -> tuple[str, ...]:
    """The points that are counted in pulses."""
    return tuple(name for name, sources in form.points.items() if sources[0].unit == PULSE)


def _first_of_each(branches: Iterable[_Branch]) -> Iterable[_Branch]:
    """One branch a form: a form whose topics differ has two."""
    return {id(branch.form): branch for branch in branches}.values()


def _aim(device: Device, branch: _Branch) -> Target:
    """What a device's record does to readings of a form."""
    transformed = POINTS if device.ct_ratio or device.vt_ratio else ()
    factors: dict[str, float | None] = {name: factor for name in transformed if (factor := device.factor(name)) != 1}
    unknown = None if device.pulse_weight else 0.0
    factors |= {name: device.pulse_factor(name) or unknown for name in branch.counted}
    return Target(device.id, tuple(factors.items()), device.direction or "")
