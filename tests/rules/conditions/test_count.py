from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from devices.durations import NANOSECONDS
from devices.reading import Reading
from rules.alerts import Subject, Transition
from rules.conditions.count import KEYS_MOST, Count
from tests.rulebench import at, make_engine, make_site
from tests.rules.conditions.alone import Alone, say

SECOND = NANOSECONDS["s"]
DOORS: list[dict[str, object]] = [
    {"id": "a", "kind": "door", "building": "A", "floor": "1F", "area": "lab"},
    {"id": "b", "kind": "door", "building": "A", "floor": "1F", "area": "lab"},
    {"id": "c", "kind": "door", "building": "A", "floor": "1F", "area": "store"},
]


def deny(device: str, clock: str, credential: str = "", reason: str = "") -> Reading:
    points = {"event": "denied", "credential": credential, "reason": reason}
    return say(device, f"2026-03-01 {clock}", {name: value for name, value in points.items() if value})


def play(rule: str, *readings: Reading) -> list[Transition]:
    engine = make_engine(rule, DOORS)
    return [told for each in readings for told in engine.evaluate(each)] + engine.advance(at("2026-03-01 12:00"))


def make_rule(count: str, per: str = "site") -> str:
    return f"- {{id: burst, per: {per}, when: {{count: {{event: denied, {count}}}}}}}"


def test_a_burst_of_one_credential_over_all_doors() -> None:
    rule = make_rule("at_least: 3, within: 2m, per: credential")
    fired, resolved = play(
        rule,
        deny("a", "08:00:00", "k1:0123456789"),
        deny("b", "08:00:30", "k1:fe"),
        deny("b", "08:01:00", "k1:0123456789"),
        deny("c", "08:01:30"),
        deny("c", "08:02:00", "k1:0123456789"),
    )
    assert (fired.at, resolved.at) == (at("2026-03-01 08:02"), at("2026-03-01 08:02") + 1)
    evidence = fired.evidence
    assert (evidence.device, evidence.point, evidence.value, evidence.limit) == ("c", "event", 3.0, 3.0)
    assert evidence.details == {"within_s": 120.0, "credential": "01234567"}


@pytest.mark.parametrize(
    ("per", "fires"), [("", True), (", per: area", True), (", per: device", False), (", per: credential", False)]
)
def test_what_is_counted_together(per: str, fires: bool) -> None:
    readings = [deny("a", "08:00:00", "k1:aa"), deny("b", "08:00:10", "k1:bb"), deny("a", "08:00:20", "k1:cc")]
    told = play(make_rule(f"at_least: 3, within: 2m{per}"), *readings)
    assert bool(told) is fires


def test_areas_are_counted_each_by_itself() -> None:
    readings = [deny("a", "08:00:00"), deny("c", "08:00:10"), deny("b", "08:00:20")]
    (fired, _) = play(make_rule("at_least: 2, within: 2m, per: area"), *readings)
    assert (fired.at, fired.evidence.details["area"]) == (at("2026-03-01 08:00:20"), "A/1F/lab")


def test_only_events_for_one_of_the_reasons_count() -> None:
    rule = make_rule("reason: [expired, unknown], at_least: 2, within: 2m")
    readings = [
        deny("a", "08:00:00", reason="expired"),
        deny("a", "08:00:01", reason="schedule"),
        deny("a", "08:00:02"),
    ]
    assert play(rule, *readings) == []
    assert play(rule, *readings, deny("a", "08:00:03", reason="unknown"))


def test_it_goes_on_as_long_as_they_keep_coming_and_says_how_many() -> None:
    rule = make_rule("at_least: 2, within: 1m")
    engine = make_engine(rule, DOORS)
    told = [told for second in range(0, 60, 20) for told in engine.evaluate(deny("a", f"08:00:{second:02}"))]
    assert [each.kind for each in told] == ["fired"]
    (resolved,) = engine.advance(at("2026-03-01 09:00"))
    assert resolved.at == at("2026-03-01 08:01:20") + 1
    assert resolved.evidence.value == 3.0


