from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from devices.durations import NANOSECONDS
from rules.cadence import ALLOWED_LEAST, FACTOR, STRIKES, Cadence
from tests.rulebench import at

MINUTE, HOUR, DAY = NANOSECONDS["m"], NANOSECONDS["h"], NANOSECONDS["d"]
MONDAY = at("2026-03-02 00:00")


def learn(days: int, minutes: int, first: int = 0, last: int = 24) -> Cadence:
    """Arrivals every few minutes, between two hours of working days."""
    cadence = Cadence(ZoneInfo("UTC"))
    for day in range(days):
        if day % 7 >= 5 and (first, last) != (0, 24):
            continue
        for minute in range(first * 60, last * 60, minutes):
            cadence.hear(MONDAY + day * DAY + minute * MINUTE, flagged=False)
    return cadence


def test_it_says_nothing_before_it_has_lived_through_three_such_hours() -> None:
    assert learn(2, 10).allow(MONDAY + 2 * DAY) is None
    cadence = learn(4, 10)
    assert cadence.allow(MONDAY + 4 * DAY + 12 * HOUR) == FACTOR * 10 * MINUTE
    assert cadence.allow(MONDAY + 5 * DAY + 12 * HOUR) is None  # a Saturday, and it has seen none


def test_a_device_that_sleeps_does_not_grow_old() -> None:
    cadence = learn(26, 15, 7, 19)  # until Friday evening, at 18:45
    monday = MONDAY + 28 * DAY
    assert cadence.allow(monday + 12 * HOUR) == FACTOR * 15 * MINUTE
    assert cadence.judge(monday) == (False, monday + HOUR)
    assert cadence.judge(monday + 7 * HOUR) == (False, monday + 7 * HOUR + 30 * MINUTE)  # 15 minutes are of Friday
    assert cadence.judge(monday + 10 * HOUR)[0] is True


def test_never_sooner_than_a_minute() -> None:
    cadence = Cadence(ZoneInfo("UTC"))
    for second in range(0, 4 * 86_400, 5):
        cadence.hear(MONDAY + second * NANOSECONDS["s"], flagged=False)
    assert cadence.allow(MONDAY + 4 * DAY + HOUR) == ALLOWED_LEAST


def test_one_long_silence_hardly_matters_and_a_flagged_one_not_at_all() -> None:
    now = MONDAY + 4 * DAY + 12 * HOUR
    usual = FACTOR * 10 * MINUTE
    flagged, unflagged = learn(4, 10), learn(4, 10)
    for cadence, is_flagged in ((flagged, True), (unflagged, False)):
        for minute in range(0, 12 * 60, 10):
            cadence.hear(MONDAY + 4 * DAY + minute * MINUTE, flagged=False)
        cadence.hear(now + 55 * MINUTE, flagged=is_flagged)
        cadence.hear(now + 70 * MINUTE, flagged=False)
    assert flagged.allow(now) == usual
    allowed = unflagged.allow(now)
    assert allowed is not None
    assert usual < allowed <= 2.2 * usual


def test_a_new_cadence_is_accepted_after_a_while() -> None:
    cadence, time = learn(4, 10), MONDAY + 4 * DAY
    assert cadence.allow(time) == FACTOR * 10 * MINUTE
    for _ in range(STRIKES + 2):
        time += 50 * MINUTE
        cadence.hear(time, flagged=True)
    allowed = cadence.allow(time)
    assert allowed is not None
    assert allowed >= FACTOR * 50 * MINUTE


def test_hours_are_those_of_the_site() -> None:
    cadence = Cadence(ZoneInfo("Asia/Shanghai"))
    start = MONDAY - 8 * HOUR  # Monday there
    for day in range(4):
        for minute in range(0, 24 * 60, 10):
            if not 60 * 2 <= minute < 60 * 4:
                cadence.hear(start + day * DAY + minute * MINUTE, flagged=False)
    thursday = start + 3 * DAY + 23 * HOUR + 50 * MINUTE
    cadence.hear(thursday, flagged=False)
    friday = start + 4 * DAY
    assert cadence.judge(friday + 3 * HOUR)[0] is True  # silent since midnight, which is not usual
    cadence.hear(friday + 1 * HOUR + 50 * MINUTE, flagged=False)
    assert cadence.judge(friday + 3 * HOUR + 59 * MINUTE)[0] is False
    assert cadence.judge(friday + 4 * HOUR + 59 * MINUTE)[0] is True


@given(gaps=st.lists(st.tuples(st.integers(0, 40 * 24 * 60), st.booleans()), max_size=40))
def test_whatever_arrives_it_stays_in_bounds(gaps: list[tuple[int, bool]]) -> None:
    cadence, time, longest = learn(15, 30), MONDAY + 15 * DAY, HOUR
    for gap, flagged in gaps:
        time += gap * MINUTE
        longest = max(longest, gap * MINUTE)
        cadence.hear(time, flagged=flagged)
        allowed = cadence.allow(time)
        assert allowed is not None
        assert ALLOWED_LEAST <= allowed <= FACTOR * (longest + HOUR)
