"""From messages to readings, whatever comes in."""

import subprocess
import sys
import tracemalloc
from collections.abc import Iterable
from contextlib import suppress
from math import isfinite
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.credentials import Hasher, Key
from devices.decoder import Decoder
from devices.errors import Stranger, Undecodable
from devices.language.catalog import Catalog
from devices.language.profile import Profile
from devices.points import EVENTS, POINTS
from devices.reading import Reading
from devices.register import Device, Register
from devices.timestamps import TimeLimits
from tests.edgenode import EdgeNode, metric

SECOND = 10**9
DAY = 86_400 * SECOND
EIGHT = 1_795_334_400 * SECOND  # 2026-11-22T08:00:00Z
LIMITS = TimeLimits(past=35 * DAY, future=300 * SECOND)

HISTORY = Profile.model_validate(
    {
        "id": "history",
        "topics": ["app/+/{device}/#"],
        "each": "data.history || [@]",
        "time": {"path": "ts", "format": "epoch_s"},
        "points": {
            "volume_m3": {"path": "v", "sentinels": [65535], "scale": 0.001},
            "pressure_bar": "p && sort_by(p, &to_number(bar))[0].bar",
            "flow_m3_per_h": "f && avg(f)",
            "leak": {"path": "leak", "map": {0: False, 1: True, "yes": True}},
            "event": "event",
            "tamper": "a && (a == b || to_string(a) == 'x')",
        },
    },
)


def device(name: str, profile: str = "canonical", kind: str = "sensor", **more: str) -> Device:
    return Device.model_validate({"id": name, "kind": kind, "profile": profile} | more)


GATEWAY = Profile.model_validate(
    {
        "id": "gateway",
        "messages": [
            {
                "topics": ["gateway/{node}/up"],
                "when": {"type": "data"},
                "each": "meters",
                "device": "id",
                "time": {"path": "t", "format": "epoch_s"},
                "points": {"energy_import_kwh": "kwh", "volume_m3": {"path": "n", "unit": "pulse"}},
            },
            {"topics": ["gateway/{node}/up"], "when": {"type": "alive"}, "ignore": "a sign of life"},
            {
                "topics": ["quiet/{node}/up"],
                "device": "id",
                "strangers": "ignore",
                "points": {"energy_import_kwh": "kwh"},
            },
            {
                "topics": ["own/{device}/state"],
                "may_be_empty": True,
                "points": {"event": "event", "credential": "card"},
            },
            {
                "topics": ["own/{device}/state"],
                "points": {"battery_percent": "battery"},
                "when": {"battery": {"present": True}},
            },
            {"topics": ["hush/{device}"], "strangers": "ignore", "points": {"leak": "leak"}},
        ],
    },
)
HASHER = Hasher((Key("k1", bytes(32)),))
PROFILES = Catalog({"history": HISTORY, "gateway": GATEWAY})

DECODER = Decoder(
    Register(
        devices=[
            device("em-1"),
            device("z", "zigbee2mqtt"),
            device("t", "tasmota"),
            device("s", "shelly_gen2"),
            device("h", "history"),
            device("g1", "gateway", address="m1", kind="electricity_meter"),
            device("g2", "gateway", address="m2", kind="water_meter", pulse_weight="10 L"),
            device("g3", "gateway", address="m3", kind="water_meter"),
            device("ct", kind="electricity_meter", ct_ratio="200/5"),
            device("door", kind="door", direction="in"),
            device("alone", "gateway", topic="alone/up", kind="door", direction="out"),
        ],
    ),
    PROFILES,
    "campus",
    LIMITS,
    zone="Europe/Berlin",
    hash_credential=HASHER.hash,
)
TOPIC = "siteward/campus/em-1/readings"


def decode(message: object, received: int = EIGHT) -> list[Reading]:
    return DECODER.decode(TOPIC, orjson.dumps(message), received)


