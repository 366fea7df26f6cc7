"""All formats: the lists of them agree, and all say the same of a figure."""

import csv
import io
from typing import get_args

import pypdfium2
import pytest
from openpyxl import load_workbook

from collector.reports.delivery import Delivery
from collector.reports.formats.writers import WRITERS, FormatName
from tests.reportsample import make_sample
from tickets.titles import Language


def test_every_format_is_written_and_can_be_delivered() -> None:
    assert set(WRITERS) == set(get_args(FormatName))
    assert set(get_args(Delivery.model_fields["format"].annotation)) == set(WRITERS)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_all_say_the_same_of_a_figure(language: Language) -> None:
    report = make_sample(language)
    figure = report.sections[0].figures[0]
    files = {name: write(report) for name, write in WRITERS.items()}
    page = files["html"].decode()
    paper = "".join(sheet.get_textpage().get_text_range() for sheet in pypdfium2.PdfDocument(files["pdf"]))
    for text in (page, paper):
        assert figure.label in text
        assert "12,346" in text
        assert "+12.2 %" in text
    (row,) = [
        cells
        for cells in load_workbook(io.BytesIO(files["xlsx"])).worksheets[0].iter_rows(values_only=True)
        if cells[0] == figure.label
    ]
    assert row[1] == figure.value
    assert round(float(str(row[4])), 1) == 12.2
    lines = csv.DictReader(io.StringIO(files["csv"].decode("utf-8-sig"), newline=""))
    (value,) = [line["value"] for line in lines if line["title"] == figure.label and line["column"] == "value"]
    assert float(value) == figure.value
