"""The demo's MQTT broker: amqtt in a child process, on loopback only.

amqtt 0.12 was read for what it can and cannot do (MQTT 3.1.1 only, everything in memory):

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
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from collector.errors import CollectorError

START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 3
READY = b"ready\n"


def find_free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class EmbeddedBroker:
    """The broker's process; used with `with`. It ends with its parent, even one that is killed.

    Attributes:
        url: where it listens: mqtt://127.0.0.1:PORT.
        log: the file that gets its warnings.
    """

    def __init__(self, port: int, log: Path) -> None:
        self.url = f"mqtt://127.0.0.1:{port}"
        self.log = log
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Starts it and waits until it listens.

        Raises:
            CollectorError: it did not start; its log says why.
        """
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no text from outside
                [sys.executable, "-m", "collector.simulation.broker", "--port", str(self._port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # so that Ctrl-C ends the daemon first, then the broker
            )
        if self._process.stdout is None or self._process.stdout.readline() != READY:
            self._end()
            raise CollectorError(f"the demo's broker did not start on port {self._port}; {self.log} says why")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends it."""
        self._end()

    def _end(self) -> None:
        process = self._process
        if process is None:
            return
        try:
            process.communicate(timeout=STOP_TIMEOUT_S)  # closes its input, which tells it to end
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        self._process = None


async def serve(port: int) -> None:
    """Runs the broker until standard input ends, which it also does when the parent is killed."""
    from amqtt.broker import Broker  # noqa: PLC0415 - slow to import, and only the child needs it
    from amqtt.contexts import BrokerConfig, ListenerConfig  # noqa: PLC0415 - likewise

    broker = Broker(
        BrokerConfig(
            listeners={"default": ListenerConfig(bind=f"127.0.0.1:{port}")},
            # The plugin lets everybody in who gives a user name.
            plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": False}},
        ),
    )
    await broker.start()
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    await asyncio.to_thread(sys.stdin.buffer.read)
    await broker.shutdown()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(serve(parser.parse_args().port))
