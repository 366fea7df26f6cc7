"""What deploy/ and the Dockerfile say, as far as that can be checked without an engine."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector import service
from collector.commands import init
from tests.integration.deployed import make_site
from tests.integration.servers import find_program

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXECUTABLE = Path(sys.executable).parent
MOST_EXPOSED = 15
"""systemd-analyze's measure of a unit, 0 to 100: a service that needs the network cannot do much better."""


def check(*command: object) -> str:
    """What a program says, which must find nothing wrong."""
    words = [str(word) for word in command]
    result = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `siteward init --deploy` writes it."""
    return make_site(tmp_path_factory.mktemp("deploy") / "site")


# ── compose ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_compose_holds_to_its_specification(site: Path) -> None:
    check(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", site / "compose.yaml")
    assert (site / "compose.yaml").read_bytes() == (DEPLOY / "compose.yaml").read_bytes()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["user"].startswith("${SITEWARD_UID:?")
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert not service.keys() & {"privileged", "cap_add", "devices", "network_mode", "pid", "env_file"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_says_how_it_is(name: str) -> None:
    check_of_image = name == "siteward" and "HEALTHCHECK" in DOCKERFILE
    assert check_of_image or SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_only_the_broker_is_reached_from_outside() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.pop("mosquitto") == ["8883:8883"]
    assert published.keys() == {"grafana", "siteward"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    assert COMPOSE["networks"]["store"] == {"internal": True}
    assert SERVICES["influxdb"]["networks"] == ["store"]


def test_every_image_is_pinned() -> None:
    images = [service["image"] for service in SERVICES.values() if service["image"] != SERVICES["siteward"]["image"]]
    images += re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(images) == 5
    assert [image for image in images if not re.fullmatch(r"[a-z/-]+:\d+\.\d+\.\d+[a-z-]*", image)] == []
    assert SERVICES["siteward"]["image"].startswith("siteward:${SITEWARD_VERSION:?")


def test_everything_that_is_mounted_is_there(site: Path) -> None:
    mounted = [mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])]
    mounted += [secret["file"] for secret in COMPOSE["secrets"].values()]
    assert len(mounted) > 15
    assert [path for path in mounted if not path.startswith("./") or not (site / path).exists()] == []


def test_nothing_that_is_written_is_mounted_twice_or_without_need() -> None:
    writable = {
        mount: name for name, service in SERVICES.items() for mount in service["volumes"] if not mount.endswith(":ro")
    }
    assert {mount.split(":")[0]: name for mount, name in writable.items()} == {
        "./data/mosquitto": "mosquitto", "./data/influxdb": "influxdb", "./data/grafana": "grafana",
        "./data/siteward": "siteward", "./config": "siteward",
    }  # fmt: skip


def test_every_variable_is_set(site: Path) -> None:
    used = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))
    lines = (site / ".env").read_text(encoding="utf-8").splitlines()
    assert used == {line.partition("=")[0] for line in lines if not line.startswith("#")}


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────────────────────


def given(service: dict[str, Any]) -> set[str]:
    """Where a service finds its secrets."""
    secrets = [{"target": one} if isinstance(one, str) else one for one in service["secrets"]]
    return {str(Path("/run/secrets") / secret["target"]) for secret in secrets}


def read_where(name: str) -> Iterator[str]:
    """Secrets' files that a service's environment and configuration name."""
    texts = [str(value) for value in SERVICES[name].get("environment", {}).values()]
    folder = DEPLOY / {"siteward": "none"}.get(name, name)
    texts += [path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()]
    yield from re.findall(r"/run/secrets/\w+", "\n".join(texts))


@pytest.mark.parametrize("name", ["mosquitto", "influxdb", "grafana"])
def test_a_service_is_given_the_secrets_that_it_reads(name: str) -> None:
    found = set(read_where(name))
    assert found
    assert found <= given(SERVICES[name])


def test_siteward_is_given_the_secrets_that_its_settings_name(site: Path) -> None:
    text = (site / "config" / "siteward.yaml").read_text(encoding="utf-8")
    named = re.findall(r"^ +(?:password|token)_file: \.\.(/\S+)", text, re.MULTILINE)
    assert given(SERVICES["siteward"]) == {f"/site{path}" for path in named}


def test_no_secret_is_given_to_whom_it_does_not_concern() -> None:
    uses = {name: {Path(path).name for path in given(service)} for name, service in SERVICES.items()}
    assert uses["grafana"] == {"grafana_admin_password", "grafana_secret_key", "influxdb_grafana_password"}
    assert uses["siteward"] == {"mqtt_password", "influxdb_token"}
    assert COMPOSE["secrets"].keys() == {
        one if isinstance(one, str) else one["source"] for service in SERVICES.values() for one in service["secrets"]
    }


PLAIN = re.compile(
    r"""^[ \t]*-?[ \t]*"?\w*(?:password|token|secret)"?[ \t]*[:=][ \t]*["']?([^"'$/{\[\s][^"'\s]*)""",
    re.IGNORECASE | re.MULTILINE,
)
"""A key that means a secret, and a value that is no file and no variable."""


def test_no_password_stands_in_a_file_of_the_project() -> None:
    environment = [item for service in SERVICES.values() for item in service.get("environment", {}).items()]
    secret = [(name, value) for name, value in environment if re.search("PASSWORD|TOKEN|SECRET", name)]
    assert len(secret) == 4
    assert [item for item in secret if not (item[0].endswith("_FILE") and item[1].startswith("/run/secrets/"))] == []
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            assert PLAIN.findall(path.read_text(encoding="utf-8")) == [], path


def test_a_password_would_be_found() -> None:
    assert PLAIN.findall("  user: grafana\n  password: hunter2\n") == ["hunter2"]
    assert PLAIN.findall("  - GF_SECURITY_ADMIN_PASSWORD=admin\n") == ["admin"]
    assert PLAIN.findall('    token: "abc"\n') == ["abc"]
    assert PLAIN.findall("  password: $__file{/run/secrets/x}\n  secrets: [token]\n  token: {file: ./a}\n") == []


def test_the_database_gives_grafana_a_user_that_reads(tmp_path: Path) -> None:
    """The script, with a program in `influx`'s place that says how it was called."""
    script = (DEPLOY / "influxdb" / "grafana-reader.sh").read_text(encoding="utf-8")
    (tmp_path / "word").write_text("a word", encoding="utf-8")
    (tmp_path / "influx").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >"{tmp_path}/called"\n', encoding="utf-8")
    (tmp_path / "influx").chmod(0o755)
    (tmp_path / "script.sh").write_text(
        script.replace("/run/secrets/influxdb_grafana_password", str(tmp_path / "word")), encoding="utf-8"
    )
    environment = {"DOCKER_INFLUXDB_INIT_ORG": "siteward", "DOCKER_INFLUXDB_INIT_BUCKET_ID": "b1"}
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["/bin/sh", str(tmp_path / "script.sh")], env=environment | path, check=True)
    assert (tmp_path / "called").read_text(encoding="utf-8").splitlines() == [
        "v1", "auth", "create", "--org", "siteward", "--username", "grafana", "--password", "a word",
        "--read-bucket", "b1",
    ]  # fmt: skip
    assert os.access(DEPLOY / "influxdb" / "grafana-reader.sh", os.X_OK)


