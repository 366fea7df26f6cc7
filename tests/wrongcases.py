"""Configuration folders that are wrong, kept as files, and what is said of them."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from collector.configuration import ConfigurationError, load

_SITE = """\
site: {id: campus}
data_dir: ../data
mqtt: {url: "mqtt://127.0.0.1", client_id: siteward}
"""


def list_cases(kind: str) -> Iterable[Path]:
    """The folders of a kind; each holds files of a configuration, and in expected.txt all that is said of them."""
    return sorted((Path(__file__).parent / "collector" / "wrong" / kind).iterdir())


def say_problems(case: Path, folder: Path) -> str:
    """What is said of a case in a folder of its own: a line each, with the names of files as in the case."""
    config = folder / "config"
    shutil.copytree(case, config)
    (config / "siteward.yaml").write_text(_SITE, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(config)
    return "".join(f"{problem}\n" for problem in caught.value.problems).replace(f"{config}/", "")
