"""What we say of ourselves at the broker: our heartbeat, our status, our STATE as a Sparkplug host application.

STATE is as Sparkplug 3.0.0 has it (https://sparkplug.eclipse.org/specification, chapters 4 and 5).
"""

import json
import time
from typing import NamedTuple

import orjson

from collector import __version__


class Statement(NamedTuple):
    """A message to be published at QoS 1 and retained, so that who comes later sees it, too."""

    topic: str
    payload: str


class Presence:
    """What to say when a connection begins and ends.

    A connection has one last will. With Sparkplug it is STATE, because nodes keep what they measure until their host is
    there again; the status then tells of an end only where we have the time to say goodbye.

    Attributes:
        heartbeat: topic by which we see that data flows.
        topics: what we listen to ourselves on.
    """

    def __init__(self, site: str, host: str) -> None:
        """Says nothing yet.

        Args:
            site: id, a part of topics.
            host: id of the Sparkplug host application that we are, "" for none.
        """
        self.heartbeat = f"siteward/{site}/heartbeat"
        self._status = f"siteward/{site}/status"
        self._state = f"spBv1.0/STATE/{host}" if host else ""
        self.topics = frozenset({self.heartbeat, self._state} - {""})
        self._connected_ms = 0

    def make_will(self) -> Statement:
        """What the broker is to say when the connection that is now made breaks."""
        self._connected_ms = _now_ms()
        return self._say_state(online=False) if self._state else self._say_status(state="offline")

    def greet(self) -> list[Statement]:
        """To be said when all is subscribed. STATE has the time of the will, as nodes expect."""
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        status = self._say_status(state="online", version=__version__, since=since)
        return [self._say_state(online=True), status] if self._state else [status]

    def part(self) -> list[Statement]:
        """To be said before we leave by ourselves."""
        self._connected_ms = _now_ms()
        status = self._say_status(state="offline")
        return [self._say_state(online=False), status] if self._state else [status]

    def answer(self, topic: str, payload: bytes) -> list[Statement]:
        """To be said to what came on our own topics: that we are here, where STATE denies it.

        The will of our last connection may come late.
        """
        if topic != self._state:
            return []
        try:
            state = orjson.loads(payload)
        except orjson.JSONDecodeError:
            state = None
        denied = isinstance(state, dict) and state.get("online") is False
        return [self._say_state(online=True)] if denied else []

    def _say_state(self, *, online: bool) -> Statement:
        return Statement(self._state, json.dumps({"online": online, "timestamp": self._connected_ms}))

    def _say_status(self, **status: str) -> Statement:
        return Statement(self._status, json.dumps(status))


def _now_ms() -> int:
    return time.time_ns() // 10**6
