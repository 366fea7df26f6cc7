"""MQTT topic filters (MQTT 5.0, section 4.7), and profiles' topics with named parts such as `{device}`."""

import re
from collections.abc import Iterable, Iterator

DEVICE = "{device}"
SITE = "{site}"

_PART = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII).fullmatch
_TAIL = "#}"
_LENGTH_MAX = 1000


def check_topic(topic: str) -> str:
    """The topic of a profile, unchanged.

    Raises:
        ValueError: it is no topic filter, or its named parts are wrong.
    """
    for problem in _find_problems(topic):
        raise ValueError(problem)
    return topic


def _find_problems(topic: str) -> Iterator[str]:
    yield from _find_part_problems(topic)
    bare = _PART.sub("", topic)
    if "#" in bare.removesuffix("/#" if bare != "#" else "#"):
        yield "# may only be the last level, alone"
    if any("+" in level and level != "+" for level in topic.split("/")):
        yield "+ must be a level of its own"
    if not topic or "\0" in topic or len(topic) > _LENGTH_MAX:
        yield f"expected 1 to {_LENGTH_MAX} characters, none of them the zero character"


def _find_part_problems(topic: str) -> Iterator[str]:
    for part in _PART.findall(topic):
        name = part.removesuffix("#")
        if not _NAME(name) or part == "site#":
            yield f"{{{part}}}: expected a name of a-z, 0-9 and _ in {{ }}"
        if list_parts(topic).count(name) > 1:
            yield f"{{{name}}} stands twice"
        if part != name and topic != f"{{{part}}}" and not topic.endswith(f"/{{{part}}}"):
            yield f"{{{part}}} may only be the last level, alone"
    bare = _PART.sub("", topic)
    if "｛" in topic or "｝" in topic:
        yield "full-width braces; type { }"
    if "{" in bare or "}" in bare:
        yield "a { or } stands alone"
    if "}{" in topic:
        yield "between two named parts something must stand"


def list_parts(topic: str) -> list[str]:
    """The names of a profile topic's parts."""
    return [part.removesuffix("#") for part in _PART.findall(topic)]


def write_example(topic: str) -> str:
    """A topic that a profile's topic stands for: its named parts, and what is behind wildcards, are called so."""
    levels = [{"+": "any", "#": "any"}.get(level, level) for level in topic.split("/")]
    return _PART.sub(lambda match: match[1].removesuffix("#"), "/".join(levels))


def has_wildcard(topic: str) -> bool:
    """Whether it is a filter for many topics."""
    return "+" in topic or "#" in topic


def to_filter(topic: str) -> str:
    """The filter that catches what a profile's topic stands for: MQTT has wildcards for whole levels only."""
    levels = topic.split("/")
    return "/".join("#" if level.endswith(_TAIL) else "+" if "{" in level else level for level in levels)


def to_pattern(topic: str) -> re.Pattern[str]:
    """An expression that matches what a profile's topic catches, with its named parts as groups.

    It never searches for long: a part ends where the text behind it first stands, the last of a level at its end.
    """
    levels = topic.removesuffix("/#").split("/")
    pattern = "/".join(".*" if level == "#" else "[^/]*" if level == "+" else _to_group(level) for level in levels)
    return re.compile(pattern + ("(?:/.*)?" if topic.endswith("/#") else ""), re.DOTALL)


def _to_group(level: str) -> str:
    text, *pieces = _PART.split(level)  # text, part, text, part, text
    pattern = re.escape(text)
    while pieces:
        part, text, *pieces = pieces
        if part.endswith("#"):
            pattern += f"(?P<{part[:-1]}>.+)"
        elif pieces:
            pattern += f"(?>(?P<{part}>[^/]+?){re.escape(text)})"
        else:
            pattern += f"(?P<{part}>[^/]+){re.escape(text)}"
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
