"""Titles and words for people: names, values with their units, times, in both languages."""

import re
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.register import Text
from rules.alerts import Evidence, Subject, Transition
from rules.site import Site
from tests.rulebench import at, make_site
from tickets.outbox import AUDIENCE
from tickets.ticket import REMARKS, STEPS, Event, EventKind
from tickets.titles import PLACEHOLDERS, find_place, name_place, plain_evidence, write_title, write_value
from tickets.wording import tell_event

PLACES = {
    "buildings": [
        {
            "id": "A",
            "name": {"en": "Library", "zh": "图书馆"},
            "floors": [{"id": "2F", "name": {"zh": "二层"}, "areas": [{"id": "hall"}]}],
        }
    ]
}
DEVICES: list[dict[str, object]] = [
    {
        "id": "wm-1",
        "kind": "water_meter",
        "name": {"en": "Main", "zh": "总表"},
        "building": "A",
        "floor": "2F",
        "area": "hall",
    },
    {"id": "wm-2", "kind": "water_meter"},
]
KINDS: tuple[EventKind, ...] = get_args(EventKind)


@pytest.fixture(scope="module")
def site() -> Site:
    return make_site(DEVICES, zone="Asia/Shanghai", places=PLACES)


def fired(device: str = "wm-1", since: str = "2026-03-01 18:10") -> Transition:
    evidence = Evidence(device, "flow_m3_per_h", 0.03, 0.012, "m³/h")
    time = at("2026-03-01 19:00")  # 03:00 of the next day there
    return Transition("fired", "night", Subject("device", device), time, 0, time, at(since), "major", evidence)


def test_a_title_is_written_in_the_sites_language(site: Site) -> None:
    title = Text(en="{device.name} in {place}: {value} over {limit} since {since}", zh="{place}{device.name}：{value}")
    written = write_title(title, "Night", fired(), site, "en")
    assert written == "Main in Library, 二层, hall: 30 L/h over 12 L/h since 02:10"
    assert write_title(title, "Night", fired(), site, "zh") == "图书馆二层hall总表：30 L/h"


def test_without_a_title_it_is_the_rules_name_and_the_subject(site: Site) -> None:
    assert write_title(Text(), "Night flow", fired("wm-2"), site, "en") == "Night flow: wm-2"
    assert write_title(Text(), "夜间", fired(), site, "zh") == "夜间：总表"


def test_every_placeholder_is_filled_and_nothing_else_is_touched(site: Site) -> None:
    template = " ".join(f"{{{name}}}" for name in PLACEHOLDERS) + " {other} {0} {device.__class__}"
    assert write_title(Text(en=template), "Night", fired(), site, "en") == (
        "Night Main wm-1 Main Library, 二层, hall flow_m3_per_h 30 L/h 12 L/h 02:10 {other} {0} {device.__class__}"
    )


def test_a_moment_of_another_day_has_its_date(site: Site) -> None:
    earlier = fired(since="2026-02-01 00:00")
    assert write_title(Text(en="{since}"), "", earlier, site, "en") == "2026-02-01 08:00"


def test_places_of_subjects(site: Site) -> None:
    assert find_place(fired(), site) == "A/2F/hall"
    for subject, place in (
        (Subject("floor", "A/2F"), "A/2F"),
        (Subject("site", "site"), ""),
        (Subject("device", "x"), ""),
    ):
        moved = Transition("fired", "r", subject, 1, 0, 1, 1, "minor")
        assert find_place(moved, site) == place
    assert name_place("A/9F/x", site.places, "en") == "Library, 9F, x"
    assert name_place("", site.places, "en") == ""


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.03, "m³/h", "30 L/h"),
        (0.9994, "kW", "999.4 W"),
        (1.0, "kW", "1 kW"),
        (253.44999, "V", "253.4 V"),
        (1234567.8, "kWh", "1234568 kWh"),
        (0.0, "m³", "0 m³"),
        (-0.02, "m³/h", "-20 L/h"),
        (0.85, "", "0.85"),
        (100.0, "%", "100 %"),
        (float("nan"), "V", "nan V"),
        (float("inf"), "V", "inf V"),
        (True, "", "yes"),
        ("open", "", "open"),
        (None, "V", ""),
    ],
)
def test_values(value: float | str | None, unit: str, text: str) -> None:
    assert write_value(value, unit, "en") == text


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=1e-3, max_value=1e12))
def test_four_digits_are_kept(value: float) -> None:
    shown = float(write_value(value, "", "en"))
    assert shown == pytest.approx(value, rel=5e-4)


