"""The file of the keys: made once, replaced as a whole, read by nobody else, and explained where it is wrong."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from collector.configuration import load
from collector.credentialkeys import find_file, open_hasher, prepare, read, rotate
from collector.errors import CollectorError
from collector.settings import Settings
from tests.sites import write_site

ONE = "11" * 32
TWO = "22" * 32


def read_settings(folder: Path, **access: str) -> Settings:
    (folder / "data").mkdir()
    return load(write_site(folder, access=access)).settings


def test_the_first_start_makes_a_key_that_later_ones_find(tmp_path: Path) -> None:
    settings = read_settings(tmp_path)
    prepare(settings)
    first = open_hasher(settings).hash("1C0044CF23")
    path = find_file(settings)
    assert path.resolve() == tmp_path / "data" / "credential.keys"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first.startswith("k1:")
    prepare(settings)
    assert open_hasher(settings).hash("1C0044CF23") == first


def test_a_file_that_the_settings_name_is_not_made_by_itself(tmp_path: Path) -> None:
    settings = read_settings(tmp_path, credential_key_file="../secrets/cards")
    assert find_file(settings).resolve() == tmp_path / "secrets" / "cards"
    prepare(settings)
    with pytest.raises(CollectorError) as caught:
        open_hasher(settings)
    assert str(caught.value) == (
        f"{find_file(settings)}: there is no such file; `siteward credentials rotate` makes it"
    )


def test_rotating_puts_a_new_key_in_front(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    assert rotate(path) == (["k1"], [])
    (first,) = read(path)
    assert rotate(path) == (["k2", "k1"], [])
    second, still = read(path)
    assert still == first
    assert second.secret != first.secret
    assert rotate(path, keep=2) == (["k3", "k2"], ["k1"])
    assert [key.id for key in read(path)] == ["k3", "k2"]
    assert rotate(path, keep=1) == (["k4"], ["k3", "k2"])
    assert list(tmp_path.iterdir()) == [path]


def test_nobody_else_may_read_it_also_after_rotating(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"k1 {ONE}\n")
    path.chmod(0o644)
    rotate(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_to_the_file_stays_one(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text(f"k1 {ONE}\n")
    link.symlink_to(target)
    rotate(link)
    assert link.is_symlink()
    assert [key.id for key in read(target)] == ["k2", "k1"]


def test_whoever_rotates_at_once_loses_no_key(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    with ThreadPoolExecutor(4) as pool:
        newest = [kept[0] for kept, _ in pool.map(lambda _: rotate(path), range(12))]
    assert sorted(newest) == sorted(f"k{number}" for number in range(1, 13))
    assert [key.id for key in read(path)] == [f"k{number}" for number in range(12, 0, -1)]


def test_a_file_written_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"\n  k7\t{'aA' * 32} \r\nk2 {TWO}\n\n")
    assert [(key.id, key.secret) for key in read(path)] == [("k7", b"\xaa" * 32), ("k2", b"\x22" * 32)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ": it holds no key; remove it, and `siteward credentials rotate` makes a new one"),
        (b"\n \n", ": it holds no key; remove it, and `siteward credentials rotate` makes a new one"),
        (b"hunter2", ":1: expected a key such as `k1` and 64 hexadecimal digits behind it"),
        (f"k1 {ONE}\nk0 {TWO}".encode(), ":2: expected a key such as `k1` and 64 hexadecimal digits behind it"),
        (f"k2 {ONE}\n\nk1 {TWO}0".encode(), ":3: expected a key such as `k1` and 64 hexadecimal digits behind it"),
        (f"k1 {ONE}\nk1 {TWO}".encode(), ":2: k1 stands here a second time; give every key its own number"),
        (b"k1 \xff", ": cannot read the keys: it is no text"),
    ],
)
def test_a_file_that_is_wrong_is_explained_and_not_shown(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_bytes(content)
    for attempt in (read, rotate):
        with pytest.raises(CollectorError) as caught:
            attempt(path)
        assert str(caught.value) == f"{path}{message}"
    assert path.read_bytes() == content, "rotating must not throw away keys that somebody may mend"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CollectorError, match="cannot read the keys: Is a directory"):
        read(tmp_path)


def test_a_folder_that_is_not_there_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    rotate(tmp_path / "none" / "keys")
    assert (tmp_path / "none").stat().st_mode & 0o777 == 0o700
