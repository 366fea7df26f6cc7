"""What becomes of alerts: mutes, failures above, groups."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from devices.durations import NANOSECONDS
from devices.places import Places
from devices.register import Register
from rules.alerts import Subject, Transition, TransitionKind
from rules.dispatcher import CONSEQUENCE_WAIT, RETURN_WAIT, Dispatcher
from rules.mutes import Mute
from rules.orders import Order
from rules.rule import RuleFile
from rules.site import Site

S, M = NANOSECONDS["s"], NANOSECONDS["m"]

_DEVICES = [
    {"id": "gw-1", "kind": "gateway", "building": "A"},
    {"id": "main", "kind": "electricity_meter", "building": "A", "gateway": "gw-1"},
    *({"id": f"sub-{n}", "kind": "electricity_meter", "building": "A", "floor": f"{n}F"} for n in (1, 2, 3)),
    {"id": "lone", "kind": "sensor", "building": "B"},
    {"id": "lone-2", "kind": "sensor", "building": "B"},
]
_PLACES = {"feeds": [{"main": "main", "subs": ["sub-1", "sub-2", "sub-3"]}]}
_RULES = {
    "rules": [
        {
            "id": "gone",
            "when": {"threshold": {"point": "voltage_v", "below": "10 V"}},
            "inhibits": True,
            "yields": True,
            "ticket": {"group": {"within": "15m"}},
        },
        {"id": "smoke", "when": {"threshold": {"point": "smoke", "equals": True}}},
        {
            "id": "hot",
            "when": {"threshold": {"point": "temperature_c", "above": "40 °C"}},
            "ticket": {"group": {"by": "building", "within": "10m"}},
        },
    ],
}


def _make() -> Dispatcher:
    register = Register.model_validate({"devices": _DEVICES})
    site = Site("campus", ZoneInfo("UTC"), register, Places.model_validate(_PLACES))
    return Dispatcher(RuleFile.model_validate(_RULES).rules, site)


def _say(rule: str, device: str, at: int, kind: TransitionKind = "fired", opened: int | None = None) -> Transition:
    serial = 0 if kind == "fired" else 1
    return Transition(kind, rule, Subject("device", device), at if opened is None else opened, serial, at, at, "major")


def _shape(orders: list[Order]) -> list[tuple[str, str]]:
    return [(order.kind, order.transition.subject.id) for order in orders]


def test_an_alert_of_its_own_opens_a_ticket_at_once() -> None:
    orders = _make().take(_say("smoke", "lone", S))
    assert _shape(orders) == [("open", "lone")]


def test_an_alert_that_yields_waits_and_then_opens() -> None:
    dispatcher = _make()
    assert dispatcher.take(_say("gone", "lone", S)) == []
    assert dispatcher.advance(S + CONSEQUENCE_WAIT - 1) == []
    assert _shape(dispatcher.advance(S + CONSEQUENCE_WAIT)) == [("open", "lone")]
    assert dispatcher.due == float("inf")


def test_what_is_over_before_it_was_told_is_not_told() -> None:
    dispatcher = _make()
    dispatcher.take(_say("gone", "lone", S))
    assert dispatcher.take(_say("gone", "lone", 2 * S, "resolved", S)) == []
    assert dispatcher.advance(M) == []


def test_what_is_learned_of_an_alert_that_is_over_is_told_too() -> None:
    dispatcher = _make()
    dispatcher.take(_say("smoke", "lone", S))
    dispatcher.take(_say("smoke", "lone", 2 * S, "resolved", S))
    assert _shape(dispatcher.take(_say("smoke", "lone", 3 * S, "amended", S))) == [("amend", "lone")]


def test_a_failed_main_holds_back_all_below_it_and_names_itself() -> None:
    dispatcher = _make()
    for number, device in enumerate(("sub-1", "sub-2", "main", "sub-3")):
        dispatcher.take(_say("gone", device, S + number))
    orders = dispatcher.advance(M)
    assert _shape(orders) == [("hold", "sub-1"), ("hold", "sub-2"), ("open", "main"), ("hold", "sub-3")]
    assert {order.cause for order in orders if order.kind == "hold"} == {("gone", ("device", "main"), S + 2)}
    assert orders[0].reason == "inhibited by device main"


def test_the_cause_is_the_topmost_that_failed() -> None:
    dispatcher = _make()
    for device in ("gw-1", "main", "sub-1"):
        dispatcher.take(_say("gone", device, S))
    orders = dispatcher.advance(M)
    assert _shape(orders) == [("open", "gw-1"), ("hold", "main"), ("hold", "sub-1")]
    assert orders[2].cause == ("gone", ("device", "gw-1"), S)


def test_smoke_yields_to_nothing() -> None:
    dispatcher = _make()
    dispatcher.take(_say("gone", "main", S))
    assert _shape(dispatcher.take(_say("smoke", "sub-1", 2 * S))) == [("open", "sub-1")]


def test_tickets_that_were_opened_before_the_cause_was_known_join_its_ticket() -> None:
    dispatcher = _make()
    dispatcher.take(_say("gone", "sub-1", S))
    assert _shape(dispatcher.advance(M)) == [("open", "sub-1")]
    orders = dispatcher.take(_say("gone", "main", 2 * M))
    assert _shape(orders) == [("join", "sub-1")]
    assert orders[0].lead == ("gone", ("device", "main"), 2 * M)
    assert orders[0].reason == "device main"


def test_what_was_held_back_gets_time_to_come_back_and_is_then_told() -> None:
    dispatcher = _make()
    dispatcher.take(_say("gone", "main", S))
    dispatcher.take(_say("gone", "sub-1", S))
    dispatcher.take(_say("gone", "sub-2", S))
    dispatcher.advance(M)
    assert _shape(dispatcher.take(_say("gone", "main", 2 * M, "resolved", S))) == [("clear", "main")]
    assert _shape(dispatcher.take(_say("gone", "sub-2", 3 * M, "resolved", S))) == [("clear", "sub-2")]
    assert dispatcher.advance(2 * M + RETURN_WAIT - 1) == []
    assert _shape(dispatcher.advance(2 * M + RETURN_WAIT)) == [("open", "sub-1")]


def test_alerts_with_one_parent_share_a_ticket_within_the_groups_time() -> None:
    dispatcher = _make()
    for number in (1, 2):
        dispatcher.take(_say("gone", f"sub-{number}", S))
    orders = dispatcher.advance(M)
    assert _shape(orders) == [("open", "sub-1"), ("join", "sub-2")]
    assert orders[1].lead == ("gone", ("device", "sub-1"), S)
    assert orders[1].reason == "device main"
    dispatcher.take(_say("gone", "sub-3", 20 * M))
    assert _shape(dispatcher.advance(21 * M)) == [("open", "sub-3")]


def test_a_group_by_place_has_nothing_to_do_with_gateways() -> None:
    dispatcher = _make()
    orders = [dispatcher.take(_say("hot", device, S))[0] for device in ("sub-1", "lone", "sub-2", "lone-2")]
    assert [order.kind for order in orders] == ["open", "open", "join", "join"]
    assert [order.reason for order in orders[2:]] == ["building A", "building B"]


@pytest.mark.parametrize(
    ("subject", "rules", "muted"),
    [
        (Subject("device", "sub-1"), (), {"sub-1"}),
        (Subject("device", "main"), (), {"sub-1", "sub-2"}),
        (Subject("building", "B"), (), {"lone"}),
        (Subject("floor", "A/1F"), (), {"sub-1"}),
        (Subject("site", "campus"), (), {"sub-1", "sub-2", "lone"}),
        (Subject("site", "campus"), ("hot",), set()),
    ],
)
def test_maintenance_covers_what_hangs_below_and_lies_within(
    subject: Subject, rules: tuple[str, ...], muted: set[str]
) -> None:
    dispatcher = _make()
    dispatcher.mute([Mute(12, "maintenance", 0, 5 * M, (subject,), rules)], 0)
    found = {}
    for device in ("sub-1", "sub-2", "lone"):
        [order] = dispatcher.take(_say("smoke", device, S))
        found[device] = order
    assert {device for device, order in found.items() if order.kind == "hold"} == muted
    assert all(order.reason == "maintenance 12" for order in found.values() if order.kind == "hold")
    assert {each.transition.subject.id for each in dispatcher.advance(5 * M)} == muted


def test_a_shelf_that_is_taken_away_early_lets_the_alert_through() -> None:
    dispatcher = _make()
    shelf = Mute(7, "shelf", 0, 60 * M, (Subject("device", "lone"),), ("smoke",))
    dispatcher.mute([shelf], 0)
    assert _shape(dispatcher.take(_say("smoke", "lone", S))) == [("hold", "lone")]
    assert _shape(dispatcher.mute([], 2 * S)) == [("open", "lone")]
    assert dispatcher.advance(61 * M) == []


def test_what_is_over_while_it_is_muted_is_cleared_and_never_opened() -> None:
    dispatcher = _make()
    dispatcher.mute([Mute(7, "shelf", 0, M, (Subject("device", "lone"),))], 0)
    dispatcher.take(_say("smoke", "lone", S))
    assert _shape(dispatcher.take(_say("smoke", "lone", 2 * S, "resolved", S))) == [("clear", "lone")]
    assert dispatcher.advance(2 * M) == []


_MOMENTS = st.lists(
    st.tuples(
        st.sampled_from(["gone", "smoke", "hot"]),
        st.sampled_from(["gw-1", "main", "sub-1", "sub-2", "sub-3", "lone"]),
        st.integers(0, 8 * 60),
    ),
    max_size=40,
)


def _tell(moments: list[tuple[str, str, int]]) -> list[Transition]:
    """Alerts that come and go in turns."""
    firing: dict[tuple[str, str], int] = {}
    told = []
    time = 0
    for rule, device, pause in moments:
        time += pause * S + 1
        opened = firing.pop((rule, device), None)
        if opened is None:
            firing[rule, device] = time
            told.append(_say(rule, device, time))
        else:
            told.append(_say(rule, device, time, "resolved", opened))
    return told


@given(_MOMENTS)
def test_every_alert_that_is_told_is_cleared_once_and_the_rest_never_appears(
    moments: list[tuple[str, str, int]],
) -> None:
    dispatcher = _make()
    told = _tell(moments)
    orders = [order for transition in told for order in dispatcher.take(transition)]
    known: set[tuple[str, str]] = set()
    for order in orders:
        key = (order.transition.rule, order.transition.subject.id)
        if order.kind == "clear":
            known.remove(key)
        else:
            known.add(key)
    firing: set[tuple[str, str]] = set()
    for each in told:
        firing ^= {(each.rule, each.subject.id)}
    assert known <= firing
    left = dispatcher.advance(10**18)
    assert known | {(order.transition.rule, order.transition.subject.id) for order in left} == firing


@given(_MOMENTS, st.integers(0, 40))
def test_a_snapshot_at_any_moment_changes_nothing(moments: list[tuple[str, str, int]], cut: int) -> None:
    told = _tell(moments)
    whole, first, second = _make(), _make(), _make()
    expected = [order for transition in told for order in whole.take(transition)]
    orders = [order for transition in told[:cut] for order in first.take(transition)]
    second.restore(msgpack.decode(msgpack.encode(first.snapshot())))
    orders += [order for transition in told[cut:] for order in second.take(transition)]
    assert orders == expected
    assert second.advance(10**18) == whole.advance(10**18)
