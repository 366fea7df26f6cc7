from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from devices.durations import NANOSECONDS
from devices.reading import Reading, Value
from devices.register import Device
from rules.alerts import Subject, Transition
from rules.conditions.occupancy import Occupied
from rules.engine import Engine
from tests.rulebench import at, make_engine, make_site, reading
from tests.rules.conditions.alone import Alone, say

LAB = {"building": "A", "floor": "2F", "area": "lab"}
DOOR: Mapping[str, object] = {"id": "door", "kind": "door", **LAB}
METER: Mapping[str, object] = {"id": "wm", "kind": "water_meter", **LAB}
PEOPLE: Mapping[str, object] = {"id": "people", "kind": "sensor", **LAB}
EMPTY = "- {id: empty, select: {kind: water_meter}, when: {occupancy: {is: empty, stay: 4h}}}"


def badge(time: str, direction: str | None, credential: str = "k1:a", device: str = "door") -> Reading:
    points: dict[str, Value] = {"event": "granted", "credential": credential}
    if direction:
        points["direction"] = direction
    return say(device, time, points)


def judge(engine: Engine, *readings: Reading, until: str) -> list[tuple[str, int]]:
    told: list[Transition] = []
    for each in readings:
        told += engine.evaluate(each)
    told += engine.advance(at(until))
    return [(transition.kind, transition.at) for transition in told]


def test_an_area_is_empty_once_all_who_came_in_have_gone_out() -> None:
    engine = make_engine(EMPTY, [DOOR, METER], now="2026-03-01 00:00")
    assert judge(
        engine,
        badge("2026-03-01 08:00", "in"),
        badge("2026-03-01 08:30", "in", "k1:b"),
        badge("2026-03-01 09:00", "out"),
        badge("2026-03-01 10:00", "out", "k1:b"),
        badge("2026-03-01 11:00", "in"),
        until="2026-03-01 11:30",
    ) == [
        ("fired", at("2026-03-01 04:00")),
        ("resolved", at("2026-03-01 08:00")),
        ("fired", at("2026-03-01 10:00")),
        ("resolved", at("2026-03-01 11:00")),
    ]


def test_with_a_reader_on_the_way_in_alone_it_is_empty_after_a_stay() -> None:
    engine = make_engine(EMPTY, [DOOR, METER], now="2026-03-01 00:00")
    assert judge(
        engine, badge("2026-03-01 03:00", None), badge("2026-03-01 05:00", None, "k1:b"), until="2026-03-01 12:00"
    ) == [("fired", at("2026-03-01 09:00"))]


def test_who_was_inside_at_the_start_is_not_known() -> None:
    engine = make_engine(EMPTY, [DOOR, METER], now="2026-03-01 00:00")
    assert judge(engine, badge("2026-03-01 01:00", "out"), until="2026-03-01 03:59") == []
    assert judge(engine, until="2026-03-01 04:00") == [("fired", at("2026-03-01 04:00"))]


def test_an_area_without_doors_and_counters_is_not_judged() -> None:
    engine = make_engine(EMPTY, [METER])
    assert judge(engine, until="2026-04-01 00:00") == []


def test_somebody_is_in_another_area() -> None:
    rule = "- {id: in, per: site, select: {device: wm}, when: {occupancy: {area: A/2F/lab, is: occupied}}}"
    engine = make_engine(rule, [DOOR, {**METER, "area": "hall"}], now="2026-02-28 00:00")
    assert judge(
        engine, badge("2026-03-01 08:00", "in"), badge("2026-03-01 09:00", "out"), until="2026-03-01 09:00"
    ) == [("fired", at("2026-03-01 08:00")), ("resolved", at("2026-03-01 09:00"))]


@pytest.mark.parametrize("per", ["area", "floor", "building", "site"])
def test_the_place_is_the_subjects_own(per: str) -> None:
    rule = f"- {{id: in, per: {per}, select: {{kind: water_meter}}, when: {{occupancy: {{is: occupied}}}}}}"
    engine = make_engine(rule, [DOOR, METER, {**DOOR, "id": "far", "building": "B"}])
    expected = [("fired", at("2026-03-01 08:00"))]
    assert judge(engine, badge("2026-03-01 08:00", "in"), until="2026-03-01 08:00") == expected
    far = badge("2026-03-01 08:00", "in", device="far")
    engine = make_engine(rule, [DOOR, METER, {**DOOR, "id": "far", "building": "B"}])
    assert judge(engine, far, until="2026-03-01 08:00") == (expected if per == "site" else [])


def test_too_many_people_are_told_with_their_number() -> None:
    rule = "- {id: crowd, per: area, select: {kind: door}, when: {occupancy: {above: 2}}}"
    engine = make_engine(rule, [DOOR])
    for number in range(2):
        assert engine.evaluate(badge(f"2026-03-01 08:0{number}", "in", f"k1:{number}")) == []
    fired = engine.evaluate(badge("2026-03-01 08:05", "in", "k1:5"))[0]
    assert fired.subject == Subject("area", "A/2F/lab")
    assert (fired.evidence.value, fired.evidence.limit) == (3.0, 2.0)
    assert fired.evidence.details == {"area": "A/2F/lab", "last_seen": "2026-03-01T08:05:00Z"}
    # Without a word of them they are gone after 16 hours, the first one first. Since then it is known who is there.
    assert judge(engine, until="2026-03-02 00:05") == [("resolved", at("2026-03-02 00:05"))]


