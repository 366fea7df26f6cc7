"""The archive of a backup: a compressed tar with a manifest first and the checksum of every member last.

    siteward-backup.json      what it is: site, time, formats, what was left out
    config/…                  the configuration folder, without secrets
    credential.keys           the keys of credentials, wherever they lie
    data/…                    data_dir; the desk is always data/desk.db, a SQLite file, wherever it was
    SHA256SUMS                as `sha256sum --check` reads it

Nothing of it needs Siteward to be read: tar, sha256sum and sqlite3 do.
"""

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, NamedTuple, Protocol

import msgspec

from collector import __version__, embedded_file, schema
from collector.deskopening import DESK_FILE
from collector.errors import CollectorError
from collector.folder import SETTINGS
from collector.judging import SNAPSHOT_FILE
from rules import engine
from tickets.database import HEAD

MANIFEST = "siteward-backup.json"
SUMS = "SHA256SUMS"
CONFIG = "config"
DATA = "data"
KEYS = "credential.keys"

JOURNAL_FILE = "journal.db"
STORE_FILE = "store.db"

LAYOUT = "archive"
"""The name under which the manifest has the format of the archive itself."""

KNOWN: Mapping[str, int] = {
    LAYOUT: 1,
    JOURNAL_FILE: schema.VERSION,
    STORE_FILE: embedded_file.VERSION,
    DESK_FILE: int(HEAD),
    SNAPSHOT_FILE: engine.VERSION,
}
"""The newest format of each file that this Siteward reads."""

_PIECE = 1 << 20
_LEVEL = 3
"""Of compression: a gateway is slow, and level 9 saves little more."""
_ROOTS = {MANIFEST, SUMS, CONFIG, DATA, KEYS}


class BackupError(CollectorError):
    """A backup cannot be made or restored."""


class Progress(Protocol):
    """Is told how the work goes on."""

    def expect(self, count: int) -> None:
        """So many bytes are to be done."""

    def advance(self, count: int) -> None:
        """So many more are done."""


class Manifest(msgspec.Struct, frozen=True):
    """What an archive is.

    Attributes:
        site: its id.
        version: of the Siteward that made it.
        made: when, ISO 8601 with zone; it holds the state of that moment.
        formats: of the archive and of the files in it, by name.
        bytes: of all members, before compression.
        left_out: files that siteward.yaml names and that are not in it.
    """

    site: str
    version: str
    made: str
    formats: dict[str, int]
    bytes: int
    left_out: list[str]


class _Origin(msgspec.Struct, frozen=True):
    """What even an unknown manifest says."""

    version: str
    formats: dict[str, int]


class Contents(NamedTuple):
    """An archive that was found whole.

    Attributes:
        manifest: its manifest.
        settings: the text of its siteward.yaml.
        sums: SHA-256 of each member.
    """

    manifest: Manifest
    settings: str
    sums: dict[str, str]


class ArchiveWriter:
    """Writes an archive; the checksums come with `finish`."""

    def __init__(self, file: BinaryIO, manifest: Manifest, progress: Progress) -> None:
        self._progress = progress
        self._sums: list[str] = []
        self._gzip = gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=_LEVEL)
        self._tar = tarfile.open(fileobj=self._gzip, mode="w|")  # noqa: SIM115 - closed by finish
        self._add_bytes(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))

    def add(self, name: str, content: BinaryIO, size: int, mode: int, modified_s: float) -> None:
        """Adds a file of a known size.

        Raises:
            BackupError: the content is shorter.
            OSError: it cannot be read, or the archive not be written.
        """
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, mode, int(modified_s)
        reader = _Reader(content, self._progress)
        try:
            self._tar.addfile(info, reader)
        except OSError as error:
            if reader.read_bytes == size or error.errno is not None:
                raise
            raise BackupError(f"{name}: became shorter while it was read; try again") from error
        self._sums.append(f"{reader.digest}  {name}\n")

    def finish(self) -> None:
        """Writes the checksums and the end."""
        self._add_bytes(SUMS, "".join(self._sums).encode())
        self._tar.close()
        self._gzip.close()

    def _add_bytes(self, name: str, content: bytes) -> None:
        self.add(name, io.BytesIO(content), len(content), 0o600, 0)


