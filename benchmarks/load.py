"""A load of meter messages: MQTT 3.1.1 packets made beforehand and sent from a bare socket, so that it costs little.

Run as a program by benchmarks/ingest.py: load.py PORT DEVICES MESSAGES RATE (0: as fast as the broker acknowledges).
It connects, prints "ready", waits for a line on standard input, and prints when its first and last message left (ns).
"""

import select
import socket
import sys
import time

TIME_ZERO_MS = 1_795_000_000_000
"""Time of the first message; the following ones of each device are a second apart."""

_WINDOW = 4000
"""Messages on the way that the broker has yet to acknowledge."""
_CHUNK = 250


def payload(number: int, devices: int, zero_ms: int = TIME_ZERO_MS) -> bytes:
    """About 100 bytes with five values and a time, another one for each number."""
    step = number // devices
    values = (
        f'"energy_import_kwh":{1000 + step * 0.1:.1f},"power_kw":{number % 97 / 10:.1f},'
        f'"voltage_v":{228 + number % 40 / 10:.1f},"current_a":{number % 31 / 10:.1f},"frequency_hz":50.0'
    )
    return f'{{"time":{zero_ms + step * 1000},{values}}}'.encode()


def _length(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 0x7F | 0x80, number >> 7])


def encode(topic: str, content: bytes, mid: int) -> bytes:
    """PUBLISH at QoS 1 (MQTT 3.1.1, 3.3)."""
    body = len(topic).to_bytes(2) + topic.encode() + mid.to_bytes(2) + content
    return b"\x32" + _length(len(body)) + body


def packet(number: int, devices: int, zero_ms: int = TIME_ZERO_MS) -> bytes:
    """One message of the load."""
    topic = f"siteward/bench/em-{number % devices:05}/readings"
    return encode(topic, payload(number, devices, zero_ms), number % 65535 + 1)


def connect(port: int) -> socket.socket:
    """A connection that the broker has accepted."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    name = b"load-%d" % time.monotonic_ns()
    body = b"\x00\x04MQTT\x04\x02\x00\x00" + len(name).to_bytes(2) + name
    sock.sendall(b"\x10" + _length(len(body)) + body)
    if sock.recv(4) != b"\x20\x02\x00\x00":
        raise ConnectionError("the broker refused the load's connection")
    return sock


def send(sock: socket.socket, packets: list[bytes], rate: float) -> tuple[int, int]:
    """Sends all packets, waits until they are acknowledged; when the first and the last one left (ns).

    Args:
        sock: a connection.
        packets: in order.
        rate: a second; 0 for as fast as the broker acknowledges.
    """
    begin = last = time.time_ns()
    sent = acknowledged = 0
    chunk = max(1, min(_CHUNK, int(rate / 100))) if rate else _CHUNK
    while acknowledged < len(packets) * 4:
        may_send = sent < len(packets) and sent - acknowledged // 4 < _WINDOW
        if may_send and rate:
            ahead_s = sent / rate - (time.time_ns() - begin) / 1e9
            if ahead_s > 0:
                time.sleep(ahead_s)
        if may_send:
            sock.sendall(b"".join(packets[sent : sent + chunk]))
            sent += chunk
            last = time.time_ns()
        if not may_send or select.select([sock], [], [], 0)[0]:
            data = sock.recv(1 << 20)
            if not data:
                raise ConnectionError("the broker closed the load's connection")
            acknowledged += len(data)
    return begin, last


def main() -> None:
    port, devices, messages, rate = (int(argument) for argument in sys.argv[1:])
    zero_ms = int(time.time() * 1000) - messages // devices * 1000
    packets = [packet(number, devices, zero_ms) for number in range(messages)]
    with connect(port) as sock:
        print("ready", flush=True)
        sys.stdin.readline()
        begin, last = send(sock, packets, rate)
    print(begin, last, flush=True)


if __name__ == "__main__":
    main()
