"""Comparisons: how a figure stands to other periods and to its budget. No format works anything out itself. Pure."""

from typing import Literal, NamedTuple, TypeAlias

from collector.reports.document import Figure

Basis: TypeAlias = Literal["before", "year_before", "budget"]
"""What a figure is measured against; the names are those of its fields."""

_BASES: tuple[Basis, ...] = ("before", "year_before", "budget")
_SHARE = "%"


class Comparison(NamedTuple):
    """A figure against something else.

    Attributes:
        basis: what it is measured against.
        then: its value there, in the figure's unit.
        change: by how much the figure is more: per cent, or percentage points where it is a share itself; None
            where the other is nothing.
        in_points: whether these are percentage points.
        is_worse: whether that is bad; None where it is neither good nor bad.
    """

    basis: Basis
    then: float
    change: float | None
    in_points: bool
    is_worse: bool | None


def compare(figure: Figure) -> list[Comparison]:
    """What is known of a figure beside others; without a value of its own there is nothing to compare."""
    if figure.value is None:
        return []
    found = []
    for basis in _BASES:
        then: float | None = getattr(figure, basis)
        if then is not None:
            in_points = figure.unit == _SHARE
            change = figure.value - then if in_points else find_change(figure.value, then)
            found.append(Comparison(basis, then, change, in_points, _judge(figure, basis, then)))
    return found


def find_change(now: float | None, then: float | None) -> float | None:
    """How much more it is, in per cent; None where that is not known, or the other is nothing."""
    return None if now is None or not then else (now / then - 1) * 100


def _judge(figure: Figure, basis: Basis, then: float) -> bool | None:
    """What people read as the same is neither better nor worse."""
    shown, other = round(figure.value or 0.0, figure.digits), round(then, figure.digits)
    if shown == other:
        return None
    if basis == "budget":
        return shown > other
    return None if figure.less_is_better is None else (shown > other) == figure.less_is_better
