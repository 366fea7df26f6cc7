"""The files of a site: passwords as Mosquitto keeps them, and settings that become a site's own."""

import base64
import hashlib
import hmac
import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from collector.deployment.layout import Owner, hash_password, lay_out
from tests.integration.servers import find_program


@given(st.text(min_size=1, max_size=40))
def test_a_password_can_be_checked_against_its_hash(password: str) -> None:
    mark, rounds, salt, digest = hash_password(password).split("$")[1:]
    assert (mark, rounds) == ("7", "101")
    again = hashlib.pbkdf2_hmac("sha512", password.encode(), base64.b64decode(salt), int(rounds))
    assert hmac.compare_digest(again, base64.b64decode(digest))


def test_mosquittos_own_program_writes_the_same_form(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    subprocess.run([find_program("mosquitto_passwd"), "-b", "-c", str(file), "em-01", "word"], check=True)
    theirs = file.read_text(encoding="ascii").strip().partition(":")[2].split("$")
    ours = hash_password("word").split("$")
    assert [len(part) for part in ours] == [len(part) for part in theirs]
    assert ours[:3] == theirs[:3]


def test_every_secret_is_hexadecimal_and_of_256_bits() -> None:
    files = lay_out("campus", ["gw"], Owner(1000, 1000))
    drawn = [
        file.content.decode()
        for path, file in files.items()
        if path.parts[0] == "secrets" and path.name.endswith(("_password", "_token", "_secret_key"))
    ]
    assert [len(bytes.fromhex(secret)) for secret in drawn] == [32] * 6
