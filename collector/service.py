"""What systemd, or whoever started us, says and wants to hear: signals, sd_notify(3), the watchdog."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

_ORDERS: dict[int, Literal["stop", "reload"]] = {
    signal.SIGTERM: "stop",
    signal.SIGINT: "stop",
    signal.SIGHUP: "reload",
}


@contextmanager
def holding_signals() -> Iterator[None]:
    """Keeps orders for `await_order` while the block lasts, so that they interrupt nothing.

    It is to begin before there is any other thread. A thread has the mask of the one that started it, and a library
    that we load may start some: one that did not hold signals would take them, and SIGTERM would end the process.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ORDERS)
    try:
        yield
    finally:
        while await_order(0):
            pass  # whoever asks again while we end has been heard
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def await_order(seconds: float) -> Literal["stop", "reload"] | None:
    """The next order, of those that come while signals are held; None where none comes in time."""
    received = signal.sigtimedwait(_ORDERS, seconds)
    return _ORDERS[received.si_signo] if received is not None else None


def notify(state: str) -> None:
    """Sends `READY=1`, `STOPPING=1`, `WATCHDOG=1`, `STATUS=…`; nothing where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock, suppress(OSError):
        sock.sendto(state.encode(), address)


def watchdog_s() -> float | None:
    """How often systemd wants a sign of life (half of its limit), None where it wants none."""
    limit = os.environ.get("WATCHDOG_USEC")
    if not limit or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(limit) / 2_000_000
