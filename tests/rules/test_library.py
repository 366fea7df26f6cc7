"""The library of rules in config/rules: each is tested, explained and translated, and right on the simulated campus."""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import pytest

from collector.configuration import Configuration, load
from collector.folder import FolderReading
from collector.rulefindings import find_all
from collector.simulation.campus import Campus
from collector.simulation.rhythm import Rhythm
from devices.durations import NANOSECONDS
from devices.places import Places
from devices.reading import Reading
from devices.register import Register
from rules.judge import Judge
from rules.localtime import find_moment
from rules.outcome import DueTicket, Outcome
from rules.rule import Rule
from rules.site import Site
from rules.trial import RuleTest, RuleTestFile
from rules.trialrun import run

CONFIG = Path(__file__).parents[2] / "config"
HEADINGS = (
    "What it means", "How urgent", "Check first", "Fix", "Close",
    "含义", "紧急程度", "先查什么", "处理", "关闭",
)  # fmt: skip
BRACES = re.compile(r"\{([^}]*)\}")
MINUTE = NANOSECONDS["m"]


@lru_cache(maxsize=1)
def load_library() -> Configuration:
    return load(CONFIG)


@lru_cache(maxsize=1)
def load_tests() -> list[RuleTest]:
    reading = FolderReading(CONFIG)
    parts = [reading.read(file, RuleTestFile) for file in sorted((CONFIG / "rules").glob("*.test.yaml"))]
    assert reading.problems == []
    return [test for part in parts if part is not None for test in part[1].tests]


def find_fired(test: RuleTest) -> Iterator[str]:
    """The rules of which a test expects an alert or a ticket."""
    for expectation in test.expect:
        for told in [*(expectation.alerts or ()), *(expectation.tickets or ())]:
            yield from [told.rule] if told.rule else test.rules if len(test.rules) == 1 else ()


def read_sections(text: str) -> dict[str, str]:
    """What stands below each heading."""
    parts = [part.partition("\n") for part in text.split("\n## ")[1:]]
    return {heading: body.strip() for heading, _, body in parts}


@pytest.mark.parametrize("test", load_tests(), ids=lambda test: test.name)
def test_the_library_passes_its_own_tests(test: RuleTest) -> None:
    library = load_library()
    assert run(test, library.rules, library.rule_site()) == []


def test_every_rule_is_shown_to_fire() -> None:
    fired = {rule for test in load_tests() for rule in find_fired(test)}
    assert [rule.id for rule in load_library().rules if rule.id not in fired] == []


def test_every_test_shows_when_nothing_fires() -> None:
    """Each has a moment without alerts, or devices beside those that raise one."""

    def shows(test: RuleTest) -> bool:
        quiet = any(not (each.tickets if each.alerts is None else each.alerts) for each in test.expect)
        told = {alert.subject for each in test.expect for alert in each.alerts or ()}
        return quiet or len(test.named_devices()) > len(told)

    assert [test.name for test in load_tests() if not shows(test)] == []


@pytest.mark.parametrize("rule", load_library().rules, ids=lambda rule: rule.id)
def test_every_rule_has_what_people_need(rule: Rule) -> None:
    library = load_library()
    assert rule.name.en, "the name in English"
    assert rule.name.zh, "the name in Chinese"
    assert rule.ticket is not None
    assert rule.ticket.title.en, "the title in English"
    assert rule.ticket.title.zh, "the title in Chinese"
    assert set(BRACES.findall(rule.ticket.title.en)) - {"device.name"} <= set(BRACES.findall(rule.ticket.title.zh))
    assert rule.ticket.category in library.desk.categories
    text = (CONFIG.parent / rule.ticket.runbook).read_text(encoding="utf-8")
    assert f"`{rule.id}`" in text.partition("\n## ")[0]
    sections = read_sections(text)
    assert tuple(sections) == HEADINGS
    assert all(sections.values())


def test_the_library_is_large_and_its_names_are_its_own() -> None:
    rules = load_library().rules
    assert len(rules) >= 40
    for names in ([rule.id for rule in rules], [rule.name.en for rule in rules], [rule.name.zh for rule in rules]):
        assert len(set(names)) == len(names)


