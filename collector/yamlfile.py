"""YAML text to plain values, fast, and the place of every value for whoever has to complain about one.

YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema): only `true` and `false` are booleans; `on`,
`1:30` and `2026-11-22` are texts. Tags and further documents are refused. An alias (`*a`) stands for what its anchor
(`&a`) named before; all aliases together stand for no more than a bounded number of values, so that no text unfolds
without end.
"""

import re
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import NamedTuple, TypeAlias

import yaml

Path: TypeAlias = tuple[object, ...]
"""Where a value stands in a document, such as ("devices", 17, "id")."""

MAX_DEPTH = 40
"""Deepest nesting that is read: far beyond any configuration, far below Python's limit of recursion."""

ALIASED_MOST = 20_000
"""Most values that all aliases of a text may stand for."""

_DECIMAL = re.compile(r"[-+]?[0-9]+\Z")
_PREFIXED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_FIRST = frozenset("-+.0123456789~ntfNTF")
"""What a plain scalar that is not a text begins with, where it is not empty."""


class Spot(NamedTuple):
    """A place in a file, counted from 1, and the scalar that is written there ("" for a mapping or list)."""

    line: int
    column: int
    written: str = ""


class Fault(NamedTuple):
    """What is wrong with a text itself, where, and what may help."""

    spot: Spot
    message: str
    hint: str = ""


