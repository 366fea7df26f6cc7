"""The claim on a data_dir: one process works with it at a time, and none after a restore that did not finish."""

import fcntl
import os
from pathlib import Path

from collector.errors import CollectorError

LOCK_FILE = "lock"
"""In data_dir; its content says nothing."""

RESTORING = "restoring"
"""Folder in data_dir that is there while a restore is under way."""


def claim(folder: Path, *, restores: bool = False) -> int:
    """Makes this process the only one on a data_dir, until it ends or closes the descriptor.

    Args:
        folder: is made where it is missing.
        restores: whether this is a restore, which may follow upon one that did not finish.

    Raises:
        CollectorError: there is one already, or a restore did not finish.
        OSError: the folder cannot be used.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0:  # who restores as root does not lock out the user that the daemon runs as
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise CollectorError(f"{folder}: another Siteward runs on this data_dir; stop it, or choose another") from None
    if (folder / RESTORING).exists() and not restores:
        os.close(descriptor)
        raise CollectorError(f"{folder}: a restore into it did not finish; run it again: siteward restore --replace")
    return descriptor
