"""The engine as its caller sees it: devices that are late, behind or ahead, rules that change, errors."""

import pytest
from msgspec import msgpack

from devices.durations import NANOSECONDS, parse_duration
from devices.reading import Reading
from rules.alerts import Subject, Transition
from rules.engine import Engine
from rules.errors import RulesError, SnapshotError
from rules.site import Site
from tests.rulebench import after, at, make_engine, make_site, read_rules, reading

METER = {"id": "m", "kind": "electricity_meter", "building": "A", "nominal_voltage": "230 V"}
HIGH = "- {id: high, when: {threshold: {point: power_kw, above: 10 kW}}}"
S, M = NANOSECONDS["s"], NANOSECONDS["m"]


def gist(told: list[Transition]) -> list[tuple[str, str]]:
    return [(one.kind, one.cause) if one.cause else (one.kind, one.rule) for one in told]


def say(measured: str, power: float, arrived: str | None = None, device: str = "m", *, late: bool = False) -> Reading:
    received = after(measured if arrived is None else arrived)
    return reading(device, after(measured), received=received, late=late, power_kw=power)


# ── one reading ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_alert_is_told_at_once_and_ends() -> None:
    engine = make_engine(HIGH, [METER])
    (fired,) = engine.evaluate(say("1m", 12))
    assert (fired.kind, fired.since, fired.opened, fired.at) == ("fired", after("1m"), after("1m"), after("1m"))
    assert (fired.subject, fired.evidence.value, fired.evidence.limit) == (Subject("device", "m"), 12.0, 10.0)
    assert [alert.phase for alert in engine.alerts()] == ["firing"]
    (resolved,) = engine.evaluate(say("2m", 5))
    assert (resolved.kind, resolved.opened, resolved.serial, resolved.at) == ("resolved", after("1m"), 1, after("2m"))
    assert engine.alerts() == []


def test_a_reading_is_taken_whole_before_rules_look_at_it() -> None:
    engine = make_engine(
        "- {id: r, when: {all: [{threshold: {point: power_kw, above: 10 kW}},"
        " {threshold: {point: voltage_v, above: 250 V}}]}}",
        [METER],
    )
    assert engine.evaluate(reading("m", after("1m"), power_kw=12, voltage_v=230)) == []
    assert engine.evaluate(reading("m", after("2m"), voltage_v=255, power_kw=5)) == []


def test_what_a_device_says_twice_of_one_moment_counts_once() -> None:
    engine = make_engine(
        "- {id: r, when: {count: {event: denied, at_least: 3, within: 10m}}}", [{"id": "d", "kind": "door"}]
    )
    said = reading("d", after("1m"), event="denied")
    assert [engine.evaluate(one) for one in (said, said, said)] == [[], [], []]
    engine.evaluate(reading("d", after("2m"), event="denied"))
    assert gist(engine.evaluate(reading("d", after("3m"), event="denied"))) == [("fired", "r")]


def test_two_people_who_pass_at_one_moment_are_two() -> None:
    engine = make_engine(
        "- {id: r, when: {count: {event: denied, at_least: 2, within: 10m}}}", [{"id": "d", "kind": "door"}]
    )
    one, other = (reading("d", after("1m"), event="denied", credential=f"hmac:{who}") for who in "ab")
    assert [engine.evaluate(said) for said in (one, one)] == [[], []]
    assert gist(engine.evaluate(other)) == [("fired", "r")]


def test_events_within_a_coarse_clocks_second_are_in_the_order_of_arrival() -> None:
    engine = make_engine("- {id: r, when: {held_open: {for: 30s}}}", [{"id": "d", "kind": "door"}])
    opened, closed = after("1m") + 900, after("1m") + 400  # digits below the second are no time
    assert engine.evaluate(Reading("d", opened, after("61s"), {"event": "opened"})) == []
    assert engine.evaluate(Reading("d", closed, after("61s"), {"event": "closed"})) == []
    assert engine.advance(after("5m")) == []


def test_two_alerts_told_at_one_moment_have_two_keys() -> None:
    engine = make_engine(HIGH, [METER])
    told = [
        one for seconds in range(4) for one in engine.evaluate(say(f"{60 + seconds}s", 12 - 7 * (seconds % 2), "63s"))
    ]
    assert gist(told) == [("fired", "high"), ("resolved", "high")] * 2
    assert told[0].opened == told[1].opened < told[2].opened == told[3].opened


