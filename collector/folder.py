"""The configuration folder: which files it has, how they are opened, and what is wrong in them."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from collector import wording, yamlfile
from collector.csvfile import Sheet
from collector.errors import CollectorError
from collector.wording import Source
from collector.yamlfile import Document, Fault, Spot, spot_at

SETTINGS = "siteward.yaml"
DEVICES_YAML = "devices.yaml"
DEVICES_CSV = "devices.csv"
REPLACEMENTS_CSV = "replacements.csv"
PLACES = "places.yaml"
CALENDARS = "calendars.yaml"
TARIFFS = "tariffs.yaml"
REPORTS = "reports.yaml"
DESK = "desk.yaml"
PROFILES = "profiles"
RULES = "rules"

RULE_TESTS = ".test.yaml"
"""How the files in the folder of rules end that test the others."""

_Model = TypeVar("_Model", bound=BaseModel)
_Form = TypeVar("_Form", bound=Document | Sheet)


class Problem(NamedTuple):
    """What is wrong, and where.

    Attributes:
        file: below the folder as it was given.
        line: from 1; 0 where it is about the file as a whole.
        column: from 1; likewise.
        message: what is wrong, and what was expected.
        hint: what to do, or what was meant; may be "".
    """

    file: Path
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """`file:line:column: message (hint)`, as editors and terminals recognise it."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else f"{self.file}"
        return f"{place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class ConfigurationError(CollectorError):
    """A configuration that cannot be used.

    Attributes:
        problems: all of them, in the order of the files.
    """

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class Origin(NamedTuple):
    """Where an entry of a file's list was read, such as a device or a rule.

    Attributes:
        file: in which it stands.
        source: the file's content.
        entry: its list and its number there, such as ("devices", 17).
    """

    file: Path
    source: Source
    entry: tuple[str, int]

    def locate(self, path: yamlfile.Path = ()) -> Spot:
        """Where something of it stands."""
        return self.source.locate((*self.entry, *path))

    def complain(self, path: yamlfile.Path, message: str, hint: str = "") -> Problem:
        """A problem of something of it; of a key, where its value stands."""
        spot = self.locate(path)
        return Problem(self.file, spot.line, spot.column, message, hint)

    def __str__(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.locate().line}"


class FolderReading:
    """One reading of a folder. It goes on after a problem, so that none hides another.

    Attributes:
        folder: as it was given.
        files: what was read, in order.
        problems: what was wrong so far.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[Path] = []
        self.problems: list[Problem] = []

    def sorted_problems(self) -> list[Problem]:
        """The problems in the order of the files."""
        return sorted(self.problems, key=lambda problem: (self.files.index(problem.file), problem[1:]))

    def open(self, file: Path, form: Callable[[str], _Form]) -> _Form | None:
        """A file's content; None where there is none to go on with."""
        self.files.append(file)
        try:
            data = file.read_bytes()
        except OSError as error:
            hint = f"to begin a configuration: siteward init {self.folder}" if file.name == SETTINGS else ""
            self.problems.append(Problem(file, 0, 0, error.strerror or str(error), hint))
            return None
        try:
            text = data.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            before = data[: error.start].decode(errors="replace")
            hint = "save the file as UTF-8; a spreadsheet calls it 'CSV UTF-8'"
            self.report(file, Fault(spot_at(before, len(before)), "this is not UTF-8 text", hint))
            return None
        source = form(text)
        self.report(file, *source.faults)
        return None if source.value is None and source.faults else source

    def read(self, file: Path, model: type[_Model]) -> tuple[Document, _Model] | None:
        """A YAML file and what it says; None where it is wrong."""
        document = self.open(file, Document)
        if document is None:
            return None
        try:
            return document, model.model_validate(content_of(document))
        except ValidationError as error:
            self.report(file, *wording.explain(error, model, document))
            return None

    def read_entries(
        self, file: Path, source: Source, model: type[_Model], lists: tuple[str, ...]
    ) -> tuple[_Model, dict[str, list[int]]]:
        """What a file says, without the entries of its lists that are wrong, and which entries are left."""
        value = content_of(source)
        try:
            whole = model.model_validate(value)
        except ValidationError as error:
            self.report(file, *wording.explain(error, model, source))
            return _salvage(value, error, model, lists)
        return whole, {key: list(range(len(getattr(whole, key)))) for key in lists}

    def report(self, file: Path, *faults: Fault) -> None:
        """Something is wrong in a file."""
        self.problems += [Problem(file, spot.line, spot.column, message, hint) for spot, message, hint in faults]


def content_of(source: Source) -> object:
    """What a file says; one that holds nothing, or only comments, has no keys."""
    return {} if source.value is None else source.value


def _salvage(
    value: object, error: ValidationError, model: type[_Model], lists: tuple[str, ...]
) -> tuple[_Model, dict[str, list[int]]]:
    """The entries that an error does not touch, and which these are: they may clash with others."""
    touched = {detail["loc"][:2] for detail in error.errors()}
    good: dict[str, list[int]] = {key: [] for key in lists}
    content: dict[str, object] = {}
    for key, entries in value.items() if isinstance(value, dict) else ():
        if key in good and isinstance(entries, list):
            good[key] = [entry for entry in range(len(entries)) if (key, entry) not in touched]
            content[key] = [entries[entry] for entry in good[key]]
        elif key not in good:
            content[key] = entries
    try:
        return model.model_validate(content), good
    except ValidationError:  # something beside them is wrong
        return model(), {key: [] for key in lists}
