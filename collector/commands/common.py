"""What several commands begin with."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from collector.configuration import Configuration, ConfigurationError, load

from collector.journal import Journal
from collector.terminal import fail, messages
from devices.durations import parse_duration


def load_configuration(folder: Path) -> Configuration:
    """The configuration of a folder; prints every problem and ends the command where it has any."""
    try:
        return load(folder)
    except ConfigurationError as error:
        for problem in error.problems:
            messages.print(str(problem), style="red", markup=False, soft_wrap=True)
        fail(f"{len(error.problems)} problem(s) in {folder}; nothing was done.")


def visit_journal(configuration: Configuration) -> closing[Journal]:
    """The journal of a site, also while its daemon runs; ends the command where there is none."""
    settings = configuration.settings
    path = settings.data_dir / "journal.db"
    if not path.exists():
        fail(f"{path}: there is no journal yet. It is made by: siteward run --config {configuration.folder}", 1)
    return closing(Journal(path, settings.journal.quota))


def parse_moment(text: str, zone: ZoneInfo, now: int) -> int:
    """UTC nanoseconds of `2026-11-22`, `2026-11-22T08:00`, or `36h` ago; local time where no zone is given.

    Ends the command where it is neither.
    """
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text!r} is no time. Write 2026-11-22, 2026-11-22T08:00 or how long ago: 36h, 7d.")
    return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()) * 1_000_000_000


def show_moment(nanoseconds: int | None, zone: ZoneInfo) -> str:
    """Local time for people, to the second; "-" for None."""
    if nanoseconds is None:
        return "-"
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
