"""What a profile may say."""

import pytest
from pydantic import ValidationError

from devices.profile import PointSource, Profile


def test_a_text_alone_is_a_points_path() -> None:
    profile = Profile.model_validate({"id": "p", "points": {"power_kw": "power"}})
    assert profile.points == {"power_kw": PointSource(path="power")}


def test_values_of_maps_and_sentinels_keep_their_kind() -> None:
    source = PointSource.model_validate({"path": "x", "map": {True: "open", "1": "closed"}, "sentinels": [65535, "-"]})
    assert [(type(there), value) for there, value in source.map.items()] == [(bool, "open"), (str, "closed")]
    assert [type(value) for value in source.sentinels] == [int, str]


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        ({"id": "a b"}, ("id",), "String should match pattern"),
        ({"extra": 1}, ("extra",), "Extra inputs are not permitted"),
        ({"points": {}}, (), "points: needed for format json"),
        ({"points": {"power": "p"}}, ("points", "power", "[key]"), "'power' is no point; did you mean power_kw?"),
        ({"points": {"qqqq": "p"}}, ("points", "qqqq", "[key]"), "'qqqq' is no point; see the list of points"),
        ({"points": {"power_kw": "a["}}, ("points", "power_kw", "path"), "expected JMESPath: Invalid jmespath"),
        ({"points": {"power_kw": "nope(@)"}}, ("points", "power_kw", "path"), "expected JMESPath: Unknown function"),
        ({"points": {"power_kw": ""}}, ("points", "power_kw", "path"), "String should have at least 1 character"),
        ({"points": {"power_kw": 5}}, ("points", "power_kw"), "Input should be a valid dictionary"),
        ({"points": {"power_kw": {"path": "p", "scale": 0}}}, (), "points.power_kw.scale: expected a size between"),
        ({"points": {"leak": {"path": "p", "scale": 2}}}, (), "points.leak.scale: only for numbers"),
        (
            {"points": {"power_kw": {"path": "p", "scale": 2, "map": {"a": 1}}}},
            (),
            "points.power_kw.scale: only for numbers",
        ),
        (
            {"points": {"door": {"path": "p", "map": {"a": "ajar"}}}},
            (),
            "points.door.map: door: not one of its words (expected one of closed, open)",
        ),
        (
            {"points": {"leak": {"path": "p", "map": {"a": 1}}}},
            (),
            "points.leak.map: leak: expected true or false, got a number",
        ),
        ({"topics": ["tele/+/SENSOR"]}, ("topics", 0), "expected {device} once"),
        ({"each": "a["}, ("each",), "expected JMESPath"),
        ({"time": {"path": "t", "format": "iso"}}, ("time", "format"), "Input should be 'rfc3339'"),
        (
            {"time": {"path": "t", "format": "local", "zone": "Berlin"}},
            ("time", "zone"),
            "expected a time zone such as",
        ),
        (
            {"time": {"path": "t", "format": "epoch_s", "zone": "Europe/Berlin"}},
            ("time",),
            "zone: belongs to format local, not epoch_s",
        ),
        ({"format": "canonical"}, (), "points: belongs to format json"),
        ({"format": "canonical", "points": {}, "each": "a"}, (), "each: belongs to format json"),
        ({"tests": [{"payload": "1", "readings": []}]}, ("tests", 0, "readings"), "List should have at least 1 item"),
    ],
)
def test_mistakes_are_told_with_their_place(
    change: dict[str, object],
    place: tuple[str | int, ...],
    reason: str,
) -> None:
    with pytest.raises(ValidationError) as raised:
        Profile.model_validate({"id": "p", "points": {"power_kw": "power"}} | change)
    [error] = raised.value.errors()
    assert error["loc"] == place
    assert error["msg"].removeprefix("Value error, ").startswith(reason)


def test_the_schema_takes_a_path_or_a_source() -> None:
    schema = Profile.model_json_schema()
    entry = schema["properties"]["points"]["additionalProperties"]
    assert entry == {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/PointSource"}]}
