"""TLS to the broker: who is trusted is let in and trusts us, who is not is told why, and no message gets stuck."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.settings import Mqtt
from tests.integration.certificates import Authority, Certificate
from tests.integration.peers import Driver, publish, settings
from tests.integration.servers import Mosquitto, find_free_port

# paho leaves the socket of a failed handshake to the garbage collector, which closes it at once.
pytestmark = pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")


class Site:
    """A broker with a port for TLS, where it asks for a certificate of the client, too, and one without."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder / "ours")
        self.stranger = Authority(folder / "strange")
        self.client = self.authority.sign("gateway")
        server = self.authority.sign("127.0.0.1")
        self.port = find_free_port()
        self.broker = Mosquitto(
            folder / "broker",
            "\n".join(
                [
                    f"listener {self.port} 127.0.0.1",
                    f"cafile {self.authority.certificate}",
                    f"certfile {server.certificate}",
                    f"keyfile {server.key}",
                    "require_certificate true",
                ],
            ),
        )

    def settings(self, client_id: str, client: Certificate | None, *, ca: Path | None = None, host: str = "") -> Mqtt:
        """Of a session over TLS."""
        ours = {} if client is None else {"cert_file": client.certificate, "key_file": client.key}
        url = f"mqtts://{host or '127.0.0.1'}:{self.port}"
        return settings(0, client_id, url=url, ca_file=ca or self.authority.certificate, **ours)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("tls"))
    with site.broker:
        yield site


def find_trouble(ours: Mqtt) -> str:
    """Why there is no connection."""
    with Driver(ours, "site", {"data/+"}) as driver:
        driver.until(lambda: driver.session.trouble)
        return driver.session.trouble


def test_many_small_messages_all_arrive(site: Site, fresh_name: str) -> None:
    payloads = [b"%d" % number for number in range(20_000)]
    with Driver(site.settings(fresh_name, site.client), fresh_name, {f"{fresh_name}/+"}) as driver:
        driver.until_connected()
        publish(site.broker.port, f"{fresh_name}/a", *payloads)
        driver.until(lambda: len(driver.messages) == 20_000)
        assert driver.payloads == payloads


def test_small_messages_that_wait_are_taken_together(site: Site, fresh_name: str) -> None:
    ours = site.settings(fresh_name, site.client)
    with Driver(ours, fresh_name, {f"{fresh_name}/+"}) as driver:
        driver.until_connected()
    publish(site.broker.port, f"{fresh_name}/a", *(b"%d" % number for number in range(1000)))
    with Driver(ours, fresh_name, {f"{fresh_name}/+"}, driver.memory) as again:
        rounds = 0

        def count() -> bool:
            nonlocal rounds
            rounds += 1
            return len(again.messages) == 1000

        again.until(count)
        assert rounds < 100, "each round is one transaction of the journal"


def test_a_message_of_many_records_arrives(site: Site, fresh_name: str) -> None:
    payload = bytes(range(256)) * 4000
    with Driver(site.settings(fresh_name, site.client), fresh_name, {f"{fresh_name}/+"}) as driver:
        driver.until_connected()
        publish(site.broker.port, f"{fresh_name}/a", payload, b"after it")
        driver.until(lambda: len(driver.messages) == 2)
        assert driver.payloads == [payload, b"after it"]


def test_without_a_certificate_we_are_told_that_one_is_wanted(site: Site) -> None:
    assert find_trouble(site.settings("us", None)) == (
        f"127.0.0.1:{site.port} wants a certificate of ours: give mqtt.cert_file and mqtt.key_file"
    )


def test_a_certificate_of_ours_that_is_not_trusted_is_said(site: Site) -> None:
    assert find_trouble(site.settings("us", site.stranger.sign("gateway"))) == (
        f"127.0.0.1:{site.port} does not trust our certificate: check mqtt.cert_file"
    )


def test_a_broker_that_is_not_trusted_is_not_spoken_to(site: Site) -> None:
    assert find_trouble(site.settings("us", site.client, ca=site.stranger.certificate)) == (
        f"127.0.0.1:{site.port} shows a certificate that is not trusted: self-signed certificate in certificate chain;"
        " check mqtt.ca_file, the host's name in mqtt.url, and the clock"
    )


def test_a_broker_with_anothers_certificate_is_not_spoken_to(site: Site) -> None:
    assert "Hostname mismatch" in find_trouble(site.settings("us", site.client, host="localhost"))


def test_a_port_without_tls_is_said(site: Site) -> None:
    ours = site.settings("us", site.client).model_copy(update={"url": f"mqtts://127.0.0.1:{site.broker.port}"})
    assert find_trouble(ours) == (
        f"127.0.0.1:{site.broker.port} breaks the connection off;"
        " does this port want TLS (mqtts://), or none (mqtt://)?"
    )


def test_a_port_with_tls_is_said(site: Site) -> None:
    ours = settings(site.port, "us")
    assert find_trouble(ours) == f"127.0.0.1:{site.port} hangs up before a word; does this port want TLS (mqtts://)?"


@pytest.mark.parametrize("name", ["ca_file", "cert_file", "key_file"])
def test_a_file_that_is_not_there_is_named(site: Site, tmp_path: Path, name: str) -> None:
    missing = tmp_path / "missing.pem"
    assert find_trouble(site.settings("us", site.client).model_copy(update={name: missing})) == (
        f"{missing}: cannot be read; put the file there, or correct its name in siteward.yaml"
    )


def test_a_file_that_is_no_certificate_is_said(site: Site, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate\n", encoding="utf-8")
    trouble = find_trouble(site.settings("us", site.client, ca=wrong))
    assert "check the port, ca_file, cert_file and key_file" in trouble