def test_what_is_due_at_one_moment_comes_in_the_order_of_the_rules() -> None:
    rules = "\n".join(
        f"- {{id: r{number}, for: {delay}, when: {{threshold: {{point: power_kw, above: 10 kW}}}}}}"
        for number, delay in enumerate(["2m", "1m", "2m", "1m"])
    )
    engine = make_engine(rules, [METER])
    engine.evaluate(say("1m", 12))
    assert [one.rule for one in engine.advance(after("1h"))] == ["r1", "r3", "r0", "r2"]


def test_time_does_not_go_back() -> None:
    engine = make_engine(HIGH.replace("when", "for: 1m, when"), [METER])
    engine.evaluate(say("1m", 12))
    assert engine.advance(after("30s")) == []
    assert engine.now == after("1m")
    assert gist(engine.advance(after("2m"))) == [("fired", "high")]


def test_a_device_without_rules_only_moves_the_clock() -> None:
    engine = make_engine(HIGH, [METER])
    assert engine.evaluate(say("5m", 12, device="stranger")) == []
    assert engine.now == after("5m")


# ── devices that are behind ──────────────────────────────────────────────────────────────────────────────────────────


def test_what_came_and_went_in_a_backlog_is_not_told() -> None:
    engine = make_engine(HIGH.replace("when", "for: 5m, when"), [METER])
    course = {"1h": 5, "1h10m": 12, "1h20m": 12, "1h30m": 5, "2h": 5}
    assert [one for time, power in course.items() for one in engine.evaluate(say(time, power, "2h"))] == []
    assert engine.advance(after("5h")) == []
    assert engine.past == 1


def test_what_a_backlog_leaves_is_told_once_with_its_own_beginning() -> None:
    engine = make_engine(HIGH.replace("when", "for: 5m, when"), [METER])
    for time in ("1h", "1h10m", "1h20m", "2h"):
        assert engine.evaluate(say(time, 12, "2h")) == []
    (fired,) = engine.advance(after("3h"))
    assert (fired.since, fired.at) == (after("1h"), after("2h10s"))


def test_a_device_whose_clock_is_behind_is_told() -> None:
    engine = make_engine(HIGH.replace("when", "for: 5m, when"), [METER])
    told = []
    for minute in range(10, 30):
        told += engine.evaluate(say(f"{minute}m", 12, f"{minute + 2}m"))
    (fired,) = told
    assert (fired.since, fired.at) == (after("10m"), after("17m"))


def test_a_device_whose_lag_jitters_is_told() -> None:
    engine = make_engine(HIGH.replace("when", "for: 5m, when"), [METER])
    told = []
    for number, jitter in enumerate([0, 25, 5, 20, 0, 10, 25, 0] * 20):
        told += engine.evaluate(say(f"{600 + 5 * number}s", 12, f"{720 + 5 * number + jitter // 5}s"))
    assert gist(told) == [("fired", "high")]
    assert told[0].at < after("720s") + 7 * M


def test_a_device_that_sends_batches_is_told_soon_after_the_batch() -> None:
    engine = make_engine(HIGH.replace("when", "for: 5m, when"), [METER])
    told = []
    for hour in (1, 2):
        for minute in (0, 15, 30, 45):
            told += engine.evaluate(say(f"{hour}h{minute}m", 12 if hour == 2 else 5, f"{hour + 1}h"))
    assert told == []
    (fired,) = engine.advance(after("4h"))
    assert fired.since == after("2h")
    assert fired.at <= after("3h") + 2 * M


def test_a_device_that_catches_up_for_minutes_is_not_told_of_the_past() -> None:
    engine = make_engine(HIGH, [METER])
    told = []
    for number in range(60):  # ten hours, one reading of ten minutes in every 25 s
        power = 12 if number % 3 else 5
        told += engine.evaluate(say(f"{10 * number}m", power, f"{36_000 + 25 * number}s"))
    told += engine.evaluate(say("10h25m", 5))
    assert told == []
    assert engine.past == 20
    assert engine.advance(after("12h")) == []


def test_a_device_whose_clock_is_ahead_is_judged_in_its_own_time() -> None:
    engine = make_engine(HIGH.replace("when", "for: 5m, when"), [METER])
    engine.evaluate(say("20m", 12, "10m"))
    told = engine.evaluate(say("26m", 5, "16m"))
    assert gist(told) == [("fired", "high"), ("resolved", "high")]
    assert told[0].at == after("15m")


def test_a_place_lives_by_the_clock_and_waits_for_who_is_behind() -> None:
    other = {**METER, "id": "n"}
    engine = make_engine(HIGH.replace("when", "per: building, when"), [METER, other])
    engine.evaluate(say("2h", 5))
    assert engine.evaluate(say("1h", 12, "2h", device="n")) == []
    assert engine.evaluate(say("1h30m", 5, "2h", device="n")) == []
    assert engine.advance(after("3h")) == []
    assert gist(engine.evaluate(say("3h", 12))) == [("fired", "high")]


