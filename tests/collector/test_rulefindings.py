"""What is found in rules that can be used."""

from pathlib import Path

import pytest

from collector.configuration import load
from collector.rulefindings import find_all

SITE = 'site: {id: campus}\ndata_dir: ../data\nmqtt: {url: "mqtt://127.0.0.1", client_id: siteward}\n'
DEVICES = """\
tags: [circuit]
devices:
  - {id: em-1, kind: electricity_meter, building: A, tags: {circuit: main}}
  - {id: wm-1, kind: water_meter}
"""
HEAD = "id: r, name: {en: Rule, zh: 规则}, ticket: null"
VOLTAGE = "when: {threshold: {point: voltage_v, above: 253 V}}"


def write(folder: Path, *rules: str) -> Path:
    """A configuration with rules, each the inside of a flow mapping."""
    config = folder / "config"
    (config / "rules").mkdir(parents=True)
    (config / "siteward.yaml").write_text(SITE, encoding="utf-8")
    (config / "devices.yaml").write_text(DEVICES, encoding="utf-8")
    text = "rules:\n" + "".join(f"  - {{{rule}}}\n" for rule in rules)
    (config / "rules" / "a.yaml").write_text(text, encoding="utf-8")
    return config


def find(folder: Path, *rules: str) -> list[str]:
    config = write(folder, *rules)
    return [str(problem).replace(f"{config}/", "") for problem in find_all(load(config))]


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (f"{HEAD}, {VOLTAGE}", ""),
        (
            f"{HEAD}, {VOLTAGE}, select: {{tags: {{circuit: server}}}}",
            "'r' selects no device (there is no device with circuit 'server'; known are main)",
        ),
        (f"{HEAD}, {VOLTAGE}, select: {{kind: sensor}}", ""),
        (
            f"{HEAD}, select: {{kind: electricity_meter}}, when: {{threshold: {{point: volume_m3, above: 5 m³}}}}",
            "point: electricity_meter has no volume_m3, which belongs to water (select another kind)",
        ),
        (
            f"{HEAD}, select: {{kind: electricity_meter}}, {VOLTAGE.replace('253 V', '110 % of nominal_voltage')}",
            "'r' can judge none of the devices that it selects (em-1: no nominal_voltage)",
        ),
        (f"id: r, ticket: null, name: {{en: Rule}}, {VOLTAGE}", "'r' has no name in zh (name: {en: …, zh: …})"),
        (f"{HEAD.replace('null', '{}')}, {VOLTAGE}", "'r' has no runbook (say below ticket what is to be done)"),
        (f"{HEAD.replace('null', '{runbook: https://example.org}')}, {VOLTAGE}", ""),
    ],
)
def test_one_rule(rule: str, found: str, tmp_path: Path) -> None:
    told = find(tmp_path, rule)
    assert [line for line in told if found and line.endswith(found)] == told
    assert bool(told) == bool(found)


def test_the_same_twice(tmp_path: Path) -> None:
    again = HEAD.replace("id: r", "id: again")
    hint = "keep one; the first one: rules/a.yaml:2"
    elsewhere = HEAD.replace("id: r", "id: elsewhere")
    assert find(
        tmp_path, f"{HEAD}, {VOLTAGE}", f"{again}, {VOLTAGE}", f"{elsewhere}, select: {{building: A}}, {VOLTAGE}"
    ) == [f"rules/a.yaml:3:63: 'again' watches for the same on the same devices as 'r' ({hint})"]


def test_a_runbook_that_is_not_there(tmp_path: Path) -> None:
    rules = [
        f"id: {name}, name: {{en: N, zh: N}}, ticket: {{runbook: {file}}}, select: {{device: {device}}}, {VOLTAGE}"
        for name, file, device in (
            ("inside", "help.md", "em-1"),
            ("shipped", "docs/runbooks/voltage-high.md", "wm-1"),
            ("gone", "docs/runbooks/voltage-hihg.md", "[em-1, wm-1]"),
        )
    ]
    config = write(tmp_path, *rules)
    (config / "help.md").write_text("Help.")
    (problem,) = find_all(load(config))
    assert (problem.line, problem.message) == (4, "runbook: there is no file 'docs/runbooks/voltage-hihg.md'")
    assert problem.hint == "did you mean docs/runbooks/voltage-high.md?"
