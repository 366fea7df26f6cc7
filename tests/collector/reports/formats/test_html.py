"""The page: valid, of one file, nothing run, every text escaped, and legible for those who do not see it."""

import re
from collections import Counter
from typing import TYPE_CHECKING

import html5lib
import pytest

from collector.reports.formats.html import write_html
from tests.reportsample import NASTY, make_sample
from tickets.titles import Language

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

HTML = "{http://www.w3.org/1999/xhtml}"


def parse(language: Language = "en") -> "Element":
    page = write_html(make_sample(language)).decode()
    found: Element = html5lib.HTMLParser(strict=True).parse(page)
    return found


def list_texts(page: "Element", tag: str) -> list[str]:
    return ["".join(each.itertext()).strip() for each in page.iter(f"{HTML}{tag}")]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_valid_and_every_id_is_there_once(language: Language) -> None:
    page = parse(language)
    ids = Counter(each.attrib["id"] for each in page.iter() if "id" in each.attrib)
    assert [id_ for id_, count in ids.items() if count > 1] == []
    links = [each.attrib["href"] for each in page.iter(f"{HTML}a")]
    assert links
    assert all(link.startswith("#") and link[1:] in ids for link in links)
    assert page.attrib["lang"] == {"en": "en", "zh": "zh-CN"}[language]


def test_nothing_is_fetched_or_run() -> None:
    text = write_html(make_sample()).decode()
    assert "default-src 'none'" in text
    outside = set(re.findall(r"https?://[^\s\"'<)]+", text))
    assert outside <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    page = parse()
    assert {"script", "link", "img", "iframe"} & {str(each.tag).removeprefix(HTML) for each in page.iter()} == set()
    assert not [name for each in page.iter() for name in each.attrib if name.startswith("on")]


def test_texts_are_told_as_they_are() -> None:
    heads = [text for text in list_texts(parse(), "th") if text in NASTY]
    assert heads == list(NASTY)
    assert "Campus <b>&" in list_texts(parse(), "title")[0]


def test_figures_stand_beside_what_they_are_measured_against() -> None:
    values = [text.split() for text in list_texts(parse(), "dd")]
    assert ["12,346", "kWh"] in values
    assert ["worse", "+12.2", "%", "against", "the", "period", "before", "(11,000)"] in values
    assert ["better", "−5.0", "%", "against", "the", "year", "before", "(13,000)"] in values
    assert ["worse", "+2.9", "%", "against", "the", "budget", "(12,000)"] in values
    assert ["better", "−1.6", "points", "against", "the", "period", "before", "(25.0)"] in values
    assert ["worse", "period", "before:", "0"] in values
    assert ["–"] in values


def test_a_chart_has_a_name_and_its_numbers_for_those_who_do_not_see_it() -> None:
    page = parse()
    names = [each.attrib["aria-label"] for each in page.iter(f"{HTML}div") if each.attrib.get("role") == "img"]
    assert names == ["By day", "Usual day", "Heat", "Stacked"]  # one that shows nothing is left out
    numbers = next(each for each in page.iter(f"{HTML}details"))
    assert "10-01" in list_texts(numbers, "th")
    assert "100.0" in list_texts(numbers, "td")
    assert "–" in list_texts(numbers, "td")


def test_columns_of_which_nothing_is_known_are_left_out() -> None:
    heads = list_texts(parse(), "th")
    assert "Used (kWh)" in heads
    assert "Never known (kWh)" not in heads


def test_it_speaks_chinese() -> None:
    page = parse("zh")
    assert "用电报告 2026-10" in list_texts(page, "h1")
    assert "变差 较上期（11,000）+12.2 %" in list_texts(page, "dd")
    assert "编制说明" in list_texts(page, "h2")
