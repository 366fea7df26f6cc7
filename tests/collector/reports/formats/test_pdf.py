"""The PDF, read back: its figures, its pages, its tags, in both languages."""

import sys
from ctypes import POINTER, c_ushort, cast, create_string_buffer
from importlib.abc import MetaPathFinder

import pypdfium2
import pytest

from collector.reports.formats.pdf import PdfUnavailableError, write_pdf
from tests.reportsample import NASTY, make_sample
from tickets.titles import Language


def read_pages(language: Language) -> tuple[pypdfium2.PdfDocument, list[str]]:
    """The document, and the text of each page without blanks: where lines break is not ours to say."""
    document = pypdfium2.PdfDocument(write_pdf(make_sample(language)))
    return document, ["".join(page.get_textpage().get_text_range().split()) for page in document]


def test_the_figures_are_there() -> None:
    document, pages = read_pages("en")
    text = "".join(pages)
    for expected in ("Energyreport2026-10", "12,346kWh", "worse+12.2%againsttheperiodbefore(11,000)", "Partsaddup."):
        assert expected in text
    for nasty in NASTY:
        assert "".join(nasty.split()) in text
    assert document.get_metadata_value("Title") == "Energy report 2026-10 · Campus <b>&"


def test_pages_have_numbers_and_a_running_head() -> None:
    _, pages = read_pages("en")
    assert len(pages) > 1
    assert all(f"{number}/{len(pages)}" in page for number, page in enumerate(pages, 1))
    assert all("Energyreport2026-10" in page and "Campus<b>&" in page for page in pages)


def test_it_is_tagged_for_those_who_have_it_read_aloud() -> None:
    document, _ = read_pages("zh")
    assert pypdfium2.raw.FPDFCatalog_IsTagged(document)
    language = create_string_buffer(32)
    pypdfium2.raw.FPDFCatalog_GetLanguage(document, cast(language, POINTER(c_ushort)), len(language))
    assert language.raw.decode("utf-16-le").rstrip("\0") == "zh-CN"


def test_chinese_can_be_read_and_charts_have_their_letters() -> None:
    text = "".join(read_pages("zh")[1])
    for expected in ("用电报告2026-10", "用电量", "校园共用电12,346kWh。", "逐日用量", "工作日", "水工班", "编制说明"):
        assert expected in text


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing(MetaPathFinder):
        def find_spec(self, name: str, *_: object) -> None:
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    for name in [name for name in sys.modules if name.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(PdfUnavailableError, match=r"apt-get install libpango-1\.0-0 .* html .*libpango"):
        write_pdf(make_sample())