def test_a_message_becomes_a_reading() -> None:
    payload = b'{"time": "2026-11-22T08:00:00Z", "energy_import_kwh": 1234.5, "voltage_l1_v": 230.1}'
    assert DECODER.decode(TOPIC, payload, EIGHT + 7) == [
        Reading("em-1", EIGHT, EIGHT + 7, {"energy_import_kwh": 1234.5, "voltage_l1_v": 230.1}),
    ]


@pytest.mark.parametrize(
    ("topic", "payload", "reading"),
    [
        ("zigbee2mqtt/z", b'{"contact": false}', Reading("z", EIGHT, EIGHT, {"door": "open"})),
        (
            "tele/t/SENSOR",  # the site's clocks are in Berlin
            b'{"Time": "2026-11-22T08:59:58", "ENERGY": {"Power": 42}}',
            Reading("t", EIGHT - 2 * SECOND, EIGHT, {"power_kw": 0.042}),
        ),
        ("s/status/em:0", b'{"total_act_power": 250}', Reading("s", EIGHT, EIGHT, {"power_kw": 0.25})),
        ("app/1/h/up", b'{"v": 5, "ts": "1795334399"}', Reading("h", EIGHT - SECOND, EIGHT, {"volume_m3": 0.005})),
    ],
)
def test_every_profile_is_in_use(topic: str, payload: bytes, reading: Reading) -> None:
    assert DECODER.decode(topic, payload, EIGHT) == [reading]


def test_the_filters_are_the_routers() -> None:
    assert "siteward/campus/+/readings" in DECODER.filters
    assert "app/+/+/#" in DECODER.filters


