"""What registers counted by quarters of an hour, read from a real store: the same as from their rows."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from collector import accounts
from collector.accounts import QUARTER, Account, Rows, find_margin, read_accounts, settle
from devices.counting.facts import find_facts
from devices.durations import NANOSECONDS
from devices.reading import Reading
from tests.reportsite import DAY, Make, ReportSite, making_sites, meter

MINUTE, HOUR = NANOSECONDS["m"], NANOSECONDS["h"]
POINT = "energy_import_kwh"
START = "2026-03-03"


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with making_sites(tmp_path) as make:
        yield make


def edges(site: ReportSite, days: int = 1) -> list[int]:
    start = site.at(START)
    return list(range(start, start + days * DAY + 1, QUARTER))


def read(site: ReportSite, cut: list[int], raw_from: int = 0) -> dict[str, Account]:
    rows = Rows(site.store, raw_from, site.at("2030-01-01"))
    found = read_accounts(site.configuration, rows, site.configuration.register.devices, POINT, cut)
    return {device.id: account for device, account in found}


def read_rows(site: ReportSite, device: str, cut: list[int]) -> Account:
    """The same row by row."""
    facts = find_facts(site.configuration.register, site.configuration.register.by_id()[device], POINT)
    margin = find_margin(facts)
    rows = Rows(site.store, 0, site.at("2030-01-01"))
    return settle(rows.read(device, POINT, cut[0] - margin, cut[-1] + margin), facts, POINT, cut)


def amounts(account: Account) -> list[float]:
    return [interval.amount for interval in account.intervals]


def write(site: ReportSite, device: str, rows: Mapping[int, float]) -> None:
    site.store.write([Reading(device, time, time, {POINT: value}) for time, value in rows.items()])


def test_a_register_by_the_clock_is_counted_in_its_own_quarter(make: Make) -> None:
    site = make(meter("em-1"))
    expected = [float(number % 7) for number in range(96)]
    site.count("em-1", START, expected)
    (account,) = read(site, edges(site)).values()
    assert amounts(account) == pytest.approx(expected)
    assert all(interval.covered_ns == QUARTER and not interval.estimated for interval in account.intervals)


@pytest.mark.parametrize("every", [10 * NANOSECONDS["s"], MINUTE, 7 * MINUTE])
def test_the_total_is_that_of_the_rows_however_often_a_meter_reports(make: Make, every: int) -> None:
    site = make(meter("em-1", interval=f"{every // NANOSECONDS['s']}s"))
    start = site.at(START) - HOUR
    steps = 5 * HOUR // every
    write(site, "em-1", {start + number * every: 100 + number * 0.01 for number in range(steps + 1)})
    cut = list(range(site.at(START), site.at(START) + 3 * HOUR + 1, QUARTER))
    (account,) = read(site, cut).values()
    fine = read_rows(site, "em-1", cut)
    # What is counted in a quarter may be off by what flows in one interval.
    assert sum(amounts(account)) == pytest.approx(sum(amounts(fine)), abs=0.02)
    assert amounts(account) == pytest.approx(amounts(fine), abs=0.02)


def test_rows_a_little_after_the_quarter_are_counted_row_by_row(make: Make) -> None:
    site = make(meter("em-1"))
    start = site.at(START) - HOUR + 5 * MINUTE
    write(site, "em-1", {start + number * QUARTER: 100 + number * 3.0 for number in range(20)})
    cut = list(range(site.at(START), site.at(START) + 3 * HOUR + 1, QUARTER))
    (account,) = read(site, cut).values()
    assert amounts(account) == pytest.approx([3.0] * 12)
    assert amounts(account) == pytest.approx(amounts(read_rows(site, "em-1", cut)))


def swapped(interval: str) -> dict[str, Any]:
    """A meter that goes at 10:05 at 150 kWh; the new one comes with 2 kWh."""
    change = {"device": "em-1", "at": f"{START}T10:05:00+01:00", "final": "150 kWh", "first": "2 kWh"}
    return {"devices": [meter("em-1", interval=interval)], "register": {"replacements": [change]}}


@pytest.mark.parametrize(("interval", "every"), [("1m", MINUTE), ("15m", QUARTER)])
@pytest.mark.parametrize("summarized", [False, True])
def test_a_swap_within_a_quarter(make: Make, interval: str, every: int, summarized: bool) -> None:
    parts = swapped(interval)
    site = make(*parts["devices"], register=parts["register"])
    swap = site.at(f"{START}T10:05")
    # 0.1 kWh a minute up to 150 at the swap; 0.2 kWh a minute from 2 on
    times = range(site.at(f"{START}T08:00"), site.at(f"{START}T12:00") + 1, every)
    rows = {time: 150 - (swap - time) / MINUTE * 0.1 if time < swap else 2 + (time - swap) / MINUTE * 0.2
            for time in times}  # fmt: skip
    write(site, "em-1", rows)
    cut = list(range(site.at(f"{START}T09:00"), site.at(f"{START}T11:00") + 1, QUARTER))
    (account,) = read(site, cut, raw_from=2**62 if summarized else 0).values()
    # Five minutes of the old meter and ten of the new one in the quarter of 10:00
    assert amounts(account) == pytest.approx([1.5] * 4 + [0.5 + 2.0] + [3.0] * 3)
    assert account.counts()["replacement"] == 1
    assert all(interval.covered_ns == QUARTER for interval in account.intervals)


def test_what_was_summarized_is_the_same_by_the_clock(make: Make) -> None:
    site = make(meter("em-1"))
    expected = [float(number % 5) for number in range(2 * 96)]
    site.count("em-1", START, expected)
    cut = edges(site, days=2)
    (account,) = read(site, cut, raw_from=site.at(START) + DAY).values()
    assert amounts(account) == pytest.approx(expected), "the first day from summaries, the second from rows"


def test_meters_follow_in_their_order_whatever_is_read_at_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"em-{number}" for number in range(5)]
    site = make(*(meter(name, interval="1m" if number % 2 else "15m") for number, name in enumerate(names)))
    for number, name in enumerate(names):
        site.count(name, START, [float(number)] * 96)
    whole = read(site, edges(site))
    monkeypatch.setattr(accounts, "_ROWS_TOGETHER", 200)  # two meters of 96 quarters
    apart = read(site, edges(site))
    assert list(apart) == list(whole) == names
    assert [sum(amounts(apart[name])) for name in names] == pytest.approx([number * 96.0 for number in range(5)])
    assert {name: amounts(account) for name, account in apart.items()} == {
        name: amounts(account) for name, account in whole.items()
    }


def test_a_meter_that_was_never_heard_has_no_covered_time(make: Make) -> None:
    site = make(meter("em-1"), meter("em-2"))
    site.count("em-2", START, [1.0] * 96)
    found = read(site, edges(site))
    assert not any(interval.covered_ns for interval in found["em-1"].intervals)
    assert sum(amounts(found["em-2"])) == pytest.approx(96)


def test_faults_are_those_that_end_within(make: Make) -> None:
    site = make(meter("em-1", rolls_over_at="2000 kWh"))
    site.count("em-1", START, [10.0] * 90, first=1050.0)  # 1950 at 22:30
    site.count("em-1", f"{START}T22:45", [10.0] * 20, first=0.0)
    (account,) = read(site, edges(site)).values()
    assert account.counts() == {"rollover": 1}
    assert sum(amounts(account)) == pytest.approx(900 + 50 + 50)
    (later,) = read(site, [edge + DAY for edge in edges(site)]).values()
    assert later.counts() == {}
