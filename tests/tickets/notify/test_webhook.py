"""What an outside system is told, and what it answers, over a real HTTP server."""

import hmac
import socket
import ssl
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.integration.certificates import Authority
from tests.integration.servers import find_free_port
from tests.tickets.notify.courierbench import SECRET, CourierBench, read_secret, refuse
from tests.tickets.notify.receivers import Answer, HttpServer, Post
from tickets.notify import courier
from tickets.notify.errors import NotDelivered
from tickets.notify.messenger import Messenger
from tickets.notify.webhook import Webhook, decode_secret, sign


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as server:
        server.answer = lambda _: Answer(201, b'{"workOrder": {"number": 4711}}')
        yield server


@pytest.fixture
def bench(tmp_path: Path, server: HttpServer) -> Iterator[CourierBench]:
    bench = CourierBench(tmp_path)
    bench.channels["cmms"] = webhook(server.port)
    yield bench
    bench.courier.close()
    bench.database.close()


def webhook(port: int, timeout: int = 5_000_000_000) -> Webhook:
    return Webhook("cmms", f"http://127.0.0.1:{port}/hook", read_secret, answer="workOrder.number", timeout=timeout)


def is_signed(post: Post) -> bool:
    """As an outside system would look, by the specification."""
    content = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.body
    expected = hmac.digest(b64decode(SECRET.removeprefix("whsec_")), content, "sha256")
    return post.headers["webhook-signature"] == "v1," + b64encode(expected).decode()


def data(post: Post) -> dict[str, Any]:
    return cast("dict[str, Any]", post.document["data"])