class Document:
    """One YAML file.

    Attributes:
        value: its content: dict, list, str, int, float, bool or None; None too where the text cannot be read.
        faults: what is wrong with the text. A repeated key does not end the reading; the first one counts.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.value: object = None
        self.faults: list[Fault] = []
        try:
            self.value = _Reader(text, self.faults).read()
        except _Refused as error:
            self.faults.append(error.fault)
        except yaml.YAMLError as error:
            self.faults.append(_explain(error, text))

    def locate(self, path: Path) -> Spot:
        """Where a value stands, or what is nearest around it where it does not exist."""
        return self._find(path)[1]

    def locate_key(self, path: Path) -> Spot:
        """Where the key of a value stands; an entry of a list has none and stands for itself."""
        return self._find(path)[0]

    def _find(self, path: Path) -> tuple[Spot, Spot]:
        while path not in self._places:
            path = path[:-1]
        return self._places[path]

    @cached_property
    def _places(self) -> dict[Path, tuple[Spot, Spot]]:
        """Key and value of every path. Reads the text once more: few files are ever complained about."""
        places: dict[Path, tuple[Spot, Spot]] = {}
        if self.value is not None:
            events = _events(self._text)
            _place(next(events), (), None, events, places)
        places[()] = (Spot(1, 1), Spot(1, 1))
        return places


def _place(
    event: yaml.Event,
    path: Path,
    key: yaml.Event | None,
    events: Iterator[yaml.Event],
    places: dict[Path, tuple[Spot, Spot]],
) -> None:
    """Notes where a value and everything in it stands; of a repeated key, the first."""
    places.setdefault(path, (_spot(key or event), _spot(event)))
    if isinstance(event, yaml.MappingStartEvent):
        while isinstance(name := next(events), yaml.ScalarEvent):
            _place(next(events), (*path, _resolve(name)), name, events, places)
    elif isinstance(event, yaml.SequenceStartEvent):
        index = 0
        while not isinstance(item := next(events), yaml.SequenceEndEvent):
            _place(item, (*path, index), None, events, places)
            index += 1


class _Refused(Exception):  # noqa: N818 - names what happened to the text
    """Valid YAML that a configuration may not use; reading cannot go on."""

    def __init__(self, event: yaml.Event, message: str, hint: str) -> None:
        super().__init__(message)
        self.fault = Fault(_spot(event), message, hint)


def _spot(event: yaml.Event) -> Spot:
    mark = event.start_mark
    # libyaml always gives a mark; the types allow for events made by hand.
    line, column = (mark.line, mark.column) if mark else (0, 0)
    return Spot(line + 1, column + 1, getattr(event, "value", ""))


def _events(text: str) -> Iterator[yaml.Event]:
    """The events of a text, behind the two that open stream and document."""
    parser = yaml.CSafeLoader(text)
    parser.get_event()
    parser.get_event()
    return iter(parser.get_event, None)


class _Reader:
    """Builds a value straight from libyaml's events: several times as fast as PyYAML's own constructor."""

    def __init__(self, text: str, faults: list[Fault]) -> None:
        self._events = _events(text)
        self._faults = faults
        # Equal texts become one object: thousands of devices have the same keys, kinds and places.
        self._share: dict[str, str] = {}
        self._anchors: dict[str, object] = {}
        self._aliased = 0

    def read(self) -> object:
        """The value of the document.

        Raises:
            _Refused: the text uses what is not supported.
            yaml.YAMLError: the text is no YAML.
        """
        first = next(self._events, None)
        value = None if first is None else self._value(first, 0)
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                raise _Refused(event, "a second document begins here", "keep one document in a file")
        return value

    def _value(self, event: yaml.Event, depth: int) -> object:
        if isinstance(event, yaml.AliasEvent):
            return self._follow(event, depth)
        if not isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) or event.tag:
            tag = getattr(event, "tag", "this")
            raise _Refused(event, f"{tag} is a YAML tag", "leave it out, or put a text with ! in quotes")
        value: object
        if isinstance(event, yaml.ScalarEvent):
            value = _resolve(event)
            if isinstance(value, str):
                value = self._share.setdefault(value, value)
        elif depth == MAX_DEPTH:
            raise _Refused(event, f"nested in more than {MAX_DEPTH} levels", "close the brackets before this place")
        else:
            value = self._mapping(depth + 1) if isinstance(event, yaml.MappingStartEvent) else self._list(depth + 1)
        if event.anchor:
            self._anchors[event.anchor] = value
        return value

    def _follow(self, event: yaml.AliasEvent, depth: int) -> object:
        """What an alias stands for."""
        if event.anchor not in self._anchors:
            hint = f"name it with &{event.anchor} before this place, or put a text with * in quotes"
            raise _Refused(event, f"*{event.anchor} stands for nothing", hint)
        value = self._anchors[event.anchor]
        self._aliased += _count(value, ALIASED_MOST)
        if self._aliased > ALIASED_MOST:
            raise _Refused(event, f"aliases stand for more than {ALIASED_MOST:,} values", "write some of them out")
        if depth + _height(value) > MAX_DEPTH:
            raise _Refused(event, f"nested in more than {MAX_DEPTH} levels", "write some of it out elsewhere")
        return value

    def _mapping(self, depth: int) -> dict[object, object]:
        mapping: dict[object, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _Refused(
                    event, "expected a key, not a list or mapping", "a key with [ or { in front needs quotes"
                )
            key = self._value(event, depth)
            if key in mapping:
                self._faults.append(_repeat(event, key, mapping))
            following = next(self._events)
            if event.implicit[0] and "：" in event.value and _is_empty(following):
                raise _Refused(event, "a full-width colon in this key", "type ':' and a space")
            mapping.setdefault(key, self._value(following, depth))
        return mapping

    def _list(self, depth: int) -> list[object]:
        items: list[object] = []
        while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(item, depth))
        return items


def _is_empty(event: yaml.Event) -> bool:
    return isinstance(event, yaml.ScalarEvent) and event.implicit[0] and not event.value


def _repeat(event: yaml.ScalarEvent, key: object, mapping: dict[object, object]) -> Fault:
    """A key that is there already; to Python, 1 and true are one."""
    if any(known == key and type(known) is not type(key) for known in mapping):
        return Fault(
            _spot(event), f"1 and true, or 0 and false, cannot both be keys: {event.value}", "put the number in quotes"
        )
    return Fault(_spot(event), f"key {event.value!r} stands here a second time", "keep one")


def _inner(value: object) -> Collection[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _height(value: object) -> int:
    """How many levels of lists and mappings there are in a value."""
    return 1 + max(map(_height, _inner(value)), default=0) if isinstance(value, dict | list) else 0


def _count(value: object, most: int) -> int:
    """How many values there are in one, itself among them; beyond `most` it is not counted on."""
    count = 1
    for item in _inner(value):
        if count > most:
            break
        count += _count(item, most - count)
    return count


def _resolve(event: yaml.ScalarEvent) -> object:
    """The value of a scalar in the core schema."""
    written = event.value
    if not event.implicit[0] or (written and written[0] not in _FIRST):
        return written
    if written in _WORDS:
        return _WORDS[written]
    try:
        if _DECIMAL.match(written):
            return int(written)
        if _PREFIXED.match(written):
            return int(written, base=0)
    except ValueError:  # more digits than Python reads
        return written
    return float(written) if _FLOAT.match(written) else written


class _Mistake(NamedTuple):
    """A typical mistake.

    Attributes:
        problem: a part of what libyaml says.
        pattern: what the line, with the one above, looks like; "" fits all. A group `at` marks the place to show.
        message: for people.
        hint: what to do; {line} is where the bracket or quote was opened.
    """

    problem: str
    pattern: str
    message: str
    hint: str


_QUOTE_ALL = "put all of it in quotes"
_ALIGN = "indent what belongs together by the same number of spaces"
_FLOW = "the bracket of line {line} is still open; inside brackets, texts with { } [ ] or a comma need quotes"

_MISTAKES = (
    _Mistake("", r"^ *(?P<at>)\t", "a tab indents this line", "use spaces"),
    _Mistake("", r"^ *(?:- )?[^\s:#\"']+(?P<at>)：", "a full-width colon follows the key", "type ':' and a space"),
    _Mistake("", r"\n[^\"'#\n]*?[\[{:,] *(?P<at>[｛［“‘])", "a full-width bracket or quote", "type { [ \" or '"),
    _Mistake("", r"\n[^\"'#\n]*?[\[{][^\"'#\n]*?(?P<at>，)", "a full-width comma", "type ',' and a space"),
    _Mistake("", r"[\"'] *(?P<at>，) *[\"'{\[]", "a full-width comma", "type ',' and a space"),
    _Mistake("mapping values", r"^ *(?:- )?[\w.-]+:(?P<at>)\S.*\n", "no space behind ':'", "write 'key: value'"),
    _Mistake("mapping values", r"^ *(?:- )?(?P<at>)\w[^:#\n]*\n", "no ':' behind this key", "write 'key: value'"),
    _Mistake("mapping values", r"^( *)\S.*\n\1 +(?P<at>)\S", "this is indented deeper than the line above", _ALIGN),
    _Mistake("mapping values", "", "did not expect ':' here", "a text with ': ' in it needs quotes"),
    _Mistake("expected ':'", r"\w:(?P<at>[}\]])", "no value behind this key", "write 'key: value'"),
    _Mistake("expected ':'", "", "no ':' behind this key", "write 'key: value'"),
    _Mistake("cannot start any token", "", "a text cannot begin with this character", "put the text in quotes"),
    _Mistake("alphabetic or numeric", "", "a text cannot begin with * or &", "put the text in quotes"),
    _Mistake("expected node content", r"\n(?P<at>)\Z", "the file ends here", "a bracket above is not closed"),
    _Mistake("expected node content", "", "expected a value here", "is there a comma or bracket too many?"),
    _Mistake("expected key", r": ([\"']).*?\1 *(?P<at>)[^\s#].*\Z", "did not expect text behind the quote", _QUOTE_ALL),
    _Mistake("expected key", r": [\[{].*?[\]}] *(?P<at>)[^\s#].*\Z", "text stands behind the bracket", _QUOTE_ALL),
    _Mistake("expected key", "", "this does not line up with the lines above", _ALIGN),
    _Mistake("expected '-'", "", "expected '- ' as in the entries above", _ALIGN),
    _Mistake("expected ',' or '}'", "", "expected ',' or '}'", _FLOW),
    _Mistake("expected ',' or ']'", "", "expected ',' or ']'", _FLOW),
    _Mistake("unexpected end of stream", "", "a quote is not closed", "it was opened in line {line}"),
    _Mistake("unknown escape", "", "unknown escape in double quotes", "use single quotes, or two backslashes for one"),
)
"""The first that fits is shown."""


def _explain(error: yaml.YAMLError, text: str) -> Fault:
    """Turns libyaml's complaint into a fault."""
    if isinstance(error, yaml.reader.ReaderError):
        offset = len(text.encode()[: error.position].decode(errors="ignore"))
        return Fault(spot_at(text, offset), f"invisible character U+{ord(text[offset]):04X}", "delete it")
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Fault(Spot(1, 1), str(error))
    problem, mark = error.problem or "", error.problem_mark
    if error.context_mark and "expected ':'" in problem:
        mark = error.context_mark  # where the key stands
    start = error.context_mark if error.context_mark and "end of stream" in problem else mark
    above = text.rfind("\n", 0, max(text.rfind("\n", 0, start.index), 0)) + 1
    end = text.find("\n", mark.index)
    for mistake in _MISTAKES:
        match = re.compile(mistake.pattern, re.MULTILINE).search(text, above, end if end >= 0 else len(text))
        if match and mistake.problem in problem:
            offset = match.start("at") if "at" in match.groupdict() else mark.index
            opened = (error.context_mark or mark).line + 1
            return Fault(spot_at(text, offset), mistake.message, mistake.hint.replace("{line}", str(opened)))
    return Fault(spot_at(text, mark.index), problem)


def spot_at(text: str, offset: int) -> Spot:
    """The place of a character of a text."""
    return Spot(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


def find_end(node: yaml.Node) -> int:
    """Where a node's own text ends: libyaml counts what follows a block, such as comments, as a part of it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    index: int = node.end_mark.index
    return index
