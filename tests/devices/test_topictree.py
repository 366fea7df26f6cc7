"""Which topics of profiles match a topic, with trying them all as the second opinion."""

from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from devices.topics import to_filter, to_pattern
from devices.topictree import TopicTree

LEVELS = st.sampled_from(["", "a", "b", "meter-1", "x-y", "+", "#"])
NAMES = st.lists(LEVELS, min_size=1, max_size=4).map("/".join).filter(lambda name: "#" not in name and "+" not in name)
TOPICS = st.builds(
    lambda levels, end: "/".join([*levels, *end]),
    st.lists(
        st.sampled_from(["", "a", "b", "+", "{device}", "meter-{device}", "{part}-y", "{one}-{two}"]),
        min_size=1,
        max_size=4,
    ).filter(lambda levels: sum("{device}" in level for level in levels) < 2 and len(set(levels)) == len(levels)),
    st.sampled_from([[], ["#"], ["{rest#}"]]),
)


def find(topics: list[str], name: str) -> list[tuple[str, dict[str, str]]]:
    tree: TopicTree[str] = TopicTree()
    for topic in topics:
        tree.add(topic, topic)
    return [(topic, dict(parts)) for topic, parts in tree.find(name)]


def test_everything_that_matches_is_found_with_its_parts() -> None:
    topics = ["a/{device}", "a/b", "a/+", "a/{device}/#", "a/{rest#}", "{node}/b", "a/x-{device}", "c/#"]
    found = find(topics, "a/b")
    assert sorted(found, key=str) == [
        ("a/+", {}),
        ("a/b", {}),
        ("a/{device}", {"device": "b"}),
        ("a/{device}/#", {"device": "b"}),
        ("a/{rest#}", {"rest": "b"}),
        ("{node}/b", {"node": "a"}),
    ]
    assert find(topics, "c") == [("c/#", {})]
    assert find(topics, "b") == []


def test_one_topic_alone_may_stand_for_something() -> None:
    tree: TopicTree[str] = TopicTree()
    tree.add("z/{device}", "any")
    tree.add_name("z/hall/plug", "one", {"device": "hall/plug"})
    tree.add_name("z/+/#", "strange", {})
    assert list(tree.find("z/hall/plug")) == [("one", {"device": "hall/plug"})]
    assert list(tree.find("z/plug")) == [("any", {"device": "plug"})]
    assert list(tree.find("z/+/#")) == [("strange", {})]


@given(st.lists(TOPICS, max_size=5), NAMES)
def test_the_tree_finds_what_the_patterns_match(topics: list[str], name: str) -> None:
    found = sorted(topic for topic, _ in find(topics, name))
    assert found == sorted(topic for topic in topics if to_pattern(topic).fullmatch(name))


@given(TOPICS, NAMES)
def test_what_a_pattern_matches_its_filter_catches(topic: str, name: str) -> None:
    if to_pattern(topic).fullmatch(name):
        assert topic_matches_sub(to_filter(topic), name)
