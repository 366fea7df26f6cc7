"""A paho client that reads the socket in large pieces, takes PUBLISH packets from them, and acknowledges in bulk.

Everything else of the protocol stays paho's. tests/collector/test_mqtt.py compares this client with paho's own on the
same bytes and names every inner part of paho that is used here, so that a change underneath fails there first.
"""

import os
import socket
import ssl
import time
import zlib
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import TypeAlias

from msgspec import Struct
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from collector.secrets import mqtt_password
from collector.settings import Mqtt

Protocol: TypeAlias = MQTTProtocolVersion

_PIECE_BYTES = 256 * 1024
_PATIENCE_S = 0.5
_PUBLISH = 0x30
_PUBACK = 0x40


def make_tls_context(settings: Mqtt) -> ssl.SSLContext:
    """What we trust and what we show.

    Raises:
        OSError: a file cannot be read or holds something else.
    """
    context = ssl.create_default_context(cafile=settings.ca_file)
    if settings.cert_file:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context


def introduce(client: paho.Client, settings: Mqtt) -> None:
    """Gives a client what the broker wants to see of us: user name and password, certificates.

    Raises:
        CollectorError: the password cannot be read.
        OSError: a file for TLS cannot be read or holds something else.
    """
    if settings.username:
        client.username_pw_set(settings.username, mqtt_password(settings))
    if settings.tls:
        client.tls_set_context(make_tls_context(settings))


class Message(Struct, gc=False):
    """One PUBLISH as it came.

    Attributes:
        topic: topic name.
        payload: application message.
        mid: packet identifier; 0 at QoS 0.
        dup: the broker says that it has sent this before.
        retain: the broker kept it for us; with MQTT 5 also where the publisher asked it to.
        key: tells a redelivery from any other message: packet identifier, CRC-32 of topic and payload.
    """

    topic: str
    payload: bytes
    mid: int
    dup: bool
    retain: bool
    key: int


class _Malformed(Exception):  # noqa: N818 - never leaves this module
    """The bytes break MQTT's rules; the connection cannot go on."""


def _read_out(sock: socket.socket) -> None:
    """Reads until the broker has closed, too: over unread bytes TCP would break off, and the goodbye be lost."""
    with sock, suppress(OSError):
        sock.settimeout(_PATIENCE_S)
        sock.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + _PATIENCE_S
        while sock.recv(_PIECE_BYTES) and time.monotonic() < deadline:
            pass


