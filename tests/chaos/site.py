"""A whole site for chaos tests: broker, InfluxDB, a configuration, the daemon as a process, and a stream to count."""

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.load import connect, encode, send
from tests.integration.servers import InfluxDB, Mosquitto, find_free_port, wait_until

DEVICES = 49  # odd, so that each device sends messages with and without a time


class Site:
    """One site of that name; the stream numbers its messages in the point energy_import_kwh."""

    def __init__(self, folder: Path, name: str, broker: Mosquitto, database: InfluxDB) -> None:
        self.name = name
        self.broker = broker
        self.database = database
        self.http_port = find_free_port()
        self.config = folder / "config"
        self.config.mkdir()
        self.log = folder / "daemon.log"
        (self.config / "siteward.yaml").write_text(
            f"""site: {{id: {name}}}
data_dir: ../data
mqtt: {{url: "{self.broker.url}", client_id: siteward-{name}}}
store: {{kind: influxdb, api: v1, url: "{self.database.url}", database: {name}}}
http: {{listen: "127.0.0.1:{self.http_port}"}}
""",
            encoding="utf-8",
        )
        rows = "\n".join(f"em-{number:02},electricity_meter" for number in range(DEVICES))
        (self.config / "devices.csv").write_text(f"id,kind\n{rows}\n", encoding="utf-8")
        self._zero_ms = int(time.time() * 1000) - 3_600_000
        self.daemon: subprocess.Popen[bytes] | None = None

    def start_daemon(self, *script: str) -> None:
        """Starts the daemon, or a script that runs it."""
        command = [sys.executable, *(script or ("-m", "collector.cli", "run", "--config", str(self.config)))]
        with self.log.open("ab") as log:
            self.daemon = subprocess.Popen(command, stdout=log, stderr=log)

    def kill_daemon(self) -> None:
        """As a power cut would."""
        if self.daemon is not None:
            self.daemon.kill()
            self.daemon.wait()

    def stop_daemon(self) -> int:
        """Asks it to end; the exit code."""
        assert self.daemon is not None
        self.daemon.terminate()
        return self.daemon.wait(10)

    def await_subscription(self) -> None:
        """Waits until the broker holds the daemon's session, so that nothing published from now on can be lost."""
        wait_until(lambda: self.log.exists() and b'"subscribed"' in self.log.read_bytes(), 20)

    def publish(self, numbers: range) -> None:
        """Publishes messages at QoS 1 and waits until the broker has acknowledged them.

        Even numbers carry a time of their own, odd ones get their arrival.
        """
        packets = []
        for number in numbers:
            moment = f'"time":{self._zero_ms + number},' if number % 2 == 0 else ""
            payload = f'{{{moment}"energy_import_kwh":{number}.5,"power_kw":1.5}}'
            topic = f"siteward/{self.name}/em-{number % DEVICES:02}/readings"
            packets.append(encode(topic, payload.encode(), number % 65535 + 1))
        with connect(self.broker.port) as sock:
            send(sock, packets, 0)

    def stored(self) -> int:
        """Rows in the database."""
        tables = self.database.ask(self.name, "SELECT count(energy_import_kwh) FROM electricity_meter")
        return int(tables[0]["values"][0][1]) if tables else 0

    def numbers(self) -> list[int]:
        """The number of each row in the database, in order."""
        rows = self.database.rows(self.name, "electricity_meter")
        return sorted(int(row["energy_import_kwh"] - 0.5) for row in rows)
