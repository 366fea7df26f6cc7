"""Writes docs/reference/ from the code. Run it after changing a setting, command, point or metric."""

import types
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
import yaml
from pydantic import BaseModel, ByteSize
from pydantic.fields import FieldInfo

from collector.cli import Deferred, app
from collector.settings import Settings
from collector.telemetry import FIGURES
from devices.durations import write_duration
from devices.language.catalog import Catalog
from devices.language.profile import Form, Profile
from devices.points import POINT_KINDS, POINTS
from devices.quantities import DIMENSIONS, Quantity
from devices.register import Device, Replacement, Text
from rules.rule import Rule
from scripts.reference_parts import NOTE, find_models, walk, write_table
from scripts.rule_reference import Language, Writer, read_chinese

FOLDER = Path(__file__).parents[1] / "docs" / "reference"


def _is_duration(field: FieldInfo) -> bool:
    return field.annotation is int and any("30s" in str(extra) for extra in field.metadata)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value in ("", {}, []) or isinstance(value, BaseModel):
        return "–"
    if isinstance(value, dict) or (isinstance(value, list) and isinstance(value[0], BaseModel)):
        return "shown in config/"
    if isinstance(value, ByteSize):
        return f"`{value.human_readable(decimal=True, separator=' ')}`"
    if _is_duration(field):
        return f"`{write_duration(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _find_quantities(annotation: Any) -> Iterator[Quantity]:  # noqa: ANN401 - any annotation
    for part in get_args(annotation):
        if isinstance(part, Quantity):
            yield part
        yield from _find_quantities(part)


def _kind(field: FieldInfo) -> str:
    annotation = field.annotation
    if _is_duration(field) or "30s" in str(annotation):
        return "duration"
    if "date-time" in str(field.metadata):
        return "time with its offset"
    examples = field.examples or [quantity.example for quantity in _find_quantities(annotation)]
    if examples:
        return f"such as {' or '.join(f'`{example}`' for example in examples)}"
    union = get_origin(annotation) in {Union, types.UnionType}
    options = [part for part in (get_args(annotation) if union else [annotation]) if part is not types.NoneType]
    options = [get_args(part)[0] if get_origin(part) is Annotated else part for part in options]
    words = []
    for part in options:
        if get_origin(part) is Literal:
            words += [f"`{word}`" for word in get_args(part) if word]
        elif isinstance(part, type) and issubclass(part, Enum):
            words += [f"`{word.value}`" for word in part]
        elif isinstance(part, type) and issubclass(part, BaseModel) and part is not Text:
            words.append("keys, below")
        elif isinstance(part, type):
            words.append(
                {
                    "str": "text",
                    "int": "number",
                    "bool": "`true` or `false`",
                    "ByteSize": "size such as `2 GB`",
                    "Path": "path",
                    "dict": "map",
                    "Text": "`{en: …, zh: …}`",
                }.get(part.__name__, part.__name__)
            )
        else:
            words.append({"list": "list", "dict": "map"}.get(getattr(get_origin(part), "__name__", ""), "text"))
    return ", ".join(dict.fromkeys(words))


