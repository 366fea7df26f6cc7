"""The table of what arrives: buildings, incidents and the newest readings, fitted to the terminal."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from collector.simulation.incidents import Incident, is_main
from devices.durations import NANOSECONDS, format_duration
from devices.points import POINTS
from devices.reading import Value
from devices.register import Device
from tickets.priority import PRIORITIES
from tickets.wording import STATES

_SECOND = NANOSECONDS["s"]
_FRESH = 60 * _SECOND
"""An incident stays marked this long, also one that is over at once."""
_AHEAD = 300 * _SECOND
"""How long before it begins an incident is announced."""
_SILENT = 90 * _SECOND
_WINDOW = 10
"""Rates are over as many calls."""

_SHOWN: Mapping[str, Sequence[str]] = {
    "electricity_meter": ("power_kw", "energy_import_kwh", "voltage_l1_v"),
    "water_meter": ("flow_m3_per_h", "volume_m3", "pressure_bar"),
    "door": ("event", "direction", "reason", "credential"),
    "gateway": ("rssi_dbm", "uptime_s"),
    "sensor": ("temperature_c", "humidity_percent"),
}

_Said: TypeAlias = tuple[Device, Mapping[str, Any]]


class LiveView:
    """Turns the daemon's `live()` into what a terminal shows.

    Args:
        title: stands at the head.
        address: the daemon's own HTTP address.
        devices: the register's.
        incidents: of the simulation; those that are going on are marked.
        zone: of the times shown.
        language: of the incidents' texts, en or zh.
    """

    def __init__(
        self,
        title: str,
        address: str,
        devices: Iterable[Device],
        incidents: Sequence[Incident],
        *,
        zone: ZoneInfo,
        language: str = "en",
    ) -> None:
        self._title = title
        self._address = address
        self._devices = {device.id: device for device in devices}
        self._incidents = incidents
        self._zone = zone
        self._language = language
        self._told: set[str] = set()
        self._samples: deque[tuple[int, int]] = deque(maxlen=_WINDOW)

    def summarize(self, live: Mapping[str, Any], now: int) -> str:
        """One line: the rate over the last calls, what is stored, what waits, what was refused."""
        counts, journal = live["counts"], live["journal"]
        self._samples.append((now, counts["messages"]))
        (began, before), (ended, after) = self._samples[0], self._samples[-1]
        rate = (after - before) / max(1.0, (ended - began) / _SECOND)
        return (
            f"{rate:.1f} messages/s · "
            f"{journal['store']:,} stored · "
            f"{journal['head'] - journal['store']:,} waiting · "
            f"{counts['late']:,} late · "
            f"{counts['quarantined']:,} in quarantine"
        )

    def tell_tickets(self, live: Mapping[str, Any]) -> Iterator[str]:
        """A line for each ticket that was not told yet."""
        for ticket in sorted(live["tickets"], key=lambda ticket: str(ticket["number"])):
            if ticket["number"] not in self._told:
                self._told.add(ticket["number"])
                yield f"{ticket['number']}  {PRIORITIES[ticket['priority'] - 1]}  {ticket['title']}"

    def tell_time(self, time: int) -> str:
        """The site's time of day."""
        return f"{datetime.fromtimestamp(time // _SECOND, UTC).astimezone(self._zone):%H:%M:%S}"

    def render(self, live: Mapping[str, Any], now: int, height: int) -> RenderableType:
        """Everything, in at most `height` lines where the head alone fits.

        Args:
            live: what the daemon says.
            now: UTC nanoseconds.
            height: lines of the terminal.
        """
        known: Mapping[str, Mapping[str, Any]] = live["devices"]
        head = _make_table(("", "left"), ("", "right"), header=False)
        head.add_row(Text(self._title, style="bold"), Text(self._address, style="cyan"))
        problems = [Text(f"✗ {problem}", style="bold red", no_wrap=True) for problem in live["problems"]]
        buildings, incidents = self._show_buildings(known, now), self._show_incidents(now)
        above: list[RenderableType] = [head, Text(self.summarize(live, now), no_wrap=True), *problems, ""]
        above += [buildings, ""]
        lines = 6 + len(problems) + buildings.row_count
        if incidents.row_count:
            above += [incidents, ""]
            lines += 2 + incidents.row_count
        tickets = self._show_tickets(live["tickets"], now, max(3, (height - lines) // 2))
        if tickets.row_count:
            above += [tickets, ""]
            lines += 2 + tickets.row_count
        return Group(*above, self._show_newest(known, now, max(1, height - lines)))

    def _show_buildings(self, known: Mapping[str, Mapping[str, Any]], now: int) -> Table:
        table = _make_table(
            ("Building", "left"),
            ("Electricity", "right"),
            ("Water", "right"),
            ("Last at a door", "left"),
            ("Gateway", "left"),
            wide="Last at a door",
        )
        for building in dict.fromkeys(device.building for device in self._devices.values()):
            inside = [
                (device, known[device.id])
                for device in self._devices.values()
                if device.building == building and device.id in known
            ]
            table.add_row(
                Text(building or "-"),
                _add_up(inside, "electricity_meter", "power_kw"),
                _add_up(inside, "water_meter", "flow_m3_per_h"),
                _show_last_event(inside, now),
                _show_gateways(inside, now),
            )
        return table

    def _show_incidents(self, now: int) -> Table:
        """What is going on, was lately and comes next."""
        table = _make_table(("Incident", "left"), ("Where", "left"), ("", "right"), wide="Incident")
        lately = [each for each in self._incidents if each.begin < now + _AHEAD and now < each.end + _FRESH]
        for incident in lately:
            if now < incident.begin:
                words, style = f"in {_show_age(incident.begin - now)}", "dim"
            elif _is_on(incident, now):
                words, style = "now", "bold red"
            else:
                words, style = "over", "yellow"
            table.add_row(incident.text.pick(self._language), incident.subject, words, style=style)
        return table

    def _show_tickets(self, tickets: Sequence[Mapping[str, Any]], now: int, count: int) -> Table:
        """The open tickets, the newest first."""
        table = _make_table(
            ("Ticket", "left"), ("", "left"), ("What", "left"), ("State", "left"), ("Age", "right"), wide="What"
        )
        for ticket in sorted(tickets, key=lambda ticket: -int(ticket["opened"]))[:count]:
            more = f" (+{ticket['alerts'] - 1})" if ticket["alerts"] > 1 else ""
            over = ticket["state"] == "resolved"
            table.add_row(
                ticket["number"],
                PRIORITIES[ticket["priority"] - 1],
                Text(f"{ticket['title']}{more}"),
                STATES[ticket["state"]].pick(self._language),
                _show_age(now - ticket["opened"]),
                style="green" if over else "yellow",
            )
        return table

    def _show_newest(self, known: Mapping[str, Mapping[str, Any]], now: int, count: int) -> Table:
        """The newest reading of each device, those with an incident first."""
        marked = {incident.subject for incident in self._incidents if _is_on(incident, now)}
        table = _make_table(
            ("Time", "left"), ("Device", "left"), ("Place", "left"), ("Says", "left"), ("Age", "right"), wide="Says"
        )
        order = sorted(
            (device for device in self._devices.values() if device.id in known),
            key=lambda device: (device.id in marked, known[device.id]["time"]),
            reverse=True,
        )
        for device in order[:count]:
            said = known[device.id]
            table.add_row(
                self.tell_time(said["time"]),
                device.id,
                Text(" ".join(part for part in (device.building, device.floor, device.area) if part)),
                ", ".join(
                    _show_value(point, said["values"][point])
                    for point in _SHOWN.get(device.kind, ())
                    if point in said["values"]
                ),
                _show_age(now - said["time"]),
                style="bold red" if device.id in marked else "",
            )
        return table


def _make_table(*columns: tuple[str, Literal["left", "right"]], wide: str = "", header: bool = True) -> Table:
    """A table as wide as the terminal; the column named `wide` takes what the others leave."""
    table = Table(box=None, expand=True, show_header=header, header_style="bold reverse", pad_edge=False)
    for name, justify in columns:
        table.add_column(name, justify=justify, no_wrap=True, ratio=1 if wide and name == wide else None)
    return table


def _is_on(incident: Incident, now: int) -> bool:
    """Whether it is going on, or has begun just now and is over at once."""
    return incident.begin <= now < max(incident.end, incident.begin + _FRESH)


def _add_up(inside: Sequence[_Said], kind: str, point: str) -> str:
    """What main meters say; where there is none, all meters together."""
    meters = [
        (device, said["values"][point]) for device, said in inside if device.kind == kind and point in said["values"]
    ]
    mains = [(device, value) for device, value in meters if is_main(device)] or meters
    return f"{sum(value for _, value in mains):,.1f} {POINTS[point].unit}" if mains else "-"


def _show_last_event(inside: Sequence[_Said], now: int) -> str:
    doors = [said for device, said in inside if device.kind == "door" and "event" in said["values"]]
    if not doors:
        return "-"
    last = max(doors, key=lambda said: said["time"])
    return f"{last['values']['event']} {_show_age(now - last['time'])} ago"


def _show_gateways(inside: Sequence[_Said], now: int) -> Text:
    shown = Text()
    for device, said in inside:
        if device.kind == "gateway":
            silent = now - said["time"] > _SILENT
            words = f"silent {_show_age(now - said['time'])}" if silent else f"{said['values']['rssi_dbm']:.0f} dBm"
            shown.append(words + " ", style="bold red" if silent else "green")
    return shown or Text("-")


def _show_age(nanoseconds: int) -> str:
    return format_duration(max(0, nanoseconds) // _SECOND * _SECOND)


def _show_value(point: str, value: Value) -> str:
    if point == "uptime_s" and isinstance(value, float):
        return f"up {_show_age(round(value) * _SECOND)}"
    if point == "credential":
        return str(value)[:8]
    if isinstance(value, float):
        return f"{value:,.6g} {POINTS[point].unit}".rstrip()
    return str(value)
