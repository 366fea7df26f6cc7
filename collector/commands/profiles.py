"""`siteward devices profiles`: which there are, and whether they pass their own tests."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from collector.commands.common import refuse
from collector.configuration import Configuration, load, load_profiles
from collector.folder import ConfigurationError
from collector.terminal import (
    DEFAULT_CONFIG,
    EXIT_FINDINGS,
    AsJson,
    ConfigFolder,
    console,
    fail,
    print_json,
    print_rows,
)
from devices.language.catalog import Catalog
from devices.language.profile import Profile
from devices.language.selftest import Failure, check_profile
from devices.values import suggest


def profiles(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="PROFILE", help="Some of them; left out: all."),
    ] = None,
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    test: Annotated[bool, typer.Option("--test", help="Run the tests inside of them.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the profiles that devices may name: how payloads are read."""
    catalog = read_catalog(config)
    chosen = [find_profile(name, catalog) for name in names or sorted(catalog)]
    if test:
        _test(chosen, as_json=as_json)
    elif as_json:
        print_json([profile.model_dump(mode="json", exclude_unset=True) for profile in chosen])
    else:
        language = _find_language(config)
        rows = [
            {"id": profile.id, "name": profile.name.pick(language), "topics": "\n".join(_list_topics(profile))}
            for profile in chosen
        ]
        print_rows("Profiles", rows, as_json=False)


def read_catalog(folder: Path) -> Catalog:
    """The built-in profiles and a folder's own, good or failing their tests; ends the command where one is wrong."""
    try:
        return load_profiles(folder)
    except ConfigurationError as error:
        refuse(error, folder)


def find_profile(name: str, catalog: Catalog) -> Profile:
    """The profile of a name; ends the command where there is none."""
    if name not in catalog:
        fail(f"There is no profile {name!r}; {suggest(name, catalog) or 'see: siteward devices profiles'}")
    return catalog[name]


def find_configuration(folder: Path) -> Configuration | None:
    """A folder's configuration, where it is good."""
    try:
        return load(folder)
    except ConfigurationError:
        return None


def _find_language(folder: Path) -> str:
    configuration = find_configuration(folder)
    return configuration.settings.site.language if configuration else "en"


def _list_topics(profile: Profile) -> Iterable[str]:
    topics = dict.fromkeys(topic for form in profile.forms for topic in form.topics)
    return topics or ["(each device its own)"]


def _test(chosen: Iterable[Profile], *, as_json: bool) -> None:
    """Runs the tests, prints what they say, and ends the command with code 1 where one fails."""
    results = [(profile, check_profile(profile)) for profile in chosen]
    failed = any(failures for _, failures in results)
    if as_json:
        print_json([_tell(profile, failures) for profile, failures in results])
    else:
        rows = [
            {
                "profile": profile.id,
                "tests": len(profile.tests),
                "failed": len({failure.test for failure in failures}),
            }
            for profile, failures in results
        ]
        print_rows("Tests of profiles", rows, as_json=False)
        for profile, failures in results:
            for failure in failures:
                label = _label(profile, failure)
                console.print(f"[red]{escape(profile.id)}, {escape(label)}:[/] ", end="")
                console.print(failure.problem, markup=False, highlight=False, soft_wrap=True)
        if not any(profile.tests for profile, _ in results):
            console.print("No profile has a test: write some under `tests`.", markup=False)
    if failed:
        raise typer.Exit(EXIT_FINDINGS)


def _tell(profile: Profile, failures: Iterable[Failure]) -> dict[str, object]:
    told = [
        {
            "test": failure.test + 1,
            "name": profile.tests[failure.test].name,
            "at": ".".join(map(str, failure.path)),
            "problem": failure.problem,
        }
        for failure in failures
    ]
    return {"profile": profile.id, "tests": len(profile.tests), "failures": told}


def _label(profile: Profile, failure: Failure) -> str:
    name = profile.tests[failure.test].name
    return f"test {failure.test + 1}" + (f" ({name})" if name else "")
