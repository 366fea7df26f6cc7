"""`siteward rules` list, check and explain, as they are typed."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from collector.cli import app

SITE = 'site: {id: campus}\ndata_dir: ../data\nmqtt: {url: "mqtt://127.0.0.1", client_id: siteward}\n'
DEVICES = """\
devices:
  - {id: gw-a, kind: gateway}
  - {id: em-1, kind: electricity_meter, gateway: gw-a, nominal_voltage: 230 V, building: A}
  - {id: em-2, kind: electricity_meter, gateway: gw-a}
"""
RULES = """\
rules:
  - id: voltage-high
    name: {en: Voltage too high, zh: 电压过高}
    select: {kind: electricity_meter}
    when: {threshold: {point: voltage_v, above: 110 % of nominal_voltage}}
    severity: major
    ticket: {runbook: "https://example.org/voltage"}
  - id: gateway-silent
    name: {en: Gateway is silent, zh: 网关失联}
    select: {kind: gateway}
    when: {silent: {for: 5m}}
    enabled: false
    ticket: null
"""


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "150"})


def answer(*words: object) -> Any:  # noqa: ANN401 - JSON is anything
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    (folder / "rules").mkdir(parents=True)
    (folder / "siteward.yaml").write_text(SITE, encoding="utf-8")
    (folder / "devices.yaml").write_text(DEVICES, encoding="utf-8")
    (folder / "rules" / "a.yaml").write_text(RULES, encoding="utf-8")
    return folder


def test_the_list(folder: Path) -> None:
    first, second = answer("rules", "list", "-c", folder)
    assert first == {
        "id": "voltage-high",
        "severity": "major",
        "name": {"en": "Voltage too high", "zh": "电压过高"},
        "enabled": True,
        "at": f"{folder}/rules/a.yaml:2",
        "subjects": [{"kind": "device", "id": "em-1"}],
        "left_out": [{"device": "em-2", "reason": "no nominal_voltage"}],
    }
    assert (second["id"], second["enabled"], second["left_out"]) == ("gateway-silent", False, [])


def test_the_list_for_people(folder: Path) -> None:
    text = run("rules", "list", "-c", folder).stdout
    assert "1 device " in text
    assert "1: no nominal_voltage" in text
    assert "1 device, switched off" in text
    (folder / "rules" / "a.yaml").unlink()
    assert run("rules", "list", "-c", folder).stdout == "There are no rules. Write some below rules/.\n"


def test_good_rules(folder: Path) -> None:
    result = run("rules", "check", "-c", folder)
    assert (result.exit_code, result.stdout) == (0, "2 rules, nothing to complain of.\n")


def test_findings(folder: Path) -> None:
    (folder / "rules" / "b.yaml").write_text("rules: [{id: a, when: {threshold: {point: leak, equals: true}}}]\n")
    result = run("rules", "check", "-c", folder)
    assert result.exit_code == 1
    assert result.stdout.replace(f"{folder}/", "").splitlines() == [
        "rules/b.yaml:1:14: 'a' has no name in en and zh (name: {en: …, zh: …})",
        "rules/b.yaml:1:14: 'a' has no runbook (say below ticket what is to be done)",
        "3 rules, 2 findings.",
    ]
    found = json.loads(run("rules", "check", "-c", folder, "--json").stdout)
    assert [(finding["line"], finding["column"]) for finding in found] == [(1, 14), (1, 14)]


def test_errors(folder: Path) -> None:
    (folder / "rules" / "b.yaml").write_text("rules: [{id: a, when: {threshold: {point: leek, equals: true}}}]\n")
    result = run("rules", "check", "-c", folder)
    assert result.exit_code == 2
    assert "rules/b.yaml:1:43: point: there is no point 'leek'; did you mean leak?" in result.stderr


def test_explained(folder: Path) -> None:
    said = answer("rules", "explain", "voltage-high", "em-1", "-c", folder)
    assert (said["id"], said["device"], said["at"]) == ("voltage-high", "em-1", f"{folder}/rules/a.yaml:2")
    assert said["lines"][0] == {
        "head": "fires when",
        "text": "voltage_v is above 253 V (110 % of nominal_voltage 230 V)",
    }
    text = run("rules", "explain", "voltage-high", "-c", folder).stdout
    assert "voltage-high Voltage too high" in text
    assert "voltage_v is above 110 % of nominal_voltage" in text


def test_what_is_not_there(folder: Path) -> None:
    result = run("rules", "explain", "voltage-hi", "-c", folder)
    assert (result.exit_code, result.stderr) == (2, "There is no rule 'voltage-hi'; did you mean voltage-high?\n")
    result = run("rules", "explain", "voltage-high", "em-9", "-c", folder)
    assert (result.exit_code, result.stderr) == (2, "There is no device 'em-9'; did you mean em-2?\n")
