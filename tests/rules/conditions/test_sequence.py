from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from devices.durations import NANOSECONDS
from devices.reading import Reading
from rules.alerts import Subject, Transition
from rules.conditions.sequence import Sequence
from tests.rulebench import at, make_engine, make_site
from tests.rules.conditions.alone import Alone, say

SECOND = NANOSECONDS["s"]
DOORS: list[dict[str, object]] = [
    {"id": "a", "kind": "door", "building": "A", "floor": "1F", "area": "lab"},
    {"id": "b", "kind": "door", "building": "A", "floor": "1F", "area": "lab"},
]
FORCED = "steps: [{event: denied}, {event: forced_open}], within: 30s"


def happen(device: str, clock: str, event: str, credential: str = "") -> Reading:
    return say(device, f"2026-03-01 {clock}", {"event": event, **({"credential": credential} if credential else {})})


def play(sequence: str, *readings: Reading, per: str = "area") -> list[Transition]:
    rule = f"- {{id: r, per: {per}, when: {{sequence: {{{sequence}}}}}}}"
    engine = make_engine(rule, DOORS)
    return [told for each in readings for told in engine.evaluate(each)] + engine.advance(at("2026-03-01 12:00"))


def test_one_after_the_other_on_any_door_of_the_area() -> None:
    fired, resolved = play(FORCED, happen("a", "08:00:00", "denied"), happen("b", "08:00:20", "forced_open"))
    assert (fired.at, resolved.at) == (at("2026-03-01 08:00:20"), at("2026-03-01 08:05:20"))
    evidence = fired.evidence
    assert (evidence.device, evidence.point, evidence.value, evidence.limit) == ("b", "sequence", 20.0, 30.0)
    assert evidence.details == {"steps": 2.0}


@pytest.mark.parametrize(
    "events",
    [
        ["08:00:00 forced_open", "08:00:10 denied"],
        ["08:00:00 denied", "08:00:31 forced_open"],
        ["08:00:00 denied", "08:00:10 granted"],
    ],
)
def test_another_order_or_too_slowly_is_none(events: list[str]) -> None:
    assert play(FORCED, *(happen("a", *each.split()) for each in events)) == []


def test_the_latest_first_step_counts_and_what_lies_between_does_not_matter() -> None:
    events = ["08:00:00 denied", "08:00:20 denied", "08:00:30 granted", "08:00:45 forced_open"]
    fired, _ = play(FORCED, *(happen("a", *each.split()) for each in events))
    assert fired.evidence.value == 25.0


def test_one_event_is_not_two_steps() -> None:
    steps = "steps: [{event: denied}, {event: denied}, {event: [denied, granted]}], within: 1m"
    readings = [happen("a", f"08:00:{second:02}", "denied") for second in (0, 10, 20)]
    assert play(steps, *readings[:2]) == []
    assert [told.kind for told in play(steps, *readings)] == ["fired", "resolved"]


def test_all_steps_of_one_credential() -> None:
    steps = "steps: [{event: denied}, {event: granted}], within: 1m, per: credential"
    readings = [happen("a", "08:00:00", "denied", "k1:0123456789"), happen("a", "08:00:05", "granted", "k1:fe")]
    assert play(steps, *readings) == []
    fired, _ = play(steps, *readings, happen("b", "08:00:10", "granted", "k1:0123456789"))
    assert fired.evidence.details == {"steps": 2.0, "credential": "01234567"}
    assert play(steps.replace("credential", "device"), *readings[:1], happen("b", "08:00:05", "granted", "k1:fe")) == []


def test_values_are_steps_too() -> None:
    steps = "steps: [{event: exit_request}, {point: door, equals: open}], within: 10s, hold: 1m"
    readings = [
        say("a", "2026-03-01 08:00:00", {"door": "closed"}),
        happen("a", "08:00:01", "exit_request"),
        say("a", "2026-03-01 08:00:03", {"door": "open"}),
        say("a", "2026-03-01 08:00:04", {"door": "open"}),
    ]
    fired, resolved = play(steps, *readings)
    assert (fired.at, resolved.at) == (at("2026-03-01 08:00:03"), at("2026-03-01 08:01:03"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": [{"event": "denied"}]}, "at least 2 items"),
        ({"steps": [{"event": "denied"}, {}]}, "expected event or point, got none"),
        ({"steps": [{"event": "denied"}, {"point": "door", "equals": "ajar"}]}, "door is never 'ajar'"),
        (
            {"steps": [{"event": "denied"}, {"point": "door", "equals": "open"}], "per": "credential"},
            "per: only events have a credential",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(change: dict[str, Any], message: str) -> None:
    content = {"steps": [{"event": "denied"}, {"event": "granted"}], "within": "1m", **change}
    with pytest.raises(ValidationError) as caught:
        Sequence.model_validate(content)
    assert message in str(caught.value)


def test_in_words() -> None:
    steps = [{"event": "denied", "reason": "expired"}, {"point": "door", "equals": "open"}]
    text = Sequence.model_validate({"steps": steps, "within": "30s", "per": "device"}).describe()
    assert text.en == "event denied for expired, then door is open, within 30s, of one device"
    assert text.zh == "同一设备在 30s 内先后发生：事件 denied（原因 expired）；door 为 open"


_EVENTS = st.lists(st.tuples(st.integers(1, 12), st.sampled_from(["denied", "granted", "opened"])), max_size=15)


@given(events=_EVENTS, steps=st.lists(st.sampled_from(["denied", "granted", "opened"]), min_size=2, max_size=4))
def test_the_first_completion_is_that_of_its_definition(events: list[tuple[int, str]], steps: list[str]) -> None:
    """True at the first event that is the last of some choice of events in the order of the steps, within the time."""
    content = {"steps": [{"event": step} for step in steps], "within": "30s", "hold": "1d"}
    node = Alone(Sequence.model_validate(content), make_site(DOORS), Subject("device", "a"))
    time, seen, expected = 0, list[tuple[int, str]](), False
    for pause, event in events:
        time += pause
        node.hear(say("a", time * SECOND, {"event": event}))
        seen.append((time, event))
        recent = [each for each in seen if time - each[0] <= 30]
        expected = expected or any(
            [event for _, event in choice] == steps for choice in combinations(recent, len(steps))
        )
        assert node.node.truth is expected
