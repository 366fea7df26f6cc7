"""The dispatcher: of all alerts, which become tickets, which join one, and which are only remembered.

Three things keep an alert from a ticket of its own:
    a mute      maintenance, or somebody shelved it; see rules/mutes.py
    a failure   something above it in the plant's tree has failed (a gateway, a controller, a main meter), and the alert
                is of a rule that yields to that: it is a consequence, and a member of the failure's ticket
    a group     its rule puts alerts together that have something in common and come soon after each other

An alert of a rule that yields waits a few seconds, since what is above it is often found out a moment later. Where it
is found out much later, the ticket that was opened meanwhile joins the failure's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from math import inf
from typing import Any, Literal, TypeAlias

from msgspec import Struct, convert, to_builtins
from msgspec.structs import replace

from devices.durations import NANOSECONDS
from rules.alerts import Subject, Transition
from rules.mutes import Mute
from rules.orders import AlertKey, Order
from rules.rule import Rule
from rules.site import Site

CONSEQUENCE_WAIT = 5 * NANOSECONDS["s"]
"""How long an alert that yields waits for news of what is above it."""

RETURN_WAIT = 5 * NANOSECONDS["m"]
"""How long, at least, devices have to come back after what is above them did."""

_RETURN_INTERVALS = 2
"""Likewise, in intervals of the device."""

Standing: TypeAlias = Literal["waiting", "muted", "inhibited", "open", "joined"]


class Case(Struct, array_like=True):
    """One alert that is not over.

    Attributes:
        transition: the latest.
        standing: what became of it.
        due: when it is looked at again, UTC ns; None: when something happens.
        known: whether the desk has heard of it.
    """

    transition: Transition
    standing: Standing = "waiting"
    due: int | None = None
    known: bool = False

    @property
    def key(self) -> AlertKey:
        """The alert's key."""
        return key_of(self.transition)


class Lead(Struct, array_like=True):
    """The alert whose ticket others join, and until when they do."""

    key: AlertKey
    until: int


def key_of(transition: Transition) -> AlertKey:
    """The key of a transition's alert."""
    return transition.rule, (transition.subject.kind, transition.subject.id), transition.opened


