"""What pydantic says of a document, in people's words, and at the place that it is about."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from collector import phrases
from collector.yamlfile import Fault, Path, Spot
from devices.misfits import Misfit, MisfitError
from devices.points import POINTS
from devices.values import suggest


class Source(Protocol):
    """A file's content, with the place of everything in it: a Document or a Sheet."""

    @property
    def value(self) -> object:
        """The content."""

    @property
    def faults(self) -> list[Fault]:
        """What is wrong with the text itself."""

    def locate(self, path: Path) -> Spot:
        """Where a value stands, or what is nearest around it."""

    def locate_key(self, path: Path) -> Spot:
        """Where the key of a value stands, or of what is nearest around it."""


_SHOWN_LENGTH = 60
_KEY = ("[key]",)
"""Where pydantic's place of an error ends when it means the key itself."""

_PASSWORD = re.compile(r"(?<=://)[^\s/@]+(?=@)")
"""User name and password in an address."""


def explain(error: ValidationError, model: type[BaseModel], source: Source) -> list[Fault]:
    """Everything that is wrong.

    Args:
        error: what pydantic says of the source's content.
        model: what the content was validated against.
        source: knows the places.
    """
    details = error.errors(include_url=False)
    explainer = _Explainer(model, source, details)
    faults: dict[Path, Fault] = {}
    for detail in details:
        for path, fault in explainer.explain(detail):
            faults.setdefault(path, fault)
    return list(faults.values())