# ── calendars ────────────────────────────────────────────────────────────────────────────────────────────────────────

WORK = {"calendars": {"work": {"days": ["sun"], "hours": ["08:00-18:00"]}}}


def test_a_backlog_meets_the_calendar_of_its_own_time() -> None:
    engine = make_engine(HIGH.replace("when", "active: work, when"), [METER], calendars=WORK)
    assert engine.evaluate(say("7h", 12, "9h")) == []  # before work began
    assert engine.evaluate(say("7h30m", 5, "9h")) == []
    assert engine.past == 0
    assert engine.evaluate(say("8h30m", 12, "9h")) == []
    assert engine.evaluate(say("8h45m", 5, "9h")) == []
    assert engine.past == 1


def test_the_end_of_the_hours_ends_an_alert() -> None:
    engine = make_engine(HIGH.replace("when", "active: work, when"), [METER], calendars=WORK)
    engine.evaluate(say("7h", 12))
    (fired,) = engine.advance(after("17h"))
    assert (fired.kind, fired.at, fired.since) == ("fired", after("8h"), after("8h"))
    (resolved,) = engine.advance(after("20h"))
    assert (resolved.kind, resolved.at) == ("resolved", after("18h"))


def test_another_calendar_holds_at_once() -> None:
    site = make_site([METER], calendars=WORK)
    engine = Engine(read_rules(HIGH), site, after("19h"))
    engine.evaluate(say("19h1m", 12))
    engine.advance(after("19h2m"))
    assert gist(engine.use(read_rules(HIGH.replace("when", "active: work, when")), site)) == [("resolved", "high")]
    assert gist(engine.use(read_rules(HIGH), site)) == [("fired", "high")]


# ── late readings ────────────────────────────────────────────────────────────────────────────────────────────────────


def fire_after_outage(engine: Engine, now: str = "3h") -> None:
    engine.evaluate(say("1h", 5))
    assert gist(engine.evaluate(say(now, 12))) == [("fired", "high")]


def send_late(engine: Engine, measured: str, power: float, arrived: str) -> list[Transition]:
    return engine.evaluate(say(measured, power, arrived, late=True))


def test_late_readings_show_that_an_alert_began_earlier() -> None:
    engine = make_engine(HIGH, [METER])
    fire_after_outage(engine)
    for measured, power in (("1h30m", 5), ("2h", 12), ("2h30m", 13)):
        assert send_late(engine, measured, power, "3h1s") == []
    (amended,) = engine.advance(after("4h"))
    assert (amended.kind, amended.cause, amended.serial) == ("amended", "began_earlier", 1)
    assert (amended.since, amended.at) == (after("2h"), after("3h11s"))
    assert engine.late == 3
    (resolved,) = engine.evaluate(say("4h1m", 5))
    assert (resolved.serial, resolved.since) == (2, after("2h"))


@pytest.mark.parametrize(
    "late",
    [
        [("2h", 12), ("2h30m", 5)],  # a good value in between
        [("2h30m", 5), ("2h", 12)],  # likewise, the other way round
        [("30m", 12)],  # before a reading that was good
        [("3h30m", 12)],  # after it began
    ],
)
def test_late_readings_that_show_nothing(late: list[tuple[str, float]]) -> None:
    engine = make_engine(HIGH, [METER])
    fire_after_outage(engine)
    engine.evaluate(say("4h", 12))
    for measured, power in late:
        send_late(engine, measured, power, "4h")
    assert engine.advance(after("5h")) == []


def test_an_amendment_that_later_data_contradict_is_amended() -> None:
    engine = make_engine(HIGH, [METER])
    fire_after_outage(engine)
    send_late(engine, "2h", 12, "3h1s")
    assert [one.since for one in engine.advance(after("3h1m"))] == [after("2h")]
    send_late(engine, "2h30m", 5, "3h2m")
    assert [(one.kind, one.since) for one in engine.advance(after("4h"))] == [("amended", after("3h"))]


def test_late_readings_outside_of_the_hours_show_nothing() -> None:
    engine = make_engine(HIGH.replace("when", "active: work, when"), [METER], calendars=WORK)
    fire_after_outage(engine, "9h")
    send_late(engine, "7h", 12, "9h1s")
    assert engine.advance(after("10h")) == []


