"""Tests of rules as people write them: what passes, what fails, and what is said of it."""

from typing import Any

import pytest
from pydantic import ValidationError

from collector.yamlfile import Document
from rules.rule import Rule
from rules.site import Site
from rules.trial import RuleTest, RuleTestFile
from rules.trialrun import Failure, run
from tests.rulebench import make_site, read_rules

DEVICES: list[dict[str, Any]] = [
    {"id": "gw-a", "kind": "gateway", "building": "A"},
    {"id": "em-1", "kind": "electricity_meter", "building": "A", "floor": "1F", "area": "lab", "gateway": "gw-a"},
    {"id": "em-2", "kind": "electricity_meter", "building": "A", "floor": "1F", "area": "lab", "gateway": "gw-a"},
]
RULES = """
- {id: high, select: {kind: electricity_meter}, when: {threshold: {point: voltage_v, above: 253 V}}, severity: major}
- {id: lasting, when: {threshold: {point: power_kw, above: 5 kW}}, for: 10m, enabled: false}
- {id: quiet, select: {kind: electricity_meter}, when: {threshold: {point: power_kw, above: 5 kW}}, ticket: null}
- {id: silent, when: {silent: {for: 15m}}}
- {id: office, when: {threshold: {point: power_kw, above: 5 kW}}, active: [office-hours]}
- id: together
  select: {kind: electricity_meter}
  when: {threshold: {point: voltage_v, above: 253 V}}
  ticket: {group: {by: area, within: 1h}}
"""
SITE = make_site(DEVICES, zone="Asia/Shanghai", calendars={"calendars": {"office-hours": {"hours": "08:00-18:00"}}})


def read_test(text: str) -> RuleTest:
    content = Document(text).value
    assert isinstance(content, dict)
    return RuleTestFile.model_validate({"tests": [{"name": "x", **content}]}).tests[0]


def fail(text: str, site: Site = SITE, rules: list[Rule] | None = None) -> list[Failure]:
    return run(read_test(text), rules or read_rules(RULES), site)


def test_an_alert_at_its_moment_with_what_it_says() -> None:
    assert not fail("""
rules: high
start: 2026-03-02 08:00
every: 1m
series: [{device: em-1, voltage_v: 230x4 260x3 230}]
expect:
  - {at: 08:03, alerts: none, tickets: none}
  - {at: 08:04, alerts: [{subject: em-1, rule: high, severity: major, since: 08:04, value: 0.26 kV, limit: 253 V}]}
  - {at: 5m, tickets: em-1}
  - {at: 08:07, alerts: none, tickets: none}
""")


@pytest.mark.parametrize(
    ("wrong", "differs"),
    [
        ("since: 08:03", "since"),
        ("value: 261 V", "value"),
        ("value: 260 A", "value"),
        ("value: '260'", "value"),
        ("limit: 250 V, severity: minor", "severity, limit"),
        ("details: {card: a}", "details.card"),
    ],
)
def test_what_differs_is_named(wrong: str, differs: str) -> None:
    (failure,) = fail(f"""
rules: high
start: 2026-03-02 08:00
series: [{{device: em-1, voltage_v: 260}}]
expect: [{{at: 08:00, alerts: [{{subject: em-1, {wrong}}}]}}]
""")
    assert failure.path == ("expect", 0, "alerts", 0)
    assert failure.message == f"at 08:00 it differs in {differs}"
    assert failure.got == ("{subject: em-1, rule: high, severity: major, since: 08:00, value: 260 V, limit: 253 V}",)
    assert failure.expected[0].startswith("{subject: em-1, ")


def test_what_is_missing_and_what_is_too_much() -> None:
    missing, over = fail("""
rules: high
series: [{device: em-1, voltage_v: 260}]
expect: [{at: 00:00, alerts: [em-2]}, {at: 00:01, alerts: none}]
""")
    assert missing == Failure(
        ("expect", 0, "alerts", 0),
        "at 00:00 there is no such alert",
        ("{subject: em-2}",),
        ("{subject: em-1, rule: high, severity: major, since: 00:00, value: 260 V, limit: 253 V}",),
    )
    assert over.path == ("expect", 1, "alerts")
    assert over.message == "at 00:01 there are alerts that the test does not expect"
    assert (over.expected, len(over.got)) == (("none",), 1)


def test_only_the_named_rules_are_in_force_also_a_disabled_one() -> None:
    text = """
rules: [lasting]
series: [{device: em-1, every: 1m, power_kw: 6x30, voltage_v: 300x30}]
expect:
  - {at: 00:09, alerts: none}
  - {at: 00:10, alerts: [{subject: em-1, since: 00:00, value: 6 kW}], tickets: em-1}
"""
    assert not fail(text)


def test_nothing_may_ever_be_told() -> None:
    assert not fail("{rules: high, series: [{device: em-1, voltage_v: 230x9}], expect: none}")
    (failure,) = fail("{rules: high, series: [{device: em-1, voltage_v: 230 260 230}], expect: none}")
    assert failure.message == "expected that nothing is ever told"
    assert failure.got[0].startswith("00:15 {subject: em-1, rule: high")
    (late,) = fail("{rules: silent, series: [{device: em-1, voltage_v: 230}], expect: none}")
    assert "rule: silent" in late.got[0]


def test_who_takes_part() -> None:
    text = "{{rules: silent, start: 2026-03-02 12:00, {} expect: [{{at: 1h, alerts: {}}}]}}"
    assert not fail(text.format("devices: [em-1, em-2],", "[em-1, em-2]"))
    assert not fail(text.format("devices: [{id: new, kind: door}],", "[new]"))
    assert not fail(text.format("series: [{device: em-2, voltage_v: 230}],", "[em-2]"))


