"""What doctor learns about notifications: channels that cannot be used, people without address, and what waits."""

import time
from collections.abc import Iterator, Mapping

from collector.configuration import Configuration
from collector.desklook import look_at_desk
from collector.notifying import make_outfit
from collector.store import Finding
from devices.durations import NANOSECONDS, format_duration
from tickets.errors import TicketsError
from tickets.notify.errors import NotDelivered
from tickets.notify.letterbook import Backlog, count_letters
from tickets.notify.messenger import Messenger
from tickets.notify.sorting import Channel

_LONGEST_WAIT = 2 * NANOSECONDS["h"]
"""The rate limit holds messages back for an hour."""


def check_telling(configuration: Configuration) -> Iterator[Finding]:
    """Findings; nobody is sent anything, and nothing is changed.

    Raises:
        CollectorError: the password of the desk's database cannot be read.
    """
    channels = make_outfit(configuration).channels
    for name, channel in channels.items():
        try:
            channel.check()
        except NotDelivered as error:
            yield Finding(f"channel {name}", good=False, message=str(error))
        else:
            yield Finding(f"channel {name}", good=True, message="its secret can be read and used")
    if channels:
        yield from _check_people(configuration, channels)
    yield from _check_backlogs(configuration)


def _check_people(configuration: Configuration, channels: Mapping[str, Channel]) -> Iterator[Finding]:
    personal = {name for name, channel in channels.items() if isinstance(channel, Messenger) and not channel.room}
    rooms = len(channels) - len(personal)
    silent = [id_ for id_, person in configuration.desk.people.items() if not person.contacts.keys() & personal]
    if silent and not rooms:
        message = f"{', '.join(silent)}: without an address, so they are told nothing; give `contacts` in desk.yaml"
        yield Finding("people", good=False, message=message)


def _check_backlogs(configuration: Configuration) -> Iterator[Finding]:
    database = look_at_desk(configuration)
    if database is None:
        return
    try:
        with database.read() as connection:
            backlogs = count_letters(connection, configuration.settings.site.id)
    except TicketsError as error:
        yield Finding("notifications", good=False, message=str(error))
        return
    finally:
        database.close()
    now = time.time_ns()
    for backlog in backlogs:
        yield _judge(backlog, now)
    if not backlogs:
        yield Finding("notifications", good=True, message="nothing waits, and nothing was given up")


def _judge(backlog: Backlog, now: int) -> Finding:
    age = 0 if backlog.oldest_at is None else now - backlog.oldest_at
    message = f"{backlog.waiting} wait, the oldest for {format_duration(age)}" if backlog.waiting else "nothing waits"
    if backlog.dead:
        message += f"; {backlog.dead} were given up, nobody was told: look at these tickets"
    if backlog.error:
        message += f"; {backlog.error}"
    return Finding(
        f"notifications by {backlog.channel}", good=not backlog.dead and age < _LONGEST_WAIT, message=message
    )
