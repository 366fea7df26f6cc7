"""The access report: passages, refusals, doors forced or held open, busy hours; nobody is named."""

from collections.abc import Iterator
from typing import NamedTuple

from collector.reports.context import Context
from collector.reports.document import Figure, Report, Section
from collector.reports.doorcounts import FEW, HELD_OPEN, POINTS, SITE, DoorCounts
from collector.reports.period import Period
from collector.reports.sections.doors import describe_doors, describe_people, describe_refusals
from collector.reports.sections.parts import bind
from collector.reports.wording import Words, write_number
from collector.rollups.occupancy import read_events
from devices.durations import NANOSECONDS
from rules.localtime import show_time
from rules.occupancy import STAY

_WEEK, _DAY = NANOSECONDS["w"], NANOSECONDS["d"]
_HOUR, _MINUTE = NANOSECONDS["h"], NANOSECONDS["m"]
_PARTS = 3


class _Counted(NamedTuple):
    """The period, and the others where they may be compared with it."""

    now: DoorCounts
    before: DoorCounts | None
    year_before: DoorCounts | None


def make_access(context: Context, period: Period) -> Report:
    """Makes the access report.

    Raises:
        StoreError: the database does not answer.
        DatabaseError: the desk cannot be read.
    """
    say = Words(context.language)
    counted = _count_periods(context, period)
    remarks = [
        say("access.remark.privacy", few=FEW),
        say("access.remark.held", minutes=HELD_OPEN // _MINUTE),
        say("access.remark.people"),
        say("access.remark.compare"),
    ]
    if period.end > context.now:
        remarks.append(say("remark.not_over", time=_write_time(context, context.now)))
    if period.start < context.rows.raw_from:
        remarks.append(say("access.remark.kept", time=_write_time(context, context.rows.raw_from)))
    sections = [_sum_up(context, period, counted, say)]
    if not counted.now.is_empty:
        sections += [
            describe_people(context, period, counted.now, say),
            describe_refusals(counted.now, period, say),
            describe_doors(context, period, counted.now, say),
        ]
    return bind("access", context, period, sections, remarks)


def _count_periods(context: Context, period: Period) -> _Counted:
    found: list[DoorCounts | None] = []
    compares = period.end <= context.now and _has_begun(context, period)
    for number, each in enumerate((period, period.before(), period.year_before())):
        fits = number == 0 or (compares and _has_begun(context, each))
        found.append(_count(context, each, number) if fits else None)
    now, before, year_before = found
    assert now is not None  # noqa: S101 - the period itself is always counted
    return _Counted(now, before, year_before)


def _count(context: Context, period: Period, part: int) -> DoorCounts:
    counts = DoorCounts(context.site, context.zone, context.working, period.start)
    days = list(_cut(max(0, period.start - STAY), min(period.end, context.now)))
    for number, (start, end) in enumerate(days, 1):
        counts.take(read_events(context.store, list(counts.doors), POINTS, start, end))
        context.progress((part + number / len(days)) / _PARTS)
    counts.end()
    return counts


def _has_begun(context: Context, period: Period) -> bool:
    """Whether doors were heard before a period, and what they told in it is kept whole."""
    if period.start < context.rows.raw_from:
        return False
    doors = [device.id for device in context.site.devices.values() if device.kind == "door"]
    week = max(0, period.start - _WEEK)
    return bool(context.store.series(doors, "event", week, period.start, interval="1d", aggregate="count"))


def _cut(start: int, end: int) -> Iterator[tuple[int, int]]:
    """In days: so much is held at once."""
    for first in range(start, end, _DAY):
        yield first, min(first + _DAY, end)


def _sum_up(context: Context, period: Period, counted: _Counted, say: Words) -> Section:
    now = counted.now
    if not now.doors:
        return Section(heading=say("heading.summary"), paragraphs=[say("access.say_no_doors")])
    if now.is_empty:
        return Section(heading=say("heading.summary"), paragraphs=[say("access.say_nothing", period=period)])
    held_h = write_number(sum(door.held_ns for door in now.doors.values()) / _HOUR, 1)
    facts = {
        "site": context.site_name,
        "period": period,
        "doors": write_number(len(now.doors)),
        "forced": write_number(sum(door.forced for door in now.doors.values())),
        "held": write_number(sum(door.held for door in now.doors.values())),
        "hours": held_h,
    }
    told = [
        say("access.say_few", few=FEW)
        if now.passages.told is None
        else say("access.say", passages=write_number(now.passages.told), **facts)
    ]
    if now.denied.told is not None:
        told.append(say("access.say_refused", denied=write_number(now.denied.told)))
    told.append(say("access.say_doors", **facts))
    return Section(
        heading=say("heading.summary"),
        paragraphs=[say.tell(told)],
        figures=_list_figures(context, counted, say),
    )


def _list_figures(context: Context, counted: _Counted, say: Words) -> list[Figure]:
    others = (counted.before, counted.year_before)
    values = _find_values(counted.now)
    then = [None if other is None else _find_values(other) for other in others]
    peak_at = counted.now.places[SITE].peak_at
    made = []
    for key, (unit, digits, less_is_better) in _FIGURES.items():
        if key.startswith("access.off_hours") and context.working is None:
            continue
        before, year_before = (None if other is None else other[key] for other in then)
        note = say("access.not_told", few=FEW) if values[key] is None else ""
        if key == "access.peak" and peak_at is not None and (values[key] or 0) >= FEW:
            note = say("access.at", time=_write_time(context, peak_at))
        made.append(
            Figure(
                label=say(key),
                value=values[key],
                unit=unit,
                digits=digits,
                before=before,
                year_before=year_before,
                less_is_better=less_is_better,
                note=note,
            )
        )
    return made


_FIGURES: dict[str, tuple[str, int, bool | None]] = {
    "access.entries": ("", 0, None),
    "access.passages": ("", 0, None),
    "access.credentials": ("", 0, None),
    "access.peak": ("", 0, None),
    "access.off_hours": ("", 0, None),
    "access.denied": ("", 0, True),
    "access.denied_share": ("%", 1, True),
    "access.forced": ("", 0, True),
    "access.held": ("", 0, True),
    "access.held_hours": ("h", 1, True),
}
"""Unit, digits, and whether less is better."""


def _find_values(counts: DoorCounts) -> dict[str, float | None]:
    """Each of the figures; None where it is not told."""
    site, doors = counts.places[SITE], counts.doors.values()
    passages, denied, people = counts.passages.told, counts.denied.told, len(counts.credentials)
    tries = None if passages is None or denied is None else passages + denied
    is_few = counts.passages.is_few
    return {
        "access.entries": site.entries.told,
        "access.passages": passages,
        "access.credentials": None if 0 < people < FEW else people,
        "access.peak": None if is_few else site.peak,
        "access.off_hours": counts.off_hours.told,
        "access.denied": denied,
        "access.denied_share": denied / tries * 100 if denied is not None and tries else None,
        "access.forced": sum(door.forced for door in doors),
        "access.held": sum(door.held for door in doors),
        "access.held_hours": sum(door.held_ns for door in doors) / _HOUR,
    }


def _write_time(context: Context, moment: int) -> str:
    return f"{show_time(moment, context.zone):%Y-%m-%d %H:%M}"
