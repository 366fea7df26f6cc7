from devices.counting.facts import find_facts
from devices.counting.steps import CounterFacts, Replacement
from devices.durations import NANOSECONDS
from devices.register import Register

NOON = 1_772_366_400_000_000_000  # 2026-03-01T12:00:00Z

REGISTER = Register.model_validate(
    {
        "devices": [
            {
                "id": "em-1", "kind": "electricity_meter", "interval": "15m", "nominal_voltage": "230 V",
                "current_limit": "200 A", "ct_ratio": "200/5", "rolls_over_at": "1000000 kWh",
            },
            {
                "id": "wm-1", "kind": "water_meter",
                "flow_limit": "30 L/h", "pulse_weight": "10 L", "rolls_over_at": "24 bit",
            },
            {"id": "wm-2", "kind": "water_meter"},
        ],
        "replacements": [
            {"device": "em-1", "at": "2026-03-01T20:00:00+08:00", "final": "500 kWh", "first": "1 MWh"},
            {"device": "em-1", "at": "2025-03-01T20:00:00+08:00", "final": "7 kWh", "first": "0 kWh"},
            {"device": "em-1", "at": "2026-03-01T12:00:00Z", "final": "3 kWh", "first": "4 kWh",
             "point": "energy_export_kwh"},
            {"device": "wm-1", "at": "2026-03-01T12:00:00Z", "final": "99.5 m3", "first": "2 L", "point": "volume_m3"},
        ],
    },
)  # fmt: skip


def facts(device: str, point: str) -> CounterFacts:
    return find_facts(REGISTER, REGISTER.by_id()[device], point)


def test_an_electricity_meter_behind_transformers() -> None:
    """40 times what its display shows, and three phases of 230 V and 200 A."""
    assert facts("em-1", "energy_import_kwh") == CounterFacts(
        rolls_over_at=40_000_000.0,
        rate_max_per_h=138.0,
        interval_ns=15 * NANOSECONDS["m"],
        replacements=(
            Replacement(NOON - 365 * NANOSECONDS["d"], 280.0, 0.0),
            Replacement(NOON, 20_000.0, 40_000.0),
        ),
    )


def test_each_of_its_registers_has_its_own_replacements() -> None:
    assert facts("em-1", "energy_export_kwh").replacements == (Replacement(NOON, 120.0, 160.0),)


def test_a_water_meter() -> None:
    assert facts("wm-1", "volume_m3") == CounterFacts(167_772.16, 0.03, None, (Replacement(NOON, 99.5, 0.002),))
    assert facts("wm-1", "backflow_m3") == CounterFacts(167_772.16, 0.03, None, ())


def test_a_meter_of_which_nothing_is_known() -> None:
    assert facts("wm-2", "volume_m3") == CounterFacts()