def test_a_silence_that_a_backlog_fills_is_amended_even_when_it_is_over() -> None:
    engine = make_engine("- {id: silent, when: {silent: {for: 15m}}}", [METER])
    engine.evaluate(say("1h", 5))
    (fired,) = engine.advance(after("2h"))
    told = engine.evaluate(say("2h", 5))
    for minute in range(70, 120, 10):
        told += send_late(engine, f"{minute}m", 5, "2h")
    assert gist(told) == [("resolved", "silent"), ("amended", "was_reporting")]
    assert [one.opened for one in told] == [fired.opened] * 2
    assert [one.serial for one in told] == [1, 2]


# ── chattering ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_alert_that_comes_again_and_again_becomes_one() -> None:
    engine = make_engine(HIGH, [METER])
    told = []
    for minute in range(60):
        told += engine.evaluate(say(f"{minute}m", 12 if minute % 5 == 0 else 5))
    assert gist(told) == [("fired", "high"), ("resolved", "high")] * 2 + [("fired", "high")]
    assert told[-1].evidence.details == {"times": 3.0}
    (alert,) = engine.alerts()
    assert alert.evidence.details == {"times": 12.0}
    engine = resume(engine)
    (resolved,) = engine.advance(after("2h"))
    assert (resolved.kind, resolved.at) == ("resolved", after("56m") + 30 * M)
    assert resolved.evidence.details == {"times": 12.0}
    told = engine.evaluate(say("2h1m", 12)) + engine.evaluate(say("2h2m", 5))
    assert gist(told) == [("fired", "high"), ("resolved", "high")]


def test_alerts_far_apart_stay_themselves() -> None:
    engine = make_engine(HIGH, [METER])
    told = [one for minute in range(0, 700, 5) for one in engine.evaluate(say(f"{minute}m", 5 if minute % 35 else 12))]
    assert gist(told) == [("fired", "high"), ("resolved", "high")] * len(range(0, 700, 35))


# ── going on ─────────────────────────────────────────────────────────────────────────────────────────────────────────

SITE = make_site([METER, {**METER, "id": "n"}])
PAIR = """
- {{id: high, when: {{threshold: {{point: power_kw, above: {above}}}}}{more}}}
- {{id: share, when: {{threshold: {{point: voltage_v, above: 110 % of nominal_voltage}}}}}}
"""


def resume(engine: Engine, rules: str = HIGH, site: Site = SITE) -> Engine:
    fresh = Engine(read_rules(rules), site, 0)
    assert fresh.restore(msgpack.decode(msgpack.encode(engine.snapshot()))) == []
    return fresh


def begin(above: str = "10 kW", more: str = "") -> Engine:
    engine = Engine(read_rules(PAIR.format(above=above, more=more)), SITE, after("0s"))
    engine.evaluate(reading("m", after("1m"), power_kw=12, voltage_v=260))
    engine.evaluate(reading("n", after("1m"), power_kw=5, voltage_v=230))
    return engine


def change(engine: Engine, above: str = "10 kW", more: str = "", site: Site = SITE) -> list[Transition]:
    return engine.use(read_rules(PAIR.format(above=above, more=more)), site)


def test_another_text_changes_nothing_but_the_text() -> None:
    engine = begin()
    assert change(engine, more=", severity: critical, name: {en: High}, keep_firing_for: 1m") == []
    assert engine.evaluate(say("2m", 5)) == []
    (resolved,) = engine.advance(after("1h"))
    assert (resolved.severity, resolved.opened, resolved.at) == ("critical", after("1m"), after("3m"))


@pytest.mark.parametrize(("delay", "fires_at"), [("5m", "10m"), ("20m", "21m"), ("1h", "61m")])
def test_another_on_delay_counts_from_the_beginning(delay: str, fires_at: str) -> None:
    engine = begin(more=", for: 10m")
    engine.advance(after("10m"))
    assert change(engine, more=f", for: {delay}") == []
    (fired,) = engine.advance(after("2h"))
    assert (fired.rule, fired.since, fired.at) == ("high", after("1m"), after(fires_at))


def test_another_condition_starts_only_its_rule_anew() -> None:
    engine = begin()
    (resolved,) = change(engine, above="11 kW")
    assert (resolved.kind, resolved.rule, resolved.cause) == ("resolved", "high", "rule changed")
    assert (resolved.opened, resolved.serial, resolved.subject) == (after("1m"), 1, Subject("device", "m"))
    assert [(alert.rule, alert.phase) for alert in engine.alerts()] == [("share", "firing")]
    assert gist(engine.evaluate(say("2m", 12))) == [("fired", "high")]


