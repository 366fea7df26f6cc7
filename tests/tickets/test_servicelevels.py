"""Promised times: counted in the team's hours, without pauses, over both nights in which clocks are set."""

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from devices.durations import NANOSECONDS
from rules.calendars import Calendars
from tests.rulebench import at
from tickets.servicelevels import AllHours, Hours, Span, TeamHours, find_due, measure, read_clocks
from tickets.ticket import Event

MINUTE, HOUR = NANOSECONDS["m"], NANOSECONDS["h"]
BERLIN = ZoneInfo("Europe/Berlin")
CALENDARS = Calendars.model_validate(
    {
        "calendars": {
            "office": {"days": ["mon", "tue", "wed", "thu", "fri"], "hours": ["08:00-12:00", "13:00-17:00"]},
            "night": {"hours": "22:00-06:00"},
            "never": {"dates": "2020-01-01"},
        }
    }
)
OFFICE = TeamHours(CALENDARS, "office", BERLIN)
NIGHT = TeamHours(CALENDARS, "night", BERLIN)
DST_DAYS = [at("2026-03-26 00:00"), at("2026-10-22 00:00")]  # the clocks are set three days later


def opened(time: str) -> Event:
    facts = {"site": "s", "number": "W-1", "kind": "repair", "category": "other", "title": "t"}
    return Event(1, at(time), "li", "opened", "", facts)


# ── worked by hand ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_deadline_skips_the_noon_break_the_night_and_the_weekend() -> None:
    friday = at("2026-03-06 10:00")  # 11:00 there: one hour before noon, four after
    assert find_due([Span(friday, None)], OFFICE, 3 * HOUR) == at("2026-03-06 14:00")
    assert find_due([Span(friday, None)], OFFICE, 5 * HOUR) == at("2026-03-06 16:00")
    assert find_due([Span(friday, None)], OFFICE, 6 * HOUR) == at("2026-03-09 08:00")


def test_the_night_on_which_clocks_go_forward_has_seven_hours_and_the_other_nine() -> None:
    spring = Span(at("2026-03-28 21:00"), at("2026-03-29 06:00"))
    autumn = Span(at("2026-10-24 20:00"), at("2026-10-25 07:00"))
    assert measure([spring], NIGHT, at("2026-04-01 00:00")) == 7 * HOUR
    assert measure([autumn], NIGHT, at("2026-11-01 00:00")) == 9 * HOUR


def test_clocks_stand_still_while_a_ticket_waits_is_done_or_resolved() -> None:
    events = [
        opened("2026-03-02 08:00"),
        Event(2, at("2026-03-02 09:00"), "li", "taken"),
        Event(3, at("2026-03-02 10:00"), "li", "paused", "", {"reason": "parts"}),
        Event(4, at("2026-03-02 11:00"), "wang", "commented", "?"),
        Event(5, at("2026-03-03 10:00"), "li", "resumed"),
        Event(6, at("2026-03-03 10:30"), "li", "done"),
        Event(7, at("2026-03-03 12:00"), "", "reopened"),
    ]
    clocks = read_clocks(events)
    assert clocks.response == [Span(at("2026-03-02 08:00"), at("2026-03-02 09:00"))]
    assert clocks.resolution == [
        Span(at("2026-03-02 08:00"), at("2026-03-02 10:00")),
        Span(at("2026-03-03 10:00"), at("2026-03-03 10:30")),
        Span(at("2026-03-03 12:00"), None),
    ]
    assert find_due(clocks.resolution, AllHours(), 4 * HOUR) == at("2026-03-03 13:30")
    assert find_due(clocks.response, AllHours(), 2 * HOUR) is None


def test_the_end_of_an_alert_is_no_answer() -> None:
    events = [opened("2026-03-02 08:00"), Event(2, at("2026-03-02 08:05"), "", "resolved")]
    events.append(Event(3, at("2026-03-02 09:00"), "", "reopened"))
    assert read_clocks(events).response == [
        Span(at("2026-03-02 08:00"), at("2026-03-02 08:05")),
        Span(at("2026-03-02 09:00"), None),
    ]


def test_a_calendar_that_never_holds_has_no_deadline() -> None:
    assert find_due([Span(at("2026-03-02 08:00"), None)], TeamHours(CALENDARS, "never", BERLIN), HOUR) is None


# ── laws ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@st.composite
def spans(draw: st.DrawFn) -> list[Span]:
    """Spans in order, in whole minutes, around a night on which clocks are set."""
    time, found = draw(st.sampled_from(DST_DAYS)), []
    for _ in range(draw(st.integers(1, 5))):
        begin = time + draw(st.integers(0, 1500)) * MINUTE
        time = begin + draw(st.integers(1, 1500)) * MINUTE
        found.append(Span(begin, time))
    if draw(st.booleans()):
        found[-1] = Span(found[-1].begin, None)
    return found


hours = st.sampled_from([OFFICE, NIGHT, AllHours()])


@given(spans(), hours, st.integers(0, 3000))
def test_counting_minute_by_minute_gives_the_same(found: list[Span], hours: Hours, after: int) -> None:
    now = found[0].begin + after * MINUTE
    counted = sum(
        hours.covers(minute) for span in found for minute in range(span.begin, min(now, span.end or now), MINUTE)
    )
    assert measure(found, hours, now) == counted * MINUTE


@given(spans(), hours, st.integers(1, 2000))
def test_at_the_deadline_exactly_the_promised_time_has_passed(found: list[Span], hours: Hours, within: int) -> None:
    due = find_due(found, hours, within * MINUTE)
    if due is None:
        assert found[-1].end is not None
        assert measure(found, hours, found[-1].end) < within * MINUTE
    else:
        assert measure(found, hours, due) == within * MINUTE
        assert measure(found, hours, due - 1) < within * MINUTE


@given(spans(), hours, st.integers(1, 1000), st.integers(0, 1000), st.integers(1, 500))
def test_a_pause_moves_the_deadline_later_never_sooner(
    found: list[Span], hours: Hours, within: int, begin: int, length: int
) -> None:
    whole = [Span(found[0].begin, None)]
    pause = found[0].begin + begin * MINUTE
    parts = [Span(found[0].begin, pause), Span(pause + length * MINUTE, None)]
    due, later = find_due(whole, hours, within * MINUTE), find_due(parts, hours, within * MINUTE)
    assert due is not None
    assert later is not None
    assert later >= due
    assert measure(parts, hours, later) == within * MINUTE
