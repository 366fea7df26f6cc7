"""Wrong configurations as people write them, and every word that they get to read."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.configuration import load
from collector.folder import ConfigurationError
from collector.settings import Settings

Files: TypeAlias = Mapping[str, str | bytes]

SITE = """\
site: {id: campus}
data_dir: ../data
mqtt: {url: "mqtt://127.0.0.1", client_id: siteward}
"""
PLACES = """\
buildings:
  - id: A
    floors:
      - {id: 1F, areas: [{id: hall}]}
      - {id: 2F}
"""
DURATION = "expected a duration with its unit such as 30s, 15m, 12h or 7d"
KINDS = "'electricity_meter', 'water_meter', 'door', 'sensor' or 'gateway'"
SECTIONS = ", ".join(Settings.model_fields)
IDENTIFIER = "letters a-z, digits and . _ - with a letter or digit in front"


def settings(line_4: str) -> Files:
    """A siteward.yaml with more at its end."""
    return {"siteward.yaml": SITE + line_4}


def mqtt(keys: str) -> Files:
    """A siteward.yaml with another line 3."""
    return {"siteward.yaml": f"site: {{id: campus}}\ndata_dir: ../data\nmqtt: {{{keys}}}"}


def devices(*entries: str) -> Files:
    """A devices.yaml with entries from line 2 on."""
    return {"devices.yaml": "devices:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)}


def write(folder: Path, files: Files) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


CASES: dict[str, tuple[Files, list[str]]] = {
    # siteward.yaml
    "an empty file": (
        {"siteward.yaml": "# to do\n"},
        [
            "siteward.yaml:1:1: missing key 'data_dir' (Where the journal and the embedded store live)",
            "siteward.yaml:1:1: missing key 'mqtt' (The broker and the session there)",
            "siteward.yaml:1:1: missing key 'site' (The site itself)",
        ],
    ),
    "a list": (
        {"siteward.yaml": "- site\n"},
        [f"siteward.yaml:1:1: expected keys with values, got a list (known here: {SECTIONS})"],
    ),
    "full-width colons": (
        {"siteward.yaml": "site：\n  id：campus\n"},
        ["siteward.yaml:1:1: expected keys with values, got 'site： id：campus' (write ': ' between key and value)"],
    ),
    "a tab": (settings("store:\n\tkind: embedded\n"), ["siteward.yaml:5:1: a tab indents this line (use spaces)"]),
    "an unknown section": (
        settings("stor: {kind: embedded}"),
        ["siteward.yaml:4:1: unknown key 'stor' (did you mean store?)"],
    ),
    "an unknown section like none": (
        settings("broker: 127.0.0.1"),
        [f"siteward.yaml:4:1: unknown key 'broker' (known here: {SECTIONS})"],
    ),
    "a section twice": (
        settings("http: {listen: '127.0.0.1:80'}\nhttp: {listen: '127.0.0.1:81'}"),
        ["siteward.yaml:5:1: key 'http' stands here a second time (keep one)"],
    ),
    "a text for a section": (
        settings("store: embedded"),
        ["siteward.yaml:4:8: store: expected keys with values, got 'embedded' (write {kind: embedded})"],
    ),
    "an empty section": (
        settings("store:"),
        ["siteward.yaml:4:7: store: expected keys with values, got nothing (fill it in, or leave the key out)"],
    ),
    "an empty value that is needed": (
        {"siteward.yaml": SITE.replace("../data", "")},
        ["siteward.yaml:2:10: data_dir: expected a path, got nothing (fill it in)"],
    ),
    "data in the watched folder": (
        {"siteward.yaml": SITE.replace("../data", "data")},
        [
            (
                "siteward.yaml:2:11: data_dir lies in the configuration folder, which is watched for changes"
                " (choose a folder outside)"
            ),
        ],
    ),
    "a number for an id": (
        {"siteward.yaml": SITE.replace("campus", "007")},
        ["siteward.yaml:1:12: id: expected a text, got the number 7 (put it in quotes: '007')"],
    ),
    "a wrong choice": (
        {"siteward.yaml": SITE.replace("campus", "campus, language: cn")},
        ["siteward.yaml:1:30: language: expected 'en' or 'zh', got 'cn'"],
    ),
    "a name without a language": (
        {"siteward.yaml": SITE.replace("campus", "campus, name: Campus")},
        ["siteward.yaml:1:26: name: expected keys with values, got 'Campus' (write {en: Campus})"],
    ),
    "an unknown language": (
        {"siteward.yaml": SITE.replace("campus", "campus, name: {de: Campus}")},
        ["siteward.yaml:1:27: unknown key 'de' (known here: en, zh)"],
    ),
    "no such time zone": (
        {"siteward.yaml": SITE.replace("campus", "campus, timezone: Asia/Beijing")},
        [
            (
                "siteward.yaml:1:30: timezone: expected a time zone such as Asia/Shanghai or Europe/Berlin,"
                " got 'Asia/Beijing'"
            ),
        ],
    ),
    "no client id": (
        mqtt("url: 'mqtt://127.0.0.1'"),
        [
            (
                "siteward.yaml:3:1: missing key 'client_id'"
                " (Fixed name of the session: what arrives while Siteward is down waits under it)"
            ),
        ],
    ),
    "a client id with spaces": (
        mqtt("url: 'mqtt://127.0.0.1', client_id: a b"),
        [f"siteward.yaml:3:44: client_id: expected {IDENTIFIER}, got 'a b'"],
    ),
    "a password in the file": (
        mqtt("url: 'mqtt://127.0.0.1', client_id: a, username: a, password: secret"),
        ["siteward.yaml:3:60: password: secrets are read from files, never from here (use password_file)"],
    ),
    "a password in the address": (
        mqtt("url: 'tcp://u:secret@127.0.0.1', client_id: a"),
        ["siteward.yaml:3:13: url: expected mqtts://HOST:PORT or mqtt://HOST:PORT, got 'tcp://…@127.0.0.1'"],
    ),
    "a password without a user": (
        mqtt("url: 'mqtt://127.0.0.1', client_id: a, password_file: b"),
        ["siteward.yaml:3:62: password_file: needs a username"],
    ),
    "a certificate without a key": (
        mqtt("url: 'mqtts://127.0.0.1', client_id: a, cert_file: b"),
        ["siteward.yaml:3:7: mqtt: cert_file and key_file: give both or neither"],
    ),
    "no space behind a colon": (
        mqtt("url: 'mqtt://127.0.0.1', client_id: a, username:b"),
        ["siteward.yaml:3:47: unknown key 'username:b' (write ': ' between key and value)"],
    ),
    "an unknown store": (
        settings("store: {kind: influx}"),
        ["siteward.yaml:4:15: kind: expected one of 'influxdb', 'embedded', got 'influx' (did you mean influxdb?)"],
    ),
    "a store of no kind": (
        settings("store: {url: 'http://h'}"),
        ["siteward.yaml:4:1: missing key 'kind' (influxdb: a database server; embedded: a SQLite file in data_dir)"],
    ),
    "another store's key": (
        settings("store: {kind: embedded, bucket: b}"),
        ["siteward.yaml:4:25: unknown key 'bucket' (known here: kind)"],
    ),
    "a token in the file": (
        settings("store: {kind: influxdb, url: 'http://h', bucket: b, token: secret}"),
        ["siteward.yaml:4:53: token: secrets are read from files, never from here (use token_file)"],
    ),
    "a number for a version": (
        settings("store: {kind: influxdb, api: 2, url: 'http://h', bucket: b}"),
        ["siteward.yaml:4:30: api: expected 'v1' or 'v2', got the number 2 (did you mean v2?)"],
    ),
    "v1's key for v2": (
        settings("store: {kind: influxdb, url: 'http://h', bucket: b, database: c}"),
        ["siteward.yaml:4:63: database: belongs to api v1, not v2"],
    ),
    "a missing bucket": (
        settings("store: {kind: influxdb, url: 'http://h'}"),
        ["siteward.yaml:4:1: bucket: needed for api v2"],
    ),
    "three wrong numbers": (
        settings("store: {kind: influxdb, url: 'http://h', bucket: b, gzip: maybe, batch_size: 0, flush_interval: 1}"),
        [
            "siteward.yaml:4:59: gzip: expected true or false, got 'maybe'",
            "siteward.yaml:4:78: batch_size: expected at least 1, got the number 0",
            f"siteward.yaml:4:97: flush_interval: {DURATION}, got 1",
        ],
    ),
    "a port without a host": (
        settings("http: {listen: 9464}"),
        ["siteward.yaml:4:16: listen: expected a text, got the number 9464 (put it in quotes: '9464')"],
    ),
    "a size without meaning": (
        settings("journal: {quota: plenty}"),
        ["siteward.yaml:4:18: quota: expected a size such as 500MB or 2GB, got 'plenty'"],
    ),
    "too small a size": (
        settings("journal: {quota: 1MB}"),
        ["siteward.yaml:4:18: quota: expected at least 10,000,000, got '1MB'"],
    ),
    "a duration without a unit": (settings("time: {past: 35}"), [f"siteward.yaml:4:14: past: {DURATION}, got 35"]),
    "settings that do not fit together": (
        settings("retention: {raw: 30d}"),
        [
            "siteward.yaml:4:18: retention.raw: must be longer than time.past, or late readings would spoil summaries",
        ],
    ),
    # devices.yaml
    "devices without a key": (
        {"devices.yaml": "- {id: a, kind: door}\n"},
        ["devices.yaml:1:1: expected keys with values, got a list (known here: tags, devices, replacements)"],
    ),
    "devices without dashes": (
        {"devices.yaml": "devices:\n  id: a\n  kind: door\n"},
        ["devices.yaml:2:3: devices: expected a list, got keys with values (put '- ' in front of every entry)"],
    ),
    "a device that is a text": (
        {"devices.yaml": "devices:\n  - door-1\n"},
        ["devices.yaml:2:5: devices: expected keys with values, got 'door-1' (write {id: door-1})"],
    ),
    "a device without a kind": (
        devices("id: a"),
        ["devices.yaml:2:5: missing key 'kind' (What it is; also the measurement's name in the database)"],
    ),
    "an unknown kind": (
        devices("id: a, kind: watermeter"),
        [f"devices.yaml:2:19: kind: expected {KINDS}, got 'watermeter' (did you mean water_meter?)"],
    ),
    "a slash in an id": (devices("id: a/b, kind: door"), [f"devices.yaml:2:10: id: expected {IDENTIFIER}, got 'a/b'"]),
    "a separator in a place": (
        devices("id: a, kind: door, building: A/B"),
        [
            "devices.yaml:2:35: building: expected a text without , = + # / \\ and without spaces around it, got 'A/B'",
        ],
    ),
    "a floor that is a number": (
        devices("id: a, kind: door, building: A, floor: 01"),
        ["devices.yaml:2:45: floor: expected a text, got the number 1 (put it in quotes: '01')"],
    ),
    "an interval in words": (
        devices("id: a, kind: door, interval: 5 minutes"),
        ["devices.yaml:2:35: interval: expected a duration such as 30s, 15m, 12h or 7d, got '5 minutes'"],
    ),
    "a brace in a topic": (
        devices("id: a, kind: door, topic: {site}/a"),
        [
            (
                "devices.yaml:2:38: expected ',' or '}' (the bracket of line 2 is still open;"
                " inside brackets, texts with { } [ ] or a comma need quotes)"
            ),
        ],
    ),
    "a topic in braces": (
        devices("id: a, kind: door, topic: {a}"),
        ["devices.yaml:2:32: topic: expected a text, got keys with values (put it in quotes)"],
    ),
    "a wildcard in a topic": (
        devices("id: a, kind: door, topic: a/+/b"),
        ["devices.yaml:2:5: device 'a': expected no wildcard (+, #) in 'a/+/b'"],
    ),
    "an id twice": (
        devices("id: a, kind: door", "id: b, kind: door", "id: a, kind: sensor"),
        ["devices.yaml:4:10: device 'a' stands here a second time (the first one: devices.yaml:2)"],
    ),
    "a topic twice": (
        devices("id: a, kind: door, topic: x/y", "id: b, kind: door, topic: x/y"),
        ["devices.yaml:3:32: topic 'x/y' already belongs to 'a' (the first one: devices.yaml:2)"],
    ),
    "an address twice": (
        devices("id: a, kind: door, address: z", "id: z, kind: door"),
        ["devices.yaml:3:5: address 'z' of profile 'canonical' already belongs to 'a' (the first one: devices.yaml:2)"],
    ),
    "an unknown profile": (
        devices("id: a, kind: electricity_meter, profile: tasmotta"),
        ["devices.yaml:2:47: there is no profile 'tasmotta'; did you mean tasmota?"],
    ),
    "a tag that is not listed": (
        devices("id: a, kind: door, tags: {circuit: x}"),
        [
            (
                "devices.yaml:2:41: tag 'circuit' is not in the register's list `tags` (none are listed);"
                " add it there or leave it out"
            ),
        ],
    ),
    "a tag that is a number": (
        {"devices.yaml": "tags: [line]\ndevices:\n  - {id: a, kind: door, tags: {line: 1}}\n"},
        ["devices.yaml:3:38: line: expected a text, got the number 1 (put it in quotes: '1')"],
    ),
    "tags with names that are taken": (
        {"devices.yaml": "tags: [site, power_kw]\n"},
        [
            "devices.yaml:1:8: tags: 'site' is already the name of a tag; choose another",
            "devices.yaml:1:14: tags: 'power_kw' is already the name of a point; choose another",
        ],
    ),
    "a wrong entry hides no clash of the others": (
        devices("id: a, kind: door", "id: b, kind: gate, intervall: 5m", "id: a, kind: door"),
        [
            f"devices.yaml:3:19: kind: expected {KINDS}, got 'gate' (did you mean gateway?)",
            "devices.yaml:3:25: unknown key 'intervall' (did you mean interval?)",
            "devices.yaml:4:10: device 'a' stands here a second time (the first one: devices.yaml:2)",
        ],
    ),
    # devices.csv
    "columns apart by semicolons": (
        {"devices.csv": "id;kind\na;door\n"},
        ["devices.csv:1:3: columns are separated by ';' (separate them by commas)"],
    ),
    "an unknown column": (
        {"devices.csv": "id,kind,flor\na,door,1\n"},
        ["devices.csv:1:9: unknown column 'flor' (did you mean floor?)"],
    ),
    "a column twice": (
        {"devices.csv": "id,kind,kind\na,door,door\n"},
        ["devices.csv:1:9: column 'kind' stands here a second time (keep one)"],
    ),
    "no column for the kind": (
        {"devices.csv": "id,name_zh\na,门\n"},
        ["devices.csv:1:1: missing column 'kind' (no row can do without it)"],
    ),
    "a row with one cell more": (
        {"devices.csv": "id,kind,name_en\na,door,Hall, north\n"},
        ["devices.csv:2:13: more cells than columns (a text with a comma needs double quotes)"],
    ),
    "an open quote in a sheet": (
        {"devices.csv": 'id,kind,name_en\na,door,x\nb,door,"y\nc,door,z\n'},
        [
            (
                "devices.csv:3:1: a quote is not closed, or text stands behind it"
                " (close it, and double a quote that belongs to the text)"
            ),
        ],
    ),
    "wrong cells": (
        {"devices.csv": 'id,kind,name_en,interval\na,door,"x,\ny",5\n\nb,dor,,\n,door,,\n'},
        [
            "devices.csv:3:4: interval: expected a duration such as 30s, 15m, 12h or 7d, got '5'",
            f"devices.csv:5:3: kind: expected {KINDS}, got 'dor' (did you mean door?)",
            "devices.csv:6:1: missing key 'id' (Unique in the register; stays when the device is renamed or moved)",
        ],
    ),
    "a last row that is too short": (
        {"devices.csv": "id,kind\na,door\nb"},
        ["devices.csv:3:1: missing key 'kind' (What it is; also the measurement's name in the database)"],
    ),
    "a tag column with a name that is taken": (
        {"devices.csv": "id,kind,tag.circuit,tag.floor\na,door,1,2\n"},
        ["devices.csv:1:21: tags: 'floor' is already the name of a tag; choose another"],
    ),
    "a sheet that is not UTF-8": (
        {"devices.csv": "id,kind,name_zh\na,door,电表\n".encode("gbk")},
        ["devices.csv:2:8: this is not UTF-8 text (save the file as UTF-8; a spreadsheet calls it 'CSV UTF-8')"],
    ),
    "a device in both files": (
        {**devices("id: b, kind: door", "id: a, kind: door"), "devices.csv": "\ufeffkind,id\r\ndoor,a\r\n"},
        ["devices.csv:2:6: device 'a' stands here a second time (the first one: devices.yaml:3)"],
    ),
    # places.yaml
    "devices where no place is": (
        {
            "places.yaml": PLACES,
            **devices(
                "id: a, kind: door, building: D",
                "id: b, kind: door, building: A, floor: 1f",
                "id: c, kind: door, building: A, area: hal",
                "id: d, kind: door, building: A, floor: 2F, area: hall",
                "id: e, kind: door, floor: 1F",
            ),
        },
        [
            "devices.yaml:2:35: there is no building 'D'; known are A",
            "devices.yaml:3:45: there is no floor '1f' in building 'A'; known are 1F, 2F",
            "devices.yaml:4:44: there is no area 'hal' in building 'A'; did you mean hall?",
            "devices.yaml:5:55: there is no area 'hall' on floor '2F' in building 'A'; there are none",
            "devices.yaml:6:5: device 'e' has a floor or an area but no building",
        ],
    ),
    "places twice": (
        {"places.yaml": f"{PLACES}      - {{id: 1F, areas: [{{id: x}}, {{id: x}}]}}\n  - id: A\n"},
        [
            "places.yaml:6:14: '1F' stands here a second time (the first one: places.yaml:4)",
            "places.yaml:6:40: 'x' stands here a second time (the first one: places.yaml:6)",
            "places.yaml:7:9: 'A' stands here a second time (the first one: places.yaml:2)",
        ],
    ),
    "a broken places.yaml is not held against devices": (
        {"places.yaml": "buildings: [{id: A, flors: []}]\n", **devices("id: a, kind: door, building: B")},
        ["places.yaml:1:21: unknown key 'flors' (did you mean floors?)"],
    ),
    # profiles
    "a profile with a built-in one's id": (
        {"profiles/mine.yaml": "id: tasmota\npoints: {voltage_l1_v: u}\n"},
        ["profiles/mine.yaml:1:5: id 'tasmota' already belongs to a built-in profile (choose another id)"],
    ),
    "a profile that fails its own test": (
        {
            "profiles/mine.yaml": "id: mine\npoints: {voltage_l1_v: u}\ntests:\n"
            "  - {payload: '{\"u\": 1}', readings: [{voltage_l1_v: 2}]}\n",
        },
        ["profiles/mine.yaml:4:53: the profile fails its own test 1: voltage_l1_v: expected 2, got 1"],
    ),
    "a profile without topics, and a device without one": (
        {"profiles/mine.yaml": "id: mine\npoints: {voltage_l1_v: u}\n", **devices("id: a, kind: door, profile: mine")},
        ["devices.yaml:2:5: device 'a' needs a topic of its own: profile 'mine' names none for all"],
    ),
    "a broken profile is not held against devices": (
        {"profiles/mine.yaml": "id: mine\npoints: {voltage_l1: u}\n", **devices("id: a, kind: door, profile: mine")},
        ["profiles/mine.yaml:2:10: 'voltage_l1' is no point; did you mean voltage_l1_v?"],
    ),
    # several files
    "every file is read before anything is said": (
        {
            "siteward.yaml": "site: {id: campus}\n",
            "devices.csv": "id,kind\na,dor\n",
            "devices.yaml": "devices: {\n",
            "places.yaml": "building: []\n",
        },
        [
            "siteward.yaml:1:1: missing key 'data_dir' (Where the journal and the embedded store live)",
            "siteward.yaml:1:1: missing key 'mqtt' (The broker and the session there)",
            "places.yaml:1:1: unknown key 'building' (did you mean buildings?)",
            "devices.yaml:2:1: the file ends here (a bracket above is not closed)",
            f"devices.csv:2:3: kind: expected {KINDS}, got 'dor' (did you mean door?)",
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_says(name: str, tmp_path: Path) -> None:
    files, said = CASES[name]
    folder = write(tmp_path / "config", {"siteward.yaml": SITE, **files})
    with pytest.raises(ConfigurationError) as caught:
        load(folder)
    assert [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems] == said


def test_a_folder_without_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/siteward.yaml: No such file or directory (to begin a configuration: siteward init {tmp_path})"
    )


GOOD = {
    "siteward.yaml": SITE + "store: {kind: influxdb, url: 'http://h', bucket: b, gzip: true, flush_interval: 1s}\n",
    "places.yaml": PLACES,
    "devices.yaml": "tags: [circuit]\ndevices:\n  - id: a\n    kind: door\n    name: {en: A, zh: 甲}\n"
    "    tags: {circuit: x}\n  - {id: b, kind: sensor, building: A, floor: 1F, interval: 5m}\n"
    "  - {id: e, kind: electricity_meter, meter: B2, nominal_voltage: 230 V, ct_ratio: 200/5, rolls_over_at: 24 bit,"
    " pulse_weight: 1600 imp/kWh}\nreplacements:\n"
    "  - {device: e, at: 2026-03-01T10:00:00+08:00, removed: A1, installed: B2, final: 5 kWh, first: 0 Wh}\n",
    "devices.csv": 'id,kind,name_en,tag.gateway\nc,door,"x, ""y""\nz",gw-a\nd,gateway,,\n',
    "profiles/mine.yaml": "id: mine\ntopics: ['m/{device}']\npoints: {event: {path: e, map: {0: closed, 1: opened}}}\n"
    "tests:\n  - {payload: '{\"e\": 0}', readings: [{event: closed}]}\n",
}


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, str]:
    """Good files, of which one was edited by somebody in a hurry."""
    name = draw(st.sampled_from(sorted(GOOD)))
    text = GOOD[name]
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(start + 12, len(text))))
        written = draw(st.text(st.sampled_from("\n\t :-,.?*&!|>%@`{}[]#'\"=~019abe：\0é"), max_size=4))
        text = text[:start] + written + text[end:]
    return {**GOOD, name: text}


@given(files=damaged())
@hypothesis.settings(deadline=None)
def test_whatever_is_typed_is_read_or_told(files: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = write(tmp_path_factory.mktemp("site") / "config", files)
    try:
        load(folder)
    except ConfigurationError as error:
        for problem in error.problems:
            lines = files[str(problem.file.relative_to(folder))].split("\n")
            assert 1 <= problem.line <= len(lines) + 1
            assert problem.column >= 1


def test_the_good_files_are_good(tmp_path: Path) -> None:
    assert len(load(write(tmp_path / "config", GOOD)).register.devices) == 5
