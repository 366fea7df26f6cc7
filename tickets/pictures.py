"""Pictures of evidence: what devices said around an alert, with its limit, when it began, was told and was over."""

from collections.abc import Sequence
from itertools import pairwise
from math import nan
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from devices.durations import NANOSECONDS
from devices.points import POINTS
from devices.register import Text
from rules.alerts import Severity
from rules.localtime import show_time
from rules.site import Site
from tickets.evidence import Evidence, Series
from tickets.queue import File, Member
from tickets.titles import Language

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".png", ".svg")

_CJK = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei")
"""Fonts with Chinese letters, the best first."""

_COLORS: dict[Severity, str] = {"info": "#7aa6c2", "minor": "#e0b000", "major": "#e07000", "critical": "#c00020"}
_LINE, _MARK, _LIMIT, _GOOD = "#30506a", "#404040", "#c00020", "#208040"
_HEADROOM = 0.22
"""Of a panel's height, where the legend has its place."""

_BAD_EVENTS = {"denied", "forced_open", "held_open", "tamper", "lock_fault", "passback", "duress", "emergency_release"}

_DAY_NS = NANOSECONDS["d"]
_QUARTER = 15 * NANOSECONDS["m"]
_STEPS = 300
"""Of a register's consumption over the whole picture, at most."""
_GAP_INTERVALS = 5
_GAP_SHARE = 50
"""A gap is so many usual intervals, and such a part of the picture, long."""

_MARGIN = 60
"""Part of a picture that is left empty on its right."""
_ZOOM, _AROUND = 8, 5 * NANOSECONDS["m"]
"""An alert that is shorter than such a part of the picture is shown once more, larger, with so much around it."""

_RATES = {"kWh": "kW", "m³": "m³/h"}
_NOTES: dict[str, Text] = {
    "limit": Text(en="limit", zh="限值"),
    "usual": Text(en="usual", zh="通常值"),
    "since": Text(en="began", zh="开始"),
    "opened": Text(en="ticket opened", zh="建单"),
    "over": Text(en="over", zh="恢复"),
    "alert": Text(en="alert", zh="告警"),
    "time": Text(en="local time, {zone}", zh="当地时间 {zone}"),
    "none": Text(en="nothing was heard in this time", zh="此间无数据"),
    "no": Text(en="no", zh="否"),
    "yes": Text(en="yes", zh="是"),
}


class _Sheet(NamedTuple):
    """What all panels of a picture share."""

    file: File
    site: Site
    language: Language
    begins_at: int
    ends_at: int

    def say(self, note: str) -> str:
        return _NOTES[note].pick(self.language)


def draw_ticket(file: File, evidence: Evidence, site: Site, path: Path, language: Language) -> None:
    """Writes the picture of a ticket's evidence.

    Args:
        file: the ticket with its alerts.
        evidence: what is kept with it.
        site: knows names and the time zone.
        path: of the file; its name ends with one of `FORMATS`.
        language: of the words, where a font for it is there, else English.

    Raises:
        OSError: the file cannot be written.
    """
    # matplotlib takes half a second to load: only who draws pays.
    import matplotlib  # noqa: ICN001, PLC0415 - see above; not pyplot, which keeps figures in memory
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - likewise
    from matplotlib.figure import Figure  # noqa: PLC0415 - likewise

    font = find_chinese_font()
    sheet = _Sheet(file, site, language if font else "en", evidence.begins_at, evidence.ends_at)
    panels = [series for series in evidence.series if series.point != "reason"]
    families = [*([font] if font else []), "DejaVu Sans"]
    with matplotlib.rc_context({"font.family": families, "axes.unicode_minus": False, "svg.hashsalt": "siteward"}):
        figure = Figure(figsize=(12, 1.6 + 2.3 * max(1, len(panels))), layout="constrained")
        FigureCanvasAgg(figure)
        spans = find_spans(evidence, file.members)
        figure.supxlabel(sheet.say("time").format(zone=site.zone.key), fontsize=8)
        grid = figure.subplots(
            max(1, len(panels)), len(spans), sharex="col", squeeze=False, width_ratios=[3, 1][: len(spans)]
        )
        for column, span in enumerate(spans):
            axes: list[Axes] = list(grid[:, column])
            for axis, series in zip(axes, panels, strict=False):
                _draw_panel(axis, series, evidence, sheet, is_first=axis is axes[0])
                if column:
                    _leave_words(axis, grid[axes.index(axis), 0])
            if not panels:
                axes[0].text(0.5, 0.5, sheet.say("none"), ha="center", va="center", transform=axes[0].transAxes)
                axes[0].set_yticks([])
            _draw_times(axes, span, sheet, ticks_max=4 if column else 10)
        ticket = file.ticket
        title = ticket.title if font or ticket.title.isascii() else f"{ticket.rule}: {ticket.subject_id}"
        figure.suptitle(f"{ticket.number}  {title}", x=0.01, ha="left", fontsize=13)
        figure.savefig(path, dpi=120, metadata={"Date": None} if path.suffix == ".svg" else None)


