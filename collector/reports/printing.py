"""Printing: from a site's name for a report to its file."""

from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from collector.configuration import Configuration
from collector.reports.context import Progress, keep_quiet, open_context
from collector.reports.document import Report
from collector.reports.formats.writers import WRITERS, FormatName
from collector.reports.makers import MAKERS
from collector.reports.period import Period
from tickets.titles import Language


def make_report(
    configuration: Configuration,
    name: str,
    period: Period,
    language: Language,
    now: int,
    progress: Progress = keep_quiet,
) -> Report:
    """A report, also while the site's daemon runs.

    Args:
        configuration: of the site.
        name: one of `MAKERS`.
        period: that it is about.
        language: of its words.
        now: UTC ns; what comes later is not known.
        progress: is told how far it is.

    Raises:
        CollectorError: the store or the journal cannot be read.
        TicketsError: the desk cannot be read.
    """
    with open_context(configuration, language, now, progress) as context:
        return MAKERS[name](context, period)


def name_file(configuration: Configuration, name: str, period: Period, format_: FormatName) -> str:
    """`campus-energy-2026-10.html`."""
    return f"{configuration.settings.site.id}-{name}-{period}.{format_}"


def print_report(report: Report, format_: FormatName, file: Path) -> None:
    """Writes a report; whoever reads the file meanwhile sees the old one or the new one, whole.

    Raises:
        CollectorError: a library of the format is not installed.
        OSError: the file cannot be written.
    """
    content = WRITERS[format_](report)
    with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as draft:
        try:
            draft.write(content)
            Path(draft.name).chmod(0o640)  # who reads it may be told so; the world is not
            Path(draft.name).replace(file)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(draft.name).unlink()
            raise
