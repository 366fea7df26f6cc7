"""Doctor at real brokers and databases: what it finds, and that it disturbs nothing."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from paho.mqtt import publish as paho_publish
from paho.mqtt import subscribe as paho_subscribe
from paho.mqtt.enums import MQTTProtocolVersion

from collector.checks.broker import BrokerCheck
from collector.checks.conversation import Conversation, Identity
from collector.configuration import load
from collector.doctor import examine
from collector.journal import Journal
from collector.simulation.broker import EmbeddedBroker
from collector.store import Finding
from devices.reading import Reading
from tests.integration.servers import InfluxDB, Mosquitto, find_free_port, wait_until

SECOND = 1_000_000_000
DEVICES = """devices:
  - {id: em-1, kind: electricity_meter, interval: 15m}
  - {id: plug-1, kind: electricity_meter, profile: zigbee2mqtt}
"""


def configure(folder: Path, broker: str, *, mqtt: str = "", store: str = "{kind: embedded}", more: str = "") -> Path:
    """A configuration folder; what is missing there is added as YAML."""
    config = folder / "config"
    config.mkdir(parents=True)
    (config / "siteward.yaml").write_text(
        f"""site: {{id: campus}}
data_dir: ../data
mqtt: {{url: "{broker}", client_id: siteward-campus, {mqtt}}}
store: {store}
{more}
""",
        encoding="utf-8",
    )
    (config / "devices.yaml").write_text(DEVICES, encoding="utf-8")
    return config


def influx(server: InfluxDB, database: str) -> str:
    return f"{{kind: influxdb, api: v1, url: '{server.url}', database: {database}}}"


def look(config: Path) -> dict[str, dict[str, Finding]]:
    """Findings by section and subject."""
    return {
        section.name: {finding.subject: finding for finding in section.findings} for section in examine(load(config))
    }


def ask_broker(config: Path) -> dict[str, Finding]:
    configuration = load(config)
    check = BrokerCheck(configuration.settings, configuration.decoder().filters)
    return {finding.subject: finding for finding in check.run()}


def run_doctor(config: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "collector.cli", "doctor", "--config", str(config), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def wrong(findings: dict[str, Finding]) -> set[str]:
    return {subject for subject, finding in findings.items() if not finding.good}


# ── the whole ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_good_site_is_all_good(tmp_path: Path, mosquitto: Mosquitto, influxdb: InfluxDB, fresh_name: str) -> None:
    influxdb.request("POST", f"/query?q=CREATE+DATABASE+{fresh_name}")
    config = configure(tmp_path, mosquitto.url, store=influx(influxdb, fresh_name))
    answer = run_doctor(config)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    lines = [line.strip() for line in answer.stdout.splitlines()]
    headings = ["Broker", "Database", "Gateway", "Rules", "Desk", "Outage"]
    assert [line for line in lines if line in headings] == headings
    assert "✗" not in answer.stdout
    assert lines[-1] == "✓ all good"


def test_nothing_answers(tmp_path: Path) -> None:
    store = f"{{kind: influxdb, api: v1, url: 'http://127.0.0.1:{find_free_port()}', database: site}}"
    config = configure(tmp_path, f"mqtt://127.0.0.1:{find_free_port()}", store=store)
    answer = run_doctor(config, "--json")
    assert answer.returncode == 1
    told = json.loads(answer.stdout)
    assert told["good"] is False
    sections = {finding["section"] for finding in told["findings"]}
    assert sections == {"broker", "database", "gateway", "rules", "desk", "outage"}
    assert {"section": "gateway", "subject": "secrets", "good": True, "message": "none are in files"} in told[
        "findings"
    ]
    found = {finding["subject"]: finding["message"] for finding in told["findings"]}
    assert "refuses connections: start the broker there, or check mqtt.url" in found["connection"]
    assert "cannot be reached" in found["database server"]
    assert not (tmp_path / "data").exists()


def test_a_wrong_configuration_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    config = configure(tmp_path, "http://broker")
    answer = run_doctor(config)
    assert answer.returncode == 2
    assert "siteward.yaml:3:13: url: expected mqtts://HOST:PORT or mqtt://HOST:PORT" in answer.stderr


def test_a_missing_database_is_named(tmp_path: Path, mosquitto: Mosquitto, influxdb: InfluxDB) -> None:
    config = configure(tmp_path, mosquitto.url, store=influx(influxdb, "absent"))
    sections = look(config)
    assert "database absent" in wrong(sections["database"])
    assert 'CREATE DATABASE "absent"' in sections["database"]["database absent"].message
    assert wrong(sections["broker"]) == set()


def test_servers_that_never_answer_are_given_up(
    tmp_path: Path, influxdb: InfluxDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.doctor._LIMIT_S", 7.0)
    with Mosquitto(tmp_path / "broker") as broker:
        config = configure(tmp_path, broker.url, store=influx(influxdb, "any"))
        broker.pause()
        influxdb.pause()
        try:
            sections = look(config)
        finally:
            influxdb.resume()
    assert "says nothing within 3 s" in sections["broker"]["connection"].message
    assert "gave up after 7 s without an answer" in sections["database"]["database"].message
    assert wrong(sections["gateway"]) == set()


# ── beside a running daemon ──────────────────────────────────────────────────────────────────────────────────────


class Daemon:
    """`siteward run` as a process."""

    def __init__(self, config: Path, http_port: int) -> None:
        self._address = f"http://127.0.0.1:{http_port}/live"
        command = [sys.executable, "-m", "collector.cli", "run", "--config", str(config)]
        with (config.parent / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self.log = config.parent / "log"
        wait_until(lambda: '"subscribed"' in self.log.read_text(encoding="utf-8"), 20)

    def live(self) -> dict[str, dict[str, int]]:
        answer: dict[str, dict[str, int]] = urllib3.request("GET", self._address, timeout=5).json()
        return answer

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def publish(broker: Mosquitto, topic: str, payload: str, *, user: str = "any", retain: bool = False) -> None:
    paho_publish.single(
        topic,
        payload,
        qos=1,
        retain=retain,
        hostname="127.0.0.1",
        port=broker.port,
        auth={"username": user},
        client_id=user,
    )


def read(broker: Mosquitto, topic: str) -> bytes:
    """The next message of a topic, or the one that is retained there."""
    message = paho_subscribe.simple(topic, hostname="127.0.0.1", port=broker.port)  # type: ignore[no-untyped-call] # paho left it without types
    return bytes(message.payload)


def test_the_daemon_beside_it_notices_nothing(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as broker:
        port = find_free_port()
        config = configure(tmp_path, broker.url, more=f'http: {{listen: "127.0.0.1:{port}"}}')
        daemon = Daemon(config, port)
        try:
            publish(broker, "siteward/campus/em-1/readings", '{"energy_import_kwh": 1.5}')
            wait_until(lambda: daemon.live()["counts"]["readings"] == 1)
            status = read(broker, "siteward/campus/status")
            sections = look(config)
            assert {name for name in sections if wrong(sections[name])} == set()
            assert "nothing came within a second" in sections["broker"]["subscriptions"].message
            publish(broker, "siteward/campus/em-1/readings", '{"energy_import_kwh": 2.5}')
            wait_until(lambda: daemon.live()["counts"]["readings"] == 2)
            assert daemon.live()["broker"]["connects"] == 1
            assert daemon.live()["counts"]["messages"] == 2
            assert daemon.live()["counts"]["quarantined"] == 0
            assert read(broker, "siteward/campus/status") == status
        finally:
            daemon.stop()


def test_nothing_of_it_stays_at_the_broker(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as broker:
        config = configure(tmp_path, broker.url)
        assert wrong(ask_broker(config)) == set()
        broker.stop()  # writes its sessions down
        held = (broker.folder / "mosquitto.db").read_bytes()
        assert b"siteward-campus" not in held
        assert b"/doctor/" not in held


# ── the broker ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_default_queue_is_found_and_the_outage_told_from_it(tmp_path: Path) -> None:
    start = time.time_ns() - 1200 * SECOND
    moments = iter(range(start, start + 1201 * SECOND, 10 * SECOND))
    journal = Journal(tmp_path / "data" / "journal.db", 1_000_000_000, ("store", "ledger"), lambda: next(moments))
    for entry in range(121):  # 120 messages in 10 s
        arrivals = range(entry * 120, entry * 120 + 120)
        journal.commit([Reading("em-1", arrival, arrival, {"power_kw": 1.5}) for arrival in arrivals])
    journal.close()
    with Mosquitto(tmp_path / "broker", "max_queued_messages 1000") as broker:
        sections = look(configure(tmp_path, broker.url))
    assert wrong(sections["broker"]) == {"queue"}
    assert "the broker keeps 1,000 messages for a client that is away" in sections["broker"]["queue"].message
    assert sections["outage"]["Siteward down"] == Finding(
        "Siteward down",
        good=False,
        message="at today's rate (12.0 messages/s) the broker drops after 83 s while Siteward is down",
    )


def hash_password(password: str) -> dict[str, object]:
    """As Mosquitto's dynamic security keeps it: PBKDF2-HMAC-SHA-512."""
    salt = b"twelve bytes"
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    return {"password": base64.b64encode(digest).decode(), "salt": base64.b64encode(salt).decode(), "iterations": 101}


