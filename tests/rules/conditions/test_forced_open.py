import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.durations import NANOSECONDS
from devices.reading import Reading
from rules.alerts import Subject, Transition
from rules.conditions.forced_open import ForcedOpen
from tests.rulebench import at, make_engine, make_site
from tests.rules.conditions.alone import Alone, say

DOORS = [{"id": "door", "kind": "door"}]
RULE = "- {id: forced, select: {kind: door}, when: {forced_open: {}}}"
SECOND = NANOSECONDS["s"]


def door(clock: str, event: str = "", **points: str) -> Reading:
    return say("door", f"2026-03-01 {clock}", points | ({"event": event} if event else {}))


def play(*readings: Reading, until: str = "12:00") -> list[tuple[str, int]]:
    engine = make_engine(RULE, DOORS)
    told: list[Transition] = [transition for each in readings for transition in engine.evaluate(each)]
    told += engine.advance(at(f"2026-03-01 {until}"))
    return [(transition.kind, transition.at) for transition in told]


EXIT = [door("07:00:00", "exit_request"), door("07:00:01", "opened"), door("07:00:05", "closed")]
"""After this the door is known to tell of those who leave."""


def test_the_controllers_word_counts_at_once_until_the_door_closes() -> None:
    assert play(*EXIT, door("08:00:00", "forced_open"), door("09:00:00", "closed")) == [
        ("fired", at("2026-03-01 08:00")),
        ("resolved", at("2026-03-01 09:00")),
    ]


def test_it_holds_for_a_while_where_no_closing_is_told() -> None:
    assert play(door("08:00:00", "forced_open")) == [
        ("fired", at("2026-03-01 08:00")),
        ("resolved", at("2026-03-01 08:05")),
    ]


def test_a_locked_door_that_opens_for_nobody_was_forced() -> None:
    assert play(*EXIT, door("08:00:00", door="open"), door("08:30:00", door="closed")) == [
        ("fired", at("2026-03-01 08:00:02")),
        ("resolved", at("2026-03-01 08:30")),
    ]


def test_one_that_closes_at_once_was_forced_all_the_same() -> None:
    assert play(*EXIT, door("08:00:00", "opened"), door("08:00:01", "closed")) == [
        ("fired", at("2026-03-01 08:00:02")),
        ("resolved", at("2026-03-01 08:05:02")),
    ]


@pytest.mark.parametrize(
    "readings",
    [
        [door("08:00:00", "granted"), door("08:00:10", "opened")],
        [door("08:00:00", "duress"), door("08:00:10", "opened")],
        [door("08:00:00", "exit_request"), door("08:00:10", "opened")],
        [door("08:00:00", "opened"), door("08:00:01", "granted")],
        [door("08:00:00", "emergency_release"), door("08:59:00", "opened")],
        [door("08:00:00", "unlocked"), door("11:00:00", "opened")],
        [door("08:00:00", lock="unlocked"), door("11:00:00", "opened")],
        [door("08:00:00", "unlocked"), door("09:00:00", "locked"), door("09:00:10", "opened")],
        [door("08:00:00", "granted"), door("08:00:03", "opened"), door("09:00:00", "opened")],
    ],
    ids=[
        "granted", "under duress", "asked to leave", "granted, told a little later", "emergency", "unlocked",
        "unlocked as a state", "just locked again", "still open",
    ],
)  # fmt: skip
def test_a_door_that_opens_for_somebody_was_not_forced(readings: list[Reading]) -> None:
    assert play(*EXIT, *readings, until="11:30") == []


@pytest.mark.parametrize(
    "readings",
    [
        [door("08:00:00", "granted"), door("08:00:11", "opened")],
        [door("08:00:00", "denied"), door("08:00:05", "opened")],
        [door("08:00:00", "unlocked"), door("09:00:00", "locked"), door("09:00:11", "opened")],
        [door("08:00:00", "emergency_release"), door("09:00:01", "opened")],
    ],
    ids=["too late", "denied", "locked again", "the emergency is over"],
)
def test_one_that_opens_later_was(readings: list[Reading]) -> None:
    assert play(*EXIT, *readings, until="09:10") == [("fired", readings[-1].time + 2 * SECOND)]


def test_a_door_that_does_not_tell_of_those_who_leave_opens_from_within() -> None:
    assert play(door("07:00:00", "granted", direction="in"), door("08:00:00", "opened")) == []
    assert play(door("07:00:00", "granted", direction="out"), door("08:00:00", "opened"), until="08:01") == [
        ("fired", at("2026-03-01 08:00:02"))
    ]


POINTS = [{"event": event} for event in ("opened", "closed", "granted", "exit_request", "forced_open", "unlocked",
          "locked", "emergency_release")] + [{"door": "open"}, {"door": "closed"}, {"lock": "locked"}]  # fmt: skip
STEPS = st.lists(st.tuples(st.sampled_from(POINTS), st.integers(0, 20)), max_size=16)


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
    condition = ForcedOpen.model_validate({"hold": "15s"})
    original, copy = (Alone(condition, make_site(DOORS), Subject("device", "door")) for _ in range(2))
    hear(original, before, SECOND)
    copy.go_on_from(original)
    start = sum(seconds for _, seconds in before) * SECOND + SECOND
    assert hear(copy, after, start) == hear(original, after, start)


def test_it_is_described() -> None:
    text = ForcedOpen.model_validate({"within": "5s"}).describe()
    assert text.en == "the door opens and nobody was let through in the 5s before, or its controller says forced open"
    assert text.zh == "门被打开，而此前 5s 内无人获准通行，或控制器报告强行开门"
