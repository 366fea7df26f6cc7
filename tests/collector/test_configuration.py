"""Good configurations: what is read, and what is made of it."""

from pathlib import Path

import pytest

from collector.configuration import Configuration, load
from collector.errors import CollectorError
from collector.folder import ConfigurationError, Problem
from collector.settings import EmbeddedStore, InfluxStore
from devices.places import Places

SITE = """\
site: {id: campus, timezone: Asia/Shanghai}
data_dir: ../data
mqtt: {url: "mqtts://broker", client_id: siteward, username: u, password_file: /run/secrets/mqtt, ca_file: tls/ca.pem}
"""
RECEIVED = 1_795_334_400_000_000_000
MINUTE = 60_000_000_000


def write(folder: Path, **files: str) -> Path:
    """Writes files; `devices_yaml` becomes devices.yaml, `profiles__a_yaml` profiles/a.yaml."""
    for name, text in {"siteward_yaml": SITE, **files}.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def read(folder: Path, **files: str) -> Configuration:
    return load(write(folder, **files))


def test_settings_alone_are_enough(tmp_path: Path) -> None:
    configuration = read(tmp_path)
    assert configuration.folder == tmp_path
    assert configuration.files == (tmp_path / "siteward.yaml",)
    assert configuration.settings.store == EmbeddedStore()
    assert list(configuration.register) == []
    assert configuration.places == Places()
    assert "canonical" in configuration.profiles


def test_relative_paths_begin_at_the_folder(tmp_path: Path) -> None:
    store = "store: {kind: influxdb, url: 'http://h', bucket: b, token_file: token}\n"
    settings = read(tmp_path, siteward_yaml=SITE + store).settings
    assert settings.data_dir == tmp_path / ".." / "data"
    assert settings.mqtt.ca_file == tmp_path / "tls" / "ca.pem"
    assert settings.mqtt.password_file == Path("/run/secrets/mqtt")
    assert isinstance(settings.store, InfluxStore)
    assert settings.store.token_file == tmp_path / "token"


def test_both_registers_are_one(tmp_path: Path) -> None:
    configuration = read(
        tmp_path,
        devices_yaml="tags: [circuit]\ndevices:\n  - {id: em-1, kind: electricity_meter, tags: {circuit: main}}\n",
        devices_csv="id,kind,name_en,name_zh,interval,tag.gateway\nwm-1,water_meter,Main,总表,15m,gw-a\ndoor-1,door,,,,\n",
    )
    register = configuration.register
    assert [device.id for device in register] == ["em-1", "wm-1", "door-1"]
    assert register.tags == ["circuit", "gateway"]
    water, door = register.devices[1:]
    assert (water.name.en, water.name.zh, water.interval, water.tags) == (
        "Main",
        "总表",
        15 * MINUTE,
        {"gateway": "gw-a"},
    )
    assert (door.name.en, door.interval, door.tags) == ("", None, {})
    assert [file.name for file in configuration.files] == ["siteward.yaml", "devices.yaml", "devices.csv"]


def test_a_sheet_as_spreadsheets_write_it(tmp_path: Path) -> None:
    text = '\ufeffid,kind,name_en,,\r\nem-1,electricity_meter,"Hall, ""north""\r\nwing",,\r\n,,,,\r\n em-2 ,door,,,\r\n'
    write(tmp_path)
    (tmp_path / "devices.csv").write_bytes(text.encode())
    register = load(tmp_path).register
    assert [(device.id, device.name.en) for device in register] == [("em-1", 'Hall, "north"\nwing'), ("em-2", "")]


def test_a_register_with_nothing_but_comments(tmp_path: Path) -> None:
    assert list(read(tmp_path, devices_yaml="# none yet\n", places_yaml="# none yet\n").register) == []


def test_devices_stand_in_places(tmp_path: Path) -> None:
    configuration = read(
        tmp_path,
        places_yaml="buildings: [{id: A, name: {zh: 教学楼}, floors: [{id: 1F, areas: [{id: hall}]}]}]\n",
        devices_yaml="devices:\n  - {id: a, kind: door, building: A, floor: 1F, area: hall}\n"
        "  - {id: b, kind: door, building: A, area: hall}\n  - {id: c, kind: door}\n",
    )
    assert configuration.places.buildings[0].name.zh == "教学楼"
    assert len(configuration.register.devices) == 3


