"""`off_hours`: what is used outside of a calendar."""

from collections.abc import Mapping, Sequence

import pytest
from pydantic import ValidationError

from devices.register import Device
from rules.conditions.off_hours import OffHours
from tests.meterbench import POWER, WATER, Bench

CALENDARS = {"calendars": {"work": {"hours": "08:00-18:00", "days": ["mon", "tue", "wed", "thu", "fri"]}}}
RULE = "{off_hours: {above: 5 kW, calendar: work}}"


def make_bench(
    start: str,
    when: str = RULE,
    devices: Sequence[Mapping[str, object]] = (POWER,),
    zone: str = "UTC",
    per: str = "device",
) -> Bench:
    return Bench(when, devices, start=start, zone=zone, per=per, calendars=CALENDARS)


def test_an_hour_at_night_above_the_bound_fires_and_a_good_one_ends_it() -> None:
    bench = make_bench("2026-03-02 17:00")
    bench.run("1h", em_1=40.0)  # still working
    bench.run("1h", em_1=4.0)
    assert bench.kinds() == []
    bench.run("1h", em_1=6.0)
    bench.run("15m", em_1=6.0)
    evidence = bench.evidence()
    assert (evidence.device, evidence.point, evidence.limit, evidence.unit) == ("em-1", "energy_import_kwh", 5.0, "kW")
    assert evidence.value == pytest.approx(6.0)
    assert bench.kinds() == ["fired"]
    bench.run("2h", em_1=1.0)
    assert bench.kinds() == ["resolved"]


def test_working_hours_say_nothing_so_the_alert_stays_until_the_next_night() -> None:
    bench = make_bench("2026-03-02 18:00")
    bench.run("14h", em_1=6.0)
    assert bench.kinds() == ["fired"]
    bench.run("10h", em_1=1.0)
    assert bench.kinds() == []
    bench.run("75m", em_1=1.0)
    assert bench.kinds() == ["resolved"]


def test_only_full_hours_outside_count() -> None:
    calendars = {"calendars": {"work": {"hours": "08:00-18:30"}}}
    bench = Bench(RULE, (POWER,), start="2026-03-02 18:00", calendars=calendars)
    bench.run("1h", em_1=50.0)
    bench.run("2h", em_1=1.0)
    assert bench.kinds() == []


def test_an_hour_with_a_gap_says_nothing() -> None:
    bench = make_bench("2026-03-02 18:00")
    bench.run("30m", em_1=6.0)
    bench.run("1h", em_1=6.0, silent=["em-1"])
    bench.run("30m", em_1=6.0)
    assert bench.kinds() == []
    bench.run("75m", em_1=6.0)
    assert bench.kinds() == ["fired"]


def test_a_place_is_the_sum_of_its_meters() -> None:
    meters = tuple({**POWER, "id": name, "building": "A"} for name in ("em-1", "em-2"))
    bench = make_bench("2026-03-02 18:00", devices=meters, per="building")
    bench.run("75m", em_1=2.4, em_2=2.4)
    assert bench.kinds() == []
    bench.run("1h", em_1=2.6, em_2=2.6)
    assert bench.evidence().value == pytest.approx(5.2, abs=0.2)
    assert bench.kinds() == ["fired"]


def test_water_against_a_share_of_the_limit_of_the_pipe() -> None:
    meter = {**WATER, "flow_limit": "10 m³/h"}
    bench = make_bench("2026-03-07 09:00", "{off_hours: {above: 1 % of flow_limit, calendar: work}}", (meter,))
    bench.run("75m", wm_1=0.09)  # a Saturday
    assert bench.kinds() == []
    bench.run("1h", wm_1=0.12)
    assert bench.evidence().limit == pytest.approx(0.1)
    assert bench.kinds() == ["fired"]


def test_the_hours_that_come_twice_are_both_judged() -> None:
    bench = make_bench("2026-10-25 00:00", zone="Europe/Berlin")  # 02:00 in summer
    bench.run("1h", em_1=6.0)
    bench.run("1h", em_1=1.0)
    bench.run("15m", em_1=1.0)
    assert bench.kinds() == ["fired", "resolved"]


def test_it_fits_meters_of_the_right_kind() -> None:
    power, water = (Device.model_validate(device) for device in (POWER, WATER))
    bound = OffHours.model_validate({"above": "5 kW", "calendar": "work"})
    share = OffHours.model_validate({"above": "1 % of flow_limit", "calendar": "work"})
    assert [bound.fits(device) for device in (power, water)] == ["", "no energy_import_kwh"]
    assert [share.fits(device) for device in (power, water)] == ["no flow_limit", "no flow_limit"]


def test_what_is_wrong_is_told() -> None:
    with pytest.raises(ValidationError, match="expected a power such as 5 kW or a flow such as 30 L/h, got '5 kWh'"):
        OffHours.model_validate({"above": "5 kWh", "calendar": "work"})
    with pytest.raises(ValidationError, match="expected 0 or more, got '-5 kW'"):
        OffHours.model_validate({"above": "-5 kW", "calendar": "work"})


def test_it_is_described_in_words() -> None:
    words = OffHours.model_validate({"above": "5 kW", "calendar": "work"}).describe()
    assert words.en == "the mean power in an hour outside of work is above 5 kW"
    assert words.zh == "work 以外的小时平均功率高于 5 kW"
    share = OffHours.model_validate({"above": "1 % of flow_limit", "calendar": "work"}).describe()
    assert share.en == "the mean flow in an hour outside of work is above 1 % of flow_limit"
