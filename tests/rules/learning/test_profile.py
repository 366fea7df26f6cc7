import random
from collections.abc import Callable, Iterable, Iterator
from math import inf, pi, sin
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.durations import NANOSECONDS
from rules.learning.peaks import QUARTERS_KEPT, Peaks, find_excess, find_rarity
from rules.learning.profile import ACCEPTED_DAYS, Profile
from rules.learning.runs import Runs
from rules.learning.season import DAY, SLOT, Season
from rules.learning.values import Values

HOUR, MINUTE, SECOND = NANOSECONDS["h"], NANOSECONDS["m"], NANOSECONDS["s"]
MONDAY = 4 * DAY  # 1970-01-05
LIMIT = 2.0
UTC = ZoneInfo("UTC")


def office(time: int, draw: random.Random) -> float:
    """Load of an office in kW: working days have a hump, weekends do not."""
    hour = time % DAY / HOUR
    works = (time // DAY + 3) % 7 < 5
    hump = 40 * max(0.0, sin((hour - 7) / 12 * pi)) if works and 7 < hour < 19 else 0.0
    return 10 + hump + draw.gauss(0, 1.5)


def stream(
    days: float, step: int = 15 * MINUTE, start: int = MONDAY, load: Callable[[int, random.Random], float] = office
) -> Iterator[tuple[int, float]]:
    draw = random.Random(4)
    for place in range(int(days * DAY / step)):
        time = start + place * step
        yield time, load(time, draw)


def feed(profile: Profile, rows: Iterable[tuple[int, float]]) -> list[float]:
    return [profile.take(time, value) for time, value in rows]


def make(direction: str = "both") -> Profile:
    return Profile(Values("week", direction), LIMIT, UTC)  # type: ignore[arg-type] # one of three words


def taught(days: float = 28, step: int = 15 * MINUTE) -> Profile:
    profile = make()
    feed(profile, stream(days, step))
    return profile


@pytest.mark.parametrize("step", [SECOND * 30, MINUTE, 15 * MINUTE, HOUR])
def test_an_office_is_usual_at_any_interval(step: int) -> None:
    profile = make()
    days = 21 if step > MINUTE else 10
    scores = feed(profile, stream(days, step))
    assert max(scores[len(scores) * 7 // 10 :]) < LIMIT
    assert profile.days == pytest.approx(days, abs=0.5)


def test_what_is_usual_at_noon_is_unusual_at_night() -> None:
    profile = taught()
    night = MONDAY + 28 * DAY + 2 * HOUR
    assert profile.take(night, 48.0) > LIMIT
    profile = taught()
    feed(profile, list(stream(28.5))[28 * 96 :])
    noon = MONDAY + 28 * DAY + 12 * HOUR + 15 * MINUTE
    assert profile.take(noon, 48.0) < LIMIT


def test_a_sunday_is_no_monday() -> None:
    profile = taught(27.5)
    sunday = MONDAY + 27 * DAY + 13 * HOUR
    assert profile.take(sunday, 48.0) > LIMIT


@pytest.mark.parametrize(
    ("direction", "low", "high"), [("up", False, True), ("down", True, False), ("both", True, True)]
)
def test_the_direction_counts(direction: str, low: bool, high: bool) -> None:
    for value, flagged in ((0.0, low), (30.0, high)):
        profile = make(direction)
        feed(profile, stream(28))
        night = MONDAY + 28 * DAY + 2 * HOUR
        assert (profile.take(night, value) >= LIMIT) == flagged


def test_a_small_shift_that_stays_shows() -> None:
    profile = taught()
    shifted = [(time, value + 6) for time, value in list(stream(29))[28 * 96 :]]
    scores = feed(profile, shifted)
    assert max(scores) >= LIMIT


def test_what_is_flagged_is_not_learned() -> None:
    profile = taught()
    for time, value in list(stream(30))[28 * 96 :]:
        profile.take(time, value + 60)
    after = MONDAY + 30 * DAY
    measure = profile._measure
    assert isinstance(measure, Values)
    measure.season.turn((after + 2 * HOUR) // SLOT, 0.0)
    assert measure.season.level == pytest.approx(10, abs=2)


def test_a_level_that_lasts_becomes_usual() -> None:
    profile = taught()
    scores = feed(profile, ((time, value + 60) for time, value in list(stream(28 + ACCEPTED_DAYS + 14))[28 * 96 :]))
    day = 96
    assert min(max(scores[place : place + day]) for place in range(0, (ACCEPTED_DAYS - 1) * day, day)) >= LIMIT
    assert max(scores[-3 * day :]) < LIMIT


def test_the_seasons_of_a_year_are_followed() -> None:
    def heating(time: int, draw: random.Random) -> float:
        return office(time, draw) + 8 * sin((time - MONDAY) / (365 * DAY) * 2 * pi)

    profile = make()
    scores = feed(profile, stream(300, HOUR, load=heating))
    assert sum(score >= LIMIT for score in scores[14 * 24 :]) <= 3


def test_nothing_is_said_before_a_day_is_known() -> None:
    profile = make()
    assert set(feed(profile, [(MONDAY + place * HOUR, float(place % 7) ** 3) for place in range(20)])) == {0.0}


def test_news_is_told_once() -> None:
    profile = taught()
    night = MONDAY + 28 * DAY + 2 * HOUR
    news = []
    for place in range(16):
        profile.take(night + place * 15 * MINUTE, 60.0)
        news.append(profile.news)
    told = [score for score in news if score]
    assert news[0] >= LIMIT
    assert len(told) <= 5
    assert told == sorted(told)


def test_a_constant_is_no_reason_to_fail() -> None:
    profile = make()
    assert max(feed(profile, [(MONDAY + place * HOUR, 5.0) for place in range(24 * 20)])) == 0.0
    later = MONDAY + 20 * DAY
    profile.take(later, 5.0)


def machine(minutes_on: int) -> Callable[[int, random.Random], float]:
    def draw_power(time: int, draw: random.Random) -> float:
        length = minutes_on + (time // HOUR % 3)
        return 2.0 + draw.gauss(0, 0.05) if time % HOUR < length * MINUTE else draw.gauss(0.01, 0.003)

    return draw_power


def test_longer_runs_show_though_the_power_is_the_same() -> None:
    profile = Profile(Runs(), 1.0, UTC)
    usual = feed(profile, stream(14, MINUTE, load=machine(12)))
    assert max(usual[7 * 1440 :]) < 1.0
    longer = feed(profile, stream(1, MINUTE, MONDAY + 14 * DAY, machine(17)))
    assert max(longer) >= 1.0


def test_a_short_pause_does_not_part_a_run() -> None:
    runs = Runs()
    for minute in range(600):
        on = minute % 60 < 20 and minute % 60 != 10
        runs.measure(2.0 if on else 0.0, MINUTE)
        runs.learn(0.0)
    assert {round(used / MINUTE, 1) for used in runs._runs} == {38.0}


def test_a_spike_does_not_outlast_itself() -> None:
    profile = taught()
    night = MONDAY + 28 * DAY + 2 * HOUR
    assert profile.take(night, 90.0) >= LIMIT
    assert profile.take(night + 15 * MINUTE, 10.0) < LIMIT


def test_runs_need_something_that_switches() -> None:
    profile = Profile(Runs(), 1.0, UTC)
    assert max(feed(profile, stream(14, MINUTE, load=lambda _time, draw: draw.gauss(20, 3)))) == 0.0


numbers = st.floats(-1e6, 1e6, allow_nan=False)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 3 * HOUR), numbers), min_size=30, max_size=200),
    st.integers(0, 199),
    st.booleans(),
    st.sampled_from(["none", "day", "week"]),
)
def test_a_restored_profile_goes_on_as_if_nothing_had_been(
    steps: list[tuple[int, float]], cut: int, runs: bool, season: str
) -> None:
    def fresh() -> Profile:
        return Profile(Runs() if runs else Values(season, "both"), LIMIT, UTC)  # type: ignore[arg-type] # one of three words

    one = fresh()
    time, rows = MONDAY, []
    for elapsed, value in steps:
        time += elapsed
        rows.append((time, value))
    for moment, value in rows[:cut]:
        one.take(moment, value)
    other = fresh()
    other.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(one.snapshot())))
    for moment, value in rows[cut:]:
        assert other.take(moment, value) == one.take(moment, value)
        assert (other.news, other.days) == (one.news, one.days)
    assert other.snapshot() == one.snapshot()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1e12, 1e12, allow_nan=False), min_size=60, max_size=300))
