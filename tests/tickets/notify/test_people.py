"""What people and rooms are told, over a real SMTP server and a real HTTP server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.servers import find_free_port, wait_until
from tests.tickets.notify.courierbench import CourierBench, refuse
from tests.tickets.notify.receivers import Answer, HttpServer, MailServer
from tickets.notify.messenger import Messenger, redact
from tickets.tables import OUTBOX


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def bench(tmp_path: Path, server: MailServer) -> Iterator[CourierBench]:
    bench = CourierBench(tmp_path)
    bench.add_mail(server.url)
    yield bench
    bench.courier.close()
    bench.database.close()


def test_who_is_on_duty_is_told_what_where_since_and_by_when(bench: CourierBench, server: MailServer) -> None:
    bench.do("open", "silent")
    bench.tell()
    (mail,) = server.mails
    assert mail.recipients == ["li@campus.test"]
    assert mail.subject == "[P2] W-2026-00001 em-1 gone: opened"
    assert mail.text.split("\n")[:13] == [
        "What: em-1 gone",
        "Where: A, 1F",
        "About: em-1",
        "Since: 2026-03-02 08:00",
        "Value: 260 V (limit 253 V)",
        "Priority: P2",
        "State: new",
        "Respond by: 2026-03-02 09:00",
        "Finish by: 2026-03-02 16:00",
        "Owner: nobody yet",
        "On duty: Li Na",
        "See: https://desk.test/tickets/W-2026-00001",
        "",
    ]
    assert "2026-03-02 08:00 opened" in mail.text
    assert mail.text.rstrip().endswith("Message site-1")


def test_who_is_named_by_an_escalation_is_told(bench: CourierBench, server: MailServer) -> None:
    bench.do("open", "silent")
    bench.tell()
    bench.desk.tick(bench.clock.pass_("1h"))
    bench.tell()
    first, duty, lead = server.mails
    assert [mail.recipients for mail in (duty, lead)] == [["li@campus.test"], ["wang@campus.test"]]
    assert "escalated" not in first.text
    assert "escalated: response 50% of the time has passed" in duty.text
    assert "escalated: response 100% of the time has passed" in duty.text
    assert "escalated: response 50% of the time has passed" not in lead.text


def test_in_chinese(tmp_path: Path, server: MailServer) -> None:
    bench = CourierBench(tmp_path, language="zh")
    bench.add_mail(server.url)
    bench.do("open", "silent", value=270.0)
    bench.tell()
    (mail,) = server.mails
    assert mail.subject == "[P2] W-2026-00001 em-1 gone：创建"
    assert "数值：270 V（限值 253 V）\n优先级：P2\n状态：待受理\n响应时限：2026-03-02 09:00\n" in mail.text
    assert "负责人：暂无\n值班：李娜\n" in mail.text
    bench.database.close()


def test_what_happens_within_a_short_time_is_one_message(bench: CourierBench, server: MailServer) -> None:
    for device in ("em-1", "em-2", "em-3"):
        bench.do("open", "silent", device)
        bench.tell("5s")
    assert server.mails == []
    bench.tell("5s")
    (mail,) = server.mails
    assert mail.subject == "[P2] 3 tickets: em-1 gone and 2 more"
    assert [line for line in mail.text.splitlines() if line.startswith("[P2]")] == [
        f"[P2] W-2026-0000{n} em-{n} gone: opened" for n in (1, 2, 3)
    ]
    assert set(bench.states()) == {"sent"}


def test_what_is_over_the_limit_waits_and_says_how_many_there_are(bench: CourierBench, server: MailServer) -> None:
    for number in range(3):
        bench.do("open", "silent", f"em-{number}")
        bench.tell()
    orders = []
    for number in range(47):
        bench.clock.pass_("1s")
        orders.append(bench.order("open", "silent", f"em-{10 + number}"))
    bench.desk.apply(orders)
    bench.tell("10m")
    assert len(server.mails) == 3
    bench.tell("50m")
    assert server.mails[3].subject == "[P2] 47 tickets: em-10 gone and 46 more"
    assert "and 37 more" in server.mails[3].text
    assert len(server.mails) == 4


def test_priority_1_waits_for_nothing(bench: CourierBench, server: MailServer) -> None:
    for number in range(3):
        bench.do("open", "silent", f"em-{number}")
        bench.tell()
    bench.do("open", "verified", "em-9", severity="critical")
    bench.tell("20s")
    assert [mail.subject[:4] for mail in server.mails] == ["[P2]", "[P2]", "[P2]", "[P1]"]


def test_what_is_over_before_it_could_be_told_is_dropped_or_says_both(bench: CourierBench, server: MailServer) -> None:
    bench.do("open", "plain", "em-1", severity="info")
    bench.do("open", "silent", "em-2")
    bench.clock.pass_("2s")
    bench.do("clear", "plain", "em-1")
    bench.do("clear", "silent", "em-2")
    bench.tell()
    (mail,) = server.mails
    assert mail.subject == "[P2] W-2026-00002 em-2 gone: resolved"
    assert "It is over by now." in mail.text
    assert "State: resolved" in mail.text
    assert bench.states() == ["dropped", "sent", "dropped", "sent"]
    assert bench.courier.dropped == 2


def test_the_owner_is_told_and_not_what_they_did_themselves(bench: CourierBench, server: MailServer) -> None:
    bench.do("open", "waits")
    bench.tell()
    bench.counter.assign("1", "wang", "li", "please look")
    bench.counter.comment("1", "li", "on my way")
    bench.tell()
    assert [mail.recipients for mail in server.mails] == [["li@campus.test"], ["li@campus.test"]]
    assert "assigned to li" in server.mails[1].text
    assert "  Wang Wei: please look" in server.mails[1].text
    assert "on my way" not in server.mails[1].text
    assert "Owner: Li Na" in server.mails[1].text


def test_who_has_no_address_is_noted(bench: CourierBench, server: MailServer) -> None:
    bench.do("open", "waits")
    bench.counter.assign("1", "wang", "zhao")
    bench.tell()
    with bench.database.read() as connection:
        errors = [row.error for row in connection.execute(OUTBOX.select().order_by(OUTBOX.c.event))]
    assert errors == ["", "no address: zhao"]
    assert len(server.mails) == 1


# ── when it does not go through ──────────────────────────────────────────────────────────────────────────────────────


def test_a_server_that_is_down_gets_everything_once_it_is_back(tmp_path: Path) -> None:
    port = find_free_port()
    bench = CourierBench(tmp_path)
    bench.add_mail(f"mailto://127.0.0.1:{port}/?from=desk@campus.test&to={{address}}&mode=insecure")
    bench.do("open", "silent")
    bench.tell()
    assert (bench.courier.failed, bench.states()) == (1, ["waiting"])
    assert str(bench.letters()[0]["error"]).startswith("mail: ")
    bench.do("open", "silent", "em-2")
    bench.tell("1h")
    assert (bench.courier.failed, set(bench.states())) == (2, {"waiting"})
    with MailServer(port) as server:
        bench.tell("2h")
        bench.tell("1m")
        assert server.mails[0].subject == "[P2] W-2026-00001 em-1 gone: opened"
        assert set(bench.states()) == {"sent"}
        assert bench.letters()[0]["tries"] == 2
    bench.database.close()


def test_one_bad_address_holds_up_nobody_else(bench: CourierBench, server: MailServer) -> None:
    server.unknown.add("li@campus.test")
    bench.do("open", "silent")
    bench.tell()
    bench.desk.tick(bench.clock.pass_("1h"))
    bench.tell()
    assert {address for mail in server.mails for address in mail.recipients} == {"wang@campus.test"}
    assert bench.courier.failed
    backlog = bench.courier.backlogs[0]
    assert (backlog.channel, backlog.dead) == ("mail", 0)


def test_what_nobody_takes_is_given_up_and_can_be_seen(bench: CourierBench, server: MailServer) -> None:
    server.unknown.add("li@campus.test")
    bench.do("open", "silent")
    bench.tell()
    bench.tell("2d")
    assert bench.states() == ["waiting"]
    bench.tell("2d")
    assert bench.states() == ["dead"]
    bench.tell("1s")
    assert bench.courier.dead == 1
    assert [(each.channel, each.waiting, each.dead) for each in bench.courier.backlogs] == [("mail", 0, 1)]
    assert bench.courier.backlogs[0].error
    bench.tell("31d")
    bench.tell("1s")
    assert bench.courier.backlogs == []
    assert bench.letters() == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mailto://127.0.0.1/?to=li@campus.test", "mail: expected {address} in its URL; mend the URL or its kind"),
        ("nonsense://{address}", "mail: its URL is none that apprise knows; mend it"),
    ],
)
def test_a_url_that_is_none_is_told(bench: CourierBench, url: str, reason: str) -> None:
    bench.add_mail(url)
    bench.do("open", "silent")
    bench.tell()
    assert [letter["error"] for letter in bench.letters()] == [reason]


def test_a_secret_that_cannot_be_read_is_told_and_read_again(bench: CourierBench, server: MailServer) -> None:
    bench.channels["mail"] = Messenger("mail", refuse("url.txt: no such file"))
    bench.do("open", "silent")
    bench.tell()
    assert bench.letters()[0]["error"] == "mail: url.txt: no such file"
    bench.add_mail(server.url)
    bench.tell("1m")
    assert bench.states() == ["sent"]


def test_a_channel_that_is_gone_holds_nothing(bench: CourierBench) -> None:
    bench.do("open", "silent")
    bench.tell("1s")
    bench.channels.clear()
    bench.tell()
    assert [letter["error"] for letter in bench.letters()] == ["its channel is not in siteward.yaml any more"]


def test_secrets_of_a_url_are_in_no_message(caplog: pytest.LogCaptureFixture, bench: CourierBench) -> None:
    with HttpServer() as server:
        server.answer = lambda post: Answer(500, b"no: " + post.path.encode())
        url = f"json://boss:pass%21word@127.0.0.1:{server.port}/hook/token-4711/{{address}}?:key=s3cr3t-value"
        bench.add_mail(url)
        bench.do("open", "silent")
        bench.tell()
        assert len(server.posts) == 1
    error = str(bench.letters()[0]["error"])
    assert "500" in error
    for secret in ("boss", "pass!word", "pass%21word", "token-4711", "s3cr3t-value"):
        assert secret not in error
        assert secret not in caplog.text


def test_redacting_keeps_the_host() -> None:
    text = "cannot post to http://boss:p%40ss@host.test:8080/hook/T0KEN?key=abcd as boss with p@ss"
    said = redact(text, "json://boss:p%40ss@host.test:8080/hook/T0KEN?key=abcd")
    assert "host.test" in said
    assert not any(secret in said for secret in ("boss", "p%40ss", "p@ss", "T0KEN", "abcd"))


# ── rooms ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_room_is_told_of_its_teams_tickets_in_its_language(bench: CourierBench) -> None:
    with HttpServer() as server:
        url = f"json://127.0.0.1:{server.port}/room"
        mine = frozenset({"electricians"})
        bench.channels["room"] = Messenger("room", lambda: url, room=True, teams=mine, language="zh")
        bench.channels["other"] = Messenger("other", lambda: url, room=True, teams=frozenset({"plumbers"}))
        bench.do("open", "silent")
        bench.counter.acknowledge("1", "li")
        bench.tell()
        bench.do("clear", "silent")
        bench.tell()
        assert [post.document["title"] for post in server.posts] == [
            "[P2] W-2026-00001 em-1 gone：创建",
            "[P2] W-2026-00001 em-1 gone：解决",
        ]


def test_a_room_that_is_new_is_not_told_of_what_is_long_past(bench: CourierBench) -> None:
    bench.do("open", "waits")
    bench.clock.pass_("4d")
    with HttpServer() as server:
        url = f"json://127.0.0.1:{server.port}/room"
        bench.channels["room"] = Messenger("room", lambda: url, room=True)
        bench.tell()
        assert server.posts == []


def test_the_thread_tells_by_itself_and_ends(bench: CourierBench, server: MailServer) -> None:
    bench.do("open", "silent")
    bench.clock.pass_("1m")
    bench.courier.start()
    wait_until(lambda: bench.courier.sent == 1)
    bench.courier.stop()
    assert not bench.courier.is_alive()
    assert len(server.mails) == 1
