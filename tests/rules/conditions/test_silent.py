from typing import Any

import pytest
from pydantic import ValidationError

from devices.durations import NANOSECONDS
from devices.reading import Reading
from rules.alerts import Subject
from rules.conditions.silent import Silent
from rules.engine import Engine
from tests.rulebench import START, at, make_engine, make_site, reading
from tests.rules.conditions.test_everyday_laws import Listening

SENSOR: dict[str, object] = {"id": "a", "kind": "sensor", "building": "A"}
RULE = "- {id: mute, when: {silent: {for: 15m}}}"
MINUTE = NANOSECONDS["m"]


def make_node(condition: dict[str, Any]) -> Listening:
    return Listening(Silent.model_validate(condition), make_site([SENSOR]), Subject("device", "a"), at(START))


def say(measured: str, received: str, *, late: bool = False) -> Reading:
    return reading("a", f"2026-03-01 {measured}", received=f"2026-03-01 {received}", late=late, power_kw=1)


def test_a_device_that_falls_silent_and_comes_back() -> None:
    engine = make_engine(RULE, [SENSOR], now="2026-03-01 08:00")
    assert engine.evaluate(say("08:00", "08:00")) == []
    assert engine.advance(at("2026-03-01 08:15") - 1) == []
    (fired,) = engine.advance(at("2026-03-01 08:15"))
    evidence = fired.evidence
    assert (evidence.device, evidence.point, evidence.value, evidence.limit) == ("a", "silence", 900.0, 900.0)
    assert evidence.details == {"last_heard": "2026-03-01T08:00:00Z"}
    (resolved,) = engine.evaluate(say("08:40", "08:40"))
    assert (resolved.kind, resolved.at) == ("resolved", at("2026-03-01 08:40"))


def test_a_device_that_was_never_heard_of_is_silent_from_the_beginning() -> None:
    engine = make_engine(RULE, [SENSOR])
    (fired,) = engine.advance(at("2026-03-01 12:00"))
    assert fired.at == at(START) + 15 * MINUTE
    assert fired.evidence.details == {"last_heard": "never"}


def test_it_goes_by_arrivals_and_not_by_the_times_of_readings() -> None:
    node = make_node({"for": "15m"})
    node.hear(say("02:00", "08:00"))
    node.hear(say("02:01", "08:10", late=True))
    node.pass_time(at("2026-03-01 08:25") - 1)
    assert node.node.truth is False
    node.pass_time(at("2026-03-01 08:25"))
    assert node.node.truth is True


def test_of_a_place_any_device_may_be_silent() -> None:
    engine = make_engine(
        RULE.replace("when", "per: building, when"), [SENSOR, {**SENSOR, "id": "b"}], now="2026-03-01 08:00"
    )
    engine.evaluate(say("08:01", "08:01"))
    told = engine.advance(at("2026-03-01 08:15"))
    assert [(str(each.subject), each.evidence.device) for each in told] == [("building A", "b")]


def fall_silent() -> Listening:
    """Heard at 08:00, and silent from 08:15."""
    node = make_node({"for": "15m"})
    node.hear(say("08:00", "08:00"))
    node.pass_time(at("2026-03-01 09:00"))
    assert node.node.truth is True
    return node


def amend(node: Listening, *readings: Reading) -> list[str]:
    amendments = []
    for each in readings:
        node.hear(each)
        amendments.append(node.node.amendment())
    return amendments


def test_a_backlog_shows_that_the_device_was_measuring_all_along() -> None:
    backlog = [say(clock, "09:00") for clock in ("08:10", "08:20", "08:30", "08:40", "08:50", "09:00")]
    assert amend(fall_silent(), *backlog) == ["", "", "", "", "was_reporting", ""]


@pytest.mark.parametrize("step", [1, -1])
def test_so_do_late_readings_in_either_order(step: int) -> None:
    late = [say(clock, "09:01", late=True) for clock in ("08:10", "08:20", "08:30", "08:40", "08:50")[::step]]
    amendments = amend(fall_silent(), say("09:00", "09:00"), *late)
    assert amendments.count("was_reporting") == 1
    assert amendments[0] == ""


