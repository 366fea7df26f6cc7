"""What systemd wants to hear: sd_notify(3) and the watchdog."""

import os
import socket
from contextlib import suppress


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
