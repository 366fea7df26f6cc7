"""Watches, gates and the wiring by themselves."""

from math import inf
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from devices.durations import NANOSECONDS
from devices.reading import Reading, Value
from rules.alerts import Phase, Subject, Transition
from rules.conditions.node import Node
from rules.gate import Gate, Timetable
from rules.hindsight import Hindsight, Recall
from rules.pace import SETTLE, Pace
from rules.plans import Wiring
from rules.watch import _STEPS, Watch
from tests.rulebench import after, at, make_site, read_rules

S, M, H = NANOSECONDS["s"], NANOSECONDS["m"], NANOSECONDS["h"]
UTC = ZoneInfo("UTC")
(RULE,) = read_rules("- {id: r, when: {threshold: {point: power_kw, above: 1 kW}}, for: 1m, keep_firing_for: 2m}")


class Bench:
    """A clock that does nothing by itself."""

    def __init__(self) -> None:
        self.now = 0
        self.past = 0
        self.turned: list[tuple[Watch, int]] = []
        self.told: list[Transition] = []

    def schedule(self, watch: Watch, due: float) -> None:
        watch.queued = due

    def tell(self, transition: Transition) -> None:
        self.told.append(transition)


class Hourly:
    """A calendar that holds in every other hour, counted from 1970."""

    def __init__(self) -> None:
        self.asked = 0

    def covers(self, time: int, zone: ZoneInfo) -> bool:
        assert zone is UTC
        self.asked += 1
        return time // H % 2 == 0

    def next_change(self, time: int, zone: ZoneInfo) -> int:
        assert zone is UTC
        return (time // H + 1) * H


def make_watch(clock: Bench, pace: Pace, *active: Hourly) -> tuple[Watch, Node]:
    node = Node()
    watch = Watch(RULE, Subject("device", "m"), node, Gate(Timetable(active, [], UTC), 0), clock, 0)
    watch.pace = pace
    return watch, node


# ── watches ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def bring(phase: Phase) -> tuple[Bench, Watch, Node, Pace]:
    """A watch in a phase that began at 10 minutes, or in `idle`."""
    clock, pace = Bench(), Pace("m")
    watch, node = make_watch(clock, pace)
    course: dict[Phase, list[tuple[int, bool]]] = {
        "idle": [],
        "pending": [(10 * M, True)],
        "firing": [(9 * M, True)],
        "clearing": [(8 * M, True), (10 * M, False)],
    }
    for time, truth in course[phase]:
        clock.now = time
        watch.wake()
        node.truth = truth
        watch.turn(time, pace, 0)
    clock.now = 10 * M
    watch.wake()
    assert watch.phase == phase
    return clock, watch, node, pace


@pytest.mark.parametrize("phase", ["idle", "pending", "firing", "clearing"])
@pytest.mark.parametrize("event", ["true", "false", "unknown", "expired"])
def test_every_step_of_the_table_and_no_other(phase: Phase, event: str) -> None:
    clock, watch, node, pace = bring(phase)
    if event == "expired":
        clock.now = 10 * M + 2 * M
        watch.wake()
    else:
        node.truth = {"true": True, "false": False, "unknown": None}[event]
        watch.turn(clock.now, pace, 0)
    assert watch.phase == _STEPS.get((phase, event), phase)


@pytest.mark.parametrize(("phase", "due"), [("idle", inf), ("pending", 11 * M), ("firing", inf), ("clearing", 12 * M)])
def test_delays_run_in_the_devices_time(phase: Phase, due: float) -> None:
    _, watch, _, pace = bring(phase)
    assert watch.due == due
    pace.lag = H
    watch.plan()
    assert watch.due == due + H


def test_an_alert_waits_for_a_device_that_comes_closer() -> None:
    clock, watch, _, pace = bring("pending")
    pace.lag = 60 * S
    watch.settle(11 * M, pace)
    assert watch.phase == "firing"
    assert clock.told == []
    assert pace.waiting == (watch,)
    assert watch.due == clock.now + SETTLE
    clock.now += 5 * S
    pace.lag = 58 * S
    assert watch.postpone(pace)
    assert watch.due == clock.now + 5 * S  # no closer than before, for all that matters
    pace.lag = 40 * S
    assert watch.postpone(pace)
    assert watch.due == clock.now + SETTLE
    clock.now += SETTLE
    watch.wake()
    assert [one.kind for one in clock.told] == ["fired"]
    assert not watch.postpone(pace)


def test_patience_grows_with_the_lag() -> None:
    pace = Pace("m")
    found = []
    for pace.lag in (0, 60 * S, 30 * M, 24 * H):
        found.append(pace.patience)
    assert found == [10 * S, 10 * S, 3 * M, 10 * M]


def test_muted_hours_end_an_alert_even_where_nothing_can_be_said() -> None:
    clock, pace = Bench(), Pace("m")
    watch, node = make_watch(clock, pace, Hourly())
    node.truth = True
    watch.turn(0, pace, 0)
    clock.now = 30 * M
    watch.wake()
    node.truth = None
    watch.turn(clock.now, pace, 0)
    phases = [watch.phase]
    clock.now = H
    watch.wake()
    assert [*phases, watch.phase] == ["firing", "clearing"]


@pytest.mark.parametrize("phase", ["idle", "pending", "firing", "clearing"])
def test_a_watch_goes_on_from_its_snapshot(phase: Phase) -> None:
    clock, watch, _, _ = bring(phase)
    fresh, _ = make_watch(clock, Pace("m"))
    fresh.restore(msgpack.decode(msgpack.encode(watch.snapshot())), {})
    assert fresh.snapshot() == watch.snapshot()
    assert (fresh.phase, fresh.due, fresh.alert()) == (watch.phase, watch.due, watch.alert())


def test_a_watch_goes_on_from_a_snapshot_of_before() -> None:
    """Which said nothing of the device and the conditions' truths when it began."""
    clock, watch, _, _ = bring("firing")
    *state, telling = watch.snapshot()
    fresh, _ = make_watch(clock, Pace("m"))
    fresh.restore([*state[:6], [*telling[:10], [1, 5, None, 1, 7]]], {})
    assert (fresh.phase, fresh.alert()) == (watch.phase, watch.alert())
    assert fresh.snapshot()[-1][-1] == [1, 5, None, 1, 7, 1, False, []]


# ── hindsight ────────────────────────────────────────────────────────────────────────────────────────────────────────


def mean(*, bad: bool) -> Recall:
    """What a late reading would have meant, whatever was before."""
    return lambda _: ([bad], bad)


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), unique_by=lambda value: value[0]))
def test_hindsight_claims_no_more_than_the_values_show(values: list[tuple[int, bool]]) -> None:
    hindsight = Hindsight(5, 20)
    for time, bad in values:
        hindsight.take(time, mean(bad=bad), 100)
    between = sorted((time, bad) for time, bad in values if 5 < time < 20)
    first = 20
    for time, bad in reversed(between):
        if not bad:
            break
        first = time
    assert first <= hindsight.since <= 20
    if values == sorted(values):
        assert hindsight.since == first
    assert hindsight.due == (100 + SETTLE if between else None)
    assert Hindsight.restored(hindsight.snapshot()).snapshot() == hindsight.snapshot()


