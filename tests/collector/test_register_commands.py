"""`siteward devices import|export`: what people see, and what then stands in the files."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from openpyxl import Workbook, load_workbook
from typer.testing import CliRunner, Result

from collector import registerimport
from collector.commands import register
from collector.configuration import load

SITE = """\
site: {id: campus, timezone: Asia/Shanghai}
data_dir: ../data
mqtt: {url: "mqtt://127.0.0.1", client_id: siteward}
"""
YAML = """\
tags: [circuit]
devices:
  - {id: em-1, kind: electricity_meter, meter: A1, ct_ratio: 2000/5, tags: {circuit: main}}
"""
CSV = """\
id,kind,flow_limit,meter,tag.gateway
wm-1,water_meter,30 L/h,007,gw-a
d-1,door,,,
"""

app = typer.Typer()
app.command("import")(register.import_)
app.command()(register.export)


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})


def answer(*words: object) -> Any:  # noqa: ANN401 - JSON is anything
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refusals(*words: object) -> list[str]:
    """What is said on the standard error of a command that refuses."""
    result = run(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    return result.stderr.splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "siteward.yaml").write_text(SITE)
    (folder / "devices.yaml").write_text(YAML)
    (folder / "devices.csv").write_text(CSV)
    return folder


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_added_changed_and_left_alone(folder: Path, tmp_path: Path) -> None:
    file = write(
        tmp_path / "a.csv", "id,kind,meter,floor", "wm-1,water_meter,008,", "d-1,door,,", "wm-2,water_meter,9,-1F"
    )
    assert answer("import", file, "--config", folder) == {
        "changes": [
            {"table": "devices", "device": "wm-1", "kind": "changed", "cells": {"meter": ["007", "008"]}},
            {"table": "devices", "device": "d-1", "kind": "same", "cells": {}},
            {
                "table": "devices",
                "device": "wm-2",
                "kind": "added",
                "cells": {"id": ["", "wm-2"], "kind": ["", "water_meter"], "floor": ["", "-1F"], "meter": ["", "9"]},
            },
        ],
        "written": [str(folder / "devices.csv")],
    }
    assert (folder / "devices.csv").read_text(encoding="utf-8") == (
        "id,kind,flow_limit,meter,tag.gateway,floor\n"
        "wm-1,water_meter,30 L/h,008,gw-a,\n"
        "d-1,door,,,,\n"
        "wm-2,water_meter,,9,,'-1F\n"
    )
    assert (folder / "devices.yaml").read_text() == YAML
    assert load(folder).register.by_id()["wm-2"].floor == "-1F"
    assert answer("import", file, "--config", folder)["written"] == []


def test_a_dry_run_changes_nothing(folder: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "id,meter", "wm-1,008")
    result = run("import", file, "--config", folder, "--dry-run")
    assert result.exit_code == 0
    assert "meter: 007 → 008" in result.stdout
    assert "0 added, 1 changed, 0 left alone. Nothing was written. (--dry-run)" in result.stdout
    assert (folder / "devices.csv").read_text() == CSV


def test_an_empty_cell_empties_and_a_missing_column_does_not(folder: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "id,kind,meter", "wm-1,water_meter,")
    result = run("import", file, "--config", folder)
    assert "meter: 007 → –" in result.stdout
    assert (folder / "devices.csv").read_text() == CSV.replace("007", "")


def test_a_first_register(folder: Path, tmp_path: Path) -> None:
    (folder / "devices.yaml").unlink()
    (folder / "devices.csv").unlink()
    file = write(
        tmp_path / "a.csv", "", "编号;设备类型;中文名称;网关;标签.circuit", "gw-1;网关;;;", "em-1;电表;总表;gw-1;main"
    )
    assert run("import", file, "--config", folder).exit_code == 0
    assert (folder / "devices.csv").read_text(encoding="utf-8") == (
        "id,kind,name_zh,gateway,tag.circuit\ngw-1,gateway,,,\nem-1,electricity_meter,总表,gw-1,main\n"
    )


def test_a_meter_is_replaced(folder: Path, tmp_path: Path) -> None:
    """The record of the device and the replacement agree only together; the local time is the site's."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["设备编号", "换表时间", "拆下表号", "装上表号", "拆表底数", "装表底数"])
    sheet.append(["wm-1", datetime(2026, 3, 1, 10), "007", 8, "1234.5 m³", "0 L"])  # noqa: DTZ001 - cells have no zones
    sheet["D2"].number_format = "000"
    book.save(tmp_path / "swap.xlsx")
    assert refusals("import", tmp_path / "swap.xlsx", "--config", folder) == [
        (
            f"{tmp_path}/swap.xlsx:2:4: installed: expected '007', the meter that hangs at 'wm-1', got '008'"
            f" (see {folder}/devices.csv:2)"
        ),
        "1 problem(s); nothing was written.",
    ]
    meters = write(tmp_path / "meters.csv", "id,meter", "wm-1,008")
    assert len(answer("import", tmp_path / "swap.xlsx", meters, "--config", folder)["written"]) == 2
    assert (folder / "replacements.csv").read_text(encoding="utf-8") == (
        "device,at,removed,installed,final,first\nwm-1,2026-03-01T10:00:00+08:00,007,008,1234.5 m³,0 L\n"
    )
    (replacement,) = load(folder).register.replacements
    assert replacement.at == 1_772_330_400_000_000_000  # 2026-03-01T02:00:00Z
    assert answer("import", tmp_path / "swap.xlsx", meters, "--config", folder)["written"] == []


