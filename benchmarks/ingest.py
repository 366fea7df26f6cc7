"""Measures the path of a reading with a real broker and a real database, and prints one table.

1,000 devices, about 100 bytes of JSON with five values, QoS 1, durable journal, rows counted in the database.
Broker, load, database and daemon share this machine. CPU is that of the daemon's process.

    python benchmarks/ingest.py [SCENARIO…]      throughput latency backlog scale
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import orjson
import psutil
import urllib3
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.load import payload
from tests.integration.servers import InfluxDB, Mosquitto, Server, VictoriaMetrics, find_free_port, wait_until

DEVICES = 1000
DATABASE = "bench"
Load: TypeAlias = tuple[Callable[[], None], Callable[[], tuple[int, int]]]
_HERE = Path(__file__).parent
_HTTP = urllib3.PoolManager(retries=False, timeout=5)


class Daemon:
    """`siteward run` as a process of its own."""

    def __init__(self, folder: Path, broker: Mosquitto, database: Server, devices: int = DEVICES) -> None:
        self.folder = folder
        config = folder / "config"
        config.mkdir(parents=True)
        self._port = find_free_port()
        api = (
            f"api: v1, database: {DATABASE}"
            if isinstance(database, InfluxDB)
            else f"api: v2, org: o, bucket: {DATABASE}"
        )
        (config / "siteward.yaml").write_text(
            f"""site: {{id: bench}}
