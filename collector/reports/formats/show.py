"""How numbers, times and comparisons are written for people who read a report."""

from datetime import datetime, timedelta

from collector.reports.comparison import Comparison, compare
from collector.reports.document import Cell, Column, Figure, Report
from collector.reports.wording import Words, write_number

UNKNOWN = "–"


def show_cell(cell: Cell, column: Column) -> str:
    """A cell of a table; what is not known is a dash."""
    if cell is None:
        return UNKNOWN
    if isinstance(cell, datetime):
        return show_moment(cell)
    return cell if isinstance(cell, str) else write_number(cell, column.digits)


def show_moment(moment: datetime) -> str:
    """Local time to the minute; of a midnight the day alone, for it is a day that is meant."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment.hour or moment.minute else f"{moment:%Y-%m-%d}"


def show_head(column: Column) -> str:
    """The head of a column, with its unit."""
    return f"{column.label} ({column.unit})" if column.unit else column.label


def show_value(figure: Figure) -> str:
    """The number of a figure, without its unit."""
    return UNKNOWN if figure.value is None else write_number(figure.value, figure.digits)


def show_days(report: Report, say: Words) -> str:
    """First and last day of the period."""
    first, last = report.period.first, report.period.after - timedelta(days=1)
    return str(first) if first == last else say("format.days", first=first, last=last)


def show_change(comparison: Comparison, say: Words) -> str:
    """`+12.3 %`, `−1.4 points`; how much it is where there is no such number."""
    if comparison.change is None:
        return UNKNOWN
    sign = "−" if comparison.change < 0 else "+"
    size = write_number(abs(comparison.change), 1)
    if not float(size.replace(",", "")):
        return say("format.same")
    return f"{sign}{size} {say('format.points') if comparison.in_points else '%'}"


def show_comparisons(figure: Figure, say: Words) -> list[tuple[str, bool | None]]:
    """What a figure stands against, in words, and whether that is worse."""
    found = []
    for each in compare(figure):
        then = write_number(each.then, figure.digits)
        if each.change is None:  # nothing is how much it was
            told = say(f"format.beside.{each.basis}", then=then)
        else:
            told = say(f"format.against.{each.basis}", change=show_change(each, say), then=then)
        found.append((told, each.is_worse))
    return found
