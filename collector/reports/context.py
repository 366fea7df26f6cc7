"""What a report is made from: the site, its store, its desk and its ledger, as of one moment."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias
from zoneinfo import ZoneInfo

from collector import ledger
from collector.accounts import Rows
from collector.configuration import Configuration
from collector.deskopening import open_desk_database
from collector.journal import Journal
from collector.reports.plan import ReportPlan
from collector.store import Store
from collector.stores import open_store
from rules.calendars import Calendar
from rules.site import Site
from tickets.database import Database
from tickets.rates import Rates
from tickets.titles import Language

Progress: TypeAlias = Callable[[float], None]
"""Is told how much of the work is done, from 0 to 1."""


def keep_quiet(_share: float) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a report is made from. Everything is only read.

    Attributes:
        configuration: of the site.
        store: its readings.
        desk: its tickets; None where there are none to be told of.
        journal: has the loss ledger; None where there is none.
        language: of the report.
        now: UTC ns; what comes later is not known.
        progress: is told how far it is.
    """

    configuration: Configuration
    store: Store
    desk: Database | None = None
    journal: Journal | None = None
    language: Language = "en"
    now: int
    progress: Progress = keep_quiet

    @property
    def plan(self) -> ReportPlan:
        """reports.yaml."""
        return self.configuration.reports

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return self.configuration.settings.site.zone

    @property
    def site(self) -> Site:
        """Devices, places and calendars."""
        return self.configuration.rule_site()

    @property
    def site_name(self) -> str:
        """What people call the site."""
        site = self.configuration.settings.site
        return site.name.pick(self.language, site.id)

    @cached_property
    def rates(self) -> Rates:
        """What a unit costs and emits."""
        return Rates(self.configuration.tariffs, self.zone)

    @cached_property
    def rows(self) -> Rows:
        """The rows of registers."""
        return Rows.of(self.configuration, self.store, self.now)

    @cached_property
    def working(self) -> Calendar | None:
        """When the site is in use; None where nobody said."""
        name = self.plan.working_hours
        return self.configuration.calendars.find(name) if name else None


@contextmanager
def open_context(
    configuration: Configuration, language: Language, now: int, progress: Progress = keep_quiet
) -> Iterator[Context]:
    """The context of a site, also while its daemon runs.

    Args:
        configuration: of the site.
        language: of the report.
        now: UTC ns.
        progress: is told how far it is.

    Raises:
        CollectorError: the store or the journal cannot be opened.
        TicketsError: the desk cannot be opened.
    """
    with ExitStack() as stack:
        store = stack.enter_context(closing(open_store(configuration)))
        desk = stack.enter_context(closing(open_desk_database(configuration)))
        settings, journal = configuration.settings, None
        path = settings.data_dir / "journal.db"
        if path.exists():
            journal = stack.enter_context(closing(Journal(path, settings.journal.quota)))
            ledger.fold(journal)
        yield Context(
            configuration=configuration,
            store=store,
            desk=desk,
            journal=journal,
            language=language,
            now=now,
            progress=progress,
        )
