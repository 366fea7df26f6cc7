import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rules.selection import Selection
from tests.rulebench import make_site

DEVICES: list[dict[str, object]] = [
    {"id": "em-a", "kind": "electricity_meter", "building": "A", "floor": "1F", "area": "lab", "tags": {"use": "lab"}},
    {"id": "em-b", "kind": "electricity_meter", "building": "B", "floor": "1F", "area": "lab"},
    {"id": "wm-a", "kind": "water_meter", "building": "A", "tags": {"use": "garden"}},
    {"id": "door-a", "kind": "door", "building": "A", "floor": "2F", "area": "lab"},
]
SITE = make_site(DEVICES, tags=["use"])


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        ({}, ["em-a", "em-b", "wm-a", "door-a"]),
        ({"kind": "electricity_meter"}, ["em-a", "em-b"]),
        ({"kind": ["door", "water_meter"]}, ["wm-a", "door-a"]),
        ({"building": "A", "area": "lab"}, ["em-a", "door-a"]),
        ({"floor": ["1F"], "building": "B"}, ["em-b"]),
        ({"device": ["wm-a", "em-b"]}, ["em-b", "wm-a"]),
        ({"tags": {"use": ["lab", "garden"]}}, ["em-a", "wm-a"]),
        ({"tags": {"use": "garden"}, "kind": "electricity_meter"}, []),
        ({"profile": "canonical"}, ["em-a", "em-b", "wm-a", "door-a"]),
    ],
)
def test_devices_must_have_all_that_is_asked_for(selection: dict[str, object], ids: list[str]) -> None:
    assert [device.id for device in Selection.model_validate(selection).pick(SITE.register)] == ids


@pytest.mark.parametrize("selection", [{"building": []}, {"kind": "boiler"}, {"room": "lab"}])
def test_what_selects_nothing_or_is_unknown_is_refused(selection: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Selection.model_validate(selection)


_WANTED = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.lists(st.sampled_from(["door", "water_meter", "electricity_meter"]), min_size=1),
        "building": st.lists(st.sampled_from(["A", "B"]), min_size=1),
        "area": st.lists(st.sampled_from(["lab", "hall"]), min_size=1),
    },
)


@given(wanted=_WANTED, extra=_WANTED)
def test_asking_for_more_never_selects_more(wanted: dict[str, list[str]], extra: dict[str, list[str]]) -> None:
    def pick(selection: dict[str, list[str]]) -> set[str]:
        return {device.id for device in Selection.model_validate(selection).pick(SITE.register)}

    narrower = {**extra, **wanted}
    assert pick(narrower) <= pick(wanted)
    assert pick(narrower) == pick(wanted) & pick({name: extra[name] for name in extra.keys() - wanted.keys()})
