"""The runner of trials: has a judge hear what a test says, and compares what follows with what the test expects."""

from collections.abc import Iterator, Mapping, Sequence
from math import isclose
from typing import NamedTuple, TypeAlias

from devices.durations import NANOSECONDS
from devices.quantities import parse_quantity, write_quantity
from devices.reading import Reading, Value
from devices.register import Device, Register
from devices.values import suggest
from rules.alerts import Evidence
from rules.calendars import Calendars
from rules.errors import RulesError
from rules.judge import Judge
from rules.localtime import find_moment, show_time
from rules.mutes import Mute
from rules.notation import Moment, flatten
from rules.orders import Order
from rules.outcome import DueTicket, Outcome, ToldAlert
from rules.rule import Rule
from rules.site import Site
from rules.trial import Expectation, ExpectedAlert, ExpectedTicket, RuleTest, Series

Path: TypeAlias = tuple[str | int, ...]

CLOSE = 1e-3
"""How far a value may be from the expected one, as a share of it."""

_DAY = NANOSECONDS["d"]
_PAST, _FUTURE = 35 * _DAY, 5 * NANOSECONDS["m"]
"""Which times of readings are believed: as `time.past` and `time.future` are, where nobody sets them."""


class Failure(NamedTuple):
    """What is not as a test expects.

    Attributes:
        path: where the expectation stands in the test.
        message: what is wrong, in a sentence.
        expected: what the test says, a line each.
        got: what there was, a line each.
    """

    path: Path
    message: str
    expected: tuple[str, ...] = ()
    got: tuple[str, ...] = ()


def run(test: RuleTest, rules: Sequence[Rule], site: Site) -> list[Failure]:
    """Runs one test.

    Args:
        test: what to do.
        rules: those of the site, of which the test names some; they are in force there even where they are disabled.
        site: where its devices and calendars are from, as far as it has none of its own.

    Returns:
        All that is not as it should be, in the order of the test's text.
    """
    known = {rule.id: rule for rule in rules}
    failures = [
        Failure(("rules", number), f"there is no rule {name!r}; {suggest(name, known) or 'see: siteward rules list'}")
        for number, name in enumerate(test.rules)
        if name not in known
    ]
    own, missing = make_site(test, site)
    failures += missing
    if failures:
        return failures
    try:
        chosen = [known[name].model_copy(update={"enabled": True}) for name in dict.fromkeys(test.rules)]
        return sorted(_Trial(test, chosen, own).run(), key=lambda failure: _order(failure.path))
    except RulesError as error:
        return [Failure(("rules",), str(error))]


def _order(path: Path) -> tuple[str, ...]:
    return tuple(f"{step:09}" if isinstance(step, int) else step for step in path)


def make_site(test: RuleTest, site: Site) -> tuple[Site, list[Failure]]:
    """The site as a test has it, and what it names that is not there."""
    devices: list[Device] = []
    failures = []
    listed = test.devices is not None
    for number, entry in enumerate(test.named_devices()):
        if isinstance(entry, Device):
            devices.append(entry)
        elif entry in site.devices:
            devices.append(site.devices[entry])
        else:
            path: Path = ("devices", number) if listed else _find_series(test, entry)
            hint = suggest(entry, site.devices) or "name it in devices.yaml, or describe it in the test's devices"
            failures.append(Failure(path, f"there is no device {entry!r}; {hint}"))
    ids = {device.id for device in devices}
    for number, series in enumerate(test.series if listed else ()):
        strange = [name for name in series.device if name not in ids]
        failures += [
            Failure(("series", number), f"device {name!r} is not among the test's devices") for name in strange
        ]
    replacements = [each for each in site.register.replacements if each.device in ids]
    register = Register.model_construct(tags=site.register.tags, devices=devices, replacements=replacements)
    calendars = (
        Calendars(calendars={**site.calendars.calendars, **test.calendars}) if test.calendars else site.calendars
    )
    return Site(site.id, site.zone, register, test.places or site.places, calendars), failures


def _find_series(test: RuleTest, device: str) -> Path:
    return next(("series", number) for number, series in enumerate(test.series) if device in series.device)


