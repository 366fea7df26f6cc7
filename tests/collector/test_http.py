"""The daemon's own address: figures for Prometheus, health for supervisors, the live state for pages."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from prometheus_client.parser import text_string_to_metric_families

from collector.configuration import load
from collector.daemon import Daemon
from collector.errors import CollectorError
from collector.http import HttpServer
from collector.telemetry import FIGURES
from tests.integration.servers import find_free_port, wait_until
from tests.sites import write_site


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """With nobody at the broker's address."""
    daemon = Daemon(load(write_site(tmp_path)))
    daemon.start()
    yield daemon
    daemon.stop()


def get(daemon: Daemon, path: str) -> tuple[int, Any]:
    answer = urllib3.request("GET", f"http://{daemon.http.address}{path}", timeout=5, retries=False)
    return answer.status, answer.json()


def test_every_figure_is_offered_to_prometheus(daemon: Daemon) -> None:
    answer = urllib3.request("GET", f"http://{daemon.http.address}/metrics", timeout=5, retries=False)
    families = list(text_string_to_metric_families(answer.data.decode()))
    assert [(family.name, family.type, family.documentation) for family in families] == [
        (f"siteward_{figure.name}", figure.kind, figure.meaning) for figure in FIGURES
    ]
    values = {sample.name: sample.value for family in families for sample in family.samples}
    assert values["siteward_connected"] == 0
    assert values["siteward_readings_total"] == 0
    assert values["siteward_journal_quota_bytes"] == 2_000_000_000
    assert 10**7 < values["siteward_memory_bytes"] < 10**9
    assert values["siteward_cpu_s_total"] > 0


def test_a_missing_broker_is_no_reason_to_restart_but_one_not_to_be_ready(daemon: Daemon) -> None:
    wait_until(lambda: daemon.subscriber.session.trouble)
    assert get(daemon, "/healthz") == (200, {"good": True, "problems": []})
    mqtt = daemon.configuration.settings.mqtt
    reason = f"broker: 127.0.0.1:{mqtt.port} refuses connections: start the broker there, or check mqtt.url"
    assert get(daemon, "/readyz") == (503, {"good": False, "problems": [reason]})


def test_the_live_state_is_told(daemon: Daemon) -> None:
    status, live = get(daemon, "/live")
    assert status == 200
    assert (live["site"], live["broker"]["state"], live["journal"]["head"], live["devices"]) == ("site", "down", 1, {})
    counts = ("messages", "readings", "late", "duplicates", "quarantined", "ignored")
    assert live["counts"] == dict.fromkeys(counts, 0)
    assert live["configuration"] == {"loaded": live["started"], "in_force": True}


def test_other_addresses_say_what_there_is(daemon: Daemon) -> None:
    assert get(daemon, "/metric") == (404, {"error": "here are /metrics /healthz /readyz /live"})


def test_the_port_may_be_left_to_the_system(daemon: Daemon) -> None:
    server = HttpServer("127.0.0.1:0", daemon)
    server.start()
    assert urllib3.request("GET", f"http://{server.address}/healthz", timeout=5, retries=False).status == 200
    server.stop()


def test_after_the_stop_the_address_is_free(daemon: Daemon) -> None:
    address = f"127.0.0.1:{find_free_port()}"
    for _ in range(2):
        server = HttpServer(address, daemon)
        server.start()
        assert server.address == address
        server.stop()


@pytest.mark.parametrize(
    ("host", "reason"),
    [("127.0.0.1", "Address already in use"), ("broker.invalid", "Name or service not known")],
)
def test_an_address_that_cannot_be_used_is_said(daemon: Daemon, host: str, reason: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = f"{host}:{other.getsockname()[1]}"
        with pytest.raises(CollectorError) as caught:
            HttpServer(listen, daemon)
    assert str(caught.value) == (
        f"http.listen: cannot listen on {listen}: {reason};"
        " another Siteward may be running, or choose another port in siteward.yaml"
    )
