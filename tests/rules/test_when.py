import pytest
from pydantic import ValidationError

from devices.register import Device
from rules.conditions.silent import Silent
from rules.conditions.threshold import Threshold
from rules.when import When
from tests.rulebench import at, make_engine, reading

HIGH = {"threshold": {"point": "voltage_v", "above": "253 V"}}
OPEN = {"threshold": {"point": "door", "equals": "open"}}
MUTE = {"silent": {"for": "1h"}}


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({}, "expected one condition, got none; combine several with all or any"),
        ({**HIGH, **MUTE}, "expected one condition, got threshold and silent; combine several with all or any"),
        ({"all": [HIGH], "not": OPEN}, "expected one condition, got all and not"),
        ({"any": []}, "at least 1 item"),
        ({"treshold": {}}, "treshold"),
    ],
)
def test_one_condition_stands_in_one_place(when: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        When.model_validate(when)
    assert message in str(caught.value)


def test_every_condition_of_the_tree_is_found() -> None:
    when = When.model_validate({"all": [HIGH, {"any": [OPEN, {"not": MUTE}]}]})
    assert [type(condition) for condition in when.conditions()] == [Threshold, Threshold, Silent]
    assert not when.is_silence
    assert When.model_validate(MUTE).is_silence


def test_a_device_must_fit_every_condition() -> None:
    share = {"threshold": {"point": "voltage_v", "above": "110 % of nominal_voltage"}}
    when = When.model_validate({"any": [HIGH, {"not": share}]})
    assert when.fits(Device.model_validate({"id": "a", "kind": "electricity_meter"})) == "no nominal_voltage"
    rated = {"id": "a", "kind": "electricity_meter", "nominal_voltage": "230 V"}
    assert when.fits(Device.model_validate(rated)) == ""


@pytest.mark.parametrize(
    ("when", "en", "zh"),
    [
        (HIGH, "voltage_v is above 253 V", "voltage_v 高于 253 V"),
        ({"all": [HIGH]}, "voltage_v is above 253 V", "voltage_v 高于 253 V"),
        (
            {"all": [HIGH, {"any": [OPEN, MUTE]}]},
            "voltage_v is above 253 V and (door is open or nothing arrives for 1h)",
            "voltage_v 高于 253 V，并且（door 为 open，或者设备持续 1h 无数据上报）",
        ),
        (
            {"not": {"all": [HIGH, OPEN]}},
            "it is not so that (voltage_v is above 253 V and door is open)",
            "并非（voltage_v 高于 253 V，并且 door 为 open）",
        ),
        ({"not": OPEN}, "it is not so that door is open", "并非 door 为 open"),
    ],
)
def test_a_tree_in_words(when: dict[str, object], en: str, zh: str) -> None:
    text = When.model_validate(when).describe()
    assert (text.en, text.zh) == (en, zh)


def test_every_condition_can_be_written_and_described() -> None:
    properties = When.model_json_schema(by_alias=True)["$defs"]["When"]["properties"]
    for name, field in When.model_fields.items():
        assert field.description, name
        assert (field.alias or name) in properties


def test_what_cannot_be_said_may_not_matter() -> None:
    rule = (
        "- {id: r, when: {any: [{threshold: {point: leak, equals: true}}, {threshold: {point: flood, equals: true}}]}}"
    )
    engine = make_engine(rule, [{"id": "a", "kind": "sensor"}])
    (fired,) = engine.evaluate(reading("a", "2026-03-01 08:00", flood=True))
    assert (fired.kind, fired.at, fired.evidence.point) == ("fired", at("2026-03-01 08:00"), "flood")
    (resolved,) = engine.evaluate(reading("a", "2026-03-01 08:01", flood=False))  # it has never said `leak`
    assert resolved.kind == "resolved"
