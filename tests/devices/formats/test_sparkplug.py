"""Sparkplug's host application: births, aliases, deaths, lost messages, requests for rebirth, memory."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from devices.errors import Undecodable
from devices.formats.sparkplug import Host, split_address
from devices.formats.sparkplug_node import NEXT, State
from devices.formats.sparkplug_payload import PAYLOAD, parse_payload, read_value
from devices.message import Part
from tests.edgenode import BOOLEAN, FLOAT, INT16, STRING, TIME, EdgeNode, Spoken, metric

MILLISECOND = 10**6
NOW = TIME * MILLISECOND
MINUTE = 60 * 10**9


@pytest.fixture
def host() -> Host:
    """A register of a node, two of its devices, and a node that never says anything; all have been asked."""
    host = Host(["Plant/Gateway", "Plant/Gateway/Meter", "Plant/Gateway/Door", "Plant/Silent"])
    host.take_commands(NOW)
    return host


@pytest.fixture
def node() -> EdgeNode:
    return EdgeNode("Plant/Gateway")


POWER = metric("Meter/Power", 5.0, alias=1)
VOLTAGE = metric("Meter/Voltage", 230.5, FLOAT, alias=2)


def read(host: Host, spoken: Spoken) -> list[Part]:
    return host.read(spoken.parts, spoken.payload)


def values(host: Host, spoken: Spoken) -> list[tuple[int | None, dict[str, Any]]]:
    """Time in s after TIME, and the values by full name."""
    return [
        (
            None if part.moment is None else (part.moment[0] // MILLISECOND - TIME) // 1000,
            {name: value for name, value in part.body.items() if "/" in name},
        )
        for part in read(host, spoken)
    ]


def asked(host: Host, now: int = NOW + MINUTE) -> list[str]:
    return [topic for topic, _ in host.take_commands(now)]


# ── births and data ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_birth_holds_values_and_what_follows_may_name_them_by_alias(host: Host, node: EdgeNode) -> None:
    assert values(host, node.birth(POWER, VOLTAGE)) == [(0, {"Meter/Power": 5.0, "Meter/Voltage": 230.5})]
    assert values(host, node.data(metric(value=6.0, alias=1))) == [(1, {"Meter/Power": 6.0})]
    assert values(host, node.data(metric("Meter/Power", 7.0))) == [(2, {"Meter/Power": 7.0})]
    assert asked(host) == []


def test_node_and_device_have_births_of_their_own(host: Host, node: EdgeNode) -> None:
    read(host, node.birth(metric("Temperature", 20.0, alias=1)))
    (part,) = read(host, node.device_birth("Meter", metric("Power", 1.0, alias=2)))
    assert part == Part({"Power": 1.0}, None, ((TIME + 1000) * MILLISECOND, MILLISECOND), "Plant/Gateway/Meter")
    (part,) = read(host, node.data(metric(value=2.0, alias=2), device="Meter"))
    assert (part.address, part.body) == ("Plant/Gateway/Meter", {"Power": 2.0})
    (part,) = read(host, node.data(metric(value=21.0, alias=1)))
    assert (part.address, part.body) == (
        "Plant/Gateway",
        {"Temperature": 21.0},
    )


def test_a_metric_is_found_without_its_folders_where_only_one_has_that_name(host: Host, node: EdgeNode) -> None:
    birth = node.birth(POWER, metric("L1/Voltage", 1.0), metric("L2/Voltage", 2.0), metric("Voltage", 3.0))
    (part,) = read(host, birth)
    assert part.body == {
        "bdSeq": 0,
        "Meter/Power": 5.0,
        "Power": 5.0,
        "L1/Voltage": 1.0,
        "L2/Voltage": 2.0,
        "Voltage": 3.0,
    }
    (part,) = read(host, node.data(metric(value=6.0, alias=1)))
    assert part.body == {"Meter/Power": 6.0, "Power": 6.0}


def test_the_datatype_is_that_of_the_birth(host: Host, node: EdgeNode) -> None:
    read(host, node.birth(metric("A/Offset", 1, INT16, alias=1), metric("A/On", True, BOOLEAN, alias=2)))
    data = node.data({"alias": 1, "int_value": 0xFFFE}, {"alias": 2, "int_value": 0})
    assert values(host, data) == [(1, {"A/Offset": -2, "A/On": False})]


def test_a_metric_is_also_found_with_the_unit_that_the_birth_gives(host: Host, node: EdgeNode) -> None:
    unit = {"keys": ["engUnit"], "values": [{"string_value": "kW"}]}
    read(host, node.birth(metric("Meter/Power", 5.0, alias=1, properties=unit), VOLTAGE))
    (part,) = read(host, node.data(metric(value=6.0, alias=1)))
    assert part.body == dict.fromkeys(("Meter/Power", "Power", "Meter/Power [kW]", "Power [kW]"), 6.0)


def test_what_is_null_is_left_out(host: Host, node: EdgeNode) -> None:
    assert values(host, node.birth(metric("A/1", alias=1, is_null=True), metric("A/2", 2.0, alias=2)))[-1][1] == {
        "A/2": 2.0
    }
    assert values(host, node.data({"alias": 1, "is_null": True}, metric(value=3.0, alias=2))) == [(1, {"A/2": 3.0})]
    assert values(host, node.data({"alias": 1, "is_null": True})) == []
    assert values(host, node.data({"alias": 1, "datatype": STRING, "string_value": "now"})) == [(3, {"A/1": "now"})]


def test_each_moment_is_a_part_and_the_oldest_comes_first(host: Host, node: EdgeNode) -> None:
    read(host, node.birth(POWER, VOLTAGE))
    data = node.data(
        metric(value=3.0, alias=1),
        metric(value=1.0, alias=1, timestamp=TIME - 7000, is_historical=True),
        metric(value=231.5, datatype=FLOAT, alias=2, timestamp=TIME - 7000, is_historical=True),
        metric(value=2.0, alias=1, timestamp=TIME - 3000, is_historical=True),
    )
    assert values(host, data) == [
        (-7, {"Meter/Power": 1.0, "Meter/Voltage": 231.5}),
        (-3, {"Meter/Power": 2.0}),
        (1, {"Meter/Power": 3.0}),
    ]


def test_without_any_time_there_is_no_moment(host: Host) -> None:
    birth = PAYLOAD(seq=0, metrics=[POWER]).SerializeToString()
    assert values(host, Spoken("spBv1.0/Plant/NBIRTH/Gateway", birth)) == [(None, {"Meter/Power": 5.0})]


def test_a_time_that_cannot_be_is_refused_and_the_birth_holds_all_the_same(host: Host, node: EdgeNode) -> None:
    with pytest.raises(Undecodable, match=r"^time: outside of the years 1678 to 2261$"):
        read(host, node.birth(metric("Meter/Power", 5.0, alias=1, timestamp=2**64 - 1)))
    assert values(host, node.data(metric(value=6.0, alias=1))) == [(1, {"Meter/Power": 6.0})]


def test_a_birth_of_the_node_ends_those_of_its_devices(host: Host, node: EdgeNode) -> None:
    read(host, node.birth())
    read(host, node.device_birth("Meter", POWER))
    read(host, node.birth())
    with pytest.raises(Undecodable, match=r"^no BIRTH of this device yet"):
        read(host, node.data(metric(value=6.0, alias=1), device="Meter"))


def test_a_new_birth_gives_an_alias_another_name(host: Host, node: EdgeNode) -> None:
    read(host, node.birth(POWER))
    read(host, node.birth(metric("Meter/Current", 1.0, alias=1)))
    assert values(host, node.data(metric(value=2.0, alias=1))) == [(2, {"Meter/Current": 2.0})]


# ── what needs a birth ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("one", [metric(value=6.0, alias=1), metric("Meter/Power", 6.0)])
def test_without_a_birth_data_waits_and_the_node_is_asked(host: Host, node: EdgeNode, one: dict[str, Any]) -> None:
    with pytest.raises(Undecodable) as caught:
        read(host, node.data(one))
    assert caught.value.reason == "no BIRTH of this node yet"
    assert caught.value.hint == "its node is asked for one; after that: siteward quarantine retry"
    assert asked(host) == ["spBv1.0/Plant/NCMD/Gateway"]


def test_a_device_that_was_not_born_after_its_node_makes_us_ask(host: Host, node: EdgeNode) -> None:
    read(host, node.birth())
    with pytest.raises(Undecodable, match=r"^no BIRTH of this device yet"):
        read(host, node.data(metric(value=6.0, alias=1), device="Meter"))
    assert asked(host) == ["spBv1.0/Plant/NCMD/Gateway"]


def test_a_device_that_was_born_is_understood_though_the_birth_of_its_node_was_missed(
    host: Host, node: EdgeNode
) -> None:
    node.birth()
    assert values(host, node.device_birth("Meter", POWER)) == [(1, {"Meter/Power": 5.0})]
    assert values(host, node.data(metric(value=6.0, alias=1), device="Meter")) == [(2, {"Meter/Power": 6.0})]
    assert asked(host) == ["spBv1.0/Plant/NCMD/Gateway"]


def test_an_unknown_alias_refuses_the_message_and_makes_us_ask(host: Host, node: EdgeNode) -> None:
    read(host, node.birth(POWER))
    with pytest.raises(Undecodable, match=r"^an alias that the last BIRTH does not have"):
        read(host, node.data(metric(value=6.0, alias=1), metric(value=1.0, alias=9)))
    assert asked(host) == ["spBv1.0/Plant/NCMD/Gateway"]
    assert values(host, node.data(metric(value=7.0, alias=1))) == [(2, {"Meter/Power": 7.0})]


def test_a_metric_without_name_and_alias_is_unknown_also_where_there_is_an_alias_0(host: Host, node: EdgeNode) -> None:
    read(host, node.birth(metric("Meter/Power", 5.0, alias=0)))
    assert values(host, node.data(metric(value=6.0, alias=0))) == [(1, {"Meter/Power": 6.0})]
    with pytest.raises(Undecodable, match=r"^an alias that the last BIRTH does not have"):
        read(host, node.data(metric(value=6.0)))


# ── deaths ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_after_its_death_a_node_needs_a_new_birth(host: Host, node: EdgeNode) -> None:
    read(host, node.birth(POWER))
    read(host, node.device_birth("Meter", POWER))
    assert read(host, node.death()) == []
    assert asked(host) == [], "the dead do not answer"
    for device in ("", "Meter"):
        with pytest.raises(Undecodable, match=r"^no BIRTH of this"):
            read(host, node.data(metric(value=6.0, alias=1), device=device))
    assert asked(host) == ["spBv1.0/Plant/NCMD/Gateway"]


def test_a_death_that_comes_after_the_next_birth_is_too_late(host: Host, node: EdgeNode) -> None:
    read(host, node.birth(POWER))
    late = node.death()
    node.session = 1
    read(host, node.birth(POWER))
    assert read(host, late) == []
    assert values(host, node.data(metric(value=6.0, alias=1))) == [(2, {"Meter/Power": 6.0})]
    read(host, node.death())
    with pytest.raises(Undecodable, match=r"^no BIRTH of this node yet"):
        read(host, node.data(metric(value=6.0, alias=1)))


def test_a_death_without_a_number_is_believed(host: Host, node: EdgeNode) -> None:
    read(host, node.birth(POWER))
    read(host, Spoken(node.death().topic, PAYLOAD(timestamp=TIME).SerializeToString()))
    with pytest.raises(Undecodable, match=r"^no BIRTH of this node yet"):
        read(host, node.data(metric(value=6.0, alias=1)))


def test_the_death_of_a_device_is_not_that_of_others(host: Host, node: EdgeNode) -> None:
    read(host, node.birth())
    read(host, node.device_birth("Meter", POWER))
    read(host, node.device_birth("Door", metric("D/Open", True, BOOLEAN, alias=2)))
    assert read(host, node.device_death("Meter")) == []
    assert values(host, node.data(metric(value=False, datatype=BOOLEAN, alias=2), device="Door")) == [
        (4, {"D/Open": False})
    ]
    with pytest.raises(Undecodable, match=r"^no BIRTH of this device yet"):
        read(host, node.data(metric(value=6.0, alias=1), device="Meter"))


# ── lost messages ────────────────────────────────────────────────────────────────────────────────────────────────


def test_numbers_run_to_255_and_begin_again_over_all_devices_of_a_node(host: Host, node: EdgeNode) -> None:
    read(host, node.birth(POWER))
    read(host, node.device_birth("Meter", metric("Power", 1.0, alias=2)))
    for _ in range(300):
        read(host, node.data(metric(value=6.0, alias=1)))
        read(host, node.data(metric(value=6.0, alias=2), device="Meter"))
    assert asked(host) == []


def test_after_a_gap_values_are_kept_and_the_node_is_asked_until_it_is_born_again(host: Host, node: EdgeNode) -> None:
    read(host, node.birth(POWER))
    node.data(metric(value=6.0, alias=1))  # lost
    assert values(host, node.data(metric(value=7.0, alias=1))) == [(2, {"Meter/Power": 7.0})]
    assert asked(host, NOW + MINUTE) == ["spBv1.0/Plant/NCMD/Gateway"]
    read(host, node.data(metric(value=8.0, alias=1)))
    assert asked(host, NOW + 2 * MINUTE - 1) == [], "not more often than once a minute"
    assert asked(host, NOW + 2 * MINUTE) == ["spBv1.0/Plant/NCMD/Gateway"]
    read(host, node.data(metric(value=9.0, alias=1)))
    read(host, node.birth(POWER))
    read(host, node.data(metric(value=9.5, alias=1)))
    assert asked(host, NOW + 3 * MINUTE) == [], "what was asked for has come"


def test_a_message_that_comes_again_is_no_gap(host: Host, node: EdgeNode) -> None:
    spoken = [node.birth(POWER), *(node.data(metric(value=float(number), alias=1)) for number in range(4))]
    for one in [*spoken, spoken[-1], *spoken[2:]]:
        read(host, one)
    assert values(host, node.data(metric(value=9.0, alias=1))) == [(5, {"Meter/Power": 9.0})]
    assert asked(host) == []


def test_a_node_that_began_anew_and_whose_birth_was_missed_is_asked(host: Host, node: EdgeNode) -> None:
    read(host, node.birth(POWER))
    for _ in range(10):
        read(host, node.data(metric(value=6.0, alias=1)))
    node.birth(POWER)
    read(host, node.data(metric(value=6.0, alias=1)))
    assert asked(host) == ["spBv1.0/Plant/NCMD/Gateway"]


def test_messages_without_a_number_say_nothing_about_gaps(host: Host, node: EdgeNode) -> None:
    read(host, node.birth(POWER))
    payload = PAYLOAD(timestamp=TIME + 500, metrics=[metric(value=6.0, alias=1)]).SerializeToString()
    assert values(host, Spoken("spBv1.0/Plant/NDATA/Gateway", payload)) == [(0, {"Meter/Power": 6.0})]
    read(host, node.data(metric(value=6.0, alias=1)))
    assert asked(host) == []


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_at_the_start_all_nodes_are_asked_once() -> None:
    host = Host(["Plant/B/Meter", "Plant/A", "Plant/A/Meter"])
    commands = host.take_commands(NOW)
    assert [topic for topic, _ in commands] == ["spBv1.0/Plant/NCMD/A", "spBv1.0/Plant/NCMD/B"]
    for _, payload in commands:
        message = parse_payload(payload)
        (rebirth,) = message.metrics
        assert (rebirth.name, read_value(rebirth, 0), message.timestamp) == ("Node Control/Rebirth", True, TIME)
    assert asked(host, NOW + 100 * MINUTE) == [], "who says nothing is not asked again"


def test_a_clock_that_was_set_back_does_not_silence_us(host: Host, node: EdgeNode) -> None:
    with pytest.raises(Undecodable):
        read(host, node.data(metric(value=6.0, alias=1)))
    assert asked(host, NOW - 500 * MINUTE) == ["spBv1.0/Plant/NCMD/Gateway"]


def test_commands_and_what_other_versions_may_have_hold_no_readings(host: Host) -> None:
    for topic in ("spBv1.0/Plant/NCMD/Gateway", "spBv1.0/Plant/DCMD/Gateway/Meter", "spBv1.0/Plant/XDATA/Gateway"):
        assert read(host, Spoken(topic, b"anything")) == []
    for topic in ("spBv1.0/Plant/DDATA/Gateway", "spBv1.0/Plant/NDATA/Gateway/Meter"):
        assert read(host, Spoken(topic, b"of no one")) == []


def test_when_the_broker_has_forgotten_us_no_birth_is_sure(host: Host, node: EdgeNode) -> None:
    read(host, node.birth(POWER))
    host.forget()
    assert asked(host) == ["spBv1.0/Plant/NCMD/Gateway", "spBv1.0/Plant/NCMD/Silent"]
    with pytest.raises(Undecodable, match=r"^no BIRTH of this node yet"):
        read(host, node.data(metric(value=6.0, alias=1)))


# ── the register ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_filters_are_those_of_the_nodes_in_the_register() -> None:
    assert Host(["Plant/A/Meter", "Plant/A/Door", "Other Plant/B"]).filters == {
        "spBv1.0/Plant/+/A/#",
        "spBv1.0/Other Plant/+/B/#",
    }


@pytest.mark.parametrize(
    "address", ["", "Plant", "Plant/", "/Gateway", "Plant//Meter", "Plant/A/Meter/B", "Plant/+", "a/b/"]
)
def test_an_address_names_a_node_or_a_device(address: str) -> None:
    with pytest.raises(ValueError, match=r"^expected GROUP/NODE or GROUP/NODE/DEVICE, got "):
        split_address(address)


def test_an_address_is_split() -> None:
    assert split_address("Plant 1/Gateway/Meter A") == ("Plant 1", "Gateway", "Meter A")
    assert split_address("Plant/Gateway") == ("Plant", "Gateway", "")


def test_a_node_that_is_only_a_gateway_says_nothing_and_is_followed_all_the_same(node: EdgeNode) -> None:
    host = Host(["Plant/Gateway/Meter"])
    assert asked(host) == ["spBv1.0/Plant/NCMD/Gateway"]
    assert read(host, node.data(metric(value=1.0, alias=7))) == []
    assert read(host, node.birth(metric("Temperature", 20.0, alias=7))) == []
    assert read(host, node.data(metric(value=21.0, alias=7))) == []
    assert asked(host, NOW + 9 * MINUTE) == []
    node.data(metric(value=22.0, alias=7))  # lost
    assert read(host, node.data(metric(value=23.0, alias=7))) == []
    assert asked(host, NOW + 9 * MINUTE) == ["spBv1.0/Plant/NCMD/Gateway"]


def test_a_device_that_is_not_in_the_register_is_named_and_nobody_is_asked_for_it(host: Host, node: EdgeNode) -> None:
    read(host, node.birth())
    (part,) = read(host, node.device_birth("New", POWER))
    assert part.address == "Plant/Gateway/New"
    (part,) = read(host, node.data(metric(value=6.0, alias=1), device="New"))
    assert (part.address, part.body) == ("Plant/Gateway/New", {"Meter/Power": 6.0, "Power": 6.0})
    with pytest.raises(Undecodable, match=r"^no BIRTH of this device yet"):
        read(host, node.data(metric(value=6.0, alias=1), device="Newer"))
    assert asked(host) == []


def test_devices_that_are_not_in_the_register_do_not_fill_the_memory(host: Host, node: EdgeNode) -> None:
    read(host, node.birth())
    many = [metric(f"Metric {number}", 1.0, alias=number) for number in range(1000)]
    for number in range(25):
        read(host, node.device_birth(f"New {number}", *many))
    read(host, node.device_birth("Meter", *many))
    (birth,) = read(host, node.data(metric(value=6.0, alias=1), device="New 18"))
    assert birth.body == {"Metric 1": 6.0}
    for unknown in ("New 19", "New 24"):
        with pytest.raises(Undecodable, match=r"^no BIRTH of this device yet"):
            read(host, node.data(metric(value=6.0, alias=1), device=unknown))
    assert len(read(host, node.data(metric(value=6.0, alias=1), device="Meter"))) == 1


def test_a_node_that_is_not_in_the_register_is_named_and_not_remembered(host: Host) -> None:
    stranger = EdgeNode("Elsewhere/Gateway")
    (part,) = read(host, stranger.birth(POWER))
    assert part.address == "Elsewhere/Gateway"
    with pytest.raises(Undecodable, match=r"^no BIRTH of this node yet"):
        read(host, stranger.data(metric(value=6.0, alias=1)))
    assert asked(host) == []
    assert "Elsewhere" not in host.dump()


# ── memory ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_later_host_understands_what_a_former_one_was_told(host: Host, node: EdgeNode) -> None:
    unit = {"keys": ["engUnit"], "values": [{"string_value": "W"}]}
    read(host, node.birth(metric("Meter/Power", 5.0, alias=1, properties=unit)))
    read(host, node.device_birth("Meter", VOLTAGE))
    read(host, node.device_birth("Door", metric("Open", True, BOOLEAN, alias=3)))
    later = Host(["Plant/Gateway", "Plant/Gateway/Meter", "Plant/Gateway/Door"])
    later.load(host.dump())
    assert asked(later) == []
    (part,) = read(later, node.data(metric(value=6.0, alias=1)))
    assert part.body == dict.fromkeys(("Meter/Power", "Power", "Meter/Power [W]", "Power [W]"), 6.0)
    assert values(later, node.data({"alias": 2, "float_value": 231.5}, device="Meter")) == [
        (4, {"Meter/Voltage": 231.5})
    ]
    node.data()  # lost
    read(later, node.data())
    assert asked(later) == ["spBv1.0/Plant/NCMD/Gateway"]


def test_a_later_host_asks_nodes_some_of_whose_births_are_not_known(host: Host, node: EdgeNode) -> None:
    read(host, node.birth(POWER))
    read(host, node.device_birth("Meter", POWER))
    later = Host(["Plant/Gateway/Meter", "Plant/Gateway/Added", "Plant/Other"])
    later.load(host.dump())
    assert asked(later) == ["spBv1.0/Plant/NCMD/Gateway", "spBv1.0/Plant/NCMD/Other"]
    fewer = Host(["Plant/Gateway/Meter"])
    fewer.load(host.dump())
    assert asked(fewer) == []
    assert "Silent" not in fewer.dump()


def test_a_later_host_does_not_ask_sooner(host: Host, node: EdgeNode) -> None:
    with pytest.raises(Undecodable):
        read(host, node.data(metric(value=6.0, alias=1)))
    later = Host(["Plant/Gateway"])
    later.load(host.dump())
    assert asked(later, NOW + MINUTE - 1) == []
    assert asked(later, NOW + MINUTE) == ["spBv1.0/Plant/NCMD/Gateway"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"Plant/Gateway": 5}', '{"Plant/Gateway": {"births": {"": {}}}}'])
def test_a_memory_that_is_none_is_as_good_as_none(text: str) -> None:
    host = Host(["Plant/Gateway"])
    host.load(text)
    assert asked(host) == ["spBv1.0/Plant/NCMD/Gateway"]


def test_only_births_and_deaths_are_worth_writing_down(host: Host, node: EdgeNode) -> None:
    for spoken, changed in [
        (node.birth(POWER), True),
        (node.data(metric(value=6.0, alias=1)), False),
        (node.device_birth("Meter", POWER), True),
        (node.data(metric(value=6.0, alias=1), device="Meter"), False),
        (node.device_death("Meter"), True),
        (node.death(), True),
        (EdgeNode("Elsewhere/Gateway").birth(POWER), False),
    ]:
        read(host, spoken)
        assert host.changed is changed
        host.dump()
        assert host.changed is False


# ── laws ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_state_has_a_way_out_and_a_way_back() -> None:
    assert set(NEXT.values()) == set(State)
    assert {state for state, _ in NEXT} == set(State)


KINDS = ["NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH", "NCMD"]


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(["", "Meter"]), st.binary(max_size=60)), max_size=5))
def test_whatever_comes_a_host_that_is_started_again_goes_on_alike(messages: list[tuple[str, str, bytes]]) -> None:
    def hear(host: Host, kind: str, device: str, payload: bytes) -> object:
        try:
            return host.read({"group": "Plant", "type": kind, "node": "Gateway", "device": device}, payload)
        except Undecodable as error:
            return error.reason

    lasting = Host(["Plant/Gateway/Meter"])
    for message in messages:
        memory = lasting.dump()
        restarted = Host(["Plant/Gateway/Meter"])
        restarted.load(memory)
        assert restarted.dump() == memory
        assert hear(restarted, *message) == hear(lasting, *message)


class Conversation(RuleBasedStateMachine):
    """A node and a host between which messages get lost, and that are started again."""

    def __init__(self) -> None:
        super().__init__()
        self.node = EdgeNode()
        self.host = Host(["Plant/Gateway"])
        self.names: dict[int, str] = {}
        """The aliases of the node's own last birth."""
        self.heard = False
        """Nothing was lost since the last birth that was heard."""
        self.last = -1
        """Number of the last message that was heard: where as many are lost as there are numbers, nothing shows it."""
        self.now = NOW

    @rule(names=st.permutations(["A/a", "B/b", "C/c"]), lost=st.booleans())
    def give_birth(self, names: list[str], lost: bool) -> None:
        self.names = dict(enumerate(names))
        spoken = self.node.birth(*(metric(name, 1.0, alias=alias) for alias, name in self.names.items()))
        self.heard = not lost
        if not lost:
            read(self.host, spoken)
            self.last = self.node.seq

    @precondition(lambda self: self.names)
    @rule(alias=st.integers(0, 2), number=st.floats(-1e9, 1e9), lost=st.booleans())
    def tell(self, alias: int, number: float, lost: bool) -> None:
        spoken = self.node.data(metric(value=number, alias=alias))
        if lost:
            self.heard = False
            return
        self.last = self.node.seq
        if self.heard:
            assert [one for _, one in values(self.host, spoken)] == [{self.names[alias]: number}]
        else:
            with suppress(Undecodable):
                read(self.host, spoken)

    @precondition(lambda self: self.names)
    @rule()
    def die(self) -> None:
        """A death waits at the broker until we hear it."""
        read(self.host, self.node.death())
        self.node.session += 1
        self.names, self.heard = {}, False

    @rule()
    def start_again(self) -> None:
        former, self.host = self.host, Host(["Plant/Gateway"])
        self.host.load(former.dump())

    @precondition(lambda self: self.names and not self.heard and self.node.seq != self.last)
    @rule()
    def ask(self) -> None:
        """Two messages behind a loss, a node of which something is missing has been asked for."""
        for _ in range(2):
            with suppress(Undecodable):
                read(self.host, self.node.data(metric(value=1.0, alias=0)))
        self.last = self.node.seq
        self.now += MINUTE
        assert asked(self.host, self.now) == ["spBv1.0/Plant/NCMD/Gateway"]

    @invariant()
    def births_are_those_of_the_register(self) -> None:
        assert set(self.host._nodes) == {"Plant/Gateway"}


Conversation.TestCase.settings = settings(max_examples=60, stateful_step_count=20)
TestConversation = Conversation.TestCase
