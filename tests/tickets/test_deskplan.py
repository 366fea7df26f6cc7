"""desk.yaml: who is on duty, whose work is what, how much it matters, and what names nothing."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from collector.yamlfile import Document
from devices.durations import NANOSECONDS
from devices.places import Places
from rules.calendars import Calendars
from tickets.deskplan import DeskPlan
from tickets.dispatch import Dispatch
from tickets.duty import find_on_duty
from tickets.plancheck import find_gaps
from tickets.priority import IMPACTS, MATRIX, PRIORITIES, URGENCIES, raise_impact

CONFIG = Path(__file__).parents[2] / "config"
SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = NANOSECONDS["h"]


def read(name: str) -> object:
    return Document((CONFIG / name).read_text(encoding="utf-8")).value


def at(text: str, zone: ZoneInfo = SHANGHAI) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * 10**9


@pytest.fixture(scope="module")
def plan() -> DeskPlan:
    return DeskPlan.model_validate(read("desk.yaml"))


def test_the_example_names_nothing_that_is_not_there(plan: DeskPlan) -> None:
    calendars, places = Calendars.model_validate(read("calendars.yaml")), Places.model_validate(read("places.yaml"))
    assert list(find_gaps(plan, calendars, places)) == []


def test_defaults_that_the_example_shows_are_the_defaults() -> None:
    lines = (CONFIG / "desk.yaml").read_text(encoding="utf-8").splitlines()
    shown = Document("\n".join(line.removeprefix("#: ") for line in lines if line.startswith("#: ")))
    plan, default = DeskPlan.model_validate(shown.value), DeskPlan()
    assert (plan.matrix, plan.escalation, plan.close_after) == (default.matrix, default.escalation, default.close_after)
    assert all(plan.service_level(each) == default.service_level(each) for each in PRIORITIES)


@pytest.mark.parametrize(
    ("team", "time", "person"),
    [
        ("electricians", "2026-03-02 08:00", "wang.wei"),  # Monday, in working hours
        ("electricians", "2026-03-02 17:30", "wang.wei"),  # the ninth week from 5 January: the first one's turn
        ("electricians", "2026-03-09 17:30", "li.na"),
        ("electricians", "2026-03-15 23:59", "li.na"),  # Sunday of the same week
        ("electricians", "2026-03-16 00:00", "wang.wei"),
        ("electricians", "2026-07-27 03:00", "wang.wei"),  # stands in for li.na
        ("it", "2026-03-02 12:00", "zhou.ting"),
        ("it", "2026-03-01 12:00", "zhou.ting"),  # Sunday: the lead
        ("nobody", "2026-03-01 12:00", ""),
    ],
)
def test_who_is_on_duty(plan: DeskPlan, team: str, time: str, person: str) -> None:
    assert find_on_duty(plan, team, at(time), SHANGHAI) == person


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    plan = DeskPlan.model_validate(
        {"duty": [{"team": "t", "days": "fri", "hours": "22:00-06:00", "people": ["a", "b"], "since": "2026-03-02"}]}
    )
    times = {"2026-03-06 21:59": "", "2026-03-06 22:00": "a", "2026-03-07 05:59": "a", "2026-03-07 06:00": ""}
    times |= {"2026-03-14 00:00": "b", "2026-03-13 00:00": ""}
    assert {time: find_on_duty(plan, "t", at(time), SHANGHAI) for time in times} == times


@given(st.integers(at("2026-01-01 00:00"), at("2027-01-01 00:00")), st.lists(st.sampled_from("abcd"), min_size=1))
def test_somebody_is_on_duty_all_week_and_the_next_one_the_week_after(time: int, people: list[str]) -> None:
    plan = DeskPlan.model_validate({"duty": [{"team": "t", "people": people}]})
    turn = find_on_duty(plan, "t", time, SHANGHAI)
    assert turn in people
    later = find_on_duty(plan, "t", time + 7 * len(people) * 24 * HOUR, SHANGHAI)
    assert later == turn


def test_people_who_stand_in_for_each_other_do_not_go_round_for_ever() -> None:
    dates = "2026-03-01..2026-03-31"
    plan = DeskPlan.model_validate(
        {
            "duty": [{"team": "t", "people": "a"}],
            "substitutes": [{"absent": "a", "by": "b", "dates": dates}, {"absent": "b", "by": "a", "dates": dates}],
        }
    )
    assert find_on_duty(plan, "t", at("2026-03-02 12:00"), SHANGHAI) == "b"


def test_routes_decide_by_category_and_place() -> None:
    plan = DeskPlan.model_validate(
        {
            "teams": {"a": {}, "b": {"calendar": "day"}},
            "categories": {"plumbing": {"team": "a", "impact": "low"}},
            "routing": [
                {"building": "A", "floor": "1F", "team": "b"},
                {"category": "plumbing", "raise_impact": 1},
                {"building": ["A", "B"], "raise_impact": 2},
            ],
        }
    )
    dispatch = Dispatch(plan, Calendars(), SHANGHAI)
    assert [dispatch.find_team("plumbing", place) for place in ("A/1F/hall", "A/2F", "", "A")] == ["b", "a", "a", "a"]
    assert [dispatch.find_impact("plumbing", place) for place in ("A/1F", "C", "")] == ["high", "medium", "medium"]
    assert dispatch.find_team("unheard-of", "C") == ""
    promise = dispatch.promise("high", "critical", "b")
    assert (promise.priority, promise.response_within, promise.hours) == (1, HOUR // 4, "")  # P1 counts all hours
    assert dispatch.promise("low", "low", "b").hours == "day"


def test_every_name_is_looked_for() -> None:
    plan = DeskPlan.model_validate(
        {
            "people": {"li": {}},
            "teams": {"t": {"members": ["li", "lo"], "lead": "le", "calendar": "dey"}},
            "categories": {"c": {"team": "tt"}},
            "routing": [{"category": "d", "building": "B", "team": "u"}],
            "escalation": [{"clock": "response", "at": "50 %", "notify": ["owner", "la"]}],
            "duty": [{"team": "v", "people": ["li", "lu"]}],
            "substitutes": [{"absent": "x", "by": "y", "dates": "2026-01-01"}],
        }
    )
    calendars = Calendars.model_validate({"calendars": {"day": {}}})
    places = Places.model_validate({"buildings": [{"id": "A"}]})
    gaps = {gap.path: (gap.message, gap.hint) for gap in find_gaps(plan, calendars, places)}
    assert gaps[("teams", "t", "calendar")] == ("there is no calendar 'dey'", "did you mean day?")
    assert set(gaps) == {
        ("teams", "t", "members", 1), ("teams", "t", "lead"), ("teams", "t", "calendar"), ("categories", "c", "team"),
        ("routing", 0, "category", 0), ("routing", 0, "building", 0), ("routing", 0, "team"),
        ("escalation", 0, "notify", 1), ("duty", 0, "team"), ("duty", 0, "people", 1),
        ("substitutes", 0, "absent"), ("substitutes", 0, "by"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"escalation": [{"clock": "response", "at": 50, "notify": ["owner"]}]}, "share of the time such as 50 %"),
        ({"escalation": [{"clock": "response", "at": "0 %", "notify": ["owner"]}]}, "got '0 %'"),
        ({"matrix": {"low": {"low": "P4"}}}, "impact low: no priority for urgency medium, high, critical"),
        ({"substitutes": [{"absent": "a", "by": "a", "dates": "2026-01-01"}]}, "nobody stands in for themselves"),
        ({"duty": [{"team": "t", "people": "a", "hours": "8-17"}]}, "expected hours such as 08:00-18:00"),
        ({"teams": {"t": {"boss": "a"}}}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_plans_are_told(content: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        DeskPlan.model_validate(content)
    assert message in str(caught.value)


def test_a_plan_is_read_again_as_it_was_written(plan: DeskPlan) -> None:
    assert DeskPlan.model_validate_json(plan.model_dump_json()) == plan


def test_more_impact_or_urgency_is_never_less_important() -> None:
    rank = {priority: number for number, priority in enumerate(PRIORITIES)}
    for impact in IMPACTS:
        ranks = [rank[MATRIX[impact][urgency]] for urgency in URGENCIES]
        assert ranks == sorted(ranks, reverse=True)
        for urgency in URGENCIES:
            assert rank[MATRIX[raise_impact(impact, steps=1)][urgency]] <= rank[MATRIX[impact][urgency]]