class _Explainer:
    def __init__(self, model: type[BaseModel], source: Source, details: list[ErrorDetails]) -> None:
        self._source = source
        self._schema = model.model_json_schema()
        self._kinds: dict[Path, set[str]] = {}
        for detail in details:
            self._kinds.setdefault(_follow(source.value, detail["loc"])[0], set()).add(detail["type"])

    def explain(self, detail: ErrorDetails) -> Iterator[tuple[Path, Fault]]:
        """What a detail is about, and how to say it; of a value's several forms, only for those that it comes near."""
        path, _ = _follow(self._source.value, detail["loc"])
        if detail["type"] in phrases.ANOTHER_KIND and any(
            ("value_error" in kinds if other == path else other[: len(path)] == path)
            for other, kinds in self._kinds.items()
        ):
            return
        error = detail.get("ctx", {}).get("error")
        if isinstance(error, MisfitError):
            yield from (self._place(path, misfit) for misfit in error.misfits)
        else:
            yield self._explain(detail)

    def _place(self, path: Path, misfit: Misfit) -> tuple[Path, Fault]:
        """Something inside of what stands at a path; a list of one, or a text alone, may stand for more."""
        wanted = (*path, *misfit.path)
        found, value = _follow(self._source.value, wanted)
        missing = [step for step in misfit.path if isinstance(value, dict) and str(step) not in map(str, found)]
        if any(not isinstance(step, int) for step in missing):
            label = ".".join(str(step) for step in misfit.path if not isinstance(step, int))
            return wanted, Fault(self._source.locate_key(found), f"{label}: {misfit.message}")
        keyed = isinstance(value, dict | list) and not isinstance(found[-1] if found else 0, int)
        locate = self._source.locate_key if keyed else self._source.locate
        return wanted, Fault(locate(found), f"{_label(found)}{misfit.message}")

    def _explain(self, detail: ErrorDetails) -> tuple[Path, Fault]:
        kind, place, context = detail["type"], detail["loc"], detail.get("ctx", {})
        if kind == "missing":
            return self._miss((*_follow(self._source.value, place[:-1])[0], place[-1]))
        path, _ = _follow(self._source.value, place)
        if kind in {"extra_forbidden", "invalid_key"}:
            return self._reject_key(path)
        if kind == "value_error":
            return self._pass_on(path, str(context["error"]), of_key=place[-1:] == _KEY)
        if kind.startswith("union_tag"):
            path = (*path, context["discriminator"].strip("'"))
            if kind == "union_tag_not_found":
                return self._miss(path)
        return self._compare(path, detail)

    def _miss(self, path: Path) -> tuple[Path, Fault]:
        if isinstance(path[-1], int):
            return path, Fault(self._source.locate(path[:-1]), f"{_label(path)}expected one entry more")
        schema = self._keys(path[:-1]).get(str(path[-1]), {})
        hint = str(schema.get("description") or next(self._unfold(schema, None)).get("description", "")).rstrip(".")
        return path, Fault(self._source.locate_key(path), f"missing key {path[-1]!r}", hint)

    def _reject_key(self, path: Path) -> tuple[Path, Fault]:
        key, known = str(path[-1]), self._keys(path[:-1])
        message = f"unknown key {key!r}"
        if f"{key}_file" in known:
            message, hint = f"{key}: secrets are read from files, never from here", f"use {key}_file"
        elif re.split("[:：]", key)[0] in known:
            hint = "write ': ' between key and value"
        elif key == "<<":
            hint = "YAML 1.2 has no merge keys; write the keys out"
        elif key in POINTS and "points" in known:
            hint = "points stand below `points`, indented"
        else:
            hint = self._guess_key(path, known) or f"known here: {', '.join(known)}"
        return path, Fault(self._source.locate_key(path), message, hint)

    def _guess_key(self, path: Path, known: Mapping[str, dict[str, Any]]) -> str:
        """What an unknown key may mean: a slip of the finger, another's word for it, or one that belongs elsewhere."""
        key = str(path[-1])
        near, meant = (
            get_close_matches(key, known, n=1, cutoff=phrases.VERY_NEAR),
            phrases.KEY_SYNONYMS.get(key.lower(), ""),
        )
        if near or meant in known:
            return f"did you mean {near[0] if near else meant}?"
        beside = _follow(self._source.value, path[:-1])[1]
        owners = self._find_owners(path)
        given = [name for name in owners if isinstance(beside, dict) and name in beside]
        outer = next((path[depth] for depth in range(len(path) - 2, 0, -1) if key in self._keys(path[:depth])), None)
        if outer is not None and not given:
            return f"it stands beside {outer}, not below it"
        if owners:
            return f"it stands below {' or '.join((given or owners)[: phrases.OWNERS_SHOWN])}"
        return suggest(key, known)

    def _find_owners(self, path: Path) -> list[str]:
        """The keys that may stand beside an unknown one and below which it may stand."""
        owners = [
            name
            for name, schema in self._keys(path[:-1]).items()
            for node in self._unfold(schema, None)
            if any(
                path[-1] in inner.get("properties", {})
                for inner in (self._unfold(node["items"], None) if "items" in node else [node])
            )
        ]
        return list(dict.fromkeys(owners))

    def _pass_on(self, path: Path, message: str, *, of_key: bool) -> tuple[Path, Fault]:
        """A validator's own words; where they begin with `key: `, or quote what a key has, they are about that one."""
        named = re.match(r"([a-z_][\w.]*): ", message)
        inner = named[1].split(".") if named else []
        if named and inner[0] in self._keys(path):
            path, fault = self._place(path, Misfit(tuple(inner), message[named.end() :]))
            return path, fault._replace(message=_PASSWORD.sub("…", message))
        if not of_key:
            path = self._find_quoted(path, message)
            message = f"{_label(path)}{message}"
        locate = self._source.locate_key if of_key else self._source.locate
        return path, Fault(locate(path), _PASSWORD.sub("…", message))

    def _find_quoted(self, path: Path, message: str) -> Path:
        """Where in a mapping the one value stands that a message quotes, else the mapping itself."""
        quoted, value = re.search(r"\bgot '([^']*)'", message), _follow(self._source.value, path)[1]
        if quoted is None or not isinstance(value, dict):
            return path
        places = [(*path, key) for key, inner in value.items() if str(inner) == quoted[1]]
        for key, inner in value.items():
            if isinstance(inner, list):
                places += [(*path, key, index) for index, item in enumerate(inner) if str(item) == quoted[1]]
        return places[0] if len(places) == 1 else path

    def _compare(self, path: Path, detail: ErrorDetails) -> tuple[Path, Fault]:
        kind, context = detail["type"], detail.get("ctx", {})
        if detail["loc"][-1:] == _KEY:
            spot, label, value = self._source.locate_key(path), "key: ", path[-1]
        else:
            spot, label, value = self._source.locate(path), _label(path), _follow(self._source.value, path)[1]
        if kind == "string_pattern_mismatch":
            expected = phrases.PATTERNS.get(context["pattern"], context["pattern"])
        elif kind in phrases.EXPECTED:
            expected = phrases.EXPECTED[kind].format_map(context).replace(" 1 entries", " one entry")
            if self._kinds.get(path, set()) >= phrases.SCALAR_KINDS:
                expected = phrases.NO_NUMBER if type(value) in {int, float} else phrases.SCALAR
            elif expected in {"True", "False"}:
                expected = expected.lower()
        else:
            return path, Fault(spot, f"{label}{detail['msg']}")
        alternative = expected in {phrases.LIST, phrases.MAPPING} and any(
            node.get("type") == "string" for node in self._find(path)
        )
        hint = self._help(
            phrases.TEXT if alternative and expected == phrases.LIST else expected, path, value, spot.written
        )
        expected = f"{phrases.TEXT} or {expected}" if alternative else expected
        return path, Fault(spot, f"{label}expected {expected}, got {show(value)}", hint)

    def _help(self, expected: str, path: Path, value: object, written: str) -> str:
        """What to write instead."""
        if value is None:
            needed = any(path[-1:] == (key,) for node in self._find(path[:-1]) for key in node.get("required", ()))
            return "fill it in" if needed else "fill it in, or leave the key out"
        if expected == phrases.MAPPING:
            return self._help_mapping(self._keys(path), value)
        if expected == phrases.LIST and isinstance(value, str) and re.search("[｛｝［］]", value):
            return phrases.FULL_WIDTH
        if expected == phrases.LIST:
            return f'write ["{value}"]' if isinstance(value, str) else "put '- ' in front of every entry"
        if expected == phrases.TEXT:
            return "put it in quotes" if isinstance(value, list | dict) else f"put it in quotes: '{written}'"
        choices = re.findall(r"'([^']+)'", expected)
        meant = phrases.SYNONYMS.get(str(value).lower(), str(value))
        return suggest(meant, choices) or suggest(meant.lower(), choices)

    def _help_mapping(self, known: Mapping[str, dict[str, Any]], value: object) -> str:
        keys = list(known)
        if isinstance(value, str) and re.search("[｛｝［］]", value):
            return phrases.FULL_WIDTH
        if isinstance(value, str) and re.search("[:：]", value):
            return "write ': ' between key and value"
        if isinstance(value, str) and keys:
            return self._complete(known, value)
        if isinstance(value, list) and not keys:
            return "leave out the '- ' in front of every entry"
        if isinstance(value, list) and len(keys) == 1 and self._takes(known[keys[0]], "array"):
            return f"write {keys[0]}: above the list"
        return f"known here: {', '.join(keys)}" if keys else ""

    def _complete(self, known: Mapping[str, dict[str, Any]], text: str) -> str:
        """What to write where a text stands in the place of a mapping: it may be the value of one key, or a key."""
        first = next((key for key, schema in known.items() if text in self._list_words(schema)), next(iter(known)))
        if re.match(r"\d", text) and "for" in known:
            first = "for"
        elif re.search("[\u4e00-\u9fff]", text) and "zh" in known:
            first = "zh"
        near = get_close_matches(text, known, n=1, cutoff=0.8)
        if self._takes(known[first], "string") or text in self._list_words(known[first]):
            return f"write {{{first}: {text}}}"
        return f"write {{{near[0]}: {{…}}}}" if near else f"known here: {', '.join(known)}"

    def _list_words(self, schema: dict[str, Any]) -> list[str]:
        """The words that a value, or an entry of it, may be, where they are a closed list."""
        nodes = list(self._unfold(schema, None))
        nodes += [inner for node in nodes if "items" in node for inner in self._unfold(node["items"], None)]
        return [word for node in nodes for word in node.get("enum", ())]

    def _takes(self, schema: dict[str, Any], kind: str) -> bool:
        """Whether a value may be of a kind, as JSON Schema calls it."""
        return any(node.get("type") == kind for node in self._unfold(schema, None))

    def _keys(self, path: Path) -> dict[str, dict[str, Any]]:
        """The keys that may stand in the mapping at a path, with their schemas."""
        return {key: schema for node in self._find(path) for key, schema in node.get("properties", {}).items()}

    def _find(self, path: Path) -> list[dict[str, Any]]:
        """The schemas of what stands at a path."""
        value = self._source.value
        nodes = list(self._unfold(self._schema, value))
        for step in path:
            value = _follow(value, (step,))[1]
            children = [child for node in nodes for child in _find_children(node, step)]
            nodes = [node for child in children for node in self._unfold(child, value)]
        return nodes

    def _unfold(self, node: dict[str, Any], value: object) -> Iterator[dict[str, Any]]:
        """The alternatives of a schema; of those told apart by a key, the one that the value names."""
        if "$ref" in node:
            node = self._schema["$defs"][node["$ref"].rpartition("/")[2]]
        choice = node.get("discriminator")
        if choice and isinstance(value, dict) and value.get(choice["propertyName"]) in choice["mapping"]:
            alternatives = [{"$ref": choice["mapping"][value[choice["propertyName"]]]}]
        else:
            alternatives = node.get("anyOf") or node.get("oneOf") or []
        for alternative in alternatives:
            yield from self._unfold(alternative, value)
        if not alternatives:
            yield node


