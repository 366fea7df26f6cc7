from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.durations import NANOSECONDS
from devices.reading import Reading
from devices.register import Device
from rules.alerts import Subject, Transition
from rules.conditions.impossible_travel import ImpossibleTravel
from tests.rulebench import at, make_engine, make_site, reading
from tests.rules.conditions.alone import Alone

DOORS: list[Mapping[str, object]] = [
    {"id": "a1", "kind": "door", "building": "A", "floor": "1F"},
    {"id": "a2", "kind": "door", "building": "A", "floor": "2F"},
    {"id": "b", "kind": "door", "building": "B", "floor": "1F"},
]
RULE = "- {id: travel, per: site, select: {kind: door}, when: {impossible_travel: {}}}"
SECOND = NANOSECONDS["s"]


def badge(device: str, clock: str, credential: str = "k1:0123456789ab", event: str = "granted") -> Reading:
    return reading(device, f"2026-03-01 {clock}", event=event, credential=credential)


def play(*readings: Reading, rule: str = RULE) -> list[Transition]:
    engine = make_engine(rule, DOORS)
    told = [transition for each in readings for transition in engine.evaluate(each)]
    return told + engine.advance(at("2026-03-01 12:00"))


def test_a_credential_in_two_buildings_at_once_is_told_with_its_path() -> None:
    fired, resolved = play(badge("a1", "08:00:00"), badge("b", "08:01:30", event="denied"))
    assert (fired.at, resolved.at) == (at("2026-03-01 08:01:30"), at("2026-03-01 08:06:30"))
    evidence = fired.evidence
    assert (evidence.device, evidence.value, evidence.limit, evidence.unit) == ("b", 90.0, 120.0, "s")
    assert evidence.details == {"credential": "01234567", "from": "a1", "to": "b"}


@pytest.mark.parametrize(
    "readings",
    [
        [badge("a1", "08:00"), badge("b", "08:02")],
        [badge("a1", "08:00"), badge("a2", "08:01")],
        [badge("a1", "08:00"), badge("b", "08:01", "k1:fe")],
        [badge("a1", "08:00", "(hidden)"), badge("b", "08:01", "(hidden)")],
        [badge("a1", "08:00"), badge("b", "08:01", event="exit_request")],
    ],
    ids=["time enough", "one building", "two credentials", "hidden ones", "no use of a credential"],
)
def test_what_is_possible(readings: list[Reading]) -> None:
    assert play(*readings) == []


def test_doors_may_be_heard_in_another_order() -> None:
    late = Reading("b", at("2026-03-01 07:59"), at("2026-03-01 08:00:01"), badge("b", "07:59").values)
    told = play(badge("a1", "08:00"), late)
    assert [transition.kind for transition in told] == ["fired", "resolved"]


def test_floors_can_be_told_apart() -> None:
    rule = "- {id: travel, per: site, when: {impossible_travel: {between: floor, within: 30s}}}"
    assert [each.kind for each in play(badge("a1", "08:00:00"), badge("a2", "08:00:10"), rule=rule)] == [
        "fired",
        "resolved",
    ]


def test_an_alert_is_about_the_door_where_the_credential_turned_up_last() -> None:
    rule = "- {id: travel, select: {kind: door}, when: {impossible_travel: {}}}"
    told = play(badge("a1", "08:00"), badge("b", "08:01"), rule=rule)
    assert {transition.subject for transition in told} == {Subject("device", "b")}


STEPS = st.lists(
    st.tuples(st.sampled_from(["a1", "a2", "b"]), st.sampled_from(["k1:a", "k1:b"]), st.integers(0, 90)), max_size=16
)


def hear(alone: Alone, steps: list[tuple[str, str, int]], time: int) -> list[object]:
    said: list[object] = []
    for door, credential, seconds in steps:
        time += seconds * SECOND
        said += alone.pass_time(time)
        said.append(alone.hear(reading(door, time, event="granted", credential=credential)))
    return said


@given(STEPS, STEPS)
def test_a_node_goes_on_from_its_snapshot(
    before: list[tuple[str, str, int]], after: list[tuple[str, str, int]]
) -> None:
    condition = ImpossibleTravel.model_validate({"hold": "40s"})
    original, copy = (Alone(condition, make_site(DOORS), Subject("site", "site")) for _ in range(2))
    hear(original, before, SECOND)
    copy.go_on_from(original)
    start = sum(seconds for _, _, seconds in before) * SECOND + SECOND
    assert hear(copy, after, start) == hear(original, after, start)


@given(STEPS)
def test_it_comes_true_exactly_where_two_uses_in_a_row_are_too_close(steps: list[tuple[str, str, int]]) -> None:
    alone = Alone(ImpossibleTravel.model_validate({"hold": "1ms"}), make_site(DOORS), Subject("site", "site"))
    last: dict[str, tuple[str, int]] = {}
    time = SECOND
    for door, credential, seconds in steps:
        time += (seconds + 1) * SECOND
        alone.pass_time(time)
        before, since = last.get(credential, (door, time))
        alone.hear(reading(door, time, event="granted", credential=credential))
        assert alone.node.truth == (before[0] != door[0] and time - since < 120 * SECOND)
        last[credential] = door, time


def test_it_is_described_and_checked() -> None:
    condition = ImpossibleTravel.model_validate({"between": "floor", "within": "30s"})
    assert condition.describe().en == "a credential is used on two floors within 30s"
    assert ImpossibleTravel().describe().zh == "同一凭证在 2m 内先后出现在两个楼栋"
    assert condition.fits(Device.model_validate({"id": "d", "kind": "door"})) == "no floor"
    assert condition.fits(Device.model_validate({"id": "s", "kind": "sensor", "floor": "1F"})) == "no door"
