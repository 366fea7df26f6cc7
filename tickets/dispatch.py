"""Dispatch: whose work a ticket is, how much it matters, and what is promised for it."""

from typing import NamedTuple
from zoneinfo import ZoneInfo

from rules.calendars import Calendars
from tickets.deskplan import DeskPlan
from tickets.duty import find_on_duty
from tickets.priority import PRIORITIES, Impact, Urgency, raise_impact
from tickets.servicelevels import AllHours, Hours, TeamHours


class Promise(NamedTuple):
    """What follows from impact and urgency; the names are those of `tickets.ticket.Ticket`."""

    impact: Impact
    urgency: Urgency
    priority: int
    response_within: int | None
    resolution_within: int | None
    hours: str


class Dispatch:
    """The plan, applied.

    Attributes:
        plan: of the desk.
    """

    def __init__(self, plan: DeskPlan, calendars: Calendars, zone: ZoneInfo) -> None:
        self.plan, self._calendars, self._zone = plan, calendars, zone

    def find_team(self, category: str, place: str) -> str:
        """Id of the team whose work it is; "" where nobody's is.

        Args:
            category: of desk.yaml.
            place: ids from the building down, joined with `/`; may be "".
        """
        named = (route.team for route in self.plan.routing if route.team and route.fits(category, place))
        return next(named, self.plan.category(category).team)

    def find_impact(self, category: str, place: str) -> Impact:
        """The category's impact, raised by the route that raises it most."""
        routes = (route.raise_impact for route in self.plan.routing if route.fits(category, place))
        return raise_impact(self.plan.category(category).impact, steps=max(routes, default=0))

    def find_on_duty(self, team: str, time: int) -> str:
        """Id of who is asked first at a moment (UTC ns); may be ""."""
        return find_on_duty(self.plan, team, time, self._zone)

    def promise(self, impact: Impact, urgency: Urgency, team: str) -> Promise:
        """Priority and service level."""
        priority = self.plan.matrix[impact][urgency]
        level = self.plan.service_level(priority)
        calendar = self.plan.teams[team].calendar if team in self.plan.teams and level.hours == "team" else ""
        number = PRIORITIES.index(priority) + 1
        return Promise(impact, urgency, number, level.respond_within, level.resolve_within, calendar)

    def hours(self, calendar: str) -> Hours:
        """The time that counts; all of it where the calendar is "" or not there any more."""
        known = calendar in self._calendars.calendars
        return TeamHours(self._calendars, calendar, self._zone) if known else AllHours()