# ── the image ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_hadolint_finds_nothing() -> None:
    assert check(EXECUTABLE / "hadolint", "--failure-threshold", "style", ROOT / "Dockerfile") == ""


def test_the_image_is_made_of_what_is_there_and_of_nothing_else() -> None:
    copied = [
        line.split()[1:-1] for line in DOCKERFILE.splitlines() if line.startswith("COPY") and "--from" not in line
    ]
    sources = {source for sources in copied for source in sources}
    assert [source for source in sources if not (ROOT / source).exists()] == []
    wanted = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split() if line[0] == "!"}
    assert {path.partition("/")[0] for path in wanted} == sources
    assert [path for path in wanted if not (ROOT / path).exists()] == []


def test_the_wheel_is_made_of_what_the_image_has() -> None:
    wanted = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split() if line[0] == "!"}
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    carried = re.search(r"\[tool\.hatch\.build\.targets\.wheel\.force-include\]\n((?:\".*\n)+)", text)
    assert carried
    assert set(re.findall(r"^\"([^\"]+)\"", carried[1], re.MULTILINE)) <= wanted


def test_the_image_runs_as_a_user_whom_init_knows() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert users == [f"{init.IMAGE_USER.uid}:{init.IMAGE_USER.gid}"]
    assert f"groupadd --gid {init.IMAGE_USER.gid} " in DOCKERFILE
    assert f"useradd --uid {init.IMAGE_USER.uid} " in DOCKERFILE
    assert "PYTHONSAFEPATH=1" in DOCKERFILE


# ── systemd ──────────────────────────────────────────────────────────────────────────────────────────────────────

UNIT = (DEPLOY / "systemd" / "siteward.service").read_text(encoding="utf-8")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with this environment's program, which systemd-analyze looks for."""
    file = tmp_path / "siteward.service"
    file.write_text(UNIT.replace("/opt/siteward/bin/siteward", str(EXECUTABLE / "siteward")), encoding="utf-8")
    return file


def test_systemd_understands_the_unit(unit: Path) -> None:
    assert check(find_program("systemd-analyze"), "verify", "--man=no", unit) == ""


def test_the_unit_is_not_exposed(unit: Path) -> None:
    check(
        find_program("systemd-analyze"), "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", unit
    )
    loose = unit.with_name("loose.service")
    loose.write_text("[Service]\nExecStart=/bin/true\nProtectSystem=strict\n", encoding="utf-8")
    with pytest.raises(AssertionError):  # so the bound is one
        check(find_program("systemd-analyze"), "security", "--offline=true", f"--threshold={MOST_EXPOSED}", loose)


def test_the_daemon_gives_signs_of_life_twice_as_often_as_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = re.search(r"^WatchdogSec=(\d+)s$", UNIT, re.MULTILINE)
    assert limit
    monkeypatch.setenv("WATCHDOG_USEC", f"{limit[1]}000000")
    assert service.watchdog_s() == int(limit[1]) / 2
    assert re.search(r"^Type=notify$", UNIT, re.MULTILINE)
