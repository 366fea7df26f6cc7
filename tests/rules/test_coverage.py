from rules.alerts import Subject
from rules.coverage import find_coverage
from tests.rulebench import make_site, read_rules

DEVICES: list[dict[str, object]] = [
    {"id": "em-1", "kind": "electricity_meter", "building": "A", "floor": "1F", "nominal_voltage": "230 V"},
    {"id": "em-2", "kind": "electricity_meter", "building": "A", "floor": "2F", "nominal_voltage": "230 V"},
    {"id": "em-3", "kind": "electricity_meter", "building": "A", "floor": "2F"},
    {"id": "em-4", "kind": "electricity_meter", "nominal_voltage": "230 V"},
    {"id": "wm-1", "kind": "water_meter", "building": "A"},
]
RULE = """
- id: voltage-high
  select: {kind: electricity_meter}
  when: {threshold: {point: voltage_v, above: 110 % of nominal_voltage}}
"""


def test_each_device_that_can_be_judged() -> None:
    (rule,) = read_rules(RULE)
    coverage = find_coverage(rule, make_site(DEVICES))
    assert [subject.id for subject in coverage.subjects] == ["em-1", "em-2", "em-4"]
    assert coverage.unfit == {"em-3": "no nominal_voltage"}


def test_places_of_devices() -> None:
    (rule,) = read_rules(RULE + "  per: building\n")
    coverage = find_coverage(rule, make_site(DEVICES))
    assert {subject: [device.id for device in devices] for subject, devices in coverage.subjects.items()} == {
        Subject("building", "A"): ["em-1", "em-2"]
    }
    assert coverage.unfit == {"em-3": "no nominal_voltage", "em-4": "no building"}


def test_a_rule_that_is_switched_off_is_covered_too() -> None:
    (rule,) = read_rules(RULE + "  enabled: false\n")
    assert len(find_coverage(rule, make_site(DEVICES)).subjects) == 3


def test_a_main_meter_that_feeds_nothing_is_left_out() -> None:
    (rule,) = read_rules("- {id: losses, when: {balance: {tolerance: 5 %}}, select: {kind: electricity_meter}}")
    site = make_site(DEVICES, places={"feeds": [{"main": "em-1", "subs": ["em-2", "em-3"]}]})
    coverage = find_coverage(rule, site)
    assert [subject.id for subject in coverage.subjects] == ["em-1"]
    assert coverage.unfit == dict.fromkeys(["em-2", "em-3", "em-4"], "no sub-meters")
