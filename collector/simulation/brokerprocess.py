"""The demo's broker process: amqtt on loopback, until standard input ends.

amqtt 0.12 was read for what it can and cannot do (MQTT 3.1.1 only, everything in memory):

- It reads a CONNECT of MQTT 5 as one of 3.1.1, waits for bytes that never come, and answers nothing. So connections
  are accepted here, and other versions refused at once, as 3.1.1 asks for: then clients fall back.
- A client without a user name has no session: amqtt keeps nothing for it while it is away, and forgets its
  subscriptions within a second. So this broker asks for a user name, any one; it has no password to check.
- It holds no message back. A subscriber gets everything at once; what it has not acknowledged within five seconds is
  forgotten (the log then says `Timeout waiting for PUBACK`) and is not sent again on a reconnect.
- What it kept for a client that was away arrives with the RETAIN flag set, and before it answers a SUBSCRIBE.

None of it is good enough for a site, all of it is for a demo on one machine.
"""

import argparse
import asyncio
import logging
import sys
from functools import partial

from amqtt.adapters import StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType

from collector.simulation.broker import READY

_LISTENER = "default"
_MQTT_3_1_1 = 4
_UNSUPPORTED_VERSION = b"\x20\x02\x00\x01"
"""CONNACK with return code 1 (MQTT 3.1.1, 3.2)."""


async def serve(port: int) -> None:
    """Runs the broker until standard input ends, which it also does when the parent is killed."""
    broker = Broker(
        BrokerConfig(
            listeners={_LISTENER: ListenerConfig(type=ListenerType.EXTERNAL)},
            # The plugin lets everybody in who gives a user name.
            plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": False}},
        ),
    )
    await broker.start()
    server = await asyncio.start_server(partial(_accept, broker), "127.0.0.1", port)
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    await asyncio.to_thread(sys.stdin.buffer.read)
    server.close()
    await broker.shutdown()


class _Reader:
    """An amqtt ReaderAdapter that first hands out again what was read of the connection before."""

    def __init__(self, reader: asyncio.StreamReader, head: bytes) -> None:
        self._reader = reader
        self._head = head

    async def read(self, n: int) -> bytes:
        """The next n bytes."""
        served, self._head = self._head[:n], self._head[n:]
        return served if len(served) == n else served + await self._reader.readexactly(n - len(served))

    def feed_eof(self) -> None:
        """Ends it."""
        self._reader.feed_eof()


async def _accept(broker: Broker, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hands a connection to amqtt where it speaks MQTT 3.1.1."""
    try:
        head = await _read_head(reader)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
        return
    if head[-1] == _MQTT_3_1_1:
        await broker.external_connected(_Reader(reader, head), StreamWriterAdapter(writer), _LISTENER)
    else:
        writer.write(_UNSUPPORTED_VERSION)
        writer.close()


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    """A CONNECT up to its protocol level: type, remaining length, protocol name, level (MQTT 3.1.1, 3.1)."""
    head = await reader.readexactly(2)
    while head[-1] >= 0x80 and len(head) < 5:  # noqa: PLR2004 - the remaining length has one to four bytes
        head += await reader.readexactly(1)
    size = await reader.readexactly(2)
    return head + size + await reader.readexactly(int.from_bytes(size) + 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(serve(parser.parse_args().port))