class _Reader(io.RawIOBase):
    """Hashes and counts what is read through it."""

    def __init__(self, content: IO[bytes], progress: Progress) -> None:
        super().__init__()
        self._content, self._progress, self._hash = content, progress, hashlib.sha256()
        self.read_bytes = 0

    def read(self, size: int = -1, /) -> bytes:
        piece = self._content.read(size)
        self._hash.update(piece)
        self.read_bytes += len(piece)
        self._progress.advance(len(piece))
        return piece

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def verify(path: Path, progress: Progress) -> Contents:
    """Reads a whole archive and compares every checksum; nothing is written.

    Raises:
        BackupError: it is none, is damaged, or was made by a newer version.
        OSError: it cannot be read.
    """
    manifest, settings, sums, found = None, "", b"", dict[str, str]()
    with _open(path) as tar:
        for info in tar:
            content = _content(path, tar, info)
            if manifest is None:
                raw = content.read()
                manifest = _read_manifest(path, info, raw)
                found[MANIFEST] = hashlib.sha256(raw).hexdigest()
                progress.expect(2 * manifest.bytes)  # `extract` does the other half
                continue
            if info.name == SUMS:
                sums = content.read()
                break
            reader = _Reader(content, progress)
            text = b""
            while piece := reader.read(_PIECE):
                text += piece if info.name == f"{CONFIG}/{SETTINGS}" else b""
            settings = settings or text.decode("utf-8-sig", "replace")
            found[info.name] = reader.digest
        else:
            raise _damaged(path, "it ends too early") if manifest else _stranger(path)
        while tar.fileobj.read(_PIECE):
            pass  # up to the end, where gzip compares its own checksum
    if manifest is None:
        raise _stranger(path)
    expected = {
        name: digest
        for digest, _, name in (line.partition("  ") for line in sums.decode("utf-8", "replace").splitlines())
    }
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise _damaged(path, f"{name} is not what was put in")
    return Contents(manifest, settings, found)


def extract(path: Path, folder: Path, progress: Progress) -> None:
    """Unpacks an archive that was verified.

    Raises:
        BackupError: it has changed since.
        OSError: the folder cannot be written.
    """
    with _open(path) as tar:
        for info in tar:
            content = _content(path, tar, info)
            target = folder / info.name
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with target.open("xb") as file:
                target.chmod(info.mode)
                while piece := content.read(_PIECE):
                    file.write(piece)
                    progress.advance(len(piece))


@contextmanager
def _open(path: Path) -> Iterator[tarfile.TarFile]:
    file = path.open("rb")
    with file:
        try:
            tar = tarfile.open(fileobj=file, mode="r:gz")  # noqa: SIM115 - closed below
        except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile):
            raise _stranger(path) from None
        try:
            with tar:
                yield tar
        except EOFError:
            raise _damaged(path, "it ends too early") from None
        except (tarfile.TarError, zlib.error, gzip.BadGzipFile) as error:
            raise _damaged(path, f"it cannot be unpacked ({error})") from None


def _content(path: Path, tar: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    parts = PurePosixPath(info.name).parts
    content = tar.extractfile(info) if info.isreg() else None
    if content is None or ".." in parts or parts[:1] == ("/",) or parts[0] not in _ROOTS:
        raise _damaged(path, f"{info.name!r} does not belong into a backup")
    return content


def _read_manifest(path: Path, info: tarfile.TarInfo, raw: bytes) -> Manifest:
    if info.name != MANIFEST:
        raise _stranger(path)
    try:
        _check_formats(path, msgspec.json.decode(raw, type=_Origin))
        return msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _damaged(path, f"its manifest cannot be read ({error})") from None


def _check_formats(path: Path, origin: _Origin) -> None:
    for name, version in origin.formats.items():
        known = KNOWN.get(name)
        if known is None or version > known:
            raise BackupError(
                f"{path}: made by Siteward {origin.version}, where the format of {name} is {version}; this one"
                f" ({__version__}) knows {known or 'none'}: install that version, then restore"
            )


def _stranger(path: Path) -> BackupError:
    return BackupError(f"{path}: this is no backup that Siteward made")


def _damaged(path: Path, how: str) -> BackupError:
    return BackupError(f"{path}: damaged: {how}; nothing was touched, use another backup")
