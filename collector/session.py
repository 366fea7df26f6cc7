"""The session at the broker: connecting, subscribing, staying alive, and knowing whether data can flow.

Everything that moves it from one state to another is in the table of collector/states.py.
"""

import random
import ssl
import time
from collections.abc import Callable
from typing import Any

import structlog
from paho.mqtt.client import ConnectFlags
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from collector.errors import CollectorError
from collector.mqtt import Client, Message, Protocol, introduce
from collector.presence import Presence, Statement
from collector.settings import Mqtt
from collector.states import NEXT, State
from collector.unreachable import CONNECT_S, explain_end, explain_error, explain_refusal
from devices.durations import NANOSECONDS

log = structlog.get_logger()

_ANSWER_S = 10.0
_BACKOFF_S = (1.0, 30.0)
_HEARTBEAT_S = 20.0
_SILENCE_S = 3 * _HEARTBEAT_S + 5
_RECEIVE_MAXIMUM = 65_535
_LONGEST_KEEPALIVE_S = 65_535
_NEVER_EXPIRES = 0xFFFFFFFF


class Session:
    """One persistent session, driven by `step` from the thread that owns it.

    Attributes:
        state: data is proven to flow only where it is FLOWING.
        since: when the state was entered, `time.monotonic`.
        trouble: why there is no connection, in plain words, else "".
        connects: connections that the broker accepted.
        forgotten: how often the broker did not know the session any more: what it held for us is lost.
        refused: filters that the broker does not grant, with its reason.
    """

    def __init__(
        self,
        settings: Mqtt,
        site: str,
        filters: frozenset[str],
        recall: Callable[[Mqtt], frozenset[str]],
        remember: Callable[[Mqtt, frozenset[str]], None],
        *,
        sparkplug: bool = False,
    ) -> None:
        """Prepares; the first `step` connects.

        Args:
            settings: broker and credentials.
            site: id, a part of the status topic.
            filters: topic filters that are wanted.
            recall: filters that may be subscribed at a broker, as remembered; also by a former process.
            remember: called with what may be subscribed at a broker from now on.
            sparkplug: we are a Sparkplug host application, by our client id.
        """
        self.filters = filters
        self.state = State.DOWN
        self.since = time.monotonic()
        self.trouble = ""
        self.connects = 0
        self.forgotten = 0
        self.refused: dict[str, str] = {}
        self._settings = settings
        self._site = site
        self._sparkplug = sparkplug
        self._presence = self._make_presence()
        self._recall = recall
        self._remember = remember
        self._subscribed = recall(settings)
        self._protocol = Protocol.MQTTv5
        self._older_next = False
        self._client: Client | None = None
        self._pending: dict[int, list[str]] = {}
        self._unacknowledged: list[int] = []
        self._attempts = 0
        self._attempt_at = 0.0
        self._heard_at = 0.0
        self._heartbeat_at = 0.0
        self._heartbeats = 0

    # ── driving ──────────────────────────────────────────────────────────────────────────────────────────────────

    def step(self) -> None:
        """Does what is due: connect, give up on an answer, beat, keep alive."""
        now = time.monotonic()
        if self.state is State.DOWN:
            if now >= self._attempt_at:
                self._open()
            return
        client = self._client
        if client is None or client.socket() is None:
            self._lose(explain_end("", self._settings))
        elif self.state in {State.CONNECTING, State.SUBSCRIBING}:
            client.loop_misc()
            if now - self.since > _ANSWER_S:
                if self.state is State.CONNECTING:  # some brokers are silent about a version that they do not know
                    self._try_older()
                self._lose(f"{self._settings.host}:{self._settings.port} says nothing; is it an MQTT broker?")
        else:
            client.loop_misc()
            self._watch(now)

    def stay(self) -> None:
        """In place of `step` while nothing may be read."""
        if self._client is not None:
            self._client.stay()
        self._heard_at = time.monotonic()

    def receive(self) -> list[Message]:
        """Messages that arrived, without those that we sent to ourselves."""
        if self._client is None:
            return []
        messages = self._client.receive()
        if not messages:
            return messages
        self._unacknowledged = [message.mid for message in messages if message.mid]
        self._heard_at = time.monotonic()
        self._move("message")
        own = self._presence.topics
        others = [message for message in messages if message.topic not in own]
        if len(others) < len(messages):
            self._hear_ourselves([message for message in messages if message.topic in own])
        return others

    def flush(self) -> None:
        """Goes on writing what the socket did not take at once."""
        if self._client is not None:
            self._client.loop_write()

    def acknowledge(self) -> None:
        """Acknowledges what was received last, in the order of receipt; heartbeats, too, if the broker wants it."""
        mids, self._unacknowledged = self._unacknowledged, []
        if self._client is not None and mids:
            self._client.acknowledge(mids)

    def probe(self) -> bool:
        """Asks the broker for a sign that it has read our acknowledgements; False while one is under way."""
        return self._client is not None and self._client.probe()

    @property
    def pongs(self) -> int:
        """Signs that came on this connection."""
        return 0 if self._client is None else self._client.pongs

    def sockets(self) -> tuple[list[Any], list[Any]]:
        """What to wait for: (readable, writable)."""
        client = self._client
        sock = None if client is None else client.socket()
        if client is None or sock is None:
            return [], []
        return [sock], [sock] if client.want_write() else []

    def publish(self, topic: str, payload: bytes) -> None:
        """Publishes at QoS 0, if there is a connection."""
        if self._client is not None:
            self._client.publish(topic, payload, qos=0)

    def change(self, settings: Mqtt, filters: frozenset[str], *, sparkplug: bool = False) -> None:
        """Takes over changed settings and another presence (by a new connection), and filters (on this one)."""
        former, self.filters = self.filters, filters
        if (settings, sparkplug) != (self._settings, self._sparkplug):
            self.close()
            self._settings, self._sparkplug = settings, sparkplug
            self._presence = self._make_presence()
            self._subscribed = self._recall(settings)
            self.trouble = ""
            self._attempts, self._attempt_at = 0, 0.0
        elif filters != former and self.state in {State.SUBSCRIBING, State.QUIET, State.FLOWING}:
            self._move("changed")
            self._subscribe()

    def close(self) -> None:
        """Says goodbye; the broker keeps the session."""
        if self.state in {State.QUIET, State.FLOWING}:
            self._tell(*self._presence.part())
        self._hang_up()

    # ── connecting ───────────────────────────────────────────────────────────────────────────────────────────────

    def _open(self) -> None:
        self._attempts += 1
        self._attempt_at = time.monotonic() + backoff_s(self._attempts)
        self._protocol = Protocol.MQTTv311 if self._older_next else Protocol.MQTTv5
        self._older_next = False
        settings = self._settings
        keepalive_s = min(max(settings.keepalive // NANOSECONDS["s"], 1), _LONGEST_KEEPALIVE_S)
        try:
            client = self._client = self._make_client()
            client.connect(settings.host, settings.port, keepalive_s, **self._terms())
        except (OSError, ValueError, CollectorError) as error:
            self._client = None
            self._complain(explain_error(error, settings))
            return
        self._heartbeats = 0
        self._move("opened")

    def _make_client(self) -> Client:
        settings = self._settings
        client = Client(settings.client_id, self._protocol)
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages_set(_RECEIVE_MAXIMUM)
        introduce(client, settings)
        will = self._presence.make_will()
        client.will_set(will.topic, will.payload, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe
        client.on_disconnect = self._on_disconnect
        return client

    def _terms(self) -> dict[str, Any]:
        """What MQTT 5 lets us ask for; with 3.1.1 the broker decides."""
        if self._protocol != Protocol.MQTTv5:
            return {}
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho left it without types
        properties.SessionExpiryInterval = min(self._settings.session_expiry // NANOSECONDS["s"], _NEVER_EXPIRES)
        properties.ReceiveMaximum = _RECEIVE_MAXIMUM
        return {"clean_start": False, "properties": properties}

    def _on_connect(
        self, _client: object, _data: object, flags: ConnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        if reason.is_failure:
            words = str(reason)
            if words != "Unsupported protocol version" or not self._try_older():
                self._complain(explain_refusal(words, self._settings))
            self._hang_up()
            return
        self._move("accepted")
        self.connects += 1
        if not flags.session_present:
            if self._subscribed:
                self.forgotten += 1
                log.warning(
                    "the broker had forgotten this session: what it held for us is lost",
                    hint="see persistence and session expiry of the broker; `siteward doctor` looks at them",
                )
            self._subscribed = frozenset()
        self._subscribe()

    def _try_older(self) -> bool:
        """Makes the next attempt at once and with MQTT 3.1.1, if this one was with MQTT 5."""
        if self._protocol == Protocol.MQTTv5:
            self._older_next, self._attempt_at = True, 0.0
        return self._older_next

    # ── subscribing ──────────────────────────────────────────────────────────────────────────────────────────────

    def _subscribe(self) -> None:
        """Subscribes to all filters that are wanted, on every connection anew, and drops those that no longer are.

        In this order, so that what both an old and a new filter catch is never missed.
        """
        client = self._client
        if client is None:
            return
        self.refused.clear()
        self._pending.clear()
        # What is ours at QoS 0: whoever else sends it, it takes no place among what is to be acknowledged.
        wanted = dict.fromkeys(sorted(self.filters), 1) | dict.fromkeys(sorted(self._presence.topics), 0)
        dropped = sorted(self._subscribed.difference(wanted))
        self._note(self._subscribed.union(wanted))
        v5 = self._protocol == Protocol.MQTTv5
        # Retain handling 1: a session that exists already does not get retained messages again.
        topics: list[Any] = [
            (name, SubscribeOptions(qos, retainHandling=1) if v5 else qos) for name, qos in wanted.items()
        ]
        _, mid = client.subscribe(topics)
        if mid is not None:
            self._pending[mid] = list(wanted)
        if dropped:
            _, mid = client.unsubscribe(dropped)
            if mid is not None:
                self._pending[mid] = []

    def _note(self, subscribed: frozenset[str]) -> None:
        """Remembers what may be subscribed; before it is, so that a crash leaves no filter that nobody knows."""
        if subscribed != self._subscribed:
            self._subscribed = subscribed
            self._remember(self._settings, subscribed)

    def _on_unsubscribe(self, _client: object, _data: object, mid: int, *_rest: object) -> None:
        self._settle(mid)

    def _on_subscribe(
        self, _client: object, _data: object, mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        for name, reason in zip(self._pending.get(mid, []), reasons, strict=False):
            if reason.is_failure and name not in self._presence.topics:  # readings flow without them, too
                self.refused[name] = str(reason)
                log.error(
                    "the broker refuses a subscription", filter=name, reason=str(reason), hint="see the broker's ACL"
                )
        self._settle(mid)

    def _settle(self, mid: int) -> None:
        if self._pending.pop(mid, None) is None or self._pending:
            return
        self._note(self.filters | self._presence.topics)
        self._attempts = 0
        self.trouble = ""
        self._heard_at = time.monotonic()
        self._heartbeat_at = 0.0
        self._move("subscribed")
        log.info("subscribed", broker=self._settings.host, filters=sorted(self.filters), version=self._protocol.name)
        self._tell(*self._presence.greet())

    # ── our presence ─────────────────────────────────────────────────────────────────────────────────────────────

    def _make_presence(self) -> Presence:
        return Presence(self._site, self._settings.client_id if self._sparkplug else "")

    def _tell(self, *statements: Statement) -> None:
        """Says it to whoever watches us."""
        for topic, payload in statements:
            if self._client is not None:
                self._client.publish(topic, payload, qos=1, retain=True)

    def _hear_ourselves(self, messages: list[Message]) -> None:
        """Counts heartbeats and answers the rest; before all is subscribed the greeting will be the answer."""
        self._heartbeats += [message.topic for message in messages].count(self._presence.heartbeat)
        if self.state in {State.QUIET, State.FLOWING}:
            for message in messages:
                self._tell(*self._presence.answer(message.topic, message.payload))

    # ── staying alive ────────────────────────────────────────────────────────────────────────────────────────────

    def _watch(self, now: float) -> None:
        """A connection is alive when something comes through it, be it only our own heartbeat."""
        if self._client is not None and now - self._heartbeat_at >= _HEARTBEAT_S:
            self._heartbeat_at = now
            self._client.publish(self._presence.heartbeat, b"", qos=0)
        silent_s = now - self._heard_at
        if silent_s <= _SILENCE_S:
            return
        if self._heartbeats:
            self._lose(f"nothing came for {silent_s:.0f} s, not even our own heartbeat")
        else:  # the broker's ACL may forbid it: then silence proves nothing
            self._move("silence")

    # ── states ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _move(self, event: str) -> None:
        following = NEXT.get((self.state, event), self.state)
        if following is not self.state:
            self.state = following
            self.since = time.monotonic()

    def _lose(self, why: str) -> None:
        self._complain(why)
        self._hang_up()

    def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.hang_up()
        self._move("lost")

    def _on_disconnect(
        self, _client: object, _data: object, _flags: object, reason: ReasonCode, _properties: object
    ) -> None:
        error = None if self._client is None else self._client.error
        accepted = self.state is not State.CONNECTING
        if isinstance(error, ssl.SSLError):
            self._complain(explain_error(error, self._settings))
        elif accepted or not self._try_older():  # old brokers hang up on a version that they do not know
            words = "" if str(reason) == "Unspecified error" else str(reason)
            self._complain(explain_end(words, self._settings, accepted=accepted))
        self._client = None
        self._move("lost")

    def _complain(self, why: str) -> None:
        """Says it once until it changes."""
        if why != self.trouble:
            log.warning("no connection to the broker", why=why)
        self.trouble = why


def backoff_s(attempts: int) -> float:
    """How long to wait after so many failed attempts, in s: twice as long each time, and never more than 30 s.

    Up to a half less by chance, so that the sites of a broker that was away do not all come back at once.
    """
    first, longest = _BACKOFF_S
    return min(longest, first * 2.0 ** min(attempts - 1, 10)) * random.uniform(0.5, 1.0)
