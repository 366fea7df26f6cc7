"""A report made by hand, with texts that a format must not take for its own, and in both languages."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from collector.reports.document import Chart, Column, Figure, Report, Section, Series, Table
from collector.reports.period import Period
from tickets.titles import Language

ZONE = ZoneInfo("Asia/Shanghai")
NASTY = ("=1+1", "+1", "-2+3", "@SUM(A1)", "<script>alert(1)</script>", 'a "quote", a comma', "=cmd|' /C calc'!A0")
DAYS = [datetime(2026, 10, 1, tzinfo=ZONE) + timedelta(days=number) for number in range(31)]
HOURS = [f"{hour:02}:00" for hour in range(24)]


def make_sample(language: Language = "en") -> Report:
    """Every part that a report may have."""
    is_zh = language == "zh"
    return Report(
        name="energy",
        title="用电报告 2026-10" if is_zh else "Energy report 2026-10",
        site="校园 <b>&" if is_zh else "Campus <b>&",
        language=language,
        period=Period("month", date(2026, 10, 1), date(2026, 11, 1), ZONE),
        made=datetime(2026, 11, 1, 7, 5, tzinfo=ZONE),
        sections=[
            _sum_up(is_zh),
            _detail(is_zh),
            Section(heading="[*/\\?:] " + "long" * 10, paragraphs=["Only words."]),
        ],
        remarks=["How it was worked out.", "@remark"],
    )


def _sum_up(is_zh: bool) -> Section:
    return Section(
        heading="摘要" if is_zh else "Summary",
        paragraphs=["校园共用电 12,346 kWh。" if is_zh else "Campus used 12,346 kWh.", ""],
        figures=[
            Figure(
                label="用电量" if is_zh else "Electricity",
                value=12345.6,
                unit="kWh",
                before=11000,
                year_before=13000,
                budget=12000,
                less_is_better=True,
                note="at least: 98.0 % of the time is known",
            ),
            Figure(label="Off hours", value=23.4, unit="%", digits=1, before=25.0, less_is_better=True),
            Figure(label="Nobody knows", value=None, unit="kW", before=3.0),
            Figure(label="Forced open", value=2, before=0, less_is_better=True),
        ],
    )


def _detail(is_zh: bool) -> Section:
    return Section(
        heading="用量" if is_zh else "Consumption",
        charts=[
            Chart(
                title="逐日用量" if is_zh else "By day",
                kind="bars",
                unit="kWh",
                places=DAYS,
                series=[
                    Series("2026-10", [100.0 + number * 7 % 50 for number in range(31)]),
                    Series("2025-10", [None, *(90.0 + number * 5 % 50 for number in range(30))]),
                ],
                limit=140,
                note="A note of a chart.",
            ),
            Chart(
                title="Usual day",
                kind="lines",
                unit="kW",
                places=HOURS,
                series=[
                    Series("工作日", [hour * 1.5 % 11 for hour in range(24)]),
                    Series("<i>free</i>", [None if hour == 3 else 2.0 for hour in range(24)]),
                ],
            ),
            Chart(
                title="Heat",
                kind="heat",
                unit="kW",
                places=HOURS,
                series=[
                    Series(day, [None if hour == 5 else hour + 0.5 for hour in range(24)]) for day in ("周一", "Tue")
                ],
            ),
            Chart(
                title="Stacked",
                kind="stacked",
                unit="",
                places=["Electricians", "水工班"],
                series=[Series("kept", [3, 4]), Series("broken", [1, None])],
            ),
            Chart(title="Nothing", kind="lines", unit="kW", places=HOURS, series=[]),
        ],
        tables=[
            Table(
                title="By building",
                columns=[Column("Building"), Column("Used", "kWh", 1), Column("When"), Column("Never known", "kWh")],
                rows=[[text, 1234.56, datetime(2026, 10, 5, 14, 30, tzinfo=ZONE), None] for text in NASTY],
                total=["Total", 8641.92, None, None],
                note="Parts add up.",
            ),
            Table(title="=Second", columns=[Column("What"), Column("Count")], rows=[["bell\x07", 3], ["none", None]]),
        ],
    )
