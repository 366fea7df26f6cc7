"""What doctor learns about the broker: whether Siteward's session can live there, and what the broker would lose.

The daemon's session is never touched: everything happens in sessions of doctor's own, which end with it.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from paho.mqtt.client import topic_matches_sub
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from collector.checks.brokerqueue import Queue, measure_queue
from collector.checks.conversation import BrokerTrouble, Conversation, Identity, WrongProtocol
from collector.settings import Mqtt, Settings
from collector.store import Finding
from devices.durations import NANOSECONDS, format_duration

_RENEW_DAYS = 21
_LISTEN_S = 1.0
_PAHO_INFLIGHT = 20
_VERSION = "$SYS/broker/version"
_DROPPED = "$SYS/broker/publish/messages/dropped"
_RATE = "$SYS/broker/load/publish/received/1min"
_STORED = "$SYS/broker/store/messages/count"
_STATISTICS = (_VERSION, _DROPPED, _RATE, _STORED)
"""Mosquitto's names; few other brokers have them."""

_SHARED_SESSION = (
    "the broker names sessions after users (use_username_as_clientid), so doctor got the daemon's session, left it"
    " at once, and looked no further; switch that off, and nobody else can take the daemon's session either"
)
_OLD_PROTOCOL = (
    "with MQTT 3.1.1 Mosquitto sends 20 messages before the first is acknowledged, which limits the rate; set"
    " max_inflight_messages 0 in mosquitto.conf, or use a broker with MQTT 5"
)
_NOTHING_CAME = (
    "nothing came within a second; where that is strange, see the broker's ACL: Mosquitto's acl_file grants every"
    " filter and then withholds what may not be read"
)
_NO_STATISTICS = (
    "the broker offers none under $SYS, or its ACL withholds them (Mosquitto: topic read $SYS/#);"
    " then drops at the broker cannot be seen"
)
_DROPPED_ADVICE = (
    "of any client, this command's measurement of the queue included; `siteward ledger` says what we miss,"
    " a restart of the broker counts anew"
)
_RESTART = (
    "whether messages outlive a restart of the broker cannot be seen from here: mosquitto.conf needs"
    " persistence true, and autosave_interval 30 against power cuts"
)


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
        self._settings = settings
        self._mqtt = settings.mqtt
        self._filters = filters
        self._prefix = f"siteward/{settings.site.id}"
        # A name that no session can have: only then is a known session somebody else's.
        self._token = secrets.token_hex(4)
        self._identity = Identity(f"{self._mqtt.client_id}-doctor-{self._token}", MQTTProtocolVersion.MQTTv5)

    def run(self) -> Iterator[Finding]:
        """Findings as they come up; the first that ends the examination is the last."""
        try:
            yield from self._greet()
            with self._open("", 0) as conversation:
                yield self._try_filters(conversation)
                yield from self._try_own_topics(conversation)
                yield judge_statistics(self._read_statistics(conversation))
        except BrokerTrouble as trouble:
            yield Finding("connection", good=False, message=str(trouble))
            return
        yield self._measure_queue()
        yield Finding("restart", good=True, message=_RESTART)

    def _open(self, suffix: str, keep_s: int) -> Conversation:
        identity = self._identity._replace(client_id=self._identity.client_id + suffix)
        return Conversation(self._mqtt, identity, keep_s=keep_s)

    # ── connecting ───────────────────────────────────────────────────────────────────────────────────────────────

    def _greet(self) -> Iterator[Finding]:
        """Connects with the terms that the daemon asks for, and leaves nothing behind.

        Raises:
            BrokerTrouble: there is no connection, or going on would touch the daemon's session.
        """
        expiry_s = self._mqtt.session_expiry // NANOSECONDS["s"]
        try:
            with self._open("", expiry_s) as conversation:
                yield from self._describe(conversation, "5")
                yield from judge_terms(conversation.terms, self._mqtt.session_expiry)
                inflight = min(getattr(conversation.terms, "ReceiveMaximum", _PAHO_INFLIGHT), _PAHO_INFLIGHT)
                self._identity = self._identity._replace(inflight=inflight)
        except WrongProtocol:
            self._identity = self._identity._replace(protocol=MQTTProtocolVersion.MQTTv311)
            with self._open("", expiry_s) as conversation:
                yield from self._describe(conversation, "3.1.1")
                yield Finding("limits", good=True, message=_OLD_PROTOCOL)

    def _describe(self, conversation: Conversation, version: str) -> Iterator[Finding]:
        if conversation.resumed:
            raise BrokerTrouble(_SHARED_SESSION)
        who = f"as {self._mqtt.username}" if self._mqtt.username else "without a user name"
        encryption = "TLS" if self._mqtt.tls else "not encrypted"
        yield Finding("connection", good=True, message=f"accepted {who}; MQTT {version}, {encryption}")
        if conversation.certificate_end is not None:
            yield judge_certificate(conversation.certificate_end, datetime.now(UTC))

    # ── permissions ──────────────────────────────────────────────────────────────────────────────────────────────

    def _try_filters(self, conversation: Conversation) -> Finding:
        finding = judge_filters(conversation.subscribe(sorted(self._filters), retained=False))
        if finding.good and not conversation.wait(lambda: bool(conversation.messages), _LISTEN_S):
            return finding._replace(message=f"{finding.message}; {_NOTHING_CAME}")
        return finding

    def _try_own_topics(self, conversation: Conversation) -> Iterator[Finding]:
        """Publishes what changes nothing: the status that is retained already, and a heartbeat."""
        status, heartbeat = f"{self._prefix}/status", f"{self._prefix}/heartbeat"
        conversation.subscribe([status], retained=True)
        conversation.wait(lambda: _find(conversation, status) is not None, _LISTEN_S)
        present = _find(conversation, status) or json.dumps({"state": "offline"}).encode()
        # MQTT 3.1.1 has no word for a refusal: there a message that does not come back is all one can see.
        old = self._identity.protocol != MQTTProtocolVersion.MQTTv5
        yield self._try_topic(conversation, status, present, must_return=old)
        yield self._try_topic(conversation, heartbeat, b"", must_return=True)

    def _try_topic(self, conversation: Conversation, topic: str, payload: bytes, *, must_return: bool) -> Finding:
        conversation.subscribe([topic], retained=False)
        conversation.messages.clear()
        answers = conversation.publish(topic, [payload])
        subject = topic.rpartition("/")[2]
        if not answers or answers[0].is_failure:
            why = answers[0] if answers else "no answer"
            return Finding(
                subject, good=False, message=f"publishing to {topic} is refused ({why}); allow it in the broker's ACL"
            )
        if must_return and not conversation.wait(lambda: _find(conversation, topic) is not None, _LISTEN_S):
            return Finding(
                subject,
                good=False,
                message=f"what is published to {topic} does not come back; allow reading and writing in the broker's ACL",
            )
        return Finding(subject, good=True, message=f"{topic} may be published")

    # ── what it tells, and what it keeps ─────────────────────────────────────────────────────────────────────────

    def _read_statistics(self, conversation: Conversation) -> Mapping[str, str]:
        conversation.subscribe(_STATISTICS, retained=True)
        conversation.wait(lambda: all(_find(conversation, topic) is not None for topic in _STATISTICS), _LISTEN_S)
        return {topic: payload.decode("utf-8", "replace") for topic, payload in conversation.messages}

    def _measure_queue(self) -> Finding:
        topic = f"{self._prefix}/doctor/{self._token}"
        for name in sorted(self._filters):
            if topic_matches_sub(name, topic):
                message = f"not measured: the filter {name} of a device would take the messages for readings"
                return Finding("queue", good=True, message=message)
        try:
            self.queue = measure_queue(self._open, topic)
        except BrokerTrouble as trouble:
            return Finding(
                "queue",
                good=True,
                message=f"not measured: {trouble}; allow reading and writing of {self._prefix}/doctor/# to measure it",
            )
        return judge_queue(self.queue)


