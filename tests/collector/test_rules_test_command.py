"""`siteward rules test`, as it is typed, and what docs/rules.md shows of it."""

import json
import re
from pathlib import Path
from textwrap import dedent

import pytest
from typer.testing import CliRunner, Result

from collector.cli import app
from collector.yamlfile import Document
from rules.trial import RuleTest, RuleTestFile, Series
from rules.trialrun import run as run_trial
from tests.rulebench import make_site, read_rules

SITE = 'site: {id: campus}\ndata_dir: ../data\nmqtt: {url: "mqtt://127.0.0.1", client_id: siteward}\n'
DEVICES = "devices:\n  - {id: em-1, kind: electricity_meter}\n"
RULES = """\
rules:
  - {id: high, when: {threshold: {point: voltage_v, above: 253 V}}}
  - {id: low, when: {threshold: {point: voltage_v, below: 207 V}}}
"""
TESTS = """\
tests:
  - name: a high voltage
    rules: high
    series: [{device: em-1, voltage_v: 230 260}]
    expect:
      - {at: 00:00, alerts: none}
      - {at: 00:15, alerts: em-1}
  - name: a wrong one
    rules: low
    series: [{device: em-1, voltage_v: 230 200}]
    expect:
      - {at: 00:15, alerts: [{subject: em-1, value: 201 V}]}
"""
PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["rules", "test", *map(str, words)], env={"COLUMNS": "150"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    (folder / "rules").mkdir(parents=True)
    (folder / "siteward.yaml").write_text(SITE, encoding="utf-8")
    (folder / "devices.yaml").write_text(DEVICES, encoding="utf-8")
    (folder / "rules" / "a.yaml").write_text(RULES, encoding="utf-8")
    (folder / "rules" / "a.test.yaml").write_text(TESTS, encoding="utf-8")
    return folder


def test_what_failed_is_told_with_its_place(folder: Path) -> None:
    result = run("-c", folder)
    assert result.exit_code == 1
    assert result.stdout == (
        f"{folder}/rules/a.test.yaml:12:30: a wrong one: at 00:15 it differs in value\n"
        "    expected  {subject: em-1, value: 201 V}\n"
        "    got       {subject: em-1, rule: low, severity: minor, since: 00:15, value: 200 V, limit: 207 V}\n"
        "2 tests, 1 failed.\n"
    )


def test_one_rule_one_file(folder: Path) -> None:
    result = run("-c", folder, "--rule", "high")
    assert (result.exit_code, result.stdout) == (0, "1 test, all passed.\n")
    other = folder / "other.yaml"
    other.write_text(TESTS.replace("201 V", "200 V"), encoding="utf-8")
    assert run(other, "-c", folder).stdout == "2 tests, all passed.\n"
    (folder / "rules" / "a.test.yaml").unlink()
    assert run("-c", folder).stdout == "There are no tests.\nWithout a test: high, low.\n"


def test_for_programs(folder: Path) -> None:
    result = run("-c", folder, "--json")
    good, bad = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (good["name"], good["passed"], good["failures"]) == ("a high voltage", True, [])
    (failure,) = bad["failures"]
    assert (failure["line"], failure["column"], failure["expected"]) == (12, 30, ["{subject: em-1, value: 201 V}"])


def test_a_test_that_cannot_be_read(folder: Path) -> None:
    (folder / "rules" / "a.test.yaml").write_text("tests:\n  - {name: x, rules: high, expct: none}\n", encoding="utf-8")
    result = run("-c", folder)
    assert result.exit_code == 2
    assert "a.test.yaml:2:28: unknown key 'expct' (did you mean expect?)" in result.stderr
    assert "missing key 'expect'" in result.stderr
    gone = run("-c", folder, folder / "gone.test.yaml")
    assert gone.exit_code == 2
    assert "No such file or directory" in gone.stderr


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_blocks(key: str) -> list[object]:
    """The YAML of the page that begins with a key."""
    found = re.findall(rf"(?m)^    {key}:\n(?:(?:    .*)?\n)+", PAGE)
    values = [Document(dedent(block)) for block in found]
    assert values
    assert not [fault for value in values for fault in value.faults]
    return [value.value for value in values]


def test_the_rules_and_tests_of_the_page_go_together() -> None:
    gateway = "- {id: gateway-silent, select: {kind: gateway}, when: {silent: {for: 5m}}}"
    rules = [rule for block in read_blocks("rules") for rule in read_rules(json.dumps(block))] + read_rules(gateway)
    site = make_site([{"id": "gw-a", "kind": "gateway"}], zone="Asia/Shanghai")
    tests = [test for block in read_blocks("tests") for test in RuleTestFile.model_validate(block).tests]
    assert len(tests) > 1
    assert [run_trial(test, rules, site) for test in tests] == [[]] * len(tests)


def test_the_series_of_the_page_can_be_read() -> None:
    for block in read_blocks("series"):
        assert isinstance(block, dict)
        assert [Series.model_validate(entry) for entry in block["series"]]


def test_the_page_names_every_key_of_a_test() -> None:
    table = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert table >= RuleTest.model_fields.keys()
