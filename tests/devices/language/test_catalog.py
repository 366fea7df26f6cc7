"""Where profiles are found."""

import pytest

from devices.language.catalog import Catalog, builtin_folders, read_builtin
from devices.language.profile import Profile

OWN = Profile.model_validate({"id": "acme", "points": {"leak": "leak"}})


def test_a_sites_own_profiles_stand_beside_the_builtin_ones() -> None:
    catalog = Catalog({"acme": OWN})
    assert catalog["acme"] is OWN
    assert catalog["canonical"].id == "canonical"
    assert set(catalog) == {"acme", *builtin_folders()}
    assert len(catalog) == 1 + len(builtin_folders())
    assert "acme" in catalog
    assert "zigbee2mqtt" in catalog
    assert "acme" not in Catalog()


@pytest.mark.parametrize("name", ["nothing", "", "../profiles/canonical", "__pycache__"])
def test_what_is_not_there_is_a_key_error(name: str) -> None:
    assert name not in Catalog()
    with pytest.raises(KeyError):
        Catalog()[name]


def test_catalogs_with_the_same_own_profiles_are_equal() -> None:
    assert Catalog({"acme": OWN}) == Catalog({"acme": OWN.model_copy()})
    assert Catalog({"acme": OWN}) != Catalog()
    assert Catalog() != {}


def test_a_builtin_profile_is_read_once() -> None:
    assert read_builtin("canonical") is read_builtin("canonical")
