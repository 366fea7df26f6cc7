"""Topic filters, with paho's matcher as the second opinion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from devices.topics import check_topic, covers, reduce_filters, to_filter, to_pattern

LEVELS = st.sampled_from(["", "a", "b", "$s", "a b"])
TOPICS = st.lists(LEVELS, min_size=1, max_size=4).map("/".join).filter(bool)
FILTERS = st.builds(
    lambda levels, end: "/".join([*levels, *end]),
    st.lists(st.one_of(LEVELS, st.just("+")), min_size=1, max_size=4),
    st.sampled_from([[], ["#"]]),
).filter(bool)


@pytest.mark.parametrize(
    "topic",
    ["{device}", "zigbee2mqtt/{device}", "{device}/status/em:0", "tasmota_{device}/tele/SENSOR", "+/{device}/up/#"],
)
def test_topics_of_profiles_name_the_device_once(topic: str) -> None:
    assert check_topic(topic) == topic


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("tele/+/SENSOR", "expected {device} once"),
        ("{device}/{device}", "expected {device} once"),
        ("{dev}/up", "{dev} is unknown"),
        ("{device}/#/up", "# may only be the last level"),
        ("{device}/up#", "# may only be the last level"),
        ("{device}/a+/up", "+ must be a level of its own"),
        ("{device}+/up", "+ must be a level of its own"),
        ("{device}/\0", "a topic holds no zero character"),
    ],
)
def test_other_topics_are_refused(topic: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        check_topic(topic)
    assert str(raised.value).startswith(reason)


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("zigbee2mqtt/{device}", "zigbee2mqtt/+"),
        ("tasmota_{device}/tele/SENSOR", "+/tele/SENSOR"),
        ("a/+/{device}/#", "a/+/+/#"),
    ],
)
def test_a_filter_catches_every_device(topic: str, expected: str) -> None:
    assert to_filter(topic) == expected


@pytest.mark.parametrize(
    ("topic", "name", "device"),
    [
        ("{device}/status/em:0", "shelly pro/status/em:0", "shelly pro"),
        ("tasmota_{device}/SENSOR", "tasmota_49A3BC/SENSOR", "49A3BC"),
        ("a/+/{device}/up", "a//m.1/up", "m.1"),
        ("a/{device}/#", "a/m1", "m1"),
        ("a/{device}/#", "a/m1/b/c\nd", "m1"),
        ("a.b/{device}", "axb/m1", None),
        ("a/{device}", "a/", None),
        ("a/{device}", "a/m1/b", None),
        ("a/{device}/#", "a/m1b/", "m1b"),
        ("{device}/up", "电表-1/up", "电表-1"),
    ],
)
def test_a_pattern_finds_the_device(topic: str, name: str, device: str | None) -> None:
    match = to_pattern(topic).fullmatch(name)
    assert (match and match["device"]) == device


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
