"""Where runbooks lie: those of a site with its configuration, those that Siteward brings where it is installed."""

from collections.abc import Iterable
from pathlib import Path

_PACKAGE = Path(__file__).parent

SHIPPED = next(base for base in (_PACKAGE, _PACKAGE.parent) if (base / "docs" / "runbooks").is_dir())
"""What `docs/runbooks` lies in: this package where it is installed, the repository where it is worked on."""


def find_runbook(name: str, folder: Path) -> Path | None:
    """The file that a rule's `runbook` names; None for an address, and where there is no such file.

    A site's own comes before the shipped one of the same name.

    Args:
        name: such as `docs/runbooks/leak.md`.
        folder: of the configuration; it is looked for there, then beside it, then among those that are shipped.
    """
    return next((file for base in _list_bases(folder) if name and (file := base / name).is_file()), None)


def show_runbook(name: str, folder: Path) -> str:
    """What people can open: the file where there is one, else the name, which is an address or missing."""
    return str(find_runbook(name, folder) or name)


def list_beside(name: str, folder: Path) -> Iterable[str]:
    """The names of all that lies where a runbook is looked for."""
    for base in _list_bases(folder):
        for file in (base / name).parent.glob("*"):
            yield str(file.relative_to(base))


def _list_bases(folder: Path) -> tuple[Path, ...]:
    return folder, folder.absolute().parent, SHIPPED
