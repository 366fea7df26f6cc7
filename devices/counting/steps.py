"""Steps: what a cumulative register can do from one row to the next, and what must be known of it to tell."""

from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal[
    "count", "slip", "rollover", "reset", "backwards", "jump", "return", "replacement",
    "spike", "duplicate", "reordered", "late", "unconfirmed",
]  # fmt: skip
"""What a step of a register is:

    count        nothing unusual: the rise is the consumption
    slip         back by no more than a thousandth: nothing, and what it fell is not counted a second time
    rollover     past the register's width, on from zero
    reset        starts again near zero: counted from zero on; what was not reported before is lost
    backwards    back to some other value: nothing, on from there
    jump         up by more than the limit allows: nothing, on from there
    return       back to where it was before a break, which was none: the rise since then, less what was counted since
    replacement  another meter: nothing, on from its first register

or what became of a row that takes no part in it:

    spike        jumped away and came back, or cannot be: negative, or not below the register's width
    duplicate    the same time and value again
    reordered    came too late and was put back in its place: counted, not left out
    late         came too late for that; its neighbours know the sum without it
    unconfirmed  contradicts the row before, and the series ends
"""

LEFT_OUT = frozenset[Kind]({"spike", "duplicate", "reordered", "late", "unconfirmed"})
"""Kinds that are no step of the register."""


class Replacement(NamedTuple):
    """One meter takes the place of another.

    Attributes:
        at_ns: when, UTC; rows from then on are the new meter's.
        final: last register of the one that goes.
        first: first register of the one that comes.
    """

    at_ns: int
    final: float
    first: float


class CounterFacts(NamedTuple):
    """What is known of a register; values in the unit of its rows.

    Attributes:
        rolls_over_at: where it starts again at zero, such as 100000; None where that is not known.
        rate_max_per_h: most that can be counted in an hour: the limit of flow or power; None where there is none.
            It holds over an hour, not from row to row: registers move in lumps and messages are held up.
        interval_ns: how often it reports; None where that is not known, and then there are no gaps.
        replacements: in the order of time.
    """

    rolls_over_at: float | None = None
    rate_max_per_h: float | None = None
    interval_ns: int | None = None
    replacements: tuple[Replacement, ...] = ()


class Step(NamedTuple):
    """From one row of a register to the next, or a row that is no step.

    Attributes:
        kind: see `Kind`.
        begin: time of the row before, UTC ns; of a row that is no step: its own.
        end: time of the row.
        difference: of the register itself; of a row that is no step: from the row that it was compared with.
        amount: consumption, never negative.
        is_gap: longer than the device's interval explains, so when it was consumed is not known.
    """

    kind: Kind
    begin: int
    end: int
    difference: float
    amount: float
    is_gap: bool = False