def judge_certificate(end: datetime, now: datetime) -> Finding:
    """Whether the broker's certificate is still good for a while."""
    days = (end - now).days
    message = f"valid until {end:%Y-%m-%d}, {days} days"
    if days < _RENEW_DAYS:
        return Finding("certificate", good=False, message=f"{message}: renew it before the broker is cut off")
    return Finding("certificate", good=True, message=message)


def judge_terms(terms: Properties, session_expiry: int) -> Iterator[Finding]:
    """What the broker grants in its answer to CONNECT (MQTT 5, 3.2.2.3; what it leaves out is unlimited).

    Args:
        terms: the properties of CONNACK.
        session_expiry: how long the session should be kept, ns.
    """
    wanted = format_duration(session_expiry)
    granted_s = getattr(terms, "SessionExpiryInterval", None)
    if granted_s is not None and granted_s < session_expiry // NANOSECONDS["s"]:
        granted = format_duration(granted_s * NANOSECONDS["s"])
        message = (
            f"the broker keeps messages for {granted} only, not {wanted} (mqtt.session_expiry); raise the broker's limit"
        )
        yield Finding("session", good=False, message=message)
    else:
        yield Finding("session", good=True, message=f"kept for {wanted} while Siteward is away")
    missing = [
        words
        for name, least, words in (
            ("MaximumQoS", 1, "QoS 1, without which readings get lost"),
            ("RetainAvailable", 1, "retained messages, which the status needs"),
            ("WildcardSubscriptionAvailable", 1, "wildcards in topic filters"),
        )
        if getattr(terms, name, least) < least
    ]
    if missing:
        yield Finding("limits", good=False, message=f"the broker does not offer {' and '.join(missing)}")
        return
    size = getattr(terms, "MaximumPacketSize", None)
    in_flight = getattr(terms, "ReceiveMaximum", 65_535)
    sizes = "packets of any size" if size is None else f"packets up to {size / 1e6:,.1f} MB"
    message = f"takes {sizes}, and {in_flight:,} messages before it acknowledges the first"
    yield Finding("limits", good=True, message=message)


