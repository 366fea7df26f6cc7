"""From messages to readings, whatever comes in."""

import subprocess
import sys
import tracemalloc
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.decoder import Decoder
from devices.errors import Undecodable
from devices.points import EVENTS, POINTS
from devices.profile import Profile, load_builtin
from devices.reading import Reading
from devices.register import Device, Register
from devices.timestamps import TimeLimits

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


def device(name: str, profile: str = "canonical", **more: str) -> Device:
    return Device.model_validate({"id": name, "kind": "sensor", "profile": profile} | more)


DECODER = Decoder(
    Register(
        devices=[
            device("em-1"),
            device("z", "zigbee2mqtt"),
            device("t", "tasmota"),
            device("s", "shelly_gen2"),
            device("h", "history"),
        ],
    ),
    load_builtin() | {"history": HISTORY},
    "campus",
    LIMITS,
    zone="Europe/Berlin",
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
        (EIGHT + 6, 0),
        (EIGHT + 7, 0),
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
    assert (raised.value.device, raised.value.reason) == ("", "device 'em-9' is not in the register")


# Whatever comes in: readings, or Undecodable.

KNOWN_TOPICS = st.sampled_from([TOPIC, "zigbee2mqtt/z", "tele/t/SENSOR", "t/tele/SENSOR", "s/status/em:0", "app/1/h/x"])
TEXTS = st.text(st.characters(codec=None), max_size=20)  # with lone surrogates
TOPICS = st.one_of(KNOWN_TOPICS, TEXTS, TEXTS.map(lambda text: f"siteward/campus/{text}/readings"))
WORDS = st.sampled_from(
    [*POINTS, *EVENTS, "time", "ENERGY", "Total", "Time", "contact", "power", "ts", "p", "f", "bar", "data", "history"],
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


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A payload that was right, with a piece of it replaced, repeated or cut out."""
    payload = draw(
        st.sampled_from(
            [test.payload.encode() for profile in load_builtin().values() for test in profile.tests],
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


@settings(max_examples=500)
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
        return
    assert result
    for reading in result:
        assert reading.received == received
        assert reading.values
        for name, value in reading.values.items():
            assert type(value) is POINTS[name].type
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
