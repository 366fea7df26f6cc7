"""A connection to the broker that asks one thing at a time and waits for the answer: doctor's way to examine it."""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import NamedTuple, Self

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from collector.errors import CollectorError
from collector.secrets import mqtt_password
from collector.settings import Mqtt

ANSWER_S = 3.0
"""Longest wait for one answer."""

_KEEPALIVE_S = 5
_RECEIVE_MAXIMUM = 65_535
_CREDENTIALS_REFUSED = {"Bad user name or password", "Not authorized"}


class BrokerTrouble(CollectorError):  # noqa: N818 - names the state of the broker
    """The broker cannot be reached, or does not do what it was asked."""


class WrongProtocol(BrokerTrouble):
    """The broker does not know this version of MQTT, or hangs up as brokers do that do not."""


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


class Conversation:
    """One connection, used with `with`. Every wait is bounded.

    Attributes:
        resumed: the broker knew this session already.
        terms: what the broker answered to CONNECT; empty with MQTT 3.1.1.
        messages: (topic, payload) in the order of arrival, acknowledged.
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
        self.terms = Properties(PacketTypes.CONNACK)
        self.messages: list[tuple[str, bytes]] = []
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
        client.on_message = lambda _client, _data, message: self.messages.append((message.topic, message.payload))
        client.on_subscribe = lambda _client, _data, mid, reasons, _terms: self._granted.update({mid: reasons})
        client.on_publish = lambda _client, _data, mid, reason, _terms: self._published.update({mid: reason})
        return client

    # ── beginning and end ────────────────────────────────────────────────────────────────────────────────────────

    def __enter__(self) -> Self:
        """Connects.

        Raises:
            WrongProtocol: another version of MQTT may work.
            BrokerTrouble: not reached or not let in.
        """
        settings, client = self._settings, self._client
        try:
            if settings.username:
                client.username_pw_set(settings.username, mqtt_password(settings))
            if settings.tls:
                files = (settings.ca_file, settings.cert_file, settings.key_file)
                client.tls_set(*(None if path is None else str(path) for path in files))
            client.connect(settings.host, settings.port, keepalive=_KEEPALIVE_S, **self._ask_terms())
        except (OSError, ValueError, CollectorError) as error:
            raise BrokerTrouble(_explain(error, settings)) from error
        try:
            if self.wait(lambda: self._accepted, ANSWER_S):
                return self
            raise BrokerTrouble(f"{self._where} does not answer within {ANSWER_S:.0f} s; is it an MQTT broker?")
        except BrokerTrouble:
            self._hang_up()
            raise

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

    def _ask_terms(self) -> dict[str, object]:
        if not self._v5:
            return {}
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = self._keep_s
        properties.ReceiveMaximum = _RECEIVE_MAXIMUM
        return {"clean_start": self._keep_s == 0, "properties": properties}

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
            self._end = WrongProtocol(f"{self._where} hangs up before a word; does this port want TLS (mqtts://)?")

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
        _, mid = self._client.subscribe(
            [(name, SubscribeOptions(qos=1, retainHandling=handling) if self._v5 else 1) for name in names],
        )
        if mid is None or not self.wait(lambda: mid in self._granted, ANSWER_S):
            raise BrokerTrouble(f"no answer to a subscription within {ANSWER_S:.0f} s")
        return dict(zip(names, self._granted[mid], strict=True))

    def publish(self, topic: str, payloads: Iterable[bytes], timeout_s: float = ANSWER_S) -> list[ReasonCode]:
        """Publishes at QoS 1 and returns the answers that came in time; MQTT 3.1.1 knows no answer but yes."""
        properties = None
        if self._v5:
            properties = Properties(PacketTypes.PUBLISH)
            properties.MessageExpiryInterval = 60
        mids = {self._client.publish(topic, payload, qos=1, properties=properties).mid for payload in payloads}
        self.wait(lambda: mids <= self._published.keys(), timeout_s)
        return [self._published[mid] for mid in mids & self._published.keys()]

    @property
    def certificate_end(self) -> datetime | None:
        """When the broker's certificate expires, UTC; None without TLS."""
        sock = self._client.socket()
        if not isinstance(sock, ssl.SSLSocket):
            return None
        end = (sock.getpeercert() or {})["notAfter"]
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(end)), UTC)


def _explain(error: Exception, settings: Mqtt) -> str:
    """Why there is no connection, and what to do."""
    where = f"{settings.host}:{settings.port}"
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"{where} shows a certificate that is not trusted: {error.verify_message};"
                " check mqtt.ca_file, the host's name in mqtt.url, and the clock"
            )
        case ssl.SSLError():
            return f"{where} does not speak TLS with us ({error.reason}); check the port, and cert_file with key_file"
        case socket.gaierror():
            return f"the name {settings.host!r} leads nowhere ({error.strerror}); check mqtt.url and the name server"
        case TimeoutError():
            return f"{where} does not answer within {ANSWER_S:.0f} s; check mqtt.url, the network and firewalls"
        case ConnectionRefusedError():
            return f"{where}: nothing listens there; start the broker, or check mqtt.url"
        case OSError(filename=str() as name):
            return f"{name}: {error.strerror}"
    return f"{where}: {error}"
