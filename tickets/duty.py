"""Duty: who is asked first, by the weekly rota, its hours and its substitutes."""

from datetime import UTC, date, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

from rules.calendars import Weekday
from tickets.deskplan import DeskPlan, Shift

_WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
_DAY_MIN = 24 * 60


def find_on_duty(plan: DeskPlan, team: str, time: int, zone: ZoneInfo) -> str:
    """Who is on duty for a team at a moment.

    Args:
        plan: of the desk.
        team: id.
        time: UTC ns.
        zone: of the site; shifts are in local time.

    Returns:
        Id of a person; the team's lead where no shift covers the moment, "" where it has none.
    """
    local = datetime.fromtimestamp(time // 1_000_000_000, UTC).astimezone(zone)
    minute = local.hour * 60 + local.minute
    for shift in plan.duty:
        begun = _find_begin(shift, local.date(), minute) if shift.team == team else None
        if begun is not None:
            return _replace(plan, _whose_turn(shift, begun), local.date())
    lead = plan.teams[team].lead if team in plan.teams else ""
    return _replace(plan, lead, local.date())


def _find_begin(shift: Shift, today: date, minute: int) -> date | None:
    """The day on which the shift that covers a minute of today began."""
    for days_ago in (0, 1):
        day = today - timedelta(days=days_ago)
        if (
            shift.hours.begin <= minute + days_ago * _DAY_MIN < shift.hours.end
            and _WEEKDAYS[day.weekday()] in shift.days
        ):
            return day
    return None


def _whose_turn(shift: Shift, day: date) -> str:
    """People take turns by calendar weeks, counted from the week of `since`."""
    weeks = (_monday(day) - _monday(shift.since)).days // len(_WEEKDAYS)
    return shift.people[weeks % len(shift.people)]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _replace(plan: DeskPlan, person: str, day: date) -> str:
    """Who stands in for a person on a day; substitutes may have substitutes."""
    asked = {person}
    while True:
        found = next(
            (s.by for s in plan.substitutes if s.absent == person and any(day in dates for dates in s.dates)), None
        )
        if found is None or found in asked:
            return person
        asked.add(found)
        person = found
