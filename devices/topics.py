"""MQTT topic filters (MQTT 5.0, section 4.7), and profiles' topics with named parts such as `{device}`."""

import re
from collections.abc import Iterable

DEVICE = "{device}"
SITE = "{site}"

_PART = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII).fullmatch
_TAIL = "#}"


def check_topic(topic: str) -> str:
    """The topic of a profile, unchanged.

    Raises:
        ValueError: it is no topic filter, or its named parts are wrong.
    """
    levels = topic.split("/")
    parts = _PART.findall(topic)
    for index, part in enumerate(parts):
        name = part.removesuffix("#")
        if not _NAME(name):
            raise ValueError(f"{{{part}}}: expected a name of a-z, 0-9 and _ in {{ }}")
        if name in [other.removesuffix("#") for other in parts[:index]] or name == "site#":
            raise ValueError(f"{{{name}}} stands twice")
        if part != name and levels[-1] != f"{{{part}}}":
            raise ValueError(f"{{{part}}} may only be the last level, alone")
    bare = _PART.sub("", topic)
    if "{" in bare or "}" in bare:
        raise ValueError("a { or } stands alone")
    if re.search(r"\}\{", topic):
        raise ValueError("between two named parts something must stand")
    if "#" in "/".join(levels[:-1]).replace(_TAIL, "") or (bare.endswith("#") and levels[-1] != "#"):
        raise ValueError("# may only be the last level, alone")
    if any("+" in level and level != "+" for level in levels):
        raise ValueError("+ must be a level of its own")
    if "\0" in topic:
        raise ValueError("a topic holds no zero character")
    return topic


def list_parts(topic: str) -> list[str]:
    """The names of a profile topic's parts."""
    return [part.removesuffix("#") for part in _PART.findall(topic)]


def has_wildcard(topic: str) -> bool:
    """Whether it is a filter for many topics."""
    return "+" in topic or "#" in topic


def to_filter(topic: str) -> str:
    """The filter that catches what a profile's topic stands for: MQTT has wildcards for whole levels only."""
    levels = topic.split("/")
    return "/".join("#" if level.endswith(_TAIL) else "+" if "{" in level else level for level in levels)


def to_pattern(topic: str) -> re.Pattern[str]:
    """An expression that matches what a profile's topic catches, with its named parts as groups."""
    levels = topic.removesuffix("/#").split("/")
    pattern = "/".join("[^/]*" if level == "+" else _to_group(level) for level in levels)
    return re.compile(pattern + ("(?:/.*)?" if topic.endswith("/#") else ""), re.DOTALL)


def _to_group(level: str) -> str:
    pieces = _PART.split(level)  # text, part, text, part, text
    pattern = ""
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            pattern += re.escape(piece)
        elif piece.endswith("#"):
            pattern += f"(?P<{piece[:-1]}>.+)"
        else:
            pattern += f"(?P<{piece}>[^/]+)"
    return pattern


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
