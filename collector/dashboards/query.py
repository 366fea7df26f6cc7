"""Questions of dashboards in InfluxQL: only what InfluxDB 1.6, 2 and 3 all understand, with Grafana's own macros.

The macros: https://grafana.com/docs/grafana/latest/datasources/influxdb/query-editor/. Variables are written with their
format (`${building:regex}`), so that a value is escaped the same way whichever version of Grafana puts it in.
"""

from collections.abc import Sequence
from typing import Literal

from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

RANGE = "$timeFilter"
"""The time range of the dashboard."""

FINE = "time($__interval)"
"""As fine as the panel is wide."""

DAILY = "time(1d)"

SOURCE = DataSourceRef(type_val="influxdb", uid="${datasource}")

Format = Literal["time_series", "table"]


class Query(Dataquery):
    """One question of a panel, as Grafana's InfluxDB data source takes it.

    Attributes:
        text: InfluxQL.
        legend: the curve's name; `$tag_building` is the value of a tag.
    """

    def __init__(self, text: str, legend: str = "") -> None:
        self.text = text
        self.legend = legend
        self.name = "A"
        self.format: Format = "time_series"

    def to_json(self) -> dict[str, object]:
        """What stands in the dashboard's file; the SDK asks for it."""
        return {
            "refId": self.name,
            "datasource": SOURCE,
            "rawQuery": True,
            "query": self.text,
            "resultFormat": self.format,
            "alias": self.legend,
        }


def ask(
    fields: str,
    source: str,
    *conditions: str,
    by: str = "",
    fill: str = "",
    local: bool = False,
    newest: int = 0,
) -> str:
    """A statement over the time range of the dashboard.

    Args:
        fields: what is selected.
        source: a measurement's name, or another statement in brackets.
        conditions: all of them must hold.
        by: what it is grouped by.
        fill: of empty intervals; left out where intervals are grouped: they are left out.
        local: days begin at midnight of the variable `timezone`.
        newest: only so many rows, the newest first.
    """
    place = source if source.startswith("(") else _quote(source)
    text = f"SELECT {fields} FROM {place} WHERE {_join(conditions)}"  # noqa: S608 - every part is of this package
    if by:
        text += f" GROUP BY {by}"
    if "time(" in by:
        text += f" fill({fill or 'none'})"
    if newest:
        text += f" ORDER BY time DESC LIMIT {newest}"
    return text + (" tz('${timezone:raw}')" if local else "")


def ask_values(measurement: str, tag: str, *conditions: str) -> str:
    """The statement for the values of a tag; InfluxDB 3 looks back a day only where no time is named."""
    return f"SHOW TAG VALUES FROM {_quote(measurement)} WITH KEY = {_quote(tag)} WHERE {_join(conditions)}"


def within(*places: str) -> str:
    """The condition that a row is of the chosen places; all are chosen by `.*`, which holds where a tag is missing."""
    return " AND ".join(f"{_quote(place)} =~ /^${{{place}:regex}}$/" for place in places)


def nest(
    outer: str,
    inner: str,
    source: str,
    *conditions: str,
    step: str = "$__interval",
    each: str,
    by: str = FINE,
    keep: str = "",
    local: bool = False,
) -> str:
    """A statement over steps of each of several things: sums of means, the highest quarter of an hour of a day.

    Args:
        outer: what is selected of the steps; they are called `x`.
        inner: what is selected of the source, without a name.
        source: a measurement's name.
        conditions: all of them must hold.
        step: how long a step is, such as 15m.
        each: tags that tell the things apart.
        by: the intervals of the outer statement; "" for one figure.
        keep: those of the tags that stay apart in the outer statement.
        local: as `ask`.
    """
    steps = ask(f'{inner} AS "x"', source, *conditions, by=f"time({step}), {each}", local=local)
    return ask(outer, f"({steps})", by=", ".join(filter(None, (by, keep))), local=local)


def _join(conditions: Sequence[str]) -> str:
    return " AND ".join([*conditions, RANGE])


def _quote(name: str) -> str:
    return f'"{name}"'
