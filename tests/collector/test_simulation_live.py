"""The table of what arrives: what it says, and that it fits the terminal."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from collector.commands.live import LiveView
from collector.simulation.incidents import Incident
from devices.register import Device, Register, Text

SECOND = 1_000_000_000
NOW = 1_795_332_000 * SECOND  # 15:20:00 in Shanghai
REGISTER = Register(
    tags=["circuit"],
    devices=[
        Device(id="gw-a", kind="gateway", building="A"),
        Device(id="em-main", kind="electricity_meter", building="A", floor="B1", tags={"circuit": "main"}),
        Device(id="em-hvac", kind="electricity_meter", building="A", floor="2F", tags={"circuit": "hvac"}),
        Device(id="wm-1", kind="water_meter", building="A", area="Toilets"),
        Device(id="door-1", kind="door", building="B", floor="1F", area="Entrance"),
        Device(id="mute", kind="water_meter", building="C"),
    ],
)
LEAK = Incident("leak", "night_leak", "wm-1", ("wm-1",), NOW - 5 * SECOND, 60 * SECOND, Text(en="A pipe leaks"))
FORCED = Incident("forced", "forced_door", "door-1", ("door-1",), NOW + 90 * SECOND, 60 * SECOND, Text(en="A door"))


def _live(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - as loose as the daemon's JSON
    return {
        "problems": [],
        "tickets": [],
        "counts": {"messages": 100, "readings": 120_000, "late": 7, "quarantined": 2},
        "journal": {"head": 120_000, "store": 119_500},
        "devices": {
            "gw-a": {"time": NOW - 30 * SECOND, "values": {"rssi_dbm": -61.0, "uptime_s": 90_000.0}},
            "em-main": {"time": NOW - SECOND, "values": {"power_kw": 42.5, "energy_import_kwh": 81_995.2}},
            "em-hvac": {"time": NOW - 9 * SECOND, "values": {"power_kw": 30.25, "energy_import_kwh": 100.0}},
            "wm-1": {"time": NOW - 65 * SECOND, "values": {"flow_m3_per_h": 0.09, "volume_m3": 17.025}},
            "door-1": {"time": NOW - 125 * SECOND, "values": {"event": "granted", "direction": "in"}},
        },
    } | changes


def _show(live: dict[str, Any], width: int = 80, height: int = 24, incidents: tuple[Incident, ...] = ()) -> list[str]:
    view = LiveView("Title", "http://127.0.0.1:9464/live", REGISTER, incidents, zone=ZoneInfo("Asia/Shanghai"))
    console = Console(width=width, height=height)
    with console.capture() as capture:
        console.print(view.render(live, NOW, height))
    return [" ".join(line.split()) for line in capture.get().splitlines()]


TICKET = {"number": "W-2026-00007", "title": "Main door: forced", "state": "new", "priority": 1, "alerts": 1}


def test_open_tickets_stand_above_the_readings_the_newest_first() -> None:
    older = TICKET | {
        "number": "W-2026-00006",
        "state": "resolved",
        "priority": 3,
        "alerts": 4,
        "opened": NOW - 60 * SECOND,
    }
    lines = _show(_live(tickets=[older, TICKET | {"opened": NOW - 5 * SECOND}]))
    head = lines.index("Ticket What State Age")
    assert lines[head + 1 : head + 3] == [
        "W-2026-00007 P1 Main door: forced new 5s",
        "W-2026-00006 P3 Main door: forced (+3) resolved 1m",
    ]
    assert "Time Device Place Says Age" in lines[head + 3 :]


def test_each_ticket_is_told_once() -> None:
    view = LiveView("Title", "", REGISTER, (), zone=ZoneInfo("Asia/Shanghai"))
    live = _live(tickets=[TICKET])
    assert list(view.tell_tickets(live)) == ["W-2026-00007  P1  Main door: forced"]
    assert list(view.tell_tickets(live)) == []


def test_it_shows_buildings_and_the_newest_reading_of_each_device() -> None:
    assert _show(_live()) == [
        "Title http://127.0.0.1:9464/live",
        "0.0 messages/s · 119,500 stored · 500 waiting · 7 late · 2 in quarantine",
        "",
        "Building Electricity Water Last at a door Gateway",
        "A 42.5 kW 0.1 m³/h - -61 dBm",
        "B - - granted 2m 5s ago -",
        "C - - - -",
        "",
        "Time Device Place Says Age",
        "15:19:59 em-main A B1 42.5 kW, 81,995.2 kWh 1s",
        "15:19:51 em-hvac A 2F 30.25 kW, 100 kWh 9s",
        "15:19:30 gw-a A -61 dBm, up 1d 1h 30s",
        "15:18:55 wm-1 A Toilets 0.09 m³/h, 17.025 m³ 1m 5s",
        "15:17:55 door-1 B 1F Entrance granted, in 2m 5s",
    ]


def test_incidents_are_announced_and_their_devices_come_first() -> None:
    lines = _show(_live(), incidents=(LEAK, FORCED))
    assert lines[8:11] == ["Incident Where", "A pipe leaks wm-1 now", "A door door-1 in 1m 30s"]
    assert lines[13] == "15:18:55 wm-1 A Toilets 0.09 m³/h, 17.025 m³ 1m 5s"


def test_what_is_long_over_or_far_off_is_not_mentioned() -> None:
    over = Incident("over", "night_leak", "wm-1", ("wm-1",), NOW - 3600 * SECOND, SECOND, Text(en="Over"))
    far = Incident("far", "night_leak", "wm-1", ("wm-1",), NOW + 3600 * SECOND, SECOND, Text(en="Far"))
    assert _show(_live(), incidents=(over, far)) == _show(_live())


def test_an_incident_that_is_over_at_once_stays_marked_for_a_minute() -> None:
    reset = Incident("reset", "meter_reset", "em-hvac", ("em-hvac",), NOW - 30 * SECOND, 0, Text(en="Reset"))
    assert _show(_live(), incidents=(reset,))[9] == "Reset em-hvac now"


def test_a_gateway_that_is_silent_is_called_so() -> None:
    live = _live()
    live["devices"]["gw-a"]["time"] = NOW - 120 * SECOND
    assert _show(live)[4] == "A 42.5 kW 0.1 m³/h - silent 2m"


def test_problems_stand_on_top() -> None:
    assert _show(_live(problems=["broker: gone"]))[2] == "✗ broker: gone"


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30)])
def test_it_fits_a_terminal_of_the_usual_sizes(width: int, height: int) -> None:
    many = [Device(id=f"em-{number:03}", kind="electricity_meter", building="A") for number in range(200)]
    values = {"power_kw": 123.456, "energy_import_kwh": 123_456.789, "voltage_l1_v": 230.1}
    live = _live(devices={device.id: {"time": NOW, "values": values} for device in many})
    view = LiveView("Title", "http://127.0.0.1:9464/live", many, (LEAK, FORCED), zone=ZoneInfo("UTC"))
    console = Console(width=width, height=height)
    with console.capture() as capture:
        console.print(view.render(live, NOW, height))
    lines = capture.get().splitlines()
    assert len(lines) == height
    assert all(len(line) <= width for line in lines)


def test_rates_are_those_of_the_last_calls() -> None:
    view = LiveView("Title", "", REGISTER, (), zone=ZoneInfo("UTC"))
    for second in range(30):
        counts = {"messages": 25 * second, "readings": 0, "late": 0, "quarantined": 0}
        line = view.summarize(_live(counts=counts), NOW + second * SECOND)
    assert line.startswith("25.0 messages/s")
