import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collector.csvfile import Sheet, read_cell, write_cell, write_csv
from collector.tables import DEVICES, REPLACEMENTS


def test_a_sheet_of_devices() -> None:
    sheet = Sheet(
        "id,kind,name_zh,tag.circuit,ct_ratio\nem-1,electricity_meter,总表,main,200/5\nd-1,door,,,\n", DEVICES
    )
    assert sheet.faults == []
    assert sheet.value == {
        "tags": ["circuit"],
        "devices": [
            {
                "id": "em-1",
                "kind": "electricity_meter",
                "name": {"zh": "总表"},
                "tags": {"circuit": "main"},
                "ct_ratio": "200/5",
            },
            {"id": "d-1", "kind": "door"},
        ],
    }
    assert sheet.locate(("devices", 0, "ct_ratio")) == (2, 32, "200/5")
    assert sheet.locate(("devices", 1, "interval")) == (3, 1, "d-1")
    assert sheet.locate(("tags", 0)) == (1, 17, "tag.circuit")


def test_a_sheet_of_replacements() -> None:
    text = "device,at,final,first\nem-1,2026-03-01T10:00:00+08:00,84210.5 kWh,0 kWh\n"
    sheet = Sheet(text, REPLACEMENTS)
    assert sheet.value == {
        "replacements": [
            {"device": "em-1", "at": "2026-03-01T10:00:00+08:00", "final": "84210.5 kWh", "first": "0 kWh"}
        ]
    }
    assert sheet.locate(("replacements", 0, "first")) == (2, 44, "0 kWh")
    assert Sheet("device,at,final\n", REPLACEMENTS).faults == [
        ((1, 1, ""), "missing column 'first'", "no row can do without it")
    ]
    assert [fault.message for fault in Sheet("device,at,final,first,tag.x\n", REPLACEMENTS).faults] == [
        "unknown column 'tag.x'"
    ]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("=1", "'=1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-1F", "'-1F"),
        ("-1", "-1"),
        ("+1.5", "+1.5"),
        ("'=x", "''=x"),
        ("'s-Gravenhage", "'s-Gravenhage"),
        ("A-1", "A-1"),
        ("", ""),
    ],
)
def test_a_text_that_a_spreadsheet_would_run(text: str, written: str) -> None:
    assert write_cell(text) == written
    assert read_cell(f" {written} ") == text


@given(st.lists(st.lists(st.text("=+-@'1.\",;\n x电", max_size=6).map(str.strip), min_size=2, max_size=2), max_size=4))
@example([["-1", "'-1"]])
def test_rows_survive_and_run_nothing(rows: list[list[str]]) -> None:
    written = list(csv.reader(io.StringIO(write_csv(rows), newline="")))
    assert [[read_cell(cell) for cell in row] for row in written] == rows
    dangerous = [cell for row in written for cell in row if cell[:1] in {"=", "+", "-", "@"}]
    assert all(cell[0] in "+-" and cell[1:].replace(".", "", 1).isdigit() for cell in dangerous)
