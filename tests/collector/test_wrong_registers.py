"""Registers that are wrong in the ways in which people and their programs get them wrong, and all that they are told.

Each folder below wrong/registers holds the files of one, and in expected.txt every message: where, what, what was
expected, and what to do.
"""

import shutil
from pathlib import Path

import pytest

from collector.configuration import ConfigurationError, load

CASES = sorted((Path(__file__).parent / "wrong" / "registers").iterdir())
SITE = """\
site: {id: campus}
data_dir: ../data
mqtt: {url: "mqtt://127.0.0.1", client_id: siteward}
"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_everything_that_is_wrong_is_told(case: Path, tmp_path: Path) -> None:
    folder = tmp_path / "config"
    shutil.copytree(case, folder)
    (folder / "siteward.yaml").write_text(SITE, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(folder)
    said = "".join(f"{problem}\n" for problem in caught.value.problems).replace(f"{folder}/", "")
    assert said == (case / "expected.txt").read_text(encoding="utf-8")
