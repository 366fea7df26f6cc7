"""Charts as pictures: drawn once as SVG, for pages on a screen and on paper.

Letters stay letters, so that they can be searched and read aloud. They and the axes take the colour of the text around
them, so that a chart is legible on light and on dark. Series have the colours of Okabe and Ito, which people tell
apart who see few colours, and lines differ in their strokes as well.
"""

import re
import warnings
from collections.abc import Sequence
from datetime import datetime
from io import StringIO
from itertools import pairwise
from math import ceil, isfinite, nan
from typing import TYPE_CHECKING, Any

from collector.reports.document import Chart, Series
from collector.reports.wording import Words
from tickets.pictures import find_chinese_font

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
LIMIT_COLOR = "#D55E00"
_STROKES = ("-", "--", "-.", ":")

_TEXT = "#010203"
"""Becomes the colour of the text around the chart."""

_WIDTH_IN, _HEIGHT_IN = 7.4, 2.5
_BAR_IN, _ROW_IN, _FRAME_IN = 0.17, 0.21, 0.75
_TICKS_MOST = 12
_MONTH_DAYS = 28
_LEGEND_COLUMNS = 4
_SHADES = 32
"""Of a heat map; with more, matplotlib would draw their scale as a picture of dots."""

_METADATA = ("Date", "Creator", "Format", "Type")
"""What matplotlib says of itself; a page has no use for it."""

_IDS = re.compile(r'<g id="[^"]*"')
_SIZE = re.compile(r' (?:width|height)="[^"]*"')


def draw_chart(chart: Chart, number: int, say: Words) -> str:
    """A chart as an SVG element, without title and note: those are text beside it.

    Args:
        chart: what to draw.
        number: of the chart in its page; ids within the picture are its own.
        say: the words of the report's language.
    """
    # matplotlib takes half a second to load: only who draws pays.
    import matplotlib  # noqa: ICN001, PLC0415 - see above; not pyplot, which keeps figures in memory
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415 - likewise
    from matplotlib.figure import Figure  # noqa: PLC0415 - likewise

    font = find_chinese_font() if say.language == "zh" else None
    style: Any = {  # the names are a closed list of 300
        "font.family": [*([font] if font else []), "DejaVu Sans"],
        "font.size": 8,
        "axes.unicode_minus": False,
        "svg.fonttype": "none",
        "svg.hashsalt": f"siteward {number}",
        **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _TEXT),
    }
    with matplotlib.rc_context(style), warnings.catch_warnings():
        # Letters that no font here has are drawn by whoever shows the page.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure = Figure(figsize=(_WIDTH_IN, _find_height(chart)), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots()
        if chart.kind == "heat":
            _draw_heat(axes, chart)
        else:
            _draw_series(axes, chart, say)
        picture = StringIO()
        figure.savefig(picture, format="svg", transparent=True, metadata=dict.fromkeys(_METADATA))
    return _clean(picture.getvalue())


def name_places(places: Sequence[datetime] | Sequence[str]) -> list[str]:
    """What stands along an axis: names as they are; of times only what tells them apart."""
    times = [place for place in places if isinstance(place, datetime)]
    if len(times) < len(places):
        return [str(place) for place in places]
    if (
        len(times) > 1
        and all(time.day == 1 for time in times)
        and all((b - a).days >= _MONTH_DAYS for a, b in pairwise(times))
    ):
        return [f"{time:%Y-%m}" for time in times]
    if not any(time.hour or time.minute for time in times):
        return [f"{time:%m-%d}" for time in times]
    return [f"{time:%m-%d %H:%M}" for time in times]


def _clean(svg: str) -> str:
    """Of a file, what may stand in a page: no ids that others have, no size of its own, no colour of text."""
    element = svg[svg.index("<svg") :]
    head, tag_end, rest = element.partition(">")
    return f"{_SIZE.sub('', head)}{tag_end}{_IDS.sub('<g', rest)}".replace(_TEXT, "currentColor").strip()


def _find_height(chart: Chart) -> float:
    if chart.kind == "heat":
        return _FRAME_IN + _ROW_IN * len(chart.series)
    if _lies(chart):
        bars = len(chart.series) if chart.kind == "bars" else 1
        return _FRAME_IN + len(chart.places) * (_BAR_IN * bars + 0.1)
    return _HEIGHT_IN


