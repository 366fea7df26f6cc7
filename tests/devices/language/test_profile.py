"""What a profile may say, and what is said of mistakes. How configuration files show them: tests/collector/wrong."""

import pytest
from pydantic import ValidationError

from devices.language.profile import Profile
from devices.language.sources import PointSource
from devices.misfits import Misfit


def refuse(**profile: object) -> tuple[tuple[str | int, ...], str]:
    """Where the first mistake is, and what is said of it."""
    with pytest.raises(ValidationError) as raised:
        Profile.model_validate({"id": "p"} | profile)
    error = raised.value.errors()[0]
    return error["loc"], error["msg"].removeprefix("Value error, ")


def refuse_source(point: str, source: dict[str, object]) -> str:
    """What is said of a point's source; the mistake may be found in the source itself or in its form."""
    place, message = refuse(points={point: source})
    assert place in {(), ("points", point, 0), ("points", point, 0, *place[3:])}
    return message


def test_a_text_alone_is_a_points_path_and_one_source_needs_no_list() -> None:
    profile = Profile.model_validate(
        {"id": "p", "points": {"power_kw": "power", "voltage_v": {"path": "u"}, "current_a": ["i", {"path": "j"}]}}
    )
    assert profile.points == {
        "power_kw": [PointSource(path="power")],
        "voltage_v": [PointSource(path="u")],
        "current_a": [PointSource(path="i"), PointSource(path="j")],
    }


def test_values_of_maps_and_sentinels_keep_their_kind() -> None:
    source = PointSource.model_validate({"path": "x", "map": {True: "open", "1": "closed"}, "sentinels": [65535, "-"]})
    assert [(type(there), value) for there, value in source.map.items()] == [(bool, "open"), (str, "closed")]
    assert [type(value) for value in source.sentinels] == [int, str]


def test_a_profile_has_one_form_or_several() -> None:
    one = Profile.model_validate({"id": "p", "topics": ["a/{device}"], "points": {"leak": "leak"}})
    assert [form.topics for form in one.forms] == [["a/{device}"]]
    several = Profile.model_validate(
        {"id": "p", "messages": [{"points": {"leak": "leak"}}, {"topics": ["a/{device}"], "ignore": "a sign of life"}]}
    )
    assert [(form.topics, form.ignore) for form in several.forms] == [([], ""), (["a/{device}"], "a sign of life")]


def test_codecs_are_read_from_beside_the_profile() -> None:
    lorawan = {"format": "lorawan", "codec": "vendor.js", "points": {"leak": "leak"}}
    one = Profile.model_validate({"id": "p"} | lorawan).with_codecs(lambda name: f"// {name}")
    assert one.codec is not None
    assert (one.codec.file, one.codec.source) == ("vendor.js", "// vendor.js")
    several = Profile.model_validate({"id": "p", "messages": [lorawan, {"ignore": "x"}]}).with_codecs(str.upper)
    assert [form.codec and form.codec.source for form in several.forms] == ["VENDOR.JS", None]


@pytest.mark.parametrize(
    ("form", "named"),
    [
        ({"topics": ["a/{device}"]}, True),
        ({"topics": ["a/{node}/up"], "device": "{node}"}, False),
        ({"topics": ["a/{device}/up"], "device": "id"}, False),
        ({"topics": ["spBv1.0/{group}/{type}/{node}/{device}"], "format": "sparkplug_b"}, False),
        ({"topics": ["app/{device}/up"], "format": "lorawan"}, True),
        ({"topics": ["app/+/up"], "format": "lorawan"}, False),
    ],
)
def test_a_topic_names_the_device_unless_the_message_does(form: dict[str, object], named: bool) -> None:
    profile = Profile.model_validate({"id": "p", "points": {"leak": "leak"}} | form)
    assert profile.is_named_by(profile.topics[0]) is named


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────────────────────────

