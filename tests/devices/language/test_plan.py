"""The plan of an item's points, with asking every source on its own as the second opinion."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.errors import Undecodable
from devices.language.convert import compile_source
from devices.language.plan import compile_points, compile_same_names
from devices.language.sources import PointSource
from devices.paths import Scope, take_first
from devices.points import POINTS

PATHS = st.sampled_from(
    ["a", "b", "o.a", "o.b", "o.p.a", "l[0]", "l[1]", "l[-1]", "o.l[2]", "@.a", "a || b", "$.a", "$key"]
)
SOURCES = st.builds(
    lambda path, more: PointSource.model_validate({"path": path} | more),
    PATHS,
    st.sampled_from(
        [
            {},
            {"unit": "W"},
            {"scale": 0.5},
            {"scale": 2.0},
            {"sentinels": [1, "x"]},
            {"combine": "sum"},
            {"combine": "none"},
            {"map": {"x": 5, 1: None}, "otherwise": None},
            {"when": {"b": 1}},
            {"when": {"u": {"present": False}}},
            {"when": {"o.b": {"present": False}}, "unit": "W"},
            {"default": 3},
            {"unit": {"path": "u"}},
            {"pattern": "([0-9])"},
        ]
    ),
)
NAMES = st.sampled_from(["power_kw", "power_l1_kw", "power_l2_kw", "demand_kw"])
VALUES = st.sampled_from([None, 0, 1, 2.5, -1, "1", "x", "5 W", True, [1, 2], {"a": 1}, [], "W"])
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "u"]), VALUES)
ITEMS = st.one_of(
    VALUES,
    st.lists(VALUES, max_size=3),
    st.builds(
        lambda top, inner, deep, items: top | {"o": inner | {"p": deep, "l": items}, "l": items},
        OBJECTS,
        OBJECTS,
        OBJECTS,
        st.lists(VALUES, max_size=3),
    ),
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(NAMES, st.lists(SOURCES, min_size=1, max_size=3), max_size=4), ITEMS)
def test_the_plan_reads_what_every_source_gives_on_its_own(points: dict[str, list[PointSource]], item: Any) -> None:  # noqa: ANN401 - JSON is anything
    scope = Scope({"a": 7}, {}, key="k")
    expected: dict[str, object] = {}
    failed = False
    for name, sources in points.items():
        try:
            value = take_first([compile_source(name, source) for source in sources])(item, scope)
        except Undecodable:
            failed = True
            continue
        if value is not None:
            expected[name] = value
    try:
        read = compile_points(points)(item, scope)
    except Undecodable:
        assert failed
    else:
        assert not failed
        assert read == expected


@given(
    st.dictionaries(
        st.sampled_from([*POINTS, "other", "time"]), st.one_of(VALUES, st.sampled_from(["open", "granted"]))
    )
)
def test_same_names_are_what_points_of_these_names_would_be(item: dict[str, object]) -> None:
    scope = Scope(item, {})
    points = {
        name: [PointSource(path=f'"{name}"')]
        for name, value in item.items()
        if name in POINTS and not isinstance(value, list | dict)
    }
    try:
        expected = compile_points(points)(item, scope)
    except Undecodable:
        expected = {}
    try:
        assert compile_same_names("@")(item, scope) == expected
    except Undecodable:
        assert not expected