def _find_children(node: dict[str, Any], step: object) -> Iterator[dict[str, Any]]:
    if step in node.get("properties", {}):
        yield node["properties"][step]
    elif isinstance(step, int) and "items" in node:
        yield node["items"]
    else:
        yield from (
            schema for pattern, schema in node.get("patternProperties", {}).items() if re.search(pattern, str(step))
        )
        if isinstance(node.get("additionalProperties"), dict):
            yield node["additionalProperties"]


def _follow(value: object, place: Path) -> tuple[Path, object]:
    """The steps of a place that a value has, and where they lead; pydantic adds steps that name alternatives."""
    path: list[object] = []
    reached: Any = value
    for step in place:
        keys: list[object] = []
        if isinstance(reached, dict):  # pydantic writes keys that are no texts as texts
            keys = [key for key in reached if key == step or str(key) == step]
        elif isinstance(reached, list) and str(step).isdecimal() and int(str(step)) < len(reached):
            keys = [int(str(step))]
        if keys:
            path.append(keys[0])
            reached = reached[keys[0]]
    return tuple(path), reached


def _label(path: Path) -> str:
    """The last key of a path, to put before a message."""
    keys = [step for step in path if isinstance(step, str)]
    return f"{keys[-1]}: " if keys else ""


def show(value: object) -> str:
    """A value as a message shows it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return repr(value if len(value) <= _SHOWN_LENGTH else value[: _SHOWN_LENGTH - 1] + "…")
        case list():
            return phrases.LIST if value else "an empty list"
    return phrases.MAPPING
