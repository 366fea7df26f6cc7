"""Which device a topic belongs to."""

import re

import pytest

from devices.errors import DeviceError, Undecodable
from devices.profile import Profile, load_builtin
from devices.register import Device, Register
from devices.router import Router

PROFILES = load_builtin() | {
    profile.id: profile
    for profile in (
        Profile(id="untold", points={"leak": "leak"}),
        Profile(id="nested", topics=["app/+/{device}/#"], points={"leak": "leak"}),
        Profile(id="twin", topics=["zigbee2mqtt/{device}"], points={"leak": "leak"}),
    )
}


def device(name: str, profile: str = "canonical", **more: str) -> Device:
    return Device.model_validate({"id": name, "kind": "sensor", "profile": profile} | more)


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
    ],
)
def test_a_device_is_found_by_its_topic(one: Device, topic: str) -> None:
    assert route(device("other"), one).find(topic).device == "em-1"


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("siteward/campus/em-9/readings", "device 'em-9' is not in the register"),
        ("siteward/campus/em-7/readings", "device 'em-7' is not in the register"),  # it has a topic of its own
        ("siteward/campus/" + "x" * 60_000 + "/readings", "device '" + "x" * 39 + "…' is not in the register"),
        ("siteward/campus/a\nb/readings", r"device 'a\nb' is not in the register"),
        ("siteward/campus/\udc80/readings", r"device '\udc80' is not in the register"),
        ("app/1/d9/up", "device 'd9' is not in the register"),
        ("siteward/elsewhere/em-1/readings", "no device has this topic"),
        ("zigbee2mqtt/x", "no device has this topic"),  # nobody uses this profile
        ("", "no device has this topic"),
        ("/", "no device has this topic"),
        ("$SYS/broker/uptime", "no device has this topic"),
    ],
)
def test_a_topic_of_nobody_is_told_so(topic: str, reason: str) -> None:
    router = route(device("em-1"), device("em-7", topic="own"), device("d", "nested"))
    with pytest.raises(Undecodable) as raised:
        router.find(topic)
    assert raised.value.reason == reason
    assert "devices.yaml" in raised.value.hint


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
        ([device("a", "zigbee2mqtt", topic="own/a")], {"siteward/campus/+/readings", "own/a"}),
        ([device("a", topic="siteward/campus/x/readings")], {"siteward/campus/+/readings"}),
        (
            [device("a", "tasmota"), device("b", "tasmota", address="$b")],
            {"siteward/campus/+/readings", "tele/+/SENSOR", "+/tele/SENSOR", "$b/tele/SENSOR"},
        ),
    ],
)
def test_filters_catch_what_the_devices_publish_and_no_more(devices: list[Device], filters: set[str]) -> None:
    assert route(*devices).filters == filters


@pytest.mark.parametrize(
    ("devices", "reason"),
    [
        ([device("a", "zigbee")], "device 'a': there is no profile 'zigbee'; did you mean zigbee2mqtt?"),
        ([device("a", "?")], "device 'a': there is no profile '?'; known are canonical, nested, shelly_gen2,"),
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
    ],
)
def test_a_device_that_cannot_be_heard_alone_is_an_error(devices: list[Device], reason: str) -> None:
    with pytest.raises(DeviceError, match="^" + re.escape(reason)):
        route(*devices)
