from devices.clashes import Clash, find_clashes
from devices.register import Register

ELECTRICITY: dict[str, object] = {"kind": "electricity_meter"}


def register(*devices: dict[str, object], tags: tuple[str, ...] = ()) -> Register:
    return Register.model_validate({"tags": tags, "devices": [{"kind": "door", **device} for device in devices]})


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


def test_a_metering_point_twice() -> None:
    clash = Clash(("devices", 1, "metering_point"), "metering point 'DE01' already belongs to 'a'", ("devices", 0))
    first, second = ({"id": name, "metering_point": "DE01", "meter": "same box", **ELECTRICITY} for name in ("a", "b"))
    assert list(find_clashes(register(first, second))) == [clash]


def replaced(*replacements: dict[str, str], meter: str = "") -> list[tuple[object, str, object]]:
    """What clashes where these meters of em-1 or others were replaced; fields left out are good ones."""
    good = {"device": "em-1", "final": "10 kWh", "first": "0 kWh"}
    some = Register.model_validate(
        {
            "devices": [
                {"id": "em-1", **ELECTRICITY, "meter": meter},
                {"id": "wm-1", "kind": "water_meter"},
                {"id": "door-1", "kind": "door"},
            ],
            "replacements": [
                {**good, "at": f"2026-03-{day:02d}T12:00:00Z", **r} for day, r in enumerate(replacements, 1)
            ],
        }
    )
    return [(clash.path[1:], clash.message, clash.other) for clash in find_clashes(some)]


def test_meters_that_follow_one_another() -> None:
    assert replaced(
        {"removed": "A", "installed": "B"},
        {"point": "energy_export_kwh", "installed": "B"},
        {"removed": "B"},
        {"removed": "C", "installed": "D"},
        {"device": "wm-1", "final": "1.5 m3", "first": "0 L", "installed": "W"},
        meter="D",
    ) == [((1, "installed"), "installed: expected 'D', the meter that hangs at 'em-1', got 'B'", ("devices", 0))]
    assert replaced({"installed": "B"}, meter="B") == []
    assert replaced({"installed": "B"}) == []


def test_the_order_in_the_file_does_not_matter() -> None:
    newest = {"at": "2026-04-01T12:00:00Z", "removed": "B", "installed": "C"}
    assert replaced(newest, {"removed": "A", "installed": "B"}, meter="C") == []


def test_a_device_that_is_none() -> None:
    assert replaced({"device": "em-2"}, {"device": "x"}, {"device": "door-1"}) == [
        ((0, "device"), "there is no device 'em-2'; did you mean em-1?", None),
        ((1, "device"), "there is no device 'x'; see: siteward devices list", None),
        ((2, "device"), "device 'door-1' is a door; only meters are replaced", None),
    ]


def test_registers_of_another_dimension() -> None:
    assert replaced(
        {"final": "10 m3", "first": "0"},
        {"point": "volume_m3"},
        {"device": "wm-1", "first": "-1 L", "final": "1 m3"},
    ) == [
        (
            (0, "final"),
            "final: expected active energy with its unit such as 1234.5 kWh, got '10 m3', which is volume",
            None,
        ),
        (
            (0, "first"),
            "first: expected active energy with its unit such as 1234.5 kWh, got '0', which has no unit",
            None,
        ),
        (
            (1, "point"),
            (
                "point: expected energy_import_kwh or energy_export_kwh for a device of kind electricity_meter,"
                " got 'volume_m3'"
            ),
            None,
        ),
        ((2, "first"), "first: expected what the meter showed, at least 0, got '-1 L'", None),
    ]


def test_meters_that_do_not_follow_one_another() -> None:
    assert replaced({"installed": "B"}, {"removed": "A"}) == [
        ((1, "removed"), "removed: expected 'B', which was installed before, got 'A'", ("replacements", 0))
    ]


def test_two_replacements_at_one_time() -> None:
    same = {"at": "2026-03-01T12:00:00Z"}
    assert replaced(same, same, {**same, "point": "energy_export_kwh"}) == [
        ((1, "at"), "at: 'em-1' has another replacement at that time", ("replacements", 0))
    ]


def test_what_hangs_on_what() -> None:
    good = register(
        {"id": "gw-a", "kind": "gateway"},
        {"id": "gw-b", "kind": "gateway", "gateway": "gw-a"},
        {"id": "em-1", **ELECTRICITY, "gateway": "gw-b"},
        {"id": "door-1", "gateway": "gw-b"},
        {"id": "door-2", "gateway": "door-1"},
    )
    assert list(find_clashes(good)) == []


def test_gateways_that_are_none() -> None:
    wrong = register(
        {"id": "em-1", **ELECTRICITY, "gateway": "door-1"},
        {"id": "door-1", "gateway": "gw-1"},
        {"id": "gw-b", "kind": "gateway", "gateway": "gw-b"},
    )
    assert list(find_clashes(wrong)) == [
        Clash(
            ("devices", 0, "gateway"),
            "gateway: expected a gateway for a device of kind electricity_meter, got 'door-1', which is of kind door",
        ),
        Clash(("devices", 1, "gateway"), "there is no device 'gw-1'; did you mean gw-b?"),
        Clash(("devices", 2, "gateway"), "gateway: 'gw-b' would hang on itself"),
    ]


def test_a_circle_is_told_of_its_members_only() -> None:
    wrong = register(
        {"id": "a", "kind": "gateway", "gateway": "b"},
        {"id": "b", "kind": "gateway", "gateway": "c"},
        {"id": "c", "kind": "gateway", "gateway": "b"},
    )
    assert [clash.path[1] for clash in find_clashes(wrong)] == [1, 2]
