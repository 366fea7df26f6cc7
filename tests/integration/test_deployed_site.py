"""What `siteward init --deploy` writes, with a real broker: who gets in, who may say what, what outlasts an absence."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from collector.checks.broker import BrokerCheck
from collector.configuration import load
from collector.daemon import Daemon
from tests.integration.deployed import CLIENT_ID, SITE, DeployedBroker, adapt_settings, make_site
from tests.integration.servers import InfluxDB, find_program, wait_until
from tests.sites import write_site

# paho leaves the socket of a failed handshake to the garbage collector, which closes it at once.
pytestmark = pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "operations" / "deployment.md").read_text(encoding="utf-8")
READINGS = f"siteward/{SITE}/em-01/readings"
WORD = "what a meter was told"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedBroker]:
    server = DeployedBroker(make_site(tmp_path_factory.mktemp("deployed") / "site"))
    server.add_user("em-01", WORD)
    with server:
        yield server


# ── getting in ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_device_that_was_added_gets_in_over_tls(broker: DeployedBroker) -> None:
    with broker.connect("em-01", WORD) as device:
        assert device.answer == "Success"
        sock = device.client.socket()
        assert isinstance(sock, ssl.SSLSocket)
        assert sock.version() == "TLSv1.3"


def test_who_does_not_know_the_authority_does_not_trust_the_broker(broker: DeployedBroker) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, "stranger")
    client.tls_set()
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer certificate"):
        client.connect("localhost", broker.port)


@pytest.mark.parametrize(("user", "word"), [("siteward", "siteward"), ("health", ""), ("admin", "admin"), ("", "")])
def test_nobody_gets_in_by_guessing(broker: DeployedBroker, user: str, word: str) -> None:
    with broker.connect(user, word, client_id="somebody") as stranger:
        assert stranger.answer == "Not authorized"


def test_without_tls_there_is_no_answer(broker: DeployedBroker) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, "plain")
    client.connect("localhost", broker.port)
    wait_until(lambda: client.loop(1) == paho.MQTT_ERR_CONN_LOST)
    assert not client.is_connected()


def test_the_health_check_of_compose_finds_the_broker_well(broker: DeployedBroker, tmp_path: Path) -> None:
    service = yaml.safe_load((broker.site / "compose.yaml").read_text(encoding="utf-8"))["services"]["mosquitto"]
    options = broker.adapt((broker.site / "secrets" / "mosquitto_health").read_text(encoding="utf-8"))
    target = next(secret["target"] for secret in service["secrets"] if isinstance(secret, dict))
    (tmp_path / target).write_text(options, encoding="utf-8")
    assert service["environment"] == {"XDG_CONFIG_HOME": "/run/secrets"}
    mark, program = service["healthcheck"]["test"]
    assert mark == "CMD"
    for well, word in ((True, options), (False, options.replace("-P ", "-P 0"))):
        (tmp_path / target).write_text(word, encoding="utf-8")
        result = subprocess.run(
            [find_program(program)],
            env={"XDG_CONFIG_HOME": str(tmp_path)},
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert (result.returncode == 0) is well, result
        assert result.stdout.endswith(b"seconds\n") is well


def test_the_manuals_way_to_a_new_certificate(tmp_path: Path) -> None:
    broker = DeployedBroker(make_site(tmp_path / "site"))
    before = (broker.site / "mosquitto" / "broker.pem").read_bytes()
    commands = MANUAL.partition("### A new certificate")[2].partition("    openssl req")
    script = "".join(commands[1:]).partition("    rm broker.csr")[0].replace("192.168.1.10", "127.0.0.9")
    subprocess.run(["/bin/sh", "-eu", "-c", script], cwd=broker.site, check=True, capture_output=True)
    assert (broker.site / "mosquitto" / "broker.pem").read_bytes() != before
    context = ssl.create_default_context(cafile=str(broker.site / "ca.pem"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with broker:
        for name in ("mosquitto", "127.0.0.9"):
            with socket.create_connection(("127.0.0.1", broker.port), 10) as sock:
                context.wrap_socket(sock, server_hostname=name).close()


# ── saying ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_device_publishes_for_itself_and_siteward_hears_it(broker: DeployedBroker) -> None:
    with broker.connect_siteward() as ours, broker.connect("em-01", WORD) as device:
        ours.subscribe("siteward/#")
        assert device.publish(f"siteward/{SITE}/em-02/readings", b"of another") == {"Not authorized"}
        assert device.publish(f"siteward/{SITE}/status", b"of siteward") == {"Not authorized"}
        assert device.publish(READINGS, b"its own") == {"Success"}
        wait_until(lambda: ours.heard)
        assert ours.heard == [(READINGS, b"its own")]


def test_a_device_hears_nothing_of_others(broker: DeployedBroker) -> None:
    broker.add_user("em-02", WORD)
    os.kill(broker.pid, signal.SIGHUP)
    wait_until(lambda: _gets_in(broker, "em-02"))
    with broker.connect("em-01", WORD) as device, broker.connect_siteward() as ours:
        device.subscribe("#")
        ours.subscribe("siteward/#")
        with broker.connect("em-02", WORD) as other:
            assert other.publish(f"siteward/{SITE}/em-02/readings", b"1") == {"Success"}
        wait_until(lambda: ours.heard)
        assert device.publish(READINGS, b"2") == {"Success"}  # the answer comes behind all that was to be heard
        assert device.heard == []


def _gets_in(broker: DeployedBroker, user: str) -> bool:
    with broker.connect(user, WORD, client_id="probe") as peer:
        return peer.answer == "Success"


# ── keeping ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_siteward_misses_waits_and_outlasts_a_restart_of_the_broker(broker: DeployedBroker) -> None:
    with broker.connect_siteward():  # ends what another test may have left
        pass
    payloads = [f"{number}".encode() for number in range(3000)]  # three times Mosquitto's own limit
    with broker.connect_siteward(keep_s=3600) as ours:
        ours.subscribe(READINGS)
    with broker.connect("em-01", WORD) as device:
        assert device.publish(READINGS, *payloads) == {"Success"}
    broker.stop()
    broker.start()
    with broker.connect_siteward(keep_s=3600) as ours:
        wait_until(lambda: len(ours.heard) >= len(payloads), 30)
        assert [payload for _, payload in ours.heard] == payloads


def test_a_device_cannot_take_sitewards_session_by_its_name(broker: DeployedBroker) -> None:
    with broker.connect_siteward():  # ends what another test may have left
        pass
    with broker.connect_siteward(keep_s=3600) as ours:
        ours.subscribe(READINGS)
    with broker.connect("em-01", WORD, client_id=CLIENT_ID) as device:
        assert device.publish(READINGS, b"1", b"2") == {"Success"}
    with broker.connect_siteward(keep_s=3600) as ours:
        wait_until(lambda: len(ours.heard) >= 2)
        assert [payload for _, payload in ours.heard] == [b"1", b"2"]
        with broker.connect("em-01", WORD, client_id=CLIENT_ID, keep_s=3600) as device:
            assert device.publish(READINGS, b"3") == {"Success"}
            wait_until(lambda: len(ours.heard) >= 3)
            assert device.heard == []


def test_doctor_finds_no_fault_with_the_broker(broker: DeployedBroker, tmp_path: Path) -> None:
    configuration = load(_copy_config(broker, tmp_path))
    findings = list(BrokerCheck(configuration.settings, configuration.decoder().filters).run())
    assert [finding for finding in findings if not finding.good] == []
    told = {finding.subject: finding.message for finding in findings}
    assert {"connection", "limits", "certificate", "subscriptions", "status", "heartbeat", "queue"} <= told.keys()
    assert "TLS" in told["connection"]
    assert "not measured" not in told["queue"]
    assert "mosquitto version" in told["statistics"]


def _copy_config(broker: DeployedBroker, folder: Path) -> Path:
    """The site's configuration with this machine's addresses, in a folder that still finds the site's secrets."""
    for name in ("ca.pem", "secrets", "data"):
        (folder / name).symlink_to(broker.site / name)
    (folder / "config").mkdir()
    for file in (broker.site / "config").glob("*.yaml"):
        (folder / "config" / file.name).write_bytes(file.read_bytes())
    return adapt_settings(folder, broker)