def test_a_people_counter_counts_and_doors_do_not() -> None:
    engine = make_engine(EMPTY, [DOOR, METER, PEOPLE], now="2026-03-01 00:00")
    assert judge(
        engine,
        badge("2026-03-01 01:00", "in"),
        reading("people", "2026-03-01 01:30", occupancy=0),
        badge("2026-03-01 02:00", "in", "k1:b"),
        reading("people", "2026-03-01 02:30", occupancy=3),
        until="2026-03-01 03:00",
    ) == [("fired", at("2026-03-01 01:30")), ("resolved", at("2026-03-01 02:30"))]
    assert judge(engine, until="2026-03-01 06:30") == [("fired", at("2026-03-01 06:30"))]


def test_who_is_inside_is_still_known_after_a_restart() -> None:
    engine = make_engine(EMPTY, [DOOR, METER], now="2026-02-28 00:00")
    readings = [badge("2026-03-01 08:00", "in"), badge("2026-03-01 08:00:01", "in", "k1:b")]
    judge(engine, *readings, badge("2026-03-01 09:00", "out"), until="2026-03-01 09:00")
    again = make_engine(EMPTY, [DOOR, METER], now="2026-03-01 09:00")
    assert again.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(engine.snapshot()))) == []
    assert judge(again, badge("2026-03-01 09:30", "out"), until="2026-03-01 09:59") == []
    assert judge(again, badge("2026-03-01 10:00", "out", "k1:b"), until="2026-03-01 11:00") == [
        ("fired", at("2026-03-01 10:00"))
    ]


def test_load_in_an_empty_area_joins_two_systems() -> None:
    rule = """
    - id: flow
      select: {kind: water_meter}
      when: {all: [{threshold: {point: flow_m3_per_h, above: 0.1 m³/h}}, {occupancy: {is: empty}}]}
      for: 30m
    """
    engine = make_engine(rule, [DOOR, METER], now="2026-02-28 00:00")
    assert judge(
        engine,
        badge("2026-03-01 08:00", "in"),
        reading("wm", "2026-03-01 08:10", flow_m3_per_h=1),
        badge("2026-03-01 09:00", "out"),
        until="2026-03-01 10:00",
    ) == [("fired", at("2026-03-01 09:30"))]


HOUR = NANOSECONDS["h"]
STEPS = st.lists(st.tuples(st.sampled_from(["doors", "people", "time"]), st.integers(0, 3), st.integers(0, 6)))


def play(alone: Alone, steps: list[tuple[str, int, int]], time: int) -> list[object]:
    """Plays counts and times, each some hours after the one before."""
    seen: list[object] = []
    for what, people, hours in steps:
        time += hours * HOUR
        seen += alone.pass_time(time)
        if what == "doors":
            seen.append(alone.count("A/2F/lab", people, time if people else 0))
        elif what == "people":
            seen.append(alone.hear(reading("people", time, occupancy=people)))
    return seen


@given(STEPS, STEPS, st.sampled_from([{"is": "empty"}, {"is": "occupied"}, {"above": 1}]))
def test_a_node_keeps_its_promises_and_goes_on_from_its_snapshot(
    before: list[tuple[str, int, int]], after: list[tuple[str, int, int]], condition: dict[str, object]
) -> None:
    site = make_site([DOOR, METER, PEOPLE])
    original, copy = (Alone(Occupied.model_validate(condition), site, Subject("device", "wm")) for _ in range(2))
    play(original, before, HOUR)
    copy.go_on_from(original)
    start = HOUR + sum(hours for _, _, hours in before) * HOUR
    assert play(copy, after, start) == play(original, after, start)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({}, "expected one of is and above, got none"),
        ({"is": "empty", "above": 3}, "expected one of is and above, got both"),
        ({"is": "empty", "area": "A//lab"}, "expected building/floor/area such as A/2F/lab"),
        ({"is": "empty", "area": "A/1F/lab/desk"}, "expected building/floor/area such as A/2F/lab"),
        ({"is": "empty", "stay": "17h"}, "less than or equal"),
        ({"above": 0}, "greater than or equal"),
        ({"is": "full"}, "'empty' or 'occupied'"),
    ],
)
def test_wrong_conditions_are_told(condition: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Occupied.model_validate(condition)


@pytest.mark.parametrize(
    ("condition", "en", "zh"),
    [
        ({"is": "empty"}, "nobody is in its area", "所在区域内无人"),
        (
            {"is": "empty", "stay": "4h"},
            "nobody is in its area (whoever is not heard of for 4h has left)",
            "所在区域内无人（4h 无记录者视为已离开）",
        ),
        ({"is": "occupied", "area": "A/2F/lab"}, "somebody is in A/2F/lab", "A/2F/lab内有人"),
        ({"above": 40, "area": "A"}, "more than 40 people are in A", "A内超过 40 人"),
    ],
)
def test_it_is_described(condition: dict[str, object], en: str, zh: str) -> None:
    text = Occupied.model_validate(condition).describe()
    assert (text.en, text.zh) == (en, zh)


def test_a_device_without_a_place_needs_an_area() -> None:
    device = Device.model_validate({"id": "wm", "kind": "water_meter"})
    assert Occupied.model_validate({"is": "empty"}).fits(device) == "no place"
    assert not Occupied.model_validate({"is": "empty", "area": "A"}).fits(device)