class _Trial:
    """One test while it runs."""

    def __init__(self, test: RuleTest, rules: Sequence[Rule], site: Site) -> None:
        self._test, self._site = test, site
        self._start = find_moment(test.start, site.zone)
        self._judge = Judge(rules, site, self._start)
        self._outcome = Outcome(rules)
        self._failures: list[Failure] = []

    def run(self) -> list[Failure]:
        test, judge = self._test, self._judge
        mutes = [
            Mute(
                number,
                plan.kind,
                self._find(plan.from_),
                self._find(plan.to),
                tuple(self._site.find_subject(text) for text in plan.subjects),
                tuple(plan.rules or ()),
            )
            for number, plan in enumerate(test.mutes, start=1)
        ]
        self._take(judge.mute(mutes))
        readings = list(self._make_readings())
        waiting = iter(readings)
        reading = next(waiting, None)
        for moment, number, expectation in self._list_expectations(readings):
            while reading is not None and reading.received <= moment:
                self._take(judge.evaluate(reading))
                reading = next(waiting, None)
            self._take(judge.advance(moment))
            if expectation is not None:
                self._compare(number, expectation)
        if not test.expect and self._outcome.alerts:
            told = tuple(
                f"{self._show(alert.transition.at)} {self._tell(alert)}" for alert in self._outcome.alerts.values()
            )
            self._failures.append(Failure(("expect",), "expected that nothing is ever told", (), told))
        return self._failures

    def _take(self, orders: Sequence[Order]) -> None:
        self._outcome.take(orders, self._judge.engine.now)

    def _list_expectations(self, readings: Sequence[Reading]) -> list[tuple[int, int, Expectation | None]]:
        """Moments to stop at, in order; where nothing may ever be told, the last reading and a day after it."""
        if not self._test.expect:
            last = max((reading.received for reading in readings), default=self._start)
            return [(last + _DAY, 0, None)]
        found = []
        for number, expectation in enumerate(self._test.expect):
            moment = self._find(expectation.at)
            if moment < self._start:
                self._failures.append(Failure(("expect", number, "at"), "this lies before the test's start"))
            else:
                found.append((moment, number, expectation))
        return sorted(found, key=lambda entry: entry[:2])

    def _find(self, moment: Moment) -> int:
        return moment.find(self._test.start, self._site.zone)

    # ── readings ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _make_readings(self) -> Iterator[Reading]:
        """All readings in the order of their arrival, the late ones marked as such."""
        merged: dict[tuple[int, int, str], dict[str, Value]] = {}
        for series in self._test.series:
            for device in series.device:
                for time, received, point, value in self._list_values(series):
                    merged.setdefault((received, time, device), {})[point] = value
        newest: dict[str, int] = {}
        for (received, told, device), values in sorted(merged.items(), key=lambda entry: entry[0][:2]):
            is_believed = -_PAST <= told - received <= _FUTURE
            time = told if is_believed else received
            late = time < newest.get(device, time)
            newest[device] = max(time, newest.get(device, time))
            yield Reading(device, time, received, values, late, None if is_believed else told)

    def _list_values(self, series: Series) -> Iterator[tuple[int, int, str, Value]]:
        start = self._start if series.from_ is None else self._find(series.from_)
        arrives = None if series.arrives is None else self._find(series.arrives)
        every = series.every or self._test.every
        for point, values in series.points.items():
            for number, value in flatten(values):
                time = start + number * every
                yield time + series.clock, time if arrives is None else max(arrives, time), point, value

    # ── comparing ────────────────────────────────────────────────────────────────────────────────────────────────

    def _compare(self, number: int, expectation: Expectation) -> None:
        if expectation.alerts is not None:
            alerts = self._outcome.firing()
            self._match(("expect", number, "alerts"), expectation.at, "alerts", expectation.alerts, alerts)
        if expectation.tickets is not None:
            tickets = self._outcome.open_tickets()
            self._match(("expect", number, "tickets"), expectation.at, "tickets", expectation.tickets, tickets)

    def _match(
        self,
        path: Path,
        moment: Moment,
        what: str,
        expected: Sequence[ExpectedAlert | ExpectedTicket],
        found: Sequence[ToldAlert | DueTicket],
    ) -> None:
        """Pairs what is expected with what there is; what is left over on either side is a failure."""
        left: list[ToldAlert | DueTicket] = list(found)
        told = False  # what there is
        for number, one in enumerate(expected):
            fitting = next((each for each in left if not self._differ(one, each)), None)
            if fitting is not None:
                left.remove(fitting)
                continue
            near = next((each for each in left if self._is_about(one, each)), None)
            if near is not None:
                left.remove(near)
                message = f"at {moment.text} it differs in {self._differ(one, near)}"
            else:
                message, told = f"at {moment.text} there is no such {what.removesuffix('s')}", True
            got = tuple(self._tell(each) for each in ([near] if near is not None else found)) or ("none",)
            self._failures.append(Failure((*path, number), message, (_write(one),), got))
        if left and not told:
            message = f"at {moment.text} there are {what} that the test does not expect"
            wanted = tuple(_write(one) for one in expected) or ("none",)
            self._failures.append(Failure(path, message, wanted, tuple(map(self._tell, left))))

    def _is_about(self, expected: ExpectedAlert | ExpectedTicket, found: ToldAlert | DueTicket) -> bool:
        first = found.first if isinstance(found, DueTicket) else found
        told = first.transition
        return told.subject == self._site.find_subject(expected.subject) and expected.rule in {None, told.rule}

    def _differ(self, expected: ExpectedAlert | ExpectedTicket, found: ToldAlert | DueTicket) -> str:
        """In what they differ; "" where they do not."""
        if not self._is_about(expected, found):
            return "subject"
        if isinstance(expected, ExpectedTicket):
            if expected.joined is None or not isinstance(found, DueTicket):
                return ""
            wanted = sorted(self._site.find_subject(text) for text in expected.joined)
            return "" if wanted == sorted(each.transition.subject for each in _rest(found)) else "joined"
        if not isinstance(found, ToldAlert):
            return ""
        told = found.transition
        evidence = told.evidence
        checks = {
            "severity": expected.severity in {None, told.severity},
            "since": expected.since is None or self._find(expected.since) == told.since,
            "value": expected.value is None or _agrees(expected.value, evidence.value, evidence.unit),
            "limit": expected.limit is None or _agrees(expected.limit, evidence.limit, evidence.unit),
            **{
                f"details.{name}": _agrees(value, evidence.details.get(name), "")
                for name, value in expected.details.items()
            },
        }
        return ", ".join(name for name, agrees in checks.items() if not agrees)

    # ── telling ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _tell(self, found: ToldAlert | DueTicket) -> str:
        if isinstance(found, DueTicket):
            told = found.first.transition
            joined = ", ".join(each.transition.subject.id for each in _rest(found))
            return (
                f"{{subject: {told.subject.id}, rule: {told.rule}" + (f", joined: [{joined}]" if joined else "") + "}"
            )
        told = found.transition
        parts = [f"subject: {told.subject.id}", f"rule: {told.rule}", f"severity: {told.severity}"]
        parts += [f"since: {self._show(told.since)}", *_tell_evidence(told.evidence)]
        return "{" + ", ".join(parts) + "}"

    def _show(self, moment: int) -> str:
        shown = show_time(moment, self._site.zone).replace(tzinfo=None)
        same_day = shown.date() == self._test.start.date()
        text = shown.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M:%S")
        return text.removesuffix(":00")


