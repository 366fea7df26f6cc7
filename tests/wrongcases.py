"""Configuration folders that are wrong, kept as files, and what is said of them.

After a change of wording `.venv/bin/python -m tests.wrongcases` writes what is said now; read the differences.
"""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from collector.configuration import load
from collector.folder import ConfigurationError

_SITE = """\
site: {id: campus}
data_dir: ../data
mqtt: {url: "mqtt://127.0.0.1", client_id: siteward}
"""


_CASES = Path(__file__).parent / "collector" / "wrong"


def list_cases(kind: str) -> Iterable[Path]:
    """The folders of a kind; each holds files of a configuration, and in expected.txt all that is said of them.

    One without a siteward.yaml of its own gets the smallest one.
    """
    return sorted((_CASES / kind).iterdir())


def say_problems(case: Path, folder: Path) -> str:
    """What is said of a case in a folder of its own: a line each, with the names of files as in the case."""
    config = folder / "config"
    shutil.copytree(case, config)
    if not (config / "siteward.yaml").exists():
        (config / "siteward.yaml").write_text(_SITE, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(config)
    return "".join(f"{problem}\n" for problem in caught.value.problems).replace(f"{config}/", "")


def _write_expected() -> None:
    for kind in sorted(_CASES.iterdir()):
        for case in list_cases(kind.name):
            with tempfile.TemporaryDirectory() as folder:
                (case / "expected.txt").write_text(say_problems(case, Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    _write_expected()
