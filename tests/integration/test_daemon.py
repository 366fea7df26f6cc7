"""The daemon as a whole: it starts, carries readings, takes over changes, survives what fails around it, and stops."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psutil
import pytest
import urllib3
from structlog.testing import capture_logs
from typer.testing import CliRunner

from collector.cli import app
from collector.configuration import load
from collector.daemon import Daemon
from collector.store import Store
from collector.telemetry import FIGURES
from tests.integration.peers import publish, watch
from tests.integration.servers import InfluxDB, Mosquitto, wait_until
from tests.sites import write_site

METER = "id,kind\nem-1,electricity_meter\n"
BEGIN_MS = time.time_ns() // 10**6 - 3_600_000
SECRET = "a-word-that-must-not-be-seen"  # noqa: S105 - the test's own


class Process:
    """`siteward run` as a child, with its standard error in a file."""

    def __init__(self, config: Path, **environment: str) -> None:
        self.config = config
        self._log = config.parent / "daemon.log"
        self._environment = os.environ | environment

    def start(self) -> None:
        command = [sys.executable, "-m", "collector.cli", "run", "--config", str(self.config)]
        with self._log.open("ab") as log:
            self.child = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.child.kill()
        self.child.wait()

    def stop(self) -> tuple[int, float]:
        """Asks it to end; the exit code, and how long it took, s."""
        began = time.monotonic()
        self.child.terminate()
        return self.child.wait(20), time.monotonic() - began

    @property
    def text(self) -> str:
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def events(self) -> list[str]:
        """What was logged; a line that is no JSON fails."""
        return [json.loads(line)["event"] for line in self.text.splitlines()]

    def await_event(self, event: str, times: int = 1) -> None:
        wait_until(lambda: self.text.count(json.dumps(event)[1:-1]) >= times, 20)


@contextmanager
def running(config: Path) -> Iterator[Daemon]:
    """A daemon in this process."""
    daemon = Daemon(load(config))
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.stop()


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """For daemons in this process."""
    monkeypatch.setattr("collector.session._BACKOFF_S", (0.05, 0.2))
    monkeypatch.setattr("collector.subscriber._IDLE_S", 0.05)
    monkeypatch.setattr("collector.subscriber._MEASURE_S", 0.01)
    monkeypatch.setattr("collector.daemon._LOOK_S", 0.05)


def at(broker: Mosquitto, name: str) -> dict[str, Any]:
    """Settings of a site at a broker."""
    return {"site": {"id": name}, "mqtt": {"url": broker.url, "client_id": name}}


def in_influxdb(database: InfluxDB, name: str) -> dict[str, Any]:
    """Settings of a site that stores there."""
    return {"store": {"kind": "influxdb", "api": "v1", "url": database.url, "database": name, "flush_interval": "1ms"}}


def send(broker: Mosquitto, name: str, device: str, *numbers: int) -> None:
    """Readings a second apart, each with its number as power_kw."""
    payloads = [json.dumps({"time": BEGIN_MS + n * 1000, "power_kw": n}).encode() for n in numbers]
    publish(broker.port, f"siteward/{name}/{device}/readings", *payloads)


def powers(store: Store, device: str = "em-1") -> list[float | bool | str]:
    store.prepare()  # a question must not come before the tables
    return sorted(sample.value for sample in store.series([device], "power_kw", 0, 2**62).get(device, []))


def ready(daemon: Daemon) -> bool:
    return daemon.obstacles() == []


# ── a life ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_whole_life_is_told_to_systemd_the_broker_and_the_log(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET, encoding="utf-8")
    with (
        Mosquitto(tmp_path / "broker") as broker,
        InfluxDB(tmp_path / "influxdb") as database,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
    ):
        systemd.settimeout(60)
        systemd.bind(str(tmp_path / "notify"))
        ours = at(broker, "site")
        ours["mqtt"] |= {"username": "us", "password_file": str(secret)}
        store = in_influxdb(database, "site")
        store["store"] |= {"username": "us", "password_file": str(secret)}
        process = Process(
            write_site(tmp_path, METER, **ours, **store),
            NOTIFY_SOCKET=str(tmp_path / "notify"),
            WATCHDOG_USEC="200000",
        )
        with watch(broker.port, "siteward/site/status") as seen, process:
            assert systemd.recv(100) == b"READY=1"
            assert systemd.recv(100) == b"WATCHDOG=1"
            process.await_event("subscribed")
            send(broker, "site", "em-1", 1, 2, 3)
            wait_until(lambda: len(database.rows("site", "electricity_meter")) == 3)
            assert [row["power_kw"] for row in database.rows("site", "electricity_meter")] == [1, 2, 3]
            code, seconds = process.stop()
            assert (code, seconds < 5) == (0, True)
            while (told := systemd.recv(100)) == b"WATCHDOG=1":
                pass
            assert told == b"STOPPING=1"
            wait_until(lambda: len(seen) == 2)
    assert [json.loads(status.payload)["state"] for status in seen] == ["online", "offline"]
    events = process.events()
    assert sorted(events[:-1]) == ["created what was missing in the database", "started", "subscribed"]
    assert events[-1] == "stopped"
    assert SECRET not in process.text


def test_a_killed_daemon_is_reported_offline_by_the_broker(
    mosquitto: Mosquitto, fresh_name: str, tmp_path: Path
) -> None:
    status = f"siteward/{fresh_name}/status"
    config = write_site(tmp_path, METER, **at(mosquitto, fresh_name))
    with Process(config) as process, watch(mosquitto.port, status) as seen:
        wait_until(lambda: seen, 20)
        process.child.kill()
        wait_until(lambda: len(seen) == 2)
    with watch(mosquitto.port, status) as afterwards:
        wait_until(lambda: afterwards)
    assert [json.loads(one.payload)["state"] for one in (*seen, *afterwards)] == ["online", "offline", "offline"]
    assert afterwards[0].retain


@pytest.mark.parametrize("state", ["away", "hanging"])
def test_it_stops_within_5_s_while_nothing_around_it_works(state: str, tmp_path: Path) -> None:
    broker, database = Mosquitto(tmp_path / "broker"), InfluxDB(tmp_path / "influxdb")
    config = write_site(tmp_path, METER, **at(broker, "site"), **in_influxdb(database, "site"))
    with broker, database, Process(config) as process:
        process.await_event("subscribed")
        process.await_event("created what was missing")
        if state == "away":
            broker.stop()
            database.stop()
            process.await_event("refuses connections")
        else:
            database.pause()
            send(broker, "site", "em-1", 1)  # the writer hangs in its request
            wait_until(lambda: has_connection(process, database.port))
            broker.pause()
        code, seconds = process.stop()
    assert (code, seconds < 5) == (0, True), f"{seconds:.1f} s"
    assert process.events()[-1] == "stopped"


def has_connection(process: Process, port: int) -> bool:
    connections = psutil.Process(process.child.pid).net_connections("tcp")
    return any(connection.raddr[1:] == (port,) for connection in connections)


def test_it_stops_within_5_s_before_it_ever_got_anywhere(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as broker, InfluxDB(tmp_path / "influxdb") as database:
        broker.pause()
        database.pause()
        with Process(write_site(tmp_path, METER, **at(broker, "site"), **in_influxdb(database, "site"))) as process:
            process.await_event("started")
            code, seconds = process.stop()
    assert (code, seconds < 5) == (0, True), f"{seconds:.1f} s"


def test_a_second_daemon_on_the_same_data_is_refused(mosquitto: Mosquitto, fresh_name: str, tmp_path: Path) -> None:
    config = write_site(tmp_path, METER, **at(mosquitto, fresh_name))
    with Process(config) as first:
        first.await_event("subscribed")
        second = subprocess.run(first.child.args, capture_output=True, text=True, timeout=20, check=False)
        assert second.returncode == 2
        assert second.stderr == (
            f"Cannot start: {config}/../data: another Siteward runs on this data_dir; stop it, or choose another\n"
        )
        assert first.child.poll() is None
    with Process(config) as again:  # a killed one leaves nothing that is in the way
        again.await_event("subscribed", 2)


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        config = write_site(tmp_path, METER, http={"listen": listen})
        result = CliRunner().invoke(app, ["run", "--config", str(config)])
    assert result.exit_code == 2
    assert result.output == (
        f"Cannot start: http.listen: cannot listen on {listen}: Address already in use;"
        " another Siteward may be running, or choose another port in siteward.yaml\n"
    )


def test_on_a_terminal_the_log_is_for_people(tmp_path: Path) -> None:
    master, terminal = os.openpty()
    command = [sys.executable, "-m", "collector.cli", "run", "--config", str(write_site(tmp_path))]
    with subprocess.Popen(command, stdout=terminal, stderr=terminal) as child:
        os.close(terminal)
        text = b""
        while b"refuses connections" not in text:
            text += os.read(master, 1000)
        child.terminate()
        assert child.wait(20) == 0
    os.close(master)
    assert b'{"' not in text


# ── what it says of itself ───────────────────────────────────────────────────────────────────────────────────────


def test_readiness_follows_the_broker_and_the_journal(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "broker")
    with running(write_site(tmp_path, METER, **at(broker, "site"))) as daemon:
        wait_until(daemon.obstacles)
        with broker:
            wait_until(lambda: ready(daemon))
            assert find_status(daemon, "/readyz") == (200, [])
            daemon.journal.quota_bytes = 0
            wait_until(lambda: not ready(daemon))
            assert find_status(daemon, "/readyz") == (503, ["journal: full; the database does not take readings"])
            assert find_status(daemon, "/healthz") == (200, [])
            daemon.journal.quota_bytes = 10**9
            wait_until(lambda: ready(daemon))
        wait_until(lambda: not ready(daemon))
        status, (problem,) = find_status(daemon, "/readyz")
        assert status == 503
        assert problem.startswith(f"broker: 127.0.0.1:{broker.port} ")
        wait_until(lambda: "refuses connections" in daemon.obstacles()[0])


def find_status(daemon: Daemon, path: str) -> tuple[int, list[str]]:
    answer = urllib3.request("GET", f"http://{daemon.http.address}{path}", timeout=5, retries=False)
    return answer.status, answer.json()["problems"]


def test_figures_arrive_in_the_database(
    mosquitto: Mosquitto, influxdb: InfluxDB, fresh_name: str, tmp_path: Path
) -> None:
    config = write_site(tmp_path, METER, **at(mosquitto, fresh_name), **in_influxdb(influxdb, fresh_name))
    with running(config) as daemon:
        wait_until(lambda: ready(daemon))
        send(mosquitto, fresh_name, "em-1", 1, 2)
        wait_until(lambda: daemon.writer.written == 3)  # and what the daemon said of itself at its start
        daemon._record_self()
        wait_until(lambda: daemon.writer.written == 4)
        _, row = influxdb.rows(fresh_name, "siteward")
        assert row.keys() == {"time", "site", *(figure.name for figure in FIGURES)}
        assert (row["site"], row["readings"], row["stored"], row["connected"]) == (fresh_name, 2, 3, 1)


def test_a_wrong_clock_is_shown(mosquitto: Mosquitto, fresh_name: str, tmp_path: Path) -> None:
    config = write_site(tmp_path, METER, **at(mosquitto, fresh_name))
    with running(config) as daemon:
        wait_until(lambda: ready(daemon))
        early = json.dumps({"time": time.time_ns() // 10**6 + 121_000, "power_kw": 1}).encode()
        publish(mosquitto.port, f"siteward/{fresh_name}/em-1/readings", early)
        wait_until(lambda: daemon.pipeline.readings == 1)
        daemon._fold()
        live: Any = daemon.live()
        assert -122 < live["clock_skew_s"]["em-1"] < -120
        shown = CliRunner().invoke(app, ["status", "--config", str(config)])
        assert shown.exit_code == 0
        assert f"Site {fresh_name}: good" in shown.output
        assert "Clock     em-1 is 2m" in shown.output
        assert "1 messages, 1 readings since the start (0 late, 0 duplicate, 0 in quarantine)" in " ".join(
            shown.output.split()
        )


def test_status_says_what_is_wrong(tmp_path: Path) -> None:
    config = write_site(tmp_path)
    address = load(config).settings.http.listen
    missing = CliRunner().invoke(app, ["status", "--config", str(config)])
    assert (missing.exit_code, " ".join(missing.output.split())) == (
        1,
        f"No Siteward answers at {address}. Is it running? Start it with: siteward run --config {config}",
    )
    with running(config) as daemon:
        wait_until(lambda: daemon.subscriber.session.trouble)
        shown = CliRunner().invoke(app, ["status", "--config", str(config)])
        assert shown.exit_code == 1
        assert "Site site: needs a look" in shown.output
        assert "refuses connections" in shown.output
        live = CliRunner().invoke(app, ["status", "--config", str(config), "--json"])
        assert json.loads(live.output)["broker"]["state"] == "down"


# ── changed configuration ────────────────────────────────────────────────────────────────────────────────────────


def test_a_device_that_is_added_is_heard_and_nothing_is_lost(
    mosquitto: Mosquitto, fresh_name: str, tmp_path: Path
) -> None:
    config = write_site(tmp_path, METER, **at(mosquitto, fresh_name))
    with running(config) as daemon:
        wait_until(lambda: ready(daemon))
        send(mosquitto, fresh_name, "em-1", *range(100))
        with (config / "devices.csv").open("a", encoding="utf-8") as register:
            register.write("em-2,electricity_meter\n")
        send(mosquitto, fresh_name, "em-1", *range(100, 200))
        wait_until(lambda: len(daemon.configuration.register.devices) == 2)
        send(mosquitto, fresh_name, "em-2", 1)
        wait_until(lambda: powers(daemon.store, "em-2") == [1])
        wait_until(lambda: powers(daemon.store) == list(range(200)))
        assert daemon.subscriber.session.connects == 1


def test_an_error_is_said_once_and_what_runs_goes_on(mosquitto: Mosquitto, fresh_name: str, tmp_path: Path) -> None:
    config = write_site(tmp_path, METER, **at(mosquitto, fresh_name))
    with running(config) as daemon, capture_logs() as logs:
        wait_until(lambda: ready(daemon))
        running_one = daemon.configuration
        for failures, text in enumerate((METER + "em-2,meter\n", METER + "em-2,meter\nem-1,door\n"), 1):
            (config / "devices.csv").write_text(text, encoding="utf-8")
            wait_until(lambda: daemon.reload_failures >= failures)  # noqa: B023 - called before the next round
        send(mosquitto, fresh_name, "em-1", 1)
        wait_until(lambda: powers(daemon.store) == [1])
        assert daemon.configuration is running_one
        (config / "devices.csv").write_text(METER, encoding="utf-8")
        wait_until(lambda: any("no errors" in entry["event"] for entry in logs))
    problems = [entry["problem"] for entry in logs if entry["log_level"] == "error"]
    assert [problem.removeprefix(f"{config}/").split(": ")[0] for problem in problems] == [
        "devices.csv:3:6",
        "devices.csv:4:1",
    ]


def test_a_changed_profile_and_new_limits_count_at_once(mosquitto: Mosquitto, fresh_name: str, tmp_path: Path) -> None:
    profile = 'id: box\nname: {en: A box}\ntopics: ["box/{site}/{device}"]\npoints:\n  power_kw: POWER\n'
    config = write_site(tmp_path, "id,kind,profile\nem-1,electricity_meter,box\n", **at(mosquitto, fresh_name))
    (config / "profiles").mkdir()
    (config / "profiles" / "box.yaml").write_text(profile, encoding="utf-8")
    with running(config) as daemon:
        wait_until(lambda: ready(daemon))
        publish(mosquitto.port, f"box/{fresh_name}/em-1", b'{"POWER": 1}')
        wait_until(lambda: powers(daemon.store) == [1])
        text = profile.replace("POWER", "power").replace("box/{site}", "crate/{site}")
        (config / "profiles" / "box.yaml").write_text(text, encoding="utf-8")
        wait_until(lambda: daemon.subscriber.session.filters == daemon.configuration.decoder().filters)
        wait_until(lambda: f"crate/{fresh_name}/+" in daemon.subscriber.session.filters)
        write_site(
            tmp_path,
            "id,kind,profile,interval\nem-1,electricity_meter,box,1m\n",
            **at(mosquitto, fresh_name),
            http={"listen": daemon.http.address},
            journal={"quota": "50 MB"},
        )
        wait_until(lambda: daemon.journal.quota_bytes == 50_000_000)
        publish(mosquitto.port, f"crate/{fresh_name}/em-1", b'{"power": 2}')
        wait_until(lambda: powers(daemon.store) == [1, 2])
        assert daemon.configuration.register.devices[0].interval == 60_000_000_000
        assert daemon.subscriber.session.connects == 1


def test_another_broker_is_gone_to(mosquitto: Mosquitto, fresh_name: str, tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as other:
        config = write_site(tmp_path, METER, **at(mosquitto, fresh_name))
        with running(config) as daemon:
            wait_until(lambda: ready(daemon))
            send(mosquitto, fresh_name, "em-1", 1)
            wait_until(lambda: powers(daemon.store) == [1])
            http = {"listen": daemon.http.address}
            write_site(tmp_path, METER, **at(other, fresh_name), http=http)
            wait_until(lambda: daemon.subscriber.session.connects == 2 and ready(daemon))
            send(mosquitto, fresh_name, "em-1", 2)  # waits there, in our session
            send(other, fresh_name, "em-1", 3)
            wait_until(lambda: powers(daemon.store) == [1, 3])
            write_site(tmp_path, METER, **at(mosquitto, fresh_name), http=http)
            wait_until(lambda: powers(daemon.store) == [1, 2, 3])
            assert daemon.subscriber.session.forgotten == 0


def test_another_database_is_gone_to_and_back(
    mosquitto: Mosquitto,
    influxdb: InfluxDB,
    fresh_name: str,
    tmp_path: Path,
) -> None:
    config = write_site(tmp_path, METER, **at(mosquitto, fresh_name))
    with running(config) as daemon:
        wait_until(lambda: ready(daemon))
        http = {"listen": daemon.http.address}
        send(mosquitto, fresh_name, "em-1", 1)
        wait_until(lambda: daemon.writer.written == 2)  # and what the daemon says of itself
        write_site(tmp_path, METER, **at(mosquitto, fresh_name), **in_influxdb(influxdb, fresh_name), http=http)
        wait_until(lambda: daemon.configuration.settings.store.kind == "influxdb")
        send(mosquitto, fresh_name, "em-1", 2)
        wait_until(lambda: daemon.writer.written == 3)
        assert powers(daemon.store) == [2]
        daemon._summarize()  # there is nothing to do
        write_site(tmp_path, METER, **at(mosquitto, fresh_name), http=http)
        wait_until(lambda: daemon.configuration.settings.store.kind == "embedded")
        send(mosquitto, fresh_name, "em-1", 3)
        wait_until(lambda: daemon.writer.written == 4)
        assert powers(daemon.store) == [1, 3]
        daemon._summarize()
        daemon._expire()


def test_what_only_a_start_can_change_is_said_and_stays(mosquitto: Mosquitto, fresh_name: str, tmp_path: Path) -> None:
    config = write_site(tmp_path, METER, **at(mosquitto, fresh_name))
    with running(config) as daemon, capture_logs() as logs:
        wait_until(lambda: ready(daemon))
        before = daemon.configuration.settings
        mqtt = at(mosquitto, fresh_name)["mqtt"]
        write_site(
            tmp_path, METER + "em-2,electricity_meter\n", site={"id": "other"}, mqtt=mqtt, data_dir="../elsewhere"
        )
        wait_until(lambda: len(daemon.configuration.register.devices) == 2)
        assert daemon.configuration.settings == before
        send(mosquitto, fresh_name, "em-2", 1)
        wait_until(lambda: powers(daemon.store, "em-2") == [1])
    said = {entry["setting"] for entry in logs if entry["event"] == "this change takes effect at the next start"}
    assert said == {"data_dir", "http", "site.id"}
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_that_changes_nothing_is_no_news(mosquitto: Mosquitto, fresh_name: str, tmp_path: Path) -> None:
    config = write_site(tmp_path, METER, **at(mosquitto, fresh_name))
    with running(config) as daemon:
        wait_until(lambda: ready(daemon))
        with capture_logs() as logs:
            daemon.reload()
        assert logs == []


def test_sighup_reloads(mosquitto: Mosquitto, fresh_name: str, tmp_path: Path) -> None:
    config = write_site(tmp_path, METER, **at(mosquitto, fresh_name))
    address = load(config).settings.http.listen

    def count_failures() -> int:
        metrics = urllib3.request("GET", f"http://{address}/metrics", timeout=5, retries=False).data.decode()
        return metrics.count("siteward_reload_failures_total 1.0") + 2 * metrics.count("reload_failures_total 2.0")

    with Process(config) as process:
        process.await_event("subscribed")
        (config / "devices.csv").write_text(METER + "em-2,meter\n", encoding="utf-8")
        wait_until(lambda: count_failures() == 1)
        process.child.send_signal(signal.SIGHUP)
        wait_until(lambda: count_failures() == 2)
        assert process.stop()[0] == 0


def test_a_folder_that_is_exchanged_as_a_whole_is_noticed(
    mosquitto: Mosquitto, fresh_name: str, tmp_path: Path
) -> None:
    config = write_site(tmp_path, METER, **at(mosquitto, fresh_name))
    with running(config) as daemon:
        config.rename(tmp_path / "former")
        wait_until(lambda: daemon.reload_failures)
        http = {"listen": daemon.http.address}
        write_site(tmp_path, METER + "em-2,electricity_meter\n", **at(mosquitto, fresh_name), http=http)
        wait_until(lambda: len(daemon.configuration.register.devices) == 2)
        assert [device.id for device in daemon.configuration.register] == ["em-1", "em-2"]


# ── what fails ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_periodic_work_that_fails_is_said_once_and_done_again(tmp_path: Path) -> None:
    with running(write_site(tmp_path)) as daemon:
        record = daemon._scheduler.get_job("_record_self").func
        with capture_logs() as logs:
            for disk_works in (False, False, True, False):
                daemon.journal._writer.execute(f"PRAGMA query_only = {'OFF' if disk_works else 'ON'}")
                record()
        daemon.journal._writer.execute("PRAGMA query_only = OFF")
        assert [(entry["event"], entry["job"]) for entry in logs if "job" in entry] == [
            ("work failed; it will be tried again", "_record_self"),
        ] * 2
        assert daemon.journal.head == 2


DYING = """
import sys
from pathlib import Path
from collector.configuration import load
from collector.daemon import Daemon
daemon = Daemon(load(Path(sys.argv[1])))
daemon.pipeline.ingest = None
sys.exit(daemon.run())
"""


def test_ingestion_that_ends_ends_the_daemon_so_that_it_is_started_again(
    mosquitto: Mosquitto,
    fresh_name: str,
    tmp_path: Path,
) -> None:
    config = write_site(tmp_path, METER, **at(mosquitto, fresh_name))
    with subprocess.Popen([sys.executable, "-c", DYING, str(config)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        while "subscribed" not in child.stdout.readline():
            pass
        send(mosquitto, fresh_name, "em-1", 1)
        assert child.wait(20) == 1
        assert "ingestion ended" in child.stdout.read()
    with running(config) as daemon:  # what it did not commit comes again
        wait_until(lambda: powers(daemon.store) == [1])


MAIMED = """
import sys
from pathlib import Path
from collector import logs, service
from collector.configuration import load
from collector.daemon import Daemon

