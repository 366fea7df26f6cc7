"""The client in large pieces against paho's own, on the same bytes."""

import inspect
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from collector.mqtt import Client, Message, Protocol

VERSIONS = [Protocol.MQTTv5, Protocol.MQTTv311]


def length(number: int) -> bytes:
    out = bytearray()
    while True:
        number, digit = divmod(number, 128)
        out.append(digit | 0x80 if number else digit)
        if not number:
            return bytes(out)


def publish(topic: bytes, payload: bytes, mid: int, *, flags: int, v5: bool, properties: bytes = b"") -> bytes:
    body = len(topic).to_bytes(2) + topic
    if mid:
        body += mid.to_bytes(2)
    if v5:
        body += length(len(properties)) + properties
    body += payload
    return bytes([0x30 | flags | (0x02 if mid else 0)]) + length(len(body)) + body


@st.composite
def packets(draw: st.DrawFn) -> tuple[bool, list[bytes]]:
    v5 = draw(st.booleans())
    topics = st.text(st.characters(exclude_characters="\0+#", exclude_categories=["Cs"]), min_size=1, max_size=30)
    found = []
    for _ in range(draw(st.integers(1, 8))):
        expiry = b"\x02" + draw(st.binary(min_size=4, max_size=4))  # message expiry interval
        found.append(
            draw(
                st.one_of(
                    st.just(b"\xd0\x00"),  # PINGRESP
                    st.builds(
                        publish,
                        topics.map(str.encode),
                        st.binary(max_size=400),
                        st.integers(0, 65535),
                        flags=st.sampled_from([0, 0x01, 0x08, 0x09]),
                        v5=st.just(v5),
                        properties=st.sampled_from([b"", expiry]),
                    ),
                ),
            ),
        )
    return v5, found


def ours(v5: bool) -> Client:
    return Client("test", Protocol.MQTTv5 if v5 else Protocol.MQTTv311)


def pahos(v5: bool) -> paho.Client:
    return paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id="test",
        clean_session=None if v5 else False,
        protocol=Protocol.MQTTv5 if v5 else Protocol.MQTTv311,
        manual_ack=True,
    )


@pytest.fixture
def wire() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    near.setblocking(False)
    with closing(near), closing(far):
        yield near, far


@given(packets(), st.lists(st.integers(1, 60), max_size=40))
def test_it_reads_what_paho_reads_however_the_bytes_are_cut(
    stream: tuple[bool, list[bytes]],
    cuts: list[int],
) -> None:
    v5, parts = stream
    data = b"".join(parts)
    expected: list[tuple[str, bytes, int, bool, bool]] = []
    found: list[Message] = []
    stock, mine = pahos(v5), ours(v5)
    stock.on_message = lambda _c, _u, m: expected.append((m.topic, bytes(m.payload), m.mid, m.dup, m.retain))
    for client in (stock, mine):
        near, far = socket.socketpair()
        near.setblocking(False)
        client._sock = near
        at = 0
        with closing(near), closing(far):
            for size in [*cuts, len(data)]:
                far.sendall(data[at : at + size])
                at += size
                if isinstance(client, Client):
                    found += client.receive()
                else:
                    for _ in range(2 * len(parts)):
                        client.loop_read()
    assert [(m.topic, m.payload, m.mid, m.dup, m.retain) for m in found] == [
        (topic, payload, mid, bool(dup), bool(retain)) for topic, payload, mid, dup, retain in expected
    ]
    assert mine.pongs == parts.count(b"\xd0\x00")


@pytest.mark.parametrize("protocol", VERSIONS)
def test_acknowledgements_leave_in_one_write_and_in_order(
    wire: tuple[socket.socket, socket.socket],
    protocol: Protocol,
) -> None:
    near, far = wire
    client = Client("test", protocol)
    client._sock = near
    client.acknowledge([1, 258, 65535])
    assert far.recv(100) == b"\x40\x02\x00\x01\x40\x02\x01\x02\x40\x02\xff\xff"


@pytest.mark.parametrize(
    "broken",
    [
        b"\x32\xff\xff\xff\xff\x01",  # a remaining length of five bytes
        b"\x30\x01\x00",  # a PUBLISH that ends within its topic's length
        b"\x30\x04\x00\x09ab",  # a topic longer than its packet
        b"\x32\x04\x00\x01a\x00",  # half a packet identifier
        b"\x34\x07\x00\x01a\x00\x01xy",  # QoS 2, which was not asked for
        b"\x30\x03\x00\x00x",  # no topic
    ],
)
def test_broken_packets_end_the_connection_and_nothing_else(
    wire: tuple[socket.socket, socket.socket],
    broken: bytes,
) -> None:
    near, far = wire
    client = ours(v5=False)
    client._sock = near
    good = publish(b"a", b"1", 7, flags=0, v5=False)
    far.sendall(good + broken)
    assert [message.mid for message in client.receive()] == [7]
    assert client.socket() is None


def test_a_redelivery_has_the_same_key_and_nothing_else_has() -> None:
    def read(data: bytes) -> Message:
        near, far = socket.socketpair()
        near.setblocking(False)
        client = ours(v5=False)
        client._sock = near
        with closing(near), closing(far):
            far.sendall(data)
            return client.receive()[0]

    first = read(publish(b"t", b"1", 5, flags=0, v5=False))
    again = read(publish(b"t", b"1", 5, flags=0x08, v5=False))
    assert (first.key, first.dup) == (again.key, False)
    assert again.dup
    assert first.key != read(publish(b"t", b"1", 6, flags=0, v5=False)).key
    assert first.key != read(publish(b"t", b"2", 5, flags=0, v5=False)).key
    assert first.key != read(publish(b"u", b"1", 5, flags=0, v5=False)).key


def test_a_packet_across_many_pieces_is_read_once_it_is_whole(wire: tuple[socket.socket, socket.socket]) -> None:
    near, far = wire
    client = ours(v5=False)
    client._sock = near
    payload = bytes(range(256)) * 4000
    data = publish(b"big", payload, 1, flags=0, v5=False)
    found: list[Message] = []
    for at in range(0, len(data), 50_000):
        far.sendall(data[at : at + 50_000])
        found += client.receive()
    assert [message.payload for message in found] == [payload]


def test_the_parts_of_paho_that_are_used_here_are_still_there() -> None:
    client = pahos(v5=True)
    assert {"_sock", "_state", "_ping_t", "_last_msg_out", "_keepalive", "_in_packet"} <= vars(client).keys()
    signatures = {
        name: list(inspect.signature(getattr(paho.Client, name)).parameters)
        for name in ("_sock_recv", "_sock_close", "_packet_read", "_packet_queue", "_loop_rc_handle",
                     "_send_pingreq", "_sock_send", "_handle_pingresp")
    }  # fmt: skip
    assert signatures == {
        "_sock_recv": ["self", "bufsize"],
        "_sock_close": ["self"],
        "_packet_read": ["self"],
        "_packet_queue": ["self", "command", "packet", "mid", "qos", "info"],
        "_loop_rc_handle": ["self", "rc"],
        "_send_pingreq": ["self"],
        "_sock_send": ["self", "buf"],
        "_handle_pingresp": ["self"],
    }
    # One packet a call, read by _sock_recv alone: what serving it from a buffer stands on.
    source = inspect.getsource(paho.Client._packet_read)
    assert source.count("self._sock_recv(") == 3
    assert "self._sock.recv" not in source
