"""MQTT topic filters (MQTT 5.0, section 4.7), and profiles' topics in which `{device}` stands for the device."""

import re
from collections.abc import Iterable

DEVICE = "{device}"
SITE = "{site}"


def check_topic(topic: str) -> str:
    """The topic of a profile, unchanged.

    Raises:
        ValueError: it is no topic filter, or does not name the device.
    """
    unknown = set(re.findall(r"\{[^{}]*\}", topic)) - {DEVICE, SITE}
    if unknown:
        raise ValueError(f"{min(unknown)} is unknown; a topic may hold {DEVICE} and {SITE}")
    if topic.count(DEVICE) != 1:
        raise ValueError(f"expected {DEVICE} once; where every device has a topic of its own, leave `topics` out")
    levels = topic.split("/")
    if "#" in "/".join(levels[:-1]) or ("#" in levels[-1] and levels[-1] != "#"):
        raise ValueError("# may only be the last level, alone")
    if any("+" in level and level != "+" for level in levels):
        raise ValueError("+ must be a level of its own")
    if "\0" in topic:
        raise ValueError("a topic holds no zero character")
    return topic


def has_wildcard(topic: str) -> bool:
    """Whether it is a filter for many topics."""
    return "+" in topic or "#" in topic


def to_filter(topic: str) -> str:
    """The filter that catches every device of a profile's topic: MQTT has wildcards for whole levels only."""
    return "/".join("+" if DEVICE in level else level for level in topic.split("/"))


def to_pattern(topic: str) -> re.Pattern[str]:
    """An expression that finds the device, as group `device`, in what a profile's topic catches."""
    levels = topic.removesuffix("/#").split("/")
    pattern = "/".join("[^/]*" if level == "+" else re.escape(level) for level in levels)
    pattern = pattern.replace(re.escape(DEVICE), "(?P<device>[^/]+)")
    return re.compile(pattern + ("(?:/.*)?" if topic.endswith("/#") else ""), re.DOTALL)


def covers(wide: str, narrow: str) -> bool:
    """Whether a filter catches all that another filter, or a topic, stands for."""
    if wide[:1] in {"+", "#"} and narrow.startswith("$"):
        return False
    wide_levels, narrow_levels = wide.split("/"), narrow.split("/")
    for index, level in enumerate(wide_levels):
        if level == "#":
            return True
        if index >= len(narrow_levels) or narrow_levels[index] == "#":
            return False
        if level not in {"+", narrow_levels[index]}:
            return False
    return len(wide_levels) == len(narrow_levels)


def reduce_filters(filters: Iterable[str]) -> frozenset[str]:
    """The filters without those that others of them cover: a broker may deliver twice what two filters catch."""
    every = frozenset(filters)
    wide = [topic for topic in every if has_wildcard(topic)]
    return frozenset(topic for topic in every if not any(topic != other and covers(other, topic) for other in wide))
