"""What systemd hears, over a real socket."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector import service


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        sock.bind("\0" + path if request.param == "abstract" else path)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + path if request.param == "abstract" else path)
        yield sock


def test_what_is_told_arrives(systemd: socket.socket) -> None:
    service.notify("READY=1")
    service.notify("STOPPING=1")
    assert [systemd.recv(100), systemd.recv(100)] == [b"READY=1", b"STOPPING=1"]


def test_where_nobody_listens_nothing_happens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    service.notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    service.notify("READY=1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("usec", "pid", "expected"),
    [
        (None, None, None),
        ("", None, None),
        ("30000000", None, 15.0),
        pytest.param("500000", str(os.getpid()), 0.25, id="ours"),
        ("30000000", "1", None),  # meant for another process
    ],
)
def test_a_sign_of_life_is_due_twice_as_often_as_systemd_demands(
    monkeypatch: pytest.MonkeyPatch,
    usec: str | None,
    pid: str | None,
    expected: float | None,
) -> None:
    for name, value in (("WATCHDOG_USEC", usec), ("WATCHDOG_PID", pid)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert service.watchdog_s() == expected


LIFE = """
import os, signal, threading
from collector import service

def linger():
    began.set()
    threading.Event().wait()

began = threading.Event()
with service.holding_signals():
    threading.Thread(target=linger, daemon=True).start()  # as a library does
    began.wait()
    os.kill(os.getpid(), signal.SIGHUP)
    print(service.await_order(10))
    os.kill(os.getpid(), signal.SIGTERM)
    print(service.await_order(10), service.await_order(0))
    os.kill(os.getpid(), signal.SIGTERM)
print("ended", signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""


def test_orders_wait_until_they_are_asked_for_whatever_threads_there_are() -> None:
    life = subprocess.run([sys.executable, "-c", LIFE], capture_output=True, text=True, timeout=60, check=True)
    assert life.stdout.splitlines() == ["reload", "stop None", "ended set()"]