@pytest.mark.parametrize("rules", [[], ["disabled"]])
def test_a_rule_that_goes_ends_its_alerts(rules: list[str]) -> None:
    engine = begin()
    kept = read_rules(PAIR.format(above="10 kW", more=", enabled: false" if rules else ""))
    told = engine.use(kept if rules else kept[1:], SITE)
    assert gist(told) == [("resolved", "rule removed")]
    assert [alert.rule for alert in engine.alerts()] == ["share"]


def test_a_device_that_goes_ends_its_alerts() -> None:
    engine = begin()
    told = change(engine, site=make_site([{**METER, "id": "n"}]))
    assert gist(told) == [("resolved", "device removed")] * 2
    engine = begin()
    assert gist(change(engine, more=", select: {building: B}")) == [("resolved", "device removed")]


def test_another_rating_starts_the_device_anew() -> None:
    engine = begin()
    engine.evaluate(reading("n", after("2m"), power_kw=12, voltage_v=260))
    site = make_site([{**METER, "nominal_voltage": "240 V"}, {**METER, "id": "n", "name": {"en": "Renamed"}}])
    told = change(engine, site=site)
    assert {(one.subject.id, one.cause) for one in told} == {("m", "device changed")}
    assert {alert.subject.id for alert in engine.alerts()} == {"n"}


def test_counters_go_on_and_what_is_new_begins() -> None:
    usage = "- {id: usage, when: {usage: {point: energy_import_kwh, above: 20 kWh, per: hour}}}"
    engine = make_engine(usage, [METER])
    for minute, energy in ((0, 100.0), (10, 110.0), (20, 118.0)):
        engine.evaluate(reading("m", after(f"{minute}m"), energy_import_kwh=energy))
    site = make_site([METER])
    fresh = Engine(read_rules(usage + "\n" + HIGH), site, 0)
    fresh.restore(msgpack.decode(msgpack.encode(engine.snapshot())))
    told = []
    for minute, energy in ((30, 122.0), (40, 124.0)):
        told += fresh.evaluate(reading("m", after(f"{minute}m"), energy_import_kwh=energy, power_kw=12))
    assert sorted(gist(told)) == [("fired", "high"), ("fired", "usage")]


def test_a_rule_that_is_new_in_a_snapshot_begins_at_its_time() -> None:
    engine = make_engine(HIGH, [METER])
    engine.evaluate(say("1h", 5))
    fresh = Engine(read_rules(HIGH + "\n- {id: silent, when: {silent: {for: 15m}}}"), make_site([METER]), 0)
    assert fresh.restore(engine.snapshot()) == []
    assert fresh.advance(after("1h10m")) == []
    assert [one.at for one in fresh.advance(after("2h"))] == [after("1h15m")]


@pytest.mark.parametrize("version", [0, 1, 3, None])
def test_a_snapshot_of_another_version_is_refused(version: int | None) -> None:
    engine = make_engine(HIGH, [METER])
    state = {**engine.snapshot(), "version": version}
    with pytest.raises(SnapshotError, match=rf"is of version {version}, and expected is 2: delete it"):
        engine.restore(state)


def test_a_damaged_snapshot_is_refused() -> None:
    engine = make_engine(HIGH, [METER])
    state = engine.snapshot()
    with pytest.raises(SnapshotError, match=r"damaged \(KeyError: 'paces'\): delete it"):
        engine.restore({name: part for name, part in state.items() if name != "paces"})
    state["rules"]["high"][0][3] = "nonsense"
    with pytest.raises(SnapshotError, match=r"rule high, device m: ValueError: .* delete the snapshot"):
        engine.restore(state)


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rule_that_cannot_be_judged_is_named() -> None:
    engine = make_engine(HIGH, [METER])
    with pytest.raises(RulesError, match=r"rule high, device m: TypeError: .*; disable the rule"):
        engine.evaluate(Reading("m", after("1m"), after("1m"), {"power_kw": "word"}))


def test_a_rule_that_fails_as_time_passes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make_engine("- {id: silent, when: {silent: {for: 15m}}}", [METER])
    (watch,) = engine._wiring.watches.values()
    monkeypatch.setattr(type(watch._node), "advance", lambda _node, _time: None)
    with pytest.raises(RulesError, match=r"rule silent, device m: ValueError: its node is due at .* again"):
        engine.advance(at("2026-03-01 00:00") + parse_duration("1h"))


def test_a_register_that_is_no_number_names_the_rule_or_the_device() -> None:
    engine = make_engine("- {id: u, when: {usage: {point: energy_import_kwh, above: 20 kWh, per: hour}}}", [METER])
    with pytest.raises(RulesError, match=r"readings of device m: TypeError"):
        engine.evaluate(Reading("m", after("1m"), after("1m"), {"energy_import_kwh": "word"}))
