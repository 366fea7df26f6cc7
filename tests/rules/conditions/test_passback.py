from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from devices.credentials import HIDDEN
from devices.durations import NANOSECONDS
from devices.reading import Reading
from devices.register import Device
from rules.alerts import Subject, Transition
from rules.conditions.passback import Passback
from tests.rulebench import at, make_engine, make_site, reading
from tests.rules.conditions.alone import Alone, say

LAB = {"kind": "door", "building": "A", "floor": "2F", "area": "lab"}
DOORS: list[Mapping[str, object]] = [
    {"id": "in", **LAB},
    {"id": "out", **LAB},
    {"id": "store", **LAB, "area": "store", "outside": "lab"},
]
RULE = "- {id: twice, per: area, select: {area: lab}, when: {passback: {}}}"
SECOND = NANOSECONDS["s"]


def badge(clock: str, direction: str, credential: str = "k1:0123456789ab", device: str = "") -> Reading:
    points = {"event": "granted", "direction": direction, "credential": credential}
    return say(device or direction, f"2026-03-01 {clock}", points)


def play(*readings: Reading, rule: str = RULE) -> list[Transition]:
    engine = make_engine(rule, DOORS)
    told = [transition for each in readings for transition in engine.evaluate(each)]
    return told + engine.advance(at("2026-03-01 12:00"))


OUT = badge("07:00", "out", "k1:ff")
"""After this it is known that there is a reader on the way out."""


def test_a_credential_that_enters_twice_is_told_with_its_path() -> None:
    fired, resolved = play(OUT, badge("08:00", "in"), badge("08:02", "in"))
    assert (fired.at, resolved.at) == (at("2026-03-01 08:02"), at("2026-03-01 08:07"))
    evidence = fired.evidence
    assert (evidence.device, evidence.point, evidence.value, evidence.limit) == ("in", "passback", 120.0, 900.0)
    assert evidence.details == {"credential": "01234567", "first_door": "in"}


@pytest.mark.parametrize(
    "readings",
    [
        [OUT, badge("08:00", "in"), badge("08:01", "out"), badge("08:02", "in")],
        [OUT, badge("08:00", "in"), badge("08:01", "in", device="store"), badge("08:02", "in")],
        [OUT, badge("08:00:00", "in"), badge("08:00:29", "in")],
        [OUT, badge("08:00:00", "in"), badge("08:15:01", "in")],
        [OUT, badge("08:00", "in"), badge("08:02", "in", "k1:fe")],
        [OUT, badge("08:00", "in", HIDDEN), badge("08:02", "in", HIDDEN)],
        [badge("08:00", "in"), badge("08:02", "in")],
        [OUT, reading("store", "2026-03-01 08:00", event="passback")],
    ],
    ids=[
        "it left in between", "by another door", "read twice", "long ago", "two credentials", "hidden ones",
        "nobody badges out", "another door's event",
    ],
)  # fmt: skip
def test_what_is_no_passback(readings: list[Reading]) -> None:
    assert play(*readings) == []


def test_the_controllers_word_counts_at_once() -> None:
    event = reading("in", "2026-03-01 08:00", event="passback", credential="k1:0123456789ab")
    fired = play(event)[0]
    assert (fired.at, fired.evidence.value) == (event.time, "passback")
    assert fired.evidence.details == {"credential": "01234567"}


def test_of_a_larger_place_areas_are_told_apart() -> None:
    rule = "- {id: twice, per: building, select: {kind: door}, when: {passback: {}}}"
    store = [badge("08:00", "out", device="store"), badge("08:01", "in", device="store")]
    told = play(OUT, *store, badge("08:02", "in", device="store"), rule=rule)
    assert [transition.subject for transition in told if transition.kind == "fired"] == [Subject("building", "A")]
    assert told[0].evidence.device == "store"


def test_of_a_device_only_its_own_entries_count() -> None:
    rule = "- {id: twice, select: {kind: door}, when: {passback: {}}}"
    told = play(OUT, badge("08:00", "in"), badge("08:02", "in"), rule=rule)
    assert {transition.subject for transition in told} == {Subject("device", "in")}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["in", "out", "store"]),
        st.sampled_from([("granted", "in"), ("granted", "out"), ("passback", "in"), ("denied", "in")]),
        st.sampled_from(["k1:a", "k1:b"]),
        st.integers(0, 120),
    ),
    max_size=16,
)


def hear(alone: Alone, steps: list[tuple[str, tuple[str, str], str, int]], time: int) -> list[object]:
    said: list[object] = []
    for door, (event, direction), credential, seconds in steps:
        time += seconds * SECOND
        said += alone.pass_time(time)
        said.append(alone.hear(reading(door, time, event=event, direction=direction, credential=credential)))
    return said


@given(STEPS, STEPS)
def test_a_node_goes_on_from_its_snapshot(
    before: list[tuple[str, tuple[str, str], str, int]], after: list[tuple[str, tuple[str, str], str, int]]
) -> None:
    condition = Passback.model_validate({"within": "3m"})
    original, copy = (Alone(condition, make_site(DOORS), Subject("area", "A/2F/lab")) for _ in range(2))
    hear(original, before, SECOND)
    copy.go_on_from(original)
    start = sum(step[3] for step in before) * SECOND + SECOND
    assert hear(copy, after, start) == hear(original, after, start)


def test_it_is_described_and_checked() -> None:
    condition = Passback.model_validate({"within": "20m"})
    text = condition.describe()
    assert text.en.startswith("a credential enters the area again within 20m and has not left it")
    assert text.zh.startswith("同一凭证在 20m 内未离开又再次进入该区域")
    assert condition.fits(Device.model_validate({"id": "d", "kind": "door", "building": "A"})) == "no area"
    assert condition.fits(Device.model_validate({"id": "s", "kind": "sensor"})) == "no door"
    with pytest.raises(ValidationError, match="repeats: expected less than within"):
        Passback.model_validate({"within": "30s"})