def test_a_reading_goes_from_a_device_to_the_database(influxdb: InfluxDB, fresh_name: str, tmp_path: Path) -> None:
    """All that the site wrote, but for InfluxDB 2: its place takes InfluxDB 1."""
    broker = DeployedBroker(make_site(tmp_path / "site"))
    broker.add_user("em-01", WORD)
    store = {"kind": "influxdb", "api": "v1", "url": influxdb.url, "database": fresh_name}
    config = adapt_settings(broker.site, broker, store=store)
    log = tmp_path / "daemon.log"
    with broker, log.open("wb") as output:
        command = [sys.executable, "-P", "-m", "collector.cli", "run", "--config", str(config)]
        daemon = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            wait_until(lambda: b'"subscribed"' in log.read_bytes() or daemon.poll() is not None, 30)
            assert daemon.poll() is None, log.read_text(encoding="utf-8")
            reading = {"time": time.time_ns() // 10**6, "energy_import_kwh": 42.5}
            with broker.connect("em-01", WORD) as device:
                assert device.publish(READINGS, json.dumps(reading).encode()) == {"Success"}
            wait_until(lambda: [fresh_name] in influxdb.ask("", "SHOW DATABASES")[0]["values"], 20)
            wait_until(lambda: influxdb.rows(fresh_name, "electricity_meter"), 20)
            row = influxdb.rows(fresh_name, "electricity_meter")[0]
            assert (row["site"], row["device"], row["energy_import_kwh"]) == (SITE, "em-01", 42.5)
            daemon.terminate()
            assert daemon.wait(20) == 0, log.read_text(encoding="utf-8")
        finally:
            daemon.kill()
            daemon.wait()
    assert (broker.site / "data" / "siteward" / "credential.keys").stat().st_mode & 0o777 == 0o600


# ── the image ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_health_check_of_the_image_asks_the_daemon(tmp_path: Path) -> None:
    daemon = Daemon(load(write_site(tmp_path)))
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    program, *arguments = json.loads(text.partition("HEALTHCHECK")[2].partition("CMD ")[2].partition("\n")[0])
    assert program == "python"
    command = [sys.executable, *(word.replace("127.0.0.1:9464", daemon.http.address) for word in arguments)]
    assert daemon.http.address in command[-1]

    def is_well() -> bool:
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0

    daemon.start()
    try:
        wait_until(is_well)
        daemon.writer.stop()
        wait_until(lambda: daemon.ailments() == ["the store writer ended"])
        assert not is_well()
    finally:
        daemon.stop()
    assert not is_well()
