"""The picture of a replay: what devices said, with the alerts shaded."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from collector.backtest.history import History
from collector.backtest.labels import Label
from collector.backtest.replay import Replay
from collector.store import Sample
from devices.durations import NANOSECONDS
from devices.points import POINTS
from rules.alerts import Severity
from rules.outcome import ToldAlert
from rules.site import Site
from tickets.pictures import find_chinese_font

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS_MAX = 8
"""Most series in one picture: those with most alerts."""

_SAMPLES_MAX = 4_000
_COLORS: dict[Severity, str] = {"info": "#7aa6c2", "minor": "#e0b000", "major": "#e07000", "critical": "#c00020"}


class Panel(NamedTuple):
    """One series.

    Attributes:
        device: its id.
        point: of the values.
        samples: oldest first; of a register, by how much it rose in an hour.
        alerts: that its device showed.
        labels: what people know of it.
    """

    device: str
    point: str
    samples: Sequence[Sample]
    alerts: Sequence[ToldAlert]
    labels: Sequence[Label]


def find_panels(replay: Replay, history: History, site: Site, labels: Sequence[Label]) -> list[Panel]:
    """The series that alerts are about, those with most alerts first.

    Raises:
        CollectorError: the history cannot be read.
    """
    shown = Counter(filter(None, (_find_series(alert, site) for alert in replay.alerts)))
    start, stop = replay.span.start, replay.span.stop
    return [
        Panel(
            device,
            point,
            _thin(_find_rates(point, history.series(device, point, start, stop))),
            [alert for alert in replay.alerts if _find_series(alert, site) == (device, point)],
            [label for label in labels if label.device == device],
        )
        for (device, point), _ in shown.most_common(PANELS_MAX)
    ]


def _find_series(alert: ToldAlert, site: Site) -> tuple[str, str] | None:
    """Device and point of the numbers that an alert was told from; None where it is from something else."""
    evidence = alert.transition.evidence
    device, point = evidence.device or alert.transition.subject.id, evidence.point
    if device not in site.devices or point not in POINTS or POINTS[point].type is str:
        return None
    return device, point


def _find_rates(point: str, samples: Sequence[Sample]) -> Sequence[Sample]:
    """Of a register, by how much it rose in each hour, since its own curve shows nothing; a fall is left out."""
    if POINTS[point].kind != "register":
        return samples
    return [
        Sample(after.time, (float(after.value) - float(before.value)) / (after.time - before.time) * NANOSECONDS["h"])
        for before, after in pairwise(samples)
        if after.value >= before.value  # type: ignore[operator] # registers are numbers
    ]


def _thin(samples: Sequence[Sample]) -> list[Sample]:
    """No more than can be seen, with the lowest and the highest of each stretch."""
    size = -(-len(samples) // (_SAMPLES_MAX // 2))
    if size <= 2:  # noqa: PLR2004 - the lowest and the highest are all there is
        return list(samples)
    thinned: list[Sample] = []
    for first in range(0, len(samples), size):
        piece = samples[first : first + size]
        ends = {min(piece, key=lambda sample: sample.value), max(piece, key=lambda sample: sample.value)}
        thinned += sorted(ends)
    return thinned


def draw(panels: Sequence[Panel], replay: Replay, site: Site, path: Path, language: str) -> None:
    """Writes the picture, as SVG or PNG by the file's name.

    Args:
        panels: at least one.
        replay: what would have been.
        site: knows names and its time zone.
        path: of the file.
        language: of names, where a font for it is there.

    Raises:
        OSError: the file cannot be written.
    """
    # matplotlib takes half a second to load: only who draws pays.
    import matplotlib  # noqa: ICN001, PLC0415 - see above; not pyplot, which keeps figures in memory
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - likewise
    from matplotlib.figure import Figure  # noqa: PLC0415 - likewise

    font = find_chinese_font()
    if font is None:
        language = "en"
    families = [*([font] if font else []), "DejaVu Sans"]
    with matplotlib.rc_context({"font.family": families, "axes.unicode_minus": False, "svg.hashsalt": "siteward"}):
        figure = Figure(figsize=(12, 1.2 + 2.2 * len(panels)), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axis, panel in zip(axes, panels, strict=True):
            _draw_panel(axis, panel, replay, site, language if font else "en")
        axes[-1].set_xlim(_moment(replay.span.start, site.zone), _moment(replay.span.stop, site.zone))
        metadata = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(path, dpi=120, metadata=metadata)


def _draw_panel(axis: "Axes", panel: Panel, replay: Replay, site: Site, language: str) -> None:
    zone, stop = site.zone, replay.span.stop
    device, unit = site.devices[panel.device], POINTS[panel.point].unit
    if POINTS[panel.point].kind == "register":
        unit += "/h"
    times = [_moment(sample.time, zone) for sample in panel.samples]
    axis.plot(times, [float(sample.value) for sample in panel.samples], color="#30506a", linewidth=0.8)  # type: ignore[arg-type] # matplotlib takes datetimes
    seen: set[str] = set()
    for alert in panel.alerts:
        told = alert.transition
        end = stop if alert.resolved is None else alert.resolved
        label = "" if told.rule in seen else f"{told.rule} ({told.severity})"
        seen.add(told.rule)
        axis.axvspan(
            _moment(told.since, zone),  # type: ignore[arg-type] # likewise
            _moment(end, zone),  # type: ignore[arg-type] # likewise
            color=_COLORS[told.severity],
            alpha=0.35,
            linewidth=0.8,
            label=label or None,
        )
    for number, mark in enumerate(panel.labels):
        axis.axvspan(
            _moment(mark.start, zone),  # type: ignore[arg-type] # likewise
            _moment(mark.stop, zone),  # type: ignore[arg-type] # likewise
            ymax=0.05,
            color="#202020",
            label=None if number else "label",
        )
    name = device.name.pick(language, device.id) if language == "zh" else device.name.en or device.id
    title = device.id if name == device.id else f"{device.id}  {name}"
    axis.set_title(title, loc="left", fontsize=10)
    axis.set_ylabel(f"{panel.point}" + (f"\n({unit})" if unit else ""), fontsize=8)
    axis.grid(alpha=0.25)
    axis.legend(loc="upper right", fontsize=7, framealpha=0.8)


def _moment(time: int, zone: ZoneInfo) -> datetime:
    """As the site's clocks show it; without a zone, since the axis shows one only."""
    return datetime.fromtimestamp(time / 1_000_000_000, UTC).astimezone(zone).replace(tzinfo=None)