def test_every_cell_that_is_wrong_is_told(folder: Path, tmp_path: Path) -> None:
    file = write(
        tmp_path / "a.csv",
        "id;kind;flow_limit;meter;remark",
        "wm-1;water_meter;30;1,23E+17;x",
        ";door;;;",
        "wm-3;watermeter;;;",
        "d-1;door;3 L/h;;",
        "em-1;electricity_meter;;A2;",
        "x;door;;;;y",
    )
    before = {path.name: path.read_text() for path in folder.iterdir()}
    lines = refusals("import", file, "--config", folder)
    assert [line.removeprefix(f"{file}:").partition(" (known columns")[0] for line in lines] == [
        "1:5: unknown column 'remark'",
        "2:3: flow_limit: expected flow with its unit such as 30 L/h, got '30', which has no unit",
        ("2:4: a number of which the spreadsheet has lost the last digits"
        " (format the cell as text and write it again)"),
        "3:1: missing key 'id' (Unique in the register; stays when the device is renamed or moved)",
        ("4:2: kind: expected 'electricity_meter', 'water_meter', 'door', 'sensor' or 'gateway', got 'watermeter'"
        " (did you mean water_meter?)"),
        "5:3: flow_limit: belongs to kind water_meter, not door",
        "7:6: more cells than columns (name the column, or empty the cell)",
        "7 problem(s); nothing was written.",
    ]  # fmt: skip
    assert {path.name: path.read_text() for path in folder.iterdir()} == before


def test_what_does_not_fit_the_rest_is_told(folder: Path, tmp_path: Path) -> None:
    (folder / "places.yaml").write_text("buildings: [{id: A}]\n")
    file = write(
        tmp_path / "a.csv",
        "id,kind,building,profile,address",
        "s-1,sensor,B,,",
        "s-2,sensor,A,zigbee,",
        "s-3,sensor,A,,em-1",
        "s-1,sensor,A,,",
    )
    assert refusals("import", file, "--config", folder) == [
        f"{file}:2:3: there is no building 'B'; known are A",
        f"{file}:3:4: there is no profile 'zigbee'; did you mean zigbee2mqtt?",
        (
            f"{file}:4:5: address 'em-1' of profile 'canonical' already belongs to 'em-1'"
            f" (the first one: {folder}/devices.yaml:3)"
        ),
        f"{file}:5:1: device 's-1' stands here a second time (the first one: {file}:2)",
        "4 problem(s); nothing was written.",
    ]


def test_what_stands_in_devices_yaml_is_changed_there(folder: Path, tmp_path: Path) -> None:
    same = write(tmp_path / "same.csv", "id,kind,meter", "em-1,electricity_meter,A1")
    assert answer("import", same, "--config", folder)["written"] == []
    other = write(tmp_path / "other.csv", "id,meter,ct_ratio,interval", "em-1,A2,,15m")
    hint = "(change it there, or delete the entry there)"
    assert refusals("import", other, "--config", folder) == [
        f"{other}:2:2: meter: {folder}/devices.yaml:3 has 'A1' for 'em-1', not 'A2' {hint}",
        f"{other}:2:3: ct_ratio: {folder}/devices.yaml:3 has '2000/5' for 'em-1', not 'nothing' {hint}",
        f"{other}:2:4: interval: {folder}/devices.yaml:3 has 'nothing' for 'em-1', not '15m' {hint}",
        "3 problem(s); nothing was written.",
    ]


