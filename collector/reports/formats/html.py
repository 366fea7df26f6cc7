"""Reports as one page of HTML: nothing else is needed to see it, and nothing in it is run or fetched."""

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from collector.reports.charts import draw_chart, name_places
from collector.reports.document import Cell, Report, Table
from collector.reports.formats import show
from collector.reports.wording import Words, write_number

if TYPE_CHECKING:
    from jinja2 import Template

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Characters that no page may hold, whatever a title says."""


def write_html(report: Report) -> bytes:
    """The page, in UTF-8."""
    say = Words(report.language)
    numbers = iter(range(1, 10_000))
    page = _load_template().render(
        report=report,
        say=say,
        days=show.show_days(report, say),
        draw=lambda chart: draw_chart(chart, next(numbers), say),
    )
    return _CONTROLS.sub("", page).encode()


@cache
def _load_template() -> "Template":
    # It takes a while to load: only who writes a page pays.
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - see above

    environment = Environment(
        loader=PackageLoader("collector.reports", "formats"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        cell=show.show_cell,
        head=show.show_head,
        moment=show.show_moment,
        value=show.show_value,
        comparisons=show.show_comparisons,
        number=write_number,
        columns_of=_find_columns,
        is_number=_is_number,
        name_places=name_places,
        unknown=show.UNKNOWN,
    )
    return environment.get_template("page.html.j2")


def _is_number(table: Table, column: int) -> bool:
    """Whether a column holds numbers, which stand at its right."""
    return any(isinstance(row[column], int | float) for row in _list_rows(table))


def _find_columns(table: Table) -> list[int]:
    """The columns of which anything is known; the others would take room from them."""
    rows = _list_rows(table)
    return [number for number in range(len(table.columns)) if any(row[number] is not None for row in rows)]


def _list_rows(table: Table) -> list[Sequence[Cell]]:
    return [*table.rows, *([] if table.total is None else [table.total])]
