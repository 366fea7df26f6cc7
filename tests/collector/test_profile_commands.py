"""`siteward devices profiles` and `siteward devices try`, as they are typed."""

import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from collector.cli import app
from collector.configuration import load
from collector.journal import Journal
from collector.mqtt import Message
from collector.pipeline import Pipeline
from tests.sites import write_site

DEVICES = """\
id,kind,profile,address,topic,ct_ratio
em-1,electricity_meter,,,,
m1,electricity_meter,acme,,,200/5
m2,electricity_meter,acme,,own/m2,
plug,electricity_meter,zigbee2mqtt,hall/plug,,
g1,water_meter,gateway,7,,
"""
ACME = """\
id: acme
topics: ["acme/{site}/{device}"]
time: {path: ts, format: epoch_s}
points:
  power_kw: {path: power, unit: W}
  energy_import_kwh: [{path: total_wh, unit: Wh}, total]
tests:
  - name: a meter
    payload: '{"power": 230}'
    readings: [{power_kw: 0.23}]
"""
GATEWAY = """\
id: gateway
messages:
  - topics: ["gw/{line}/up"]
    when: {type: data}
    each: meters
    device: id
    points: {volume_m3: {path: v, unit: L}}
  - topics: ["gw/{line}/up"]
    when: {type: alive}
    ignore: a sign of life
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    config = write_site(tmp_path, DEVICES, site={"id": "campus", "timezone": "Asia/Shanghai"})
    (config / "profiles").mkdir()
    (config / "profiles" / "acme.yaml").write_text(ACME, encoding="utf-8")
    (config / "profiles" / "gateway.yaml").write_text(GATEWAY, encoding="utf-8")
    return config


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["devices", *words, "--config", str(config)], env={"COLUMNS": "120"})


def say(config: Path, *words: str, code: int = 0) -> str:
    """What is printed, in lines without the frames of tables."""
    result = run(config, *words)
    assert result.exit_code == code, result.output
    return re.sub(r" *[│┃] *", " | ", result.output)


def tell(config: Path, *words: str, code: int = 0) -> Any:  # noqa: ANN401 - JSON is anything
    result = run(config, *words, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


# ── profiles ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_profiles_are_listed_with_all_their_topics(config: Path) -> None:
    said = say(config, "profiles")
    assert " | acme | | acme/{site}/{device} | " in said.replace(" |  | ", " | | ")
    assert "stat/{device}/STATUS10" in said
    assert say(config, "profiles", "gateway").count("gw/{line}/up") == 1
    [profile] = tell(config, "profiles", "acme")
    assert profile["points"]["power_kw"] == [{"path": "power", "unit": "W"}]


def test_profiles_are_listed_where_there_is_no_site(tmp_path: Path) -> None:
    assert "canonical" in say(tmp_path / "nowhere", "profiles")


def test_an_unknown_profile_is_told(config: Path) -> None:
    assert "There is no profile 'acm'; did you mean acme?" in say(config, "profiles", "acm", code=2)


def test_tests_of_profiles_are_run(config: Path) -> None:
    said = say(config, "profiles", "--test", "acme", "gateway")
    assert " | acme | 1 | 0 | " in said
    assert " | gateway | 0 | 0 | " in said
    assert tell(config, "profiles", "--test", "acme") == [{"profile": "acme", "tests": 1, "failures": []}]
    told = tell(config, "profiles", "--test")
    assert {item["profile"] for item in told} > {"acme", "canonical", "tasmota"}
    assert all(item["failures"] == [] for item in told)


def test_a_test_that_fails_is_told_and_is_a_finding(config: Path) -> None:
    text = ACME.replace("0.23}", "0.24}")
    (config / "profiles" / "acme.yaml").write_text(text, encoding="utf-8")
    said = say(config, "profiles", "--test", "acme", code=1)
    assert " | acme | 1 | 1 | " in said
    assert "acme, test 1 (a meter): power_kw: expected 0.24, got 0.23" in said
    assert tell(config, "profiles", "--test", "acme", code=1) == [
        {
            "profile": "acme",
            "tests": 1,
            "failures": [
                {
                    "test": 1,
                    "name": "a meter",
                    "at": "readings.0.power_kw",
                    "problem": "power_kw: expected 0.24, got 0.23",
                },
            ],
        },
    ]


def test_a_wrong_profile_is_told_as_check_does(config: Path) -> None:
    (config / "profiles" / "acme.yaml").write_text("id: acme\npoints: {power: p}\n", encoding="utf-8")
    said = say(config, "profiles", "--test", code=2)
    assert f"{config}/profiles/acme.yaml:2:10: 'power' is no point; did you mean power_kw?" in said


# ── try ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_profile_is_tried_with_each_step_shown(config: Path) -> None:
    said = say(
        config, "try", "acme", "--topic", "acme/campus/x", "--payload", '{"power": "230", "total": 5, "ts": 1795334400}'
    )
    for line in (
        "acme: acme/{site}/{device}",
        "topic: device = x",
        ' | power_kw | power | "230" | 0.23 kW | unit: W | ',
        " | energy_import_kwh | total_wh |  |  | nothing there | ",
        " | energy_import_kwh | total | 5 | 5 kWh |  | ",
        " | time | ts | 1795334400 | 2026-11-22T08:00:00Z | epoch_s | ",
        " | x | 2026-11-22 16:00:00 | power_kw: 0.23 kW | ",
    ):
        assert line in said


def test_without_a_topic_the_first_one_of_the_profile_is_meant(config: Path) -> None:
    told = tell(config, "try", "acme", "--payload", '{"power": 230}')
    assert told["topic"] == "acme/campus/device"
    assert [form["records"] for form in told["forms"]] == [[{"address": "", "time": None, "power_kw": 0.23}]]
    assert "readings" not in told


def test_a_device_is_tried_with_all_that_the_register_says(config: Path) -> None:
    told = tell(config, "try", "--device", "m1", "--payload", '{"power": 250, "ts": 1}')
    assert told["topic"] == "acme/campus/m1"
    [reading] = told["readings"]
    assert (reading["device"], reading["power_kw"], reading["claimed"]) == ("m1", 10.0, "1970-01-01T00:00:01Z")
    assert " | 1970-01-01 08:00:01 | power_kw: 10 kW | " in say(
        config, "try", "--device", "m1", "--payload", '{"power": 250, "ts": 1}'
    )
    assert tell(config, "try", "--device", "m2", "--payload", '{"power": 230}')["topic"] == "own/m2"
    told = tell(config, "try", "--device", "plug", "--payload", '{"power": 230}')
    assert told["topic"] == "zigbee2mqtt/hall/plug"
    assert [form["parts"] for form in told["forms"]] == [{"device": "hall/plug"}]


def test_a_topic_is_read_by_the_profiles_of_the_devices_that_have_it(config: Path) -> None:
    payload = '{"type": "data", "meters": [{"id": 7, "v": 500}, {"id": 8, "v": 1}]}'
    said = say(config, "try", "--topic", "gw/l1/up", "--payload", payload, code=1)
    for line in (
        "gateway, form 1 of 2: gw/{line}/up",
        'when type: "data": yes',
        'item 2 of 2: {"id":8,"v":1}',
        " | device | id |  | 8 |  | ",
        "not of this form: type is 'data'",
        "volume_m3: 0.5 m³",
        "a device that is not in the register (add it with: siteward devices adopt): 8 (gateway)",
    ):
        assert line in said
    assert "ignored: a sign of life" in say(config, "try", "--topic", "gw/l1/up", "--payload", '{"type": "alive"}')
    told = tell(config, "try", "--topic", "own/m2", "--payload", '{"power": 230}')
    assert [form["profile"] for form in told["forms"]] == ["acme"]
    assert "No profile of the register's devices has this topic." in say(
        config, "try", "--topic", "nobody/x", "--payload", "5", code=1
    )


def test_bytes_come_as_digits_or_from_a_file(config: Path, tmp_path: Path) -> None:
    told = tell(config, "try", "acme", "--payload-hex", "7b 22 706f776572 22 3a 35 7d")
    assert told["forms"][0]["opened"] == [{"power": 5}]
    file = tmp_path / "payload.bin"
    file.write_bytes(b'{"power": 6}')
    told = tell(config, "try", "acme", "--payload-file", str(file))
    assert told["forms"][0]["opened"] == [{"power": 6}]


def test_a_message_in_quarantine_is_tried(config: Path) -> None:
    configuration = load(config)
    settings = configuration.settings
    journal = Journal(settings.data_dir / "journal.db", settings.journal.quota, ("store", "ledger"))
    pipeline = Pipeline(configuration.decoder(), journal, settings.quarantine, threading.Event())
    bad = [
        Message("acme/campus/m1", payload, 0, dup=False, retain=False, key=0) for payload in (b"{", b'{"power": "x"}')
    ]
    assert pipeline.ingest(bad)
    journal.close()
    said = say(config, "try", "--quarantine", "2", code=1)
    assert "acme/campus/m1" in said
    assert ' | power_kw | power | "x" |  | expected a number, got a text | ' in said
    assert tell(config, "try", "acme", "--quarantine", "2", code=1)["topic"] == "acme/campus/m1"
    assert "There is no group 9 of messages" in say(config, "try", "--quarantine", "9", code=2)


def test_a_profile_is_tried_also_where_the_rest_is_wrong(config: Path) -> None:
    """Whoever writes a profile tries it before its tests pass."""
    (config / "profiles" / "acme.yaml").write_text(ACME.replace("0.23}", "0.24}"), encoding="utf-8")
    assert "power_kw: 0.23 kW" in say(config, "try", "acme", "--payload", '{"power": 230}')
    (config / "siteward.yaml").unlink()
    assert tell(config, "try", "acme", "--payload", '{"power": 230}')["topic"] == "acme/site/device"
    assert "problem(s)" in say(config, "try", "--device", "m1", "--payload", "5", code=2)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["acm", "--payload", "5"], "There is no profile 'acm'; did you mean acme?"),
        (["--device", "plag", "--payload", "5"], "There is no device 'plag'; did you mean plug?"),
        (["acme"], "Give the payload once: --payload, --payload-hex, --payload-file or --quarantine."),
        (["acme", "--payload", "5", "--payload-hex", "05"], "Give the payload once:"),
        (["acme", "--payload-hex", "0g"], "--payload-hex: expected pairs of hexadecimal digits, got '0g'."),
        (["--payload", "5"], "Name a PROFILE, a --device or a --topic."),
    ],
)
def test_what_is_missing_is_told(config: Path, words: list[str], reason: str) -> None:
    assert reason in say(config, "try", *words, code=2)


def test_what_cannot_be_shown_as_text_is_shown_in_digits(config: Path) -> None:
    said = say(config, "try", "acme", "--payload-hex", "ff00", code=1)
    assert "ff 00" in said
    assert "payload is not JSON (not UTF-8)" in said