def test_no_runbook_is_left_over() -> None:
    named = {CONFIG.parent / rule.ticket.runbook for rule in load_library().rules if rule.ticket}
    assert set((CONFIG.parent / "docs" / "runbooks").glob("*.md")) == named


def test_nothing_is_found_in_the_library_but_devices_that_the_site_lacks() -> None:
    problems = [str(problem) for problem in find_all(load_library())]
    assert [problem for problem in problems if "selects no device" not in problem] == []


# ── on the simulated campus ──────────────────────────────────────────────────────────────────────────────────────────


def judge_campus(campus: Campus, site: Site, until: int, interval: int | None = None) -> list[DueTicket]:
    """The tickets that the library opens on a campus, from its start on."""
    rules = load_library().rules
    judge, outcome = Judge(rules, site, campus.start), Outcome(rules)
    newest: dict[str, int] = {}
    for after in range(campus.start, until, 5 * MINUTE):
        end = min(after + 5 * MINUTE, until)
        arrivals = [
            (max(report.time, after + 1), delivery.device.id, report)
            for delivery in campus.deliver(after, end, interval)
            for report in delivery.reports
        ]
        for received, device, (time, values) in sorted(arrivals, key=lambda arrival: arrival[0]):
            late = time < newest.get(device, 0)
            newest[device] = max(time, newest.get(device, 0))
            outcome.take(judge.evaluate(Reading(device, time, received, values, late)), received)
        outcome.take(judge.advance(end), end)
    return list(outcome.tickets.values())


def make_campus(start: str, now: str, *devices: str) -> tuple[Campus, Site]:
    """A campus of the library's site, of all its devices or of some.

    Args:
        start: local date and time.
        now: where its live part begins, likewise.
        *devices: ids; none: all.
    """
    library = load_library()
    site = library.rule_site()
    if devices:
        chosen = [device for device in library.register if device.id in devices]
        register = Register.model_construct(tags=library.register.tags, devices=chosen, replacements=[])
        site = Site(site.id, site.zone, register, Places(), site.calendars)
    begin, live = (find_moment(datetime.fromisoformat(text), site.zone) for text in (start, now))
    return Campus(site.register, Rhythm(site.zone), begin, live, outdoors="ws-1"), site


def test_a_normal_day_of_the_campus_raises_nothing() -> None:
    campus, site = make_campus("2026-03-04 00:00", "2026-03-05 00:00")
    assert judge_campus(campus, site, campus.start + 24 * 60 * MINUTE) == []


RIGHT = {
    "night_leak": "water-runs-at-night",
    "forced_door": "door-forced",
    "meter_reset": "energy-register-fault",
    "over_voltage": "voltage-very-high",
    "silent_gateway": "gateway-silent",
}


def test_each_incident_of_the_campus_opens_its_own_ticket_and_nothing_else() -> None:
    campus, site = make_campus(
        "2026-03-04 00:00", "2026-03-11 12:00", "gw-c", "em-c-01", "em-c-12", "em-c-13", "wm-c-09", "door-c-06"
    )
    past = [incident for incident in campus.incidents if not incident.id.endswith("-live")]
    assert {incident.kind for incident in past} == RIGHT.keys()
    tickets = judge_campus(campus, site, max(incident.begin for incident in past) + 12 * 60 * MINUTE)
    assert sorted((ticket.lead[0], ticket.lead[1][1]) for ticket in tickets) == sorted(
        (RIGHT[incident.kind], incident.subject) for incident in past
    )


def test_live_incidents_open_their_tickets_within_a_minute() -> None:
    campus, site = make_campus("2026-03-11 11:00", "2026-03-11 12:00", "gw-b", "em-a-01", "em-a-02", "door-b-04")
    live = {incident.kind: incident for incident in campus.incidents}
    tickets = judge_campus(campus, site, campus.start + 70 * MINUTE, 10 * NANOSECONDS["s"])
    opened = {ticket.lead[:2]: ticket.opened for ticket in tickets}
    for kind in ("over_voltage", "forced_door", "meter_reset"):
        subject = RIGHT[kind], ("device", live[kind].subject)
        assert 0 <= opened[subject] - live[kind].begin <= MINUTE
    assert len(tickets) == 3