def test_files_that_hold_no_register(folder: Path, tmp_path: Path) -> None:
    expected = "expected a column `id` for devices, or columns `device` and `at` for replacements"
    for name, text, said in (
        ("a.csv", "name,kind\nx,door\n", ["left out: its first row names no columns of the register", expected]),
        ("b.csv", "", [expected]),
        (
            "c.xlsx",
            "x",
            ["no workbook, or a damaged one (BadZipFile('File is not a zip file')); save it as .xlsx again"],
        ),
    ):
        (tmp_path / name).write_text(text)
        assert refusals("import", tmp_path / name, "--config", folder) == [
            f"{tmp_path}/{name}: {words}" for words in said
        ]
    assert refusals("import", tmp_path / "none.csv", "--config", folder) == [
        f"{tmp_path}/none.csv: No such file or directory"
    ]


def test_a_date_in_place_of_a_ratio(folder: Path, tmp_path: Path) -> None:
    book = Workbook()
    book.worksheets[0].append(["id", "ct_ratio"])
    book.worksheets[0].append(["em-1", datetime(2000, 5, 1)])  # noqa: DTZ001 - what a spreadsheet makes of 2000/5
    book.create_sheet("Notes").append(["to do"])
    book.save(tmp_path / "a.xlsx")
    file = tmp_path / "a.xlsx"
    assert refusals("import", file, "--config", folder) == [
        f"{file}!Notes: left out: its first row names no columns of the register",
        f"{file}!Sheet:2:2: the spreadsheet made a date of this (format the cell as text and write it again)",
        "1 problem(s); nothing was written.",
    ]


def test_a_register_that_is_changed_meanwhile(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "a.csv", "id,meter", "wm-1,008")

    class Slow(registerimport.RegisterImport):
        def write(self) -> None:
            write(folder / "devices.csv", *CSV.splitlines(), "d-2,door")
            super().write()

    monkeypatch.setattr(register, "RegisterImport", Slow)
    assert refusals("import", file, "--config", folder) == [
        "the register was changed meanwhile; nothing was written. Run this again."
    ]
    assert (folder / "devices.csv").read_text() == f"{CSV}d-2,door\n"


def test_a_file_that_cannot_be_written(folder: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "id,meter", "wm-1,008")
    (folder / "devices.csv").rename(tmp_path / "devices.csv")
    (folder / "devices.csv").symlink_to(tmp_path / "devices.csv")
    (tmp_path / "devices.csv").chmod(0o640)
    assert run("import", file, "--config", folder).exit_code == 0
    assert (folder / "devices.csv").is_symlink()
    assert (tmp_path / "devices.csv").read_text() == CSV.replace("007", "008")
    assert (tmp_path / "devices.csv").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in folder.iterdir()) == ["devices.csv", "devices.yaml", "siteward.yaml"]


def test_exported_as_csv(folder: Path, tmp_path: Path) -> None:
    (folder / "replacements.csv").write_text(
        "device,at,final,first,removed\nwm-1,2026-03-01T10:00:00+08:00,5 m3,0 m3,006\n"
    )
    file = tmp_path / "all.csv"
    result = run("export", file, "--config", folder)
    beside = tmp_path / "all-replacements.csv"
    assert result.stdout == f"Wrote 3 devices to {file} and {beside}.\n"
    head, *rows = file.read_bytes().decode("utf-8-sig").splitlines()
    assert head.startswith("id,kind,profile,address,topic,name_en,name_zh,building,")
    assert head.endswith(",rolls_over_at,tag.circuit,tag.gateway")
    assert [row.split(",")[0] for row in rows] == ["em-1", "wm-1", "d-1"]
    assert beside.read_text(encoding="utf-8-sig") == (
        "device,at,removed,installed,final,first,point\nwm-1,2026-03-01T02:00:00Z,006,,5 m3,0 m3,\n"
    )
    assert answer("import", file, beside, "--config", folder)["written"] == []


def test_exported_as_a_workbook(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.xlsx"
    assert run("export", file, "--config", folder).stdout == f"Wrote 3 devices to {file}.\n"
    devices, replacements = load_workbook(file).worksheets
    assert (devices.title, replacements.title) == ("devices", "replacements")
    columns = [cell.value for cell in devices[1]]
    assert devices.cell(3, columns.index("meter") + 1).value == "007"
    assert answer("import", file, "--config", folder)["written"] == []
    assert refusals("export", file, "--config", folder) == [f"{file} exists. Delete it, or choose another name."]


def test_exported_to_nowhere(folder: Path, tmp_path: Path) -> None:
    assert refusals("export", tmp_path / "a.ods", "--config", folder) == [
        f"{tmp_path}/a.ods: expected a name that ends in .csv or .xlsx"
    ]
    assert refusals("export", tmp_path / "no" / "a.csv", "--config", folder) == [
        f"{tmp_path}/no/a.csv: No such file or directory"
    ]
