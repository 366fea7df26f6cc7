"""The configuration folder: reads all its files, and says at once everything that is wrong in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from pydantic import BaseModel

from collector import credentialkeys, crosscheck
from collector.folder import DESK, PLACES, REPORTS, SETTINGS, TARIFFS, ConfigurationError, FolderReading, Origin
from collector.profileloading import read_profiles
from collector.registerloading import RegisterReading
from collector.reports.delivery import find_delivery_clashes
from collector.reports.plan import ReportPlan, find_plan_clashes
from collector.rulecheck import Surroundings
from collector.ruleloading import RuleReading
from collector.settings import Settings
from collector.wording import Source
from collector.yamlfile import Document, Fault
from devices.clashes import Clash, find_clashes
from devices.credentials import Hasher
from devices.decoder import Decoder
from devices.errors import Unroutable
from devices.language.catalog import Catalog
from devices.language.profile import Profile
from devices.places import Places
from devices.register import Register
from devices.timestamps import TimeLimits
from rules.calendars import Calendars
from rules.rule import Rule
from rules.site import Site
from tickets.deskplan import DeskPlan
from tickets.plancheck import find_gaps
from tickets.tariffs import Tariffs, find_tariff_clashes

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class Configuration:
    """A folder's content, valid as a whole.

    Attributes:
        folder: as it was given; relative paths in the settings have been joined to it.
        settings: siteward.yaml.
        register: devices.yaml, devices.csv and replacements.csv together.
        profiles: built-in ones and the site's own, by id.
        places: places.yaml; empty where there is none.
        calendars: calendars.yaml; likewise.
        tariffs: tariffs.yaml; likewise.
        reports: reports.yaml; its defaults where there is none.
        desk: desk.yaml; its defaults where there is none.
        rules: those of rules/*.yaml, in the order of the files.
        origins: where each of the rules was read, by its id.
        files: what was read.
        hasher: of credentials; it has no keys, and hides them, before `with_keys`.
    """

    folder: Path
    settings: Settings
    register: Register
    profiles: Mapping[str, Profile]
    places: Places
    calendars: Calendars
    tariffs: Tariffs
    reports: ReportPlan
    desk: DeskPlan
    rules: tuple[Rule, ...]
    origins: Mapping[str, Origin]
    files: tuple[Path, ...]
    hasher: Hasher = field(default_factory=Hasher)

    def with_keys(self) -> "Configuration":
        """The same with the site's keys, so that credentials are told apart.

        Raises:
            CollectorError: their file cannot be read.
        """
        keyed = replace(self, hasher=credentialkeys.open_hasher(self.settings))
        # Where the cached property looks: the routes of many devices take long to prepare, and are the same.
        keyed.__dict__["_decoder"] = self.decoder().with_hash(keyed.hasher.hash)
        return keyed

    def rule_site(self) -> Site:
        """The site as rules see it."""
        return self._rule_site

    @cached_property
    def _rule_site(self) -> Site:
        site = self.settings.site
        return Site(site.id, site.zone, self.register, self.places, self.calendars)

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
    reading = FolderReading(folder)
    site = _read_settings(reading)
    places = _PlacesReading(reading)
    profiles = read_profiles(reading)
    register = RegisterReading(reading, drafts)
    rules = RuleReading(reading)
    tariffs = _read_tariffs(reading)
    desk = _read_desk(reading, rules.calendars, places.places) if places.good else None
    register.report(find_clashes(register.register))
    if profiles is not None:
        register.report(crosscheck.find_unheard(register.register, profiles))
    if places.places is not None:
        register.report(crosscheck.find_misplaced(register.register, places.places))
        if register.whole:
            places.report(crosscheck.find_misfed(places.places, register.register))
    known = register.register if register.whole else None
    reports = _read_reports(reading, known, places.places or Places() if places.good else None, rules.calendars)
    if site is not None and desk is not None and reports.document is not None:
        clashes = find_delivery_clashes(reports.plan.deliveries, desk.plan, site.settings.notify)
        _report_clashes(reading, reading.folder / REPORTS, reports.document, clashes)
    if places.good:
        rules.compare(Surroundings(known, places.places, profiles, rules.calendars, desk and desk.plan))
    if site is not None and desk is not None:
        _compare_telling(reading, site, desk)
    if site is None or profiles is None or rules.calendars is None or desk is None or reading.problems:
        raise ConfigurationError(reading.sorted_problems())
    configuration = Configuration(
        folder,
        site.settings,
        register.register,
        profiles,
        places.places or Places(),
        rules.calendars,
        tariffs,
        reports.plan,
        desk.plan,
        tuple(rules.rules),
        rules.by_id(),
        tuple(reading.files),
    )
    try:
        configuration.decoder()
    except Unroutable as error:
        raise ConfigurationError([register.place(error)]) from None
    return configuration


def load_profiles(folder: Path) -> Catalog:
    """The built-in profiles and those of a configuration folder, whether these pass their own tests or not.

    Raises:
        ConfigurationError: with every other problem of every profile.
    """
    reading = FolderReading(folder)
    profiles = read_profiles(reading, tested=False)
    if profiles is None:
        raise ConfigurationError(reading.sorted_problems())
    return profiles


class _SiteFile(NamedTuple):
    file: Path
    document: Document
    settings: Settings


class _ReportsFile(NamedTuple):
    document: Document | None
    plan: ReportPlan


class _DeskFile(NamedTuple):
    file: Path
    document: Document
    plan: DeskPlan


def _read_settings(reading: FolderReading) -> _SiteFile | None:
    """siteward.yaml; None where it is wrong."""
    file = reading.folder / SETTINGS
    part = reading.read(file, Settings)
    if part is None:
        return None
    document, settings = part[0], anchor(part[1], reading.folder)
    if settings.data_dir.resolve().is_relative_to(reading.folder.resolve()):
        message = "data_dir lies in the configuration folder, which is watched for changes"
        reading.report(file, Fault(document.locate(("data_dir",)), message, "choose a folder outside"))
    return _SiteFile(file, document, settings)


class _PlacesReading:
    """One reading of places.yaml.

    Attributes:
        places: None where the file is wrong or absent.
        good: whether it is not wrong.
    """

    def __init__(self, reading: FolderReading) -> None:
        self._reading = reading
        self._file = reading.folder / PLACES
        part = reading.read(self._file, Places) if self._file.exists() else None
        self.good = part is not None or not self._file.exists()
        self.places = part[1] if part else None
        self._document = part[0] if part else Document("")
        if self.places is not None:
            self.report(crosscheck.find_repeated(self.places))

    def report(self, clashes: Iterable[Clash]) -> None:
        """Reports what is wrong in it."""
        _report_clashes(self._reading, self._file, self._document, clashes)


def _read_tariffs(reading: FolderReading) -> Tariffs:
    """tariffs.yaml; where it is wrong, without what it says."""
    file = reading.folder / TARIFFS
    if not file.exists():
        return Tariffs()
    part = reading.read(file, Tariffs)
    if part is None:
        return Tariffs()
    document, tariffs = part
    _report_clashes(reading, file, document, find_tariff_clashes(tariffs))
    return tariffs


def _read_reports(
    reading: FolderReading, register: Register | None, places: Places | None, calendars: Calendars | None
) -> _ReportsFile:
    """reports.yaml; where it is wrong, without what it says."""
    file = reading.folder / REPORTS
    part = reading.read(file, ReportPlan) if file.exists() else None
    if part is None:
        return _ReportsFile(None, ReportPlan())
    document, plan = part
    _report_clashes(reading, file, document, find_plan_clashes(plan, register, places, calendars))
    return _ReportsFile(document, plan)


def _report_clashes(reading: FolderReading, file: Path, document: Document, clashes: Iterable[Clash]) -> None:
    """Reports what does not go together in a file."""
    for clash in clashes:
        hint = f"the first one: {file}:{document.locate(clash.other).line}" if clash.other else ""
        reading.report(file, Fault(document.locate(clash.path), clash.message, hint))


def _read_desk(reading: FolderReading, calendars: Calendars | None, places: Places | None) -> _DeskFile | None:
    """desk.yaml; None where it is wrong."""
    file = reading.folder / DESK
    if not file.exists():
        return _DeskFile(file, Document(""), DeskPlan())
    part = reading.read(file, DeskPlan)
    if part is None:
        return None
    document, plan = part
    if calendars is not None:
        for gap in find_gaps(plan, calendars, places or Places()):
            reading.report(file, Fault(document.locate(gap.path), gap.message, gap.hint))
    return _DeskFile(file, document, plan)


def _compare_telling(reading: FolderReading, site: _SiteFile, desk: _DeskFile) -> None:
    """Reports whom nobody could tell anything."""
    for clash in crosscheck.find_unreached(desk.plan, site.settings.notify):
        reading.report(desk.file, Fault(desk.document.locate_key(clash.path), clash.message))
    _report_clashes(reading, site.file, site.document, crosscheck.find_teamless(site.settings.notify, desk.plan))


def anchor(model: _Model, folder: Path) -> _Model:
    """The model with its relative paths joined to the folder."""
    update: dict[str, object] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, Path):
            update[name] = folder / value
        elif isinstance(value, BaseModel):
            update[name] = anchor(value, folder)
        elif isinstance(value, dict):
            update[name] = {key: anchor(part, folder) for key, part in value.items()}
    return model.model_copy(update=update)
