import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.durations import NANOSECONDS
from devices.reading import Reading
from devices.register import Device
from rules.alerts import Subject, Transition
from rules.conditions.held_open import HeldOpen
from tests.rulebench import at, make_engine, make_site, reading
from tests.rules.conditions.alone import Alone, say

DOORS = [{"id": "door", "kind": "door", "building": "A"}, {"id": "gate", "kind": "door", "building": "A"}]
RULE = "- {id: held, select: {kind: door}, when: {held_open: {for: 30s}}}"
SECOND = NANOSECONDS["s"]


def play(rule: str, *readings: Reading, until: str) -> list[Transition]:
    engine = make_engine(rule, DOORS)
    told = [transition for each in readings for transition in engine.evaluate(each)]
    return told + engine.advance(at(until))


def kinds(told: list[Transition]) -> list[tuple[str, int]]:
    return [(transition.kind, transition.at) for transition in told]


@pytest.mark.parametrize(
    ("opened", "closed"),
    [
        ({"event": "opened"}, {"event": "closed"}),
        ({"door": "open"}, {"door": "closed"}),
        ({"event": "opened", "door": "open"}, {"event": "closed", "door": "closed"}),
    ],
    ids=["events", "states", "both"],
)
def test_it_is_open_for_too_long_until_it_closes(opened: dict[str, str], closed: dict[str, str]) -> None:
    told = play(
        RULE,
        say("door", "2026-03-01 08:00:00", opened),
        say("door", "2026-03-01 08:00:20", opened),
        say("door", "2026-03-01 09:00:00", closed),
        until="2026-03-01 10:00",
    )
    assert kinds(told) == [("fired", at("2026-03-01 08:00:30")), ("resolved", at("2026-03-01 09:00"))]
    assert [(each.evidence.value, each.evidence.limit, each.evidence.unit) for each in told] == [
        (30.0, 30.0, "s"),
        (3600.0, 30.0, "s"),
    ]


def test_it_closes_in_time() -> None:
    told = play(
        RULE,
        reading("door", "2026-03-01 08:00:00", event="opened"),
        reading("gate", "2026-03-01 08:00:10", event="opened"),
        reading("door", "2026-03-01 08:00:29", event="closed"),
        reading("gate", "2026-03-01 08:00:30", event="closed"),
        until="2026-03-01 10:00",
    )
    assert kinds(told) == []


def test_the_controllers_word_counts_at_once_and_holds_a_while_where_no_closing_is_told() -> None:
    told = play(
        RULE,
        reading("door", "2026-03-01 08:00", event="held_open"),
        reading("door", "2026-03-01 08:04", event="held_open"),
        until="2026-03-01 10:00",
    )
    assert kinds(told) == [("fired", at("2026-03-01 08:00")), ("resolved", at("2026-03-01 08:09"))]


def test_the_controllers_word_holds_until_a_door_closes_that_tells_so() -> None:
    told = play(
        RULE,
        reading("door", "2026-03-01 07:00", event="closed"),
        reading("door", "2026-03-01 08:00", event="held_open"),
        reading("door", "2026-03-01 09:00", event="closed"),
        until="2026-03-01 10:00",
    )
    assert kinds(told) == [("fired", at("2026-03-01 08:00")), ("resolved", at("2026-03-01 09:00"))]


def test_of_a_place_it_is_any_door_and_the_evidence_names_it() -> None:
    rule = "- {id: held, per: building, select: {kind: door}, when: {held_open: {}}}"
    told = play(rule, reading("gate", "2026-03-01 08:00", event="opened"), until="2026-03-01 08:01")
    assert kinds(told) == [("fired", at("2026-03-01 08:00:30"))]
    assert (told[0].subject, told[0].evidence.device) == (Subject("building", "A"), "gate")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [{"event": "opened"}, {"event": "closed"}, {"event": "held_open"}, {"door": "open"}, {"door": "closed"}]
        ),
        st.integers(0, 60),
    ),
    max_size=12,
)


def hear(alone: Alone, steps: list[tuple[dict[str, str], int]], time: int) -> list[object]:
    said: list[object] = []
    for points, seconds in steps:
        time += seconds * SECOND
        said += alone.pass_time(time)
        said.append(alone.hear(say("door", time, points)))
    return said


@given(STEPS, STEPS)
def test_a_node_goes_on_from_its_snapshot(
    before: list[tuple[dict[str, str], int]], after: list[tuple[dict[str, str], int]]
) -> None:
    condition = HeldOpen.model_validate({"for": "30s", "hold": "40s"})
    original, copy = (Alone(condition, make_site(DOORS), Subject("device", "door")) for _ in range(2))
    hear(original, before, SECOND)
    copy.go_on_from(original)
    start = sum(seconds for _, seconds in before) * SECOND + SECOND
    assert hear(copy, after, start) == hear(original, after, start)


@given(STEPS)
def test_it_is_true_exactly_while_the_door_is_open_for_too_long(steps: list[tuple[dict[str, str], int]]) -> None:
    alone = Alone(HeldOpen.model_validate({"for": "30s"}), make_site(DOORS), Subject("device", "door"))
    opened: int | None = None
    time = SECOND
    for points, seconds in steps:
        if points == {"event": "held_open"}:
            continue
        time += seconds * SECOND
        alone.pass_time(time)
        assert alone.node.truth == (opened is not None and time - opened >= 30 * SECOND)
        alone.hear(say("door", time, points))
        is_open = "open" in points.values() or "opened" in points.values()
        opened = (time if opened is None else opened) if is_open else None


def test_it_is_described_and_fits_doors() -> None:
    condition = HeldOpen.model_validate({"for": "90s"})
    text = condition.describe()
    assert (text.en, text.zh) == ("the door stands open for 90s", "门持续开启达 90s")
    assert condition.fits(Device.model_validate({"id": "em", "kind": "electricity_meter"})) == "no door"
    assert not condition.fits(Device.model_validate({"id": "contact", "kind": "sensor"}))
