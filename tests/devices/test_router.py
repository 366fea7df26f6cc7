"""Which devices a topic may speak of."""

import re

import pytest

from devices.errors import Undecodable, Unroutable
from devices.language.catalog import Catalog
from devices.language.profile import Profile
from devices.register import Device, Register
from devices.router import Router
from tests.profilebench import Keys

LEAK: Keys = {"points": {"leak": "leak"}}
FORMS: dict[str, Keys] = {
    "untold": {},
    "nested": {"topics": ["app/+/{device}/#"]},
    "twin": {"topics": ["zigbee2mqtt/{device}"]},
    "gateway": {"topics": ["gateway/{node}/up"], "device": "{node}/{id}"},
    "quiet": {"topics": ["quiet/{device}"], "strangers": "ignore"},
    "mixed": {"topics": ["mixed/{device}/up", "mixed/up"], "format": "lorawan"},
    "tail": {"topics": ["tail/{device#}"]},
    "pulses": {"points": {"volume_m3": {"path": "n", "unit": "pulse"}}},
}
DOORS = [
    LEAK | {"topics": ["doors/{device}"], "when": {"type": "state"}},
    {"topics": ["doors/{device}"], "when": {"type": "alive"}, "ignore": "a sign of life"},
]
PROFILES = Catalog(
    {name: Profile.model_validate({"id": name} | LEAK | form) for name, form in FORMS.items()}
    | {"doors": Profile.model_validate({"id": "doors", "messages": DOORS})}
)


def device(name: str, profile: str = "canonical", kind: str = "sensor", **more: str) -> Device:
    return Device.model_validate({"id": name, "kind": kind, "profile": profile} | more)


def route(*devices: Device) -> Router:
    return Router(Register(devices=list(devices)), PROFILES, "campus", "UTC")


@pytest.mark.parametrize(
    ("one", "topic"),
    [
        (device("em-1"), "siteward/campus/em-1/readings"),
        (device("em-1", address="EM 1:$ä"), "siteward/campus/EM 1:$ä/readings"),
        (device("em-1", topic="gateway/7/readings"), "gateway/7/readings"),
        (device("em-1", "zigbee2mqtt", address="Küche/Steckdose 2"), "zigbee2mqtt/Küche/Steckdose 2"),
        (device("em-1", "tasmota", address="plug_7"), "tele/plug_7/SENSOR"),
        (device("em-1", "tasmota", address="plug_7"), "plug_7/tele/SENSOR"),
        (device("em-1", "shelly_gen2", address="shellypro3em-a1"), "shellypro3em-a1/status/em:0"),
        (device("em-1", "shelly_gen2", address="shellypro3em-a1"), "shellypro3em-a1/status/emdata:0"),
        (device("em-1", "untold", topic="$share me/x"), "$share me/x"),
        (device("em-1", "nested", address="d7"), "app/12/d7/event/up"),
        (device("em-1", "nested", address="d7"), "app//d7"),
        (device("em-1", "mixed", address="d7"), "mixed/d7/up"),
        (device("em-1", "doors", address="n"), "doors/n"),
    ],
)
def test_a_device_is_found_by_its_topic(one: Device, topic: str) -> None:
    router = route(device("other"), one)
    for _ in range(2):  # the second time from memory
        targets = {leg.target.id for leg in router.find(topic).legs if leg.target}
        assert targets == {"em-1"}


@pytest.mark.parametrize(
    ("one", "topic", "address"),
    [
        (device("em-1", "gateway", address="g/1"), "gateway/g/up", "g/1"),
        (device("em-1", "mixed", address="d7"), "mixed/up", "d7"),
        (device("em-1", "tail", address="d7"), "tail/d7", "d7"),
    ],
)
def test_a_message_may_name_devices_of_its_profile(one: Device, topic: str, address: str) -> None:
    legs = route(one).find(topic).legs
    assert [leg.members[address].id for leg in legs] == ["em-1"]


