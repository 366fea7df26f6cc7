"""check, schema and devices, as they are typed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from collector.cli import app
from collector.commands.configuration import MODELS
from collector.configuration import load
from collector.settings import Settings
from devices.language.profile import Profile
from devices.register import Device

EXAMPLE = Path(__file__).parents[2] / "config"
SITE = 'site: {id: campus}\ndata_dir: ../data\nmqtt: {url: "mqtt://127.0.0.1", client_id: siteward}\n'


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def answer(*words: object) -> Any:  # noqa: ANN401 - JSON is anything
    result = run(*words)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The smallest configuration."""
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "siteward.yaml").write_text(SITE, encoding="utf-8")
    return folder


def test_check_of_a_good_configuration_says_what_was_read() -> None:
    result = run("check", "--config", EXAMPLE)
    assert result.exit_code == 0
    files = ", ".join(
        f"{EXAMPLE}/{name}" for name in ("siteward.yaml", "places.yaml", "devices.yaml", "calendars.yaml")
    )
    configuration = load(EXAMPLE)
    counts = f"{len(configuration.profiles)} profiles, {len(configuration.rules)} rules"
    assert result.stdout.startswith(f"Good: site campus, 80 devices, {counts}, read from {files}")


def test_check_says_every_problem_and_how_many(folder: Path) -> None:
    (folder / "devices.yaml").write_text("devices:\n  - {id: a, kind: gate}\n  - {id: a, kinds: door}\n")
    (folder / "places.yaml").write_text("- A\n")
    result = run("check", "--config", folder)
    assert result.exit_code == 2
    kinds = "'electricity_meter', 'water_meter', 'door', 'sensor' or 'gateway'"
    assert result.stdout.replace(f"{folder}/", "").splitlines() == [
        "places.yaml:1:1: expected keys with values, got a list (known here: buildings, feeds)",
        f"devices.yaml:2:19: kind: expected {kinds}, got 'gate' (did you mean gateway?)",
        "devices.yaml:3:5: missing key 'kind' (What it is; also the measurement's name in the database)",
        "devices.yaml:3:13: unknown key 'kinds' (did you mean kind?)",
        "4 problems in 2 files.",
    ]


def test_check_for_programs(folder: Path) -> None:
    good = answer("check", "--config", folder, "--json")
    assert (good["problems"], good["warnings"], good["devices"]) == ([], [], 0)
    (folder / "devices.csv").write_text("id,kind\na,gate\n")
    result = run("check", "--config", folder, "--json")
    assert result.exit_code == 2
    (problem,) = json.loads(result.stdout)["problems"]
    assert problem == {
        "file": f"{folder}/devices.csv",
        "line": 2,
        "column": 3,
        "message": "kind: expected 'electricity_meter', 'water_meter', 'door', 'sensor' or 'gateway', got 'gate'",
        "hint": "did you mean gateway?",
    }


def test_check_with_warnings_alone(folder: Path) -> None:
    (folder / "device.yaml").write_text("")
    result = run("check", "--config", folder)
    assert result.exit_code == 1
    warning, summary = result.stdout.splitlines()
    assert warning == f"Warning: {folder}/device.yaml: nothing reads this file (did you mean devices.yaml?)"
    assert summary.startswith("Good: site campus, 0 devices, ")


def test_check_looks_for_the_files_that_are_named(folder: Path) -> None:
    text = SITE.replace("siteward}", "siteward, username: u, password_file: none}")
    (folder / "siteward.yaml").write_text(text)
    result = run("check", "--config", folder)
    assert result.exit_code == 2
    assert "siteward.yaml:3:82: password_file: cannot read " in result.stdout


def test_schemas_are_listed() -> None:
    result = run("schema")
    assert result.exit_code == 0
    assert all(name in result.stdout for name in ("siteward", "devices", "places", "profile"))


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("siteward", set(Settings.model_fields)),
        ("devices", {"tags", "devices", "replacements"}),
        ("places", {"buildings", "feeds"}),
        ("rules", {"rules"}),
        ("calendars", {"calendars"}),
        ("profile", set(Profile.model_fields)),
    ],
)
def test_a_schema(name: str, keys: set[str]) -> None:
    schema = answer("schema", name)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["properties"].keys() == keys
    assert schema["additionalProperties"] is False


def test_a_schema_shows_durations_as_people_write_them() -> None:
    schema = answer("schema", "siteward")["$defs"]
    keepalive = schema["Mqtt"]["properties"]["keepalive"]
    assert keepalive["default"] == "30s"
    assert re.search(keepalive["pattern"], "1h30m")
    assert schema["Time"]["properties"]["past"]["default"] == "35d"


def test_an_unknown_schema() -> None:
    result = run("schema", "rule")
    assert result.exit_code == 2
    assert (
        result.stderr
        == "There is no schema 'rule'; known are siteward, devices, places, calendars, tariffs, reports, desk, rules,"
        " rule-tests, profile.\n"
    )


def test_schemas_into_a_folder(tmp_path: Path) -> None:
    assert run("schema", "--out", tmp_path / "schemas").exit_code == 0
    files = {path.name: json.loads(path.read_bytes()) for path in (tmp_path / "schemas").iterdir()}
    assert files == {f"{name}.schema.json": answer("schema", name) for name in MODELS}


def test_devices_are_listed() -> None:
    rows = answer("devices", "list", "--config", EXAMPLE, "--json")
    assert [Device.model_validate(row) for row in rows] == list(load(EXAMPLE).register)
    assert "em-a-01" in run("devices", "list", "--config", EXAMPLE).stdout


def test_an_empty_register(folder: Path) -> None:
    result = run("devices", "list", "--config", folder)
    assert result.stdout == "The register is empty. List devices in devices.yaml.\n"


def test_a_device_and_where_it_is_heard(folder: Path) -> None:
    assert answer("devices", "show", "em-a-02", "--config", EXAMPLE, "--json")["topics"] == [
        "siteward/campus/em-a-02/readings"
    ]
    (folder / "devices.yaml").write_text(
        "devices:\n  - {id: a, kind: door, topic: x/y}\n"
        "  - {id: b, kind: electricity_meter, profile: tasmota, address: plug7}\n",
    )
    assert answer("devices", "show", "a", "--config", folder, "--json")["topics"] == ["x/y"]
    assert "tele/plug7/SENSOR" in answer("devices", "show", "b", "--config", folder, "--json")["topics"]
    shown = run("devices", "show", "em-a-02", "--config", EXAMPLE).stdout
    assert all(part in shown for part in ("A-1F classrooms lighting", "教学楼一层教室照明", "A/1F/classrooms", "15m"))


def test_a_device_that_is_not_there() -> None:
    result = run("devices", "show", "em-a-99", "--config", EXAMPLE)
    assert result.exit_code == 2
    assert re.fullmatch(r"There is no device 'em-a-99'; did you mean em-a-\d\d\?\n", result.stderr)


def test_profiles_are_listed() -> None:
    rows = answer("devices", "profiles", "--config", EXAMPLE, "--json")
    assert [row["id"] for row in rows] == sorted(load(EXAMPLE).profiles)
    assert "siteward/{site}/{device}/readings" in run("devices", "profiles", "canonical", "--config", EXAMPLE).stdout
