"""A site as `siteward init --deploy` writes it, and its broker as a real child with the paths of this machine."""

import getpass
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import yaml
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from typer.testing import CliRunner

from collector.cli import app
from tests.integration.servers import Server, find_free_port, find_program, wait_until

SITE = "campus"
CLIENT_ID = f"siteward-{SITE}"


def make_site(folder: Path, *addresses: str) -> Path:
    """The site's folder."""
    options = [option for address in addresses for option in ("--address", address)]
    result = CliRunner().invoke(app, ["init", str(folder), "--deploy", "--site", SITE, *options])
    assert result.exit_code == 0, result.output
    return folder


class DeployedBroker(Server):
    """The broker of a site, with the configuration that was written for it; only paths, ports and user are ours.

    Attributes:
        site: the site's folder.
        own_port: Siteward's; `port` is the devices'.
    """

    def __init__(self, site: Path) -> None:
        super().__init__(site / "run")
        self.site = site
        self.own_port = find_free_port()

    def command(self) -> list[str]:
        """Writes mosquitto.conf anew, with other paths."""
        configuration = self.folder / "mosquitto.conf"
        text = self.adapt((self.site / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8"))
        configuration.write_text(f"{text}user {getpass.getuser()}\nsys_interval 1\n", encoding="utf-8")
        return [find_program("mosquitto"), "-c", str(configuration)]

    def adapt(self, text: str) -> str:
        """What is true in the container, as it is here."""
        for mount, place in {
            "/mosquitto/config": self.site / "mosquitto",
            "/mosquitto/data": self.site / "data" / "mosquitto",
            "/mosquitto/ca.pem": self.site / "ca.pem",
            "/run/secrets/broker_key": self.site / "secrets" / "broker.key",
            "listener 8883": f"listener {self.port} 127.0.0.1",
            "listener 8884": f"listener {self.own_port} 127.0.0.1",
            "-p 8883": f"-p {self.port}",
        }.items():
            text = text.replace(str(mount), str(place))
        return text

    def is_ready(self) -> bool:
        """It accepts connections at both ports."""
        for port in (self.port, self.own_port):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True

    def add_user(self, name: str, password: str) -> None:
        """As the manual says, with Mosquitto's own program; a broker that runs reads the file at SIGHUP."""
        new = self.folder / "new"
        new.write_text(f"{name}:{password}\n", encoding="utf-8")
        subprocess.run([find_program("mosquitto_passwd"), "-U", str(new)], check=True)
        with (self.site / "mosquitto" / "passwords").open("a", encoding="utf-8") as file:
            file.write(new.read_text(encoding="utf-8"))

    @contextmanager
    def connect(self, user: str, password: str, *, client_id: str = "", keep_s: int = 0) -> Iterator["Peer"]:
        """A device over TLS that trusts the site's authority, once the broker has answered; a session kept so long."""
        with self._connect(self.port, Peer(client_id or user, self.site / "ca.pem", user, password), keep_s) as peer:
            yield peer

    @contextmanager
    def connect_siteward(self, *, keep_s: int = 0) -> Iterator["Peer"]:
        """Likewise Siteward, at its own port and under its own client id."""
        password = (self.site / "secrets" / "mqtt_password").read_text(encoding="utf-8")
        ours = Peer(CLIENT_ID, self.site / "ca.pem", "siteward", password)
        with self._connect(self.own_port, ours, keep_s) as peer:
            assert peer.answer == "Success"
            yield peer

    @contextmanager
    def _connect(self, port: int, peer: "Peer", keep_s: int) -> Iterator["Peer"]:
        peer.open(port, keep_s)
        try:
            yield peer
        finally:
            peer.client.disconnect()
            peer.client.loop_stop()


class Peer:
    """A client of the broker.

    Attributes:
        client: paho's.
        answer: the broker's, to our name and password.
        heard: topics and payloads, as they come.
    """

    answer: str

    def __init__(self, client_id: str, ca_file: Path, user: str, password: str) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv5)
        self.client.tls_set(str(ca_file))
        if user:
            self.client.username_pw_set(user, password)
        self.client.on_message = lambda _client, _data, message: self.heard.append(
            (message.topic, bytes(message.payload))
        )

    def open(self, port: int, keep_s: int) -> None:
        """Connects, and waits for the answer."""
        answers: Queue[object] = Queue()
        self.client.on_connect = lambda _client, _data, _flags, reason, _properties: answers.put(reason)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = keep_s
        self.client.connect("localhost", port, clean_start=not keep_s, properties=properties)
        self.client.loop_start()
        self.answer = str(answers.get(timeout=10))

    def subscribe(self, topic: str) -> None:
        """At QoS 1; returns once the broker has answered."""
        done = threading.Event()
        self.client.on_subscribe = lambda *_: done.set()
        self.client.subscribe(topic, qos=1)
        assert done.wait(10)

    def publish(self, topic: str, *payloads: bytes) -> set[str]:
        """At QoS 1; the broker's answers."""
        answers: dict[int, str] = {}
        self.client.on_publish = lambda _client, _data, number, reason, _properties: answers.update(
            {number: str(reason)}
        )
        for payload in payloads:
            self.client.publish(topic, payload, qos=1)
        wait_until(lambda: len(answers) == len(payloads), 30)
        return set(answers.values())


def adapt_settings(site: Path, broker: DeployedBroker, **sections: Any) -> Path:  # noqa: ANN401 - settings of every type
    """Gives siteward.yaml the addresses of this machine; the configuration's folder."""
    file = site / "config" / "siteward.yaml"
    text = file.read_text(encoding="utf-8").replace("mosquitto:8884", f"localhost:{broker.own_port}")
    content = yaml.safe_load(text) | {"data_dir": str(site / "data" / "siteward")} | sections
    content["http"] = {"listen": f"127.0.0.1:{find_free_port()}"}
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return site / "config"
