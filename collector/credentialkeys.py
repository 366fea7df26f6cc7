"""The file of the keys that credentials are hashed with. Nothing of it is ever logged.

One a line, newest first: `k2`, a blank and 64 hexadecimal digits (32 random bytes).
"""

import fcntl
import os
import re
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from collector.errors import CollectorError
from collector.settings import Settings
from devices.credentials import Hasher, Key

_NAME = "credential.keys"
_BYTES = 32
_LINE = re.compile(r"k([1-9][0-9]{0,8})\s+([0-9a-fA-F]{64})").fullmatch


class Rotation(NamedTuple):
    """What became of the keys: ids, newest first."""

    kept: list[str]
    forgotten: list[str]


def find_file(settings: Settings) -> Path:
    """Where the keys are."""
    return settings.access.credential_key_file or settings.data_dir / _NAME


def prepare(settings: Settings) -> None:
    """Makes the first key, where the settings name no file and data_dir has none yet.

    Raises:
        OSError: it cannot be written.
    """
    path = find_file(settings)
    if settings.access.credential_key_file is None and not path.exists():
        rotate(path)


def open_hasher(settings: Settings) -> Hasher:
    """A hasher with the site's keys.

    Raises:
        CollectorError: as for `read`.
    """
    return Hasher(read(find_file(settings)))


def read(path: Path) -> tuple[Key, ...]:
    """The keys of a file, newest first, at least one.

    Raises:
        CollectorError: it cannot be read, or holds anything else; the message holds nothing of it.
    """
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        raise CollectorError(f"{path}: there is no such file; `siteward credentials rotate` makes it") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise CollectorError(f"{path}: cannot read the keys: {reason}") from None
    keys: list[Key] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE(line.strip())
        if match is None:
            raise CollectorError(f"{path}:{number}: expected a key such as `k1` and 64 hexadecimal digits behind it")
        key = Key(f"k{match[1]}", bytes.fromhex(match[2]))
        if any(key.id == other.id for other in keys):
            raise CollectorError(f"{path}:{number}: {key.id} stands here a second time; give every key its own number")
        keys.append(key)
    if not keys:
        raise CollectorError(f"{path}: it holds no key; remove it, and `siteward credentials rotate` makes a new one")
    return tuple(keys)


def rotate(path: Path, keep: int | None = None) -> Rotation:
    """Puts a new key in front; makes the file where there is none, for its owner's eyes only.

    Readers see the file before or after it, never between. Where root calls, the file stays its owner's, or becomes its
    folder's owner's, who is the user that the daemon runs as.

    Args:
        path: of the file.
        keep: how many keys stay, the new one among them; None: all.

    Raises:
        CollectorError: as for `read`.
        OSError: the file cannot be written.
    """
    path = path.resolve()  # a link stays one
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _lock(path.parent) as folder:
        old = read(path) if path.exists() else ()
        number = max((int(key.id[1:]) for key in old), default=0) + 1
        keys = (Key(f"k{number}", secrets.token_bytes(_BYTES)), *old)
        count = len(keys) if keep is None else keep
        _write(path, keys[:count])
        os.fsync(folder)
    ids = [key.id for key in keys]
    return Rotation(ids[:count], ids[count:])


@contextmanager
def _lock(folder: Path) -> Iterator[int]:
    """Keeps others from rotating in a folder meanwhile; the folder's descriptor."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _write(path: Path, keys: Sequence[Key]) -> None:
    """Replaces the file as a whole, on the disk when it returns."""
    owner = (path if path.exists() else path.parent).stat()
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.writelines(f"{key.id} {key.secret.hex()}\n" for key in keys)
            file.flush()
            if os.geteuid() == 0:
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