def test_evidence_is_kept_as_json_without_what_is_not_there() -> None:
    assert plain_evidence(Evidence("wm-1", "leak", True)) == {"device": "wm-1", "point": "leak", "value": True}
    assert plain_evidence(Evidence(value=0.0, details={"hours": 3.0})) == {"value": 0.0, "details": {"hours": 3.0}}


# ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────────

DETAILS: dict[EventKind, dict[str, Any]] = {
    "alerted": {"count": 1, "alerts": ["device wm-1"], "reason": ""},
    "joined": {"count": 30, "alerts": ["device wm-1", "device wm-2"], "reason": "device gw"},
    "affected": {"count": 2, "alerts": ["device wm-1"], "reason": ""},
    "left": {"count": 1, "alerts": ["device wm-1"], "into": "W-2026-00002"},
    "cleared": {"count": 1, "alerts": ["device wm-1"], "reason": "rule changed"},
    "amended": {"cause": "began_earlier", "alert": "device wm-1", "alert_since": at("2026-03-01 00:00")},
    "assigned": {"owner": "li"},
    "handed_over": {"owner": "li", "before": "wang"},
    "paused": {"reason": "parts"},
    "closed": {"quiet_for": 2 * 3_600_000_000_000},
    "reopened": {"why": "still_firing"},
    "cancelled": {"into": "W-2026-00002"},
    "prioritised": {"priority": 1, "severity": "critical"},
    "rated": {"speed": 5, "attitude": 4, "resolution": 3},
    "escalated": {"step": "response 50%"},
    "muted": {"until": at("2026-03-01 00:00")},
    "referenced": {"channel": "cmms", "reference": "WO-7"},
}
TOLD: dict[EventKind, tuple[str, str]] = {
    "joined": ("30 more: device wm-1, device wm-2 … (device gw)",
               "并入 30 条告警：device wm-1、device wm-2 …（device gw）"),
    "cleared": ("alert over: device wm-1 (rule changed)", "告警恢复：device wm-1（rule changed）"),
    "amended": ("the data now show that device wm-1 began at 2026-03-01 08:00",
                "补传数据表明 device wm-1 始于 2026-03-01 08:00"),
    "paused": ("waits for parts", "挂起：等备件"),
    "closed": ("closed (the telemetry stayed good for 2h)", "关闭（遥测已保持正常 2h）"),
    "reopened": ("reopened (the telemetry is still bad)", "重开（遥测仍异常）"),
    "cancelled": ("cancelled (goes on in W-2026-00002)", "取消（并入 W-2026-00002）"),
    "prioritised": ("priority is now P1 (an alert in it is critical)", "优先级改为 P1（含严重告警）"),
    "muted": ("alerts are kept quiet until 2026-03-01 08:00", "告警静默至 2026-03-01 08:00"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_is_told_in_both_languages(site: Site, kind: EventKind) -> None:
    event = Event(1, 0, "li", kind, "", DETAILS.get(kind, {}))
    texts = tell_event(event, "en", site.zone), tell_event(event, "zh", site.zone)
    assert texts == TOLD.get(kind, texts)
    assert texts[0] != texts[1]
    assert re.search("[一-鿿]", texts[1])
    assert not re.search("[{}]", "".join(texts))


def test_every_kind_of_event_is_in_the_state_machine() -> None:
    assert {kind for _, kind in STEPS} | set(REMARKS) | {"opened"} == set(KINDS)
    assert set(AUDIENCE) <= set(KINDS)
