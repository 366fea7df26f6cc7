"""Topic filters, with paho's matcher as the second opinion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from devices.topics import check_topic, covers, list_parts, reduce_filters, to_filter, to_pattern, write_example

LEVELS = st.sampled_from(["", "a", "b", "$s", "a b"])
TOPICS = st.lists(LEVELS, min_size=1, max_size=4).map("/".join).filter(bool)
FILTERS = st.builds(
    lambda levels, end: "/".join([*levels, *end]),
    st.lists(st.one_of(LEVELS, st.just("+")), min_size=1, max_size=4),
    st.sampled_from([[], ["#"]]),
).filter(bool)


@pytest.mark.parametrize(
    ("topic", "parts", "wide"),
    [
        ("{device}", ["device"], "+"),
        ("zigbee2mqtt/{device}", ["device"], "zigbee2mqtt/+"),
        ("{device}/status/em:0", ["device"], "+/status/em:0"),
        ("tasmota_{device}/tele/SENSOR", ["device"], "+/tele/SENSOR"),
        ("+/{device}/up/#", ["device"], "+/+/up/#"),
        ("siteward/{site}/{device}/readings", ["site", "device"], "siteward/+/+/readings"),
        ("{node}/status/{kind}:{channel}", ["node", "kind", "channel"], "+/status/+"),
        ("zigbee2mqtt/{device#}", ["device"], "zigbee2mqtt/#"),
        ("{all#}", ["all"], "#"),
        ("#", [], "#"),
    ],
)
def test_topics_have_named_parts(topic: str, parts: list[str], wide: str) -> None:
    assert check_topic(topic) == topic
    assert list_parts(topic) == parts
    assert to_filter(topic) == wide


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("{device}/{device}", "{device} stands twice"),
        ("{device}/{device#}", "{device} stands twice"),
        ("{Dev}/up", "{Dev}: expected a name of a-z, 0-9 and _ in { }"),
        ("a/{电}", "{电}: expected a name of a-z, 0-9 and _ in { }"),
        ("{}/up", "{}: expected a name of a-z, 0-9 and _ in { }"),
        ("a/{site#}", "{site#}: expected a name of a-z, 0-9 and _ in { }"),
        ("{device", "a { or } stands alone"),
        ("device}/up", "a { or } stands alone"),
        ("{device}{channel}/up", "between two named parts something must stand"),
        ("a/{rest#}/up", "{rest#} may only be the last level, alone"),
        ("a/x-{rest#}", "{rest#} may only be the last level, alone"),
        ("{device}/#/up", "# may only be the last level, alone"),
        ("{device}/up#", "# may only be the last level, alone"),
        ("{device}/a#b", "# may only be the last level, alone"),
        ("{device}/a+/up", "+ must be a level of its own"),
        ("{device}+/up", "+ must be a level of its own"),
        ("{device}/\0", "expected 1 to 1000 characters, none of them the zero character"),
        ("", "expected 1 to 1000 characters, none of them the zero character"),
        ("{device}/" + "x" * 1000, "expected 1 to 1000 characters, none of them the zero character"),
    ],
)
def test_other_topics_are_refused(topic: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        check_topic(topic)
    assert str(raised.value) == reason


@pytest.mark.parametrize(
    ("topic", "name", "parts"),
    [
        ("{device}/status/em:0", "shelly pro/status/em:0", {"device": "shelly pro"}),
        ("tasmota_{device}/SENSOR", "tasmota_49A3BC/SENSOR", {"device": "49A3BC"}),
        ("a/+/{device}/up", "a//m.1/up", {"device": "m.1"}),
        ("a/{device}/#", "a/m1", {"device": "m1"}),
        ("a/{device}/#", "a/m1/b/c\nd", {"device": "m1"}),
        ("a/{device}/#", "a/m1b/", {"device": "m1b"}),
        ("a.b/{device}", "axb/m1", None),
        ("a/{device}", "a/", None),
        ("a/{device}", "a/m1/b", None),
        ("{device}/up", "电表-1/up", {"device": "电表-1"}),
        ("{node}/status/{kind}:{channel}", "n/status/em:0", {"node": "n", "kind": "em", "channel": "0"}),
        ("{kind}-{device}", "door-a-b", {"kind": "door", "device": "a-b"}),
        ("{kind}-{device}x", "door-ax-bx", {"kind": "door", "device": "ax-b"}),
        ("{kind}-{device}x", "door-ab", None),
        ("z/{device#}", "z/hall/plug 2", {"device": "hall/plug 2"}),
        ("z/{device#}", "z", None),
        ("z/{device#}", "z/", None),
        ("#", "any/thing", {}),
        ("z/#", "z", {}),
    ],
)
def test_a_pattern_finds_the_parts(topic: str, name: str, parts: dict[str, str] | None) -> None:
    match = to_pattern(topic).fullmatch(name)
    assert (match and match.groupdict()) == parts


@pytest.mark.parametrize("topic", ["{a}-{b}-{c}x/q", "{a}-{b}/{c}-{d}/x", "{a}--{b}--/x/{c#}"])
@pytest.mark.parametrize("name", ["-" * 65_000, "-" * 30_000 + "/" + "-" * 30_000 + "/y"])
def test_no_topic_is_searched_for_long(topic: str, name: str) -> None:
    """Trying every way to split such a name would take minutes; see the time limit of the test run."""
    assert to_pattern(topic).fullmatch(name) is None


@pytest.mark.parametrize(
    ("topic", "example"),
    [
        ("siteward/{site}/{device}/readings", "siteward/site/device/readings"),
        ("{node}/status/{kind}:{channel}", "node/status/kind:channel"),
        ("a/+/{rest#}", "a/any/rest"),
        ("a/#", "a/any"),
    ],
)
def test_an_example_of_a_topic(topic: str, example: str) -> None:
    assert write_example(topic) == example
    assert to_pattern(topic).fullmatch(example)


@given(FILTERS, TOPICS)
def test_a_filter_covers_exactly_the_topics_that_it_matches(wide: str, topic: str) -> None:
    assert covers(wide, topic) == topic_matches_sub(wide, topic)


@given(st.sets(FILTERS, max_size=6), TOPICS)
def test_reduced_filters_catch_the_same(filters: set[str], topic: str) -> None:
    reduced = reduce_filters(filters)
    assert reduced <= filters
    assert any(topic_matches_sub(one, topic) for one in reduced) == any(
        topic_matches_sub(one, topic) for one in filters
    )


def test_filters_that_others_cover_are_left_out() -> None:
    assert reduce_filters(["a/+", "a/b", "a/b/c", "$SYS/x", "+/x", "a/b/#"]) == {"a/+", "a/b/#", "$SYS/x", "+/x"}