POINTS = {"power_kw": "power"}
LAYOUT = {"fields": [{"name": "x", "type": "uint8"}]}


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({}, "points: needed, unless such messages are to be ignored (`ignore`)"),
        ({"format": "csv", "points": POINTS}, "csv: needed for format csv"),
        ({"format": "text", "points": POINTS}, "text: needed for format text"),
        ({"csv": {"columns": ["a"]}, "points": POINTS}, "csv: belongs to format csv"),
        ({"format": "value", "pairs": {}, "points": POINTS}, "pairs: belongs to format pairs"),
        ({"format": "binary", "points": POINTS}, "layout: needed for format binary, or codec"),
        (
            {"format": "binary", "layout": LAYOUT, "codec": "a.js", "points": POINTS},
            "codec: does not go with layout; one of them reads the bytes",
        ),
        ({"layout": LAYOUT, "points": POINTS}, "bytes: needed, to say where the layout finds them"),
        ({"codec": "a.js", "points": POINTS}, "bytes: needed, to say where the codec finds them"),
        ({"bytes": {"path": "data", "encoding": "hex"}, "points": POINTS}, "bytes: needs a layout or a codec"),
        ({"bytes": {"encoding": "hex"}, "layout": LAYOUT, "points": POINTS}, "bytes.path: needed for format json"),
        (
            {"bytes": {"path": "data"}, "layout": LAYOUT, "points": POINTS},
            "bytes.encoding: expected hex or base64, for bytes in JSON",
        ),
        (
            {"format": "binary", "bytes": {"path": "data"}, "layout": LAYOUT, "points": POINTS},
            "bytes.path: belongs to format json; here the payload itself is the bytes",
        ),
        (
            {"format": "binary", "bytes": {"port": "p"}, "layout": LAYOUT, "points": POINTS},
            "bytes.port: belongs to format json; here the payload itself is the bytes",
        ),
        ({"format": "lorawan", "bytes": {"path": "data"}, "points": POINTS}, "bytes: does not go with format lorawan"),
        ({"format": "value", "layout": LAYOUT, "points": POINTS}, "layout: does not go with format value"),
        ({"format": "dsmr", "codec": "a.js"}, "codec: does not go with format dsmr"),
        ({"format": "canonical", "points": POINTS}, "points: the canonical payload says all by itself"),
        ({"format": "canonical", "when": {"a": 1}}, "when: the canonical payload says all by itself"),
        ({"ignore": "a sign of life", "points": POINTS}, "points: such messages are ignored"),
        ({"where": {"a": 1}, "points": POINTS}, "where: belongs to each"),
        (
            {"topics": ["tele/+/SENSOR"], "points": POINTS},
            "topics.0: 'tele/+/SENSOR' does not name the device; write {device} for that level, or say `device`",
        ),
        ({"device": "id", "points": POINTS}, "device: without `topics` every device has a topic of its own"),
        ({"points": {"power_kw": "$key"}}, "points.power_kw.0.path: $key leads nowhere without each"),
        ({"points": {"power_kw": "$index"}}, "points.power_kw.0.path: $index leads nowhere without each"),
        ({"when": {"$port": 1}, "points": POINTS}, "when: $port leads nowhere without bytes.port"),
        (
            {"topics": ["a/{device}"], "under": "$topic.kind", "points": POINTS},
            "under: $topic.kind leads nowhere: topic 'a/{device}' has no part {kind}",
        ),
        (
            {"points": {"power_kw": ["a", {"path": "b", "when": {"$topic.kind": "x"}}]}},
            "points.power_kw.1.when: $topic.kind leads nowhere: without `topics` every device has a topic of its own",
        ),
        (
            {"intervals": {"path": "d", "every": "5m", "newest": "first", "point": "volume_m3"}, "points": POINTS},
            "intervals.point: 'volume_m3' is none of the form's points",
        ),
        (
            {"intervals": {"path": "d", "every": "5m", "newest": "first", "point": "power_kw"}, "points": POINTS},
            "intervals.point: expected a register, and power_kw is a gauge",
        ),
        (
            {
                "intervals": {"path": "d", "every": "5m", "newest": "last", "point": "volume_m3", "unit": "kWh"},
                "points": {"volume_m3": "v"},
            },
            "intervals.unit: expected a unit of volume (m³, L, mL, ft³, gal), got 'kWh', which is active energy",
        ),
        (
            {
                "intervals": {"path": "d", "every": "5m", "newest": "last", "point": "volume_m3", "scale": 0},
                "points": {"volume_m3": "v"},
            },
            "intervals.scale: expected a size between 1e-12 and 1e+12",
        ),
        (
            {
                "intervals": {"path": "d", "every": "5m", "newest": "last", "point": "volume_m3"},
                "points": {"volume_m3": {"path": "v", "unit": "pulse"}},
            },
            "intervals.unit: pulse goes for the point and the differences, or for neither",
        ),
    ],
)
def test_the_parts_of_a_form_must_agree(form: dict[str, object], reason: str) -> None:
    assert refuse(**form) == ((), reason)
    assert refuse(messages=[form]) == (("messages", 0), reason)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({}, "expected path, sum or value"),
        ({"path": None}, "expected path, sum or value"),
        ({"path": "a", "sum": ["b"]}, "expected path, sum or value, one of them only, got path and sum"),
        ({"value": 5, "scale": 2}, "scale: does not go with a constant value"),
        ({"path": "a", "scale": 0}, "scale: expected a size between 1e-12 and 1e+12"),
        ({"path": "a", "otherwise": 5}, "otherwise: belongs to map"),
        ({"path": "a", "map": {"x": 1}, "unit": "W"}, "unit: only for numbers that are not mapped"),
        ({"path": "a", "pattern": "("}, "expected a regular expression: missing ) at position 1"),
        ({"path": "a", "pattern": "P=.*"}, "expected one group in ( ), got 0"),
        ({"path": "a", "bit": 64}, "Input should be less than or equal to 63"),
        (
            {"path": "a", "unit": "Wh"},
            "points.power_kw.0.unit: expected a unit of active power (kW, W, MW), got 'Wh', which is active energy",
        ),
        (
            {"path": "a", "unit": "Watt"},
            "points.power_kw.0.unit: expected a unit of active power (kW, W, MW), got 'Watt'",
        ),
        ({"path": "a", "unit": "pulse"}, "points.power_kw.0.unit: pulse is for registers, and power_kw is none"),
        ({"path": "a", "bit": 3}, "points.power_kw.0.bit: gives true or false, and power_kw takes a number; add a map"),
        ({"path": "a", "map": {"x": "y"}}, "points.power_kw.0.map.x: power_kw takes a number, not 'y'"),
        ({"value": "on"}, "points.power_kw.0.value: power_kw takes a number, not 'on'"),
        ({"path": "a", "default": "on"}, "points.power_kw.0.default: expected a number, got a text"),
    ],
)
def test_the_parts_of_a_numbers_source_must_agree(source: dict[str, object], reason: str) -> None:
    assert refuse_source("power_kw", source).startswith(reason)