def test_the_signature_is_that_of_the_specification() -> None:
    # the example of https://github.com/standard-webhooks/standard-webhooks (spec, and its libraries' tests)
    secret = decode_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ("short", "expected a secret of at least 16 bytes, got 5"),
        ("whsec_*", "expected Base64 after whsec_ in the secret"),
        ("whsec_AAAA", "expected a secret of at least 16 bytes, got 3"),
    ],
)
def test_a_secret_that_is_none_is_told_and_not_shown(secret: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode_secret(secret)


def test_a_ticket_is_handed_over_and_gets_its_work_order_number(bench: CourierBench, server: HttpServer) -> None:
    bench.do("open", "silent")
    bench.tell("1s")
    (post,) = server.posts
    assert is_signed(post)
    assert post.headers["webhook-id"] == "site-1"
    assert post.headers["content-type"] == "application/json"
    assert post.document["type"] == "ticket.changed"
    assert post.document["timestamp"] == "2026-03-02T08:00:01.000Z"
    ticket = data(post)["ticket"]
    assert (ticket["number"], ticket["state"], ticket["priority"]) == ("W-2026-00001", "new", "P2")
    assert ticket["link"] == "https://desk.test/tickets/W-2026-00001"
    assert ticket["since"] == "2026-03-02T08:00:00.000Z"
    assert ticket["closed_at"] is None
    assert [event["kind"] for event in data(post)["events"]] == ["opened"]
    last = bench.desk.show("1").events[-1]
    assert (last.kind, last.details) == ("referenced", {"channel": "cmms", "reference": "4711"})
    assert bench.letters()[0]["answer"] == "4711"
    bench.tell("1m")
    assert len(server.posts) == 1


def test_later_events_follow_and_the_number_is_kept_once(bench: CourierBench, server: HttpServer) -> None:
    bench.do("open", "waits")
    bench.tell("1s")
    bench.counter.take("1", "li", "on my way")
    bench.counter.finish("1", "li")
    bench.tell("1s")
    assert [[event["kind"] for event in data(post)["events"]] for post in server.posts] == [
        ["opened"],
        ["taken", "done"],
    ]
    assert [event.kind for event in bench.desk.show("1").events].count("referenced") == 1


def test_a_failure_is_tried_again_as_the_same_message(bench: CourierBench, server: HttpServer) -> None:
    server.answer = lambda _: Answer(500, b"out of order")
    bench.do("open", "silent")
    bench.tell("1s")
    assert bench.letters()[0]["error"] == "cmms: it answers 500: out of order"
    bench.counter.take("1", "li")
    server.answer = lambda _: Answer(200, b'{"workOrder": {"number": "A-1"}}')
    bench.tell("10m")
    bench.tell("1s")
    first, again, later = server.posts
    assert first.headers["webhook-id"] == again.headers["webhook-id"] != later.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != again.headers["webhook-timestamp"]
    assert is_signed(again)
    assert [event["kind"] for event in data(again)["events"]] == ["opened"]
    assert [event["kind"] for event in data(later)["events"]] == ["taken"]


def test_while_it_is_down_one_ticket_knocks_and_the_others_wait(bench: CourierBench, server: HttpServer) -> None:
    server.answer = lambda _: Answer(503, b"", {"Retry-After": "600"})
    for number in range(5):
        bench.do("open", "silent", f"em-{number}")
    bench.tell("1s")
    bench.tell("9m")
    assert len(server.posts) == 1
    server.answer = lambda _: Answer()
    bench.tell("2m")
    bench.tell("1s")
    assert len(server.posts) == 6
    assert set(bench.states()) == {"sent"}


def test_a_ticket_that_it_does_not_take_holds_up_no_other(bench: CourierBench, server: HttpServer) -> None:
    server.answer = lambda post: Answer(422, b"no such asset") if b'"em-1"' in post.body else Answer()
    bench.do("open", "silent", "em-1")
    bench.do("open", "silent", "em-2")
    bench.tell("1s")
    assert bench.states() == ["waiting", "sent"]
    assert bench.letters()[0]["error"] == "cmms: it answers 422: no such asset"


def test_people_do_not_wait_for_a_slow_system(
    bench: CourierBench, server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    def note(_: Post) -> Answer:
        order.append("webhook")
        if order == ["webhook"]:  # something urgent happens while the first answer is awaited
            bench.do("open", "verified", "em-9", severity="critical")
        return Answer()

    def note_room(_: Post) -> Answer:
        order.append("room")
        return Answer()

    monkeypatch.setattr(courier, "_LOOK_S", 0.0)  # as if every answer took that long
    with HttpServer() as room:
        url = f"json://127.0.0.1:{room.port}/"
        bench.channels["room"] = Messenger("room", lambda: url, room=True)
        server.answer, room.answer = note, note_room
        for number in range(3):
            bench.do("open", "silent", f"em-{number}")
        bench.tell("1s")
    assert order == ["webhook", "room", "webhook", "webhook", "webhook"]


@pytest.mark.parametrize(
    ("body", "remark"),
    [
        (b"thank you", "the answer is no JSON: thank you"),
        (b"", "the answer is no JSON: nothing"),
        (b'{"workOrder": {}}', 'nothing at workOrder.number in the answer: {"workOrder": {}}'),
        (
            b'{"workOrder": {"number": [1]}}',
            'nothing at workOrder.number in the answer: {"workOrder": {"number": [1]}}',
        ),
    ],
)
def test_an_answer_without_a_number_is_noted_and_not_asked_again(
    bench: CourierBench, server: HttpServer, body: bytes, remark: str
) -> None:
    server.answer = lambda _: Answer(200, body)
    bench.do("open", "silent")
    bench.tell("1s")
    bench.tell("1h")
    assert len(server.posts) == 1
    assert [(letter["state"], letter["error"]) for letter in bench.letters()] == [("sent", remark)]
    assert bench.desk.show("1").events[-1].kind == "opened"


def test_a_redirection_is_not_followed(bench: CourierBench, server: HttpServer) -> None:
    with HttpServer() as elsewhere:
        target = f"http://127.0.0.1:{elsewhere.port}/other"
        server.answer = lambda _: Answer(307, b"", {"Location": target})
        bench.do("open", "silent")
        bench.tell("1s")
        assert elsewhere.posts == []
    assert f"the address moved to {target} (307)" in str(bench.letters()[0]["error"])


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        slow = webhook(silent.getsockname()[1], timeout=100_000_000)
        with pytest.raises(NotDelivered, match="timed out") as caught:
            slow.send({}, "1", 0)
    assert caught.value.whole


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(NotDelivered, match="cannot be reached: Connection refused"):
        webhook(find_free_port()).send({}, "1", 0)


def test_a_secret_that_cannot_be_read_sends_nothing(server: HttpServer) -> None:
    unsigned = Webhook("cmms", f"http://127.0.0.1:{server.port}/hook", refuse("key.txt: no such file"))
    with pytest.raises(NotDelivered, match=r"cmms: key.txt: no such file"):
        unsigned.send({}, "1", 0)
    assert server.posts == []


def test_tls_is_trusted_by_its_authority_alone(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path / "a"), Authority(tmp_path / "b")
    signed = authority.sign("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signed.certificate, signed.key)
    with HttpServer(context=context) as server:
        url = f"https://127.0.0.1:{server.port}/hook"
        trusting = Webhook("cmms", url, read_secret, ca_file=str(authority.certificate))
        trusting.send({}, "1", 0)
        trusting.close()
        with pytest.raises(NotDelivered, match="no trust in its TLS"):
            Webhook("cmms", url, read_secret, ca_file=str(other.certificate)).send({}, "2", 0)
    assert [post.headers["webhook-id"] for post in server.posts] == ["1"]
