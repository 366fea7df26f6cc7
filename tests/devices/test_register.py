import pytest
from pydantic import ValidationError

from devices.points import POINTS
from devices.register import SERIES_TAGS, Clash, Device, Register, Text, find_clashes


def register(*devices: dict[str, object], tags: tuple[str, ...] = ()) -> Register:
    return Register.model_validate({"tags": tags, "devices": [{"kind": "door", **device} for device in devices]})


def test_the_smallest_device() -> None:
    device = Device.model_validate({"id": "door-1", "kind": "door"})
    assert (device.profile, device.address, device.topic, device.interval, device.tags) == (
        "canonical",
        "",
        "",
        None,
        {},
    )
    assert (device.building, device.floor, device.area) == ("", "", "")


def test_an_interval_is_nanoseconds() -> None:
    assert Device.model_validate({"id": "a", "kind": "door", "interval": "15m"}).interval == 900_000_000_000


@pytest.mark.parametrize("interval", [15, 15.0, True, "15", "0s", ""])
def test_an_interval_needs_a_unit_and_a_length(interval: object) -> None:
    with pytest.raises(ValidationError):
        Device.model_validate({"id": "a", "kind": "door", "interval": interval})


def test_a_register_survives_json() -> None:
    first = register(
        {"id": "a", "interval": "1h30m", "name": {"zh": "门"}, "tags": {"circuit": "x"}}, tags=("circuit",)
    )
    assert Register.model_validate_json(first.model_dump_json()) == first
    assert '"interval":"90m"' in first.model_dump_json()


@pytest.mark.parametrize("name", ["", " a", "a b", "a/b", "a+", "#", "-a", ".a", "电表", "a\n", "x" * 65])
def test_ids_that_are_not_safe_everywhere(name: str) -> None:
    with pytest.raises(ValidationError):
        Device.model_validate({"id": name, "kind": "door"})


@pytest.mark.parametrize("place", ["A", "1F", "教学楼", "Block 7", "B-2"])
def test_places_may_have_any_script(place: str) -> None:
    device = Device.model_validate({"id": "a", "kind": "door", "building": place, "floor": place, "area": place})
    assert (device.building, device.floor, device.area) == (place, place, place)


@pytest.mark.parametrize("place", [" A", "a,b", "a=b", "a/b", "a\\b", "a\nb", "a+b", "#"])
def test_places_hold_no_separators(place: str) -> None:
    with pytest.raises(ValidationError):
        Device.model_validate({"id": "a", "kind": "door", "building": place})


@pytest.mark.parametrize("value", ["", " x", "a\nb", "a\\", "x" * 65])
def test_tag_values_that_line_protocol_cannot_carry(value: str) -> None:
    with pytest.raises(ValidationError):
        Device.model_validate({"id": "a", "kind": "door", "tags": {"circuit": value}})


@pytest.mark.parametrize("name", [*SERIES_TAGS, *POINTS])
def test_a_tag_never_shares_a_name(name: str) -> None:
    with pytest.raises(ValidationError, match="is already the name of a"):
        Register.model_validate({"tags": [name]})


def test_devices_in_the_order_of_the_file() -> None:
    some = register({"id": "b"}, {"id": "a"})
    assert [device.id for device in some] == ["b", "a"]
    assert list(some.by_id()) == ["b", "a"]


def test_a_text_in_the_language_that_there_is() -> None:
    both, chinese = Text(en="door", zh="门"), Text(zh="门")
    assert [both.pick("en"), both.pick("zh"), chinese.pick("en")] == ["door", "门", "门"]
    assert Text().pick("en", "door-1") == "door-1"


def test_nothing_clashes_in_a_good_register() -> None:
    good = register(
        {"id": "a", "tags": {"circuit": "main"}},
        {"id": "b", "topic": "x"},
        {"id": "c", "address": "d"},
        {"id": "d", "topic": "y"},
        {"id": "e", "address": "d", "profile": "tasmota"},
        tags=("circuit",),
    )
    assert list(find_clashes(good)) == []


def test_an_id_twice() -> None:
    clash = Clash(("devices", 2, "id"), "device 'a' stands here a second time", ("devices", 0))
    assert list(find_clashes(register({"id": "a"}, {"id": "b"}, {"id": "a"}))) == [clash]


def test_a_topic_twice() -> None:
    clash = Clash(("devices", 1, "topic"), "topic 'x' already belongs to 'a'", ("devices", 0))
    assert list(find_clashes(register({"id": "a", "topic": "x"}, {"id": "b", "topic": "x"}))) == [clash]


def test_an_address_that_is_another_ones_id() -> None:
    clash = Clash(
        ("devices", 1, "address"), "address 'a' of profile 'canonical' already belongs to 'a'", ("devices", 0)
    )
    assert list(find_clashes(register({"id": "a"}, {"id": "b", "address": "a"}))) == [clash]


def test_a_tag_that_is_not_allowed() -> None:
    message = "tag 'gate' is not in the register's list `tags` (circuit, gateway); add it there or leave it out"
    clash = Clash(("devices", 0, "tags", "gate"), message)
    some = register({"id": "a", "tags": {"circuit": "main", "gate": "gw-a"}}, tags=("gateway", "circuit"))
    assert list(find_clashes(some)) == [clash]
