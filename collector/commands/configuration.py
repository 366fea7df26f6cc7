"""`siteward check` and `siteward schema`."""

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from collector import filecheck, rulefindings
from collector.configuration import Configuration, load
from collector.folder import ConfigurationError, Problem
from collector.reports.plan import ReportPlan
from collector.settings import Settings
from collector.terminal import (
    DEFAULT_CONFIG,
    EXIT_FINDINGS,
    EXIT_USAGE,
    AsJson,
    ConfigFolder,
    console,
    fail,
    print_json,
    print_rows,
)
from devices.language.profile import Profile
from devices.places import Places
from devices.register import Register
from rules.calendars import Calendars
from rules.rule import RuleFile
from rules.trial import RuleTestFile
from tickets.deskplan import DeskPlan
from tickets.tariffs import Tariffs

MODELS: dict[str, tuple[type[BaseModel], str]] = {
    "siteward": (Settings, "siteward.yaml"),
    "devices": (Register, "devices.yaml"),
    "places": (Places, "places.yaml"),
    "calendars": (Calendars, "calendars.yaml"),
    "tariffs": (Tariffs, "tariffs.yaml"),
    "reports": (ReportPlan, "reports.yaml"),
    "desk": (DeskPlan, "desk.yaml"),
    "rules": (RuleFile, "rules/*.yaml"),
    "rule-tests": (RuleTestFile, "rules/*.test.yaml"),
    "profile": (Profile, "profiles/*.yaml"),
}
"""What a configuration folder is made of: models by name, and the files that they describe."""


def check(config: ConfigFolder = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Check a configuration: say every problem, where it stands, and what was expected.

    Exit codes: 0 good, 1 only warnings, 2 problems.
    """
    warnings: list[Problem] = []
    summary: dict[str, Any] = {}
    try:
        configuration = load(config)
    except ConfigurationError as error:
        problems = error.problems
    else:
        problems = list(filecheck.find_missing(configuration))
        warnings = [
            *filecheck.find_exposed(configuration),
            *filecheck.find_strangers(configuration),
            *rulefindings.find_missing_runbooks(configuration),
        ]
        summary = _summarize(configuration)
    if as_json:
        found = {"problems": problems, "warnings": warnings}
        print_json({name: [problem._asdict() for problem in some] for name, some in found.items()} | summary)
    else:
        _print_check(problems, warnings, summary)
    if problems or warnings:
        raise typer.Exit(EXIT_USAGE if problems else EXIT_FINDINGS)


def _summarize(configuration: Configuration) -> dict[str, Any]:
    return {
        "site": configuration.settings.site.id,
        "devices": len(configuration.register.devices),
        "profiles": len(configuration.profiles),
        "rules": len(configuration.rules),
        "files": [str(file) for file in configuration.files],
    }


def _print_check(problems: list[Problem], warnings: list[Problem], summary: dict[str, Any]) -> None:
    for problem in problems:
        console.print(str(problem), style="red", markup=False, highlight=False, soft_wrap=True)
    for warning in warnings:
        console.print(f"Warning: {warning}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    if problems:
        concerned = {problem.file for problem in problems}
        console.print(f"{_count(len(problems), 'problem')} in {_count(len(concerned), 'file')}.", highlight=False)
        return
    console.print(
        f"Good: site {summary['site']}, {_count(summary['devices'], 'device')},"
        f" {_count(summary['profiles'], 'profile')}, {_count(summary['rules'], 'rule')},"
        f" read from {', '.join(summary['files'])}.",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def schema(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Left out: list them.")] = "",
    *,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write all as DIR/*.schema.json.")] = None,
) -> None:
    """Print the JSON Schema of a configuration file; editors complete and check with it."""
    if out is not None:
        for file in write_schemas(out):
            console.print(str(file), markup=False, highlight=False, soft_wrap=True)
    elif not name:
        rows = [{"name": name, "describes": file} for name, (_, file) in MODELS.items()]
        print_rows("Schemas", rows, as_json=False)
    elif name in MODELS:
        print_json(_make_schema(name))
    else:
        fail(f"There is no schema {name!r}; known are {', '.join(MODELS)}.")


def write_schemas(folder: Path) -> list[Path]:
    """Writes all schemas into a folder, which is made where it is missing; their files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in MODELS:
        path = folder / f"{name}.schema.json"
        path.write_bytes(orjson.dumps(_make_schema(name), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        paths.append(path)
    return paths


def _make_schema(name: str) -> JsonSchemaValue:
    model, _ = MODELS[name]
    schema = model.model_json_schema(schema_generator=ReadableSchema)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}


class ReadableSchema(GenerateJsonSchema):
    """Shows defaults as people write them: `15m`, not nanoseconds."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """The schema of a field that has a default."""
        result = super().default_schema(schema)
        writer = schema["schema"].get("serialization")
        if writer and writer["type"] == "function-plain":
            result["default"] = writer["function"](schema["default"])
        return result


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
