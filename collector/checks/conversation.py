"""A connection to the broker that asks one thing at a time and waits for the answer: doctor's way to examine it."""

import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from collector.checks.reach import ANSWER_S, BrokerTrouble
from collector.mqtt import introduce
from collector.settings import Mqtt
from collector.unreachable import explain_error

_KEEPALIVE_S = 5
_EXPIRY_S = 60
_RECEIVE_MAXIMUM = 65_535
_CREDENTIALS_REFUSED = {"Bad user name or password", "Not authorized"}


class WrongProtocol(BrokerTrouble):
    """The broker does not know this version of MQTT, or hangs up or says nothing, as brokers do that do not."""


class Identity(NamedTuple):
    """Who speaks.

    Attributes:
        client_id: of the session.
        protocol: version of MQTT.
        inflight: messages that may be published before the first is acknowledged.
    """

    client_id: str
    protocol: MQTTProtocolVersion
    inflight: int = 20


class Received(NamedTuple):
    """A message that came.

    Attributes:
        topic: topic name.
        payload: application message.
        retained: the broker had it already when we subscribed.
    """

    topic: str
    payload: bytes
    retained: bool


class Conversation:
    """One connection, used with `with`. Every wait is bounded.

    Attributes:
        resumed: the broker knew this session already.
        terms: what the broker answered to CONNECT; empty with MQTT 3.1.1.
        messages: in the order of arrival, acknowledged.
    """

    def __init__(self, settings: Mqtt, identity: Identity, *, keep_s: int = 0) -> None:
        """Opens nothing yet.

        Args:
            settings: broker and credentials.
            identity: who speaks.
            keep_s: how long the session outlives the connection; with MQTT 3.1.1 any time is for ever. 0: not at all,
                and a former session of this name is forgotten.
        """
        self.resumed = False
        self.terms = make_properties(PacketTypes.CONNACK)
        self.messages: list[Received] = []
        self._settings = settings
        self._v5 = identity.protocol == MQTTProtocolVersion.MQTTv5
        self._keep_s = keep_s
        self._where = f"{settings.host}:{settings.port}"
        self._accepted = False
        self._end: BrokerTrouble | None = None
        self._granted: dict[int, list[ReasonCode]] = {}
        self._published: dict[int, ReasonCode] = {}
        self._client = self._make_client(identity)

    def _make_client(self, identity: Identity) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=identity.client_id,
            clean_session=None if self._v5 else self._keep_s == 0,
            protocol=identity.protocol,
            reconnect_on_failure=False,
        )
        client.connect_timeout = ANSWER_S
        client.max_inflight_messages_set(identity.inflight)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = lambda _client, _data, message: self.messages.append(
            Received(message.topic, bytes(message.payload), message.retain),
        )
        client.on_subscribe = lambda _client, _data, mid, reasons, _terms: self._granted.update({mid: reasons})
        client.on_publish = lambda _client, _data, mid, reason, _terms: self._published.update({mid: reason})
        return client

    # ── beginning and end ────────────────────────────────────────────────────────────────────────────────────────

    def __enter__(self) -> Self:
        """Connects.

        Raises:
            WrongProtocol: another version of MQTT may work.
            BrokerTrouble: not reached or not let in.
            CollectorError: the password cannot be read.
        """
        settings, client = self._settings, self._client
        try:
            introduce(client, settings)
            client.connect(settings.host, settings.port, keepalive=_KEEPALIVE_S, **self._ask_terms())
        except OSError as error:
            raise BrokerTrouble(explain_error(error, settings)) from error
        try:
            answered = self.wait(lambda: self._accepted, ANSWER_S)
        except BrokerTrouble:
            self._hang_up()
            raise
        if not answered:
            self._hang_up()
            raise WrongProtocol(f"{self._where} says nothing within {ANSWER_S:.0f} s; is it an MQTT broker?")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Says goodbye; the session stays for as long as was asked."""
        self._hang_up()

    def _hang_up(self) -> None:
        self._client.on_disconnect = None
        self._client.disconnect()

    def _ask_terms(self) -> dict[str, Any]:
        if not self._v5:
            return {}
        terms = make_properties(
            PacketTypes.CONNECT, SessionExpiryInterval=self._keep_s, ReceiveMaximum=_RECEIVE_MAXIMUM
        )
        return {"clean_start": self._keep_s == 0, "properties": terms}

    def _on_connect(
        self, _client: object, _data: object, flags: paho.ConnectFlags, reason: ReasonCode, terms: Properties | None
    ) -> None:
        self._accepted = not reason.is_failure
        self.resumed = flags.session_present
        self.terms = terms or self.terms
        words = str(reason)
        if words == "Unsupported protocol version":
            self._end = WrongProtocol(f"{self._where} speaks another version of MQTT")
        elif words in _CREDENTIALS_REFUSED:
            user = self._settings.username
            who = f"user {user!r}" if user else "anybody without a user name"
            remedy = "check username and password_file" if user else "give username and password_file"
            self._end = BrokerTrouble(f"{self._where} does not let {who} in ({words}): {remedy}")
        elif reason.is_failure:
            self._end = BrokerTrouble(f"{self._where} refuses the connection: {words}")

    def _on_disconnect(
        self, _client: object, _data: object, _flags: object, reason: ReasonCode, _terms: object
    ) -> None:
        if self._end is None and self._accepted:
            self._end = BrokerTrouble(f"{self._where} closed the connection: {reason}")
        elif self._end is None:
            self._end = WrongProtocol(
                f"{self._where} hangs up before a word; does this port want TLS (mqtts://), or is it no broker's?"
            )

    # ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────

    def wait(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Handles what arrives until something is so; False where it is not in time.

        Raises:
            WrongProtocol: the connection ended before the broker said anything.
            BrokerTrouble: the connection ended.
        """
        deadline = time.monotonic() + timeout_s
        while not done():
            if self._end is not None:
                raise self._end
            rest_s = deadline - time.monotonic()
            if rest_s <= 0:
                return False
            self._client.loop(min(rest_s, 0.5))
        return True

    def subscribe(self, filters: Iterable[str], *, retained: bool) -> Mapping[str, ReasonCode]:
        """Subscribes at QoS 1 and returns the broker's answer for each filter.

        Args:
            filters: topic filters.
            retained: whether retained messages are wanted (MQTT 3.1.1 always sends them).

        Raises:
            BrokerTrouble: no answer.
        """
        names = list(filters)
        handling = SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE if retained else SubscribeOptions.RETAIN_DO_NOT_SEND
        options = SubscribeOptions(qos=1, retainHandling=handling) if self._v5 else 1
        topics: list[Any] = [(name, options) for name in names]
        _, mid = self._client.subscribe(topics)
        if mid is None or not self.wait(lambda: mid in self._granted, ANSWER_S):
            raise BrokerTrouble(f"no answer to a subscription within {ANSWER_S:.0f} s")
        return dict(zip(names, self._granted[mid], strict=True))

    def publish(self, topic: str, payloads: Iterable[bytes], timeout_s: float = ANSWER_S) -> list[ReasonCode]:
        """Publishes at QoS 1 and returns the answers that came in time; MQTT 3.1.1 knows no answer but yes."""
        properties = make_properties(PacketTypes.PUBLISH, MessageExpiryInterval=_EXPIRY_S) if self._v5 else None
        mids = {self._client.publish(topic, payload, qos=1, properties=properties).mid for payload in payloads}
        self.wait(lambda: mids <= self._published.keys(), timeout_s)
        return [self._published[mid] for mid in mids & self._published.keys()]


def make_properties(packet: int, **values: int) -> Properties:
    """Properties of a packet of MQTT 5, by their names in the standard without blanks."""
    properties = Properties(packet)  # type: ignore[no-untyped-call] # paho left it without types
    for name, value in values.items():
        setattr(properties, name, value)
    return properties
