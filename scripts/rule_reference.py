"""The pages of the reference on rules and conditions, in English and Chinese."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from collector.commands.configuration import ReadableSchema
from collector.reports.plan import ReportPlan
from devices.places import Places
from devices.points import POINTS
from rules.calendars import CalendarPlan
from rules.conditions.node import Condition
from rules.rule import Rule
from rules.when import When
from scripts.reference_parts import NOTE, find_models, walk, write_table
from tickets.deskplan import DeskPlan
from tickets.tariffs import Tariffs

CHINESE = Path(__file__).with_name("chinese.yaml")
_WORDS_SHOWN = 6
_HEAD = ("key", "value", "default", "meaning")


class Language:
    """What the pages are written in. English stands in the code; this one is for other languages.

    Attributes:
        suffix: of the pages' names, such as `.zh`.
        missing: what has been asked for and has no translation.
        unused: translations that nothing has asked for.
    """

    def __init__(self, suffix: str = "", words: dict[str, str] | None = None) -> None:
        self.suffix = suffix
        self.missing: list[str] = []
        self._words = words
        self.unused = set(words or ())

    def say(self, text: str) -> str:
        """The translation of what the code says; English where there is none."""
        key = " ".join(text.split())
        if self._words is None or not key:
            return text
        self.unused.discard(key)
        if key not in self._words:
            self.missing.append(key)
        return self._words.get(key, text)

    def say_paragraphs(self, text: str) -> str:
        """Likewise of a docstring, paragraph by paragraph."""
        if self._words is None:
            return text
        return "\n\n".join(self.say(paragraph) for paragraph in text.split("\n\n"))


def read_chinese() -> Language:
    """Chinese, from scripts/chinese.yaml."""
    return Language(".zh", yaml.safe_load(CHINESE.read_text(encoding="utf-8")))


class Writer:
    """Writes pages in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._say = language.say

    def conditions_page(self) -> str:
        """Every condition that a rule can make."""
        known = _make_schema(When)["$defs"]
        sections = []
        for name, condition in _find_conditions():
            text = inspect.cleandoc(condition.__doc__ or "")
            keys = self._keys(known[condition.__name__], known)
            sections.append(f"\n## `{name}`\n\n{self.language.say_paragraphs(text)}\n\n{keys}")
            for inner_name, inner in walk(condition, {condition}):
                if not issubclass(inner, Condition):
                    keys = self._keys(known[inner.__name__], known)
                    sections.append(f"\n{self._say('`{}`, each:').format(inner_name)}\n\n{keys}")
        logic = [
            (f"`{field.alias or name}`", self._say(field.description or ""))
            for name, field in When.model_fields.items()
        ]
        head = (self._say("condition"), self._say("true where"))
        lines = self._say(
            "What may stand below `when` in a [rule]({}): one of these, or several that `all`, `any` and `not` combine."
            " A bound is a quantity with its unit, `253 V`, `30 L/h`; of points without a unit a number; or a share of"
            " a rating of the device: `110 % of nominal_voltage`."
        ).format(self._link("rules"))
        title = self._say("Conditions")
        return f"# {title}\n\n{NOTE}\n{lines}\n\n" + write_table(head, logic) + "".join(sections)

    def rules_page(self) -> str:
        """What rules, calendars, tariffs, reports, the desk's plan and places may say."""
        note = self._say("Durations are written `30s`, `15m`, `1h30m`, `7d`. Unknown keys are errors.")
        note += self._say(" What stands below `when`: [conditions]({}).").format(self._link("conditions"))
        parts = [f"# {self._say('Rules, calendars, tariffs, reports, desk, places')}\n\n{NOTE}\n{note}\n"]
        for file, model, entry in (
            ("rules/*.yaml", Rule, "A list `rules` of:"),
            ("calendars.yaml", CalendarPlan, "A map `calendars` from names to:"),
            ("tariffs.yaml", Tariffs, ""),
            ("reports.yaml", ReportPlan, ""),
            ("desk.yaml", DeskPlan, ""),
            ("places.yaml", Places, ""),
        ):
            schema = _make_schema(model)
            known = schema.get("$defs", {})
            keys = self._keys(schema, known)
            parts.append(f"\n## {file}\n\n{self._say(entry)}{chr(10) * 2 if entry else ''}{keys}")
            for name, inner in walk(model, {model, When, *find_models(When.model_fields["all"].annotation)}):
                if inner.__name__ in known and not issubclass(inner, Condition):
                    parts.append(f"\n### `{name}`\n\n" + self._keys(known[inner.__name__], known))
        return "".join(parts)

    def _link(self, page: str) -> str:
        return f"{page}{self.language.suffix}.md"

    def _keys(self, schema: dict[str, Any], known: dict[str, dict[str, Any]]) -> str:
        """A table of the keys that a schema has."""
        rows = []
        for name, inner in schema["properties"].items():
            default = inner.get("default")
            plain = default is None or isinstance(default, dict | list) or default == ""
            shown = "–" if plain else f"`{str(default).lower() if isinstance(default, bool) else default}`"
            needed = self._say("**required**") if name in schema.get("required", ()) else shown
            rows.append((f"`{name}`", self._value(inner, known), needed, self._say(inner.get("description", ""))))
        return write_table(tuple(map(self._say, _HEAD)), rows)

    def _value(self, schema: dict[str, Any], known: dict[str, dict[str, Any]]) -> str:
        """What may stand in the place of a value, from its JSON Schema."""
        examples = schema.get("examples", [])
        if "$ref" in schema:
            said = self._model(schema["$ref"].rpartition("/")[2], known)
        elif any("% of nominal_voltage" in str(example) for example in examples):
            said = self._say("bound")
        elif examples:
            duration = "(ms|s|m|min|h|d|w)" in schema.get("pattern", "")
            shown = ", ".join(f"`{example}`" for example in examples)
            said = self._say("duration") if duration else self._say("such as {}").format(shown)
        elif "anyOf" in schema:
            parts = [part for part in schema["anyOf"] if part.get("type") != "null" and part.get("const") != ""]
            many = parts[-1].get("items") == parts[0]
            values = dict.fromkeys(self._value(part, known) for part in (parts[:1] if many else parts))
            said = ", ".join(values)
            said = self._say("{}, or a list of them").format(said) if many else said
        elif schema.get("type") == "array":
            items = schema.get("items") or {"anyOf": schema.get("prefixItems", [])}
            said = self._say("list of: {}").format(self._value(items, known))
        else:
            said = self._plain(schema)
        return said

    def _model(self, name: str, known: dict[str, dict[str, Any]]) -> str:
        if name == "Text":
            return "`{en: …, zh: …}`"
        if name == "When":
            return self._say("[conditions]({})").format(self._link("conditions"))
        return self._say("keys, below" if known[name].get("properties") else "map")

    def _plain(self, schema: dict[str, Any]) -> str:
        """The words that a value may be, else its type."""
        words = schema.get("enum") or ([str(schema["const"]).lower()] if "const" in schema else [])
        if len(words) > _WORDS_SHOWN and POINTS.keys() >= set(words):
            return self._say("a [point](points.md)")
        types = {"string": "text", "boolean": "`true` or `false`", "object": "map"}
        return ", ".join(f"`{word}`" for word in words) or self._say(types.get(schema.get("type", ""), "number"))


def _make_schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(schema_generator=ReadableSchema)


def _find_conditions() -> Iterator[tuple[str, type[Condition]]]:
    for name, field in When.model_fields.items():
        for condition in find_models(field.annotation):
            if issubclass(condition, Condition):
                yield field.alias or name, condition
