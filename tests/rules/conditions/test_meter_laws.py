"""What holds for every condition on meters: they go on from snapshots, tell of every change, and keep little."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.counting.steps import Step
from devices.durations import NANOSECONDS
from rules.alerts import Subject, SubjectKind
from rules.conditions.logic import Combined
from rules.conditions.node import Take, TakeArrival, TakeCount, TakeStep
from rules.when import When
from tests.rulebench import at, make_site, reading

if TYPE_CHECKING:
    from rules.site import Site

MINUTE = NANOSECONDS["m"]
METERS: list[Mapping[str, object]] = [
    {"id": name, "kind": "water_meter", "building": "A", "interval": "15m"} for name in ("one", "two")
]
CALENDARS = {"calendars": {"work": {"hours": "08:00-18:00", "days": ["mon", "tue", "wed", "thu", "fri"]}}}
FEEDS = {"feeds": [{"main": "one", "subs": ["two"]}]}
CONDITIONS = [
    "{usage: {point: volume_m3, above: 1 m³, per: day}}",
    "{usage: {point: volume_m3, above: 130 % of last week, per: hour}}",
    "{usage: {point: volume_m3, below: 50 % of last week, per: day}}",
    "{off_hours: {above: 50 L/h, calendar: work}}",
    "{night_flow: {between: '22:00-05:00', above: 20 L/h, nights: 2}}",
    "{night_flow: {point: flow_m3_per_h, between: '02:00-05:00', above: 20 L/h}}",
    "{never_zero: {for: 6h, least: 1 L/h}}",
    "{never_zero: {point: flow_m3_per_h, for: 3h}}",
    "{balance: {tolerance: [5 %, 10 L], per: hour}}",
    "{balance: {tolerance: 10 %, per: day}}",
    "{register: {fault: [reset, spike], good_for: 2h}}",
]


class Listening:
    """A node and what it listens to; a scope of its own."""

    def __init__(self, when: str, per: SubjectKind) -> None:
        self.site: Site = make_site(METERS, zone="Europe/Berlin", places=FEEDS, calendars=CALENDARS)
        (self.subject, self.devices), *_ = self.site.group(self.site.register.devices, per).items()
        self.now = at("2026-03-27 00:00")
        self.steps: list[tuple[str, TakeStep]] = []
        self.values: list[tuple[str, Take]] = []
        self.node = When.model_validate(yaml.safe_load(when)).build(self)

    def listen(self, device: str, point: str, take: Take) -> None:
        assert point == "flow_m3_per_h"
        self.values.append((device, take))

    def listen_arrivals(self, device: str, take: TakeArrival) -> None:
        raise NotImplementedError

    def listen_steps(self, device: str, point: str, take: TakeStep) -> None:
        assert point == "volume_m3"
        self.steps.append((device, take))

    def listen_occupancy(self, area: str, take: TakeCount) -> None:
        raise NotImplementedError

    def hear(self, device: str, step: Step) -> None:
        """A step, and what a gauge of the flow would say at its end; holds the node to what it promises."""
        row = reading(device, step.end, flow_m3_per_h=step.amount)
        before = self.look()[0]
        told = [take(step) for name, take in self.steps if name == device]
        told += [take(step.amount, row) for name, take in self.values if name == device]
        assert any(told) or self.look()[0] == before
        assert self.node.due is None

    def look(self) -> tuple[object, ...]:
        """What it says now."""
        if isinstance(self.node, Combined):
            self.node.weigh()
        return self.node.truth, self.node.evidence()

    def pack(self) -> bytes:
        """Its state, as it is kept."""
        return msgspec.msgpack.encode(self.node.snapshot())


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, Step]]:
    """Steps of two meters: days of rows, nearly all of them good."""
    rows: list[tuple[str, Step]] = []
    for device in draw(st.sampled_from([["one"], ["one", "two"]])):
        position = at("2026-03-27 00:00") + draw(st.integers(0, 30)) * MINUTE
        for minutes, count in draw(
            st.lists(st.tuples(st.sampled_from([15, 60, 7, 300]), st.integers(1, 40)), max_size=8)
        ):
            amount = draw(st.sampled_from([0.0, 0.001, 0.05, 1.0]))
            for _ in range(count):
                kind = draw(st.sampled_from(["count"] * 30 + ["reset", "spike", "replacement"]))
                begin = position if kind in ("count", "reset") else position + minutes * MINUTE
                position += minutes * MINUTE
                difference = amount if kind != "reset" else -amount
                rows.append((device, Step(kind, begin, position, difference, amount, minutes == 300)))  # type: ignore[arg-type] # a kind
    return sorted(rows, key=lambda row: row[1].end)


@pytest.mark.parametrize("when", CONDITIONS)
@settings(max_examples=25, deadline=None)
@given(rows=histories(), per=st.sampled_from(["device", "building"]), data=st.data())
def test_a_node_goes_on_from_a_snapshot(
    when: str, rows: list[tuple[str, Step]], per: SubjectKind, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(rows)))
    first, second = Listening(when, per), Listening(when, per)
    for device, step in rows[:cut]:
        first.hear(device, step)
    second.node.restore(msgspec.msgpack.decode(first.pack()))
    assert second.look() == first.look()
    for device, step in rows[cut:]:
        first.hear(device, step)
        second.hear(device, step)
        assert second.look() == first.look()
    assert second.pack() == first.pack()


@pytest.mark.parametrize("when", CONDITIONS)
def test_memory_is_bounded(when: str) -> None:
    node = Listening(when, "building")
    sizes = []
    for day in range(24):
        for minute in range(0, 1440, 15):
            begin = at("2026-03-27 00:00") + (day * 1440 + minute) * MINUTE
            for device in ("one", "two"):
                node.hear(device, Step("count", begin, begin + 15 * MINUTE, 0.1, 0.1))
        sizes.append(len(node.pack()))
    assert sizes[-1] <= max(sizes[:10]) + 20  # digits of times and sums


@pytest.mark.parametrize("when", CONDITIONS)
def test_it_is_described_in_both_languages(when: str) -> None:
    condition = When.model_validate(yaml.safe_load(when)).condition
    assert condition is not None
    words = condition.describe()
    assert words.en
    assert words.zh
    assert type(condition).summary
    assert Listening(when, "device").subject == Subject("device", "one")