@pytest.mark.parametrize(
    ("point", "source", "reason"),
    [
        ("leak", {"path": "a", "scale": 2}, "points.leak.0.scale: only for numbers, and leak is none"),
        ("leak", {"path": "a", "unit": "L"}, "points.leak.0.unit: only for numbers, and leak is none"),
        ("leak", {"path": "a", "combine": "sum"}, "points.leak.0.combine: only for numbers, and leak is none"),
        ("leak", {"sum": ["a"]}, "points.leak.0.sum: only for numbers, and leak is none"),
        (
            "door",
            {"path": "a", "map": {"x": "ajar"}},
            "points.door.0.map.x: door takes closed or open, not 'ajar'",
        ),
        (
            "leak",
            {"path": "a", "map": {"x": 1}},
            "points.leak.0.map.x: leak takes true or false, not 1",
        ),
        (
            "leak",
            {"path": "a", "map": {"x": True}, "otherwise": "no"},
            "points.leak.0.otherwise: leak takes true or false, not 'no'",
        ),
        ("leak", {"path": "a", "map": {"x": True}, "default": "y"}, "points.leak.0.default: a value that the"),
        ("door", {"path": "a", "bit": 0}, "points.door.0.bit: gives true or false, and door takes a text; add a map"),
    ],
)
def test_the_parts_of_other_sources_must_agree(point: str, source: dict[str, object], reason: str) -> None:
    assert refuse_source(point, source).startswith(reason)


def test_all_that_does_not_go_together_is_told_at_once() -> None:
    with pytest.raises(ValidationError) as raised:
        Profile.model_validate(
            {"id": "p", "csv": {"columns": ["a"]}, "where": {"a": 1}, "points": {"leak": {"value": 1}}}
        )
    [error] = raised.value.errors()
    assert error["ctx"]["error"].misfits == (
        Misfit(("points", "leak", 0, "value"), "leak takes true or false, not 1"),
        Misfit(("csv",), "belongs to format csv"),
        Misfit(("where",), "belongs to each"),
    )


