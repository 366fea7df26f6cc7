"""`siteward credentials`: a new key with one command, and a search that leaves no card number anywhere."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collector.commands.credentials import app
from collector.credentialkeys import read
from devices.credentials import Hasher
from tests.sites import write_site

CARD = "1C0044CF23"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return write_site(tmp_path)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "data" / "credential.keys"


def run(config: Path, *arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, [*arguments, "--config", str(config)], input=stdin)


def test_rotating_says_what_became_of_the_keys(config: Path, keys: Path) -> None:
    first = run(config, "rotate")
    assert (first.exit_code, first.stdout) == (
        0,
        f"{config}/../data/credential.keys: k1 is the key now; a running daemon takes it within a second.\n",
    )
    run(config, "rotate")
    third = run(config, "rotate", "--keep", "2")
    assert third.stdout.splitlines()[1:] == ["Kept: k2", "Forgotten: k1"]
    assert [key.id for key in read(keys)] == ["k3", "k2"]
    assert all(key.secret.hex() not in first.output + third.output for key in read(keys))


def test_rotating_needs_to_keep_the_new_key(config: Path) -> None:
    assert run(config, "rotate", "--keep", "0").exit_code == 2


def test_rotating_a_file_that_is_wrong_or_out_of_reach(config: Path, keys: Path) -> None:
    keys.write_text("hunter2")
    wrong = run(config, "rotate")
    assert wrong.exit_code == 1
    assert "expected a key such as `k1`" in wrong.stderr
    keys.unlink()
    keys.parent.rmdir()
    keys.parent.write_text("a file in the folder's place")
    away = run(config, "rotate")
    assert away.exit_code == 1
    assert away.stderr.endswith("File exists. Run this as the user that the daemon runs as.\n")


def test_a_card_is_searched_under_each_key(config: Path, keys: Path) -> None:
    run(config, "rotate")
    run(config, "rotate")
    expected = Hasher(read(keys)).candidates(CARD)
    found = run(config, "hash", "--json", stdin="1c:00:44:cf:23\n")
    assert (found.exit_code, json.loads(found.stdout)) == (0, expected)
    table = run(config, "hash", stdin=CARD)
    assert [line for line in expected if line in table.stdout] == expected
    assert CARD not in table.output


@pytest.mark.parametrize("stdin", ["", "\n", "  \nlater"])
def test_no_card_number(config: Path, stdin: str) -> None:
    run(config, "rotate")
    result = run(config, "hash", stdin=stdin)
    assert result.exit_code == 2
    assert result.stderr.startswith("Give a card number on standard input")


def test_no_keys_yet(config: Path) -> None:
    result = run(config, "hash", stdin=CARD)
    assert result.exit_code == 1
    assert result.stderr.endswith("there is no such file; `siteward credentials rotate` makes it\n")


def test_a_terminal_does_not_show_the_card_number(config: Path, keys: Path) -> None:
    run(config, "rotate")
    near, far = pty.openpty()
    command = [sys.executable, "-m", "collector.cli", "credentials", "hash", "--json", "--config", str(config)]
    with subprocess.Popen(
        command, stdin=far, stdout=subprocess.PIPE, stderr=far, start_new_session=True, text=True
    ) as child:
        screen = b""
        while not screen.endswith(b"Card number: "):  # by now nothing is echoed
            screen += os.read(near, 1000)
        os.write(near, CARD.encode() + b"\n")
        assert child.stdout is not None
        assert json.loads(child.stdout.read()) == Hasher(read(keys)).candidates(CARD)
    screen += os.read(near, 1000)
    os.close(far)
    os.close(near)
    assert screen == b"Card number: \r\n"
