"""What people call a period, in both languages: October 2026, 2026年10月."""

from collections.abc import Mapping
from datetime import timedelta

from collector.reports.period import Length, Period
from devices.register import Text
from tickets.titles import Language

_NAMES: Mapping[Length, Text] = {
    "day": Text(en="{first}", zh="{first.year}年{first.month}月{first.day}日"),
    "week": Text(en="week {week.week} of {week.year}", zh="{week.year}年第{week.week}周"),
    "month": Text(en="{first:%B} {first.year}", zh="{first.year}年{first.month}月"),
    "quarter": Text(en="Q{quarter} {first.year}", zh="{first.year}年第{quarter}季度"),
    "year": Text(en="{first.year}", zh="{first.year}年"),
    "days": Text(en="{first} to {last}", zh="{first} 至 {last}"),
}


def name_period(period: Period, language: Language) -> str:
    """What people call it; `str` of it is how they write it on a command line."""
    first = period.first
    return (
        _NAMES[period.length]
        .pick(language)
        .format(
            first=first,
            last=period.after - timedelta(days=1),
            week=first.isocalendar(),
            quarter=(first.month + 2) // 3,
        )
    )
