"""The configuration folder: reads all its files, and says at once everything that is wrong in them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from collector import credentialkeys, crosscheck, wording
from collector.csvfile import Sheet
from collector.errors import CollectorError
from collector.settings import Settings
from collector.tables import DEVICES, REPLACEMENTS
from collector.wording import Source
from collector.yamlfile import Document, Fault, Spot, spot_at
from devices.clashes import find_clashes
from devices.credentials import Hasher
from devices.decoder import Decoder
from devices.errors import Unroutable
from devices.formats.codec import Codec, CodecError
from devices.language.catalog import Catalog
from devices.language.profile import Profile
from devices.language.selftest import check_profile
from devices.places import Places
from devices.register import Device, Register, Replacement
from devices.timestamps import TimeLimits
from devices.values import suggest

SETTINGS = "siteward.yaml"
DEVICES_YAML = "devices.yaml"
DEVICES_CSV = "devices.csv"
REPLACEMENTS_CSV = "replacements.csv"
PLACES = "places.yaml"
PROFILES = "profiles"

_LISTS = ("devices", "replacements")
"""The register's lists of entries."""

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


@dataclass(frozen=True)
class Configuration:
    """A folder's content, valid as a whole.

    Attributes:
        folder: as it was given; relative paths in the settings have been joined to it.
        settings: siteward.yaml.
        register: devices.yaml, devices.csv and replacements.csv together.
        profiles: built-in ones and the site's own, by id.
        places: places.yaml; empty where there is none.
        files: what was read.
        hasher: of credentials; it has no keys, and hides them, before `with_keys`.
    """

    folder: Path
    settings: Settings
    register: Register
    profiles: Mapping[str, Profile]
    places: Places
    files: tuple[Path, ...]
    hasher: Hasher = field(default_factory=Hasher)

    def with_keys(self) -> "Configuration":
        """The same with the site's keys, so that credentials are told apart.

        Raises:
            CollectorError: their file cannot be read.
        """
        return replace(self, hasher=credentialkeys.open_hasher(self.settings))

    def decoder(self) -> Decoder:
        """The decoder for the site's devices."""
        return self._decoder

    @cached_property
    def _decoder(self) -> Decoder:
        site, time = self.settings.site, self.settings.time
        limits = TimeLimits(time.past, time.future)
        return Decoder(
            self.register, self.profiles, site.id, limits, zone=site.timezone, hash_credential=self.hasher.hash
        )


def load(folder: Path, drafts: Mapping[Path, Source] = MappingProxyType({})) -> Configuration:
    """Reads a configuration folder.

    Relative paths in siteward.yaml (`data_dir` and every `*_file`) are relative to the folder.

    Args:
        folder: where it lies.
        drafts: parts of the register that take the place of its files, or stand beside these.

    Raises:
        ConfigurationError: with every problem of every file.
    """
    reading = _Reading(folder, drafts)
    settings = reading.read_settings()
    places = reading.read_places()
    profiles = reading.read_profiles()
    register = reading.read_register()
    reading.compare(register, profiles, places)
    if settings is None or profiles is None or reading.problems:
        raise ConfigurationError(reading.sorted_problems())
    configuration = Configuration(folder, settings, register, profiles, places or Places(), tuple(reading.files))
    try:
        configuration.decoder()
    except Unroutable as error:
        raise ConfigurationError([reading.place(error, register)]) from None
    return configuration


def load_profiles(folder: Path) -> Catalog:
    """The built-in profiles and those of a configuration folder, whether these pass their own tests or not.

    Raises:
        ConfigurationError: with every other problem of every profile.
    """
    reading = _Reading(folder, {})
    profiles = reading.read_profiles(tested=False)
    if profiles is None:
        raise ConfigurationError(reading.sorted_problems())
    return profiles


class _Origin(NamedTuple):
    """Where a device or a replacement was read."""

    file: Path
    source: Source
    entry: tuple[str, int]

    def locate(self, path: tuple[str | int, ...] = ()) -> Spot:
        """Where something of it stands."""
        return self.source.locate((*self.entry, *path))