data_dir: ../data
mqtt: {{url: "mqtt://127.0.0.1:{broker.port}", client_id: siteward-bench}}
store: {{kind: influxdb, {api}, url: "http://127.0.0.1:{database.port}"}}
http: {{listen: "127.0.0.1:{self._port}"}}
""",
            encoding="utf-8",
        )
        rows = "\n".join(f"em-{number:05},electricity_meter,A,F{number % 9}" for number in range(devices))
        (config / "devices.csv").write_text(f"id,kind,building,floor\n{rows}\n", encoding="utf-8")

    @contextmanager
    def running(self) -> Iterator[psutil.Process]:
        """Runs until the block ends; it begins when the daemon is ready."""
        command = [sys.executable, "-m", "collector.cli", "run", "--config", str(self.folder / "config")]
        begin = time.monotonic()
        with (self.folder / "log").open("ab") as log:
            child = subprocess.Popen(command, stdout=log, stderr=log, cwd=_HERE.parent)
        try:
            wait_until(self._is_ready, 30)
            self.start_s = time.monotonic() - begin
            yield psutil.Process(child.pid)
        finally:
            child.terminate()
            child.wait(10)

    def _is_ready(self) -> bool:
        try:
            return _HTTP.request("GET", f"http://127.0.0.1:{self._port}/readyz").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def wait(self, name: str, value: float) -> None:
        """Waits until a figure of /metrics has come so far; asks rarely, because answering costs the daemon CPU."""
        deadline = time.monotonic() + 120
        while self.figures()[name] < value:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} did not reach {value}")
            time.sleep(0.1)

    def figures(self) -> dict[str, float]:
        """What /metrics says."""
        text = _HTTP.request("GET", f"http://127.0.0.1:{self._port}/metrics").data.decode()
        return {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if not line.startswith("#")}


@contextmanager
def load(broker: Mosquitto, devices: int, messages: int, rate: int) -> Iterator[Load]:
    """A load in a process of its own: the first function lets it run, the second returns when its messages left."""
    arguments = [sys.executable, str(_HERE / "load.py"), *map(str, (broker.port, devices, messages, rate))]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        stdin, stdout = child.stdin, child.stdout
        assert stdin is not None
        assert stdout is not None
        stdout.readline()

        def go() -> None:
            stdin.write("go\n")
            stdin.flush()

        def done() -> tuple[int, int]:
            begin, last = stdout.readline().split()
            return int(begin), int(last)

        yield go, done


def count_rows(database: Server) -> int:
    """Rows in the database."""
    if isinstance(database, InfluxDB):
        tables = database.ask(DATABASE, "SELECT count(energy_import_kwh) FROM electricity_meter")
        return int(tables[0]["values"][0][1]) if tables else 0
    database.request("GET", "/internal/force_flush")
    query = "/api/v1/query?query=sum(count_over_time(electricity_meter_energy_import_kwh[30d]))"
    result = orjson.loads(database.request("GET", query)[1])["data"]["result"]
    return int(result[0]["value"][1]) if result else 0


def measure_throughput(folder: Path, kind: type[Server], messages: int) -> dict[str, object]:
    """As fast as it goes: from the first message sent to the last row stored."""
    with Mosquitto(folder / "broker") as broker, kind(folder / "database") as database:
        daemon = Daemon(folder / "daemon", broker, database)
        with daemon.running() as process, load(broker, DEVICES, messages, 0) as (go, done):
            before = process.cpu_times()
            go()
            begin, _ = done()
            daemon.wait("siteward_messages_total", messages)
            committed_s = (time.time_ns() - begin) / 1e9
            daemon.wait("siteward_stored_total", messages)
            stored_s = (time.time_ns() - begin) / 1e9
            after = process.cpu_times()
            memory = process.memory_info().rss
            rows = count_rows(database)
    cpu_s = after.user + after.system - before.user - before.system
    return {
        "scenario": f"throughput, {kind.__name__}",
        "messages/s": round(messages / committed_s),
        "to the last row /s": round(messages / stored_s),
        "µs CPU a message": round(cpu_s / messages * 1e6, 1),
        "rows": f"{rows:,} of {messages:,}",
        "memory MB": round(memory / 1e6),
    }


def measure_latency(folder: Path, rate: int, seconds: int) -> dict[str, object]:
    """At a steady rate: from sending until a query finds it, polled every 20 ms."""
    messages = rate * seconds
    with Mosquitto(folder / "broker") as broker, InfluxDB(folder / "database") as database:
        daemon = Daemon(folder / "daemon", broker, database)
        with daemon.running() as process, load(broker, DEVICES, messages, rate) as (go, done):
            before = process.cpu_times()
            go()
            begin_s, seen = time.time(), 0
            delays: list[float] = []
            while seen < messages and time.time() < begin_s + seconds + 30:
                asked_s = time.time()
                rows = count_rows(database)
                # The k-th row to appear is compared with the k-th message to leave.
                delays += [asked_s - begin_s - number / rate for number in range(seen, rows)]
                seen = rows
                time.sleep(0.02)
            done()
            after = process.cpu_times()
    delays.sort()
    cpu_s = after.user + after.system - before.user - before.system
    return {
        "scenario": f"{rate:,} messages/s for {seconds} s",
        "rows": f"{seen:,} of {messages:,}",
        "µs CPU a message": round(cpu_s / messages * 1e6, 1),
        "queryable after s (50 %)": round(delays[len(delays) // 2], 2),
        "queryable after s (99 %)": round(delays[int(len(delays) * 0.99)], 2),
    }


def measure_backlog(folder: Path, kind: type[Server], messages: int) -> dict[str, object]:
    """What waited during an outage of the database: how fast it is drained afterwards."""
    with Mosquitto(folder / "broker") as broker, kind(folder / "database") as database:
        daemon = Daemon(folder / "daemon", broker, database)
        with daemon.running() as process, load(broker, DEVICES, messages, 0) as (go, done):
            database.stop()
            go()
            done()
            daemon.wait("siteward_messages_total", messages)
            database.start()
            daemon.wait("siteward_stored_total", 1)
            begin, first = time.monotonic(), daemon.figures()["siteward_stored_total"]
            before = process.cpu_times()
            daemon.wait("siteward_stored_total", messages)
            drained_s = time.monotonic() - begin
            after = process.cpu_times()
            rows = count_rows(database)
    cpu_s = after.user + after.system - before.user - before.system
    return {
        "scenario": f"backlog, {kind.__name__}",
        "to the last row /s": round((messages - first) / drained_s),
        "µs CPU a message": round(cpu_s / (messages - first) * 1e6, 1),
        "rows": f"{rows:,} of {messages:,}",
    }


def measure_scale(folder: Path, devices: int) -> dict[str, object]:
    """Start and memory with a large register, after every device has reported."""
    with Mosquitto(folder / "broker") as broker, InfluxDB(folder / "database") as database:
        daemon = Daemon(folder / "daemon", broker, database, devices)
        with daemon.running() as process, load(broker, devices, devices * 2, 0) as (go, done):
            go()
            done()
            daemon.wait("siteward_stored_total", devices * 2)
            memory = process.memory_info().rss
    return {
        "scenario": f"{devices:,} devices",
        "start s": round(daemon.start_s, 2),
        "memory MB": round(memory / 1e6),
    }


def measure_telegraf(folder: Path, messages: int) -> dict[str, object]:
    """The same load through Telegraf, where it is installed."""
    if shutil.which("telegraf") is None:
        return {"scenario": "telegraf: not installed"}
    with Mosquitto(folder / "broker") as broker, InfluxDB(folder / "database") as database:
        database.ask("", f"CREATE DATABASE {DATABASE}")
        settings = folder / "telegraf.conf"
        settings.write_text(
            f"""[agent]
  metric_batch_size = 5000
  metric_buffer_limit = 1000000
  flush_interval = "1s"