def test_a_calendar_of_the_test_takes_the_place_of_the_sites() -> None:
    text = "{{rules: office, {} series: [{{device: em-1, power_kw: 6x96}}], expect: [{{at: {}, alerts: {}}}]}}"
    assert not fail(text.format("", "07:59", "none"))
    assert not fail(text.format("", "08:00", "em-1"))
    assert not fail(text.format("calendars: {office-hours: {hours: 10:00-12:00}},", "09:00", "none"))


def test_held_back_by_a_gateway_and_by_maintenance() -> None:
    assert not fail("""
rules: silent
every: 1m
devices: [gw-a, em-1, em-2]
series: [{device: [gw-a, em-1, em-2], uptime_s: 60+60x20}]
expect: [{at: 01:00, alerts: [gw-a, em-1, em-2], tickets: [gw-a]}]
""")
    assert not fail("""
rules: high
series: [{device: em-1, voltage_v: 260x9}]
mutes: [{from: 00:00, to: 01:00, subjects: A/1F, rules: high}]
expect:
  - {at: 00:59, alerts: em-1, tickets: none}
  - {at: 01:00, alerts: em-1, tickets: em-1}
""")


def test_alerts_of_one_ticket() -> None:
    text = """
rules: together
series: [{{device: [em-1, em-2], voltage_v: 260x9}}]
expect: [{{at: 00:30, alerts: [em-1, em-2], tickets: [{{subject: em-1, joined: {}}}]}}]
"""
    assert not fail(text.format("em-2"))
    (failure,) = fail(text.format("em-1"))
    assert failure.message == "at 00:30 it differs in joined"
    assert failure.got == ("{subject: em-1, rule: together, joined: [em-2]}",)


def test_a_rule_without_tickets_has_none() -> None:
    text = "{rules: quiet, series: [{device: em-1, power_kw: 6}], expect: [{at: 00:00, alerts: em-1, tickets: none}]}"
    assert not fail(text)


def test_a_backlog_arrives_later_and_is_judged_at_its_own_times() -> None:
    assert not fail("""
rules: high
every: 1m
series:
  - {device: em-1, voltage_v: 230x5}
  - {device: em-1, from: 00:05, arrives: 02:00, voltage_v: 230 260x9}
expect:
  - {at: 01:59, alerts: none}
  - {at: 2h20m, alerts: [{subject: em-1, since: 00:06}]}
""")


@pytest.mark.parametrize(
    ("clock", "since"),
    [("+4m", "00:04"), ("-1h", "2026-03-01 23:00"), ("+6m", "00:00"), ("-36d", "00:00")],
)
def test_a_clock_that_is_off_tells_its_own_times_as_far_as_they_are_believed(clock: str, since: str) -> None:
    assert not fail(f"""
rules: high
series:
  - {{device: em-1, clock: {clock}, voltage_v: 260x4}}
expect:
  - {{at: 30m, alerts: [{{subject: em-1, since: "{since}"}}]}}
""")


def test_readings_behind_newer_ones_are_late_and_disturb_nothing() -> None:
    text = """
rules: high
every: 1m
series:
  - {device: em-1, voltage_v: 230x20}
  - {device: em-1, from: 00:02, arrives: 00:10:30, voltage_v: 300x3}
expect: none
"""
    assert not fail(text)


def test_a_subject_may_be_a_place_or_the_site() -> None:
    rules = read_rules("[{id: any, per: building, when: {threshold: {point: voltage_v, above: 253 V}}}]")
    text = "{{rules: any, series: [{{device: em-1, voltage_v: 260}}], expect: [{{at: 00:00, alerts: {}}}]}}"
    assert not fail(text.format("A"), rules=rules)
    rules = read_rules("[{id: any, per: site, when: {threshold: {point: voltage_v, above: 253 V}}}]")
    assert not fail(text.format("site"), rules=rules)


def test_what_a_test_names_must_be_there() -> None:
    said = fail("{rules: [high, hihg], series: [{device: em-3, voltage_v: 1}], expect: none}")
    assert [failure.path for failure in said] == [("rules", 1), ("series", 0)]
    assert said[0].message == "there is no rule 'hihg'; did you mean high?"
    assert said[1].message == "there is no device 'em-3'; did you mean em-2?"
    said = fail("{rules: high, devices: [em-1, zz], series: [{device: em-2, voltage_v: 1}], expect: none}")
    assert [failure.path for failure in said] == [("devices", 1), ("series", 0)]
    (before,) = fail("{rules: high, devices: [em-1], expect: [{at: 2026-03-01 00:00, alerts: none}]}")
    assert (before.path, before.message) == (("expect", 0, "at"), "this lies before the test's start")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{rules: high, series: [{device: em-1}], expect: none}", "expected a point with its values"),
        ("{rules: high, series: [{device: em-1, voltag_v: 1}], expect: none}", "did you mean voltage_v?"),
        ("{rules: high, series: [{device: em-1, voltage_v: 1y}], expect: none}", "got '1y'"),
        ("{rules: high, expect: [{at: 00:00}]}", "expected alerts or tickets"),
        ("{rules: high, expect: [{at: noon, alerts: none}]}", "expected a moment"),
        ("{rules: [], expect: none}", "at least 1 item"),
    ],
)
def test_what_is_no_test(text: str, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read_test(text)
    assert said in str(caught.value)


def test_values_that_are_no_notation_to_yaml() -> None:
    text = "{rules: high, series: [{device: em-1, tariff: 1, leak: true, voltage_v: 230, power_kw: 1.5}], expect: none}"
    (series,) = read_test(text).series
    assert series.points == {"tariff": ["1"], "leak": [True], "voltage_v": [230.0], "power_kw": [1.5]}
