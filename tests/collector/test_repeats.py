"""Repeats: six frames of one door are one opening, and nothing else is taken for one."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from collector.repeats import Repeats
from devices.reading import Reading, Value

MS = 1_000_000
SECOND = 1000 * MS
WINDOW = 2 * SECOND
NOW = 1_795_000_000 * SECOND


def frame(at_s: float, device: str = "door", **values: Value) -> Reading:
    time = NOW + round(at_s * SECOND)
    return Reading(device, time, time, values or {"door": "open"})


def filter_new(frames: Iterable[Reading], window: int = WINDOW) -> Iterator[Reading]:
    repeats = Repeats()
    return (each for each in frames if not repeats.recognizes(each, window))


def taken(*frames: Reading, window: int = WINDOW) -> list[float]:
    """When those were measured that are new, s."""
    return [(each.time - NOW) / SECOND for each in filter_new(frames, window)]


def test_six_frames_of_one_opening_are_one() -> None:
    assert taken(*[frame(at / 100) for at in (0, 13, 26, 39, 52, 65)]) == [0]


def test_a_door_that_opens_again_is_another_opening() -> None:
    assert taken(frame(0), frame(0.1), frame(3), frame(3.1), frame(8)) == [0, 3, 8]


def test_the_window_ends_before_its_last_nanosecond() -> None:
    assert taken(frame(0), frame(2 - 1e-9), frame(4)) == [0, 4]


def test_an_alarm_that_goes_on_is_one_event_a_minute() -> None:
    assert taken(*[frame(at, leak=True) for at in range(150)]) == [0, 60, 120]


def test_a_window_longer_than_a_minute_holds_in_full() -> None:
    assert taken(*[frame(at * 60) for at in range(13)], window=300 * SECOND) == [0, 300, 600]


def test_frames_with_other_contents_between_change_nothing() -> None:
    frames = [
        frame(0),
        frame(0.1, battery_percent=80.0),
        frame(0.2),
        frame(0.3, door="closed"),
        frame(0.4),
        frame(0.5, battery_percent=80.0),
    ]
    assert taken(*frames) == [0, 0.1, 0.3]


def test_two_devices_that_say_the_same_are_two_events() -> None:
    assert taken(frame(0, "door-1"), frame(0.1, "door-2"), frame(0.2, "door-1")) == [0, 0.1]


def test_frames_that_come_out_of_order_are_recognized() -> None:
    assert taken(frame(10), frame(9.5), frame(10.5)) == [10]
    assert taken(frame(100), frame(0), frame(100.3), frame(0.3), frame(50)) == [100, 0, 50]


def test_one_device_does_not_make_another_one_forgotten() -> None:
    chatter = [frame(0.001 * n, "chatty", power_kw=float(n)) for n in range(1000)]
    assert taken(frame(0), *chatter, frame(1.5))[-1] == 0.999


def test_what_is_remembered_is_bounded() -> None:
    repeats = Repeats()
    for n in range(10_000):
        repeats.recognizes(frame(n, power_kw=float(n)), WINDOW)
        repeats.recognizes(frame(10.0 * n), WINDOW)
    (contents,) = repeats._devices.values()
    assert len(contents) == 64
    assert max(map(len, contents.values())) == 8


CONTENTS = st.sampled_from(["open", "closed"])
BURSTS = st.lists(
    st.tuples(CONTENTS, st.lists(st.integers(0, WINDOW - 1), max_size=6), st.integers(2 * WINDOW, 9 * WINDOW)),
    min_size=1,
    max_size=8,
)


@given(BURSTS, st.randoms(use_true_random=False))
def test_repeating_within_the_window_changes_nothing_in_whatever_order(
    bursts: list[tuple[str, list[int], int]], random: Random
) -> None:
    once: list[Reading] = []
    frames: list[Reading] = []
    time = NOW
    for door, offsets, pause in bursts:
        once.append(Reading("door", time, time, {"door": door}))
        frames += [Reading("door", time + offset, time, {"door": door}) for offset in [0, *sorted(offsets)]]
        time += pause + WINDOW
    assert list(filter_new(frames)) == once
    random.shuffle(frames)
    kept = sorted(filter_new(frames), key=lambda each: each.time)
    assert [each.values for each in kept] == [each.values for each in once]
    assert all(0 <= each.time - first.time < WINDOW for each, first in zip(kept, once, strict=True))


@given(st.lists(st.integers(0, 100 * SECOND), min_size=1, max_size=60), st.integers(1, 90 * SECOND))
def test_new_ones_in_order_are_no_closer_than_the_window(times: list[int], window: int) -> None:
    repeats = Repeats()
    new = [at for at in sorted(times) if not repeats.recognizes(Reading("d", at, at, {"door": "open"}), window)]
    assert new[0] == min(times)
    assert all(later - earlier >= window for earlier, later in pairwise(new))
