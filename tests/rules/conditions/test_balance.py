"""`balance`: a main meter against the sum of its sub-meters."""

import pytest
from pydantic import ValidationError

from devices.register import Device
from rules.conditions.balance import Balance
from tests.meterbench import Bench

METERS = [{"id": name, "kind": "electricity_meter", "interval": "15m"} for name in ("main", "sub1", "sub2")]
FEEDS = {"feeds": [{"main": "main", "subs": ["sub1", "sub2"]}]}
RULE = "{balance: {tolerance: 5 %, per: hour}}"
MAIN = "{device: main}"


def make_bench(when: str = RULE, *, select: str = MAIN, start: str = "2026-03-01 00:00", zone: str = "UTC") -> Bench:
    return Bench(when, METERS, places=FEEDS, select=select, start=start, zone=zone)


def test_a_loss_fires_and_a_good_hour_ends_it() -> None:
    bench = make_bench()
    bench.run("2h", main=10.0, sub1=6.0, sub2=3.6)
    assert bench.kinds() == []
    bench.run("75m", main=10.0, sub1=6.0, sub2=3.0)
    evidence = bench.evidence()
    assert (evidence.device, evidence.point, evidence.unit) == ("main", "energy_import_kwh", "kWh")
    assert evidence.value == pytest.approx(1.0, abs=0.2)
    assert evidence.limit == pytest.approx(0.5)
    assert evidence.details["main"] == pytest.approx(10.0)
    assert evidence.details["per"] == "hour"
    assert bench.kinds() == ["fired"]
    bench.run("2h", main=10.0, sub1=6.0, sub2=4.0)
    assert bench.kinds() == ["resolved"]


def test_sub_meters_that_count_more_than_the_main_are_wrong_too() -> None:
    bench = make_bench()
    bench.run("75m", main=10.0, sub1=6.0, sub2=5.0)
    evidence = bench.evidence()
    assert evidence.value == pytest.approx(-1.0)
    assert evidence.details["share_percent"] == pytest.approx(-10.0)
    assert bench.kinds() == ["fired"]


def test_an_hour_with_a_gap_of_one_meter_says_nothing() -> None:
    bench = make_bench()
    bench.run("50m", "10m", main=10.0, sub1=6.0, sub2=0.0)
    bench.run("40m", "10m", main=10.0, sub1=6.0, sub2=4.0, silent=["sub1"])
    bench.run("40m", "10m", main=10.0, sub1=6.0, sub2=4.0)
    assert bench.kinds() == []


def test_a_meter_that_falls_silent_stops_the_judging() -> None:
    bench = make_bench()
    bench.run("2h", main=10.0, sub1=6.0, sub2=4.0)
    bench.run("100h", main=10.0, sub1=6.0, silent=["sub2"])
    assert bench.kinds() == []
    bench.run("2h", main=10.0, sub1=6.0)
    assert bench.kinds() == ["fired"]


def test_several_tolerances_must_all_be_passed() -> None:
    bench = make_bench("{balance: {tolerance: [5 %, 2 kWh], per: hour}}")
    bench.run("2h", main=10.0, sub1=6.0, sub2=3.0)  # a tenth, but only 1 kWh
    bench.run("2h", main=100.0, sub1=60.0, sub2=36.0)  # 4 kWh, but only 4 %
    assert bench.kinds() == []
    bench.run("2h", main=30.0, sub1=20.0, sub2=7.0)
    assert bench.kinds() == ["fired"]


def test_whole_days_by_the_local_clock() -> None:
    bench = make_bench(
        "{balance: {tolerance: 5 %, per: day}}",
        start="2026-10-24 22:00",
        zone="Europe/Berlin",
    )
    bench.run("25h", main=10.0, sub1=6.0, sub2=3.0)
    assert bench.kinds() == []
    bench.run("15m", main=10.0, sub1=6.0, sub2=3.0)
    assert bench.evidence().details["main"] == pytest.approx(250.0)
    assert bench.kinds() == ["fired"]


def test_rows_of_different_minutes_are_divided_at_the_hour() -> None:
    bench = make_bench()
    for _ in range(12 * 6):
        bench.run("5m", "5m", main=10.0, sub1=6.0, sub2=4.0, silent=["sub1", "sub2"])
        bench.run("5m", "5m", main=10.0, sub1=6.0, sub2=4.0, silent=["main", "sub1"])
        bench.run("5m", "5m", main=10.0, sub1=6.0, sub2=4.0, silent=["main", "sub2"])
    assert bench.kinds() == []


def test_another_sub_meter_counts_on() -> None:
    swap = {"device": "sub1", "at": "2026-03-01T00:20:00Z", "final": "102 kWh", "first": "7 kWh"}
    bench = Bench(RULE, METERS, places=FEEDS, select=MAIN, replacements=[swap])
    bench.run("15m", main=10.0, sub1=6.0, sub2=2.0)
    bench.count("sub1", 7.0)
    bench.run("1h", main=10.0, sub1=6.0, sub2=2.0)
    assert bench.evidence().details["subs"] == pytest.approx(1.5 + 0.5 + 4.5 + 2.0)
    assert bench.kinds() == ["fired"]


def test_meters_may_be_named_in_the_rule() -> None:
    named = "{balance: {main: main, subs: [sub1], tolerance: 1 kWh, per: hour}}"
    bench = Bench(named, METERS, select="{kind: electricity_meter}", per="site")
    bench.run("75m", main=10.0, sub1=6.0, sub2=4.0)
    assert bench.evidence().value == pytest.approx(4.0)
    assert bench.kinds() == ["fired"]


def test_what_feeds_nothing_is_never_judged() -> None:
    bench = make_bench(select="{kind: electricity_meter}")
    bench.run("4h", main=10.0, sub1=6.0, sub2=3.9)
    assert bench.kinds() == []


def test_only_meters_of_what_the_tolerance_is_of_fit() -> None:
    litres, share = (Balance.model_validate({"tolerance": text}) for text in ("500 L", "5 %"))
    power = Device(id="em", kind="electricity_meter")
    water = Device(id="wm", kind="water_meter")
    door = Device(id="d", kind="door")
    assert [litres.fits(device) for device in (power, water, door)] == [
        "no volume_m3",
        "",
        "no register",
    ]
    assert [share.fits(device) for device in (power, water, door)] == ["", "", "no register"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"tolerance": "5"},
            "expected a share such as 5 %, an energy such as 20 kWh or a volume such as 500 L, got '5'",
        ),
        ({"tolerance": "5 V"}, "expected a share such as 5 %"),
        ({"tolerance": ["5 kWh", "5 L"]}, "expected tolerances of energy or of water, got both"),
        ({"tolerance": "5 %", "main": "a", "subs": ["a", "b"]}, "a is the main meter and cannot be below itself"),
        ({"tolerance": []}, "at least 1 item"),
    ],
)
def test_what_is_wrong_is_told(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Balance.model_validate(fields)
    assert message in str(caught.value)


def test_it_is_described_in_words() -> None:
    words = Balance.model_validate({"tolerance": ["5 %", "500 L"]}).describe()
    assert words.en == "a main meter and the sum of its sub-meters differ by more than 5 % and 500 L in one day"
    assert words.zh == "总表与分表之和每日相差超过 5 % 且 500 L"
    named = Balance.model_validate({"main": "m", "subs": ["a", "b"], "tolerance": "5 %", "per": "hour"}).describe()
    assert named.en == "m and the sum of a, b differ by more than 5 % in one hour"
