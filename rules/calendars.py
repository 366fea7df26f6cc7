"""Calendars: when a place works, when it is closed, when it is night; in the site's time zone, over both DST nights."""

from zoneinfo import ZoneInfo

from pydantic import Field

from devices.register import Identifier, Model, Text


class Calendar(Model):
    """When something holds."""

    name: Text = Field(Text(), description="What people call it.")

    def covers(self, time: int, zone: ZoneInfo) -> bool:
        """Whether it holds at a moment (UTC ns)."""
        raise NotImplementedError

    def next_change(self, time: int, zone: ZoneInfo) -> int:
        """The first moment (UTC ns) after `time` at which `covers` may answer otherwise; no more than a week later."""
        raise NotImplementedError


class Calendars(Model):
    """config/calendars.yaml."""

    calendars: dict[Identifier, Calendar] = Field(default_factory=dict)

    def find(self, name: str) -> Calendar:
        """The calendar of a name.

        Raises:
            KeyError: there is none; rules that name one are checked when they are read.
        """
        return self.calendars[name]
