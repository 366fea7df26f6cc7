"""What is exported is imported as exactly the same, whatever people call their devices."""

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.csvfile import write_csv
from collector.incoming import Incoming, find_table
from collector.registerfile import write_table
from collector.spreadsheet import make_workbook, read_spreadsheet
from collector.tables import DEVICES, REPLACEMENTS
from devices.register import IDENTIFIER, LINE, PLACE, TAG_VALUE, WORDS, Device, Register, Replacement

ODD = [
    "=1+1", "-1F", "'=x", "'s", "@x", "+", "007", "1e5", "a,b;c", 'a"b', "TRUE", "2000/5", "电 表", "_x0041_",
]  # fmt: skip
"""What programs change when they may."""


def texts(pattern: str) -> st.SearchStrategy[str]:
    """Texts of a form, odd ones among them, of at most 64 characters."""
    odd = st.sampled_from(ODD)
    return (odd | st.from_regex(pattern, fullmatch=True)).filter(lambda text: len(text) <= 64)


IDS = st.from_regex(IDENTIFIER, fullmatch=True).filter(lambda text: len(text) <= 64 and text != "siteward")
NUMBERS = st.floats(1e-6, 1e9)
COMMON: dict[str, st.SearchStrategy[object]] = {
    "profile": st.sampled_from(["canonical", "tasmota"]),
    "address": texts(LINE),
    "topic": texts(LINE),
    "name": st.fixed_dictionaries({"en": texts(WORDS), "zh": texts(WORDS) | st.just("两\n行")}),
    "building": texts(PLACE).filter(lambda text: not set(text) & set(",=+/\\#")),
    "floor": st.sampled_from(["-1F", "-1", "B1"]),
    "gateway": IDS,
    "interval": st.sampled_from(["15m", "30s", "1h30m"]),
    "tags": st.dictionaries(st.sampled_from(["circuit", "gateway"]), texts(TAG_VALUE)),
}
METER: dict[str, st.SearchStrategy[object]] = {
    "meter": texts(LINE),
    "metering_point": texts(LINE),
    "rolls_over_at": st.just("24 bit"),
}
KINDS: dict[str, dict[str, st.SearchStrategy[object]]] = {
    "electricity_meter": {
        **METER,
        "nominal_voltage": NUMBERS.map("{} V".format),
        "current_limit": NUMBERS.map("{} mA".format),
        "ct_ratio": st.sampled_from(["2000/5", "200 / 5"]),
    },
    "water_meter": {**METER, "flow_limit": NUMBERS.map("{} L/min".format)},
    "door": {"outside": st.just("yard"), "direction": st.sampled_from(["in", "out"])},
    "gateway": {},
}
WEIGHTS = {"electricity_meter": "1600 imp/kWh", "water_meter": "10 L"}
"""Always given, so that 24 bit mean something."""


@st.composite
def devices(draw: st.DrawFn) -> Device:
    kind = draw(st.sampled_from(sorted(KINDS)))
    fields = draw(st.fixed_dictionaries({}, optional=COMMON | KINDS[kind]))
    return Device.model_validate(
        {"id": draw(IDS), "kind": kind, "pulse_weight": WEIGHTS.get(kind, ""), **fields},
    )


@st.composite
def replacements(draw: st.DrawFn) -> Replacement:
    at = draw(st.integers(0, 4_000_000_000_000_000_000))
    entry = {
        "device": draw(IDS),
        "at": "1970-01-01T00:00:00Z",
        "final": "5 m3",
        "first": "0 L",
        "removed": draw(texts(LINE)),
    }
    return Replacement.model_validate(entry).model_copy(update={"at": at})


REGISTERS = st.builds(
    Register,
    tags=st.just(["circuit", "gateway"]),
    devices=st.lists(devices(), max_size=4),
    replacements=st.lists(replacements(), max_size=2),
)


def to_csv(register: Register, folder: Path) -> list[Path]:
    files = []
    for table in (DEVICES, REPLACEMENTS):
        files.append(folder / f"{table.key}.csv")
        files[-1].write_text(write_csv(write_table(table, register)), encoding="utf-8-sig", newline="")
    return files


def to_workbook(register: Register, folder: Path) -> list[Path]:
    file = folder / "register.xlsx"
    file.write_bytes(make_workbook({table.key: write_table(table, register) for table in (DEVICES, REPLACEMENTS)}))
    return [file]


def read_back(files: list[Path]) -> Register:
    content: dict[str, object] = {}
    for grid in (grid for file in files for grid in read_spreadsheet(file)):
        table = find_table(grid)
        assert table is not None
        sheet = Incoming(grid, table, ZoneInfo("Asia/Shanghai"))
        assert sheet.faults == []
        assert isinstance(sheet.value, dict)
        content |= sheet.value
    return Register.model_validate(content)


@pytest.mark.parametrize("write", [to_csv, to_workbook])
@given(register=REGISTERS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
def test_a_register_survives(write: Callable[[Register, Path], list[Path]], register: Register, tmp_path: Path) -> None:
    assert read_back(write(register, tmp_path)) == register
