"""`siteward rules test`: runs the tests that stand beside the rules."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from collector.commands.common import load_configuration, refuse
from collector.configuration import Configuration
from collector.folder import RULE_TESTS, RULES, ConfigurationError, FolderReading, Origin
from collector.terminal import DEFAULT_CONFIG, EXIT_FINDINGS, AsJson, ConfigFolder, console, print_json
from rules.trial import RuleTest, RuleTestFile
from rules.trialrun import Failure, run


class Verdict(NamedTuple):
    """One test, where it stands, and what was not as it expects."""

    test: RuleTest
    origin: Origin
    failures: list[Failure]


def run_tests(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILES]...", help="Left out: rules/*.test.yaml of the site.")
    ] = None,
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    rule: Annotated[list[str] | None, typer.Option(help="Only tests of this rule; may be given again.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the tests of rules: what devices say, and which alerts and tickets must follow.

    Exit codes: 0 all passed, 1 some did not, 2 the configuration or a test cannot be read.
    """
    configuration = load_configuration(config)
    chosen = files or sorted((config / RULES).glob(f"[!.]*{RULE_TESTS}"))
    rules, site = configuration.rules, configuration.rule_site()
    verdicts = [
        Verdict(test, origin, run(test, rules, site))
        for test, origin in _read(configuration, chosen)
        if not rule or set(rule) & set(test.rules)
    ]
    if as_json:
        print_json([_tell(verdict) for verdict in verdicts])
    else:
        _show(verdicts)
        if not files and not rule:
            _show_untested(verdicts, configuration)
    if any(verdict.failures for verdict in verdicts):
        raise typer.Exit(EXIT_FINDINGS)


def _read(configuration: Configuration, files: Sequence[Path]) -> Iterator[tuple[RuleTest, Origin]]:
    """Every test with its place; prints what is wrong and ends the command where a file cannot be read."""
    reading = FolderReading(configuration.folder)
    parts = [(file, reading.read(file, RuleTestFile)) for file in files]
    if reading.problems:
        refuse(ConfigurationError(reading.sorted_problems()), configuration.folder)
    for file, part in parts:
        if part is not None:
            document, content = part
            for number, test in enumerate(content.tests):
                yield test, Origin(file, document, ("tests", number))


def _tell(verdict: Verdict) -> dict[str, object]:
    return {
        "name": verdict.test.name,
        "rules": verdict.test.rules,
        "at": str(verdict.origin),
        "passed": not verdict.failures,
        "failures": [
            {**verdict.origin.complain(path, message)._asdict(), "expected": expected, "got": got}
            for path, message, expected, got in verdict.failures
        ],
    }


def _show(verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        for path, message, expected, got in verdict.failures:
            lines = [str(verdict.origin.complain(path, f"{verdict.test.name}: {message}"))]
            lines += [f"    expected  {line}" for line in expected] + [f"    got       {line}" for line in got]
            console.print("\n".join(lines), style="red", markup=False, highlight=False, soft_wrap=True)
    count, bad = len(verdicts), sum(bool(verdict.failures) for verdict in verdicts)
    tests = f"{count} test{'' if count == 1 else 's'}"
    console.print(f"{tests}, {f'{bad} failed' if bad else 'all passed'}." if count else "There are no tests.")


def _show_untested(verdicts: Sequence[Verdict], configuration: Configuration) -> None:
    untested = {rule.id for rule in configuration.rules} - {name for each in verdicts for name in each.test.rules}
    if untested:
        console.print(f"Without a test: {', '.join(sorted(untested))}.", highlight=False)
