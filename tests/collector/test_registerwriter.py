"""A device is added to the register's file, and nothing else in it changes."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.configuration import load
from collector.errors import CollectorError
from collector.folder import ConfigurationError
from collector.registerwriter import add_device
from devices.register import IDENTIFIER, Device, Text
from tests.sites import write_site

METER = Device(
    id="em-9", kind="electricity_meter", profile="zigbee2mqtt", address="厂房 表 9", name=Text(en="Hall: 9", zh="九号")
)
FLOW = "{id: em-9, kind: electricity_meter, profile: zigbee2mqtt, address: 厂房 表 9, name: {en: 'Hall: 9', zh: 九号}}"


def write_yaml(tmp_path: Path, text: str) -> Path:
    config = write_site(tmp_path)
    (config / "devices.csv").unlink()
    (config / "devices.yaml").write_bytes(text.encode())
    return config


def added(config: Path, device: Device = METER) -> str:
    """The file's text, once the folder has the device."""
    file = add_device(config, device)
    assert load(config).register.by_id()[device.id] == device
    return file.read_bytes().decode()


# ── devices.yaml ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", f"devices:\n  - {FLOW}\n", id="an empty file"),
        pytest.param("# ours\ntags: [x]", f"# ours\ntags: [x]\ndevices:\n  - {FLOW}\n", id="no devices yet"),
        pytest.param("devices:  # none\ntags: [x]\n", f"devices:  # none\n  - {FLOW}\ntags: [x]\n", id="nothing there"),
        pytest.param("devices: []\n", f"devices: [{FLOW}]\n", id="an empty list"),
        pytest.param(
            "devices: [{id: a, kind: door},\n]  # all\n",
            f"devices: [{{id: a, kind: door}}, {FLOW},\n]  # all\n",
            id="brackets",
        ),
        pytest.param(
            "{devices: [{id: a, kind: door}]}", f"{{devices: [{{id: a, kind: door}}, {FLOW}]}}", id="all in braces"
        ),
        pytest.param(
            "devices:\n- {id: a, kind: door}  # a\n\n# more\ntags: [x]\n",
            f"devices:\n- {{id: a, kind: door}}  # a\n- {FLOW}\n\n# more\ntags: [x]\n",
            id="a comment behind the last one",
        ),
        pytest.param(
            "devices:\n  - {id: a, kind: door,\n     building: A}",
            f"devices:\n  - {{id: a, kind: door,\n     building: A}}\n  - {FLOW}\n",
            id="no line end",
        ),
        pytest.param(
            "devices:\n  - id: a\n    kind: door\n    name:\n      en: A  # a\n\n",
            "devices:\n  - id: a\n    kind: door\n    name:\n      en: A  # a\n"
            "  - id: em-9\n    kind: electricity_meter\n"
            "    profile: zigbee2mqtt\n    address: 厂房 表 9\n    name: {en: 'Hall: 9', zh: 九号}\n\n",
            id="a key on each line",
        ),
        pytest.param(
            "devices:\n  - id: a\n    kind: door\n    building:\n",
            None,
            id="a key without a value",
        ),
        pytest.param(
            "devices:\r\n  - {id: a, kind: door}\r\n",
            f"devices:\r\n  - {{id: a, kind: door}}\r\n  - {FLOW}\r\n",
            id="lines of Windows",
        ),
        pytest.param(
            "\ufeffdevices:\n  - {id: 😀, kind: door}\n",
            None,
            id="wrong before",
        ),
        pytest.param(
            "\ufeff# 😀 设备\ndevices:\n  - {id: a, kind: door}\n",
            f"\ufeff# 😀 设备\ndevices:\n  - {{id: a, kind: door}}\n  - {FLOW}\n",
            id="a mark in front",
        ),
    ],
)
def test_the_text_around_stays(tmp_path: Path, before: str, after: str | None) -> None:
    config = write_yaml(tmp_path, before)
    if after is None:
        with pytest.raises(ConfigurationError):
            add_device(config, METER)
        assert (config / "devices.yaml").read_bytes().decode() == before
    else:
        assert added(config) == after