def test_every_form_of_a_topic_is_a_leg() -> None:
    legs = route(device("n", "doors")).find("doors/n").legs
    assert [leg.profile for leg in legs] == ["doors", "doors"]


def test_a_topic_of_two_profiles_is_read_by_the_one_of_its_device() -> None:
    router = route(device("a", "zigbee2mqtt"), device("b", "twin"))
    assert [leg.profile for leg in router.find("zigbee2mqtt/a").legs] == ["zigbee2mqtt"]
    assert [leg.profile for leg in router.find("zigbee2mqtt/b").legs] == ["twin"]


def test_a_stranger_is_told_from_all_profiles_of_its_topic() -> None:
    router = route(device("a", "zigbee2mqtt"), device("b", "twin"))
    legs = router.find("zigbee2mqtt/c").legs
    assert {(leg.profile, leg.stranger, leg.target) for leg in legs} == {
        ("zigbee2mqtt", "c", None),
        ("twin", "c", None),
    }
    assert all(leg.stranger == "" for leg in router.find("zigbee2mqtt/a").legs)


def test_strangers_may_be_left_out_quietly() -> None:
    router = route(device("a", "quiet"))
    assert [leg.quiet for leg in router.find("quiet/x").legs] == [True]


@pytest.mark.parametrize(
    "topic",
    [
        "siteward/elsewhere/em-1/readings",
        "zigbee2mqtt/x",  # nobody uses this profile
        "",
        "/",
        "$SYS/broker/uptime",
        "x" * 60_000,
        "a\nb",
        "\udc80",
    ],
)
def test_a_topic_of_nobody_is_told_so(topic: str) -> None:
    router = route(device("em-1"), device("em-7", topic="own"), device("d", "nested"))
    with pytest.raises(Undecodable) as raised:
        router.find(topic)
    assert (raised.value.reason, raised.value.hint) == ("no device has this topic", "name the topic in devices.yaml")


@pytest.mark.parametrize(
    ("devices", "filters"),
    [
        ([], {"siteward/campus/+/readings"}),
        ([device("em-1"), device("em-2")], {"siteward/campus/+/readings"}),
        ([device("a", "zigbee2mqtt")], {"siteward/campus/+/readings", "zigbee2mqtt/+"}),
        (
            [device("a", "zigbee2mqtt", address="hall/plug"), device("b", "twin")],
            {"siteward/campus/+/readings", "zigbee2mqtt/+", "zigbee2mqtt/hall/plug"},
        ),
        ([device("a", "twin", topic="own/a")], {"siteward/campus/+/readings", "own/a", "zigbee2mqtt/+"}),
        ([device("a", "untold", topic="own/a")], {"siteward/campus/+/readings", "own/a"}),
        ([device("a", topic="siteward/campus/x/readings")], {"siteward/campus/+/readings"}),
        (
            [device("b", "tasmota", address="$b")],
            {
                "siteward/campus/+/readings",
                "tele/+/SENSOR",
                "+/tele/SENSOR",
                "$b/tele/SENSOR",
                "stat/+/STATUS10",
                "+/stat/STATUS10",
                "$b/stat/STATUS10",
            },
        ),
        (
            [device("s", "sparkplug_b", address="Plant/Gateway/Meter")],
            {"siteward/campus/+/readings", "spBv1.0/Plant/+/Gateway/#"},
        ),
    ],
)
def test_filters_catch_what_the_devices_publish_and_no_more(devices: list[Device], filters: set[str]) -> None:
    assert route(*devices).filters == filters


