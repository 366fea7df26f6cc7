"""What we say of ourselves at the broker."""

import json

import pytest

from collector.presence import Presence, Statement

STATE = "spBv1.0/STATE/us"
STATUS = "siteward/site/status"


def said(statements: list[Statement]) -> list[tuple[str, object]]:
    """Topics, and whether we are there."""
    return [
        (topic, content.get("online", content.get("state")))
        for topic, content in ((one.topic, json.loads(one.payload)) for one in statements)
    ]


def test_a_host_application_tells_its_state_and_has_it_as_its_will() -> None:
    presence = Presence("site", "us")
    assert presence.topics == {"siteward/site/heartbeat", STATE}
    assert said([presence.make_will()]) == [(STATE, False)]
    assert said(presence.greet()) == [(STATE, True), (STATUS, "online")]
    assert said(presence.part()) == [(STATE, False), (STATUS, "offline")]


def test_others_have_their_status_as_their_will() -> None:
    presence = Presence("site", "")
    assert presence.topics == {"siteward/site/heartbeat"}
    assert said([presence.make_will()]) == [(STATUS, "offline")]
    assert said(presence.greet()) == [(STATUS, "online")]
    assert said(presence.part()) == [(STATUS, "offline")]
    assert presence.answer(STATE, b'{"online": false}') == []


def test_the_state_of_a_connection_has_the_time_of_its_will(monkeypatch: pytest.MonkeyPatch) -> None:
    presence = Presence("site", "us")
    times = []
    for now in (1_795_334_400_000_000_000, 1_795_334_401_000_000_000):
        monkeypatch.setattr("time.time_ns", lambda now=now: now)
        will = presence.make_will()
        monkeypatch.setattr("time.time_ns", lambda now=now: now + 10**9)
        statements = [will, presence.greet()[0], *presence.answer(STATE, b'{"online":false}')]
        times += [json.loads(one.payload)["timestamp"] for one in statements]
    assert times == [1_795_334_400_000] * 3 + [1_795_334_401_000] * 3


@pytest.mark.parametrize(
    ("payload", "answers"),
    [
        (b'{"online": false, "timestamp": 1}', 1),
        (b'{"online": true, "timestamp": 1}', 0),
        (b'{"online": 0}', 0),
        (b"[false]", 0),
        (b"OFFLINE", 0),
        (b"[" * 100_000, 0),
        (b"\xff", 0),
        (b"", 0),
    ],
)
def test_only_who_denies_that_we_are_there_is_answered(payload: bytes, answers: int) -> None:
    assert len(Presence("site", "us").answer(STATE, payload)) == answers
