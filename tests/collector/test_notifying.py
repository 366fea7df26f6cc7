"""From the settings to channels: what may stand there, where secrets come from, and what doctor says of it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.checks.telling import check_telling
from collector.configuration import Configuration, load
from collector.deskopening import open_desk_database
from collector.folder import ConfigurationError
from collector.notifying import change_courier, make_courier, make_outfit
from tests.deskbench import Bench
from tests.integration.servers import wait_until
from tests.sites import write_site
from tests.tickets.notify.courierbench import PLAN, SECRET
from tests.tickets.notify.receivers import Answer, HttpServer, MailServer
from tickets.notify.messenger import Messenger
from tickets.notify.webhook import Webhook


def read(folder: Path, channels: dict[str, Any], desk: dict[str, Any] | None = None, **notify: Any) -> Configuration:  # noqa: ANN401 - settings of every type
    config = write_site(folder, notify={"channels": channels, **notify})
    (config / "desk.yaml").write_text(yaml.safe_dump(desk or {}), encoding="utf-8")
    return load(config)


def test_channels_are_made_with_secrets_from_files_beside_the_settings(tmp_path: Path) -> None:
    with MailServer() as mail:
        channels = {"mail": {"kind": "personal", "url_file": "secrets/mail.url"}}
        configuration = read(tmp_path, channels, PLAN, gather="5s")
        (tmp_path / "config" / "secrets").mkdir()
        (tmp_path / "config" / "secrets" / "mail.url").write_text(f"{mail.url}\n", encoding="utf-8")
        outfit = make_outfit(configuration)
        channel = outfit.channels["mail"]
        assert isinstance(channel, Messenger)
        channel.check()
        assert mail.mails == []
        assert (outfit.pace.gather, outfit.language, outfit.link) == (5 * 10**9, "en", "")


def test_secrets_come_from_the_environment_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    channels = {"work-orders": {"kind": "webhook", "url": "https://cmms.test/hook", "secret_file": "absent"}}
    outfit = make_outfit(read(tmp_path, channels))
    monkeypatch.setenv("SITEWARD_NOTIFY_WORK_ORDERS", SECRET)
    channel = outfit.channels["work-orders"]
    assert isinstance(channel, Webhook)
    channel.check()


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        ({"kind": "webhook", "url": "ftp://x"}, "expected https://HOST/PATH, got 'ftp://x'"),
        ({"kind": "webhook", "url": "https://u:p@x"}, "leave user name and password out; messages are signed"),
        ({"kind": "webhook", "url": "http://x", "ca_file": "ca.pem"}, "ca_file needs https://"),
        ({"kind": "webhook", "url": "https://x", "answer": "a["}, "expected a JMESPath such as workOrder.number"),
        ({"kind": "webhook", "url": "https://x", "timeout": "0s"}, "expected more than 0, got '0s'"),
        ({"kind": "room", "url": "slack://secret"}, "url: secrets are read from files, never from here (use url_file)"),
        ({"kind": "personal", "teams": ["a"]}, "unknown key 'teams'"),
    ],
)
def test_wrong_channels_are_told(tmp_path: Path, channel: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, {"one": channel})
    (problem,) = caught.value.problems
    assert message in str(problem)


@pytest.mark.parametrize(
    ("notify", "message"),
    [
        ({"link": "https://desk/tickets"}, "expected an address such as https://desk/tickets/{number}"),
        ({"gather": "4d"}, "must be longer than gather"),
    ],
)
def test_wrong_settings_are_told(tmp_path: Path, notify: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=r"siteward\.yaml") as caught:
        read(tmp_path, {}, **notify)
    assert message in str(caught.value)


def test_the_courier_of_a_site_tells_and_takes_over_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HttpServer() as first, HttpServer() as second:
        first.answer = second.answer = lambda _: Answer(200, b'{"id": 7}')
        monkeypatch.setenv("SITEWARD_NOTIFY_CMMS", SECRET)
        urls = [f"http://127.0.0.1:{server.port}/" for server in (first, second)]
        one, other = (read(tmp_path, {"cmms": {"kind": "webhook", "url": url, "answer": "id"}}) for url in urls)
        bench = Bench(open_desk_database(one), PLAN)
        courier = make_courier(one, bench.clock)
        courier.start()
        bench.do("open", "silent")
        wait_until(lambda: len(first.posts) == 1)
        change_courier(courier, other, bench.clock)
        bench.do("open", "silent", "em-2")
        wait_until(lambda: len(second.posts) == 1)
        courier.stop()
        bench.database.close()
    assert len(first.posts) == 1


def test_doctor_sees_channels_people_and_what_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    channels = {
        "mail": {"kind": "personal", "url_file": "absent.url"},
        "cmms": {"kind": "webhook", "url": "http://127.0.0.1:9/", "answer": "id"},
    }
    people = {"li": {"contacts": {"mail": "li@campus.test"}}, "zhao": {}}
    configuration = read(tmp_path, channels, {"people": people})
    monkeypatch.setenv("SITEWARD_NOTIFY_CMMS", SECRET)
    found = {finding.subject: finding for finding in check_telling(configuration)}
    assert {subject: finding.good for subject, finding in found.items()} == {
        "channel mail": False,
        "channel cmms": True,
    }
    assert "absent.url: cannot read the secret" in found["channel mail"].message
    bench = Bench(open_desk_database(configuration), PLAN)  # its clock is long ago
    courier = make_courier(configuration, bench.clock)
    bench.do("open", "silent")
    courier.step()
    late = {finding.subject: finding for finding in check_telling(configuration)}["notifications by cmms"]
    assert not late.good
    assert late.message.startswith("1 wait, the oldest for ")
    assert late.message.endswith("cmms: it cannot be reached: Connection refused")
    courier.close()
    bench.database.close()


def test_doctor_sees_who_can_be_told_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    channels = {"mail": {"kind": "personal"}}
    configuration = read(tmp_path, channels, {"people": {"li": {}, "wang": {"contacts": {"mail": "w@campus.test"}}}})
    monkeypatch.setenv("SITEWARD_NOTIFY_MAIL", "mailto://127.0.0.1/?from=desk@campus.test&to={address}")
    findings = list(check_telling(configuration))
    assert [(finding.subject, finding.good) for finding in findings] == [("channel mail", True), ("people", False)]
    assert findings[1].message.startswith("li: without an address")


def test_doctor_says_that_nothing_waits(tmp_path: Path) -> None:
    configuration = read(tmp_path, {})
    open_desk_database(configuration).close()
    (finding,) = check_telling(configuration)
    assert (finding.good, finding.message) == (True, "nothing waits, and nothing was given up")
