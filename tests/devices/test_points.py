from devices.points import POINT_KINDS, POINTS
from devices.quantities import known_unit

SUFFIXES = {
    "kWh": "kwh", "kW": "kw", "kvar": "kvar", "kVA": "kva", "V": "v", "A": "a", "Hz": "hz", "m³": "m3",
    "m³/h": "m3_per_h", "bar": "bar", "°C": "c", "ppm": "ppm", "%": "percent", "dBm": "dbm", "dB": "db", "s": "s",
}  # fmt: skip


def test_a_name_carries_its_unit() -> None:
    for name, point in POINTS.items():
        assert name == point.name
        if point.unit:
            assert name.endswith(f"_{SUFFIXES[point.unit]}"), name
            assert known_unit(point.unit)


def test_only_numbers_have_units() -> None:
    assert {point.name for point in POINTS.values() if point.type is float and not point.unit} == {
        "power_factor",
        "occupancy",
    }
    assert not [point.name for point in POINTS.values() if point.type is not float and point.unit]


def test_kinds() -> None:
    assert {point.kind for point in POINTS.values()} == POINT_KINDS.keys()
    assert [point.name for point in POINTS.values() if point.kind == "register"] == [
        "energy_import_kwh",
        "energy_export_kwh",
        "volume_m3",
        "backflow_m3",
    ]
    assert {point.type for point in POINTS.values() if point.kind in {"register", "gauge"}} == {float}
    assert not [point.name for point in POINTS.values() if point.kind in {"state", "event"} and point.type is float]
