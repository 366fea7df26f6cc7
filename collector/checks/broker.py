"""What doctor learns about the broker: whether Siteward's session can live there, and what the broker would lose.

The daemon's session is never touched: everything happens in sessions of doctor's own, which end with it.
"""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from paho.mqtt.client import topic_matches_sub
from paho.mqtt.enums import MQTTProtocolVersion

from collector.checks import brokerverdicts as verdicts
from collector.checks.brokerqueue import Queue, measure_queue
from collector.checks.conversation import Conversation, Identity, Received, WrongProtocol
from collector.checks.reach import BrokerTrouble, reach
from collector.errors import CollectorError
from collector.settings import Settings
from collector.store import Finding
from devices.durations import NANOSECONDS

_LISTEN_S = 1.0
_MOST_INFLIGHT = 500
_NEVER_EXPIRES = 0xFFFFFFFF


class BrokerCheck:
    """One examination of the broker.

    Attributes:
        queue: what it keeps for a client that is away, once `run` has measured it; None where it could not.
    """

    def __init__(self, settings: Settings, filters: frozenset[str]) -> None:
        """Contacts nobody yet.

        Args:
            settings: of the site.
            filters: topic filters that the devices need.
        """
        self.queue: Queue | None = None
        self._mqtt = settings.mqtt
        self._filters = filters
        self._prefix = f"siteward/{settings.site.id}"
        # A name that no session can have: only then is a known session somebody else's.
        self._token = secrets.token_hex(4)
        self._identity = Identity(f"{self._mqtt.client_id}-doctor-{self._token}", MQTTProtocolVersion.MQTTv5)

    def run(self) -> Iterator[Finding]:
        """Findings as they come up; trouble that ends the examination is the last."""
        try:
            end = reach(self._mqtt)
            yield from self._greet()
            if end is not None:
                yield verdicts.judge_certificate(end, datetime.now(UTC))
            yield from self._listen()
            yield self._measure_queue()
        except CollectorError as trouble:
            yield Finding("connection", good=False, message=str(trouble))

    def _open(self, suffix: str, keep_s: int) -> Conversation:
        identity = self._identity._replace(client_id=self._identity.client_id + suffix)
        return Conversation(self._mqtt, identity, keep_s=keep_s)

    # ── connecting ───────────────────────────────────────────────────────────────────────────────────────────────

    def _greet(self) -> Iterator[Finding]:
        """Connects with the terms that the daemon asks for; the next connection ends this session.

        Raises:
            BrokerTrouble: there is no connection, or going on would touch the daemon's session.
        """
        try:
            yield from self._describe()
        except WrongProtocol:
            self._identity = self._identity._replace(protocol=MQTTProtocolVersion.MQTTv311)
            yield from self._describe()

    def _describe(self) -> Iterator[Finding]:
        expiry_s = min(self._mqtt.session_expiry // NANOSECONDS["s"], _NEVER_EXPIRES)
        with self._open("", expiry_s) as conversation:
            if conversation.resumed:
                raise BrokerTrouble(verdicts.SHARED_SESSION)
            who = f"as {self._mqtt.username}" if self._mqtt.username else "without a user name"
            version = "MQTT 5" if self._v5 else "MQTT 3.1.1"
            encryption = "TLS" if self._mqtt.tls else "not encrypted"
            message = f"{self._mqtt.url} lets us in {who}; {version}, {encryption}"
            yield Finding("connection", good=True, message=message)
            if not self._v5:
                yield Finding("limits", good=True, message=verdicts.OLD_PROTOCOL)
                return
            yield from verdicts.judge_terms(conversation.terms, self._mqtt.session_expiry)
            inflight = min(getattr(conversation.terms, "ReceiveMaximum", _MOST_INFLIGHT), _MOST_INFLIGHT)
            self._identity = self._identity._replace(inflight=inflight)

    @property
    def _v5(self) -> bool:
        return self._identity.protocol == MQTTProtocolVersion.MQTTv5

    # ── permissions, and what the broker tells ───────────────────────────────────────────────────────────────────

    def _listen(self) -> Iterator[Finding]:
        with self._open("", 0) as conversation:
            yield self._try_filters(conversation)
        status, heartbeat = f"{self._prefix}/status", f"{self._prefix}/heartbeat"
        told = self._read_retained([status, *verdicts.STATISTICS])
        # What is published changes nothing: the status that is retained already, and a heartbeat. MQTT 3.1.1 has no
        # word for a refusal: there one can only see that a message does not come back.
        yield self._try_topic(status, told.pop(status, b""), must_return=not self._v5)
        yield self._try_topic(heartbeat, b"", must_return=True)
        yield verdicts.judge_statistics({topic: value.decode("utf-8", "replace") for topic, value in told.items()})

    def _read_retained(self, topics: list[str]) -> dict[str, bytes]:
        messages: list[Received] = []
        with suppress(BrokerTrouble), self._open("", 0) as conversation:  # some brokers hang up where they refuse
            messages = conversation.messages
            conversation.subscribe(topics, retained=True)
            conversation.wait(lambda: len(messages) >= len(topics), _LISTEN_S)
        return {message.topic: message.payload for message in messages}

    def _try_filters(self, conversation: Conversation) -> Finding:
        finding = verdicts.judge_filters(conversation.subscribe(sorted(self._filters), retained=False))
        if finding.good and not conversation.wait(lambda: bool(conversation.messages), _LISTEN_S):
            return finding._replace(message=f"{finding.message}; {verdicts.NOTHING_CAME}")
        return finding

    def _try_topic(self, topic: str, payload: bytes, *, must_return: bool) -> Finding:
        """Publishes on a connection of its own: some brokers hang up where they refuse."""
        answer, returned = None, False
        with suppress(BrokerTrouble), self._open("", 0) as conversation:
            messages = conversation.messages
            conversation.subscribe([topic], retained=False)
            answer = next(iter(conversation.publish(topic, [payload])), None)
            returned = not must_return or conversation.wait(
                lambda: any(not message.retained for message in messages), _LISTEN_S
            )
        return verdicts.judge_topic(topic, answer, returned=returned)

    # ── what it keeps ────────────────────────────────────────────────────────────────────────────────────────────

    def _measure_queue(self) -> Finding:
        topic = f"{self._prefix}/doctor/{self._token}"
        for name in sorted(self._filters):
            if topic_matches_sub(name, topic):
                message = f"not measured: the filter {name} of a device would take the messages for readings"
                return Finding("queue", good=True, message=message)
        try:
            self.queue = measure_queue(self._open, topic)
        except BrokerTrouble as trouble:
            message = f"not measured: {trouble}; allow reading and writing {self._prefix}/doctor/# to have it measured"
            return Finding("queue", good=True, message=message)
        return verdicts.judge_queue(self.queue)