@given(
    st.builds(
        Device,
        id=st.from_regex(IDENTIFIER, fullmatch=True).filter(lambda name: len(name) <= 64 and name != "siteward"),
        kind=st.just("sensor"),
        address=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20).map(str.strip)
        | st.from_regex(r"[=@+'-]{0,2}[0-9]{1,4}[eE.:_x][0-9]{1,4}", fullmatch=True),
        name=st.builds(Text, en=st.sampled_from(["", "true", "0x1F", "1e5", "~", "- a", "a: b", "#", "'", '"', "0o7"])),
    ),
    st.sampled_from(["devices.yaml", "devices.csv"]),
    st.booleans(),
)
def test_whatever_a_device_is_called_it_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    device: Device,
    name: str,
    in_lines: bool,
) -> None:
    config = write_site(tmp_path_factory.mktemp("site"), "id,kind\nfirst-one,door\n")
    if name == "devices.yaml":
        (config / "devices.csv").unlink()
        entry = "  - id: first-one\n    kind: door\n" if in_lines else "  - {id: first-one, kind: door}\n"
        (config / name).write_text(f"devices:\n{entry}", encoding="utf-8")
    if "+" in device.address or "#" in device.address or "/" in device.address:
        device = device.model_copy(update={"address": ""})
    add_device(config, device)
    assert load(config).register.by_id()[device.id] == device


def test_a_list_that_is_none_is_left_alone(tmp_path: Path) -> None:
    config = write_yaml(tmp_path, "{tags: [x]}\n")
    with pytest.raises(CollectorError, match=r"devices.yaml: there is no `devices` in its brackets; add the device by"):
        add_device(config, METER)
    assert (config / "devices.yaml").read_text(encoding="utf-8") == "{tags: [x]}\n"


# ── devices.csv ──────────────────────────────────────────────────────────────────────────────────────────────────

ROW = "em-9,electricity_meter,zigbee2mqtt,厂房 表 9,Hall: 9,九号"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", f"id,kind,profile,address,name_en,name_zh\n{ROW}\n", id="an empty file"),
        pytest.param(
            "id,kind\na,door\n", f"id,kind,profile,address,name_en,name_zh\na,door\n{ROW}\n", id="columns are added"
        ),
        pytest.param(
            'name_zh,"kind",id,,\r\n"甲, 乙",door,a,,',
            'name_zh,"kind",id,profile,address,name_en\r\n"甲, 乙",door,a,,\r\n'
            "九号,electricity_meter,em-9,zigbee2mqtt,厂房 表 9,Hall: 9\r\n",
            id="columns in their order",
        ),
        pytest.param(
            "id,kind,profile,address,area,name_en,name_zh\n",
            f"id,kind,profile,address,area,name_en,name_zh\n{ROW.replace(',Hall', ',,Hall')}\n",
            id="a column that it does not need",
        ),
    ],
)
def test_a_row_is_added(tmp_path: Path, before: str, after: str) -> None:
    config = write_site(tmp_path)
    (config / "devices.csv").write_bytes(before.encode())
    assert added(config) == after


# ── the file and the folder ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "changed"),
    [("tags: [x]\n", "devices.csv"), ("devices: [{id: a, kind: door}]\n", "devices.yaml")],
)
def test_of_two_files_the_one_that_lists_devices_is_taken(tmp_path: Path, text: str, changed: str) -> None:
    config = write_site(tmp_path)
    (config / "devices.yaml").write_text(text, encoding="utf-8")
    assert add_device(config, METER).name == changed


def test_without_any_file_devices_yaml_is_begun(tmp_path: Path) -> None:
    config = write_site(tmp_path)
    (config / "devices.csv").unlink()
    assert add_device(config, METER) == config / "devices.yaml"


def test_what_would_be_wrong_is_said_where_it_would_stand_and_changes_nothing(tmp_path: Path) -> None:
    config = write_site(tmp_path)
    before = (config / "devices.csv").read_bytes()
    with pytest.raises(ConfigurationError) as caught:
        add_device(config, METER.model_copy(update={"profile": "zigbee3mqtt"}))
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == (config / "devices.csv", 3)
    assert problem.message == "there is no profile 'zigbee3mqtt'; did you mean zigbee2mqtt?"
    assert (config / "devices.csv").read_bytes() == before
    assert sorted(path.name for path in config.iterdir()) == ["devices.csv", "siteward.yaml"]


def test_rights_and_links_stay(tmp_path: Path) -> None:
    config = write_site(tmp_path)
    real = tmp_path / "elsewhere.csv"
    (config / "devices.csv").rename(real)
    real.chmod(0o640)
    (config / "devices.csv").symlink_to(real)
    add_device(config, METER)
    assert (config / "devices.csv").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert "em-9" in real.read_text(encoding="utf-8")
