"""The CSV, read back: one number a line, whatever the report and its language."""

import csv
import io

import pytest

from collector.csvfile import read_cell
from collector.reports.formats.csv import COLUMNS, write_csv
from tests.reportsample import NASTY, make_sample
from tickets.titles import Language

Line = dict[str, str]


def read(language: Language = "en") -> list[Line]:
    data = write_csv(make_sample(language))
    assert data.startswith(b"\xef\xbb\xbf")  # or Excel on a Chinese Windows takes it for GBK
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def pick(lines: list[Line], **wanted: str) -> list[Line]:
    return [line for line in lines if all(line[name] == value for name, value in wanted.items())]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_columns_are_the_same_in_every_language(language: Language) -> None:
    lines = read(language)
    assert tuple(lines[0]) == COLUMNS
    assert {line["kind"] for line in lines} == {"text", "figure", "chart", "table"}
    assert {(line["report"], line["period"]) for line in lines} == {("energy", "2026-10")}


def test_a_figure_has_a_line_for_each_of_its_numbers() -> None:
    lines = pick(read(), kind="figure", title="Electricity")
    assert [(line["column"], line["value"], line["unit"]) for line in lines] == [
        ("value", "12345.6", "kWh"),
        ("before", "11000", "kWh"),
        ("year_before", "13000", "kWh"),
        ("budget", "12000", "kWh"),
        ("note", "at least: 98.0 % of the time is known", ""),
    ]
    assert [line["value"] for line in pick(read(), title="Nobody knows")] == [""]


def test_charts_and_tables_are_there_with_times_in_iso() -> None:
    lines = read()
    (first,) = pick(lines, kind="chart", title="By day", row="2026-10-01T00:00:00+08:00", column="2026-10")
    assert (first["value"], first["unit"]) == ("100.0", "kWh")
    (empty,) = pick(lines, kind="chart", title="By day", row="2026-10-01T00:00:00+08:00", column="2025-10")
    assert empty["value"] == ""
    (when,) = pick(lines, kind="table", title="By building", row="1", column="When")
    assert when["value"] == "2026-10-05T14:30:00+08:00"
    (total,) = pick(lines, kind="table", title="By building", row="total", column="Used")
    assert total["value"] == "8641.92"


def test_no_text_is_run_by_a_spreadsheet_and_each_can_be_read_back() -> None:
    lines = pick(read(), kind="table", title="By building", column="Building")[:-1]
    assert [read_cell(line["value"]) for line in lines] == list(NASTY)
    written = [value for line in read() for name, value in line.items() if name != "value" or line["kind"] == "text"]
    assert not [value for value in written if value.startswith(("=", "@", "+"))]
