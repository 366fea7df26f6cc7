"""Paths, with the JMESPath library as the second opinion."""

import json
from typing import Any

import jmespath
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devices.errors import Undecodable
from devices.paths import Scope, check_path, compile_path, find_steps, topic_part

MESSAGE = {"a": {"b": 1, "c:0": {"d": 2}}, "l": [7, {"n": 9}], "z": None}
ROOT = {"id": "root", "l": [1, 2]}
SCOPE = Scope(ROOT, {"quantity": "power"}, port=5, up={"name": "outer"}, key="k1", index=3, pieces={"unit": "W"})

NAMES = st.sampled_from(["a", "b", "c:0", 'd"e'])
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=2)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
)


def find(path: str, message: object = MESSAGE) -> Any:  # noqa: ANN401 - JSON is anything
    return compile_path(path)(message, SCOPE)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", {"b": 1, "c:0": {"d": 2}}),
        ("a.b", 1),
        ('a."c:0".d', 2),
        ("a.b.c", None),
        ("x.y", None),
        ("z", None),
        ("z.y", None),
        ("l[0]", 7),
        ("l[-1].n", 9),
        ("l[5]", None),
        ("a[0]", None),
        ("@", MESSAGE),
        ("@.a.b", 1),
        ("x || a.b", 1),
        ("sum(l[:1])", 7),
        ("l[?n] | [0].n", 9),
    ],
)
def test_paths_are_jmespath(path: str, found: object) -> None:
    assert find(path) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", ROOT),
        ("$.id", "root"),
        ("$.l[1]", 2),
        ("$.x", None),
        ("$.sum(l)", 3),
        ("$up", {"name": "outer"}),
        ("$up.name", "outer"),
        ("$up.x", None),
        ("$key", "k1"),
        ("$index", 3),
        ("$port", 5),
        ("$topic.quantity", "power"),
        ("$topic.other", None),
        ("$part.unit", "W"),
        ("$part.other", None),
    ],
)
def test_what_surrounds_a_reading_begins_with_a_dollar(path: str, found: object) -> None:
    assert check_path(path) == path
    assert find(path) == found


def test_what_surrounds_one_item_is_not_taken_for_what_surrounds_another() -> None:
    find_root, find_up = compile_path("$.sum(l)"), compile_path("$up.l[-1:]")
    scopes = [Scope({"l": [number]}, {}, up={"l": [number, -number]}) for number in (1, 2, 2, 1)]
    for scope in scopes:
        assert find_root(None, scope) == sum(scope.root["l"])
        assert find_up(None, scope) == [-scope.root["l"][0]]
        assert find_root(None, scope) == sum(scope.root["l"])


def test_a_root_that_is_a_list_is_entered() -> None:
    assert compile_path("$[1]")(None, Scope([1, 2], {})) == 2


@given(JSON, st.lists(st.one_of(NAMES, st.integers(-2, 2)), min_size=1, max_size=3))
def test_plain_paths_find_what_jmespath_finds(message: Any, steps: list[str | int]) -> None:  # noqa: ANN401 - JSON is anything
    path = "@" + "".join(f"[{step}]" if isinstance(step, int) else f".{json.dumps(step)}" for step in steps)
    assert find_steps(path) == tuple(steps)
    assert find(path, message) == jmespath.search(path, message)


@pytest.mark.parametrize("path", ["a[*]", "length(a)", "a || b", "$.a", "$key", "a[?b]", "{x: a}"])
def test_other_paths_have_no_steps(path: str) -> None:
    assert find_steps(path) is None


LETTERS = "a key with other characters than letters, digits and _ stands in double quotes"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("a[", "'a[' is no path (JMESPath): it ends too early"),
        ("a.", "'a.' is no path (JMESPath): it ends too early"),
        ("switch:0.x", "'switch:0.x' is no path (JMESPath): did not expect ':', character 7; write '\"switch:0\".x'"),
        ("a-b", "'a-b' is no path (JMESPath): did not expect '-', character 2; write '\"a-b\"'"),
        ("电表.x", "'电表.x' is no path (JMESPath): did not expect '电', character 1; write '\"电表\".x'"),
        ("2nd", "'2nd' is no path (JMESPath): did not expect '2', character 1; write '\"2nd\"'"),
        ("$.a b", "'a b' is no path (JMESPath): did not expect 'b', character 3; write '\"a b\"'"),
        ("a[b]", f"'a[b]' is no path (JMESPath): did not expect 'b', character 3; {LETTERS}"),
        (
            "a[?x=`1`]",
            "'a[?x=`1`]' is no path (JMESPath): did not expect '=', character 5; a comparison has two: ==",
        ),
        (
            "a[?x==1]",
            "'a[?x==1]' is no path (JMESPath): did not expect '1', character 7; numbers stand in backticks: `1`",
        ),
        ("nope(@)", "'nope(@)' is no path (JMESPath): Unknown function: nope()"),
        ("length(a, b)", "'length(a, b)' is no path (JMESPath): Expected 1 argument for function length(), received 2"),
    ],
)
def test_what_is_no_path_is_explained(path: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        check_path(path)
    assert str(raised.value) == reason


@pytest.mark.parametrize(
    "path",
    [
        "$x",
        "$portal",
        "$key.a",
        "$index[0]",
        "$port.a",
        "$topic",
        "$topic.",
        "$topic[0]",
        "$part",
        "$.",
        "$up.",
        "$upper",
        "$.$key",
    ],
)
def test_a_dollar_with_another_name_leads_nowhere(path: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        check_path(path)
    known = "known are $.a, $up.a, $topic.name, $part.name, $key, $index and $port"
    assert str(raised.value) == f"{path!r} leads nowhere; {known}"


@given(st.text(max_size=12))
@example("`[1]`[::0]")
@example("avg(`[]`)")
@example("a" + "[0]" * 160)
@example("(" * 240 + "a" + ")" * 240)
@example("!" * 499 + "a")
def test_whatever_is_written_is_a_path_or_refused(path: str) -> None:
    try:
        check_path(path)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either is right


@given(
    st.sampled_from(
        ["a.b", "l[0].n", "sum(l)", "sort_by(l, &n)", "avg(l)", "l[::-1]", "to_number(a)", "max_by(l, &x)"]
    ),
    JSON,
)
@example("sum(l)", {"l": [1e308, "x"]})
def test_whatever_comes_in_something_is_found_or_it_is_undecodable(path: str, message: Any) -> None:  # noqa: ANN401 - JSON is anything
    try:
        find(path, message)
    except Undecodable as error:
        assert error.reason == f"path {path} fails on this message"  # noqa: PT017 - either is right


@pytest.mark.parametrize(("path", "part"), [("$topic.room", "room"), ("$.topic.room", ""), ("a", "")])
def test_the_part_of_a_topic_that_a_path_leads_to(path: str, part: str) -> None:
    assert topic_part(path) == part
