import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from devices.durations import NANOSECONDS
from devices.reading import Reading
from rules.alerts import Subject, Transition
from rules.conditions.first_seen import FirstSeen
from rules.recent import MOST
from tests.rulebench import at, make_engine, make_site, reading
from tests.rules.conditions.alone import Alone

LAB = {"kind": "door", "building": "A", "floor": "2F", "area": "lab"}
DOORS = [{"id": "front", **LAB}, {"id": "back", **LAB}]
RULE = "- {id: stranger, per: area, select: {kind: door}, when: {first_seen: {learn_for: 7d}}}"
DAY = NANOSECONDS["d"]
SITE = make_site(DOORS)
AREA = Subject("area", "A/2F/lab")


def badge(day: str, credential: str, device: str = "front", event: str = "granted") -> Reading:
    return reading(device, f"2026-{day} 08:00", event=event, credential=credential)


def play(*readings: Reading, rule: str = RULE) -> list[Transition]:
    engine = make_engine(rule, DOORS)
    told = [transition for each in readings for transition in engine.evaluate(each)]
    return told + engine.advance(at("2026-12-31 00:00"))


def fired(*readings: Reading) -> list[int]:
    return [transition.at for transition in play(*readings) if transition.kind == "fired"]


def test_a_credential_that_was_never_there_is_told_once() -> None:
    told = play(
        badge("03-01", "k1:0a"),
        badge("03-09", "k1:0a"),
        badge("03-10", "k1:0123456789"),
        badge("03-11", "k1:0123456789"),
    )
    assert [(each.kind, each.at) for each in told] == [
        ("fired", at("2026-03-10 08:00")),
        ("resolved", at("2026-03-10 08:05")),
    ]
    assert told[0].evidence.device == "front"
    assert told[0].evidence.details == {"credential": "01234567", "known": 1.0}


def test_it_says_nothing_while_it_learns() -> None:
    assert fired(badge("03-01", "k1:a"), badge("03-05", "k1:b"), badge("03-09", "k1:b")) == []


def test_what_is_seen_at_one_door_of_an_area_is_known_at_the_others() -> None:
    assert fired(badge("03-01", "k1:a"), badge("03-09", "k1:a", "back")) == []


def test_only_its_event_counts() -> None:
    assert fired(badge("03-01", "k1:a"), badge("03-09", "k1:b", event="denied"), badge("03-10", "(hidden)")) == []


def test_whoever_was_away_for_long_is_new() -> None:
    keep = [badge(f"{month:02}-02", "k1:a") for month in range(3, 7)]
    assert fired(badge("03-01", "k1:b"), *keep, badge("06-03", "k1:b")) == [at("2026-06-03 08:00")]
    assert fired(badge("03-01", "k1:b"), *keep[:3], badge("05-28", "k1:b")) == []


def test_a_new_key_of_the_hashes_begins_the_learning_anew() -> None:
    assert fired(badge("03-01", "k1:a"), badge("03-20", "k2:f"), badge("03-21", "k2:e"), badge("04-01", "k2:d")) == [
        at("2026-04-01 08:00")
    ]


def test_memory_is_bounded() -> None:
    alone = Alone(FirstSeen(), SITE, AREA)
    for number in range(MOST + 10):
        alone.hear(reading("front", number + 1, event="granted", credential=f"k1:{number:x}"))
    known = alone.node.snapshot()[1]
    assert len(known) == MOST
    assert all(0 <= key < 2**64 for key, _, _ in known)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["k1:a", "k1:b", "k1:c", "k2:a"]), st.sampled_from(["front", "back"]), st.integers(0, 40)
    ),
    max_size=16,
)


def hear(alone: Alone, steps: list[tuple[str, str, int]], time: int) -> list[object]:
    said: list[object] = []
    for credential, door, days in steps:
        time += days * DAY
        said += alone.pass_time(time)
        said.append(alone.hear(reading(door, time, event="granted", credential=credential)))
    return said


@given(STEPS, STEPS)
def test_a_node_goes_on_from_its_snapshot(
    before: list[tuple[str, str, int]], after: list[tuple[str, str, int]]
) -> None:
    original, copy = (Alone(FirstSeen(), SITE, AREA) for _ in range(2))
    hear(original, before, DAY)
    copy.go_on_from(original)
    start = sum(days for _, _, days in before) * DAY + DAY
    assert hear(copy, after, start) == hear(original, after, start)


def test_it_is_described_and_checked() -> None:
    text = FirstSeen.model_validate({"event": "denied"}).describe()
    assert text.en == "a credential is denied that was never denied there before (after 14d of learning)"
    assert text.zh == "从未在此被拒的凭证首次出现（学习 14d 之后）"
    with pytest.raises(ValidationError, match="less than or equal"):
        FirstSeen.model_validate({"learn_for": "91d"})
