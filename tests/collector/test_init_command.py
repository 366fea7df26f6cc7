"""`siteward init`, as it is typed: a first configuration, and a whole site for compose."""

import json
import os
import stat
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from collector import __version__, filecheck
from collector.cli import app
from collector.configuration import load
from collector.deployment import layout
from collector.settings import InfluxStore
from collector.yamlfile import Document


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def read_all(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_init_writes_what_check_accepts(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "config"
    result = run("init", folder, "--site", "north")
    assert result.exit_code == 0
    assert f"siteward check --config {folder}" in result.stdout
    assert run("check", "--config", folder).exit_code == 0
    configuration = load(folder)
    assert (configuration.settings.site.id, configuration.settings.mqtt.client_id) == ("north", "siteward-north")
    assert [device.id for device in configuration.register] == ["em-01", "wm-01", "door-01"]
    assert [rule.id for rule in configuration.rules] == ["meter-silent", "water-runs-at-night", "door-forced"]
    assert configuration.reports.working_hours in configuration.calendars.calendars
    assert "my-site" not in "".join(path.read_text() for path in folder.rglob("*.yaml"))


@pytest.mark.parametrize("site", ["007", "true", "1e5", "campus.2-a"])
def test_init_with_ids_that_look_like_something_else(tmp_path: Path, site: str) -> None:
    assert run("init", tmp_path, "--site", site).exit_code == 0
    assert load(tmp_path).settings.site.id == site


def test_init_names_schemas_that_are_there(tmp_path: Path) -> None:
    run("init", tmp_path)
    for path in tmp_path.rglob("*.yaml"):
        line = path.read_text(encoding="utf-8").splitlines()[0]
        schema = path.parent / line.removeprefix("# yaml-language-server: $schema=")
        document = Document(path.read_text(encoding="utf-8")).value
        assert isinstance(document, dict)
        assert document.keys() <= json.loads(schema.read_bytes())["properties"].keys()


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "places.yaml").write_text("mine")
    result = run("init", tmp_path)
    assert result.exit_code == 2
    assert (
        result.stderr == f"Nothing was written, because this exists: {tmp_path}/places.yaml. Choose another folder.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["places.yaml"]
    assert (tmp_path / "places.yaml").read_text() == "mine"


def test_init_refuses_a_site_that_no_topic_can_hold(tmp_path: Path) -> None:
    result = run("init", tmp_path, "--site", "a/b")
    assert result.exit_code == 2
    assert result.stderr.startswith("--site: expected letters a-z, digits and . _ - with a letter or digit in front")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [[], ["--deploy"]])
def test_a_place_that_cannot_be_written(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    result = run("init", tmp_path / "file" / "config", *options)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{tmp_path}/file")
    assert result.stderr.endswith(": cannot be written: Not a directory. Choose another folder.\n")


# ── a whole site ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def site(tmp_path: Path) -> Path:
    result = run("init", tmp_path / "site", "--deploy", "--site", "north", "--address", "gw.example")
    assert result.exit_code == 0, result.output
    return tmp_path / "site"


def test_check_accepts_a_site(site: Path) -> None:
    result = run("check", "--config", site / "config")
    assert (result.exit_code, result.stdout.partition(",")[0]) == (0, "Good: site north")
    configuration = load(site / "config")
    assert list(filecheck.find_missing(configuration)) == list(filecheck.find_exposed(configuration)) == []


def test_its_settings_are_those_of_compose(site: Path) -> None:
    settings = load(site / "config").settings
    compose = yaml.safe_load((site / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    assert (settings.mqtt.host, settings.mqtt.port, settings.mqtt.tls) == ("mosquitto", 8884, True)
    assert (settings.mqtt.username, settings.mqtt.client_id) == ("siteward", "siteward-north")
    store = settings.store
    assert isinstance(store, InfluxStore)
    assert store.url == "http://influxdb:8086"
    environment = services["influxdb"]["environment"]
    assert environment["DOCKER_INFLUXDB_INIT_ORG"] == store.org
    assert environment["DOCKER_INFLUXDB_INIT_BUCKET"] == store.bucket
    mounted = {mount.split(":")[1] for mount in services["siteward"]["volumes"]}
    assert {services["siteward"]["environment"]["SITEWARD_CONFIG"], str(settings.data_dir)} <= mounted
    assert settings.http.listen.startswith("0.0.0.0:")
    assert services["siteward"]["ports"] == [f"127.0.0.1:{port}:{port}" for port in [settings.http.listen[8:]]]


def test_no_other_broker_or_database_is_shown_in_its_settings(site: Path) -> None:
    text = (site / "config" / "siteward.yaml").read_text(encoding="utf-8")
    assert text.count("mqtt:\n") == text.count("store:\n") == text.count("\nhttp:\n") == 1
    shown = Document(text.replace("#: ", "")).value
    assert isinstance(shown, dict)
    assert shown.keys() > {"mqtt", "store", "http", "retention", "notify"}


def test_secrets_are_for_their_owner_alone(site: Path) -> None:
    private = [*(site / "secrets").iterdir(), site / "mosquitto" / "passwords", site / "mosquitto" / "acl"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    folders = [site / folder for folder in layout.FOLDERS]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    public = [path for path in site.rglob("*") if path.is_file() and path not in private]
    assert {stat.S_IMODE(path.stat().st_mode) for path in public} == {0o644, 0o755}
    assert [path.name for path in public if stat.S_IMODE(path.stat().st_mode) == 0o755] == ["grafana-reader.sh"]


def test_everything_belongs_to_whom_the_services_run_as(site: Path) -> None:
    user = (os.geteuid(), os.getegid()) if os.geteuid() else (10001, 10001)
    assert {(path.stat().st_uid, path.stat().st_gid) for path in [site, *site.rglob("*")]} == {user}
    lines = (site / ".env").read_text(encoding="utf-8").splitlines()
    assert lines[1:] == [f"SITEWARD_VERSION={__version__}", f"SITEWARD_UID={user[0]}", f"SITEWARD_GID={user[1]}"]


def test_the_services_run_as_whoever_wrote_the_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    monkeypatch.setattr(os, "getegid", lambda: 2345)
    assert run("init", tmp_path / "site", "--deploy").exit_code == 0
    lines = (tmp_path / "site" / ".env").read_text(encoding="utf-8").splitlines()
    assert lines[2:] == ["SITEWARD_UID=1234", "SITEWARD_GID=2345"]
    assert {path.stat().st_uid for path in tmp_path.rglob("*")} == {os.getuid()}  # only root hands anything over


def test_nothing_secret_is_said(tmp_path: Path) -> None:
    result = run("init", tmp_path / "site", "--deploy")
    secrets = [path.read_text(encoding="utf-8") for path in (tmp_path / "site" / "secrets").iterdir()]
    assert len(secrets) == 9
    words = {word for secret in secrets for word in secret.split() if len(word) > 30}
    assert len(words) > len(secrets)  # keys have several lines
    assert not [word for word in words if word in result.output]
    written = read_all(tmp_path / "site")
    assert not [
        (name, word) for name, content in written.items() for word in words
        if not name.startswith("secrets/") and word.encode() in content
    ]  # fmt: skip


def test_each_site_has_secrets_of_its_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run("init", tmp_path / name, "--deploy")
    one, other = read_all(tmp_path / "a"), read_all(tmp_path / "b")
    assert one.keys() == other.keys()
    differing = {name for name in one if one[name] != other[name]}
    own = {"ca.pem", "mosquitto/broker.pem", "mosquitto/passwords"}
    assert differing == {name for name in one if name.startswith("secrets/")} | own
    words = [one[name] for name in one if name.startswith("secrets/")]
    assert len(set(words)) == len(words)


def test_a_second_run_overwrites_nothing(site: Path) -> None:
    before = read_all(site)
    result = run("init", site, "--deploy", "--site", "north")
    assert result.exit_code == 2
    assert result.stderr == f"Nothing was written, because {site} is not empty. Choose another folder.\n"
    assert read_all(site) == before


def test_an_address_that_is_none(tmp_path: Path) -> None:
    result = run("init", tmp_path / "site", "--deploy", "--address", "https://gw")
    assert result.exit_code == 2
    assert result.stderr.startswith("--address: expected a host name or an IP address such as 192.168.1.10, got")
    assert not (tmp_path / "site").exists()
    assert run("init", tmp_path / "site", "--address", "gw").stderr == "--address: belongs to --deploy\n"


def test_no_trace_of_the_starters_id_is_left(site: Path) -> None:
    assert [name for name, content in read_all(site).items() if b"my-site" in content] == []
    assert "siteward/north/%u/readings" in (site / "mosquitto" / "acl").read_text(encoding="utf-8")