def test_a_profile_of_the_sites_own(tmp_path: Path) -> None:
    configuration = read(
        tmp_path,
        profiles__mine_yaml="id: mine\ntopics: ['m/{site}/{device}']\npoints: {voltage_l1_v: u}\n",
        devices_yaml="devices: [{id: em-1, kind: electricity_meter, profile: mine}]\n",
    )
    (reading,) = configuration.decoder().decode("m/campus/em-1", b'{"u": 230.1}', RECEIVED)
    assert (reading.device, reading.values) == ("em-1", {"voltage_l1_v": 230.1})


def test_the_decoder_keeps_the_limits_of_the_settings(tmp_path: Path) -> None:
    configuration = read(
        tmp_path,
        siteward_yaml=f"{SITE}time: {{past: 1h, future: 1m}}\n",
        devices_yaml="devices: [{id: em-1, kind: electricity_meter}]\n",
    )
    decoder = configuration.decoder()
    claimed = [RECEIVED - 60 * MINUTE, RECEIVED - 61 * MINUTE, RECEIVED + MINUTE, RECEIVED + 2 * MINUTE]
    payloads = [b'{"time": %d, "power_kw": 1}' % (time // 1_000_000) for time in claimed]
    times = [decoder.decode("siteward/campus/em-1/readings", payload, RECEIVED)[0].time for payload in payloads]
    assert times == [claimed[0], RECEIVED, claimed[2], RECEIVED]
    assert configuration.decoder() is decoder


def test_problems_name_the_file_as_the_folder_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "config", devices_yaml="devices: [{id: a, kind: gate}]\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CollectorError) as caught:
        load(Path("config"))
    assert isinstance(caught.value, ConfigurationError)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == (Path("config/devices.yaml"), 1, 25)
    assert str(problem).startswith("config/devices.yaml:1:25: kind: expected ")


def test_a_problem_of_a_whole_file() -> None:
    assert str(Problem(Path("a.yaml"), 0, 0, "no such file", "make it")) == "a.yaml: no such file (make it)"
    assert str(Problem(Path("a.yaml"), 3, 7, "wrong")) == "a.yaml:3:7: wrong"


def test_hidden_files_are_left_alone(tmp_path: Path) -> None:
    configuration = read(tmp_path, profiles__mine_yaml="id: mine\npoints: {leak: x}\n")
    (tmp_path / "profiles" / ".other.yaml").write_text("{")
    assert load(tmp_path).profiles.keys() == configuration.profiles.keys()


def test_rules_and_calendars(tmp_path: Path) -> None:
    when = "when: {silent: {for: 15m}}"
    configuration = read(
        tmp_path,
        calendars_yaml="calendars: {work: {days: [mon], hours: 08:00-18:00}}\n",
        rules__b_yaml=f"rules: [{{id: second, active: work, {when}}}]\n",
        rules__a_yaml=f"rules:\n  - {{id: first, {when}}}\n  - {{id: other, {when}}}\n",
        rules__a_test_yaml="anything: at all\n",
        rules___yaml="{",
    )
    assert [rule.id for rule in configuration.rules] == ["first", "other", "second"]
    assert {name: str(origin) for name, origin in configuration.origins.items()} == {
        "first": f"{tmp_path}/rules/a.yaml:2",
        "other": f"{tmp_path}/rules/a.yaml:3",
        "second": f"{tmp_path}/rules/b.yaml:1",
    }
    site = configuration.rule_site()
    assert (site.id, site.zone.key, set(site.calendars.calendars)) == ("campus", "Asia/Shanghai", {"work"})
    names = {file.name for file in configuration.files}
    assert names == {"siteward.yaml", "calendars.yaml", "a.yaml", "b.yaml"}


def test_what_hangs_and_what_feeds(tmp_path: Path) -> None:
    configuration = read(
        tmp_path,
        devices_csv="id,kind,gateway\ngw,gateway,\nem-0,electricity_meter,gw\nem-1,electricity_meter,gw\nem-2,electricity_meter,\n",
        places_yaml="feeds: [{main: em-0, subs: [em-1]}, {main: em-1, subs: [em-2]}]\n",
    )
    site = configuration.rule_site()
    assert list(site.ancestors("em-2")) == ["em-1", "gw", "em-0"]
    assert site.parents("em-0") == ("gw",)
