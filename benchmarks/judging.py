"""Measures judging in the running daemon: ingest with 300 rules, message to ticket, and a storm of silent devices.

The broker, the load, the database and the daemon share this machine; see benchmarks/ingest.py. A ticket's time is that
of its first event, by the desk's clock; a message's that in its payload, taken just before it is sent.

    python benchmarks/judging.py [SCENARIO…]      throughput ticket storm
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.ingest import DEVICES, Daemon, load, print_table
from benchmarks.load import connect, encode, send
from tests.integration.servers import InfluxDB, Mosquitto, wait_until
from tickets.database import file_url, open_database
from tickets.queue import Filter, list_tickets, open_file
from tickets.ticket import Ticket

RULES = 300
_EACH = RULES // 3
"""Three rules apply to each reading, and each rule to so many parts of the devices."""

_CONDITIONS = (
    "{threshold: {point: voltage_v, outside: [207 V, 253 V]}}",
    "{threshold: {point: power_kw, above: 40 kW, clear_below: 35 kW}}",
    "{stuck: {point: power_kw, for: 2h}}",
    "{change: {point: power_kw, rises_by: 30 kW, within: 10m}}",
    "{usage: {point: energy_import_kwh, above: 500 kWh, per: day}}",
    "{silent: {for: 15m}}",
)
STORM = 2_000
_SILENCE_S = 5


def write_rules(daemon: Daemon, text: str) -> None:
    """Gives a daemon that does not run yet its rules."""
    folder = daemon.folder / "config" / "rules"
    folder.mkdir()
    (folder / "rules.yaml").write_text(f"rules:\n{text}", encoding="utf-8")


def mixed_rules() -> str:
    """So many rules of several kinds that three of them select each device."""
    lines = []
    for number in range(RULES):
        part = number % _EACH
        names = ", ".join(f"em-{device:05}" for device in range(DEVICES) if device % _EACH == part)
        condition = _CONDITIONS[(number // _EACH * 2 + number) % len(_CONDITIONS)]
        lines.append(f"  - {{id: rule-{number}, select: {{device: [{names}]}}, when: {condition}, for: 1m}}\n")
    return "".join(lines)


def tickets_of(daemon: Daemon, *, members: bool = False) -> tuple[list[Ticket], int]:
    """All tickets, and how many members the first one has."""
    database = open_database(file_url(daemon.folder / "data" / "desk.db"))
    try:
        with database.read() as connection:
            tickets = list_tickets(connection, "bench", Filter(states=()))
            count = len(open_file(connection, "bench", tickets[0].number).members) if members and tickets else 0
        return tickets, count
    finally:
        database.close()


def measure_throughput(folder: Path, messages: int) -> dict[str, object]:
    """As fast as it goes, until the last row is stored and the last reading judged."""
    with Mosquitto(folder / "broker") as broker, InfluxDB(folder / "database") as database:
        daemon = Daemon(folder / "daemon", broker, database)
        write_rules(daemon, mixed_rules())
        with daemon.running() as process, load(broker, DEVICES, messages, 0) as (go, done):
            before = process.cpu_times()
            judged_before = daemon.figures()["siteward_judged_total"]
            go()
            begin, _ = done()
            daemon.wait("siteward_stored_total", messages)
            stored_s = (time.time_ns() - begin) / 1e9
            daemon.wait("siteward_judged_total", judged_before + messages)
            judged_s = (time.time_ns() - begin) / 1e9
            after = process.cpu_times()
            memory = process.memory_info().rss
    cpu_s = after.user + after.system - before.user - before.system
    return {
        "scenario": f"{RULES} rules, three for each reading",
        "messages/s": round(messages / max(stored_s, judged_s)),
        "µs CPU a message": round(cpu_s / messages * 1e6, 1),
        "memory MB": round(memory / 1e6),
        "result": f"stored after {stored_s:.1f} s, judged after {judged_s:.1f} s",
    }


def measure_ticket(folder: Path, rate: int, seconds: int) -> dict[str, object]:
    """At a steady rate, from a message that is too high to its ticket."""
    with Mosquitto(folder / "broker") as broker, InfluxDB(folder / "database") as database:
        daemon = Daemon(folder / "daemon", broker, database)
        write_rules(daemon, "  - {id: voltage, when: {threshold: {point: voltage_v, above: 253 V}}}\n" + mixed_rules())
        with daemon.running() as process, connect(broker.port) as sock:
            before = process.cpu_times()
            begin_s = time.monotonic()
            for number in range(rate * seconds):
                ahead_s = begin_s + number / rate - time.monotonic()
                if ahead_s > 0:
                    time.sleep(ahead_s)
                device = number % DEVICES
                voltage = 260.0 if number // DEVICES >= 1 + device % (seconds - 1) else 230.0
                content = f'{{"time":{time.time_ns() // 1_000_000},"voltage_v":{voltage},"power_kw":1.5}}'
                send(sock, [encode(f"siteward/bench/em-{device:05}/readings", content.encode(), number % 65535 + 1)], 0)
            wait_until(lambda: len(tickets_of(daemon)[0]) >= DEVICES, 30)
            after = process.cpu_times()
            tickets, _ = tickets_of(daemon)
    delays = sorted((ticket.opened_at - (ticket.since or 0)) / 1e6 for ticket in tickets)
    cpu_s = after.user + after.system - before.user - before.system
    return {
        "scenario": f"{rate:,} messages/s, {len(tickets):,} tickets in {seconds} s",
        "µs CPU a message": round(cpu_s / (rate * seconds) * 1e6, 1),
        "ticket after ms (50 %)": round(delays[len(delays) // 2]),
        "ticket after ms (99 %)": round(delays[int(len(delays) * 0.99)]),
    }


def measure_storm(folder: Path) -> dict[str, object]:
    """A main and all that it feeds fall silent at once: until one ticket lists them all."""
    with Mosquitto(folder / "broker") as broker, InfluxDB(folder / "database") as database:
        daemon = Daemon(folder / "daemon", broker, database, STORM + 1)
        names = [f"em-{number:05}" for number in range(1, STORM + 1)]
        feeds = f"feeds:\n  - {{main: em-00000, subs: [{', '.join(names)}]}}\nbuildings: []\n"
        config = daemon.folder / "config"
        rows = "\n".join(f"em-{number:05},electricity_meter" for number in range(STORM + 1))
        (config / "devices.csv").write_text(f"id,kind\n{rows}\n", encoding="utf-8")
        (config / "places.yaml").write_text(feeds, encoding="utf-8")
        write_rules(daemon, f"  - {{id: silent, when: {{silent: {{for: {_SILENCE_S}s}}}}}}\n")
        with daemon.running(), connect(broker.port) as sock:
            packets = [
                encode(f"siteward/bench/em-{number:05}/readings", b'{"power_kw":1.5}', number + 1)
                for number in range(STORM + 1)
            ]
            send(sock, packets, 0)
            silent_s = time.monotonic() + _SILENCE_S
            wait_until(lambda: tickets_of(daemon, members=True)[1] > STORM, 60)
            delay_s = time.monotonic() - silent_s
            tickets, members = tickets_of(daemon, members=True)
    return {
        "scenario": f"{STORM + 1:,} devices fall silent at once",
        "result": f"{len(tickets)} ticket with {members - 1:,} members beside the main, after {delay_s:.1f} s",
    }


SCENARIOS: dict[str, Callable[[Path], dict[str, object]]] = {
    "throughput": lambda folder: measure_throughput(folder, 300_000),
    "ticket": lambda folder: measure_ticket(folder, 1000, 20),
    "storm": measure_storm,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="*", choices=[*SCENARIOS, []], help="left out: all")
    chosen = parser.parse_args().scenario or list(SCENARIOS)
    with tempfile.TemporaryDirectory() as folder:
        rows = [SCENARIOS[name](Path(folder) / name) for name in chosen]
    print_table(rows)


if __name__ == "__main__":
    main()