class Client(paho.Client):
    """One session at a broker, driven by its owner's loop: `receive`, `acknowledge`, `loop_misc`."""

    def __init__(self, client_id: str, protocol: Protocol) -> None:
        """Prepares a session that outlives its connections."""
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if protocol == Protocol.MQTTv5 else False,
            protocol=protocol,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        self._v5 = protocol == Protocol.MQTTv5
        self._rest = bytearray()
        self._needed = 2
        self._served = b""
        self.error: OSError | None = None
        """What broke the connection, where reading failed."""
        self.pongs = 0
        """PINGRESPs seen; each proves that the broker has read all that was sent before the PINGREQ."""

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    def receive(self) -> list[Message]:
        """Takes what the socket holds and returns its messages in the order of receipt, none of them acknowledged.

        Other packets are handled by paho, whose callbacks run meanwhile. A lost connection shows in
        `is_connected()`; messages that came before the loss are returned all the same.
        """
        messages: list[Message] = []
        try:
            self._rest += self._read_pieces()
            if len(self._rest) >= self._needed:
                data = bytes(self._rest)
                end = self._take_packets(data, messages)
                # Callbacks may have closed the connection, which empties the rest.
                del self._rest[:end]
        except BlockingIOError:
            pass
        except (OSError, EOFError) as error:
            self.error = error if isinstance(error, OSError) else None
            self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        except _Malformed:
            self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_PROTOCOL)
        return messages

    def _read_pieces(self) -> bytearray:
        piece = bytearray(super()._sock_recv(_PIECE_BYTES))
        if not piece:
            raise EOFError
        if isinstance(self._sock, ssl.SSLSocket):
            # TLS hands out one record at a time, and a broker may make one of each message.
            with suppress(OSError):  # nothing more for now; a broken connection shows when it is read next
                while len(piece) < _PIECE_BYTES and (more := super()._sock_recv(_PIECE_BYTES)):
                    piece += more
        return piece

    def _take_packets(self, data: bytes, messages: list[Message]) -> int:
        """Handles the complete packets of `data` and returns where the first incomplete one begins."""
        start, size = 0, len(data)
        while True:
            # Fixed header: type and flags, then the remaining length in groups of seven bits (MQTT 5, 2.1).
            at, length, shift, more = start + 1, 0, 0, True
            while more and at < size:
                byte = data[at]
                length |= (byte & 0x7F) << shift
                shift += 7
                at += 1
                more = byte >= 0x80  # noqa: PLR2004 - the continuation bit
                if more and shift > 21:  # noqa: PLR2004 - four bytes at most
                    raise _Malformed
            end = at + length
            if more or end > size:
                self._needed = 2 if more else end - start
                return start
            if data[start] & 0xF0 == _PUBLISH:
                messages.append(self._take_publish(data, data[start], at, end))
            else:
                self._served = data[start:end]
                rc = self._packet_read()
                if rc > 0 or self._sock is None:
                    self._loop_rc_handle(rc)
                    return end
            start = end

    def _take_publish(self, data: bytes, head: int, at: int, end: int) -> Message:
        """Reads one PUBLISH (MQTT 5, 3.3) whose variable header begins at `at`."""
        if at + 2 > end:
            raise _Malformed
        topic_end = at + 2 + (data[at] << 8 | data[at + 1])
        topic = data[at + 2 : topic_end]
        at = topic_end
        mid = 0
        if head & 0x06:
            if head & 0x04 or at + 2 > end:  # QoS 2 was not asked for
                raise _Malformed
            mid = data[at] << 8 | data[at + 1]
            at += 2
        if self._v5:  # properties: none that matters here, topic aliases were not allowed
            length, shift = 0, 0
            while at < end:
                byte = data[at]
                length |= (byte & 0x7F) << shift
                shift += 7
                at += 1
                if byte < 0x80:  # noqa: PLR2004 - the continuation bit
                    break
            at += length
        if at > end or not topic:
            raise _Malformed
        payload = data[at:end]
        key = mid << 32 | zlib.crc32(payload, zlib.crc32(topic))
        return Message(str(topic, "utf-8", "replace"), payload, mid, head & 0x08 != 0, head & 0x01 != 0, key)

    def _sock_recv(self, bufsize: int) -> bytes:
        """Serves paho from the packet at hand, always a whole one."""
        data, self._served = self._served[:bufsize], self._served[bufsize:]
        return data

    def _sock_close(self) -> None:
        """What a former connection left must not be taken for the next one's."""
        self._rest.clear()
        self._needed = 2
        super()._sock_close()

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _sock_send(self, buf: bytes | bytearray) -> int:
        """Leaves the end of a connection to be found by reading, with what the broker said before it, such as why."""
        try:
            return super()._sock_send(buf)
        except OSError as error:
            raise BlockingIOError from error

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Sends a PUBACK for each packet identifier, in order, in one write."""
        packets = b"".join([b"\x40\x02" + mid.to_bytes(2) for mid in mids])
        self._packet_queue(_PUBACK, packets, 0, 1)

    def probe(self) -> bool:
        """Sends a PINGREQ unless one is unanswered; its answer counts in `pongs`. Returns whether it was sent."""
        if self._ping_t or not self.is_connected():
            return False
        return self._send_pingreq() == MQTTErrorCode.MQTT_ERR_SUCCESS

    def stay(self) -> None:
        """Keeps the connection alive while nothing is read, in place of `loop_misc`."""
        if self._sock is not None and time.monotonic() - self._last_msg_out >= self._keepalive / 2:
            self._send_pingreq()
            self._ping_t = 0.0  # the answer waits unread; its absence means nothing

    def hang_up(self) -> None:
        """Writes what is queued, says goodbye and closes, without calling back."""
        self.on_disconnect = None
        with ExitStack() as left:
            if self._sock is not None:
                with suppress(OSError):  # no descriptor is left
                    left.callback(_read_out, socket.socket(fileno=os.dup(self._sock.fileno())))
            self.disconnect()
            self.loop_write()
            self._sock_close()

    def _handle_pingresp(self) -> MQTTErrorCode:
        self.pongs += 1
        return super()._handle_pingresp()
