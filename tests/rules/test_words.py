from typing import Literal

from rules.site import Site
from rules.words import explain
from tests.rulebench import make_site, read_rules

SITE = make_site(
    [
        {"id": "gw-a", "kind": "gateway"},
        {"id": "em-1", "kind": "electricity_meter", "gateway": "gw-a", "nominal_voltage": "230 V"},
        {"id": "em-2", "kind": "electricity_meter"},
        {"id": "wm-1", "kind": "water_meter", "building": "A", "gateway": "gw-a"},
    ]
)
VOLTAGE = """
- id: voltage-high
  select: {kind: electricity_meter}
  when: {threshold: {point: voltage_v, above: 110 % of nominal_voltage}}
  for: 90s
  keep_firing_for: 5m
  active: working-hours
  mute: [holidays]
  severity: major
  ticket:
    category: electrical
    title: {en: "{device.name}: {value}", zh: "{device.name}：{value}"}
    runbook: docs/runbooks/voltage.md
    verify: {quiet_for: 24h}
"""
SILENT = "- {id: silent, select: {kind: [gateway, water_meter]}, when: {silent: {for: 5m}}}\n"


def say(rules: str, language: Literal["en", "zh"] = "en", device: str = "", site: Site = SITE) -> dict[str, str]:
    (rule,) = read_rules(rules)
    return dict(explain(rule, site, language, site.devices[device] if device else None))


def test_everything_that_a_rule_says() -> None:
    assert say(VOLTAGE) == {
        "fires when": "voltage_v is above 110 % of nominal_voltage, for at least 90s",
        "is over": "when that has not been so for 5m",
        "watches": "each device of kind electricity_meter; now 1, and 1 left out",
        "holds": "in working-hours, but not in holidays",
        "severity": "major",
        "ticket": 'electrical; "{device.name}: {value}"; closed once it has been quiet for 1d after the work;'
        " see docs/runbooks/voltage.md",
    }


def test_in_chinese() -> None:
    assert say(VOLTAGE, "zh", "em-1") == {
        "触发条件": "voltage_v 高于 253 V (nominal_voltage 230 V 的 110 %)，且持续至少 90s",
        "恢复条件": "条件不再满足持续 5m 后恢复",
        "监视对象": "em-1",
        "生效时间": "working-hours 期间，holidays 期间除外",
        "严重程度": "重要",
        "工单": "electrical；“{device.name}：{value}”；处理后保持正常 1d 才关闭；参见 docs/runbooks/voltage.md",
    }


def test_the_numbers_of_a_device() -> None:
    lines = say(VOLTAGE, device="em-1")
    assert lines["fires when"] == "voltage_v is above 253 V (110 % of nominal_voltage 230 V), for at least 90s"
    assert lines["watches"] == "device em-1"


def test_devices_that_it_does_not_watch() -> None:
    assert say(VOLTAGE, device="em-2")["watches"] == "not em-2, which has no nominal_voltage"
    assert say(VOLTAGE, device="wm-1")["watches"] == "not wm-1, which it does not select"


def test_what_holds_back_what() -> None:
    assert say(SILENT)["inhibition"] == (
        "held back while the gateway, controller or main meter above has failed;"
        " holds back alerts that follow from it on what hangs below"
    )
    assert say(SILENT, device="wm-1")["inhibition"] == "held back while gw-a has failed"
    assert say(SILENT, device="gw-a")["inhibition"] == "holds back alerts that follow from it on what hangs below"
    assert "inhibition" not in say(VOLTAGE, device="em-1")


def test_tickets() -> None:
    assert say(SILENT)["ticket"] == "other; one for all with the same parent within 15m"
    assert say("- {id: a, when: {silent: {for: 5m}}, ticket: null}")["ticket"] == "none"
    wait = "- {id: a, when: {threshold: {point: leak, equals: true}}, ticket: {clears: wait}}"
    assert say(wait)["ticket"] == "other; stays open until somebody says that it is done"


def test_a_place_is_watched() -> None:
    when = "when: {threshold: {point: flow_m3_per_h, above: 9 m³/h}}"
    per = f"- {{id: a, per: building, select: {{kind: water_meter}}, {when}}}"
    assert say(per)["watches"] == "each building of kind water_meter; now 1"
    assert say(per, device="wm-1")["watches"] == "building A"
