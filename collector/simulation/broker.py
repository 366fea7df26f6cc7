"""Starts and ends the demo's broker, a child process."""

import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from collector.errors import CollectorError

READY = b"ready\n"
"""What the child says when it listens."""

_STOP_TIMEOUT_S = 3


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
                [sys.executable, "-m", "collector.simulation.brokerprocess", "--port", str(self._port)],
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
            process.communicate(timeout=_STOP_TIMEOUT_S)  # closes its input, which tells it to end
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        self._process = None
