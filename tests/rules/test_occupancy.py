from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.credentials import HIDDEN
from devices.durations import NANOSECONDS
from rules.occupancy import STAY, Boundary, Headcount, Occupancy, credential_of, is_within
from rules.site import area_of
from tests.rulebench import at, make_site, reading
from tests.rules.conditions.alone import say

HOUR = NANOSECONDS["h"]
HALL = {"kind": "door", "building": "A", "floor": "1F", "area": "hall"}
DOORS: list[Mapping[str, object]] = [
    {"id": "front", **HALL},
    {"id": "lab", **HALL, "area": "lab", "outside": "hall"},
    {"id": "upstairs", **HALL, "floor": "2F"},
    {"id": "other", **HALL, "building": "B"},
    {"id": "meter", **HALL, "kind": "electricity_meter"},
]


@pytest.mark.parametrize(
    ("place", "area", "within"),
    [
        ("A", "A/1F/hall", True),
        ("A/1F", "A/1F", True),
        ("A/1F/hall", "A/1F", False),
        ("A", "AB/1F", False),
        ("", "A/1F", True),
        ("", "", False),
    ],
)
def test_a_place_holds_what_lies_below_it(place: str, area: str, within: bool) -> None:
    assert is_within(place, area) is within


@pytest.mark.parametrize(
    ("place", "door", "direction", "enters"),
    [
        ("A/1F/hall", "front", "in", True),
        ("A/1F/hall", "front", "out", False),
        ("A/1F/hall", "front", None, True),
        ("A/1F/hall", "lab", "in", False),
        ("A/1F/hall", "lab", "out", True),
        ("A/1F/hall", "lab", None, None),
        ("A/1F/lab", "lab", "in", True),
        ("A/1F/lab", "lab", "out", False),
        ("A/1F", "lab", "out", True),
        ("A", "upstairs", "out", False),
        ("", "other", "out", False),
    ],
)
def test_a_passage_leads_in_or_out(place: str, door: str, direction: str | None, enters: bool | None) -> None:
    points = {"event": "granted"} | ({"direction": direction} if direction else {})
    assert Boundary(place, make_site(DOORS)).enters(say(door, 1, points)) is enters


def test_the_doors_around_a_place_are_those_with_a_side_in_it() -> None:
    assert Boundary("A/1F/hall", make_site(DOORS)).doors == ("front", "lab")
    assert Boundary("A/1F/lab", make_site(DOORS)).doors == ("lab",)
    assert Boundary("A/3F", make_site(DOORS)).doors == ()


@pytest.mark.parametrize("place", ["", "A", "A/1F", "A/1F/hall", "A/1F/lab", "A/2F/hall", "B", "C"])
def test_at_a_place_are_its_doors_and_sensors(place: str) -> None:
    site = make_site([*DOORS, {"id": "people", **HALL, "kind": "sensor"}, {"id": "nowhere", "kind": "door"}])
    fronts = {"lab": "A/1F/hall"}
    expected = [
        device.id
        for device in site.register
        if device.kind in {"door", "sensor"}
        and (is_within(place, area_of(device)) or is_within(place, fronts.get(device.id, "")))
    ]
    assert [device.id for device in site.devices_at(place)] == expected


def test_a_hidden_credential_is_nobodys() -> None:
    assert credential_of(reading("front", 1, event="granted", credential=HIDDEN)) == ""
    assert credential_of(reading("front", 1, event="granted")) == ""
    assert credential_of(reading("front", 1, event="granted", credential="k1:ab")) == "k1:ab"


def count(*passages: tuple[str, str, int]) -> int:
    """People after passages, each as in or out, credential, hour."""
    headcount = Headcount()
    for way, credential, hour in passages:
        (headcount.enter if way == "in" else headcount.leave)(credential, hour * HOUR)
    return headcount.people