logs.configure()
with service.holding_signals():
    daemon = Daemon(load(Path(sys.argv[1])))
    daemon.annotator.stop()
    sys.exit(daemon.run())
"""
"""A daemon one of whose parts ends at once."""


def test_a_daemon_with_a_dead_part_ends_so_that_it_is_started_again(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MAIMED, str(write_site(tmp_path))]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "only a restart helps" in ended.stderr
    assert "the annotator ended" in ended.stderr


def test_a_dead_part_is_a_reason_to_restart(tmp_path: Path) -> None:
    with running(write_site(tmp_path)) as daemon:
        daemon.writer.stop()
        assert find_status(daemon, "/healthz") == (503, ["the store writer ended"])
        daemon.subscriber.failure = RuntimeError("broken")
        assert find_status(daemon, "/healthz")[1] == ["ingestion ended: broken", "the store writer ended"]


def test_a_stuck_ingestion_is_a_reason_to_restart_but_a_full_disk_is_none(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("collector.daemon._STUCK_S", -1.0)
    with running(write_site(tmp_path)) as daemon:
        assert daemon.ailments() == ["ingestion has not moved for -1 s"]
        daemon.pipeline.trouble = "disk full"
        assert daemon.ailments() == []
        assert "journal: disk full" in daemon.obstacles()
