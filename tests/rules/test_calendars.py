"""Calendars: days, hours, dates, holidays; against the wall clock, minute by minute."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from devices.durations import NANOSECONDS
from rules.calendars import Calendar, CalendarPlan, Calendars

MINUTE, DAY, WEEK = NANOSECONDS["m"], NANOSECONDS["d"], NANOSECONDS["w"]
SHANGHAI, BERLIN, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
HAVANA, CAIRO = ZoneInfo("America/Havana"), ZoneInfo("Africa/Cairo")  # these change their clocks at midnight
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

NIGHTS = [
    (BERLIN, "2026-03-28"), (BERLIN, "2026-10-24"), (NEW_YORK, "2026-03-07"), (NEW_YORK, "2026-10-31"),
    (HAVANA, "2026-03-07"), (HAVANA, "2026-10-31"), (CAIRO, "2026-04-23"), (CAIRO, "2026-10-29"),
    (SHANGHAI, "2026-05-01"),
]  # fmt: skip
"""The day before each night in which clocks are changed, and a night like any other."""


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def local(text: str, zone: ZoneInfo) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * 10**9


def read_yaml(text: str) -> Any:  # noqa: ANN401 - what YAML says
    """As the project reads it: dates are texts."""
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - it makes nothing but texts


def make(text: str) -> Calendar:
    return Calendar(CalendarPlan.model_validate(read_yaml(text)))


def write_clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@st.composite
def spans(draw: st.DrawFn) -> str:
    begin = draw(st.integers(0, 24 * 4 - 1)) * 15
    end = draw(st.integers(0, 24 * 4).filter(lambda quarter: quarter * 15 not in (begin, begin + 1440))) * 15
    return f"{write_clock(begin)}-{write_clock(end)}"


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(NIGHTS),
    st.lists(spans(), min_size=1, max_size=3),
    st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True),
)
def test_it_holds_as_the_clock_on_the_wall_shows(
    night: tuple[ZoneInfo, str], hours: list[str], days: list[str]
) -> None:
    zone, first = night
    calendar = Calendar(CalendarPlan.model_validate({"hours": hours, "days": days}))
    begin = local(first, zone)
    shown: list[bool] = []
    for minute in range(3 * 24 * 60):
        wall = datetime.fromtimestamp((begin + minute * MINUTE) // 10**9, zone)
        shown.append(any(holds_at(span, wall.date(), wall.hour * 60 + wall.minute, days) for span in hours))
    answers = [calendar.covers(begin + minute * MINUTE, zone) for minute in range(len(shown))]
    assert answers == shown
    # The next change is where the minutes change, from wherever one asks.
    moment = begin
    while moment < begin + (len(shown) - 1) * MINUTE:
        change = calendar.next_change(moment, zone)
        position, until = (moment - begin) // MINUTE, min((change - begin) // MINUTE, len(shown))
        assert change > moment
        assert set(shown[position:until]) == {shown[position]}
        if until < len(shown) and change - moment < WEEK:
            assert shown[until] != shown[position]
        moment = change


def holds_at(span: str, day: date, minute: int, days: list[str]) -> bool:
    begin, end = (int(part[:2]) * 60 + int(part[3:]) for part in span.split("-"))
    today = WEEKDAYS[day.weekday()] in days
    yesterday = WEEKDAYS[(day - timedelta(days=1)).weekday()] in days
    if begin < end:
        return today and begin <= minute < end
    return (today and minute >= begin) or (yesterday and minute < end)


@pytest.mark.parametrize(
    ("zone", "begin", "end", "length_h"),
    [
        (BERLIN, "2026-03-29 00:00", "2026-03-29 03:00", 3),  # 01:00 to 05:00 of an hour less
        (BERLIN, "2026-10-24 23:00", "2026-10-25 04:00", 5),
        (NEW_YORK, "2026-03-08 06:00", "2026-03-08 09:00", 3),
        (NEW_YORK, "2026-11-01 05:00", "2026-11-01 10:00", 5),
    ],
)
def test_a_night_of_changed_clocks_is_shorter_or_longer(zone: ZoneInfo, begin: str, end: str, length_h: int) -> None:
    night = make("hours: 01:00-05:00")
    assert not night.covers(utc(begin) - 1, zone)
    assert night.covers(utc(begin), zone)
    assert night.next_change(utc(begin) - 1, zone) == utc(begin)
    assert night.next_change(utc(begin), zone) == utc(end) == utc(begin) + length_h * NANOSECONDS["h"]


def test_working_days_of_china_with_days_that_make_up() -> None:
    hours = make("{days: [mon, tue, wed, thu, fri], hours: 08:00-18:00, closed_on_holidays: CN}")
    saturday = make("{days: [sat], hours: 08:00-18:00, closed_on_holidays: CN}")
    weekend = make("{days: [sat, sun], closed_on_holidays: CN}")

    def at_noon(calendar: Calendar, day: str) -> bool:
        return calendar.covers(local(f"{day} 12:00", SHANGHAI), SHANGHAI)

    assert [at_noon(hours, day) for day in ("2026-02-13", "2026-02-14", "2026-02-15", "2026-02-16", "2026-02-24")] == [
        True,
        True,  # a Saturday that makes up for the Friday after
        False,
        False,  # New Year's Eve, a Monday
        True,
    ]
    assert not at_noon(saturday, "2026-02-14")
    assert at_noon(saturday, "2026-02-07")
    assert not at_noon(weekend, "2026-02-14")
    assert at_noon(weekend, "2026-02-15")


def test_holidays_alone_and_of_a_part_of_a_country() -> None:
    epiphany = local("2026-01-06 12:00", BERLIN)
    assert make("only_on_holidays: DE-BY").covers(epiphany, BERLIN)
    assert not make("only_on_holidays: DE").covers(epiphany, BERLIN)
    assert not make("closed_on_holidays: DE-BY").covers(epiphany, BERLIN)


def test_further_workdays_and_closed_days() -> None:
    calendar = make("{days: [mon], closed_on_holidays: CN, workdays: [2026-10-01], closed: [2026-10-12..2026-10-13]}")
    covered = [day for day in range(1, 31) if calendar.covers(local(f"2026-10-{day:02} 12:00", SHANGHAI), SHANGHAI)]
    assert covered == [1, 10, 19, 26]  # 5 October is a holiday; 10 October, a Saturday, makes up for a working day


def test_a_saturday_that_makes_up_counts_for_any_working_day() -> None:
    calendar = make("{days: [wed, sat], closed_on_holidays: CN}")
    assert calendar.covers(local("2026-10-10 12:00", SHANGHAI), SHANGHAI)


def test_dates_of_one_year_of_every_year_and_over_new_year() -> None:
    calendar = make("dates: [2026-01-05..2026-01-06, 12-30..01-02, 02-29]")
    days = [date(2027, 12, 1) + timedelta(days=number) for number in range(120)]
    covered = [day.isoformat() for day in days if calendar.covers(local(f"{day} 12:00", BERLIN), BERLIN)]
    assert covered == ["2027-12-30", "2027-12-31", "2028-01-01", "2028-01-02", "2028-02-29"]
    assert calendar.covers(local("2026-01-06 23:59", BERLIN), BERLIN)
    assert not calendar.covers(local("2026-01-07", BERLIN), BERLIN)


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    night = make("{days: [fri], hours: 22:00-06:00}")
    assert night.covers(local("2026-03-07 05:59", BERLIN), BERLIN)  # a Saturday
    assert not night.covers(local("2026-03-06 05:59", BERLIN), BERLIN)
    assert night.next_change(local("2026-03-06 12:00", BERLIN), BERLIN) == local("2026-03-06 22:00", BERLIN)
    assert night.next_change(local("2026-03-06 23:00", BERLIN), BERLIN) == local("2026-03-07 06:00", BERLIN)


def test_what_never_changes_is_looked_at_again_within_a_week() -> None:
    always = make("{}")
    now = utc("2026-03-01 12:00")
    assert always.next_change(now, SHANGHAI) == now + WEEK
    exactly = make("dates: 2026-03-08")
    assert exactly.next_change(utc("2026-03-01"), ZoneInfo("UTC")) == utc("2026-03-08")


def test_except_takes_the_hours_of_another_calendar_away() -> None:
    calendars = Calendars.model_validate(
        read_yaml(
            """
            calendars:
              work: {hours: 08:00-18:00, except: [lunch, vacation]}
              lunch: {hours: 12:00-13:00}
              vacation: {dates: 07-10..08-25, except: open-day}
              open-day: {dates: 2026-08-01}
            """
        )
    )
    work = calendars.find("work")
    assert calendars.find("work") is work
    assert work.next_change(local("2026-03-02 09:00", BERLIN), BERLIN) == local("2026-03-02 12:00", BERLIN)
    assert work.next_change(local("2026-03-02 12:30", BERLIN), BERLIN) == local("2026-03-02 13:00", BERLIN)
    assert not work.covers(local("2026-07-31 09:00", BERLIN), BERLIN)
    assert work.covers(local("2026-08-01 09:00", BERLIN), BERLIN)
    with pytest.raises(KeyError):
        calendars.find("weekend")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hours: 8-18", "expected hours such as 08:00-18:00, or 22:00-06:00 over midnight, got '8-18'"),
        ("hours: 08:00-25:00", "expected hours such as 08:00-18:00"),
        ("hours: 08:00-08:00", "'08:00-08:00' is no time at all; write 00:00-24:00 for the whole day"),
        ("dates: '2026-13-01'", "there is no day 13-01"),
        ("dates: 2026-02-30..2026-03-01", "there is no day 02-30"),
        ("dates: 2026-01-16..2026-01-05", "ends before it begins"),
        ("dates: 2026-01-16..01-20", "write the year on both sides, or on none"),
        ("dates: July", "expected dates such as 2026-01-05..2026-01-16, or 12-20..01-10 for every year, got 'July'"),
        ("closed_on_holidays: China", "expected a country such as CN"),
        ("closed_on_holidays: XX", "the holidays of 'XX' are not known"),
        ("closed_on_holidays: DE-XX", "DE has no part 'XX' with holidays of its own; it has BB, BE"),
        ("{closed_on_holidays: CN, only_on_holidays: CN}", "expected closed_on_holidays or only_on_holidays, got both"),
        ("days: [monday]", "Input should be 'mon', 'tue'"),
    ],
)
def test_what_is_wrong_is_told(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{a: {except: b}}", "calendars.a.except.0: there is no calendar 'b'; there are a"),
        ("{night: {}, work: {except: nigth}}", "there is no calendar 'nigth'; did you mean night?"),
        (
            "{a: {except: b}, b: {except: c}, c: {except: b}}",
            "calendars.b.except: this leads back to b; leave one of them out",
        ),
    ],
)
def test_calendars_that_refer_to_nothing_or_to_themselves(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Calendars.model_validate({"calendars": read_yaml(text)})
    assert message in str(caught.value)


def test_what_was_read_can_be_written_and_read_again() -> None:
    plan = CalendarPlan.model_validate(
        read_yaml("{hours: [22:00-06:00, 08:00-24:00], dates: [12-20..01-10, 2026-06-01], except: a, days: sat}")
    )
    text = plan.model_dump_json(by_alias=True)
    assert '"22:00-06:00"' in text
    assert '"08:00-24:00"' in text
    assert CalendarPlan.model_validate_json(text) == plan


def test_the_example_is_complete() -> None:
    text = Path("config/calendars.yaml").read_text(encoding="utf-8")
    calendars = Calendars.model_validate(read_yaml(text))
    used = {name for plan in calendars.calendars.values() for name in plan.model_fields_set}
    assert used == set(CalendarPlan.model_fields)
    work = calendars.find("working-hours")
    assert work.covers(local("2026-03-02 09:00", SHANGHAI), SHANGHAI)
    assert not work.covers(local("2026-08-03 09:00", SHANGHAI), SHANGHAI)
