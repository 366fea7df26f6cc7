"""What docs/profiles.md shows is what the code takes: profiles, pieces of them, and keys."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from devices.formats.layout import BinaryField
from devices.formats.obis import Obis
from devices.language.profile import Form, Profile, ProfileTest
from devices.language.selftest import check_profile
from devices.language.sources import PointSource

PAGE = (Path(__file__).parents[3] / "docs" / "profiles.md").read_text(encoding="utf-8")
BLOCKS = [
    "\n".join(line[4:] for line in block.splitlines())
    for block in re.findall(r"(?:^(?: {4}.*)?\n)*^ {4}.*$", PAGE, re.MULTILINE)
]

AROUND: Mapping[str, Mapping[str, object]] = {
    "layout": {"format": "binary"},
    "when": {"format": "lorawan"},
    "intervals": {"points": {"energy_import_kwh": "total"}},
    "device": {"format": "json"},
}
"""What a piece of a profile needs beside it."""


def split(blocks: list[str], *, whole: bool) -> Iterator[str]:
    return (block.strip("\n") for block in blocks if block.strip().startswith("id:") == whole)


WHOLE = list(split(BLOCKS, whole=True))
PIECES = list(split(BLOCKS, whole=False))


def complete(piece: dict[str, Any]) -> dict[str, Any]:
    """A profile around a piece of one: the points of a profile, the fields of a layout, or keys of a form."""
    if set(piece) == {"fields"}:
        piece = {"layout": piece}
    if not set(piece) <= {*Profile.model_fields}:
        piece = {"points": piece}
    profile: dict[str, Any] = {"id": "p", "points": {"power_kw": "power"}}
    for key in piece:
        profile |= AROUND.get(key, {})
    return profile | piece


def test_there_is_something_to_show() -> None:
    assert len(WHOLE) >= 2
    assert len(PIECES) >= 8
    assert len(RECIPES) >= 10


@pytest.mark.parametrize("block", WHOLE, ids=lambda block: block.splitlines()[0])
def test_a_profile_is_read_and_passes_its_tests(block: str) -> None:
    profile = Profile.model_validate(yaml.safe_load(block))
    assert check_profile(profile) == []


@pytest.mark.parametrize("block", PIECES, ids=lambda block: block.splitlines()[0])
def test_a_piece_of_a_profile_is_read(block: str) -> None:
    Profile.model_validate(complete(yaml.safe_load(block)))


RECIPES = [
    re.findall(r"`((?:[^`])+)`", row)
    for row in re.findall(r"^\| [a-z][^|`]* \| (`.*)\|$", PAGE.partition("## How do I read")[2], re.MULTILINE)
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe[0][:40])
def test_a_recipe_reads_what_it_shows(recipe: list[str]) -> None:
    payload, *topic, form = recipe[: 3 if recipe[1].startswith("acme/") else 2]
    profile = Profile.model_validate({"id": "p"} | yaml.safe_load(form))
    test = {"payload": payload, "error": "?"} | ({"topic": topic[0]} if topic else {})
    [failure] = check_profile(profile.model_copy(update={"tests": [ProfileTest.model_validate(test)]}))
    assert re.match(r"expected '\?', got [1-9]", failure.problem)


def rows(heading: str) -> list[str]:
    """The words in code of the first column of the tables that have such a heading."""
    table = re.search(rf"^\| {heading} \|.*\n\|---.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert table
    return [word for row in table[1].splitlines() for word in re.findall("`([^`]+)`", row.split("|")[1])]


@pytest.mark.parametrize(
    ("heading", "keys"),
    [
        ("key of a form", set(Form.model_fields) - {"where", "itself"}),
        ("key of a field", set(BinaryField.model_fields)),
    ],
)
def test_every_key_has_its_row_and_every_row_its_key(heading: str, keys: set[str]) -> None:
    assert set(rows(heading)) == keys


def test_every_key_of_a_point_and_of_obis_has_its_row() -> None:
    tables = re.findall(r"^\| key \|.*\n\|---.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    found = [
        {word for row in table.splitlines() for word in re.findall("`(\\w+)`", row.split("|")[1])} for table in tables
    ]
    assert set(PointSource.model_fields) in found
    assert set(Obis.model_fields) in found
