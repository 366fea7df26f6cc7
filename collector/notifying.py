"""Makes the courier of a configuration: its channels, with secrets that are read when they are used."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from collector import secrets
from collector.configuration import Configuration
from collector.deskopening import make_desk, open_desk_database
from collector.errors import CollectorError
from collector.settings import Channel, WebhookChannel
from tickets.desk import Desk
from tickets.errors import DatabaseError
from tickets.notify import sorting
from tickets.notify.courier import Courier, Outfit
from tickets.notify.messenger import Messenger
from tickets.notify.pacing import Pace
from tickets.notify.webhook import Webhook


def make_courier(configuration: Configuration, clock: Callable[[], int] = time.time_ns) -> Courier:
    """The courier of a configuration; nothing is opened yet."""
    return Courier(partial(_open_desk, configuration, clock), make_outfit(configuration))


def change_courier(courier: Courier, configuration: Configuration, clock: Callable[[], int] = time.time_ns) -> None:
    """Lets a courier go on with a changed configuration."""
    courier.use(partial(_open_desk, configuration, clock), make_outfit(configuration))


def make_outfit(configuration: Configuration) -> Outfit:
    """What the settings say of telling."""
    notify = configuration.settings.notify
    return Outfit(
        {name: _make_channel(name, channel) for name, channel in notify.channels.items()},
        Pace(notify.gather, notify.most_per_hour, notify.give_up_after),
        configuration.settings.site.language,
        notify.link,
    )


def _open_desk(configuration: Configuration, clock: Callable[[], int]) -> Desk:
    try:
        database = open_desk_database(configuration)
    except CollectorError as error:
        raise DatabaseError(str(error)) from error
    try:
        return make_desk(configuration, database, clock)
    except DatabaseError:
        database.close()
        raise


def _make_channel(name: str, channel: Channel) -> sorting.Channel:
    if isinstance(channel, WebhookChannel):
        return Webhook(
            name,
            channel.url,
            _reader(name, channel.secret_file),
            answer=channel.answer,
            ca_file=str(channel.ca_file) if channel.ca_file else None,
            timeout=channel.timeout,
        )
    read_url = _reader(name, channel.url_file)
    if channel.kind == "room":
        return Messenger(name, read_url, room=True, teams=frozenset(channel.teams), language=channel.language)
    return Messenger(name, read_url)


def _reader(name: str, path: Path | None) -> Callable[[], str]:
    """Reads a channel's secret, anew each time."""
    return partial(secrets.notify_secret, name, path)
