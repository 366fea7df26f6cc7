"""Drafts of rules: config/rules/drafts/*.yaml, a rule in each, beside the rules in force and not among them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from collector import rulecheck
from collector.configuration import Configuration
from collector.errors import CollectorError
from collector.folder import PLACES, RULES, ConfigurationError, FolderReading, Origin, Problem
from collector.registerfile import lock_folder, replace_files
from collector.rulecheck import Surroundings
from collector.ruletext import read_entry, replace_entry, write_alone
from collector.yamlfile import Document, Fault
from rules.rule import Rule, RuleFile

DRAFTS = "drafts"


class Draft(NamedTuple):
    """A rule that is not in force, and the file in which it stands."""

    rule: Rule
    file: Path


def folder_of(configuration: Configuration) -> Path:
    """Where the drafts of a site lie."""
    return configuration.folder / RULES / DRAFTS


def read_drafts(configuration: Configuration) -> list[Draft]:
    """All drafts of a site, by id.

    Raises:
        ConfigurationError: with every problem of every draft.
    """
    found, problems = read_good(configuration)
    if problems:
        raise ConfigurationError(problems)
    return found


def read_good(configuration: Configuration) -> tuple[list[Draft], list[Problem]]:
    """The drafts that can be judged, and what is wrong with the files of others."""
    found: list[Draft] = []
    problems: list[Problem] = []
    for file in list_files(configuration):
        try:
            found += [draft for draft, _ in _read(configuration, file)]
        except ConfigurationError as error:
            problems += error.problems
    return found, problems


def list_files(configuration: Configuration) -> list[Path]:
    """The files of all drafts."""
    return sorted(folder_of(configuration).glob("[!.]*.yaml"))


def _read(configuration: Configuration, file: Path) -> list[tuple[Draft, str]]:
    """The drafts of a file, with its text."""
    reading = FolderReading(configuration.folder)
    around = Surroundings(
        configuration.register,
        configuration.places if (configuration.folder / PLACES).exists() else None,
        configuration.profiles,
        configuration.calendars,
        configuration.desk,
    )
    found = list(_read_file(reading, file, around))
    if reading.problems:
        raise ConfigurationError(reading.sorted_problems())
    return found


def _read_file(reading: FolderReading, file: Path, around: Surroundings) -> Iterator[tuple[Draft, str]]:
    document = reading.open(file, Document)
    if document is None:
        return
    part, kept = reading.read_entries(file, document, RuleFile, ("rules",))
    text = file.read_text(encoding="utf-8-sig")
    for rule, entry in zip(part.rules, kept["rules"], strict=True):
        origin = Origin(file, document, ("rules", entry))
        for misfit in rulecheck.find_misfits(rule, around):
            reading.report(file, Fault(origin.locate(misfit.path), misfit.message))
        yield Draft(rule, file), text


def start(configuration: Configuration, file: Path) -> list[Draft]:
    """Makes drafts of the rules of a file, each in a file of its own; a draft of the same rule gives way.

    Returns:
        The drafts.

    Raises:
        ConfigurationError: a rule is wrong; nothing was changed.
        CollectorError: it is the rule in force, or there is none, or it is written in a way that cannot be taken out.
        OSError: a file cannot be read or written.
    """
    found = _read(configuration, file)
    if not found:
        raise CollectorError(f"{file}: there is no rule in it")
    live = {rule.id: rule for rule in configuration.rules}
    for draft, _ in found:
        if live.get(draft.rule.id) == draft.rule:
            raise CollectorError(f"{file}: rule {draft.rule.id} is as the one in force; change what you want to try")
    folder = folder_of(configuration)
    folder.mkdir(exist_ok=True)
    drafts = [Draft(draft.rule, folder / f"{draft.rule.id}.yaml") for draft, _ in found]
    texts = [_name(file, read_entry, text, draft.rule.id) for draft, text in found]
    with lock_folder(configuration.folder):
        replace_files({draft.file: write_alone(text) for draft, text in zip(drafts, texts, strict=True)})
    return drafts


def find(configuration: Configuration, rule: str) -> Draft:
    """The draft of a rule.

    Raises:
        ConfigurationError: there is no good one, and some are wrong.
        CollectorError: there is none.
    """
    found, problems = read_good(configuration)
    for draft in found:
        if draft.rule.id == rule:
            return draft
    if problems:
        raise ConfigurationError(problems)
    raise CollectorError(f"there is no draft of rule {rule!r}; see: siteward rules shadow list")


def stop(draft: Draft) -> None:
    """Drops a draft.

    Raises:
        OSError: its file cannot be deleted.
    """
    draft.file.unlink()


def promote(configuration: Configuration, draft: Draft) -> Path:
    """Puts a draft in the place of the rule in force, in its file, or as a new file where there is no such rule.

    Returns:
        The file that was changed.

    Raises:
        CollectorError: the rule is written in a way that cannot be replaced; nothing was changed.
        OSError: a file cannot be read or written.
    """
    text = draft.file.read_text(encoding="utf-8-sig")
    origin = configuration.origins.get(draft.rule.id)
    with lock_folder(configuration.folder):
        if origin is None:
            file = configuration.folder / RULES / draft.file.name
            if file.exists():
                raise CollectorError(f"{file} is there already; put the rule into it by hand")
            replace_files({file: text})
        else:
            file = origin.file
            before = file.read_bytes().decode("utf-8")
            entry = _name(draft.file, read_entry, text, draft.rule.id)
            after = _name(file, replace_entry, before, draft.rule.id, entry)
            _compare(file, before, after, draft.rule)
            replace_files({file: after})
        stop(draft)
    return file


def _compare(file: Path, before: str, after: str, draft: Rule) -> None:
    """The new text says of this rule what the draft says, and of all others what it said before."""
    were, are = (RuleFile.model_validate(Document(text.lstrip("\ufeff")).value).rules for text in (before, after))
    if are != [draft if rule.id == draft.id else rule for rule in were]:
        raise CollectorError(f"{file}: the rule cannot be replaced in this text; put the draft into it by hand")


def _name(file: Path, work: Callable[..., str], *words: str) -> str:
    """Does something with texts, and says of which file an error is."""
    try:
        return work(*words)
    except CollectorError as error:
        raise CollectorError(f"{file}: {error}") from None
