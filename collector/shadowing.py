"""Keeps the shadow at what the folder of drafts says, for the thread that judges."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog

from collector import drafts
from collector.configuration import Configuration
from collector.shadow import Shadow
from collector.shadowbook import SHADOW_FILE, ShadowBook
from devices.reading import Reading

if TYPE_CHECKING:
    from collector.folder import Problem

log = structlog.get_logger()

_Look: TypeAlias = list[tuple[Path, int, int]]
"""The files of drafts as they were seen, each with its time and size."""


class Shadowing:
    """The shadow of a site. Nothing that goes wrong here stops who calls it.

    Attributes:
        active: whether there is anything to judge.
        problems: what is wrong with drafts that are left out.
    """

    def __init__(self) -> None:
        """Looks at nothing before `refresh`."""
        self.active = False
        self.problems: list[Problem] = []
        self._configuration: Configuration | None = None
        self._seen: _Look = []
        self._book: ShadowBook | None = None
        self._shadow: Shadow | None = None

    def refresh(self, configuration: Configuration, now: int) -> None:
        """Takes over what has changed; to be called about every second.

        Args:
            configuration: in force.
            now: the judge's clock, UTC ns.
        """
        look = _look(configuration)
        if configuration is self._configuration and look == self._seen:
            return
        found, problems = drafts.read_good(configuration)
        for problem in problems:
            if problem not in self.problems:
                log.warning("a draft of a rule has an error and is left out", problem=str(problem))
        self.problems = problems
        shadow = self._shadow or (self._open(configuration.settings.data_dir / SHADOW_FILE) if found else None)
        if shadow is not None:
            shadow.use(configuration.rules, [draft.rule for draft in found], configuration.rule_site(), now)
        elif found:
            return  # looked at again
        self._configuration, self._seen, self.active = configuration, look, bool(found)

    def _open(self, path: Path) -> Shadow | None:
        try:
            path.touch(mode=0o600)
            self._book = ShadowBook(path)
        except (sqlite3.Error, OSError) as error:
            log.warning("drafts of rules cannot be judged", file=str(path), reason=str(error))
            return None
        self._shadow = Shadow(self._book)
        return self._shadow

    def evaluate(self, reading: Reading) -> None:
        """Judges one reading, in the order of the journal."""
        if self._shadow is not None:
            self._shadow.evaluate(reading)

    def advance(self, now: int) -> None:
        """Time has passed."""
        if self._shadow is not None:
            self._shadow.advance(now)

    def snapshot(self) -> Mapping[str, Any]:
        """The state, in plain values."""
        return {} if self._shadow is None else self._shadow.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from a snapshot; after the first `refresh`."""
        if self._shadow is not None:
            self._shadow.restore(state)

    def close(self) -> None:
        """Closes the book."""
        if self._book is not None:
            self._book.close()
        self._book, self._shadow, self.active = None, None, False
        self._configuration = None


def _look(configuration: Configuration) -> _Look:
    found: _Look = []
    for file in drafts.list_files(configuration):
        try:
            status = file.stat()
        except OSError:
            continue  # gone since
        found.append((file, status.st_mtime_ns, status.st_size))
    return found
