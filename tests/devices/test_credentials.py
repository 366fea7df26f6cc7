"""Credentials: one card has one hash however it is written, and the number itself stays nowhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.credentials import HIDDEN, Hasher, Key, normalize

OLD = Key("k1", bytes(range(32)))
NEW = Key("k2", b"\xff" * 32)

# printf '1c0044cf23' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f
CARD = "k1:cd6e90ef9390699f855a975df6ba0d52"
NUMBER = "k1:b2be66f797c511bd2a34dfb060838661"


@pytest.mark.parametrize(
    "written",
    [
        "1C0044CF23",
        "1c0044cf23",
        " 1c0044cf23\r\n",
        "1C:00:44:CF:23",
        "1c-00-44-cf-23",
        "1C 00 44 CF 23",
        "0x1C0044CF23",
    ],
)
def test_a_card_has_one_hash_however_it_is_written(written: str) -> None:
    assert Hasher((OLD,)).hash(written) == CARD


@pytest.mark.parametrize("written", ["12345678", "0012345678", " 12345678 "])
def test_zeros_in_front_of_a_number_make_no_difference(written: str) -> None:
    assert Hasher((OLD,)).hash(written) == NUMBER


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("12-345", "12-345"),  # facility and card: 123-45 is another one
        ("12:34:56", "12:34:56"),
        ("1c:00-44:cf", "1c:00-44:cf"),
        ("04:00:00:01", "4000001"),
        ("00:00:00:00", "0"),
        ("0x", "0x"),
        ("", ""),
        ("0a1b", "0a1b"),
        ("E-1045", "e-1045"),
        ("张三", "张三"),
    ],
)
def test_what_may_be_another_credential_stays_apart(written: str, normal: str) -> None:
    assert normalize(written) == normal


@given(st.text(st.sampled_from("0123456789abcfxX:-. \u0130ß\t"), max_size=20))
def test_what_is_normal_stays_so(written: str) -> None:
    normal = normalize(written)
    assert normalize(normal) == normal


@given(st.binary(min_size=4, max_size=10), st.sampled_from(":-. "))
def test_bytes_are_the_same_with_and_without_what_stands_between(uid: bytes, separator: str) -> None:
    assert normalize(uid.hex(separator).upper()) == normalize(uid.hex()) == normalize(f"0x{uid.hex()}")


@given(st.integers(0, 2**64), st.integers(0, 2**64))
def test_different_numbers_are_different_credentials(one: int, other: int) -> None:
    hasher = Hasher((OLD,))
    assert (hasher.hash(str(one)) == hasher.hash(str(other))) == (one == other)


@given(st.text(st.characters(), max_size=300))
def test_every_text_has_a_short_hash(text: str) -> None:
    key, colon, digits = Hasher((OLD,)).hash(text).partition(":")
    assert (key, colon, len(digits)) == ("k1", ":", 32)
    assert int(digits, 16) >= 0


def test_a_text_that_is_no_unicode_has_a_hash() -> None:
    assert Hasher((OLD,)).hash("\ud800") != Hasher((OLD,)).hash("\ud801")


def test_the_newest_key_hashes_and_all_are_searched() -> None:
    hasher = Hasher((NEW, OLD))
    assert hasher.hash("1C0044CF23").startswith("k2:")
    assert hasher.candidates("1C0044CF23") == [hasher.hash("1C0044CF23"), CARD]


def test_what_looks_like_a_hash_is_hashed_as_well() -> None:
    assert Hasher((OLD,)).hash(CARD) not in {CARD, HIDDEN}


def test_without_a_key_every_credential_is_hidden() -> None:
    assert Hasher().hash("1C0044CF23") == HIDDEN
    assert Hasher().candidates("1C0044CF23") == []


def test_a_key_does_not_show_its_secret() -> None:
    assert repr(Hasher((OLD,))) == "Hasher(keys=(Key(id='k1'),))"


def test_hashers_are_the_same_where_their_keys_are() -> None:
    assert Hasher((NEW, OLD)) == Hasher((NEW, Key("k1", bytes(range(32)))))
    assert Hasher((NEW, OLD)) != Hasher((NEW, Key("k1", b"\0" * 32)))
