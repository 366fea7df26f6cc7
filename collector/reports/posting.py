"""Posting: makes the reports that are due, keeps them in data_dir/reports, and sends them."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import structlog

from collector import secrets
from collector.configuration import Configuration
from collector.errors import CollectorError
from collector.reports.delivery import Due, list_latest
from collector.reports.deliverybook import DeliveryBook
from collector.reports.document import Report
from collector.reports.formats.show import show_comparisons, show_days, show_value
from collector.reports.printing import make_report, name_file, print_report
from collector.reports.wording import Words
from collector.settings import PersonalChannel, RoomChannel
from tickets.errors import TicketsError
from tickets.notify.errors import NotDelivered
from tickets.notify.messenger import Message, Messenger

log = structlog.get_logger()

_FAILURES = (CollectorError, TicketsError, OSError)


class _Address(NamedTuple):
    """Where a report goes: a channel, and the person's address there; "" for a room."""

    messenger: Messenger
    address: str


class _Printed(NamedTuple):
    """A report, and where its file lies."""

    report: Report
    file: Path


def post_due(configuration: Configuration, clock: Callable[[], int] = time.time_ns) -> int:
    """Sends what is due.

    Args:
        configuration: of the site.
        clock: gives now, UTC ns.

    Returns:
        How many could not be sent, and will be tried again.

    Raises:
        sqlite3.Error, OSError: the book cannot be used.
    """
    settings, now = configuration.settings, clock()
    printed: dict[Path, _Printed] = {}
    failed = 0
    with DeliveryBook(settings.data_dir) as book:
        for due in book.list_due(list_latest(configuration.reports.deliveries, settings.site.zone, now), now):
            try:
                file = book.folder / _name(configuration, due)
                if file not in printed:
                    printed[file] = _print(configuration, due, file, now)
                _send(configuration, due, printed[file])
            except _FAILURES as error:
                failed += 1
                tried = book.postpone(due, str(error), clock())
                log.warning("a report could not be sent", report=due.key, period=str(due.period), error=str(error))
                if tried >= settings.notify.give_up_after:
                    book.settle(due)
                    log.error("a report is given up", report=due.key, period=str(due.period))  # noqa: TRY400 - for people
            else:
                book.settle(due)
                log.info("report sent", report=due.key, period=str(due.period))
    return failed


def _name(configuration: Configuration, due: Due) -> str:
    delivery = due.delivery
    name = name_file(configuration, delivery.report, due.period, delivery.format)
    return f"{delivery.language}-{name}" if delivery.language else name


def _print(configuration: Configuration, due: Due, file: Path, now: int) -> _Printed:
    delivery = due.delivery
    language = delivery.language or configuration.settings.site.language
    report = make_report(configuration, delivery.report, due.period, language, now)
    print_report(report, delivery.format, file)
    return _Printed(report, file)


def _send(configuration: Configuration, due: Due, printed: _Printed) -> None:
    """To the first of a person's contacts that takes files, else to the first, which is told where the file lies.

    Raises:
        NotDelivered: it was not taken.
    """
    addresses = list(_find_addresses(configuration, due.recipient))
    if not addresses:
        raise NotDelivered(f"{due.recipient}: nobody of this name has contacts any more")
    messenger, address = next((each for each in addresses if each.messenger.takes_files(each.address)), addresses[0])
    files = [printed.file] if messenger.takes_files(address) else []
    messenger.send(_word(printed, has_file=bool(files)), address, files)


def _find_addresses(configuration: Configuration, recipient: str) -> Iterator[_Address]:
    channels = configuration.settings.notify.channels
    channel = channels.get(recipient)
    if isinstance(channel, RoomChannel):
        yield _Address(Messenger(recipient, _reader(recipient, channel.url_file), room=True), "")
    person = configuration.desk.people.get(recipient)
    for name, address in person.contacts.items() if person else ():
        contact = channels.get(name)
        if isinstance(contact, PersonalChannel):
            yield _Address(Messenger(name, _reader(name, contact.url_file)), address)


def _reader(name: str, path: Path | None) -> Callable[[], str]:
    """Reads a channel's secret when it is used."""
    return partial(secrets.notify_secret, name, path)


def _word(printed: _Printed, *, has_file: bool) -> Message:
    """The first section in words and figures: who reads on a phone need not open the file."""
    report, say = printed.report, Words(printed.report.language)
    summary = report.sections[0]
    lines = [f"{report.title} · {report.site} · {show_days(report, say)}", "", *filter(None, summary.paragraphs), ""]
    for figure in summary.figures:
        unit = f" {figure.unit}" if figure.unit and figure.value is not None else ""
        against = [text for text, _ in show_comparisons(figure, say)]
        lines.append(f"{figure.label}: {show_value(figure)}{unit}" + (f" ({say.join(against)})" if against else ""))
    where = say("format.attached") if has_file else say("format.lies", file=printed.file)
    return Message(f"{report.title} · {report.site}", "\n".join([*lines, "", where]))
