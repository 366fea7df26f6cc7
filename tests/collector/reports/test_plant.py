"""What feeds what, what each meter measures, and which category it has."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from collector.configuration import load
from collector.reports.plant import Plant
from tests.reportsite import ReportSite, meter

CATEGORIES = {"tag": "circuit", "groups": {"light": {"values": ["lighting", "sockets"]}, "hvac": {"values": "hvac"}}}


def make(folder: Path, *devices: Mapping[str, object], **rest: Any) -> Plant:  # noqa: ANN401 - passed through
    site = ReportSite(folder, devices, **rest)
    site.store.close()
    return Plant(site.configuration, "electricity")


def test_a_meter_measures_the_smallest_place_that_holds_all_that_it_feeds(tmp_path: Path) -> None:
    plant = make(
        tmp_path,
        meter("grid", "A/B1"),
        meter("main", "A/1F/switch-room"),
        meter("riser", "A/1F/switch-room"),
        meter("one", "A/2F/hall"),
        meter("two", "A/2F/hall"),
        meter("b", "B"),
        meter("nowhere", ""),
        feeds={"grid": ["main", "b"], "main": ["riser"], "riser": ["one", "two"]},
    )
    assert plant.scopes == {
        "grid": (),
        "main": ("A",),
        "riser": ("A",),
        "one": ("A", "2F", "hall"),
        "two": ("A", "2F", "hall"),
        "b": ("B",),
        "nowhere": (),
    }
    assert [each.id for each in plant.order] == ["one", "two", "riser", "main", "b", "grid", "nowhere"]
    assert plant.find_tops() == ["grid", "nowhere"]
    assert plant.find_tops(["A"]) == ["main"]
    assert plant.find_tops(["A", "2F"]) == ["one", "two"]
    assert plant.places == [("A",), ("A", "2F"), ("A", "2F", "hall"), ("B",)]


def test_a_meter_without_a_category_has_that_of_the_one_that_feeds_it(tmp_path: Path) -> None:
    plant = make(
        tmp_path,
        meter("main", tags={"circuit": "main"}),
        meter("cooling", tags={"circuit": "hvac"}),
        meter("pump"),
        meter("lamp", tags={"circuit": "lighting"}),
        meter("socket", tags={"circuit": "sockets"}),
        feeds={"main": ["cooling", "socket"], "cooling": ["pump", "lamp"]},
        register={"tags": ["circuit"]},
        files={"reports": {"categories": CATEGORIES}},
    )
    assert plant.categories == {"main": None, "cooling": "hvac", "pump": "hvac", "lamp": "light", "socket": "light"}


def test_the_example_site_has_its_buildings() -> None:
    plant = Plant(load(Path(__file__).parents[3] / "config"), "water")
    assert plant.find_tops() == ["wm-a-01", "wm-b-01", "wm-c-01"]
    assert [plant.scopes[id_] for id_ in plant.find_tops()] == [("A",), ("B",), ("C",)]
