"""What decoding a message costs, by profile: CPU time in µs, for every case of every built-in profile.

All cases are measured several times over, and the least counts: other work on the machine comes and goes.
Run by `make bench`, or alone: .venv/bin/python benchmarks/decoding.py [PROFILE…]
"""

import sys
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.adoption import RECEIVED, SITE, adopt
from devices.errors import Undecodable
from devices.language.catalog import Catalog
from devices.language.profile import Profile, ProfileTest
from devices.language.sources import PULSE
from devices.register import Kind
from devices.topics import DEVICE
from devices.topics import SITE as SITE_PART

_ROW = "{:<20} {:<16} {:>5} {:>7} {:>7} {:>7} {:>5} {:>8}   {}"
_PASSES = 12
_RUNS = 5
_MESSAGES = 200
_AIMS_US = {"canonical": 6.0}
_AIM_US = 15.0
_PULSES: dict[str, tuple[Kind, str]] = {"milesight_pulse": ("water_meter", "10 L")}
"""Profiles that count pulses of anything but electricity."""
_INGEST = (
    '{"time": "2026-11-22T08:00:00.123Z", "energy_import_kwh": 12345.678, "power_kw": 12.345, "voltage_l1_v": 230.1,'
    ' "current_l1_a": 5.5, "frequency_hz": 50.01}'
)


def main() -> None:
    """Prints a table."""
    catalog = Catalog()
    names = sys.argv[1:] or sorted(catalog)
    print(
        _ROW.format(
            "profile",
            "format",
            "cases",
            "least",
            "median",
            "dearest",
            "aim",
            "readings",
            "the dearest case, by reading; CPU µs",
        )
    )
    cases = [(catalog[name], test) for name in names for test in list_tests(catalog[name])]
    costs: dict[str, dict[str, tuple[float, int]]] = {name: {} for name in names}
    for _ in range(_PASSES):
        for profile, test in cases:
            cost = measure(profile, test)
            if cost is not None:
                known = costs[profile.id]
                known[test.name] = min(cost, known.get(test.name, cost))
    for name in names:
        formats = "/".join(sorted({form.format for form in catalog[name].forms}))
        aim = _AIMS_US.get(name, _AIM_US if formats in {"json", "canonical", "json/value"} else None)
        values = sorted(cost for cost, _ in costs[name].values())
        dearest, (most, readings) = max(costs[name].items(), key=lambda item: item[1][0] / item[1][1])
        figures = [f"{value:.1f}" for value in (values[0], median(values), most)]
        print(_ROW.format(name, formats, len(values), *figures, f"{aim:.0f}" if aim else "-", readings, dearest))


def list_tests(profile: Profile) -> list[ProfileTest]:
    """The profile's cases; of Siteward's own, the payload of benchmarks/ingest.py as well."""
    more = [ProfileTest(name="as benchmarks/ingest.py sends it", payload=_INGEST, readings=[])]
    return [*profile.tests, *(more if profile.id == "canonical" else [])]


def measure(profile: Profile, test: ProfileTest) -> tuple[float, int] | None:
    """CPU time of a message in µs, the least of several runs, and its readings; None for one that gives none."""
    own = "" if any(form.topics for form in profile.forms) else "own/topic"
    topic = test.topic or own or profile.forms[0].topics[0].replace(DEVICE, "device").replace(SITE_PART, SITE)
    counts = any(
        source.unit == PULSE for form in profile.forms for sources in form.points.values() for source in sources
    )
    kind, weight = _PULSES.get(profile.id, ("electricity_meter", "10 Wh")) if counts else ("sensor", "")
    decoder = adopt(profile.id, [(topic, test.data)], topic=own, kind=kind, pulse_weight=weight)
    try:
        readings = len(decoder.decode(topic, test.data, RECEIVED))
    except Undecodable:
        return None
    if not readings:
        return None
    # No two messages in a row are the same, so that nothing is gained by remembering the one before.
    payloads = [test.data, test.data + b" "] if test.data[:1] in {b"{", b"["} else [test.data]
    messages = payloads * (_MESSAGES // len(payloads))
    times = []
    for _ in range(_RUNS):
        start = time.process_time()
        for payload in messages:
            decoder.decode(topic, payload, RECEIVED)
        times.append((time.process_time() - start) / len(messages) * 1e6)
    return min(times), readings


if __name__ == "__main__":
    main()