[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:{broker.port}"]
  topics = ["siteward/bench/+/readings"]
  qos = 1
  persistent_session = true
  client_id = "telegraf-bench"
  max_undelivered_messages = 10000
  data_format = "json_v2"
  [[inputs.mqtt_consumer.json_v2]]
    measurement_name = "electricity_meter"
    timestamp_path = "time"
    timestamp_format = "unix_ms"
    [[inputs.mqtt_consumer.json_v2.object]]
      path = "@this"
      excluded_keys = ["time"]
[[outputs.influxdb]]
  urls = ["http://127.0.0.1:{database.port}"]
  database = "{DATABASE}"
""",
            encoding="utf-8",
        )
        child = subprocess.Popen(["telegraf", "--config", str(settings), "--quiet"])  # noqa: S607 - as it is on the PATH
        try:
            process = psutil.Process(child.pid)
            time.sleep(3)  # it does not say when it has subscribed
            with load(broker, DEVICES, messages, 0) as (go, done):
                before = process.cpu_times()
                go()
                begin, _ = done()
                wait_until(lambda: count_rows(database) >= messages, 180)
                stored_s = (time.time_ns() - begin) / 1e9
                after = process.cpu_times()
            memory = process.memory_info().rss
        finally:
            child.terminate()
            child.wait(10)
    cpu_s = after.user + after.system - before.user - before.system
    return {
        "scenario": "throughput, Telegraf (no durable journal)",
        "to the last row /s": round(messages / stored_s),
        "µs CPU a message": round(cpu_s / messages * 1e6, 1),
        "memory MB": round(memory / 1e6),
    }


SCENARIOS: dict[str, list[Callable[[Path], dict[str, object]]]] = {
    "throughput": [
        lambda folder: measure_throughput(folder / "i", InfluxDB, 400_000),
        lambda folder: measure_throughput(folder / "v", VictoriaMetrics, 400_000),
        lambda folder: measure_telegraf(folder / "t", 400_000),
    ],
    "latency": [lambda folder: measure_latency(folder / "l", 1000, 20)],
    "backlog": [
        lambda folder: measure_backlog(folder / "bi", InfluxDB, 300_000),
        lambda folder: measure_backlog(folder / "bv", VictoriaMetrics, 300_000),
    ],
    "scale": [lambda folder: measure_scale(folder / "s", 10_000)],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="*", choices=[*SCENARIOS, []], help="left out: all")
    chosen = parser.parse_args().scenario or list(SCENARIOS)
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, measure in enumerate(measure for name in chosen for measure in SCENARIOS[name]):
            rows.append(measure(Path(folder) / str(number)))
    print_table(rows)


def print_table(rows: list[dict[str, object]]) -> None:
    """One line a scenario, and a column for each figure that any of them has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    title = f"{os.cpu_count()} cores, Python {platform.python_version()}, {len(payload(0, DEVICES))} bytes a payload"
    table = Table(*names, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(str(row.get(name, "")) for name in names))
    Console(width=160 if not sys.stdout.isatty() else None).print(table)


if __name__ == "__main__":
    main()
