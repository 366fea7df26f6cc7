"""Puts a backup's files where they belong, and what is there aside: nothing is deleted."""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from collector.backup.archive import CONFIG, DATA, KEYS
from collector.backup.moment import ASIDE
from collector.claim import LOCK_FILE, RESTORING


class Places(NamedTuple):
    """Where a backup's files belong.

    Attributes:
        config: folder of the configuration; None where it stays as it is.
        data: data_dir.
        keys: file of the keys of credentials.
        kept: files of the configuration folder that no backup holds: secrets.
    """

    config: Path | None
    data: Path
    keys: Path
    kept: frozenset[Path]

    def target(self, member: str) -> Path | None:
        """Where a member of the archive belongs; None for what is only about the archive."""
        root, _, name = member.partition("/")
        if root == KEYS:
            return self.keys
        folder = {CONFIG: self.config, DATA: self.data}.get(root)
        return folder / name if folder else None


def find_obstacles(places: Places, sums: Mapping[str, str]) -> list[tuple[Path, str]]:
    """What would be replaced, each with its name among what is moved aside.

    Args:
        places: of this machine.
        sums: SHA-256 of each member of the archive.
    """
    found = [(entry, f"{DATA}/{entry.name}") for entry in _list_data(places)]
    wanted = {target: digest for member, digest in sums.items() if (target := places.target(member)) is not None}
    others = list(_list_config(places))
    if places.keys.exists() and places.keys.parent.resolve() != places.data.resolve():
        others.append((places.keys, KEYS))
    return found + [(path, name) for path, name in others if _digest(path) != wanted.get(path)]


def _list_data(places: Places) -> Iterator[Path]:
    for entry in sorted(places.data.iterdir()) if places.data.exists() else ():
        ours = entry.name in {LOCK_FILE, RESTORING} or entry.name.startswith(ASIDE)
        if not ours and not (places.config and places.config.resolve().is_relative_to(entry.resolve())):
            yield entry


def _list_config(places: Places) -> Iterator[tuple[Path, str]]:
    for path in sorted(places.config.rglob("*")) if places.config else ():
        name = path.relative_to(places.config or path)
        hidden = any(part[0] == "." for part in name.parts)
        if path.is_file() and not hidden and path.resolve() not in places.kept:
            yield path, f"{CONFIG}/{name.as_posix()}"


def move_aside(obstacles: list[tuple[Path, str]], folder: Path) -> None:
    """Moves what is in the way into a folder.

    Raises:
        OSError: something cannot be moved.
    """
    for path, name in obstacles:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.move(path, target)


def put_in_place(staging: Path, places: Places, sums: Mapping[str, str]) -> None:
    """Moves what was unpacked to where it belongs, each file in one step; what is there already stays.

    Where root calls, files and new folders become their folder's owner's, who is the user that the daemon runs as.

    Raises:
        OSError: something cannot be written.
    """
    for member in sums:
        source, target = staging / member, places.target(member)
        if target is None or not source.exists() or target.exists():
            continue
        made = [folder for folder in target.parents if not folder.exists()]
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = target.with_name(f".{target.name}.{RESTORING}")
        shutil.move(source, draft)
        if os.geteuid() == 0:
            owner = (places.data if member.startswith(f"{DATA}/") else target.parents[len(made)]).stat()
            for path in (*made, draft):
                os.chown(path, owner.st_uid, owner.st_gid)
        draft.replace(target)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