class _Reading:
    """One reading of a folder. It goes on after a problem, so that none hides another."""

    def __init__(self, folder: Path, drafts: Mapping[Path, Source]) -> None:
        self.folder = folder
        self.drafts = drafts
        self.files: list[Path] = []
        self.problems: list[Problem] = []
        self._origins: dict[str, list[_Origin]] = {key: [] for key in _LISTS}  # of everything in the register

    def sorted_problems(self) -> list[Problem]:
        """The problems in the order of the files."""
        return sorted(self.problems, key=lambda problem: (self.files.index(problem.file), problem[1:]))

    def read_settings(self) -> Settings | None:
        """siteward.yaml; None where it is wrong."""
        file = self.folder / SETTINGS
        part = self._read(file, Settings)
        if part is None:
            return None
        document, settings = part[0], _anchor(part[1], self.folder)
        if settings.data_dir.resolve().is_relative_to(self.folder.resolve()):
            message = "data_dir lies in the configuration folder, which is watched for changes"
            self._report(file, Fault(document.locate(("data_dir",)), message, "choose a folder outside"))
        return settings

    def read_places(self) -> Places | None:
        """places.yaml; None where it is wrong or absent."""
        file = self.folder / PLACES
        part = self._read(file, Places) if file.exists() else None
        if part is None:
            return None
        document, places = part
        for clash in crosscheck.find_repeated(places):
            hint = f"the first one: {file}:{document.locate(clash.other or ()).line}"
            self._report(file, Fault(document.locate(clash.path), clash.message, hint))
        return places

    def read_profiles(self, *, tested: bool = True) -> Catalog | None:
        """The built-in profiles and the site's own; None where one of them is wrong, or fails its tests."""
        builtin = Catalog()
        own: dict[str, Profile] = {}
        owners: dict[str, str] = {}
        problems = len(self.problems)
        for file in sorted((self.folder / PROFILES).glob("[!.]*.yaml")):
            part = self._read(file, Profile)
            profile = self._give_codecs(file, *part) if part else None
            if part is None or profile is None:
                continue
            for number, path, problem in check_profile(profile) if tested else ():
                spot = part[0].locate(("tests", number, *path))
                label = f"test {number + 1}" + (f" ({name})" if (name := profile.tests[number].name) else "")
                self._report(file, Fault(spot, f"the profile fails its own {label}: {problem}"))
            if profile.id in own or profile.id in builtin:
                message = f"id {profile.id!r} already belongs to {owners.get(profile.id, 'a built-in profile')}"
                self._report(file, Fault(part[0].locate(("id",)), message, "choose another id"))
            own[profile.id], owners[profile.id] = profile, f"{file}"
        return Catalog(own) if len(self.problems) == problems else None

    def _give_codecs(self, file: Path, document: Document, profile: Profile) -> Profile | None:
        """The profile with the text of the codecs that lie beside its file; None where one of them is wrong."""
        texts: dict[str, str] = {}
        problems = len(self.problems)
        for number, form in enumerate(profile.forms):
            if form.codec is None or form.codec.file in texts:
                continue
            codec, name = file.parent / form.codec.file, form.codec.file
            self.files.append(codec)
            try:
                texts[name] = codec.read_text(encoding="utf-8")
                Codec(texts[name], name)
            except OSError as error:
                spot = document.locate(("messages", number, "codec") if profile.messages else ("codec",))
                hint = suggest(name, [other.name for other in file.parent.glob("*.js")]) or "put it beside the profile"
                self._report(file, Fault(spot, f"codec: cannot read {codec}: {error.strerror}", hint))
            except UnicodeDecodeError:
                self._report(codec, Fault(Spot(1, 1), "this is not UTF-8 text"))
            except CodecError as error:
                self._report(codec, Fault(Spot(error.line or 1, 1), error.problem))
        return profile.with_codecs(texts.__getitem__) if len(self.problems) == problems else None

    def read_register(self) -> Register:
        """What devices.yaml, devices.csv and replacements.csv say, without the entries that are wrong."""
        problems = len(self.problems)
        sources: dict[Path, Source | None] = {}
        forms: dict[str, Callable[[str], Document | Sheet]] = {
            DEVICES_YAML: Document,
            DEVICES_CSV: partial(Sheet, table=DEVICES),
            REPLACEMENTS_CSV: partial(Sheet, table=REPLACEMENTS),
        }
        for name, form in forms.items():
            file = self.folder / name
            if file not in self.drafts and file.exists():
                sources[file] = self._open(file, form)
        for file, draft in self.drafts.items():
            self.files.append(file)
            self._report(file, *draft.faults)
            sources[file] = draft
        tags: list[str] = []
        devices: list[Device] = []
        replacements: list[Replacement] = []
        for file, source in sources.items():
            if source is not None:
                part, kept = self._read_entries(file, source)
                tags += part.tags
                devices += part.devices
                replacements += part.replacements
                for key, origins in self._origins.items():
                    origins += [_Origin(file, source, (key, entry)) for entry in kept[key]]
        if len(self.problems) > problems:  # a device that is wrong itself would seem to be none
            replacements = []
        return Register(tags=tags, devices=devices, replacements=replacements)

    def compare(self, register: Register, profiles: Mapping[str, Profile] | None, places: Places | None) -> None:
        """Reports what does not fit together; what is missing, because it is wrong itself, is not compared."""
        clashes = list(find_clashes(register))
        if profiles is not None:
            clashes += crosscheck.find_unheard(register, profiles)
        if places is not None:
            clashes += crosscheck.find_misplaced(register, places)
        for clash in clashes:
            origin = self._find_origin(clash.path)
            hint = ""
            if clash.other:
                other = self._find_origin(clash.other)
                word = "the first one:" if clash.other[0] == clash.path[0] else "see"
                hint = f"{word} {other.file}:{other.locate().line}"
            self._report(origin.file, Fault(origin.locate(clash.path[2:]), clash.message, hint))

    def _find_origin(self, path: tuple[str | int, ...]) -> _Origin:
        return self._origins[str(path[0])][int(path[1])]

    def place(self, error: Unroutable, register: Register) -> Problem:
        """The problem that an error of the decoder is."""
        origins = zip(self._origins["devices"], register, strict=True)
        origin = next(origin for origin, device in origins if device.id == error.device)
        spot = origin.locate()
        return Problem(origin.file, spot.line, spot.column, str(error))

    def _open(self, file: Path, form: Callable[[str], _Form]) -> _Form | None:
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
            self._report(file, Fault(spot_at(before, len(before)), "this is not UTF-8 text", hint))
            return None
        source = form(text)
        self._report(file, *source.faults)
        return None if source.value is None and source.faults else source

    def _read(self, file: Path, model: type[_Model]) -> tuple[Document, _Model] | None:
        """A YAML file and what it says; None where it is wrong."""
        document = self._open(file, Document)
        if document is None:
            return None
        try:
            return document, model.model_validate(_content(document))
        except ValidationError as error:
            self._report(file, *wording.explain(error, model, document))
            return None

    def _read_entries(self, file: Path, source: Source) -> tuple[Register, dict[str, list[int]]]:
        """The good devices and replacements of a file, and which entries these are."""
        value = _content(source)
        try:
            register = Register.model_validate(value)
        except ValidationError as error:
            self._report(file, *wording.explain(error, Register, source))
            return _salvage(value, error)
        return register, {key: list(range(len(getattr(register, key)))) for key in _LISTS}

    def _report(self, file: Path, *faults: Fault) -> None:
        self.problems += [Problem(file, spot.line, spot.column, message, hint) for spot, message, hint in faults]


def _content(source: Source) -> object:
    """What a file says; one that holds nothing, or only comments, has no keys."""
    return {} if source.value is None else source.value


def _salvage(value: object, error: ValidationError) -> tuple[Register, dict[str, list[int]]]:
    """The entries that an error does not touch, and which these are: they may clash with others."""
    touched = {detail["loc"][:2] for detail in error.errors()}
    good: dict[str, list[int]] = {key: [] for key in _LISTS}
    content: dict[str, object] = {}
    for key, entries in value.items() if isinstance(value, dict) else ():
        if key in good and isinstance(entries, list):
            good[key] = [entry for entry in range(len(entries)) if (key, entry) not in touched]
            content[key] = [entries[entry] for entry in good[key]]
        elif key not in good:
            content[key] = entries
    try:
        return Register.model_validate(content), good
    except ValidationError:  # something beside them is wrong
        return Register(), {key: [] for key in _LISTS}


def _anchor(model: _Model, folder: Path) -> _Model:
    """The model with its relative paths joined to the folder."""
    update: dict[str, object] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, Path):
            update[name] = folder / value
        elif isinstance(value, BaseModel):
            update[name] = _anchor(value, folder)
    return model.model_copy(update=update)