def _settings(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        inner = [found for found in find_models(field.annotation) if found.__name__ != "Text"]
        path = f"{prefix}{name}"
        if not inner:
            yield f"`{path}`", _kind(field), _default(field), field.description or ""
        for found in inner:
            origin = get_origin(field.annotation)
            many = "[]" if origin is list else ".NAME" if origin is dict else ""
            for row in _settings(found, f"{path}{many}."):
                if len(inner) > 1 and "required" in row[2]:  # by one of several kinds
                    kind = get_args(found.model_fields["kind"].annotation)[0]
                    yield row[0], row[1], f"required for `{kind}`", row[3]
                else:
                    yield row


def _merge(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """One row for a key that several kinds of store or channel share."""
    values = ", ".join(dict.fromkeys([first[1], second[1]]))
    defaults = [row[2] for row in (first, second) if "required" not in row[2]]
    return (first[0], values, defaults[0] if defaults else "**required**", second[3])


def settings_page() -> str:
    """Every key of siteward.yaml and of a device."""
    head = ("key", "value", "default", "meaning")
    seen: dict[str, tuple[str, ...]] = {}
    for row in _settings(Settings):
        seen[row[0]] = _merge(seen[row[0]], row) if row[0] in seen else row
    return (
        f"# Settings\n\n{NOTE}\nDurations are written `30s`, `15m`, `1h30m`, `7d`. Paths are relative to the"
        " configuration's folder. Unknown keys are errors. Rules, calendars, tariffs, reports, the desk and places:"
        " [rules](rules.md).\n\n## siteward.yaml\n\n"
        + write_table(head, list(seen.values()))
        + "\n## devices.yaml\n\nA list `tags` of further tags that devices may carry, and a list `devices` of:\n\n"
        + write_table(head, _settings(Device))
        + "\nA list `replacements` of meters that took the place of others:\n\n"
        + write_table(head, _settings(Replacement))
        + "\ndevices.csv and replacements.csv have a column for each of these keys; `name_en`, `name_zh` and"
        " `tag.NAME` stand for what is nested.\n"
        + "\nPasswords and tokens come from `*_file` keys, or from the environment: `SITEWARD_MQTT_PASSWORD`,"
        " `SITEWARD_STORE_TOKEN`, `SITEWARD_STORE_PASSWORD`, `SITEWARD_DESK_PASSWORD`.\n"
    )


def commands(command: Any, path: str = "siteward") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - Click, within Typer
    """Every command below a group, with what is typed to call it."""
    if isinstance(command, Deferred):
        command = command.load()
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name, below in inner.items():
        yield from commands(below, f"{path} {name}")


def command_line_page() -> str:
    """Every command with its arguments and options."""
    parts = [f"# Command line\n\n{NOTE}\nExit codes: 0 good, 1 findings, 2 usage or configuration.\n"]
    for path, command in commands(typer.main.get_command(app)):
        parts.append(f"\n## {path}\n\n{(command.help or '').strip()}\n")
        rows = []
        for parameter in command.params:
            if parameter.param_type_name == "option":
                name = ", ".join(f"`{option}`" for option in [*parameter.opts, *parameter.secondary_opts])
                rows.append((name, parameter.help or ""))
            else:
                name = parameter.metavar or (parameter.name or "").upper()
                rows.append((f"`{name}`", getattr(parameter, "help", "") or ""))
        if rows:
            parts.append("\n" + write_table(("argument or option", "meaning"), rows))
    return "".join(parts)


def points_page() -> str:
    """Every point."""
    rows = [(f"`{p.name}`", p.unit or "–", p.type.__name__, p.kind, p.domain, p.meaning) for p in POINTS.values()]
    kinds = [(f"`{kind}`", meaning) for kind, meaning in POINT_KINDS.items()]
    units = [(d.name, kept, ", ".join(d.units), f"`{d.example}`") for kept, d in DIMENSIONS.items()]
    return (
        f"# Points\n\n{NOTE}\nThe list is closed; a point's name carries its unit.\n\n"
        + write_table(("point", "unit", "type", "kind", "system", "meaning"), rows)
        + "\n## Kinds\n\n"
        + write_table(("kind", "what it is"), kinds)
        + "\n## Units\n\nQuantities are written with their unit, in profiles and in the register. These are usual; all"
        " that are understood stand in `devices/units.txt`. Active, reactive and apparent power are not the same.\n\n"
        + write_table(("quantity", "kept in", "usual units", "example"), units)
    )


def metrics_page() -> str:
    """Every figure of the daemon."""
    rows = [
        (f"`siteward_{f.name}{'_total' if f.kind == 'counter' else ''}`", f"`{f.name}`", f.kind, f.meaning)
        for f in FIGURES
    ]
    return (
        f"# Metrics\n\n{NOTE}\nAt `/metrics` for Prometheus; every 30 s as fields of the measurement `siteward`.\n\n"
        + write_table(("at /metrics", "field", "kind", "meaning"), rows)
    )


def _keys(model: type[BaseModel], but: Iterable[str] = ()) -> str:
    """A table of a model's own keys; keys of keys have tables of their own."""
    rows = [
        (f"`{name}`", _kind(field), _default(field), field.description or "")
        for name, field in model.model_fields.items()
        if name not in but and not field.exclude
    ]
    return write_table(("key", "value", "default", "meaning"), rows)


def profiles_page() -> str:
    """Every built-in profile, and what a profile may say."""
    rows = [
        (f"`{profile.id}`", ", ".join(f"`{topic}`" for topic in topics) or "–", profile.description.pick("en"))
        for profile in Catalog().values()
        for topics in [dict.fromkeys(topic for form in profile.forms for topic in form.topics)]
    ]
    sections = [
        f"\n## `{key}`\n\n{(model.__doc__ or '').splitlines()[0]}\n\n" + _keys(model)
        for key, model in walk(Profile, {Form})
    ]
    return (
        f"# Profiles\n\n{NOTE}\nHow a device's payloads are read. [Profiles](../profiles.md) explains the language.\n"
        "\n## Built in\n\n"
        + write_table(("profile", "topics", "for"), rows)
        + "\n## Keys of a profile\n\n"
        + _keys(Profile, but=Form.model_fields)
        + "\n## Keys of a form of message\n\nEach of `messages` has these; of one form alone, the profile itself.\n\n"
        + _keys(Form)
        + "".join(sections)
    )


def library_page() -> str:
    """The rules that come with Siteward, as a site may copy them."""
    folder = FOLDER.parents[1] / "config" / "rules"
    intro = (
        "They stand in [config/rules](../../config/rules), each with its test beside it: copy what a site needs. A"
        " runbook says what to check and do; one of the same name in the site's own folder takes its place."
    )
    parts = [f"# Rules that come with Siteward\n\n{NOTE}\n{intro}\n"]
    for file in sorted(folder.glob("*.yaml")):
        if not file.name.endswith(".test.yaml"):
            rules = [Rule.model_validate(rule) for rule in yaml.safe_load(file.read_text(encoding="utf-8"))["rules"]]
            rows = [(f"`{rule.id}`", rule.name.en, rule.name.zh, rule.severity, _link_runbook(rule)) for rule in rules]
            head = ("rule", "name", "名称", "severity", "runbook")
            parts.append(f"\n## {file.name}\n\n" + write_table(head, rows))
    return "".join(parts)


def _link_runbook(rule: Rule) -> str:
    runbook = Path(rule.ticket.runbook if rule.ticket else "")
    return f"[{runbook.stem}](../runbooks/{runbook.name})" if runbook.name else "–"


PAGES = {
    "settings.md": settings_page,
    "command-line.md": command_line_page,
    "points.md": points_page,
    "metrics.md": metrics_page,
    "profiles.md": profiles_page,
    "library.md": library_page,
    **{
        f"{name}{writer.language.suffix}.md": write
        for writer in (Writer(Language()), Writer(read_chinese()))
        for name, write in (("rules", writer.rules_page), ("conditions", writer.conditions_page))
    },
}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, write in PAGES.items():
        (FOLDER / name).write_text(write(), encoding="utf-8")