def _lies(chart: Chart) -> bool:
    """Whether bars lie: names need room; times go from left to right."""
    return chart.kind in {"bars", "stacked"} and any(isinstance(place, str) for place in chart.places)


# ── series ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _draw_series(axes: "Axes", chart: Chart, say: Words) -> None:
    lies = _lies(chart)
    if chart.kind == "lines":
        for number, series in enumerate(chart.series):
            stroke = _STROKES[number % len(_STROKES)]
            color = COLORS[number % len(COLORS)]
            axes.plot(_fill(series), stroke, color=color, linewidth=1.5, label=series.label)
    else:
        _draw_bars(axes, chart, lies=lies)
    if chart.limit is not None:
        draw = axes.axvline if lies else axes.axhline
        draw(chart.limit, color=LIMIT_COLOR, linewidth=1.2, linestyle=(0, (6, 2)), label=say("format.limit"))
    _name_axes(axes, chart, lies=lies)
    if len(chart.series) > 1 or chart.limit is not None:
        columns = min(_LEGEND_COLUMNS, len(chart.series) + 1)
        axes.figure.legend(loc="outside upper right", ncols=columns, frameon=False, fontsize=8)


def _draw_bars(axes: "Axes", chart: Chart, *, lies: bool) -> None:
    side_by_side = len(chart.series) if chart.kind == "bars" else 1
    thickness = 0.8 / side_by_side
    base = [0.0] * len(chart.places)
    for number, series in enumerate(chart.series):
        values = [value if isfinite(value) else 0.0 for value in _fill(series)]
        offset = (number - (side_by_side - 1) / 2) * thickness if chart.kind == "bars" else 0.0
        spots = [spot + offset for spot in range(len(values))]
        color = COLORS[number % len(COLORS)]
        if lies:
            axes.barh(spots, values, thickness, left=base, color=color, label=series.label)
        else:
            axes.bar(spots, values, thickness, bottom=base, color=color, label=series.label)
        if chart.kind == "stacked":
            base = [below + value for below, value in zip(base, values, strict=True)]


def _name_axes(axes: "Axes", chart: Chart, *, lies: bool) -> None:
    names = name_places(chart.places)
    if lies:
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
    else:
        _name_columns(axes, names, [spot + 0.0 for spot in range(len(names))])
    along, value = (axes.yaxis, axes.xaxis) if lies else (axes.xaxis, axes.yaxis)
    along.grid(visible=False)
    value.grid(visible=True, color=_TEXT, alpha=0.15, linewidth=0.6)
    value.set_major_formatter(lambda number, _: f"{number:,.10g}")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    (axes.set_xlabel if lies else axes.set_ylabel)(chart.unit)
    known = [found for series in chart.series for found in series.values if found is not None]
    if not known or min(known) >= 0:
        (axes.set_xlim if lies else axes.set_ylim)(0)


def _name_columns(axes: "Axes", names: Sequence[str], spots: Sequence[float]) -> None:
    """As many names as there is room for, the first among them."""
    step = max(1, ceil(len(names) / _TICKS_MOST))
    axes.set_xticks(spots[::step], names[::step])


def _draw_heat(axes: "Axes", chart: Chart) -> None:
    import matplotlib  # noqa: ICN001, PLC0415 - see `draw_chart`
    import numpy as np  # noqa: PLC0415 - likewise

    values = np.ma.masked_invalid([_fill(series) for series in chart.series])
    colors = matplotlib.colormaps["cividis"].resampled(_SHADES)
    mesh = axes.pcolormesh(values, cmap=colors, vmin=min(0.0, values.min()) if values.count() else 0.0)
    axes.set_yticks([row + 0.5 for row in range(len(chart.series))], [series.label for series in chart.series])
    names = name_places(chart.places)
    _name_columns(axes, names, [column + 0.5 for column in range(len(names))])
    axes.invert_yaxis()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = axes.figure.colorbar(mesh, ax=axes, aspect=14, pad=0.02, label=chart.unit)
    bar.outline.set_visible(False)


def _fill(series: Series) -> list[float]:
    """The values with NaN where there is a hole."""
    return [nan if value is None else value for value in series.values]