@pytest.mark.parametrize(
    ("devices", "reason"),
    [
        ([device("a", "zigbee")], "device 'a': there is no profile 'zigbee'; did you mean zigbee2mqtt?"),
        ([device("a", "?")], "device 'a': there is no profile '?'; known are access_controller, axis,"),
        ([device("a", "untold")], "device 'a': give it a `topic`; profile 'untold' has none for all"),
        ([device("a", topic="x/+")], "device 'a': expected no wildcard (+, #) in 'x/+'"),
        ([device("a", address="#")], "device 'a': expected no wildcard (+, #) in '#'"),
        ([device("a", "nested", address="x/y")], "device 'a': expected no / in 'x/y', because app/+/{device}/# has"),
        ([device("a", topic="t"), device("b", topic="t")], "device 'b': 't' already belongs to 'a'"),
        (
            [device("a"), device("b", topic="siteward/campus/a/readings")],
            "device 'b': 'siteward/campus/a/readings' already belongs to 'a'",
        ),
        ([device("a", "zigbee2mqtt"), device("b", "twin", address="a")], "device 'b': 'zigbee2mqtt/a' already"),
        ([device("a", "nested"), device("b", "nested", address="a")], "device 'b': 'a' already belongs to 'a'"),
        ([device("a", "gateway"), device("b", "gateway", address="a")], "device 'b': 'a' already belongs to 'a'"),
        ([device("a", "sparkplug_b")], "device 'a': expected GROUP/NODE or GROUP/NODE/DEVICE, got 'a'"),
        (
            [device("a", "sparkplug_b", address="G/N", topic="t")],
            "device 'a': leave out its `topic`; profile 'sparkplug_b' goes by the address alone",
        ),
        (
            [device("a", "pulses", topic="t", kind="water_meter")],
            "device 'a': give it a `pulse_weight`: its profile counts volume_m3 in pulses",
        ),
    ],
)
def test_a_device_that_cannot_be_heard_alone_is_an_error(devices: list[Device], reason: str) -> None:
    with pytest.raises(Unroutable, match="^" + re.escape(reason)) as raised:
        route(*devices)
    assert raised.value.device == devices[-1].id


def test_what_the_register_adds_goes_with_the_target() -> None:
    meter = device("m", "pulses", "water_meter", topic="t", pulse_weight="10 L")
    [leg] = route(meter).find("t").legs
    assert leg.target is not None
    assert dict(leg.target.factors) == {"volume_m3": pytest.approx(0.01)}
    transformed = device("e", kind="electricity_meter", ct_ratio="200/5", vt_ratio="10000/100")
    [leg] = route(transformed).find("siteward/campus/e/readings").legs
    assert leg.target is not None
    factors = dict(leg.target.factors)
    assert (factors["current_l2_a"], factors["voltage_v"], factors["energy_import_kwh"]) == (40.0, 100.0, 4000.0)
    assert "frequency_hz" not in factors
    door = device("d", kind="door", direction="in")
    [leg] = route(door).find("siteward/campus/d/readings").legs
    assert leg.target is not None
    assert (leg.target.factors, leg.target.direction) == ((), "in")


def test_pulses_behind_transformers_have_both_factors() -> None:
    profile = Profile.model_validate({"id": "s0", "points": {"energy_import_kwh": {"path": "n", "unit": "pulse"}}})
    meter = device("m", "s0", "electricity_meter", topic="t", pulse_weight="1 Wh", ct_ratio="200/5")
    [leg] = Router(Register(devices=[meter]), {"s0": profile}, "campus", "UTC").find("t").legs
    assert leg.target is not None
    assert dict(leg.target.factors)["energy_import_kwh"] == pytest.approx(0.04)


def test_repeats_are_windows_of_the_devices_of_a_profile() -> None:
    profiles = {
        "r": Profile.model_validate(
            {"id": "r", "messages": [LEAK | {"topics": ["r/{device}"], "repeats": time} for time in ("2s", "5s")]}
        ),
        "canonical": PROFILES["canonical"],
    }
    register = Register(devices=[device("a", "r"), device("b")])
    assert Router(register, profiles, "campus", "UTC").windows == {"a": 5 * 10**9}