def test_a_pump_that_starts_too_often() -> None:
    rule = "- {id: starts, when: {count: {point: power_kw, above: 1 kW, clear_below: 0.5 kW, at_least: 2, within: 1h}}}"
    engine = make_engine(rule, [{"id": "m", "kind": "electricity_meter"}])
    powers = [3.0, 3.1, 0.1, 3.0, 0.7, 2.0, 0.2, 3.0]  # runs at first; starts; falls into the deadband; starts
    told = [
        told
        for minute, power in enumerate(powers)
        for told in engine.evaluate(say("m", f"2026-03-01 08:{minute:02}", {"power_kw": power}))
    ]
    assert [each.at for each in told] == [at("2026-03-01 08:07")]
    assert (told[0].evidence.point, told[0].evidence.value) == ("power_kw", 2.0)


def test_memory_is_bounded_however_many_credentials_come() -> None:
    condition = Count.model_validate({"event": "denied", "at_least": 3, "within": "1h", "per": "credential"})
    node = Alone(condition, make_site(DOORS), Subject("site", "site"))
    for index in range(3 * KEYS_MOST):
        for _ in range(4):
            node.hear(say("a", index * SECOND, {"event": "denied", "credential": f"k1:{index:08x}"}))
    _, _, recent, hot, *_ = node.node.snapshot()
    assert len(recent) == len(hot) == KEYS_MOST
    assert max(len(times) for _, _, (_, times) in recent) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"event": "denid"}, "there is no event 'denid'; did you mean denied?"),
        ({"event": "x"}, "there is no event 'x'; expected one of closed, denied"),
        ({"event": None}, "expected event or point, got none"),
        ({"point": "power_kw", "above": "1 kW"}, "expected event or point, got event and above and point"),
        ({"event": None, "point": "event", "equals": "denied"}, "point: write `event: denied`"),
        ({"event": None, "point": "power_kw"}, "expected one of above, below, outside and equals, got none"),
        ({"event": None, "point": "leak", "equals": True, "reason": "x"}, "reason goes with event"),
        ({"event": None, "point": "leak", "equals": True, "per": "credential"}, "only events have a credential"),
        ({"at_least": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(change: dict[str, Any], message: str) -> None:
    content = {"event": "denied", "at_least": 2, "within": "2m", **change}
    with pytest.raises(ValidationError) as caught:
        Count.model_validate({name: value for name, value in content.items() if value is not None})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("condition", "en", "zh"),
    [
        (
            {"event": "denied", "at_least": 5, "within": "2m", "per": "credential"},
            "event denied at least 5 times within 2m, of one credential",
            "同一凭证在 2m 内发生“事件 denied”至少 5 次",
        ),
        (
            {"point": "power_kw", "above": "1 kW", "at_least": 1, "within": "2m"},
            "power_kw is above 1 kW at least once within 2m",
            "在 2m 内发生“power_kw 高于 1 kW”至少 1 次",
        ),
    ],
)
def test_in_words(condition: dict[str, Any], en: str, zh: str) -> None:
    text = Count.model_validate(condition).describe()
    assert (text.en, text.zh) == (en, zh)


_EVENTS = st.lists(st.tuples(st.integers(1, 30), st.sampled_from(["k1:aa", "k1:bb"])), max_size=30)


@given(events=_EVENTS, at_least=st.integers(1, 4))
def test_it_follows_its_definition(events: list[tuple[int, str]], at_least: int) -> None:
    condition = {"event": "denied", "at_least": at_least, "within": "60s", "per": "credential"}
    node = Alone(Count.model_validate(condition), make_site(DOORS), Subject("device", "a"))
    time, seen = 0, list[tuple[int, str]]()
    for pause, credential in events:
        time += pause * SECOND
        node.pass_time(time)
        node.hear(say("a", time, {"event": "denied", "credential": credential}))
        seen.append((time, credential))
        recent = [key for moment, key in seen if moment >= time - 60 * SECOND]
        assert node.node.truth is any(recent.count(key) >= at_least for key in ("k1:aa", "k1:bb"))