@pytest.mark.parametrize("time", [EIGHT - 35 * DAY, EIGHT - 1_000_000, EIGHT, EIGHT + 300 * SECOND])
def test_a_time_within_the_limits_is_believed(time: int) -> None:
    [reading] = decode({"time": time // 1_000_000, "leak": True})
    assert (reading.time, reading.received, reading.claimed, reading.late) == (time, EIGHT, None, False)


@pytest.mark.parametrize("time", [0, EIGHT - 35 * DAY - 1_000_000, EIGHT + 300 * SECOND + 1_000_000, EIGHT * 4])
def test_a_time_beyond_the_limits_is_kept_beside_the_arrival(time: int) -> None:
    [reading] = decode({"time": time // 1_000_000, "leak": True})
    assert (reading.time, reading.received, reading.claimed) == (EIGHT, EIGHT, time)


def test_readings_without_a_believable_time_follow_a_nanosecond_apart() -> None:
    readings = decode(
        [
            {"leak": True},
            {"leak": False, "time": EIGHT // 1_000_000},
            {"leak": True, "time": 0},
            {"leak": False, "time": 0},
        ],
        EIGHT + 5,
    )
    assert [(reading.time, reading.claimed) for reading in readings] == [
        (EIGHT + 5, None),
        (EIGHT, None),
        (EIGHT + 7, 0),
        (EIGHT + 8, 0),
    ]
    assert {reading.received for reading in readings} == {EIGHT + 5}


def event_time(message: dict[str, Any], received: int = EIGHT + SECOND) -> int:
    [reading] = decode(message, received)
    return reading.time


def test_different_events_of_one_second_stay_two() -> None:
    granted = {"time": "2026-11-22T08:00:00Z", "event": "granted", "credential": "a1"}
    times = {event_time(granted), event_time(granted | {"event": "opened"}), event_time(granted | {"credential": "b2"})}
    assert len(times) == 3
    assert {time // SECOND for time in times} == {EIGHT // SECOND}


def test_an_event_delivered_twice_stays_one() -> None:
    first = {"time": "2026-11-22T08:00:00Z", "event": "granted", "credential": "a1"}
    again = dict(reversed(first.items()))
    assert event_time(first) == event_time(again, EIGHT + 9 * SECOND)


def test_the_digits_of_an_event_are_the_same_in_every_process() -> None:
    # The same literal in this process and in one with another seed of Python's own hash.
    program = "from devices.decoder import _spread; print(_spread({'event': 'granted', 'battery_percent': 5.0}, 10**9))"
    printed = {
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    [digits] = printed
    values: dict[str, Any] = {"time": "2026-11-22T08:00:00Z", "battery_percent": 5, "event": "granted"}
    assert event_time(values) == EIGHT + int(digits)


@pytest.mark.parametrize(
    ("time", "coarse"),
    [("2026-11-22T08:00:00.123Z", 123_000_000), ("2026-11-22T08:00:00.123456Z", 123_456_000)],
)
def test_only_the_digits_below_the_resolution_are_filled(time: str, coarse: int) -> None:
    spread = event_time({"time": time, "event": "opened"}) - EIGHT - coarse
    assert 0 < spread < (1_000_000 if coarse == 123_000_000 else 1000)


def test_a_fine_clock_an_arrival_and_a_meter_keep_their_time() -> None:
    assert event_time({"time": "2026-11-22T08:00:00.123456789Z", "event": "opened"}) == EIGHT + 123_456_789
    assert event_time({"event": "opened"}, EIGHT) == EIGHT
    assert event_time({"time": 0, "event": "opened"}, EIGHT) == EIGHT
    assert event_time({"time": "2026-11-22T08:00:00Z", "door": "open"}) == EIGHT


def test_what_cannot_be_decoded_names_its_device() -> None:
    with pytest.raises(Undecodable) as raised:
        decode({"voltge_v": 1})
    assert (raised.value.device, raised.value.reason, raised.value.hint) == (
        "em-1",
        "'voltge_v' is no point",
        "did you mean voltage_v?",
    )
    with pytest.raises(Undecodable) as raised:
        DECODER.decode("siteward/campus/em-9/readings", b"{}", EIGHT)
    assert (raised.value.device, raised.value.reason) == ("", "a device that is not in the register")


# ── several devices, several forms ───────────────────────────────────────────────────────────────────────────────


def refuse(topic: str, payload: str, decoder: Decoder = DECODER) -> Undecodable:
    with pytest.raises(Undecodable) as raised:
        decoder.decode(topic, payload.encode(), EIGHT)
    return raised.value


def said(readings: Iterable[Reading]) -> list[tuple[str, Any]]:
    return [(reading.device, reading.values) for reading in readings]


def test_several_devices_may_stand_in_one_message() -> None:
    meters = [{"id": "m1", "kwh": 5, "t": 1795334399}, {"id": "m2", "n": 17}, {"id": "m1", "kwh": 6}]
    payload = orjson.dumps({"type": "data", "meters": meters})
    assert DECODER.decode("gateway/a/up", payload, EIGHT) == [
        Reading("g1", EIGHT - SECOND, EIGHT, {"energy_import_kwh": 5.0}),
        Reading("g2", EIGHT + 1, EIGHT, {"volume_m3": 0.17}),
        Reading("g1", EIGHT + 2, EIGHT, {"energy_import_kwh": 6.0}),
    ]


def test_of_a_message_that_is_partly_known_the_known_part_is_taken() -> None:
    error = refuse(
        "gateway/a/up",
        '{"type": "data", "meters": [{"id": "x", "kwh": 4}, {"id": "m1", "kwh": 5}, {"id": "y", "n": 1}, {"id": "x"}]}',
    )
    assert (error.reason, error.hint) == ("a device that is not in the register", "add it with: siteward devices adopt")
    assert error.strangers == (Stranger("gateway", "x"), Stranger("gateway", "y"))
    assert error.readings == (Reading("g1", EIGHT + 1, EIGHT, {"energy_import_kwh": 5.0}),)


def test_no_message_names_more_strangers_than_somebody_can_look_at() -> None:
    meters = [{"id": f"x{number}", "kwh": 1} for number in range(500)]
    error = refuse("gateway/a/up", orjson.dumps({"type": "data", "meters": meters}).decode())
    assert len(error.strangers) == 20


def test_a_message_that_is_ignored_holds_no_reading() -> None:
    assert DECODER.decode("gateway/a/up", b'{"type": "alive"}', EIGHT) == []
    error = refuse("gateway/a/up", '{"type": "other"}')
    assert (error.reason, error.device) == ("no form of its profile takes this message", "")


def test_a_name_that_nobody_would_write_is_no_stranger() -> None:
    error = refuse("own/" + "x" * 60_000 + "/state", '{"event": "opened"}')
    assert (error.reason, error.strangers) == ("the message names a device in more than 200 characters", ())


def test_strangers_may_be_left_out_quietly() -> None:
    assert DECODER.decode("quiet/a/up", b'{"id": "x", "kwh": 5}', EIGHT) == []
    assert said(DECODER.decode("quiet/a/up", b'{"id": "m1", "kwh": 5}', EIGHT)) == [("g1", {"energy_import_kwh": 5.0})]
    assert DECODER.decode("hush/x", b'{"leak": true}', EIGHT) == []
    assert DECODER.decode("hush/x", b"no JSON", EIGHT) == []


def test_a_stranger_is_one_only_where_it_says_something() -> None:
    error = refuse("own/x/state", '{"event": "opened"}')
    assert (error.reason, error.strangers) == ("a device that is not in the register", (Stranger("gateway", "x"),))
    assert DECODER.decode("own/x/state", b'{"colour": "red"}', EIGHT) == []
    assert refuse("own/x/state", "no JSON").strangers == (Stranger("gateway", "x"),)


def test_several_forms_may_read_one_message() -> None:
    readings = DECODER.decode("own/m1/state", b'{"event": "opened", "battery": 50}', EIGHT)
    assert readings == [
        Reading("g1", EIGHT, EIGHT, {"event": "opened"}),
        Reading("g1", EIGHT + 1, EIGHT, {"battery_percent": 50.0}),
    ]


def test_what_one_form_reads_is_kept_where_another_fails() -> None:
    error = refuse("own/m1/state", '{"event": "opened", "battery": "low"}')
    assert (error.reason, error.device) == ("battery_percent: expected a number, got a text", "g1")
    assert error.readings == (Reading("g1", EIGHT, EIGHT, {"event": "opened"}),)


def test_a_topic_of_its_own_is_read_by_every_form_and_belongs_to_its_device() -> None:
    payload = b'{"type": "data", "meters": [{"id": "m1", "kwh": 5}], "event": "granted", "battery": 5, "leak": true}'
    assert {reading.device for reading in DECODER.decode("alone/up", payload, EIGHT)} == {"alone"}


# ── what the register adds ───────────────────────────────────────────────────────────────────────────────────────


def test_ratios_and_the_weight_of_pulses_are_multiplied_in() -> None:
    payload = b'{"current_a": 2, "energy_import_kwh": 10.5, "voltage_v": 230}'
    assert said(DECODER.decode("siteward/campus/ct/readings", payload, EIGHT)) == [
        ("ct", {"current_a": 80.0, "energy_import_kwh": 420.0, "voltage_v": 230.0}),
    ]
    error = refuse("siteward/campus/ct/readings", '{"current_a": 1e308}')
    assert error.reason == "current_a: expected a finite number"


def test_pulses_of_unknown_weight_are_no_reading() -> None:
    error = refuse("gateway/a/up", '{"type": "data", "meters": [{"id": "m3", "n": 17}, {"id": "m2", "n": 17}]}')
    assert (error.reason, error.device) == ("volume_m3: counted in pulses of unknown weight", "g3")
    assert said(error.readings) == [("g2", {"volume_m3": pytest.approx(0.17)})]


def test_a_credential_is_hashed_and_without_a_key_hidden() -> None:
    topic, payload = "siteward/campus/door/readings", b'{"event": "exit_request", "credential": "04A2B7"}'
    assert said(DECODER.decode(topic, payload, EIGHT)) == [
        ("door", {"event": "exit_request", "credential": HASHER.hash("04a2b7")}),
    ]
    decoder = Decoder(Register(devices=[device("door", kind="door")]), PROFILES, "campus", LIMITS)
    assert said(decoder.decode(topic, payload, EIGHT)) == [
        ("door", {"event": "exit_request", "credential": "(hidden)"}),
    ]


@pytest.mark.parametrize("event", ["granted", "denied", "passback", "duress"])
def test_a_reader_lets_people_through_in_one_direction(event: str) -> None:
    topic = "siteward/campus/door/readings"
    [reading] = DECODER.decode(topic, orjson.dumps({"event": event}), EIGHT)
    assert reading.values == {"event": event, "direction": "in"}
    [reading] = DECODER.decode(topic, orjson.dumps({"event": event, "direction": "out"}), EIGHT)
    assert reading.values["direction"] == "out"


def test_other_events_have_no_direction() -> None:
    for values in ({"event": "opened"}, {"door": "open"}):
        [reading] = DECODER.decode("siteward/campus/door/readings", orjson.dumps(values), EIGHT)
        assert reading.values == values


def test_what_nodes_have_said_outlives_a_change_of_the_register() -> None:
    register = Register(devices=[device("s", "sparkplug_b", address="Plant/Gateway")])
    old = Decoder(register, PROFILES, "campus", LIMITS)
    node = EdgeNode("Plant/Gateway")
    birth = node.birth(metric("Power", 5.0, alias=1))
    with suppress(Undecodable):
        old.decode(birth.topic, birth.payload, EIGHT)
    new = Decoder(register, PROFILES, "campus", LIMITS)
    new.inherit(old)
    assert new.host is not None
    assert new.host.take_commands(EIGHT) == []


# ── whatever comes in: readings, or Undecodable ──────────────────────────────────────────────────────────────────

KNOWN_TOPICS = st.sampled_from(
    [
        TOPIC,
        "zigbee2mqtt/z",
        "tele/t/SENSOR",
        "t/tele/SENSOR",
        "s/status/em:0",
        "s/events/rpc",
        "app/1/h/x",
        "gateway/a/up",
        "own/m1/state",
        "own/x/state",
        "alone/up",
        "siteward/campus/ct/readings",
    ]
)
TEXTS = st.text(st.characters(codec=None), max_size=20)  # with lone surrogates
TOPICS = st.one_of(KNOWN_TOPICS, TEXTS, TEXTS.map(lambda text: f"siteward/campus/{text}/readings"))
WORDS = st.sampled_from(
    [
        *POINTS,
        *EVENTS,
        "time",
        "ENERGY",
        "Total",
        "Time",
        "contact",
        "power",
        "ts",
        "p",
        "f",
        "bar",
        "data",
        "history",
        "type",
        "meters",
        "id",
        "kwh",
        "n",
        "t",
        "m1",
        "params",
        "em:0",
    ],
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=10),
    WORDS,
    st.sampled_from(["2026-11-22T08:00:00Z", "2026-11-22T08:00:00", "1795334400", "9" * 5000, EIGHT // 10**6, 65535]),
)
MESSAGES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.one_of(WORDS, st.text()), inner)),
)
FITTING = st.dictionaries(WORDS, SCALARS, max_size=3).map(
    lambda noise: noise | {"time": "2026-11-22T08:00:00Z", "power_kw": 1.5, "event": "opened"},
)


BUILTIN = [Catalog()[name] for name in ("canonical", "shelly_gen2", "tasmota", "zigbee2mqtt")]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A payload that was right, with a piece of it replaced, repeated or cut out."""
    payload = draw(
        st.sampled_from(
            [test.data for profile in BUILTIN for test in profile.tests],
        ),
    )
    start = draw(st.integers(0, len(payload)))
    end = draw(st.integers(start, min(len(payload), start + 8)))
    middle = draw(st.one_of(st.binary(max_size=4), st.sampled_from([b"", b"null", b"1e999", b"-", payload])))
    return payload[:start] + middle + payload[end:]


PAYLOADS = st.one_of(st.binary(), MESSAGES.map(orjson.dumps), FITTING.map(orjson.dumps), mutated())


def attempt(topic: str, payload: bytes, received: int) -> list[Reading] | Undecodable:
    try:
        return DECODER.decode(topic, payload, received)
    except Undecodable as error:
        return error


@settings(max_examples=500, deadline=1000)
@given(TOPICS, PAYLOADS, st.integers(0, 2**62))
@example(TOPIC, b"", EIGHT)
@example(TOPIC, b"[" * 100_000, EIGHT)
@example("app/1/h/x", b'{"a":' + b"[" * 1000 + b"]" * 1000 + b',"b":' + b"[" * 1000 + b"]" * 1000 + b"}", EIGHT)
@example("app/1/h/x", b'{"p": [{"bar": 1}, {"bar": "x"}]}', EIGHT)
@example("app/1/h/x", b'{"f": [1e308, 1e308]}', EIGHT)
@example("app/1/h/x", b'{"f": []}', EIGHT)
@example("$SYS/broker/uptime", b"1", EIGHT)
@example("a b:c/\udc80", b"{}", EIGHT)
def test_whatever_comes_in_is_read_or_refused(topic: str, payload: bytes, received: int) -> None:
    result = attempt(topic, payload, received)
    if isinstance(result, Undecodable):
        assert 0 < len(result.reason) < 200
        for reading in result.readings:
            check(reading, received)
        return
    for reading in result:
        check(reading, received)


def check(reading: Reading, received: int) -> None:
    assert reading.received == received
    assert reading.values
    for name, value in reading.values.items():
        assert type(value) is POINTS[name].type
        assert type(value) is not float or isfinite(value)
    if reading.claimed is not None:
        assert -(2**63) <= reading.claimed < 2**63
        assert not received - LIMITS.past <= reading.claimed <= received + LIMITS.future
    assert received - LIMITS.past <= reading.time <= received + LIMITS.future + SECOND


@pytest.mark.parametrize("depth", [900, 1000, 1020])
def test_nesting_is_no_danger(depth: int) -> None:
    # Outside of Hypothesis, which raises Python's limit of recursion.
    nested = b"[" * depth + b"]" * depth
    result = attempt("app/1/h/x", b'{"leak": 1, "a": %b, "b": %b}' % (nested, nested), EIGHT)
    assert isinstance(result, Undecodable) or result[0].values["leak"] is True


def test_topics_of_strangers_take_no_memory() -> None:
    names = [f"siteward/campus/{number}/{'x' * 1000}" for number in range(2000)]
    tracemalloc.start()
    try:
        for name in names:
            attempt(f"{name}/readings", b"{}", EIGHT)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 100_000


@given(
    st.dictionaries(
        st.sampled_from([name for name, point in POINTS.items() if point.type is float]),
        st.floats(allow_nan=False, allow_infinity=False),
        min_size=1,
    ),
    st.dictionaries(st.sampled_from(["leak", "smoke", "sos"]), st.booleans()),
    st.dictionaries(st.sampled_from(["reason", "alarm", "tariff"]), st.text(max_size=256)),
)
def test_every_canonical_value_arrives_as_it_was_sent(
    numbers: dict[str, float],
    flags: dict[str, bool],
    texts: dict[str, str],
) -> None:
    [reading] = decode(numbers | flags | texts)
    assert reading.values == numbers | flags | texts


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_no_reading_of_a_batch_without_times_overwrites_another(days: list[int]) -> None:
    batch = [{"volume_m3": 1.0} | ({"time": day * 86_400_000} if day else {}) for day in days]
    times = [reading.time for reading in decode(batch)]
    assert times == list(range(EIGHT, EIGHT + len(batch)))