# ── paces ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def said(time: int, **values: Value) -> Reading:
    return Reading("m", time, time + 5, values)


def test_values_of_the_same_moment_count_once() -> None:
    pace = Pace("m")
    pace.newest, pace.values = 1, {"power_kw": 1.0}
    assert pace.join(said(1, power_kw=1.0, voltage_v=230.0)).values == {"voltage_v": 230.0}
    assert pace.join(said(1, power_kw=1.0, voltage_v=230.0)).values == {}
    assert pace.join(said(1, power_kw=2.0)).values == {"power_kw": 2.0}
    fresh = Pace("m")
    fresh.restore(msgpack.decode(msgpack.encode(pace.snapshot())))
    assert fresh.join(said(1, power_kw=2.0, voltage_v=230.0)).values == {}
    fresh.newest, fresh.values = 2, {"power_kw": 3.0}
    assert fresh.join(said(2, power_kw=2.0)).values == {"power_kw": 2.0}


def test_an_event_counts_once_and_another_one_of_the_same_moment_too() -> None:
    pace = Pace("m")
    first: dict[str, Value] = {"event": "granted", "credential": "hmac:a"}
    second: dict[str, Value] = {"event": "granted", "credential": "hmac:b"}
    pace.newest, pace.values = 7, first
    assert pace.join(said(7, **first)).values == {}
    assert pace.join(said(7, **second)).values == second
    fresh = Pace("m")
    fresh.restore(msgpack.decode(msgpack.encode(pace.snapshot())))
    assert [fresh.join(said(7, **values)).values for values in (second, first)] == [{}, {}]


def test_an_event_that_comes_a_little_too_late_is_of_the_newest_moment() -> None:
    pace = Pace("m")
    pace.newest, pace.values = 7, {"event": "opened"}
    joined = pace.join(said(5, event="granted"))
    assert (joined.time, joined.received, joined.values) == (7, 10, {"event": "granted"})
    assert pace.join(said(5, event="granted")).values == {}


@given(st.integers(1, 100))
def test_what_is_remembered_of_one_moment_is_bounded(count: int) -> None:
    pace = Pace("m")
    pace.newest, pace.values = 7, {"event": "opened"}
    for number in range(count):
        assert pace.join(said(7, event="granted", credential=str(number))).values
    assert len(msgpack.encode(pace.snapshot())) < 1000


# ── gates ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.integers(0, 20 * H), min_size=1, max_size=20), st.booleans(), st.booleans())
def test_a_gate_says_what_its_calendars_say(times: list[int], active: bool, mute: bool) -> None:
    calendar = Hourly()
    timetable = Timetable([calendar] if active else [], [calendar] if mute else [], UTC)
    gate = Gate(timetable, times[0])
    for time in sorted(times[1:]):
        if time < gate.time:
            gate.move(time)
        gate.advance(time)
        covered = time // H % 2 == 0
        assert gate.open == ((not active or covered) and not (mute and covered))
        assert gate.was_open(time) == gate.open
        assert gate.due > time
        assert gate.time <= time


