"""Laws of the everyday conditions: a snapshot changes nothing, and a node keeps what nodes promise."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.durations import NANOSECONDS
from devices.reading import Reading, Value
from rules.alerts import Subject
from rules.conditions.logic import Combined
from rules.conditions.node import Condition, TakeArrival
from rules.site import Site
from rules.when import When
from tests.rulebench import at, make_site
from tests.rules.conditions.alone import Alone, say

SECOND = NANOSECONDS["s"]
BEGIN = at("2026-03-01 00:00")

CONDITIONS: list[dict[str, Any]] = [
    {"threshold": {"point": "power_kw", "above": "3 kW", "clear_below": "1 kW"}},
    {"threshold": {"point": "door", "equals": "open"}},
    {"change": {"point": "power_kw", "rises_by": "2 kW", "within": "20s"}},
    {"change": {"point": "power_kw", "falls_by": "2 kW", "within": "20s"}},
    {"silent": {"for": "10s"}},
    {"silent": {"learned": True}},
    {"clock_skew": {"above": "10s"}},
    {"stuck": {"point": "power_kw", "for": "10s"}},
    {"count": {"event": "denied", "at_least": 2, "within": "20s"}},
    {"count": {"event": "denied", "at_least": 2, "within": "20s", "per": "credential"}},
    {"count": {"point": "power_kw", "above": "2 kW", "at_least": 2, "within": "20s", "per": "area"}},
    {"sequence": {"steps": [{"event": "denied"}, {"event": "granted"}], "within": "20s", "hold": "15s"}},
    {
        "sequence": {
            "steps": [{"event": "denied"}, {"point": "door", "equals": "open"}, {"event": ["denied", "granted"]}],
            "within": "30s",
            "per": "device",
        }
    },
    {"imbalance": {"points": ["power_l1_kw", "power_l2_kw"], "above": "20 %", "least": "2 kW"}},
    {"all": [{"silent": {"for": "10s"}}, {"not": {"threshold": {"point": "power_kw", "above": "3 kW"}}}]},
]

DEVICES: list[Mapping[str, object]] = [
    {"id": device, "kind": "sensor", "building": "A", "floor": "1F", "area": area}
    for device, area in (("a", "hall"), ("b", "hall"), ("c", "yard"))
]


class Listening(Alone):
    """A node alone that hears of arrivals as well."""

    def __init__(self, condition: Condition | When, site: Site, subject: Subject, now: int = 0) -> None:
        self._arrivals: list[tuple[str, TakeArrival]] = []
        super().__init__(condition, site, subject, now)  # type: ignore[arg-type] # a tree is built as a condition is

    def listen_arrivals(self, device: str, take: TakeArrival) -> None:
        self._arrivals.append((device, take))

    def hear(self, reading: Reading) -> object:
        for device, take in self._arrivals:
            if device == reading.device:
                before = self.node.truth, self.node.due
                self._check(before, weighed=take(reading))
        super().hear(reading)
        if isinstance(self.node, Combined):
            self.node.weigh()
        return self.said


_POINTS = st.fixed_dictionaries(
    {},
    optional={
        "power_kw": st.integers(0, 5).map(float),
        "power_l1_kw": st.integers(0, 5).map(float),
        "power_l2_kw": st.integers(0, 5).map(float),
        "door": st.sampled_from(["open", "closed"]),
        "event": st.sampled_from(["denied", "granted", "opened"]),
        "credential": st.sampled_from(["k1:aa", "k1:bb"]),
    },
).map(lambda points: points or {"rssi_dbm": -90.0})

_READINGS = st.lists(st.tuples(st.integers(0, 15 * SECOND), st.sampled_from("abc"), _POINTS), min_size=1, max_size=30)


def play(node: Listening, time: int, device: str, points: Mapping[str, Value]) -> object:
    return node.pass_time(time), node.hear(say(device, time, points))


@pytest.mark.parametrize("when", CONDITIONS, ids=str)
@pytest.mark.parametrize("subject", [Subject("device", "a"), Subject("site", "site")], ids=str)
@given(steps=_READINGS, data=st.data())
def test_a_snapshot_changes_nothing(
    when: dict[str, Any], subject: Subject, steps: list[tuple[int, str, dict[str, Value]]], data: st.DataObject
) -> None:
    tree, site = When.model_validate(when), make_site(DEVICES)
    node = Listening(tree, site, subject, BEGIN)
    cut, time = data.draw(st.integers(0, len(steps))), BEGIN
    for pause, device, points in steps[:cut]:
        time += pause
        play(node, time, device, points)
    other = Listening(tree, site, subject, time)
    other.go_on_from(node)
    for pause, device, points in steps[cut:]:
        time += pause
        assert play(node, time, device, points) == play(other, time, device, points)
    assert node.pass_time(time + 60 * SECOND) == other.pass_time(time + 60 * SECOND)


@pytest.mark.parametrize("when", CONDITIONS, ids=str)
def test_what_was_written_is_written_again(when: dict[str, Any]) -> None:
    tree = When.model_validate(when)
    assert When.model_validate_json(tree.model_dump_json(by_alias=True, exclude_none=True)) == tree
