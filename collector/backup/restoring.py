"""Brings a backup back: everything is checked first, then unpacked beside, then put into place.

What is replaced is moved aside, never deleted. While `restoring` lies in data_dir no daemon starts there, so that a
restore that was interrupted does no harm and is done again.
"""

import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from collector.backup import archive as archives
from collector.backup.archive import CONFIG, DATA, BackupError, Manifest, Progress
from collector.backup.deskreturn import ServerReturn, prepare_file
from collector.backup.moment import ASIDE
from collector.backup.placing import Places, find_obstacles, move_aside, put_in_place
from collector.claim import RESTORING, claim
from collector.configuration import anchor
from collector.credentialkeys import find_file
from collector.deskopening import DESK_FILE
from collector.filecheck import find_named
from collector.folder import SETTINGS, content_of
from collector.settings import Settings
from collector.yamlfile import Document

_LISTED = 6


class Restored(NamedTuple):
    """What was brought back.

    Attributes:
        manifest: of the archive.
        data_dir: where the data are now.
        aside: folder with what was there before; None where nothing was.
        missing: files that the settings name, that no backup holds, and that are not here.
    """

    manifest: Manifest
    data_dir: Path
    aside: Path | None
    missing: list[Path]


def restore_backup(
    archive: Path, config: Path, progress: Progress, *, replace: bool = False, keep_config: bool = False
) -> Restored:
    """Brings back the configuration, data_dir and the desk.

    Args:
        archive: of `take_backup`.
        config: folder of the configuration.
        progress: is told.
        replace: whether what is there is moved aside.
        keep_config: whether the configuration that is there stays; it says where the data and the desk go.

    Raises:
        BackupError: the archive cannot be used, is another site's, or something is in the way; nothing was touched.
        CollectorError: a daemon runs on data_dir.
        TicketsError: the desk's server cannot be used.
        OSError: something cannot be read or written.
    """
    contents = archives.verify(archive, progress)
    file = config / SETTINGS
    there = file.read_text(encoding="utf-8-sig") if file.exists() or keep_config else ""
    site = _find_site(there)
    if site not in {contents.manifest.site, None}:
        raise BackupError(
            f"{archive}: is of site {contents.manifest.site}, and {file} is of site {site}; nothing was touched,"
            " choose another --config"
        )
    settings = _read_settings(file, there) if keep_config else _read_settings(archive / SETTINGS, contents.settings)
    settings = anchor(settings, config)
    if settings.data_dir.resolve().is_relative_to(config.resolve()):
        raise BackupError(f"{settings.data_dir}: lies in the configuration folder; choose a data_dir outside")
    sums = {
        member: digest
        for member, digest in contents.sums.items()
        if not (keep_config and member.startswith(f"{CONFIG}/"))
    }
    descriptor = claim(settings.data_dir, restores=True)
    try:
        restoring = _Restoring(archive, contents.manifest, sums, settings)
        places = Places(None if keep_config else config, settings.data_dir, find_file(settings), restoring.kept)
        return restoring.run(places, progress, replace=replace)
    finally:
        os.close(descriptor)


def _read_settings(where: Path, text: str) -> Settings:
    try:
        return Settings.model_validate(content_of(Document(text)))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BackupError(f"{where}: cannot be used: {place}: {first['msg']}") from None


def _find_site(text: str) -> object:
    """The site's id that a siteward.yaml names, however much else is wrong with it; None where it names none."""
    content = content_of(Document(text))
    site = content.get("site") if isinstance(content, dict) else None
    return site.get("id") if isinstance(site, dict) else None


class _Restoring:
    """One restore, of an archive that was found whole, into a data_dir that is claimed.

    Attributes:
        kept: secrets that the settings name.
    """

    def __init__(self, archive: Path, manifest: Manifest, sums: Mapping[str, str], settings: Settings) -> None:
        self._archive, self._manifest, self._sums, self._settings = archive, manifest, sums, settings
        self._data = settings.data_dir
        self._staging = self._data / RESTORING
        self._named = list(find_named(settings))
        self.kept = frozenset(file.path.resolve() for file in self._named if file.secret)
        self._server = None
        if settings.desk.database is not None and f"{DATA}/{DESK_FILE}" in self._sums:
            self._server = ServerReturn(settings.desk.database, settings.site.id)

    def run(self, places: Places, progress: Progress, *, replace: bool) -> Restored:
        obstacles = find_obstacles(places, self._sums)
        if not replace:
            self._refuse(obstacles)
        now = datetime.now(UTC)
        aside = self._data / f"{ASIDE}{now:%Y%m%dT%H%M%SZ}"
        unfinished = self._staging.exists()
        try:
            self._unpack(progress)
            if self._server is not None:
                self._server.put(self._staging / DATA / DESK_FILE, aside / DESK_FILE)
                (self._staging / DATA / DESK_FILE).unlink()
        except BaseException:
            shutil.rmtree(self._staging, ignore_errors=True)
            if unfinished:
                self._staging.mkdir()
            raise
        move_aside(obstacles, aside)
        put_in_place(self._staging, places, self._sums)
        os.sync()
        shutil.rmtree(self._staging)
        missing = [f.path for f in self._named if not f.path.exists() and not os.environ.get(f.variable)]
        return Restored(self._manifest, self._data, aside if aside.exists() else None, missing)

    def _refuse(self, obstacles: list[tuple[Path, str]]) -> None:
        paths = [str(path) for path, _ in obstacles]
        if self._server is not None and (rows := self._server.count()):
            paths.append(f"{rows:,} rows of this site in {self._server.where}")
        if self._staging.exists():
            paths.append(f"{self._staging} of a restore that did not finish")
        if paths:
            more = f" and {len(paths) - _LISTED:,} more" if len(paths) > _LISTED else ""
            raise BackupError(
                f"in the way: {', '.join(paths[:_LISTED])}{more}; nothing was touched,"
                " with --replace they are moved aside and the backup takes their place"
            )

    def _unpack(self, progress: Progress) -> None:
        if self._staging.exists():
            shutil.rmtree(self._staging)
        self._staging.mkdir(mode=0o700)
        archives.extract(self._archive, self._staging, progress)
        desk = self._staging / DATA / DESK_FILE
        if desk.exists():
            prepare_file(desk, self._settings.site.id)
        os.sync()
