import pytest
from pydantic import ValidationError

from rules.alerts import Subject
from rules.conditions.stuck import Stuck
from tests.rulebench import at, make_engine, make_site, reading
from tests.rules.conditions.alone import Alone

SENSOR = {"id": "a", "kind": "sensor"}
RULE = "- {id: stuck, when: {stuck: {point: temperature_c, for: 1h}}}"


def test_the_same_value_for_so_long_while_readings_come() -> None:
    engine = make_engine(RULE, [SENSOR])
    for minute in (0, 20, 40):
        assert engine.evaluate(reading("a", f"2026-03-01 08:{minute:02}", temperature_c=21.5)) == []
    (fired,) = engine.evaluate(reading("a", "2026-03-01 09:00", temperature_c=21.5))
    assert fired.evidence.value == 21.5
    assert fired.evidence.details == {"since": "2026-03-01T08:00:00Z", "unchanged_s": 3600.0}
    (resolved,) = engine.evaluate(reading("a", "2026-03-01 09:20", temperature_c=21.6))
    assert resolved.at == at("2026-03-01 09:20")


def test_silence_is_not_stuck() -> None:
    engine = make_engine(RULE, [SENSOR])
    for clock in ("08:00", "08:20", "08:51", "09:20", "09:50"):  # 31 minutes without any
        assert engine.evaluate(reading("a", f"2026-03-01 {clock}", temperature_c=21.5)) == []
    assert engine.advance(at("2026-03-01 20:00")) == []


def test_zero_is_off_and_not_stuck() -> None:
    engine = make_engine(RULE, [SENSOR])
    for hour in range(8, 12):
        for minute in (0, 20, 40):
            assert engine.evaluate(reading("a", f"2026-03-01 {hour:02}:{minute:02}", temperature_c=0)) == []


def test_a_register_is_stuck_only_while_something_is_used() -> None:
    rule = """
    - id: stuck
      when: {all: [{stuck: {point: energy_import_kwh, for: 1h}}, {threshold: {point: power_kw, above: 1 kW}}]}
    """
    engine = make_engine(rule, [{"id": "a", "kind": "electricity_meter"}])
    for minute in range(0, 120, 20):
        clock = f"2026-03-01 {8 + minute // 60:02}:{minute % 60:02}"
        assert engine.evaluate(reading("a", clock, energy_import_kwh=100, power_kw=0.1)) == []
    (fired,) = engine.evaluate(reading("a", "2026-03-01 10:00", energy_import_kwh=100, power_kw=3))
    assert fired.evidence.point == "energy_import_kwh"


def test_a_late_value_that_differs_contradicts_it() -> None:
    node = Alone(Stuck.model_validate({"point": "co2_ppm", "for": "1h"}), make_site([SENSOR]), Subject("device", "a"))
    node.hear(reading("a", "2026-03-01 08:00", co2_ppm=400))
    assert node.node.recall("a", "co2_ppm", 401.0, True) is False
    assert node.node.recall("a", "co2_ppm", 400.0, True) is None
    assert node.node.recall("a", "temperature_c", 401.0, True) is True
    assert node.node.recall("b", "co2_ppm", 401.0, True) is None


def test_words_do_not_get_stuck() -> None:
    with pytest.raises(ValidationError, match="door is no number"):
        Stuck.model_validate({"point": "door", "for": "1h"})


def test_in_words() -> None:
    text = Stuck.model_validate({"point": "co2_ppm", "for": "1h"}).describe()
    assert text.en == "co2_ppm stays exactly the same, and not 0, for 1h while readings come"
    assert text.zh == "co2_ppm 在持续上报的情况下 1h 内数值完全不变（0 除外）"
