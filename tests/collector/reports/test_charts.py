"""Charts as SVG: well-formed, with ids of their own, and with the colour of the text around them."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from xml.etree.ElementTree import fromstring

import pytest

from collector.reports.charts import draw_chart, name_places
from collector.reports.document import Chart, Series
from collector.reports.wording import Words
from tests.reportsample import DAYS, ZONE, make_sample

CHARTS = [chart for chart in make_sample("zh").sections[1].charts if chart.series]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.kind)
def test_a_chart_is_one_element_with_letters_as_letters(chart: Chart) -> None:
    svg = draw_chart(chart, 1, Words("zh"))
    picture = fromstring(svg)  # noqa: S314 - our own
    assert picture.tag == f"{SVG}svg"
    assert {"width", "height"} & picture.attrib.keys() == set()
    texts = {text.text for text in picture.iter(f"{SVG}text")}
    names = {series.label for series in chart.series}
    assert names <= texts
    assert "currentColor" in svg
    assert next(picture.iter(f"{SVG}image"), None) is None  # lines, not dots


def test_pictures_of_one_page_share_no_ids() -> None:
    found = [re.findall(r' id="([^"]+)"', draw_chart(CHARTS[0], number, Words("en"))) for number in (1, 2)]
    assert found[0]
    assert not set(found[0]) & set(found[1])


def test_the_same_chart_is_the_same_picture() -> None:
    assert draw_chart(CHARTS[1], 3, Words("en")) == draw_chart(CHARTS[1], 3, Words("en"))


@pytest.mark.parametrize("kind", ["lines", "bars", "stacked", "heat"])
def test_what_is_not_known_at_all_is_drawn_empty(kind: str) -> None:
    chart = Chart(title="x", kind=kind, unit="", places=["a", "b"], series=[Series("s", [None, None])])  # type: ignore[arg-type] # one of the kinds
    assert draw_chart(chart, 1, Words("en")).startswith("<svg")


def test_names_of_times_say_what_tells_them_apart() -> None:
    months = [datetime(2026, month, 1, tzinfo=ZONE) for month in (1, 2, 3)]
    assert name_places(months) == ["2026-01", "2026-02", "2026-03"]
    assert name_places(DAYS[:2]) == ["10-01", "10-02"]
    assert name_places([DAYS[0] + timedelta(hours=1)]) == ["10-01 01:00"]
    assert name_places(["x", "y"]) == ["x", "y"]


def test_a_limit_is_drawn_and_named() -> None:
    without = draw_chart(replace(CHARTS[0], limit=None), 1, Words("zh"))
    assert "限值" in draw_chart(CHARTS[0], 1, Words("zh"))
    assert "限值" not in without