def test_all_sources_of_a_point_count_pulses_or_none_does() -> None:
    sources = [{"path": "a", "unit": "pulse"}, {"path": "b", "unit": "L"}]
    assert refuse(points={"volume_m3": sources}) == (
        (),
        "points.volume_m3.1.unit: pulse goes for all sources of a point, or for none",
    )


@pytest.mark.parametrize(
    ("profile", "place", "reason"),
    [
        ({"extra": 1, "points": POINTS}, ("extra",), "Extra inputs are not permitted"),
        ({"points": {"power": "p"}}, ("points", "power", "[key]"), "'power' is no point; did you mean power_kw?"),
        ({"points": {"qqqq": "p"}}, ("points", "qqqq", "[key]"), "'qqqq' is no point; see the list of points"),
        ({"points": {"power_kw": "a["}}, ("points", "power_kw", 0, "path"), "'a[' is no path (JMESPath): it ends too"),
        ({"points": {"power_kw": ""}}, ("points", "power_kw", 0, "path"), "String should have at least 1 character"),
        ({"points": {"power_kw": 5}}, ("points", "power_kw", 0), "Input should be a valid dictionary"),
        ({"points": {"power_kw": []}}, ("points", "power_kw"), "List should have at least 1 item"),
        ({"topics": ["a/{b"], "points": POINTS}, ("topics", 0), "a { or } stands alone"),
        ({"each": "a[", "points": POINTS}, ("each", 0), "'a[' is no path (JMESPath): it ends too early"),
        ({"device": "{a-b}", "topics": ["a"], "points": POINTS}, ("device", 0), "'a-b' is no path (JMESPath)"),
        ({"device": "{a}{b", "topics": ["a"], "points": POINTS}, ("device", 0), "a { or } stands alone"),
        ({"format": "xml"}, ("format",), "Input should be 'json', 'canonical'"),
        ({"codec": "../a.js", "points": POINTS}, ("codec", "file"), "String should match pattern"),
        (
            {"time": {"path": "t", "format": "iso"}, "points": POINTS},
            ("time", "format", 0),
            "'iso' is no format of times; expected rfc3339, local",
        ),
        (
            {"time": {"path": "t", "format": "epochs"}, "points": POINTS},
            ("time", "format", 0),
            "'epochs' is no format of times; did you mean epoch_s?",
        ),
        ({"time": {"path": "t", "format": "%d.%m."}, "points": POINTS}, ("time", "format", 0), "expected %Y or %y"),
        (
            {"time": {"path": "t", "format": "local", "zone": "Berlin"}, "points": POINTS},
            ("time", "zone"),
            "expected a time zone such as",
        ),
        (
            {"time": {"path": "t", "format": "epoch_s", "zone": "Europe/Berlin"}, "points": POINTS},
            ("time",),
            "zone: belongs to format local, dsmr or a pattern, not epoch_s",
        ),
        (
            {"messages": [{"points": POINTS}], "points": POINTS},
            (),
            "points: with `messages`, each of them says it for itself",
        ),
        (
            {"messages": [{"points": POINTS}], "topics": ["a/{device}"]},
            (),
            "topics: with `messages`, each of them says it for itself",
        ),
        ({"points": POINTS, "tests": [{"readings": []}]}, ("tests", 0), "expected payload or payload_hex"),
        ({"points": POINTS, "tests": [{"payload": "1"}]}, ("tests", 0), "expected readings or error"),
        (
            {"points": POINTS, "tests": [{"payload_hex": "1", "readings": []}]},
            ("tests", 0),
            "payload_hex: expected pairs of hexadecimal digits",
        ),
    ],
)
def test_mistakes_are_told_with_their_place(
    profile: dict[str, object], place: tuple[str | int, ...], reason: str
) -> None:
    found, message = refuse(**profile)
    assert found == place
    assert message.startswith(reason)


def test_the_schema_takes_a_path_or_a_source_or_a_list_of_both() -> None:
    schema = Profile.model_json_schema()
    entry = schema["properties"]["points"]["additionalProperties"]
    either = [{"type": "string"}, {"$ref": "#/$defs/PointSource"}]
    assert entry == {"anyOf": [*either, {"type": "array", "items": {"anyOf": either}}]}