class Dispatcher:
    """What becomes of alerts. Pure: time is what transitions and `advance` say.

    Attributes:
        due: when `advance` has something to do, UTC ns; inf where nothing waits.
    """

    def __init__(self, rules: Iterable[Rule], site: Site) -> None:
        self._cases: dict[AlertKey, Case] = {}
        self._failures: dict[str, AlertKey] = {}  # device -> the alert that says so
        self._leads: dict[tuple[str, str], Lead] = {}  # rule and what its alerts have in common
        self._mutes: tuple[Mute, ...] = ()
        self._heap: list[tuple[int, AlertKey]] = []
        self.use(rules, site)

    def use(self, rules: Iterable[Rule], site: Site) -> None:
        """Takes over changed rules or another register; alerts of what is gone are over by transitions of their own."""
        self._rules: Mapping[str, Rule] = {rule.id: rule for rule in rules}
        self._site = site

    @property
    def due(self) -> float:
        """See the class."""
        return self._heap[0][0] if self._heap else inf

    # ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, transition: Transition) -> list[Order]:
        """What follows from a step of an alert."""
        orders = self.advance(transition.at)
        key = key_of(transition)
        match transition.kind:
            case "fired":
                orders += self._begin(key, Case(transition), transition.at)
            case "amended":
                orders += self._amend(key, transition)
            case "resolved":
                orders += self._end(key, transition)
        return orders

    def advance(self, now: int) -> list[Order]:
        """Time has passed: alerts that waited are looked at."""
        orders: list[Order] = []
        while self._heap and self._heap[0][0] <= now:
            due, key = heappop(self._heap)
            case = self._cases.get(key)
            if case is not None and case.due == due:
                orders += self._settle(key, case, due)
        return orders

    def mute(self, mutes: Sequence[Mute], now: int) -> list[Order]:
        """Takes over the desk's maintenance windows and shelves; what they no longer hold back is looked at again."""
        self._mutes = tuple(mutes)
        orders = self.advance(now)
        for key, case in list(self._cases.items()):
            if case.standing == "muted":
                orders += self._settle(key, case, now)
        return orders

    def _begin(self, key: AlertKey, case: Case, now: int) -> list[Order]:
        self._cases[key] = case
        rule, subject = self._rules.get(key[0]), case.transition.subject
        orders: list[Order] = []
        if rule is not None and rule.tells_failure and subject.kind == "device":
            orders += self._fail(subject.id, key)
        if rule is not None and rule.is_consequence and not self._find_mute(case, now):
            self._wait(key, case, now + CONSEQUENCE_WAIT)
            return orders
        return orders + self._settle(key, case, now)

    def _fail(self, device: str, key: AlertKey) -> Iterator[Order]:
        """What was opened below a device, before it was known that the device itself has failed, joins its ticket."""
        if not self._site.has_below(device):
            return
        self._failures[device] = key
        for other, case in self._cases.items():
            if other != key and case.standing in {"open", "joined"} and self._is_below(case, device):
                case.standing = "joined"
                yield Order("join", case.transition, key, f"device {device}")

    def _settle(self, key: AlertKey, case: Case, now: int) -> list[Order]:
        """Decides what becomes of an alert that has no ticket yet."""
        case.due = None
        mute = self._find_mute(case, now)
        if mute is not None:
            self._wait(key, case, mute.end, "muted")
            return self._hold(case, str(mute))
        cause = self._find_cause(case)
        if cause is not None:
            case.standing = "inhibited"
            return self._hold(case, f"inhibited by device {cause[1][1]}", cause)
        return [self._place(key, case, now)]

    def _hold(self, case: Case, reason: str, cause: AlertKey | None = None) -> list[Order]:
        case.known = True
        return [Order("hold", case.transition, reason=reason, cause=cause)]

    def _place(self, key: AlertKey, case: Case, now: int) -> Order:
        """A ticket of its own, or a place in one that was just opened for the same reason."""
        case.known = True
        rule = self._rules.get(key[0])
        group = rule.group if rule is not None else None
        if rule is None or group is None:
            case.standing = "open"
            return Order("open", case.transition)
        common = self._find_common(case.transition.subject, group.by)
        lead = self._leads.get((rule.id, common))
        if lead is not None and now < lead.until:
            case.standing = "joined"
            return Order("join", case.transition, lead.key, common)
        self._leads[rule.id, common] = Lead(key, now + group.within)
        case.standing = "open"
        return Order("open", case.transition)

    def _amend(self, key: AlertKey, transition: Transition) -> list[Order]:
        case = self._cases.get(key)
        if case is None:  # it is over, and the desk knows whether it heard of it
            return [Order("amend", transition)]
        case.transition = replace(transition, kind="fired", serial=case.transition.serial)
        return [Order("amend", transition)] if case.known else []

    def _end(self, key: AlertKey, transition: Transition) -> list[Order]:
        case = self._cases.pop(key, None)
        orders = [Order("clear", transition)] if case is not None and case.known else []
        subject = transition.subject
        if subject.kind == "device" and self._failures.get(subject.id) == key:
            del self._failures[subject.id]
            self._release(subject.id, transition.at)
        return orders

    def _release(self, device: str, now: int) -> None:
        """What a failure held back gets time to come back."""
        for key, case in self._cases.items():
            if case.standing == "inhibited" and self._is_below(case, device):
                own = self._site.devices.get(case.transition.subject.id)
                interval = own.interval if own is not None and own.interval else 0
                self._wait(key, case, now + max(RETURN_WAIT, _RETURN_INTERVALS * interval))

    def _wait(self, key: AlertKey, case: Case, due: int, standing: Standing = "waiting") -> None:
        case.standing, case.due = standing, due
        heappush(self._heap, (due, key))

    # ── looking around ───────────────────────────────────────────────────────────────────────────────────────────

    def _find_mute(self, case: Case, now: int) -> Mute | None:
        rule, subject = case.transition.rule, case.transition.subject
        return next((mute for mute in self._mutes if mute.covers(rule, subject, now, self._site)), None)

    def _find_cause(self, case: Case) -> AlertKey | None:
        """The alert of the topmost device that failed above, where the alert's rule yields."""
        rule, subject = self._rules.get(case.transition.rule), case.transition.subject
        if rule is None or not rule.is_consequence or subject.kind != "device" or not self._failures:
            return None
        found = [self._failures[each] for each in self._site.ancestors(subject.id) if each in self._failures]
        return found[-1] if found else None

    def _is_below(self, case: Case, device: str) -> bool:
        rule, subject = self._rules.get(case.transition.rule), case.transition.subject
        if rule is None or not rule.is_consequence or subject.kind != "device":
            return False
        return device in self._site.ancestors(subject.id)

    def _find_common(self, subject: Subject, by: str) -> str:
        """What an alert may have in common with others, such as `device gw-b` or `building B`."""
        device = self._site.devices.get(subject.id) if subject.kind == "device" else None
        if by == "parent" and device is not None:
            parents = self._site.parents(device.id)
            if parents:
                return f"device {parents[0]}"
            by = "building"
        if device is not None:
            place = self._site.subject_of(device, by)  # type: ignore[arg-type] # a literal of the same words
            return str(place or Subject("site", self._site.id))
        depth = {"area": 3, "floor": 2, "building": 1}.get(by, 0)
        ids = subject.id.split("/")[:depth]
        return f"{by} {'/'.join(ids)}" if ids and subject.kind != "site" else f"site {self._site.id}"

    # ── state ────────────────────────────────────────────────────────────────────────────────────────────────────

    def snapshot(self) -> dict[str, Any]:
        """All that it remembers, but for mutes, which the desk keeps; in plain values."""
        return {
            "cases": [to_builtins(case) for case in self._cases.values()],
            "leads": [[*common, to_builtins(lead)] for common, lead in self._leads.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from a snapshot."""
        self._cases, self._failures, self._heap = {}, {}, []
        for each in state["cases"]:
            case = convert(each, Case)
            self._cases[case.key] = case
            rule, subject = self._rules.get(case.transition.rule), case.transition.subject
            if rule is not None and rule.tells_failure and self._site.has_below(subject.id):
                self._failures[subject.id] = case.key
            if case.due is not None:
                heappush(self._heap, (case.due, case.key))
        self._leads = {(rule, common): convert(lead, Lead) for rule, common, lead in state["leads"]}
