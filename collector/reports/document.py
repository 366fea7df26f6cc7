"""A report as data, in one language: what every format shows.

Figures come in, and pages, sheets and lines go out; so no format works anything out, and all say the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from collector.reports.period import Period

Cell: TypeAlias = str | float | datetime | None
"""What stands in a table: a text, a number in the unit of its column, a local time, or None where it is not known."""

ChartKind: TypeAlias = Literal["lines", "bars", "stacked", "heat"]
"""Lines over time; bars side by side; bars on each other; a table of colours, one series a row."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number that matters, and what it is measured against.

    Attributes:
        label: what it is.
        value: None where it is not known.
        unit: such as kWh, m³, %, CNY.
        digits: behind the point.
        before: the period before.
        year_before: the same a year before.
        budget: what it should not exceed.
        less_is_better: whether a rise is bad; None where it is neither.
        note: what must be known to read it rightly, such as "2 % of the time is not known".
    """

    label: str
    value: float | None
    unit: str = ""
    digits: int = 0
    before: float | None = None
    year_before: float | None = None
    budget: float | None = None
    less_is_better: bool | None = None
    note: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        label: its head.
        unit: of its numbers; "" for texts.
        digits: behind the point.
    """

    label: str
    unit: str = ""
    digits: int = 0


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under heads.

    Attributes:
        title: what it shows.
        columns: the heads.
        rows: each as long as there are columns.
        total: a last row that stands out, or none.
        note: beneath it.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    total: Sequence[Cell] | None = None
    note: str = ""


@dataclass(frozen=True)
class Series:
    """One line, or the bars of one colour.

    Attributes:
        label: what it is.
        values: one for each of the chart's places; None leaves a hole.
    """

    label: str
    values: Sequence[float | None]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A picture of numbers.

    Attributes:
        title: what it shows.
        kind: how.
        unit: of all its values.
        places: along the axis: local times, or names.
        series: what is drawn.
        limit: a line across it, such as a budget or a contracted demand; None for none.
        note: beneath it.
    """

    title: str
    kind: ChartKind
    unit: str
    places: Sequence[datetime] | Sequence[str]
    series: Sequence[Series]
    limit: float | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a report: what it says in words, then figures, pictures and tables."""

    heading: str
    paragraphs: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole report.

    Attributes:
        name: energy, water, access, service or carbon.
        title: of its first page.
        site: what people call the site.
        language: en or zh.
        period: that it is about.
        made: when, local time.
        sections: in their order; the first sums up.
        remarks: how good the data are, and how figures were worked out; the last page.
    """

    name: str
    title: str
    site: str
    language: Literal["en", "zh"]
    period: Period
    made: datetime
    sections: Sequence[Section]
    remarks: Sequence[str] = field(default_factory=tuple)
