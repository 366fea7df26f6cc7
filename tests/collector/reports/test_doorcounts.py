"""Doors, counted: passages of many are told, of few are not, and what doors do is told of every door."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.reports.doorcounts import FEW, SITE, Crowd, DoorCounts, DoorTally
from devices.reading import Reading, Value
from rules.calendars import Calendars
from tests.rulebench import make_site

MINUTE = 60 * 10**9
HOUR = 60 * MINUTE
MORNING = int(datetime(2026, 3, 2, 8, tzinfo=UTC).timestamp()) * 10**9
"""A Monday."""
ZONE = ZoneInfo("UTC")
DOORS: list[dict[str, object]] = [
    {"id": "front", "kind": "door", "building": "A", "floor": "1F", "area": "hall"},
    {"id": "lab", "kind": "door", "building": "A", "floor": "1F", "area": "lab", "outside": "hall"},
    {"id": "em-1", "kind": "electricity_meter", "building": "A"},
]
PEOPLE = [f"k1:{number}" for number in range(9)]


def event(time: int, what: str, who: str = "", door: str = "front", way: str = "in", **rest: str) -> Reading:
    values: dict[str, Value] = {"event": what, "direction": way, **({"credential": who} if who else {}), **rest}
    return Reading(door, time, time, values)


def count(*events: Reading, calendars: Calendars | None = None, start: int = MORNING) -> DoorCounts:
    working = calendars.find("work") if calendars else None
    counts = DoorCounts(make_site(DOORS), ZONE, working, start)
    counts.take(events)
    counts.end()
    return counts


@given(people=st.lists(st.sampled_from(PEOPLE), max_size=40))
def test_a_number_is_told_where_enough_people_are_behind_it_or_none(people: list[str]) -> None:
    crowd = Crowd()
    for who in people:
        crowd.add(who)
    assert crowd.told == (len(people) if not people or len(set(people)) >= FEW else None)


@given(one=st.lists(st.sampled_from(PEOPLE)), other=st.lists(st.sampled_from(PEOPLE)))
def test_who_is_in_both_counts_once(one: list[str], other: list[str]) -> None:
    crowds = Crowd(), Crowd()
    for crowd, people in zip(crowds, (one, other), strict=True):
        for who in people:
            crowd.add(who)
    crowds[0].join(crowds[1])
    assert crowds[0].count == len(one) + len(other)
    if len(set(one) | set(other)) < FEW:
        assert crowds[0].told in {None, 0}


def test_nobody_knows_who_passes_without_a_credential() -> None:
    counts = count(*(event(MORNING + number, "granted") for number in range(FEW)))
    assert counts.passages.told == FEW
    assert counts.credentials == set()


def test_places_count_who_comes_in_and_how_many_there_are() -> None:
    come = [event(MORNING + number * MINUTE, "granted", who) for number, who in enumerate(PEOPLE[:6])]
    leave = event(MORNING + HOUR, "granted", PEOPLE[0], way="out")
    into_lab = event(MORNING + 2 * HOUR, "granted", PEOPLE[1], door="lab")
    counts = count(*come, leave, into_lab)
    hall, lab, site = counts.places["A/1F/hall"], counts.places["A/1F/lab"], counts.places[SITE]
    assert (hall.entries.told, hall.peak, hall.peak_at) == (6, 6, MORNING + 5 * MINUTE)
    assert (lab.entries.count, lab.entries.told, lab.peak) == (1, None, 1)
    assert (site.peak, len(site.credentials)) == (6, 6)
    assert counts.passages.told == 8
    assert counts.doors["lab"].passages.is_few


def test_who_came_in_before_the_period_is_there_and_not_counted() -> None:
    counts = count(event(MORNING - HOUR, "granted", "a"), event(MORNING + HOUR, "granted", "b"))
    assert counts.passages.count == 1
    assert counts.places["A/1F/hall"].peak == 2


def test_refusals_are_told_by_reason_and_day() -> None:
    events = [event(MORNING + number, "denied", who, reason="expired") for number, who in enumerate(PEOPLE[:5])]
    events.append(event(MORNING + HOUR, "denied", "x", door="lab", reason="Wang Wei"))
    counts = count(*events)
    assert counts.denied.told == 6
    assert {reason: crowd.told for reason, crowd in counts.reasons.items()} == {"expired": 5, "Wang Wei": None}
    assert counts.by_day[datetime(2026, 3, 2, tzinfo=UTC).date()][1].told == 6


def test_off_hours_are_those_outside_the_calendar() -> None:
    calendars = Calendars.model_validate({"calendars": {"work": {"hours": "08:00-18:00"}}})
    events = [event(MORNING + 11 * HOUR + number, "granted", who) for number, who in enumerate(PEOPLE[:5])]
    counts = count(event(MORNING, "granted", "early"), *events, calendars=calendars)
    assert (counts.passages.count, counts.off_hours.told) == (6, 5)
    assert counts.places["A/1F/hall"].off_hours.told == 5


@pytest.mark.parametrize(
    ("events", "held", "forced", "minutes", "unclosed"),
    [
        pytest.param([(0, "opened"), (1, "closed")], 0, 0, 0, 0, id="in time"),
        pytest.param([(0, "opened"), (3, "closed")], 1, 0, 3, 0, id="too long, by our own clock"),
        pytest.param([(0, "opened"), (1, "held_open"), (5, "closed")], 1, 0, 5, 0, id="the controller says so"),
        pytest.param([(0, "held_open"), (1, "held_open"), (4, "closed")], 1, 0, 4, 0, id="told twice"),
        pytest.param([(0, "forced_open"), (1, "held_open"), (6, "closed")], 1, 1, 6, 0, id="forced and left open"),
        pytest.param([(0, "held_open")], 1, 0, 0, 1, id="never closed"),
        pytest.param([(0, "closed"), (1, "closed")], 0, 0, 0, 0, id="closed twice"),
        pytest.param([(0, "opened"), (1, "opened"), (4, "closed")], 1, 0, 4, 0, id="opened twice"),
        pytest.param([(0, "held_open"), (2, "closed"), (9, "held_open"), (10, "closed")], 2, 0, 3, 0, id="twice"),
    ],
)
def test_doors_that_stand_open(
    events: list[tuple[int, str]], held: int, forced: int, minutes: int, unclosed: int
) -> None:
    tally = count(*(event(MORNING + at * MINUTE, what) for at, what in events)).doors["front"]
    assert (tally.held, tally.forced, tally.held_ns, tally.unclosed) == (held, forced, minutes * MINUTE, unclosed)


def test_the_state_of_a_door_says_the_same_as_its_events() -> None:
    readings = [
        Reading("front", MORNING + at * MINUTE, MORNING, {"door": state}) for at, state in ((0, "open"), (7, "closed"))
    ]
    tally = count(*readings).doors["front"]
    assert (tally.held, tally.longest_ns) == (1, 7 * MINUTE)


def test_faults_of_locks_are_told_of_each_door() -> None:
    counts = count(event(MORNING, "tamper", door="lab"), event(MORNING + 1, "lock_fault", door="lab"))
    assert counts.doors["lab"].faults == 2
    assert counts.passages.told == 0


@given(steps=st.lists(st.tuples(st.integers(1, 600), st.sampled_from(["open", "hold", "close"])), max_size=30))
def test_a_door_is_never_held_longer_than_it_was_watched(steps: list[tuple[int, str]]) -> None:
    tally, time = DoorTally(), 0
    for seconds, step in steps:
        time += seconds * 10**9
        getattr(tally, step)(time)
    tally.end()
    assert 0 <= tally.longest_ns <= tally.held_ns <= time
    assert tally.unclosed <= tally.held


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_both_nights_on_which_clocks_are_changed_are_one_day_each(day: str) -> None:
    zone = ZoneInfo("Europe/Berlin")
    start = datetime.fromisoformat(day).replace(tzinfo=zone)
    after = (datetime.fromisoformat(day) + timedelta(days=1)).replace(tzinfo=zone)
    first, last = (int(moment.timestamp()) * 10**9 for moment in (start, after))
    counts = DoorCounts(make_site(DOORS), zone, None, first)
    counts.take(event(time, "granted") for time in range(first, last, HOUR))
    hours = (last - first) // HOUR
    assert hours in {23, 25}
    assert {key: crowds[0].told for key, crowds in counts.by_day.items()} == {start.date(): hours}
    twice = {hour: crowd.count for (_, hour), crowd in counts.by_hour.items() if crowd.count > 1}
    assert twice == ({2: 2} if hours == 25 else {})
    assert ((start.weekday(), 2) in counts.by_hour) == (hours == 25)
