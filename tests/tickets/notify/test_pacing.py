"""The laws of pacing."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from devices.durations import NANOSECONDS
from tickets.notify.pacing import HOUR, Pace, find_pause, find_ready

SECOND = NANOSECONDS["s"]
moments = st.integers(0, 4 * HOUR)
paces = st.builds(Pace, st.integers(0, 60 * SECOND), st.integers(1, 20), st.just(NANOSECONDS["d"]))


@given(st.lists(st.tuples(moments, st.booleans()), min_size=1, max_size=60), paces)
def test_nobody_gets_more_than_so_many_an_hour_and_everything_arrives(
    happenings: list[tuple[int, bool]], pace: Pace
) -> None:
    """Plays what happens to one recipient: each message takes all that waits."""
    waiting = sorted((at + (0 if urgent else pace.gather), urgent) for at, urgent in happenings)
    sent: list[tuple[int, bool]] = []
    now = 0
    while waiting:
        known = [each for each in waiting if each[0] <= now] or waiting[:1]
        urgent = any(each[1] for each in known)
        last_hour = [at for at, _ in sent if at > now - HOUR]
        ready = find_ready([due for due, _ in known], last_hour, pace, urgent=urgent)
        if ready > now:
            now = min([ready, *(due for due, _ in waiting if due > now)])
            continue
        sent.append((now, urgent))
        waiting = [each for each in waiting if each not in known]
    times = [at for at, _ in sent]
    assert all(later - earlier >= pace.gather for earlier, later in pairwise(times))
    for at, urgent in sent:
        within = [time for time in times if at - HOUR < time <= at]
        assert urgent or len(within) <= pace.most_per_hour


@given(moments, paces)
def test_the_first_message_goes_when_it_is_due(due: int, pace: Pace) -> None:
    assert find_ready([due], [], pace, urgent=False) == due


@given(st.integers(1, 60), st.floats(0, 1), st.integers(0, 2 * HOUR))
def test_pauses_grow_up_to_an_hour_and_heed_what_is_asked(failures: int, jitter: float, least: int) -> None:
    pause = find_pause(failures, jitter, least)
    assert least <= pause <= max(least, 1.25 * HOUR)
    assert pause >= 22 * SECOND
    assert find_pause(failures + 1, jitter) >= find_pause(failures, jitter)
