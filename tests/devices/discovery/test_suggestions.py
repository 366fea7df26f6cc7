"""Suggested ids are free and valid in any script; the kind follows from the points."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.discovery.suggestions import suggest_id, suggest_kind
from devices.register import IDENTIFIER, Kind


@pytest.mark.parametrize(
    ("called", "kind", "taken", "suggested"),
    [
        ("plug7", "electricity_meter", [], "plug7"),
        ("hall/plug 7", "electricity_meter", [], "hall-plug-7"),
        ("Zähler-Küche", "electricity_meter", [], "em-Zahler-Kuche"),
        ("宿舍3号楼电表", "electricity_meter", [], "em-3"),
        ("水表", "water_meter", [], "wm-1"),
        ("水表", "water_meter", ["wm-1", "wm-2"], "wm-3"),
        ("plug7", "sensor", ["plug7"], "plug7-2"),
        ("meter-1", "sensor", ["meter-1"], "meter-2"),
        ("siteward", "gateway", [], "siteward-2"),
        ("_x_", "door", [], "x"),
        ("...", "door", [], "door-1"),
        ("x" * 100, "sensor", [], "x" * 48),
    ],
)
def test_an_id_is_made_of_what_a_device_is_called(called: str, kind: Kind, taken: list[str], suggested: str) -> None:
    assert suggest_id(called, kind, taken) == suggested


@given(st.text(), st.sets(st.text(max_size=3)))
def test_an_id_is_always_valid_and_free(called: str, taken: set[str]) -> None:
    suggested = suggest_id(called, "sensor", taken)
    assert re.fullmatch(IDENTIFIER, suggested)
    assert len(suggested) <= 64
    assert suggested not in taken


@pytest.mark.parametrize(
    ("points", "kind"),
    [
        (["energy_import_kwh", "temperature_c"], "electricity_meter"),
        (["volume_m3", "battery_percent"], "water_meter"),
        (["leak"], "sensor"),
        (["door", "tamper"], "door"),
        (["event", "credential"], "door"),
        (["tamper", "temperature_c"], "sensor"),
        (["uptime_s", "rssi_dbm"], "gateway"),
        ([], "sensor"),
    ],
)
def test_the_kind_follows_from_the_points(points: list[str], kind: Kind) -> None:
    assert suggest_kind(points) == kind
