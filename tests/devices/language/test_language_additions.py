"""What profiles say of names that hold several things, of scales beside the value, and of what is not to be read."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from devices.errors import Undecodable
from devices.formats.bytereader import compile_layout
from devices.formats.layout import Layout
from devices.language.forms import compile_form
from devices.language.openers import Toolbox
from devices.language.profile import Profile
from devices.language.selftest import check_profile
from devices.message import Record
from devices.paths import check_path
from devices.reading import Value
from tests.profilebench import EIGHT, read, read_values, refuse

POWER = {"power_kw": {"path": "power", "unit": "W"}}


# ── parts of a text ──────────────────────────────────────────────────────────────────────────────────────────────

TAGS = {
    "topics": ["gateway/{gateway}"],
    "each": "values",
    "parts": {"path": "$key", "pattern": r"^(?P<meter>M\d)_(?P<tag>.+)$"},
    "device": "{gateway}/{$part.meter}",
    "under": "$part.tag",
    "points": {"voltage_v": "U", **POWER},
}


def read_tags(payload: str, **changes: object) -> list[Record]:
    form = Profile.model_validate({"id": "p"} | TAGS | changes)
    return compile_form(form, Toolbox("UTC"), by_topic=False)(payload.encode(), EIGHT, {"gateway": "g"}) or []


def test_a_name_says_device_and_quantity() -> None:
    assert read_tags('{"values": {"M1_U": 230, "M2_power": 5, "M1_power": 7}}') == [
        (None, {"voltage_v": 230.0}, "g/M1"),
        (None, {"power_kw": 0.005}, "g/M2"),
        (None, {"power_kw": 0.007}, "g/M1"),
    ]


def test_items_whose_text_is_not_as_the_pattern_says_are_left_out() -> None:
    assert read_tags('{"values": {"uptime": 5, "M1_U": 230}}') == [(None, {"voltage_v": 230.0}, "g/M1")]
    assert read_tags('{"values": {"uptime": 5}}', may_be_empty=True) == []
    with pytest.raises(Undecodable, match="no point in the message"):
        read_tags('{"values": {"uptime": 5}}')


def test_what_is_no_text_has_no_parts() -> None:
    parts = {"path": "@", "pattern": "(?P<meter>.)(?P<tag>)"}
    assert read_tags('{"values": {"M1_U": 230}}', parts=parts, may_be_empty=True) == []


def test_a_part_that_is_not_there_finds_nothing() -> None:
    parts = {"path": "$key", "pattern": "^(?P<meter>M)(?P<tag>_)?(?P<state>.)?$"}
    changes = {"parts": parts, "under": "$part.meter", "points": {"alarm": "$part.state"}, "may_be_empty": True}
    assert read_tags('{"values": {"Mx": 1}}', **changes, device="$part.meter") == [(None, {"alarm": "x"}, "M")]
    assert read_tags('{"values": {"M": 1}}', **changes, device="$part.meter") == []


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"under": "$part.tag"}, "under: $part.tag leads nowhere: there is no `parts`"),
        (
            {"under": "$part.tags", "parts": {"path": "n", "pattern": "(?P<tag>.)"}},
            "under: $part.tags leads nowhere: the pattern of `parts` has no group tags",
        ),
        ({"parts": {"path": "n", "pattern": "(.)"}}, "expected a named group, such as (?P<power>[0-9.]+)"),
    ],
)
def test_mistakes_in_parts_are_told(form: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(problem)):
        Profile.model_validate({"id": "p", "points": POWER} | form)


# ── a unit and a scale in the message ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("payload", "source", "value"),
    [
        ('{"x": 2305, "e": -1}', {"unit": "W", "scale": {"path": "e", "power_of_ten": True}}, 0.2305),
        ('{"x": 2, "e": "3"}', {"unit": "W", "scale": {"path": "e", "power_of_ten": True}}, 2.0),
        ('{"x": 5, "e": 40}', {"scale": {"path": "e"}}, 200.0),
        ('{"x": 5, "e": 0.1, "u": "W"}', {"scale": {"path": "e"}, "unit": {"path": "u"}}, 0.0005),
    ],
)
def test_a_scale_stands_beside_the_value(payload: str, source: dict[str, object], value: float) -> None:
    [values] = read_values(payload, points={"power_kw": {"path": "x"} | source})
    assert values == {"power_kw": pytest.approx(value, rel=1e-12)}


@pytest.mark.parametrize(
    ("unit", "value"), [("kilowattHours", 5.0), (18, 0.005), ("18", 0.005), ("MWh", 5000.0), (None, None), (True, None)]
)
def test_a_unit_may_have_another_name(unit: object, value: float | None) -> None:
    points = {"energy_import_kwh": {"path": "x", "unit": {"path": "u", "map": {"kilowattHours": "kWh", 18: "Wh"}}}}
    payload = json.dumps({"x": 5, "u": unit})
    if value is None:
        assert refuse(payload, points=points) == "energy_import_kwh: no unit at u"
    else:
        assert read_values(payload, points=points) == [{"energy_import_kwh": value}]


def test_a_unit_that_the_point_cannot_have_is_refused() -> None:
    points = {"energy_import_kwh": {"path": "x", "unit": {"path": "u", "map": {1: "°C"}}}}
    assert refuse('{"x": 5, "u": 1}', points=points) == "energy_import_kwh: not a unit of this point"


def test_another_name_stands_for_a_known_unit() -> None:
    unit = {"path": "u", "map": {1: "kilowatts per fortnight"}}
    with pytest.raises(ValidationError, match=r"unit\.map\.1: 'kilowatts per fortnight' is no known unit"):
        Profile.model_validate({"id": "p", "points": {"power_kw": {"path": "x", "unit": unit}}})


def test_a_scale_comes_before_the_offset_of_a_unit() -> None:
    source = {"path": "t", "unit": "°F", "scale": {"path": "e", "power_of_ten": True}}
    [values] = read_values('{"t": 2120, "e": -1}', points={"temperature_c": source})
    assert values == {"temperature_c": pytest.approx(100.0)}


@pytest.mark.parametrize("exponent", ["null", '"x"', "true", "[]"])
def test_a_value_without_its_scale_is_refused(exponent: str) -> None:
    source = {"path": "x", "scale": {"path": "e", "power_of_ten": True}}
    assert refuse(f'{{"x": 5, "e": {exponent}}}', points={"power_kw": source}) == "power_kw: no scale at e"


@pytest.mark.parametrize("exponent", ["-32768", "400", "1e300", "13"])
def test_a_scale_that_cannot_be_is_refused(exponent: str) -> None:
    source = {"path": "x", "scale": {"path": "e", "power_of_ten": True}}
    assert refuse(f'{{"x": 5, "e": {exponent}}}', points={"power_kw": source}) == "power_kw: the scale at e cannot be"


def test_a_value_that_is_not_measured_needs_no_scale() -> None:
    source = {"path": "x", "sentinels": [-32768], "scale": {"path": "e", "power_of_ten": True}}
    assert read_values('{"x": -32768, "e": -32768}', points={"power_kw": source}, may_be_empty=True) == []


def test_a_scale_in_the_message_does_not_go_with_a_unit_in_the_text() -> None:
    with pytest.raises(ValidationError, match="scale: a path does not go with a unit that the text carries"):
        Profile.model_validate(
            {"id": "p", "points": {"power_kw": {"path": "x", "unit": "written", "scale": {"path": "e"}}}}
        )


# ── what is not to be read, and what stands inside a text ────────────────────────────────────────────────────────


def test_entries_may_be_left_out() -> None:
    entries = {"path": "data", "name": "n", "value": "v", "where": {"err": 0}}
    points = {"voltage_v": "U", "current_a": "I"}
    payload = '{"data": [{"n": "U", "v": 0, "err": 1}, {"n": "I", "v": 5, "err": "0"}]}'
    assert read_values(payload, entries=entries, points=points) == [{"current_a": 5.0}]


def test_entries_of_an_object_may_be_left_out() -> None:
    entries = {"path": "data", "value": "v", "where": {"ok": True}}
    payload = '{"data": {"U": {"v": 230, "ok": true}, "I": {"v": 5, "ok": false}}}'
    points = {"voltage_v": "U", "current_a": "I"}
    assert read_values(payload, entries=entries, points=points) == [{"voltage_v": 230.0}]


def test_within_opens_a_text_that_is_json() -> None:
    payload = json.dumps({"d": json.dumps({"m1": {"power": 5}, "m2": {"power": 7}})})
    form: dict[str, Any] = {"topics": ["g"], "within": "d", "each": "@", "device": "$key", "points": POWER}
    assert read(payload, by_topic=False, **form) == [
        (None, {"power_kw": 0.005}, "m1"),
        (None, {"power_kw": 0.007}, "m2"),
    ]
    assert refuse('{"d": "no JSON"}', **form) == "payload is not JSON"


# ── several readings in a text ───────────────────────────────────────────────────────────────────────────────────

LINES = {"pattern": r"(?m)^m,id=(?P<id>\w+) p=(?P<power>[0-9]+)$", "all": True}


def test_a_pattern_may_be_found_several_times() -> None:
    form: dict[str, Any] = {"topics": ["t"], "format": "text", "text": LINES, "device": "id", "points": POWER}
    text = "m,id=a p=5\nother,id=x q=1\nm,id=b p=7\n"
    assert read(text, by_topic=False, **form) == [(None, {"power_kw": 0.005}, "a"), (None, {"power_kw": 0.007}, "b")]
    assert refuse("other", **form) == "text: the pattern is not found"


def test_many_places_do_not_add_up_to_a_long_time() -> None:
    text = {"pattern": "(?P<power>(a+)+[bc])", "all": True}
    payload = ("a" * 13 + "d" + "ac\n") * 5000
    reason = "a regular expression of the profile takes too long on this text"
    assert refuse(payload, format="text", text=text, points=POWER) == reason


def test_there_is_an_end_to_readings_in_a_text() -> None:
    text = {"pattern": "(?P<power>5)", "all": True}
    assert len(read_values("5" * 10_000, format="text", text=text, points=POWER)) == 10_000
    assert refuse("5" * 10_001, format="text", text=text, points=POWER) == (
        "text: the pattern is found more than 10000 times"
    )


# ── digits ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("number", "pattern"),
    [(261122080000, "%y%m%d%H%M%S"), (20261122080000, "%Y%m%d%H%M%S"), (202611220800, "%Y%m%d%H%M")],
)
def test_a_time_may_be_a_number(number: int, pattern: str) -> None:
    [(moment, *_)] = read(f'{{"t": {number}, "power": 5}}', time={"path": "t", "format": pattern}, points=POWER) or []
    assert moment is not None
    assert moment[0] == EIGHT


def test_a_number_has_lost_its_zeros_in_front() -> None:
    time = {"path": "t", "format": "%d%m%Y%H%M"}
    [(moment, *_)] = read('{"t": 11120260800, "power": 5}', time=time, points=POWER) or []
    assert moment is not None
    assert moment[0] == EIGHT - 21 * 86_400 * 10**9  # 1 November


@pytest.mark.parametrize(("raw", "pattern"), [("261122", "%Y-%m-%d"), ("-1", "%y%m%d"), ("5.5", "%y%m%d")])
def test_other_numbers_are_no_times(raw: str, pattern: str) -> None:
    reason = refuse(f'{{"t": {raw}, "power": 5}}', time={"path": "t", "format": pattern}, points=POWER)
    assert reason == f"time: expected a text such as {pattern}"


def test_digits_of_an_address_may_come_last_first() -> None:
    fields = [{"name": "number", "type": "hex", "length": 4, "byte_order": "little"}, {"name": "rest", "type": "hex"}]
    layout = Layout.model_validate({"byte_order": "little", "fields": fields})
    assert compile_layout(layout)(bytes.fromhex("785634000102")) == {"number": "00345678", "rest": "0102"}


def test_a_hex_without_length_has_no_order() -> None:
    with pytest.raises(ValidationError, match="byte_order: only of numbers"):
        Layout.model_validate({"fields": [{"name": "rest", "type": "hex", "byte_order": "little"}]})


# ── what is said of mistakes ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["a + b", "a * `2`", "a/b"])
def test_paths_do_not_calculate(path: str) -> None:
    with pytest.raises(ValueError, match="it has no arithmetic; a point has `sum` and `scale`"):
        check_path(path)


@pytest.mark.parametrize("raw", ["1", '"yes"'])
def test_what_is_no_flag_is_for_a_map(raw: str) -> None:
    with pytest.raises(Undecodable, match="what else stands there is for a map") as raised:
        read(f'{{"x": {raw}}}', points={"leak": "x"})
    assert raised.value.reason.startswith("leak: expected true or false, got a ")


@pytest.mark.parametrize(
    ("payload", "form", "hint"),
    [
        ('{"w": 5, "v": 230}', {}, "the profile finds none of its points among the keys w, v"),
        (
            json.dumps({f"key{number}": 1 for number in range(9)}),
            {},
            "the profile finds none of its points among the keys key0, key1, key2, key3, key4, key5, key6, key7, …",
        ),
        ("5", {"format": "value"}, "the profile finds none of its points; the path of a value alone is @"),
        ("{}", {}, "the profile finds none of its points"),
        ("[]", {}, "the profile finds none of its points"),
    ],
)
def test_where_no_point_is_found_the_keys_are_told(payload: str, form: dict[str, Any], hint: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read(payload, points=POWER, **form)
    assert raised.value.reason == "no point in the message"
    assert raised.value.hint == hint


def test_the_key_around_an_item_is_no_path_of_it() -> None:
    with pytest.raises(ValueError, match="leads nowhere; known are"):
        check_path("$up.$key")


# ── the recipes of docs/profiles.md ──────────────────────────────────────────────────────────────────────────────

PAGE = (Path(__file__).parents[3] / "docs" / "profiles.md").read_text(encoding="utf-8")
RECIPES = {
    row[1].strip(): (re.findall("`([^`]+)`", row[2])[0], re.findall("`([^`]+)`", row[3])[0])
    for row in (line.split("|") for line in PAGE.partition("## How do I read")[2].splitlines() if "`" in line)
}
"""The payload and the profile of each row of the table."""

WANTED: dict[str, list[tuple[str, dict[str, Value]]]] = {
    "a bare value on each topic": [("m1", {"power_kw": 0.23})],
    "a quantity a message, named in it": [("m1", {"power_kw": 0.23})],
    "names and values in a list": [("m1", {"voltage_l1_v": 230.1})],
    "devices as keys": [("m1", {"time": "2026-11-22T08:00:00Z", "power_kw": 0.23})],
    "several devices in a list": [("m1/1", {"power_kw": 0.23}), ("m1/2", {"power_kw": 0.005})],
    "device and quantity in one name": [("m1", {"power_kw": 0.23})],
    "JSON inside a text": [("m1", {"power_kw": 0.23})],
    "the unit beside the value": [("m1", {"energy_import_kwh": 1.5})],
    "the scale beside the value": [("m1", {"power_kw": 0.2305})],
    "a counter of pulses": [("m1", {"volume_m3": 1042.0})],
    "bits of a status word": [("m1", {"leak": True, "tamper": True})],
    "codes of events": [("m1", {"event": "granted", "credential": "4711"})],
    "OBIS codes": [("m1", {"energy_import_kwh": 1234.5})],
    "bytes as hex in JSON": [("0042", {"volume_m3": 1.0, "leak": True})],
}
"""What each recipe reads of the message beside it, on topic acme/m1 or the recipe's own."""


def test_every_recipe_is_tried() -> None:
    assert RECIPES.keys() == WANTED.keys()


@pytest.mark.parametrize("name", WANTED)
def test_a_recipe_reads_the_message_beside_it(name: str) -> None:
    payload, keys = RECIPES[name]
    profile = {"id": "p"} | yaml.safe_load(keys)
    topic = profile["topics"][0].replace("{quantity}", "power")
    test: dict[str, object] = {
        "topic": re.sub(r"\{\w+\}", "m1", topic),
        "payload": payload,
        "readings": [{"device": device, **values} for device, values in WANTED[name]],
    }
    assert check_profile(Profile.model_validate(profile | {"tests": [test]})) == []