@pytest.fixture(scope="module")
def strict_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """User `siteward`, password `right`, may publish and subscribe below siteward/campus, and not the heartbeat."""
    folder = tmp_path_factory.mktemp("strict")
    allowed = [
        {"acltype": kind, "topic": topic, "priority": priority, "allow": allow}
        for kind, topic, priority, allow in (
            ("publishClientSend", "siteward/campus/heartbeat", 1, False),
            ("publishClientSend", "siteward/campus/#", 0, True),
            ("subscribePattern", "siteward/campus/#", 0, True),
        )
    ]
    policy = {
        "clients": [{"username": "siteward", "roles": [{"rolename": "collector"}], **hash_password("right")}],
        "roles": [{"rolename": "collector", "acls": allowed}],
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": True,
            "subscribe": False,
            "unsubscribe": True,
        },
    }
    (folder / "policy.json").write_text(json.dumps(policy), encoding="utf-8")
    (plugin,) = Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")
    extra = f"allow_anonymous false\nplugin {plugin}\nplugin_opt_config_file {folder}/policy.json"
    with Mosquitto(folder, extra) as broker:
        yield broker


def configure_user(folder: Path, broker: Mosquitto, password: str) -> Path:
    (folder / "password").write_text(password + "\n", encoding="utf-8")
    (folder / "password").chmod(0o600)
    return configure(folder, broker.url, mqtt="username: siteward, password_file: ../password")


