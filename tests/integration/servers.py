"""Real servers for tests and benchmarks: children on free loopback ports, with their files in a folder of their own."""

import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

_START_S = 30.0
_STOP_S = 20.0


def wait_until(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    """Asks again and again until the condition holds.

    Raises:
        TimeoutError: it did not within the time.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"still not so after {timeout_s} s")
        time.sleep(0.01)


def find_free_port() -> int:
    """A TCP port on loopback that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def find_program(name: str) -> str:
    """Where a server's program is.

    Raises:
        FileNotFoundError: it is not installed.
    """
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if path is None:
        raise FileNotFoundError(f"{name} is not installed, and these tests need it: run scripts/install-servers")
    return path


class Server(ABC):
    """One server; a context in which it runs. It keeps its port and its files when it is started again.

    Attributes:
        folder: holds its configuration, its data and its log.
        port: on 127.0.0.1.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = find_free_port()
        self._child: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """What to run."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it serves; OSError says no, too."""

    @property
    def pid(self) -> int:
        """Of the child."""
        assert self._child is not None, "it was not started"
        return self._child.pid

    def start(self) -> None:
        """Starts it and waits until it serves.

        Raises:
            RuntimeError: it ended, or did not serve in time; with the end of its log.
        """
        log = self.folder / "log"
        with log.open("ab") as output:
            self._child = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        deadline = time.monotonic() + _START_S
        while not self._serves():
            if self._child.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{type(self).__name__} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    def _serves(self) -> bool:
        try:
            return self.is_ready()
        except OSError:
            return False

    def stop(self) -> None:
        """Asks it to end, and waits."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._child is None:
            return
        self._child.send_signal(number)
        try:
            self._child.wait(_STOP_S)
        finally:
            self._child.kill()
            self._child.wait()
            self._child = None

    def pause(self) -> None:
        """It keeps its connections and answers nothing, as if the network were gone."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Ends a pause."""
        os.kill(self.pid, signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            self.resume()
        self.stop()

    def request(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        """One HTTP request without credentials; status and body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


class Mosquitto(Server):
    """The MQTT broker. It keeps sessions and queues over a restart, and no limit drops messages from a queue."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        """`extra` are further lines of mosquitto.conf, for passwords, ACLs, TLS or limits."""
        super().__init__(folder)
        self.extra = extra

    @property
    def url(self) -> str:
        """For the settings."""
        return f"mqtt://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """Writes mosquitto.conf; autosave makes even a killed broker forget little."""
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"user {getpass.getuser()}",
            "persistence true",
            f"persistence_location {self.folder}/",
            "autosave_interval 1",
            "max_queued_messages 1000000",
            "sys_interval 1",
            "set_tcp_nodelay true",
            *([] if "allow_anonymous" in self.extra else ["allow_anonymous true"]),
            self.extra,
        ]
        configuration = self.folder / "mosquitto.conf"
        configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return [find_program("mosquitto"), "-c", str(configuration)]

    def is_ready(self) -> bool:
        """It accepts connections."""
        socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        return True


class InfluxDB(Server):
    """InfluxDB 1.x."""

    def __init__(self, folder: Path, http: str = "") -> None:
        """`http` are further lines for the part [http] of its configuration."""
        super().__init__(folder)
        self.http = http
        self._control_port = find_free_port()

    @property
    def url(self) -> str:
        """For the settings."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """Writes influxdb.conf."""
        configuration = self.folder / "influxdb.conf"
        configuration.write_text(
            f"""reporting-disabled = true
bind-address = "127.0.0.1:{self._control_port}"
[meta]
  dir = "{self.folder}/meta"
[data]
  dir = "{self.folder}/data"
  wal-dir = "{self.folder}/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{self.port}"
  log-enabled = false
  {self.http}
[logging]
  level = "warn"
""",
            encoding="utf-8",
        )
        return [find_program("influxd"), "-config", str(configuration)]

    def is_ready(self) -> bool:
        """It answers a ping."""
        return self.request("GET", "/ping")[0] == 204

    def ask(self, database: str, text: str, **parameters: str) -> list[dict[str, Any]]:
        """The tables that answer InfluxQL, times in ns; parameters such as `u` and `p`."""
        form = urlencode({"db": database, "q": text, "epoch": "ns", **parameters})
        status, body = self.request("POST", f"/query?{form}")
        assert status == 200, body
        tables: list[dict[str, Any]] = []
        for result in json.loads(body)["results"]:
            assert "error" not in result, result
            tables += result.get("series", [])
        return tables

    def rows(self, database: str, measurement: str) -> list[dict[str, Any]]:
        """Everything in a measurement, tags and fields alike, oldest first; what a row has not is left out."""
        statement = f'SELECT * FROM "{measurement}"'  # noqa: S608 - a test's own name
        return [
            {name: value for name, value in zip(table["columns"], row, strict=True) if value is not None}
            for table in self.ask(database, statement)
            for row in table["values"]
        ]


class VictoriaMetrics(Server):
    """VictoriaMetrics, single node, set as Siteward needs it: nothing expires, what is sent twice is kept once."""

    @property
    def url(self) -> str:
        """For the settings."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """All of its settings are on the command line."""
        return [
            find_program("victoria-metrics"),
            f"-storageDataPath={self.folder}/data",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            "-retentionPeriod=100y",
            "-dedup.minScrapeInterval=1ms",
            "-search.latencyOffset=0s",
            "-search.disableCache",
        ]

    def is_ready(self) -> bool:
        """It says that it is well."""
        return self.request("GET", "/health")[0] == 200

    def export(self, **labels: str) -> dict[tuple[str, str], list[tuple[int, float]]]:
        """What is stored under labels, each sample once: (metric, device) to times in ms and values."""
        self.request("GET", "/internal/force_flush")
        selector = ",".join(f"{name}={json.dumps(value)}" for name, value in labels.items())
        query = urlencode({"match[]": f"{{{selector}}}"})
        status, body = self.request("GET", f"/api/v1/export?{query}")
        assert status == 200, body
        found: dict[tuple[str, str], list[tuple[int, float]]] = {}
        for series in map(json.loads, body.splitlines()):
            key = (series["metric"]["__name__"], series["metric"].get("device", ""))
            found.setdefault(key, []).extend(zip(series["timestamps"], series["values"], strict=True))
        return found
