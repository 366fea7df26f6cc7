"""Deliveries: which reports go to whom, and when: a part of reports.yaml, and the time at which each is due. Pure."""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, time
from typing import Annotated, Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from collector.crosscheck import miss
from collector.reports.period import Period, parse_period
from collector.settings import Notify, RoomChannel
from devices.clashes import Clash
from devices.register import Identifier, Model
from rules.localtime import find_moment
from rules.selection import OneOrMore
from tickets.deskplan import DeskPlan

ReportName: TypeAlias = Literal["energy", "water", "access", "service", "carbon"]

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_DAY_MIN = 24 * 60


def _read_clock(value: object) -> object:
    if isinstance(value, int) and 0 <= value < _DAY_MIN:  # YAML takes 10:30 without quotes for 630
        return time(*divmod(value, 60))
    match = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"expected a time of the day such as 07:00, got {value!r}")
    return time(int(match[1]), int(match[2]))


Clock: TypeAlias = Annotated[
    time,
    BeforeValidator(_read_clock),
    PlainSerializer(lambda clock: f"{clock:%H:%M}", when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^([01]?\d|2[0-3]):[0-5]\d$", "examples": ["07:00"]}),
]
"""A time of the day."""


class Delivery(Model):
    """A report that is sent after the end of each period."""

    report: ReportName = Field(description="energy, water, access, service or carbon.")
    every: Literal["day", "week", "month", "quarter", "year"] = Field(
        description="The period that it is about; it is sent on the first day after it."
    )
    at: Clock = Field(time(7), description="Local time on that day.")
    format: Literal["html", "pdf", "xlsx", "csv"] = Field("pdf", description="Of the file.")
    language: Literal["en", "zh"] | None = Field(None, description="Left out: the site's.")
    to: OneOrMore[Identifier] = Field(
        description="People of desk.yaml, by their contacts, or rooms of siteward.yaml's `notify`."
    )

    def find_latest(self, zone: ZoneInfo, now: int) -> Period:
        """The last period whose report is due at a moment (UTC ns)."""
        period = parse_period(f"last-{self.every}", zone, now)
        due = find_moment(datetime.combine(period.after, self.at), zone)
        return period if due <= now else period.before()

    def key(self, recipient: str) -> str:
        """What tells what one of them is sent from everything else that is."""
        return "/".join((self.report, self.every, self.format, self.language or "-", recipient))


class Due(NamedTuple):
    """One report for one recipient.

    Attributes:
        delivery: that it is of.
        recipient: a person or a room.
        period: that it is about.
    """

    delivery: Delivery
    recipient: str
    period: Period

    @property
    def key(self) -> str:
        """See `Delivery.key`."""
        return self.delivery.key(self.recipient)


def list_latest(deliveries: Sequence[Delivery], zone: ZoneInfo, now: int) -> Iterator[Due]:
    """The last report that each recipient was to have by a moment (UTC ns), whether it was sent or not.

    Who was away for three months is sent the last of the reports, not all of them.
    """
    for delivery in deliveries:
        period = delivery.find_latest(zone, now)
        for recipient in delivery.to:
            yield Due(delivery, recipient, period)


def find_delivery_clashes(deliveries: Sequence[Delivery], plan: DeskPlan, notify: Notify) -> Iterator[Clash]:
    """Recipients whom nothing reaches.

    Args:
        deliveries: of reports.yaml.
        plan: has the people.
        notify: has the channels.
    """
    rooms = {name for name, channel in notify.channels.items() if isinstance(channel, RoomChannel)}
    known: Collection[str] = {*plan.people, *rooms}
    for number, delivery in enumerate(deliveries):
        for place, recipient in enumerate(delivery.to):
            path = ("deliveries", number, "to", place)
            if recipient not in known:
                yield Clash(path, miss("person or room", recipient, known))
            elif recipient not in rooms and not plan.people[recipient].contacts:
                yield Clash(path, f"{recipient!r} has no contacts in desk.yaml, so that nothing can be sent")
