"""What judging costs: 10,000 devices, 300 rules of many kinds, three of them for every reading, on one core.

Prints readings/s, memory a device, and what it takes to build the engine, to save its state and to go on from it.
Time is CPU time of this process. Readings come as the journal gives them, decoded in batches, whose decoding is not
counted; their values vary so that some alerts come and go. The median batch counts, and the best tenth of them tells
what other work on the machine costs: judging is bound by memory, so neighbours are felt.
Run by `make bench`, or alone: .venv/bin/python benchmarks/rules.py [--devices N]
"""

import argparse
import gc
import random
import sys
import tracemalloc
from collections import Counter
from pathlib import Path
from statistics import median, quantiles
from time import process_time

sys.path.insert(0, str(Path(__file__).parents[1]))

from msgspec import msgpack

from devices.durations import NANOSECONDS
from devices.reading import Reading, Value
from devices.register import Register
from rules.engine import Engine
from rules.plans import Wiring
from rules.rule import Rule
from rules.site import Site
from tests.rulebench import at, make_site, read_rules

_GROUPS = 100
_ROUNDS = 40
_BATCH = 2_000
_STEP = NANOSECONDS["m"]
_START = at("2026-03-02 06:00")
_AIM_READINGS = 150_000

_CONDITIONS = {
    "electricity_meter": [
        "{threshold: {point: voltage_v, outside: [207 V, 253 V]}}",
        "{threshold: {point: power_kw, above: 40 kW, clear_below: 35 kW}}",
        "{silent: {for: 15m}}",
        "{change: {point: power_kw, rises_by: 30 kW, within: 10m}}",
        "{stuck: {point: power_kw, for: 2h}}",
        "{usage: {point: energy_import_kwh, above: 500 kWh, per: day}}",
        "{all: [{threshold: {point: power_kw, above: 40 kW}}, {threshold: {point: voltage_v, below: 210 V}}]}",
    ],
    "water_meter": [
        "{threshold: {point: flow_m3_per_h, above: 4 m³/h}}",
        "{never_zero: {point: volume_m3, for: 24h}}",
        '{night_flow: {between: "02:00-05:00", above: 12 L/h, nights: 2}}',
        "{silent: {for: 15m}}",
        "{usage: {point: volume_m3, above: 20 m³, per: day}}",
    ],
    "door": [
        "{forced_open: {}}",
        "{held_open: {for: 30s}}",
        "{count: {event: denied, at_least: 5, within: 2m, per: credential}}",
        "{silent: {for: 2h}}",
    ],
}
"""By kind; each group of devices gets three of them in turn."""

_SHARES = ["electricity_meter"] * 5 + ["water_meter"] * 3 + ["door"] * 2


_SIMPLE = {
    "electricity_meter": [
        "{threshold: {point: voltage_v, outside: [207 V, 253 V]}}",
        "{threshold: {point: power_kw, above: 40 kW, clear_below: 35 kW}}",
        "{threshold: {point: energy_import_kwh, above: 900 MWh}}",
    ],
    "water_meter": [
        "{threshold: {point: flow_m3_per_h, above: 4 m³/h}}",
        "{threshold: {point: flow_m3_per_h, below: -1 m³/h}}",
        "{threshold: {point: volume_m3, above: 90000 m³}}",
    ],
    "door": [
        "{threshold: {point: event, equals: forced_open}}",
        "{threshold: {point: event, equals: denied}}",
        "{threshold: {point: event, equals: duress}}",
    ],
}
"""Three thresholds for each kind."""


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=10_000)
    count = parser.parse_args().devices
    site = make_site(make_devices(count))
    readings = make_readings(site.register)
    batches = [msgpack.encode(readings[first : first + _BATCH]) for first in range(0, len(readings), _BATCH)]
    first_rounds = readings[: 5 * count]
    del readings

    simple, mixed = make_rules(_SIMPLE), make_rules(_CONDITIONS)
    print(f"{count} devices, {len(simple)} rules: three thresholds on each device")
    measure_speed(Engine(simple, site, _START), batches)

    print(f"{count} devices, {len(mixed)} rules: {describe_mix(mixed)}")
    print(describe_work(mixed, site, first_rounds))
    began = process_time()
    engine = Engine(mixed, site, _START)
    print(f"build             {process_time() - began:8.2f} s")
    measure_speed(engine, batches)

    began = process_time()
    saved = msgpack.encode(engine.snapshot())
    print(f"snapshot, encode  {process_time() - began:8.2f} s   aim 1")
    print(f"size              {len(saved) / 1e6:8.2f} MB  {len(saved) / count:.0f} bytes a device")

    fresh = Engine(mixed, site, engine.now)
    began = process_time()
    fresh.restore(msgpack.decode(saved))
    print(f"decode, restore   {process_time() - began:8.2f} s   aim 1")
    assert fresh.alerts() == engine.alerts()

    began = process_time()
    engine.use(mixed, site)
    print(f"reload            {process_time() - began:8.2f} s")
    print(
        f"memory            {measure_memory(mixed, site, first_rounds, count):8.0f} bytes a device, three rules on it"
    )


