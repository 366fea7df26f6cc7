"""Pictures of evidence: what stands in them, read from the SVG; and how series are prepared for them."""

import re
from math import isnan
from pathlib import Path

import pytest

from devices.durations import NANOSECONDS
from tests.rulebench import at, make_site
from tickets.evidence import Evidence, Series
from tickets.pictures import break_gaps, draw_ticket, find_rates, find_spans
from tickets.queue import File, Member
from tickets.ticket import Ticket

HOUR, MINUTE = NANOSECONDS["h"], NANOSECONDS["m"]
SINCE = at("2026-10-25 02:00")
SITE = make_site(
    [
        {"id": "wm-1", "kind": "water_meter", "name": {"en": "Library, cold water"}},
        {"id": "door-1", "kind": "door", "name": {"zh": "机房门"}},
    ],
    zone="Europe/Berlin",
)


def ticket(title: str) -> Ticket:
    return Ticket(
        site="site",
        number="W-2026-00042",
        kind="incident",
        category="c",
        title=title,
        rule="rule-1",
        subject_id="wm-1",
        opened_at=SINCE + 10 * MINUTE,
        version=1,
        updated_at=0,
    )


def member(cleared_at: int | None = None, **evidence: object) -> Member:
    return Member("rule-1", "device", "wm-1", SINCE, "major", evidence, cleared_at, False)


def draw(folder: Path, title: str, members: list[Member], *series: Series) -> str:
    """The words of the picture."""
    path = folder / "picture.svg"
    evidence = Evidence(SINCE - 6 * HOUR, SINCE + 6 * HOUR, list(series))
    draw_ticket(File(ticket(title), [], members), evidence, SITE, path, "en")
    return "\n".join(re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8")))


def test_a_meter_with_its_limit_and_what_happened_in_local_time(tmp_path: Path) -> None:
    times = list(range(SINCE - 6 * HOUR, SINCE + 5 * HOUR, 5 * MINUTE))
    volume = [10.0 + 0.05 * number for number in range(len(times))]
    evidence = {"device": "wm-1", "point": "volume_m3", "value": 0.6, "limit": 0.1, "unit": "m³/h"}
    words = draw(
        tmp_path,
        "Water at night",
        [member(SINCE + 4 * HOUR, **evidence)],
        Series("wm-1", "volume_m3", times, [*volume]),
    )
    for expected in (
        "W-2026-00042  Water at night",
        "Library, cold water  (wm-1)",
        "(m³/h)",
        "limit 0.1 m³/h",
        "began 10-25 03:00",  # the clocks were set back at 01:00 UTC
        "ticket opened 10-25 03:10",
        "over 10-25 07:00",
        "local time, Europe/Berlin",
    ):
        assert expected in words


def test_a_door_has_a_timeline_of_its_events_with_their_reasons(tmp_path: Path) -> None:
    times = [SINCE - HOUR, SINCE - 2 * MINUTE, SINCE - MINUTE, SINCE]
    words = draw(
        tmp_path,
        "机房门",
        [member(device="door-1", point="event", value=3.0, limit=3.0)],
        Series("door-1", "event", times, ["granted", "denied", "denied", "forced_open"]),
        Series("door-1", "reason", times[1:3], ["expired", "expired"]),
        Series("door-1", "door", [SINCE], ["open"]),
    )
    for expected in ("denied: expired  (2)", "granted  (1)", "forced_open  (1)", "open"):
        assert expected in words
    assert "reason" not in words


@pytest.mark.parametrize("series", [[], [Series("wm-1", "leak", [SINCE - HOUR, SINCE], [False, True])]])
def test_what_is_true_or_false_or_nothing_at_all_is_drawn_as_well(tmp_path: Path, series: list[Series]) -> None:
    words = draw(tmp_path, "Leak", [member(device="wm-1", point="leak", value=True)], *series)
    assert ("nothing was heard in this time" in words) is not bool(series)
    assert ("yes" in words) is bool(series)


def test_the_file_is_a_picture_and_the_same_every_time(tmp_path: Path) -> None:
    evidence = Evidence(SINCE - HOUR, SINCE, [Series("wm-1", "pressure_bar", [SINCE - HOUR, SINCE - 1], [2.0, 3.0])])
    for name in ("a.png", "a.svg", "b.svg"):
        draw_ticket(File(ticket("t"), [], []), evidence, SITE, tmp_path / name, "en")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_register_is_drawn_as_its_rate_and_not_where_it_went_back() -> None:
    series = Series("wm-1", "volume_m3", [0, 15 * MINUTE, 30 * MINUTE, 45 * MINUTE], [5.0, 6.0, 1.0, 1.5])
    times, rates = find_rates(series, Evidence(0, HOUR, [series]))
    assert times == series.times
    assert [None if isnan(rate) else rate for rate in rates] == [None, 4.0, None, 2.0]


def test_a_silence_is_a_hole_in_the_line() -> None:
    series = Series("wm-1", "pressure_bar", [0, MINUTE, 2 * MINUTE, HOUR], [1.0, 2.0, 3.0, 4.0])
    _, values = break_gaps(series, Evidence(0, HOUR, [series]))
    assert [None if isnan(value) else value for value in values] == [1.0, 2.0, 3.0, None, 4.0]


def test_an_alert_that_is_but_a_part_of_the_time_is_shown_once_more() -> None:
    evidence = Evidence(SINCE - 24 * HOUR, SINCE + HOUR, [])
    whole = (evidence.begins_at, evidence.ends_at + 25 * HOUR // 60)
    assert find_spans(evidence, [member(SINCE + 20 * MINUTE)]) == [
        whole,
        (SINCE - 10 * MINUTE, SINCE + 30 * MINUTE),
    ]
    assert find_spans(evidence, [member(SINCE + 4 * HOUR)])[1] == (SINCE - 30 * MINUTE, SINCE + 90 * MINUTE)
    long_open = Evidence(SINCE - 24 * HOUR, SINCE + 24 * HOUR, [])
    assert len(find_spans(long_open, [member()])) == 1
    assert find_spans(evidence, []) == [whole]