def test_scores_are_numbers_whatever_comes(values: list[float]) -> None:
    profile = make()
    scores = feed(profile, [(MONDAY + place * HOUR, value) for place, value in enumerate(values)])
    assert all(0 <= score < inf for score in scores)


def test_a_state_is_small() -> None:
    profile = taught(120)
    assert len(msgspec.msgpack.encode(profile.snapshot())) < 5000


@given(st.floats(0, 1e4))
def test_rarity_and_excess_are_inverse(excess: float) -> None:
    assert find_excess(find_rarity(excess)) == pytest.approx(excess, abs=1e-6)


def test_peaks_remember_sixty_days() -> None:
    peaks = Peaks(0.15)
    for place in range(3 * QUARTERS_KEPT):
        peaks.now = 1.0 if place < 2 * QUARTERS_KEPT else 5.0
        peaks.end_quarter()
    assert peaks.usual == 5.0


def test_a_quarter_of_wild_days_does_not_move_the_law_much() -> None:
    draw = random.Random(1)
    calm, mixed = Peaks(0.15), Peaks(0.15)
    for place in range(QUARTERS_KEPT):
        value = draw.uniform(4, 6)
        calm.now = value
        mixed.now = 1000.0 if place % 24 == 0 else value
        calm.end_quarter()
        mixed.end_quarter()
    assert mixed.usual == pytest.approx(calm.usual, rel=0.2)
    assert mixed.width < 4 * calm.width


def test_a_season_predicts_the_hour() -> None:
    season = Season("day")
    for place in range(30 * 24):
        local = MONDAY + place * HOUR
        season.turn(local // SLOT, 0.0)
        season.add(float(place % 24))
    season.turn((MONDAY + 30 * DAY + 17 * HOUR) // SLOT, 0.0)
    assert season.level == pytest.approx(17, abs=0.01)