def test_a_wrong_password_is_said_in_plain_words(tmp_path: Path, strict_broker: Mosquitto) -> None:
    found = ask_broker(configure_user(tmp_path, strict_broker, "wrong"))
    assert found == {
        "connection": Finding(
            "connection",
            good=False,
            message=f"127.0.0.1:{strict_broker.port} does not let user 'siteward' in (Not authorized):"
            " check username and password_file",
        ),
    }


def test_refused_filters_and_topics_are_named(tmp_path: Path, strict_broker: Mosquitto) -> None:
    found = ask_broker(configure_user(tmp_path, strict_broker, "right"))
    assert wrong(found) == {"subscriptions", "heartbeat"}
    assert "refused: zigbee2mqtt/+ (Not authorized)" in found["subscriptions"].message
    assert found["status"].message == "siteward/campus/status may be published"
    assert "publishing to siteward/campus/heartbeat is refused (Not authorized)" in found["heartbeat"].message
    assert "offers none under $SYS" in found["statistics"].message


def test_a_queue_that_may_not_be_measured_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "acl").write_text(
        "topic read zigbee2mqtt/#\ntopic read siteward/campus/+/readings\ntopic readwrite siteward/campus/heartbeat\n"
        "topic write siteward/campus/status\n",
        encoding="utf-8",
    )
    with Mosquitto(tmp_path / "broker", f"acl_file {tmp_path}/acl") as broker:
        found = ask_broker(configure(tmp_path, broker.url))
    assert wrong(found) == set()
    assert found["queue"].message.startswith("not measured: siteward/campus/doctor/")
    assert "may not be used (Not authorized)" in found["queue"].message


def test_with_3_1_1_a_retained_status_hides_no_refusal(tmp_path: Path) -> None:
    (tmp_path / "acl").write_text("topic read siteward/#\nuser admin\ntopic readwrite #\n", encoding="utf-8")
    extra = f"acl_file {tmp_path}/acl\nmax_queued_messages 1000000"
    with Mosquitto(tmp_path / "broker", extra) as broker:
        publish(broker, "siteward/campus/status", "{}", user="admin", retain=True)
        check = BrokerCheck(load(configure(tmp_path, broker.url)).settings, frozenset())
        check._identity = Identity("doctor", MQTTProtocolVersion.MQTTv311)
        finding = check._try_topic("siteward/campus/status", b"{}", must_return=True)
    assert not finding.good
    assert "what is published to siteward/campus/status does not come back" in finding.message


