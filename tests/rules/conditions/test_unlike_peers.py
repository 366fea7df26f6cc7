import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from devices.durations import NANOSECONDS
from rules.alerts import Transition
from rules.conditions.unlike_peers import PEERS_MAX, UnlikePeers
from rules.engine import Engine
from rules.rule import RuleFile
from tests.rulebench import after, make_engine, make_site, reading

MINUTE = NANOSECONDS["m"]
RULE = "- {id: odd, when: {unlike_peers: {point: temperature_c, group_by: building}}}"


def sensors(count: int, building: str = "A") -> list[dict[str, object]]:
    return [
        {"id": f"t-{building.lower()}-{place}", "kind": "sensor", "building": building, "interval": "15m"}
        for place in range(count)
    ]


def say(engine: Engine, minute: int, values: dict[str, float]) -> list[Transition]:
    moment = after("1h") + minute * MINUTE
    return [
        told
        for device, value in values.items()
        for told in engine.evaluate(reading(device, moment, temperature_c=value))
    ]


def warm(count: int) -> dict[str, float]:
    return {f"t-a-{place}": 20.0 + place * 0.1 for place in range(count)}


def test_the_one_that_differs_fires_alone() -> None:
    engine = make_engine(RULE, sensors(8))
    assert say(engine, 0, warm(8)) == []
    (fired,) = say(engine, 15, {**warm(8), "t-a-3": 35.0})
    assert fired.kind == "fired"
    assert fired.subject.id == "t-a-3"
    evidence = fired.evidence
    assert (evidence.value, evidence.unit) == (35.0, "°C")
    assert evidence.limit is not None
    assert 20.7 < evidence.limit < 35
    assert evidence.details == {"median": pytest.approx(20.4), "peers": 7.0}
    (resolved,) = say(engine, 30, warm(8))
    assert (resolved.kind, resolved.subject.id) == ("resolved", "t-a-3")


def test_one_that_is_colder_fires_too() -> None:
    engine = make_engine(RULE, sensors(8))
    say(engine, 0, warm(8))
    (fired,) = say(engine, 15, {"t-a-3": 5.0})
    assert fired.evidence.limit is not None
    assert 5 < fired.evidence.limit < 20


def test_all_that_change_together_are_alike() -> None:
    engine = make_engine(RULE, sensors(8))
    say(engine, 0, warm(8))
    assert say(engine, 15, {device: value + 0.4 for device, value in warm(8).items()}) == []


def test_five_peers_are_needed() -> None:
    engine = make_engine(RULE, sensors(5))
    assert say(engine, 0, {**warm(5), "t-a-3": 90.0}) == []
    assert say(engine, 15, {**warm(5), "t-a-3": 90.0}) == []


def test_peers_of_long_ago_do_not_count() -> None:
    engine = make_engine(RULE, sensors(8))
    say(engine, 0, warm(8))
    assert say(engine, 61, {"t-a-3": 90.0}) == []


def test_other_groups_are_no_peers() -> None:
    engine = make_engine(RULE, sensors(4, "A") + sensors(4, "B"))
    values = {**warm(4), "t-b-0": 90.0, "t-b-1": 20.0, "t-b-2": 20.0, "t-b-3": 20.0}
    assert say(engine, 0, values) == []
    assert say(engine, 15, values) == []


def test_registers_are_compared_by_their_rates() -> None:
    rule = "- {id: odd, when: {unlike_peers: {point: energy_import_kwh, group_by: kind}}}"
    meters = [{"id": f"em-{place}", "kind": "electricity_meter", "interval": "1h"} for place in range(7)]
    engine = make_engine(rule, meters)
    told: list[Transition] = []
    for hour in range(1, 6):
        for place in range(7):
            extra = 40.0 * max(0, hour - 2) if place == 2 else 0.0
            total = 1000.0 * place + (2.0 + place * 0.05) * hour + extra
            told += engine.evaluate(reading(f"em-{place}", after(f"{hour}h"), energy_import_kwh=total))
    assert {(one.kind, one.subject.id) for one in told} == {("fired", "em-2")}


def test_of_many_devices_the_nearest_are_peers() -> None:
    site = make_site(sensors(100))
    condition = UnlikePeers.model_validate({"point": "temperature_c", "group_by": "building"})
    found = [condition._find_peers(device, site) for device in site.register]
    assert {len(peers) for peers in found} == {PEERS_MAX}
    assert all(device.id not in peers for device, peers in zip(site.register, found, strict=True))
    assert found[50] == [f"t-a-{place}" for place in range(35, 66) if place != 50]
    heard = [sum(device.id in peers for peers in found) for device in site.register]
    assert max(heard) <= 2 * PEERS_MAX


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.floats(-50, 50), st.integers(1, 20)), max_size=60), st.integers(0, 60))
def test_a_restored_engine_tells_the_same(steps: list[tuple[int, float, int]], cut: int) -> None:
    def play(engine: Engine, some: list[tuple[int, int, float]]) -> list[Transition]:
        return [told for minute, place, value in some for told in say(engine, minute, {f"t-a-{place}": value})]

    minute, rows = 0, []
    for place, value, elapsed in steps:
        minute += elapsed
        rows.append((minute, place, value))
    whole = play(make_engine(RULE, sensors(8)), rows)
    first = make_engine(RULE, sensors(8))
    told = play(first, rows[:cut])
    second = make_engine(RULE, sensors(8))
    second.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(first.snapshot())))
    assert told + play(second, rows[cut:]) == whole


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("{point: temperature_c, group_by: colour}", "expected kind, area, floor, building, or tag:NAME"),
        ("{point: temperature_c, group_by: 'tag:'}", "expected kind, area, floor, building, or tag:NAME"),
        ("{point: temperature_c, group_by: kind, sensitivity: 0}", "usual deviations from 1 to 1000"),
        ("{point: door, group_by: kind}", "door is no quantity"),
    ],
)
def test_what_it_refuses(keys: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        RuleFile.model_validate({"rules": [{"id": "odd", "when": {"unlike_peers": yaml.safe_load(keys)}}]})


def test_groups_by_tag_leave_out_who_has_none() -> None:
    devices: list[dict[str, object]] = [{**one, "tags": {"zone": "cold"}} for one in sensors(6)]
    site = make_site([*devices, {"id": "t-x", "kind": "sensor", "building": "A"}], tags=["zone"])
    condition = UnlikePeers.model_validate({"point": "temperature_c", "group_by": "tag:zone"})
    assert [condition.fits(device) for device in site.register] == [""] * 6 + ["no zone"]
    assert len(condition._find_peers(next(iter(site.register)), site)) == 5


def test_it_describes_itself() -> None:
    text = UnlikePeers.model_validate({"point": "temperature_c", "group_by": "floor", "sensitivity": "low"}).describe()
    assert text.en == "temperature_c is 10 usual deviations from the median of the devices of the same floor"
    assert "中位数" in text.zh