def test_without_calendars_a_gate_is_always_open() -> None:
    gate = Gate(Timetable([], [], UTC), at("2026-03-01 08:00"))
    assert (gate.open, gate.due, gate.time) == (True, inf, 0)


def test_many_gates_ask_the_calendar_once() -> None:
    calendar = Hourly()
    timetable = Timetable([calendar], [], UTC)
    gates = [Gate(timetable, 0) for _ in range(1000)]
    for gate in gates:
        gate.advance(H)
    assert calendar.asked == 2


# ── wiring ───────────────────────────────────────────────────────────────────────────────────────────────────────────

DEVICES: list[dict[str, Any]] = [
    {"id": "m1", "kind": "electricity_meter", "building": "A", "nominal_voltage": "230 V"},
    {"id": "m2", "kind": "electricity_meter", "building": "A"},
    {"id": "w", "kind": "water_meter", "building": "B"},
]


def wire(rules: str) -> Wiring:
    return Wiring(read_rules(rules), make_site(DEVICES), Bench())


def test_a_plan_holds_only_what_concerns_its_device_and_point() -> None:
    wiring = wire("""
- {id: power, select: {kind: electricity_meter}, when: {threshold: {point: power_kw, above: 1 kW}}}
- {id: share, when: {threshold: {point: voltage_v, above: 110 % of nominal_voltage}}}
- {id: use, select: {kind: water_meter}, when: {usage: {point: volume_m3, above: 1 m³, per: day}}}
- {id: disabled, enabled: false, when: {threshold: {point: power_kw, above: 1 kW}}}
""")
    assert [(rule, subject.id) for rule, subject in wiring.watches] == [
        ("power", "m1"), ("power", "m2"), ("share", "m1"), ("use", "w"),
    ]  # fmt: skip
    assert {device: sorted(plan.points) for device, plan in wiring.plans.items()} == {
        "m1": ["power_kw", "voltage_v"],
        "m2": ["power_kw"],
        "w": ["volume_m3"],
    }
    assert list(wiring.sources) == [("meter", "w", "volume_m3")]


def test_rules_of_one_register_share_its_counter() -> None:
    wiring = wire("""
- {id: day, select: {kind: water_meter}, when: {usage: {point: volume_m3, above: 1 m³, per: day}}}
- {id: week, select: {kind: water_meter}, when: {usage: {point: volume_m3, above: 5 m³, per: week}}}
""")
    ((point, _, watch),) = wiring.plans["w"].listeners
    assert (point, watch) == ("volume_m3", None)
    assert len(wiring.sources) == 1


def test_sources_come_first_and_then_watches_in_the_order_of_their_rules() -> None:
    wiring = wire("""
- {id: place, per: building, when: {threshold: {point: volume_m3, above: 9 m³}}}
- {id: flow, select: {device: w}, when: {threshold: {point: flow_m3_per_h, above: 1 m³/h}}}
- {id: high, select: {device: w}, when: {threshold: {point: volume_m3, above: 8 m³}}}
- {id: day, select: {device: w}, when: {usage: {point: volume_m3, above: 1 m³, per: day}}}
""")
    heard = [(point, watch and watch.rule.id) for point, _, watch in wiring.plans["w"].listeners]
    assert heard == [("volume_m3", None), ("volume_m3", "place"), ("flow_m3_per_h", "flow"), ("volume_m3", "high")]
    assert [watch.order for watch in wiring.watches.values()] == list(range(len(wiring.watches)))


def test_a_watch_lives_in_the_time_of_the_one_device_that_it_hears() -> None:
    wiring = wire("""
- {id: one, when: {threshold: {point: power_kw, above: 1 kW}}}
- {id: place, per: building, when: {threshold: {point: power_kw, above: 1 kW}}}
- {id: silent, when: {silent: {for: 15m}}}
- {id: mixed, when: {all: [{silent: {for: 15m}}, {threshold: {point: power_kw, above: 1 kW}}]}}
""")
    device, building = Subject("device", "m1"), Subject("building", "A")
    watches, pace = wiring.watches, wiring.plans["m1"].pace
    assert watches["one", device].pace is watches["mixed", device].pace is pace
    assert watches["place", building].pace is watches["silent", device].pace is None
    assert watches["place", Subject("building", "B")].pace is wiring.plans["w"].pace


def test_a_node_that_is_due_from_the_beginning_is_queued() -> None:
    wiring = Wiring(read_rules("- {id: silent, when: {silent: {for: 15m}}}"), make_site(DEVICES[:1]), Bench())
    (watch,) = wiring.watches.values()
    assert watch.queued == watch.due == 15 * M
    assert after("0s") == at("2026-03-01 00:00")