def test_a_queue_whose_messages_a_device_would_get_is_not_measured(tmp_path: Path, mosquitto: Mosquitto) -> None:
    settings = load(configure(tmp_path, mosquitto.url)).settings
    check = BrokerCheck(settings, frozenset({"siteward/#"}))
    queue = next(finding for finding in check.run() if finding.subject == "queue")
    message = "not measured: the filter siteward/# of a device would take the messages for readings"
    assert queue == Finding("queue", good=True, message=message)
    assert check.queue is None


def test_a_session_that_is_shared_by_user_is_left_at_once(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker", "use_username_as_clientid true") as broker:
        config = configure(tmp_path, broker.url, mqtt="username: siteward")
        configuration = load(config)
        filters = configuration.decoder().filters
        identity = Identity("any", MQTTProtocolVersion.MQTTv5)
        with Conversation(configuration.settings.mqtt, identity, keep_s=600) as daemon:
            daemon.subscribe(filters, retained=False)
        publish(broker, "siteward/campus/em-1/readings", "waits", user="device")
        found = ask_broker(config)
        assert list(found) == ["connection"]
        assert "use_username_as_clientid" in found["connection"].message
        with Conversation(configuration.settings.mqtt, identity, keep_s=600) as daemon:
            assert daemon.resumed
            assert daemon.wait(lambda: [message.payload for message in daemon.messages] == [b"waits"], 10)


def test_a_broker_without_mqtt_5_is_examined_with_3_1_1(tmp_path: Path) -> None:
    with EmbeddedBroker(find_free_port(), tmp_path / "log") as broker:
        found = ask_broker(configure(tmp_path, broker.url, mqtt="username: siteward"))
    assert wrong(found) == set()
    assert "MQTT 3.1.1" in found["connection"].message
    assert "max_inflight_messages 1000" in found["limits"].message
    assert "at least 1,100 messages are kept" in found["queue"].message


@pytest.fixture(scope="module")
def tls_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A broker whose certificate, folder/cert.pem, is its own authority and ends in ten days."""
    folder = tmp_path_factory.mktemp("tls")
    command = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 10 -subj /CN=broker"
        f" -addext subjectAltName=IP:127.0.0.1 -keyout {folder}/key.pem -out {folder}/cert.pem"
    )
    subprocess.run(command.split(), check=True, capture_output=True, timeout=30)
    with Mosquitto(folder, f"certfile {folder}/cert.pem\nkeyfile {folder}/key.pem") as broker:
        yield broker


def test_a_certificate_that_ends_soon_is_found(tmp_path: Path, tls_broker: Mosquitto) -> None:
    url = f"mqtts://127.0.0.1:{tls_broker.port}"
    found = ask_broker(configure(tmp_path, url, mqtt=f"ca_file: {tls_broker.folder}/cert.pem"))
    assert wrong(found) == {"certificate"}
    assert "TLS" in found["connection"].message
    assert ", 9 days: renew it" in found["certificate"].message


def test_what_is_wrong_with_tls_is_said(tmp_path: Path, tls_broker: Mosquitto, mosquitto: Mosquitto) -> None:
    def complaint(name: str, url: str, mqtt: str = "") -> str:
        found = ask_broker(configure(tmp_path / name, url, mqtt=mqtt))
        assert list(found) == ["connection"]
        return found["connection"].message

    authority = f"ca_file: {tls_broker.folder}/cert.pem"
    assert "a certificate that is not trusted: self-signed certificate; check mqtt.ca_file" in complaint(
        "untrusted", f"mqtts://127.0.0.1:{tls_broker.port}"
    )
    assert "not valid for 'localhost'" in complaint("name", f"mqtts://localhost:{tls_broker.port}", authority)
    assert "does this port want TLS (mqtts://)" in complaint("plain", f"mqtt://127.0.0.1:{tls_broker.port}")
    assert "does this port want TLS (mqtts://), or none (mqtt://)?" in complaint(
        "tls", f"mqtts://127.0.0.1:{mosquitto.port}", authority
    )
    missing = complaint("missing", f"mqtts://127.0.0.1:{tls_broker.port}", "ca_file: absent.pem")
    assert missing.endswith("absent.pem: cannot be read; put the file there, or correct its name in siteward.yaml")


# ── the gateway ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_journal_that_cannot_be_read_is_a_finding(tmp_path: Path, mosquitto: Mosquitto) -> None:
    config = configure(tmp_path, mosquitto.url)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journal.db").write_bytes(os.urandom(4096))
    sections = look(config)
    assert wrong(sections["gateway"]) == {"journal"}
    assert "file is not a database" in sections["gateway"]["journal"].message
