"""Panels in the project's looks: curves, bars, figures, gauges, tables, and the heat map of the week.

Colours are names of Grafana's palette, which has a shade for light and for dark of each.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from grafana_foundation_sdk.builders import bargauge, common, dashboard, stat, table, timeseries
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    MappingType,
    Panel,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

from collector.dashboards.query import Query

GOOD, ODD, BAD, PLAIN = "green", "orange", "red", "blue"

SEVERITIES = {"info": "blue", "minor": "yellow", "major": "orange", "critical": "red"}
PRIORITIES = {"P1": "red", "P2": "orange", "P3": "yellow", "P4": "blue"}

_GAP_MS = 3 * 3_600_000
"""Where nothing was heard for so long, a curve has a gap."""


class Step(NamedTuple):
    """From a value on, a colour."""

    above: float | None
    colour: str


def steps(base: str, *above: tuple[float, str]) -> list[Step]:
    """Thresholds: a colour below all, then colours from values on."""
    return [Step(None, base), *(Step(value, colour) for value, colour in above)]


def curves(
    *queries: Query, unit: str, limits: Sequence[Step] = (), interval: str = "1m", floor: float | None = None
) -> Panel:
    """Lines over time; limits are dashed lines."""
    panel = (
        timeseries.Panel()
        .unit(unit)
        .line_width(1)
        .fill_opacity(6)
        .show_points(shapes.VisibilityMode.AUTO)
        .span_nulls(span_nulls=False)
        .insert_nulls(_GAP_MS)
        .interval(interval)
        .legend(_legend())
        .tooltip(_tooltip())
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
    )
    if floor is not None:
        panel.axis_soft_min(floor)
    if limits:
        panel.thresholds(_thresholds(limits))
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(shapes.GraphThresholdsStyleMode.DASHED))
    return _ask(panel.build(), queries)


def bars(*queries: Query, unit: str, interval: str = "1h", stacked: bool = True) -> Panel:
    """Bars over time, of days or hours."""
    panel = (
        timeseries.Panel()
        .unit(unit)
        .draw_style(shapes.GraphDrawStyle.BARS)
        .bar_alignment(shapes.BarAlignment.AFTER)
        .fill_opacity(70)
        .line_width(0)
        .axis_soft_min(0)
        .interval(interval)
        .legend(_legend())
        .tooltip(_tooltip())
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
    )
    if stacked:
        panel.stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL).group("A"))
    return _ask(panel.build(), queries)


def figure(
    *queries: Query,
    unit: str,
    limits: Sequence[Step] = (),
    names: Mapping[str, tuple[str, str]] | None = None,
    decimals: int | None = None,
    interval: str = "1m",
    link: tuple[str, str] | None = None,
    empty: str = "",
) -> Panel:
    """One large number, the newest there is.

    Args:
        queries: one.
        unit: of it.
        limits: its colours.
        names: texts and colours in its place, by value.
        decimals: how many; None: as Grafana likes.
        interval: the finest that is asked.
        link: where a click leads: its name and its address.
        empty: what stands there where nothing is found.
    """
    panel = (
        stat.Panel()
        .unit(unit)
        .graph_mode(shapes.BigValueGraphMode.NONE)
        .color_mode(shapes.BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False))
        .thresholds(_thresholds(limits or steps(PLAIN)))
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .interval(interval)
    )
    if empty:
        panel.no_value(empty)
    if link:
        name, address = link
        panel.data_links([dashboard.DashboardLink(name).url(address)])
    if names:
        panel.mappings([_map(names)])
    if decimals is not None:
        panel.decimals(decimals)
    return _ask(panel.build(), queries)


def gauges(*queries: Query, unit: str, limits: Sequence[Step] = (), most: float | None = None) -> Panel:
    """A bar for each curve, by its newest value."""
    panel = (
        bargauge.Panel()
        .unit(unit)
        .orientation(shapes.VizOrientation.HORIZONTAL)
        .display_mode(shapes.BarGaugeDisplayMode.BASIC)
        .show_unfilled(show_unfilled=True)
        .min(0)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False))
        .thresholds(_thresholds(limits or steps(PLAIN)))
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS))
    )
    if most is not None:
        panel.max(most)
    return _ask(panel.build(), queries)


class Column(NamedTuple):
    """How a column of a table looks.

    Attributes:
        field: as the question calls it; `Time` is the time.
        title: what stands above it.
        unit: of numbers.
        colours: of texts, by value.
        limits: colours of numbers.
        link: where a click leads.
        gauge: numbers are bars.
        width: in pixels; 0: as it fits.
    """

    field: str
    title: str
    unit: str = ""
    colours: Mapping[str, str] | None = None
    limits: Sequence[Step] = ()
    link: str = ""
    gauge: bool = False
    width: int = 0


def rows(query: Query, *columns: Column, largest: str = "", smallest: str = "", most: int = 15) -> Panel:
    """A table.

    Args:
        query: its rows.
        columns: from left to right; fields that are not among them are hidden.
        largest: rows with the largest values of this field come first, and only so many.
        smallest: those with the smallest.
        most: how many these are.
    """
    query.format = "table"
    panel = table.Panel().cell_height(shapes.TableCellHeight.SM).show_header(show_header=True)
    if largest or smallest:
        order = {"field": largest or smallest, "desc": bool(largest)}
        panel.with_transformation(_change("sortBy", fields={}, sort=[order]))
        panel.with_transformation(_change("limit", limitField=most))
    shown = {column.field: column.title for column in columns}
    panel.with_transformation(
        _change("filterFieldsByName", include={"names": list(shown)}),
    )
    panel.with_transformation(
        _change(
            "organize",
            excludeByName={},
            indexByName={field: place for place, field in enumerate(shown)},
            renameByName=shown,
        )
    )
    for column in columns:
        if properties := _style(column):
            panel.override_by_name(column.title, properties)
    return _ask(panel.build(), [query])


def week(query: Query, decimals: int, days: Sequence[str], mean: str, timezone: str) -> Panel:
    """The heat map of a week: a row for each day of the week, a column for each hour, the mean of all weeks in range.

    Grafana has no panel for it; these transformations of a table make it: the time becomes `day=1 hour=08`, is taken
    apart, the rows of each are averaged and laid out as a matrix.

    Args:
        query: an hourly value called `n`.
        decimals: of it.
        days: names of the days, Monday first.
        mean: what a cell shows, for the column of names.
        timezone: IANA name, or browser.
    """
    query.format = "table"
    panel = (
        table.Panel()
        .unit("none")
        .decimals(decimals)
        .cell_height(shapes.TableCellHeight.SM)
        .min_width(34)
        .align(shapes.FieldTextAlignment.CENTER)
        .cell_options(shapes.TableColoredBackgroundCellOptions(mode=shapes.TableCellBackgroundDisplayMode.BASIC))
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.CONTINUOUS_BLUES))
        .min(0)
        .with_transformation(
            _change(
                "formatTime", timeField="Time", outputFormat="[day=]E[ hour=]HH", useTimezone=True, timezone=timezone
            )
        )
        .with_transformation(_change("extractFields", source="Time", format="kvp", replace=False, keepTime=False))
        .with_transformation(
            _change(
                "groupBy",
                fields={
                    "day": {"operation": "groupby", "aggregations": []},
                    "hour": {"operation": "groupby", "aggregations": []},
                    "n": {"operation": "aggregate", "aggregations": ["mean"]},
                },
            )
        )
        .with_transformation(_change("sortBy", fields={}, sort=[{"field": "hour"}]))
        .with_transformation(_change("sortBy", fields={}, sort=[{"field": "day"}]))
        .with_transformation(_change("groupingToMatrix", columnField="hour", rowField="day", valueField="n (mean)"))
        .override_by_name(
            "day\\hour",
            [
                DynamicConfigValue("displayName", mean),
                DynamicConfigValue("custom.width", 90),
                DynamicConfigValue("custom.cellOptions", shapes.TableAutoCellOptions()),
                DynamicConfigValue(
                    "mappings", [_map({str(number): (day, "text") for number, day in enumerate(days, start=1)})]
                ),
            ],
        )
    )
    return _ask(panel.build(), [query])


def _ask(panel: Panel, queries: Sequence[Query]) -> Panel:
    for name, query in zip("ABCDEFGH", queries, strict=False):
        query.name = name
    panel.targets = list(queries)
    return panel


def _change(name: str, **options: object) -> DataTransformerConfig:
    return DataTransformerConfig(id_val=name, options=options)


def _style(column: Column) -> list[DynamicConfigValue]:
    properties: dict[str, object] = {}
    if column.unit:
        properties["unit"] = column.unit
    if column.width:
        properties["custom.width"] = column.width
    if column.colours:
        properties["mappings"] = [_map({value: (value, colour) for value, colour in column.colours.items()})]
        properties["custom.cellOptions"] = {"type": "color-text"}
    if column.limits:
        properties["custom.cellOptions"] = {"type": "color-text"}
        properties["color"] = {"mode": "thresholds"}
        properties["thresholds"] = _thresholds(column.limits).build()
    if column.gauge:
        properties["custom.cellOptions"] = shapes.TableBarGaugeCellOptions(
            mode=shapes.BarGaugeDisplayMode.BASIC, value_display_mode=shapes.BarGaugeValueMode.TEXT
        )
        properties["color"] = {"mode": "fixed", "fixedColor": PLAIN}
        properties["min"] = 0
    if column.link:
        properties["links"] = [{"title": column.title, "url": column.link}]
    return [DynamicConfigValue(name, value) for name, value in properties.items()]


def _map(names: Mapping[str, tuple[str, str]]) -> ValueMap:
    options = {
        value: ValueMappingResult(text=text, color=colour, index=place)
        for place, (value, (text, colour)) in enumerate(names.items())
    }
    mapping = ValueMap(options=options)
    mapping.type_val = MappingType.VALUE_TO_TEXT
    return mapping


def _thresholds(limits: Sequence[Step]) -> dashboard.ThresholdsConfig:
    marks = [Threshold(value=step.above, color=step.colour) for step in limits]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(marks)


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .display_mode(shapes.LegendDisplayMode.LIST)
        .placement(shapes.LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
        .calcs([])
    )


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI).sort(shapes.SortOrder.DESCENDING)