def judge_filters(answers: Mapping[str, ReasonCode]) -> Finding:
    """Whether every wanted filter is granted at QoS 1."""
    refused = [f"{name} ({reason})" for name, reason in answers.items() if reason.is_failure]
    weak = [name for name, reason in answers.items() if reason.value == 0]
    if refused:
        return Finding(
            "subscriptions", good=False, message=f"refused: {', '.join(refused)}; allow reading in the broker's ACL"
        )
    if weak:
        return Finding(
            "subscriptions", good=False, message=f"granted at QoS 0 only, so readings get lost: {', '.join(weak)}"
        )
    return Finding("subscriptions", good=True, message=f"granted: {', '.join(answers)}")


def judge_statistics(values: Mapping[str, str]) -> Finding:
    """What the broker says of itself under $SYS, topic to payload."""
    version = values.get(_VERSION)
    if version is None:
        return Finding("statistics", good=True, message=_NO_STATISTICS)
    words = [version]
    if _RATE in values:
        words.append(f"{float(values[_RATE]):,.0f} messages/min published")
    if _STORED in values:
        words.append(f"{int(values[_STORED]):,} messages held")
    dropped = int(values.get(_DROPPED, "0"))
    if dropped:
        words.append(f"{dropped:,} messages dropped since it was started, {_DROPPED_ADVICE}")
    else:
        words.append("none dropped since it was started")
    return Finding("statistics", good=dropped == 0, message=", ".join(words))


def judge_queue(queue: Queue) -> Finding:
    """Whether an outage of the daemon loses messages at the broker."""
    if queue.kept == 0:
        message = "the broker keeps nothing for a client that is away; allow persistent sessions there"
    elif queue.limited:
        message = (
            f"the broker keeps {queue.kept:,} messages for a client that is away, and drops what follows;"
            " set max_queued_messages 0 in mosquitto.conf, or what your broker calls it"
        )
    else:
        message = f"at least {queue.kept:,} messages are kept for a client that is away; more were not tried"
    return Finding("queue", good=queue.kept > 0 and not queue.limited, message=message)


def _find(conversation: Conversation, topic: str) -> bytes | None:
    """The payload of the newest message of a topic."""
    return next((payload for name, payload in reversed(conversation.messages) if name == topic), None)
