"""However often time passes, and wherever the engine is saved and goes on: the same readings give the same alerts."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import msgpack

from devices.durations import NANOSECONDS
from devices.reading import Reading
from rules.alerts import Alert, Transition
from rules.engine import Engine
from tests.rulebench import START, at, make_site, read_rules

_S = NANOSECONDS["s"]

RULES = read_rules("""
- {id: high, when: {threshold: {point: power_kw, above: 10 kW, clear_below: 8 kW}}, for: 1m, keep_firing_for: 2m}
- {id: at-once, when: {threshold: {point: power_kw, above: 12 kW}}}
- {id: working, when: {threshold: {point: power_kw, above: 10 kW}}, for: 30s, active: work}
- {id: muted, when: {threshold: {point: power_kw, above: 10 kW}}, mute: [work]}
- id: both
  when: {all: [{threshold: {point: power_kw, above: 10 kW}}, {not: {threshold: {point: voltage_v, above: 250 V}}}]}
  for: 20s
- {id: place, per: building, when: {threshold: {point: power_kw, above: 11 kW}}, for: 45s, keep_firing_for: 10s}
- {id: silent, when: {silent: {for: 3m}}}
- {id: clock, when: {clock_skew: {above: 1m}}}
- {id: stuck, when: {stuck: {point: power_kw, for: 2m}}, for: 10s}
- {id: rise, when: {change: {point: power_kw, rises_by: 5 kW, within: 2m}}}
- {id: usage, when: {usage: {point: energy_import_kwh, above: 20 kWh, per: hour}}}
""")

SITE = make_site(
    [
        {"id": "em-1", "kind": "electricity_meter", "building": "A", "interval": "1m"},
        {"id": "em-2", "kind": "electricity_meter", "building": "A"},
    ],
    calendars={"calendars": {"work": {"days": ["sun"], "hours": ["00:05-00:12", "00:20-00:40"]}}},
)


def _read(seeds: list[tuple[int, int, int, float, float | None]]) -> list[Reading]:
    """Readings as they arrive: pauses, devices that are on time, behind, ahead or late, batches and duplicates."""
    received = at(START)
    newest: dict[str, int] = {}
    energy: dict[str, float] = {}
    readings: list[Reading] = []
    for pause_s, number, behind_s, power, voltage in seeds:
        received += pause_s * _S
        device = f"em-{number}"
        time = received - behind_s * _S
        values: dict[str, Any] = {"power_kw": power}
        if voltage is not None:
            values["voltage_v"] = voltage
        late = time < newest.get(device, 0)
        if not late:
            energy[device] = values["energy_import_kwh"] = energy.get(device, 100.0) + power
        newest[device] = max(time, newest.get(device, 0))
        readings.append(Reading(device, time, received, values, late))
    return readings


READINGS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 5, 15, 30, 60, 61, 120, 200]),
        st.sampled_from([1, 1, 1, 2]),
        st.sampled_from([0, 0, 0, 0, 1, 6, 60, 120, 300, 900, -3, -60]),
        st.sampled_from([5.0, 9.0, 11.0, 13.0]),
        st.sampled_from([None, 230.0, 255.0]),
    ),
    max_size=40,
).map(_read)

INTERRUPTIONS = st.lists(
    st.sampled_from(["nothing", "nothing", "tick", "ticks", "restart", "reload"]), min_size=1, max_size=15
)

END = 2 * NANOSECONDS["h"]


def _judge(readings: list[Reading], interruptions: list[str]) -> tuple[list[Transition], list[Alert], dict[str, Any]]:
    engine = Engine(RULES, SITE, at(START))
    told: list[Transition] = []
    for number, reading in enumerate(readings):
        match interruptions[number % len(interruptions)]:
            case "tick":
                told += engine.advance(reading.received)
            case "ticks":
                before = engine.now
                for part in range(1, 8):
                    told += engine.advance(before + (reading.received - before) * part // 8)
            case "restart":
                saved = msgpack.encode(engine.snapshot())
                engine = Engine(RULES, SITE, 0)
                told += engine.restore(msgpack.decode(saved))
            case "reload":
                told += engine.use(RULES, SITE)
        told += engine.evaluate(reading)
    told += engine.advance((readings[-1].received if readings else at(START)) + END)
    return told, engine.alerts(), engine.snapshot()


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(READINGS, INTERRUPTIONS)
def test_interruptions_change_nothing(readings: list[Reading], interruptions: list[str]) -> None:
    expected, alerts, state = _judge(readings, ["nothing"])
    told, alerts_after, state_after = _judge(readings, interruptions)
    assert told == expected
    assert alerts_after == alerts
    assert msgpack.decode(msgpack.encode(state_after)) == msgpack.decode(msgpack.encode(state))


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(READINGS)
def test_every_alert_has_one_course(readings: list[Reading]) -> None:
    told, alerts, _ = _judge(readings, ["nothing"])
    last: dict[tuple[Any, ...], Transition] = {}
    for transition in told:
        key = (transition.rule, transition.subject, transition.opened)
        before = last.get(key)
        if before is None:
            assert (transition.kind, transition.serial) == ("fired", 0)
        else:
            assert transition.kind != "fired"
            assert transition.serial == before.serial + 1
            assert transition.at >= before.at
            assert transition.cause == "was_reporting" or before.kind != "resolved"
        last[key] = transition
    still_open = {(alert.rule, alert.subject, alert.opened) for alert in alerts if alert.opened is not None}
    closed = {
        key for key, transition in last.items() if transition.kind == "resolved" or transition.cause == "was_reporting"
    }
    assert still_open | closed == last.keys()


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(READINGS)
def test_late_readings_and_duplicates_open_and_end_nothing(readings: list[Reading]) -> None:
    """Only rules that go by arrivals may hear them."""
    once = [reading for reading in readings if not reading.late]
    twice = [reading for one in readings for reading in (one, one)]
    kinds = ("fired", "resolved")
    expected, told = (
        [one for one in _judge(course, ["nothing"])[0] if one.kind in kinds and one.rule not in {"silent", "clock"}]
        for course in (once, twice)
    )
    assert [_gist(one) for one in told] == [_gist(one) for one in expected]


def _gist(transition: Transition) -> tuple[Any, ...]:
    return transition.kind, transition.rule, transition.subject, transition.opened, transition.at
