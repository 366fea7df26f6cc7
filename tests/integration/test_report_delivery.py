"""Reports by mail: made by a process of their own, sent to a real SMTP server, once, and again where it was away."""

import re
import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pypdfium2
import pytest
from typer.testing import CliRunner

from collector.commands.report import app
from collector.configuration import Configuration
from collector.reports.deliverybook import FOLDER
from collector.reports.posting import post_due
from collector.reports.postman import Postman
from devices.durations import NANOSECONDS
from tests.integration.servers import find_free_port, wait_until
from tests.reportsite import ReportSite, meter
from tests.tickets.notify.receivers import HttpServer, MailServer

_FIGURE = re.compile("Electricity: 2[345] kWh")
"""A day of 1 kW, also on the nights on which clocks are changed."""

HOUR, DAY = NANOSECONDS["h"], NANOSECONDS["d"]


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


def furnish(folder: Path, *deliveries: dict[str, object], mail: str, room: str = "json://127.0.0.1:9") -> Configuration:
    """A site with electricity of last week, and people who are sent reports of it."""
    secrets = folder / "secrets"
    secrets.mkdir()
    (secrets / "mail").write_text(mail, encoding="utf-8")
    (secrets / "room").write_text(room, encoding="utf-8")
    channels = {
        "mail": {"kind": "personal", "url_file": str(secrets / "mail")},
        "managers": {"kind": "room", "url_file": str(secrets / "room")},
    }
    people = {
        "li": {"contacts": {"mail": "li@campus.test"}},
        "wang": {"contacts": {"mail": "wang@campus.test"}},
    }
    site = ReportSite(
        folder,
        [meter("em-1")],
        files={"desk": {"people": people}, "reports": {"deliveries": list(deliveries)}},
        notify={"channels": channels},
    )
    today = datetime.now(site.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    site.run("em-1", f"{today - timedelta(days=3):%Y-%m-%d}", f"{today:%Y-%m-%d}", 0.25)
    site.store.close()
    return site.configuration


def owe(configuration: Configuration, back: int = 0) -> None:
    """As if everybody had last been sent a report five days ago, and nothing had failed since."""
    with sqlite3.connect(configuration.settings.data_dir / FOLDER / "deliveries.db") as book:
        book.execute("UPDATE delivery SET told_until = told_until - ?, retry_at = 0", (5 * DAY + back,))


def attachment(message: EmailMessage) -> tuple[str | None, bytes]:
    (part,) = message.iter_attachments()
    content = part.get_content()
    return part.get_filename(), content if isinstance(content, bytes) else content.encode()


def test_the_report_comes_as_an_attachment_with_its_figures_in_the_text(tmp_path: Path, server: MailServer) -> None:
    configuration = furnish(
        tmp_path, {"report": "energy", "every": "day", "at": "00:00", "to": ["li", "wang"]}, mail=server.url
    )
    assert post_due(configuration) == 0
    assert server.mails == []  # they are new: theirs is the next one
    owe(configuration)
    assert post_due(configuration) == 0
    assert [mail.recipients for mail in server.mails] == [["li@campus.test"], ["wang@campus.test"]]
    day = (datetime.now(configuration.settings.site.zone) - timedelta(days=1)).date()
    mail = server.mails[0]
    assert mail.subject == f"Energy report {day} · site"
    assert _FIGURE.search(mail.text)
    assert "The whole report is attached." in mail.text
    name, content = attachment(mail.message)
    assert name == f"site-energy-{day}.pdf"
    assert f"Energy report {day}" in pypdfium2.PdfDocument(content)[0].get_textpage().get_text_range()
    assert (configuration.settings.data_dir / FOLDER / str(name)).read_bytes() == content
    assert post_due(configuration) == 0
    assert len(server.mails) == 2  # no report twice


def test_what_one_recipient_was_sent_is_not_sent_again_because_another_failed(
    tmp_path: Path, server: MailServer
) -> None:
    configuration = furnish(
        tmp_path,
        {"report": "energy", "every": "day", "at": "00:00", "format": "csv", "language": "zh", "to": ["li", "wang"]},
        mail=server.url,
    )
    post_due(configuration)
    owe(configuration)
    server.unknown.add("wang@campus.test")
    assert post_due(configuration) == 1
    assert post_due(configuration) == 0  # it is not time to try again
    server.unknown.clear()
    later = time.time_ns() + HOUR
    assert post_due(configuration, lambda: later) == 0
    assert [mail.recipients for mail in server.mails] == [["li@campus.test"], ["wang@campus.test"]]
    assert "完整报告见附件。" in server.mails[1].text
    assert attachment(server.mails[1].message)[0] == attachment(server.mails[0].message)[0]


def test_a_room_that_takes_no_files_is_told_where_the_report_lies(tmp_path: Path) -> None:
    with HttpServer() as room:
        configuration = furnish(
            tmp_path,
            {"report": "energy", "every": "day", "at": "00:00", "format": "csv", "to": "managers"},
            mail="",
            room=f"mmost://127.0.0.1:{room.port}/token123456",  # Mattermost, which takes text alone
        )
        post_due(configuration)
        owe(configuration)
        assert post_due(configuration) == 0
        (post,) = room.posts
    assert _FIGURE.search(post.body.decode())
    assert "The whole report lies on the gateway" in post.body.decode()


def test_what_nobody_takes_for_days_is_given_up(tmp_path: Path) -> None:
    nobody = f"mailto://127.0.0.1:{find_free_port()}/?from=desk@campus.test&to={{address}}&mode=insecure"
    configuration = furnish(tmp_path, {"report": "energy", "every": "month", "format": "csv", "to": "li"}, mail=nobody)
    post_due(configuration)
    owe(configuration, 40 * DAY)
    now = time.time_ns()
    assert post_due(configuration, lambda: now) == 1
    assert post_due(configuration, lambda: now + 4 * DAY) == 1
    assert post_due(configuration, lambda: now + 5 * DAY) == 0


def test_the_daemon_has_it_made_and_sent_by_another_process(tmp_path: Path, server: MailServer) -> None:
    delivery: dict[str, object] = {"report": "energy", "every": "day", "at": "00:00", "format": "html", "to": "li"}
    configuration = furnish(tmp_path, delivery, mail=server.url)
    postman = Postman(configuration)
    postman.step(time.time_ns())
    owe(configuration)
    try:
        wait_until(lambda: _has_come(postman, server), 60)
        wait_until(lambda: not _is_owed(configuration), 60)
    finally:
        postman.stop()
    assert len(server.mails) == 1


def test_a_process_that_is_under_way_ends_with_the_daemon(tmp_path: Path, server: MailServer) -> None:
    delivery: dict[str, object] = {"report": "energy", "every": "day", "at": "00:00", "to": "li"}
    configuration = furnish(tmp_path, delivery, mail=server.url)
    postman = Postman(configuration)
    postman.step(time.time_ns())
    owe(configuration)
    postman.step(time.time_ns())
    process = postman._process
    assert process is not None
    postman.stop()
    assert process.poll() is not None
    postman.step(time.time_ns())
    assert postman._process is process  # nothing is begun any more


def test_the_command_says_by_its_exit_code_whether_all_were_sent(tmp_path: Path, server: MailServer) -> None:
    delivery: dict[str, object] = {"report": "energy", "every": "day", "at": "00:00", "format": "csv", "to": "li"}
    configuration = furnish(tmp_path, delivery, mail=server.url)
    words = ["deliver", "-c", str(configuration.folder)]
    assert CliRunner().invoke(app, words).exit_code == 0
    owe(configuration)
    server.unknown.add("li@campus.test")
    assert CliRunner().invoke(app, words).exit_code == 1
    owe(configuration)
    server.unknown.clear()
    assert CliRunner().invoke(app, words).exit_code == 0
    assert len(server.mails) == 1


def _has_come(postman: Postman, server: MailServer) -> bool:
    postman.step(time.time_ns())
    return bool(server.mails)


def _is_owed(configuration: Configuration) -> bool:
    """Whether the sender has not yet written down that it sent."""
    with sqlite3.connect(configuration.settings.data_dir / FOLDER / "deliveries.db") as book:
        days_ago = (time.time_ns() - 2 * DAY,)
        return book.execute("SELECT 1 FROM delivery WHERE told_until < ?", days_ago).fetchone() is not None