def test_a_backlog_with_a_hole_shows_nothing() -> None:
    backlog = [say(clock, "09:00") for clock in ("08:10", "08:40", "08:50", "09:00")]
    assert set(amend(fall_silent(), *backlog)) == {""}


def test_a_device_that_was_off_was_not_measuring() -> None:
    live = [say(clock, clock) for clock in ("09:00", "09:10", "09:20", "09:30")]
    assert set(amend(fall_silent(), *live)) == {""}


def test_a_clock_that_is_wrong_proves_nothing() -> None:
    node = make_node({"for": "15m"})
    node.hear(say("10:00", "08:00"))
    node.pass_time(at("2026-03-01 09:00"))
    assert set(amend(node, say("11:00", "09:00"), say("11:10", "09:10"))) == {""}


def report(engine: Engine, begin: str, end: str, minutes: int) -> list[str]:
    """Arrivals every few minutes; what is told of."""
    time, told = at(begin), []
    while time < at(end):
        told += engine.evaluate(reading("a", time, power_kw=1))
        time += minutes * MINUTE
    return [each.kind for each in told]


def test_a_cadence_that_is_learned() -> None:
    engine = make_engine("- {id: mute, when: {silent: {learned: true}}}", [SENSOR], now="2026-03-02 00:00")
    assert report(engine, "2026-03-02 00:00", "2026-03-06 12:00", 10) == []
    last = at("2026-03-06 11:50")
    assert engine.advance(last + 30 * MINUTE - 1) == []
    (fired,) = engine.advance(last + 30 * MINUTE)
    assert (fired.evidence.value, fired.evidence.limit) == (1800.0, 1800.0)
    assert report(engine, "2026-03-06 15:00", "2026-03-06 15:10", 10) == ["resolved"]


def test_a_door_that_rests_at_night_and_on_weekends_is_missed_on_a_working_day_only() -> None:
    engine = make_engine("- {id: mute, when: {silent: {learned: true}}}", [SENSOR], now="2026-03-02 00:00")
    for day in range(2, 28):
        if day % 7 in {0, 1}:
            continue  # the 7th and 8th of March 2026 are a weekend
        assert report(engine, f"2026-03-{day:02} 07:30", f"2026-03-{day:02} 19:00", 15) == []
    assert engine.advance(at("2026-03-30 07:30")) == []
    assert report(engine, "2026-03-30 07:30", "2026-03-30 11:00", 15) == []
    (fired,) = engine.advance(at("2026-03-30 18:00"))
    assert at("2026-03-30 11:00") < fired.at < at("2026-03-30 12:00")


def test_before_it_has_learned_it_says_nothing() -> None:
    engine = make_engine("- {id: mute, when: {silent: {learned: true}}}", [SENSOR], now="2026-03-02 00:00")
    assert report(engine, "2026-03-02 00:00", "2026-03-03 12:00", 10) == []
    assert engine.advance(at("2026-03-20 00:00")) == []


@pytest.mark.parametrize("condition", [{}, {"for": "15m", "learned": True}, {"learned": False}])
def test_one_of_both_is_wanted(condition: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Silent.model_validate(condition)


def test_in_words() -> None:
    fixed, learned = (
        Silent.model_validate({"for": "15m"}).describe(),
        Silent.model_validate({"learned": True}).describe(),
    )
    assert (fixed.en, fixed.zh) == ("nothing arrives for 15m", "设备持续 15m 无数据上报")
    assert learned.en == "nothing arrives for three times as long as usual for the device at this hour"
    assert learned.zh == "设备无数据上报的时间达到其在该时段通常间隔的三倍"


def test_an_alert_is_amended_once_a_backlog_shows_that_it_was_the_connection() -> None:
    engine = make_engine(RULE, [SENSOR], now="2026-03-01 08:00")
    engine.evaluate(say("08:00", "08:00"))
    (fired,) = engine.advance(at("2026-03-01 09:00"))
    backlog = [say(clock, "09:00") for clock in ("08:10", "08:20", "08:30", "08:40", "08:50", "09:00")]
    told = [told for each in backlog for told in engine.evaluate(each)]
    assert [(each.kind, each.cause) for each in told] == [("resolved", ""), ("amended", "was_reporting")]
    assert {each.opened for each in told} == {fired.opened}
    assert [each.serial for each in (fired, *told)] == [0, 1, 2]
