"""Consumption: what the steps of a register add up to, per interval of time."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from devices.counting.steps import LEFT_OUT, Step


class Consumption(NamedTuple):
    """What was consumed in one interval, in the register's unit.

    Attributes:
        start: first nanosecond of the interval, UTC.
        end: first nanosecond after it.
        amount: what was consumed in the part that is covered, never negative.
        estimated: how much of the amount is known only as a sum over a longer time, and was spread evenly.
        covered_ns: how much of the interval lies between rows of the register; of the rest nothing is known.
    """

    start: int
    end: int
    amount: float
    estimated: float
    covered_ns: int


def spread(steps: Iterable[Step], edges: Sequence[int]) -> list[Consumption]:
    """Cuts the consumption of steps into intervals.

    Within a step consumption is taken as even: one that crosses an edge is divided there, and its parts add up to its
    amount. This is an estimate where the step is a gap, or leaves a whole interval without a row.

    Args:
        steps: of one register.
        edges: where intervals begin and end, UTC ns, ascending: n + 1 edges make n intervals.

    Returns:
        Every interval, also where nothing is known of it.
    """
    size = max(0, len(edges) - 1)
    amounts, estimates, covered = [0.0] * size, [0.0] * size, [0] * size
    for kind, begin, end, _, amount, is_gap in steps:
        if kind in LEFT_OUT:
            continue
        first = bisect_right(edges, begin)
        if 0 < first <= size and end <= edges[first]:  # most steps lie within one interval
            amounts[first - 1] += amount
            covered[first - 1] += end - begin
            continue
        crossed = edges[first : bisect_left(edges, end)]
        is_estimate = len(crossed) > 1 or (is_gap and len(crossed) == 1)
        position, counted = begin, 0.0
        for index, stop in enumerate((*crossed, end), first - 1):
            reached = amount if stop == end else amount * ((stop - begin) / (end - begin))
            if 0 <= index < size:
                amounts[index] += reached - counted
                estimates[index] += reached - counted if is_estimate else 0.0
                covered[index] += stop - position
            position, counted = stop, reached
    return list(map(Consumption, edges, edges[1:], amounts, estimates, covered))