def measure_speed(engine: Engine, batches: list[bytes]) -> None:
    """Judges all batches and prints how long that took."""
    gc.collect()
    gc.freeze()
    told, costs = 0, []
    for batch in batches:
        readings = msgpack.decode(batch, type=list[Reading])
        began = process_time()
        told += judge(engine, readings)
        costs.append((process_time() - began) / len(readings))
    gc.unfreeze()
    usual, best, least = median(costs), quantiles(costs, n=10)[0], min(costs)
    print(f"readings/s        {1 / usual:8.0f}   best tenth {1 / best:.0f}, best {1 / least:.0f}   aim {_AIM_READINGS}")
    print(f"µs a reading      {1e6 * usual:8.2f}   best tenth {1e6 * best:.2f}, best {1e6 * least:.2f}")
    print(f"transitions       {told:8}")


def describe_work(rules: list[Rule], site: Site, readings: list[Reading]) -> str:
    """What the engine does for a reading of the mix."""
    plans = Wiring(rules, site, Engine((), site, _START)).plans
    nodes = registers = arrivals = 0
    for reading in readings:
        plan = plans[reading.device]
        heard = [watch for point, _, watch in plan.listeners if point in reading.values]
        registers += heard.count(None)
        nodes += len(heard) - heard.count(None)
        arrivals += len(plan.arrivals)
    total = len(readings)
    points = sum(len(reading.values) for reading in readings)
    return (
        f"a reading: {points / total:.1f} points, 3 rules; {nodes / total:.2f} values and {arrivals / total:.2f}"
        f" arrivals given to conditions, {registers / total:.2f} steps of registers worked out for the others"
    )


def judge(engine: Engine, readings: list[Reading]) -> int:
    """Judges them all, with time passing between; how many transitions were told."""
    told = 0
    evaluate = engine.evaluate
    for first in range(0, len(readings), 1000):
        for reading in readings[first : first + 1000]:
            told += len(evaluate(reading))
        told += len(engine.advance(engine.now))
    return told


def make_rules(choice: dict[str, list[str]]) -> list[Rule]:
    """Three rules for each group of devices, half of them with delays."""
    lines = []
    for group in range(_GROUPS):
        kind = _SHARES[group % len(_SHARES)]
        conditions = choice[kind]
        for number in range(3):
            condition = conditions[(group // len(_SHARES) + number) % len(conditions)]
            delays = "for: 2m, keep_firing_for: 5m, " if (group + number) % 2 else ""
            lines.append(
                f"- {{id: r{group}-{number}, select: {{kind: {kind}, building: b{group}}}, {delays}when: {condition}}}"
            )
    return read_rules("\n".join(lines))


def make_devices(count: int) -> list[dict[str, str]]:
    """Devices of all kinds, in as many buildings as there are groups."""
    return [
        {
            "id": f"d{number}",
            "kind": _SHARES[number % _GROUPS % len(_SHARES)],
            "building": f"b{number % _GROUPS}",
            "floor": "1F",
            "area": f"area-{number // _GROUPS % 10}",
            "interval": "1m",
        }
        for number in range(count)
    ]


def make_readings(register: Register) -> list[Reading]:
    """A reading of every device in every round, a minute apart, spread over the minute; not in the register's order."""
    chance = random.Random(4)
    devices = chance.sample(list(register), len(register.devices))
    counters: Counter[str] = Counter()
    readings = []
    for turn in range(_ROUNDS):
        for number, device in enumerate(devices):
            time = _START + turn * _STEP + number * _STEP // len(register.devices)
            values: dict[str, Value]
            match device.kind:
                case "electricity_meter":
                    power = chance.gauss(25, 5)
                    counters[device.id] += abs(int(power * 10))
                    voltage = chance.gauss(231, 5)
                    energy = counters[device.id] / 600
                    values = {"energy_import_kwh": energy, "power_kw": power, "voltage_v": voltage}
                case "water_meter":
                    flow = max(chance.gauss(0.5, 1), 0.0)
                    counters[device.id] += int(flow * 1000)
                    values = {"volume_m3": counters[device.id] / 60_000, "flow_m3_per_h": flow}
                case _:
                    event = chance.choices(["granted", "closed", "denied", "opened"], [60, 30, 8, 2])[0]
                    values = {"event": event, "credential": f"hmac:{chance.randrange(500):08x}"}
            readings.append(Reading(device.id, time, time + 200_000_000, values))
    return readings


def describe_mix(rules: list[Rule]) -> str:
    """How many rules are of each kind."""
    kinds = Counter("all" if rule.when.all else str(next(iter(rule.when.model_fields_set))) for rule in rules)
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())


def measure_memory(rules: list[Rule], site: Site, readings: list[Reading], count: int) -> float:
    """What the engine holds after a few rounds, in bytes for each device."""
    gc.collect()
    tracemalloc.start()
    engine = Engine(rules, site, _START)
    judge(engine, readings)
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / count


if __name__ == "__main__":
    main()
