"""`register`: what a meter's register should not do."""

import pytest
from pydantic import ValidationError

from devices.register import Device
from rules.conditions.register import RegisterFault
from tests.meterbench import POWER, Bench

RULE = "{register: {fault: [reset, backwards, jump, spike]}}"
METER = {**POWER, "nominal_voltage": "230 V", "current_limit": "100 A"}


@pytest.mark.parametrize(
    ("fault", "value"), [("reset", 0.0), ("backwards", 60.0), ("jump", 100_000.0)], ids=["reset", "backwards", "jump"]
)
def test_a_fault_fires_and_a_good_day_ends_it(fault: str, value: float) -> None:
    bench = Bench(RULE, [METER])
    bench.run("2h", em_1=1.0)
    bench.count("em-1", value)
    bench.run("45m", em_1=1.0)  # two rows after it agree
    evidence = bench.evidence()
    assert (evidence.device, evidence.point, evidence.unit) == ("em-1", "energy_import_kwh", "kWh")
    assert evidence.value == pytest.approx(value + 0.25 - 102.0)
    assert evidence.details == {"fault": fault, "faults": 1}
    assert bench.kinds() == ["fired"]
    bench.run("23h", em_1=1.0)
    assert bench.kinds() == []
    bench.run("45m", em_1=1.0)
    assert bench.kinds() == ["resolved"]


def test_a_spike_comes_and_goes() -> None:
    bench = Bench(RULE, [METER])
    bench.run("1h", em_1=1.0)
    good = 101.0
    bench.count("em-1", 5000.0)
    bench.run("15m")
    bench.count("em-1", good)
    bench.run("30m", em_1=1.0)
    assert bench.evidence().details == {"fault": "spike", "faults": 1}
    assert bench.kinds() == ["fired"]


def test_a_rollover_is_a_fault_only_where_it_is_asked_for() -> None:
    meter = {**METER, "rolls_over_at": "110 kWh"}
    for faults, told in (("[reset, backwards, jump]", []), ("[rollover]", ["fired"])):
        bench = Bench(f"{{register: {{fault: {faults}}}}}", [meter])
        bench.run("9h", em_1=1.0)
        bench.count("em-1", 0.0)
        bench.run("1h", em_1=1.0)
        assert bench.kinds() == told


def test_a_further_fault_starts_the_time_anew() -> None:
    bench = Bench("{register: {fault: reset, good_for: 6h}}", [METER])
    bench.run("2h", em_1=10.0)
    bench.count("em-1", 0.0)
    bench.run("4h", em_1=10.0)
    bench.count("em-1", 0.0)
    bench.run("5h", em_1=10.0)
    assert bench.kinds() == ["fired"]
    bench.run("2h", em_1=10.0)
    assert bench.evidence().details == {"fault": "reset", "faults": 2}
    assert bench.kinds() == ["resolved"]


def test_another_meter_ends_it() -> None:
    swap = {"device": "em-1", "at": "2026-03-01T05:50:00Z", "final": "3.8 kWh", "first": "50 kWh"}
    bench = Bench(RULE, [METER], replacements=[swap])
    bench.run("2h", em_1=1.0)
    bench.count("em-1", 0.0)
    bench.run("3h45m", em_1=1.0)
    assert bench.kinds() == ["fired"]
    bench.count("em-1", 50.0)
    bench.run("30m", em_1=1.0)
    assert bench.kinds() == ["resolved"]


def test_noise_and_late_rows_are_no_fault() -> None:
    bench = Bench(RULE, [METER])
    bench.run("2h", em_1=1.0)
    bench.count("em-1", 101.95)
    bench.run("2h", em_1=1.0)
    assert bench.kinds() == []


def test_any_meter_fits_and_nothing_else() -> None:
    rule = RegisterFault.model_validate({"fault": "reset"})
    export = RegisterFault.model_validate({"fault": "reset", "point": "energy_export_kwh"})
    power, water = Device(id="em", kind="electricity_meter"), Device(id="wm", kind="water_meter")
    door = Device(id="d", kind="door")
    assert [rule.fits(device) for device in (power, water, door)] == ["", "", "no register"]
    assert [export.fits(device) for device in (power, water)] == ["", "no energy_export_kwh"]


def test_what_is_wrong_is_told() -> None:
    with pytest.raises(ValidationError, match="Input should be 'reset', 'backwards', 'jump', 'rollover' or 'spike'"):
        RegisterFault.model_validate({"fault": ["gone"]})


def test_it_is_described_in_words() -> None:
    words = RegisterFault.model_validate({"fault": ["reset", "jump"]}).describe()
    assert words.en == "its register shows a reset or jump, until it has counted well for 1d"
    assert words.zh == "计数器出现清零、跳变，直到正常计数 1d"