@pytest.mark.parametrize(
    ("passages", "people"),
    [
        ([("in", "a", 8), ("in", "b", 9), ("out", "a", 10)], 1),
        ([("in", "a", 8), ("in", "a", 9)], 1),
        ([("out", "a", 8)], 0),
        ([("in", "b", 8), ("out", "a", 9)], 1),
        ([("in", "", 8), ("in", "", 9), ("out", "", 10)], 1),
        ([("in", "a", 8), ("in", "b", 8), ("out", "", 9)], 1),
        ([("in", "a", 8), ("out", "", 9), ("in", "b", 10)], 1),
        ([("in", "a", 8), ("in", "b", 8), ("out", "", 9), ("in", "a", 10)], 2),
        ([("in", "", 8), ("out", "a", 9)], 0),
        ([("in", "a", 8), ("in", "b", 24), ("out", "c", 25)], 1),
        ([("in", "", 8), ("in", "", 24)], 1),
        ([("in", "a", 8), ("in", "a", 20), ("in", "b", 30)], 2),
        ([("out", "a", 12), ("in", "a", 8)], 0),
        ([("in", "a", 12), ("out", "a", 8)], 1),
        ([("in", "a", 40), ("in", "b", 8)], 1),
        ([("in", "a", 8), ("in", "b", 9), ("out", "", 10), ("in", "c", 24)], 2),
    ],
    ids=[
        "in and out",
        "a card read twice is one person",
        "never less than nobody",
        "who followed somebody in does not take another's place on the way out",
        "without credentials",
        "out without a credential",
        "nobody is left over",
        "who comes in again was the one who went out unseen",
        "a named exit of an unnamed entry",
        "forgotten after a day",
        "an unnamed one too",
        "heard of again",
        "a backlog brings nobody back",
        "nor throws anybody out",
        "what is older than a stay does not count",
        "one who is forgotten may be the one who went out unseen",
    ],
)
def test_people_are_counted(passages: list[tuple[str, str, int]], people: int) -> None:
    assert count(*passages) == people


PASSAGES = st.lists(
    st.tuples(st.booleans(), st.sampled_from(["", "a", "b", "c", "d"]), st.integers(1, 60)), max_size=40
)


def play(headcount: Headcount, passages: list[tuple[bool, str, int]]) -> list[tuple[int, int]]:
    seen = []
    for enters, credential, hour in passages:
        (headcount.enter if enters else headcount.leave)(credential, hour * HOUR)
        seen.append((headcount.people, headcount.seen))
    return seen


@given(PASSAGES)
def test_there_are_never_fewer_than_none_nor_more_than_came_in(passages: list[tuple[bool, str, int]]) -> None:
    came = 0
    for (people, seen), (enters, credential, _) in zip(play(Headcount(), passages), passages, strict=True):
        came += enters
        assert 0 <= people <= came, credential
        assert (people == 0) == (seen == 0)


@given(PASSAGES)
def test_in_order_the_named_are_inside_who_came_in_last(passages: list[tuple[bool, str, int]]) -> None:
    named = sorted(((e, c, h) for e, c, h in passages if c), key=lambda passage: passage[2])
    headcount = Headcount()
    play(headcount, named)
    last: dict[str, tuple[bool, int]] = {}
    for enters, credential, hour in named:
        last[credential] = enters, hour
    newest = max((hour for _, _, hour in named), default=0)
    assert headcount.people == sum(enters and newest - hour < STAY // HOUR for enters, hour in last.values())


@given(PASSAGES, PASSAGES)
def test_a_headcount_goes_on_from_its_snapshot(
    before: list[tuple[bool, str, int]], after: list[tuple[bool, str, int]]
) -> None:
    original, copy = Headcount(), Headcount()
    play(original, before)
    copy.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(original.snapshot())))
    assert play(copy, after) == play(original, after)


class Watch:
    def __init__(self) -> None:
        self.weighed: list[int] = []

    def weigh(self, time: int) -> None:
        self.weighed.append(time)


def test_listeners_hear_of_passages_and_are_weighed_where_they_ask_for_it() -> None:
    occupancy = Occupancy("A/1F/hall", make_site(DOORS))
    told: list[tuple[int, int]] = []

    def take(people: int, seen: int) -> bool:
        told.append((people, seen))
        return people == 1

    watch: Any = Watch()
    occupancy.listeners.append((take, watch))
    eight, nine = at("2026-03-01 08:00"), at("2026-03-01 09:00")
    for time, points in [
        (eight, {"event": "granted", "direction": "in", "credential": "k1:a"}),
        (eight, {"event": "denied", "direction": "in", "credential": "k1:b"}),
        (nine, {"event": "duress", "direction": "in", "credential": "k1:c"}),
    ]:
        occupancy.take(points["event"], say("front", time, points))
    assert told == [(1, eight), (2, nine)]
    assert watch.weighed == [eight]
    other = Occupancy("A/1F/hall", make_site(DOORS))
    other.restore(occupancy.snapshot())
    assert other.snapshot() == occupancy.snapshot()
