"""The example site in config/, and the starter that `siteward init` writes: complete, and true in every comment."""

from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from collector.configuration import load
from collector.reports.plan import ReportPlan
from collector.settings import EmbeddedStore, Settings
from collector.yamlfile import Document
from devices.clashes import find_clashes
from devices.counting.facts import find_facts
from devices.register import Register

EXAMPLE = Path(__file__).parents[2] / "config"
STARTER = Path(str(files("collector") / "starter"))
TEXTS = {folder.name: (folder / "siteward.yaml").read_text(encoding="utf-8") for folder in (EXAMPLE, STARTER)}


def test_a_campus_of_three_buildings() -> None:
    configuration = load(EXAMPLE)
    assert Counter(device.kind for device in configuration.register) == {
        "electricity_meter": 40, "water_meter": 20, "door": 16, "gateway": 3, "sensor": 1,
    }  # fmt: skip
    assert [building.id for building in configuration.places.buildings] == ["A", "B", "C"]
    assert configuration.settings.site.timezone == "Asia/Shanghai"
    assert configuration.settings.site.language == "zh"
    assert configuration.settings.store == EmbeddedStore()


def test_everything_has_both_names() -> None:
    configuration = load(EXAMPLE)
    buildings = configuration.places.buildings
    floors = [floor for building in buildings for floor in building.floors]
    named = [*configuration.register, *buildings, *floors, *(area for floor in floors for area in floor.areas)]
    assert all(one.name.en and one.name.zh for one in named)
    names = Counter(device.name.zh for device in configuration.register)
    assert [name for name, count in names.items() if count > 1] == []


def test_meters_report_and_doors_speak_up() -> None:
    intervals = {(device.kind, device.interval) for device in load(EXAMPLE).register}
    assert intervals == {
        ("electricity_meter", 900_000_000_000), ("water_meter", 900_000_000_000), ("door", None),
        ("gateway", 60_000_000_000), ("sensor", 900_000_000_000),
    }  # fmt: skip


def test_every_building_has_a_gateway_and_main_meters() -> None:
    devices = list(load(EXAMPLE).register)
    gateways = {device.id: device.building for device in devices if device.kind == "gateway"}
    assert gateways == {"gw-a": "A", "gw-b": "B", "gw-c": "C"}
    assert all(gateways[device.gateway] == device.building for device in devices if device.kind != "gateway")
    mains = Counter((device.building, device.kind) for device in devices if device.tags.get("circuit") == "main")
    assert mains == {(building, kind): 1 for building in "ABC" for kind in ("electricity_meter", "water_meter")}


def test_every_main_meter_feeds_the_others_of_its_building() -> None:
    configuration = load(EXAMPLE)
    fed = {feed.main: set(feed.subs) for feed in configuration.places.feeds}
    meters = [device for device in configuration.register if device.kind in {"electricity_meter", "water_meter"}]
    mains = [device for device in meters if device.tags.get("circuit") == "main"]
    assert fed == {
        main.id: {
            meter.id for meter in meters if (meter.building, meter.kind) == (main.building, main.kind) and meter != main
        }
        for main in mains
    }


def test_doors_of_a_building_begin_with_its_entrance() -> None:
    doors = [device for device in load(EXAMPLE).register if device.kind == "door"]
    first = {device.building: device for device in reversed(doors)}
    assert {building: (door.id, door.floor) for building, door in first.items()} == {
        "A": ("door-a-01", "1F"), "B": ("door-b-01", "1F"), "C": ("door-c-01", "1F"),
    }  # fmt: skip


def test_the_replacement_that_a_comment_shows_is_one() -> None:
    comment = (EXAMPLE / "devices.yaml").read_text(encoding="utf-8").partition("#   replacements:\n")[2]
    shown = "".join(line[4:] for line in comment.splitlines(keepends=True)[:2])
    content = Document((EXAMPLE / "devices.yaml").read_text(encoding="utf-8") + f"replacements:\n{shown}").value
    register = Register.model_validate(content)
    assert [clash.path for clash in find_clashes(register)] == [
        ("replacements", 0, "installed")
    ]  # `meter` is to follow
    assert find_facts(register, register.by_id()["em-a-01"], "energy_import_kwh").replacements[0].final == 84210.5


@pytest.mark.parametrize("name", TEXTS)
def test_every_default_that_a_comment_shows_is_the_default(name: str) -> None:
    shown = Settings.model_validate(Document(TEXTS[name].replace("#: ", "")).value)
    plain = Settings.model_validate(Document(TEXTS[name]).value)
    assert "#: " in TEXTS[name]
    assert shown == plain


@pytest.mark.parametrize("name", TEXTS)
def test_every_section_is_shown(name: str) -> None:
    shown = Document(TEXTS[name].replace("#: ", "")).value
    assert isinstance(shown, dict)
    assert shown.keys() == Settings.model_fields.keys()


def test_every_variant_in_the_starter_is_good() -> None:
    blocks = [block for block in TEXTS["starter"].split("\n\n") if "In place of the above:" in block]
    plain = Document(TEXTS["starter"]).value
    assert isinstance(plain, dict)
    variants = []
    for block in blocks:
        lines = [line.removeprefix("# ") for line in block.splitlines()[1:]]
        variants.append(Document("\n".join(lines)).value)
        assert isinstance(variants[-1], dict)
        Settings.model_validate({**plain, **variants[-1]})
    assert [list(variant) for variant in variants if isinstance(variant, dict)] == [["mqtt"], ["store"], ["store"]]


def test_what_the_starters_reports_show_in_comments_is_good() -> None:
    text = (STARTER / "reports.yaml").read_text(encoding="utf-8")
    plain = ReportPlan.model_validate(Document(text).value)
    assert ReportPlan.model_validate(Document(text.replace("#: ", "")).value) == plain
    lines = [line for block in text.split("\n\n")[1:] for line in block.splitlines()[1:]]  # the first says what for
    shown = "\n".join(line.removeprefix("#: ").removeprefix("# ") for line in lines)
    assert ReportPlan.model_validate(Document(shown).value).model_fields_set == ReportPlan.model_fields.keys()