def _rest(ticket: DueTicket) -> list[ToldAlert]:
    return [each for each in ticket.alerts[1:] if each.resolved is None]


def _tell_evidence(evidence: Evidence) -> Iterator[str]:
    for name in ("value", "limit"):
        value = getattr(evidence, name)
        if value is not None:
            yield f"{name}: {_write_value(value, evidence.unit)}"
    if evidence.details:
        yield "details: {" + ", ".join(f"{name}: {_write_value(v, '')}" for name, v in evidence.details.items()) + "}"


def _write_value(value: Value, unit: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    return write_quantity(float(f"{value:.6g}"), unit).strip()


def _write(expected: ExpectedAlert | ExpectedTicket) -> str:
    """As it stands in the test."""
    said = expected.model_dump(mode="json", exclude_defaults=True)
    return "{" + ", ".join(f"{name}: {_plain(value)}" for name, value in said.items()) + "}"


def _plain(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_plain(each)}" for name, each in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _agrees(expected: str | float | bool, got: Value | None, unit: str) -> bool:  # noqa: FBT001 - a value of YAML
    """Whether a value is the expected one: a quantity in any unit of its dimension, a number in the point's own."""
    if got is None or isinstance(got, bool) or isinstance(expected, bool):
        return got is expected
    if isinstance(got, str):
        return got == str(expected)
    if isinstance(expected, str):
        try:
            expected = parse_quantity(expected, unit)
        except ValueError:
            return False
    return isclose(got, expected, rel_tol=CLOSE, abs_tol=1e-9)