def find_spans(evidence: Evidence, members: Sequence[Member]) -> list[tuple[int, int]]:
    """What the columns of the picture show: all of the time, and beside it, where the alert is but a part, the alert.

    Args:
        evidence: of the ticket.
        members: its alerts.

    Returns:
        First and last nanosecond (UTC) of each.
    """
    begin, end = evidence.begins_at, evidence.ends_at
    spans = [(begin, end + (end - begin) // _MARGIN)]
    times = [min(member.since, end) for member in members if not member.affected]
    overs = [
        end if member.cleared_at is None else min(member.cleared_at, end) for member in members if not member.affected
    ]
    if times and (max(overs) - min(times)) * _ZOOM < end - begin:
        around = max(_AROUND, (max(overs) - min(times)) // 2)
        spans.append((min(times) - around, max(overs) + around))
    return spans


# ── panels ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _draw_panel(axis: "Axes", series: Series, evidence: Evidence, sheet: _Sheet, *, is_first: bool) -> None:
    members = [member for member in sheet.file.members if _device_of(member) == series.device and not member.affected]
    point = POINTS[series.point]
    unit = _RATES.get(point.unit, point.unit) if point.kind == "register" else point.unit
    if point.type is str:
        _draw_words(axis, series, evidence, is_lasting=point.kind == "state")
    elif point.type is bool:
        times, states = [*series.times, sheet.ends_at], [*series.values, series.values[-1]]
        axis.plot(_days(times), states, color=_LINE, drawstyle="steps-post", linewidth=1.2)
        axis.set_yticks([0, 1], [sheet.say("no"), sheet.say("yes")])
        axis.set_ylim(-0.2, 1.2)
    elif point.kind == "register":
        axis.plot(*_place(*find_rates(series, evidence)), color=_LINE, drawstyle="steps-pre", linewidth=1.0)
    else:
        axis.plot(*_place(*break_gaps(series, evidence)), color=_LINE, linewidth=0.9)
    _draw_alerts(axis, members, sheet, is_named=is_first)
    if point.type is float:
        _draw_limits(axis, members, series.point, unit, sheet)
    _name_panel(axis, series, unit, sheet)


def _name_panel(axis: "Axes", series: Series, unit: str, sheet: _Sheet) -> None:
    device = sheet.site.devices.get(series.device)
    name = device.name.pick(sheet.language, device.id) if device else series.device
    name = name if sheet.language == "zh" or name.isascii() else series.device
    axis.set_title(name if name == series.device else f"{name}  ({series.device})", loc="left", fontsize=10)
    axis.set_ylabel(series.point + (f"\n({unit})" if unit else ""), fontsize=8)
    axis.grid(alpha=0.25)
    axis.set_axisbelow(True)
    handles, labels = axis.get_legend_handles_labels()
    if handles:
        low, high = axis.get_ylim()
        axis.set_ylim(low, high + _HEADROOM * (high - low))
        axis.legend(handles, labels, loc="upper left", fontsize=7, framealpha=0.85, ncols=len(labels))


def _leave_words(axis: "Axes", beside: "Axes") -> None:
    """A panel that shows the same as the one beside it, larger, needs no words of its own."""
    axis.set_title("", loc="left")
    axis.set_ylabel("")
    axis.set_ylim(beside.get_ylim())
    axis.tick_params(labelleft=False)
    legend = axis.get_legend()
    if legend is not None:
        legend.remove()


def _draw_words(axis: "Axes", series: Series, evidence: Evidence, *, is_lasting: bool) -> None:
    """A timeline: a row for each word, and for each reason that an event gave; a state lasts until the next."""
    reasons = {
        time: value
        for other in evidence.series
        if (other.device, other.point) == (series.device, "reason") and series.point == "event"
        for time, value in other.samples()
    }
    rows: dict[str, list[tuple[float, float]]] = {}
    bad: set[str] = set()
    for (time, value), end in zip(series.samples(), [*series.times[1:], evidence.ends_at], strict=True):
        row = f"{value}: {reasons[time]}" if time in reasons else str(value)
        rows.setdefault(row, []).append((_day(time), _day(end - time)))
        if value in _BAD_EVENTS:
            bad.add(row)
    order = sorted(rows, key=lambda row: (row in bad, len(rows[row])))
    for height, row in enumerate(order):
        color = _LIMIT if row in bad else _LINE
        if is_lasting:
            axis.broken_barh(rows[row], (height - 0.3, 0.6), color=color, alpha=0.7)
        else:
            axis.vlines([begin for begin, _ in rows[row]], height - 0.32, height + 0.32, color=color, linewidth=1.4)
    names = order if is_lasting else [f"{row}  ({len(rows[row])})" for row in order]
    axis.set_yticks(range(len(order)), names, fontsize=8)
    axis.set_ylim(-0.6, len(order) - 0.4)


def _draw_alerts(axis: "Axes", members: Sequence[Member], sheet: _Sheet, *, is_named: bool) -> None:
    """When each began and was over; the legend names the first."""
    zone, opened = sheet.site.zone, sheet.file.ticket.opened_at

    def name(note: str, text: str, number: int = 0) -> str:
        return f"{sheet.say(note)} {text}" if is_named and number == 0 else ""

    for number, member in enumerate(members):
        color, since = _COLORS[member.severity], member.since  # type: ignore[index] # a severity
        over = max(since, sheet.ends_at if member.cleared_at is None else member.cleared_at)
        axis.axvspan(
            _day(since), _day(over), color=color, alpha=0.18, linewidth=0, label=name("alert", member.rule, number)
        )
        axis.axvline(_day(since), color=color, linewidth=1.2, label=name("since", _clock(since, zone), number))
        if member.cleared_at is not None:
            axis.axvline(_day(over), color=_GOOD, linewidth=1.2, label=name("over", _clock(over, zone), number))
    label = name("opened", _clock(opened, zone))
    axis.axvline(_day(opened), color=_MARK, linewidth=1.0, linestyle=":", label=label)


def _draw_limits(axis: "Axes", members: Sequence[Member], point: str, unit: str, sheet: _Sheet) -> None:
    """What the value was compared with, where that is in the panel's unit."""
    for member in members:
        evidence = member.evidence
        if evidence.get("point") != point or evidence.get("unit", "") != unit or "from" in evidence.get("details", {}):
            continue  # another thing than the curve shows, such as a change
        lines = {"limit": evidence.get("limit"), "usual": evidence.get("details", {}).get("usual")}
        for note, value in lines.items():
            if value is not None:
                label = f"{sheet.say(note)} {value:.4g} {unit}"
                color = _LIMIT if note == "limit" else _GOOD
                axis.axhline(value, color=color, linewidth=1.0, linestyle="--", label=label)
        return


# ── times and values ─────────────────────────────────────────────────────────────────────────────────────────────────


def _draw_times(axes: "Sequence[Axes]", span: tuple[int, int], sheet: _Sheet, ticks_max: int) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415 - see `draw_ticket`

    zone = sheet.site.zone
    locator = AutoDateLocator(tz=zone, minticks=2, maxticks=ticks_max)  # type: ignore[no-untyped-call] # no types
    for axis in axes:
        axis.xaxis.set_major_locator(locator)
        axis.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))  # type: ignore[no-untyped-call] # likewise
    axes[-1].set_xlim(_day(span[0]), _day(span[1]))


def find_rates(series: Series, evidence: Evidence) -> tuple[list[int], list[float]]:
    """What a register counted, as kW or m³/h, over stretches of a quarter of an hour, or longer in a long time.

    Args:
        series: of a register.
        evidence: that it belongs to.

    Returns:
        Ends of the stretches (UTC ns), and the mean rate of each; NaN for the first, and where the register went back.
    """
    width = max(_QUARTER, (evidence.ends_at - evidence.begins_at) // _STEPS)
    last = {time // width: (time, float(value)) for time, value in series.samples()}
    points = list(last.values())
    times, rates = [time for time, _ in points], [nan for _ in points[:1]]
    for (begin, before), (end, after) in pairwise(points):
        rates.append((after - before) * NANOSECONDS["h"] / (end - begin) if after >= before else nan)
    return times, rates


def break_gaps(series: Series, evidence: Evidence) -> tuple[list[int], list[float]]:
    """Times (UTC ns) and values, with NaN where the device said nothing for long."""
    steps = [after - before for before, after in pairwise(series.times)]
    least = (evidence.ends_at - evidence.begins_at) / _GAP_SHARE
    gap = max(_GAP_INTERVALS * median(steps), least) if steps else least
    times: list[int] = []
    values: list[float] = []
    for time, value in series.samples():
        if times and time - times[-1] > gap:
            times.append(time)
            values.append(nan)
        times.append(time)
        values.append(float(value))
    return times, values


def _place(times: Sequence[int], values: list[float]) -> tuple[list[float], list[float]]:
    return _days(times), values


def _day(time: int) -> float:
    """Days since 1970, as matplotlib counts them."""
    return time / _DAY_NS


def _days(times: Sequence[int]) -> list[float]:
    return [_day(time) for time in times]


def _clock(time: int, zone: ZoneInfo) -> str:
    return f"{show_time(time, zone):%m-%d %H:%M}"


def _device_of(member: Member) -> str:
    return member.evidence.get("device") or member.subject_id


def find_chinese_font() -> str | None:
    """The name of a font on this machine that has Chinese characters; None where there is none."""
    from matplotlib.font_manager import fontManager  # noqa: PLC0415 - only who draws pays

    known = {font.name for font in fontManager.ttflist}
    return next((name for name in _CJK if name in known), None)
