"""`siteward credentials rotate|hash`."""

import sys
from typing import Annotated

import typer

from collector import credentialkeys
from collector.commands.common import load_configuration
from collector.errors import CollectorError
from collector.terminal import DEFAULT_CONFIG, AsJson, ConfigFolder, console, fail, print_json, print_rows
from devices.credentials import Hasher

app = typer.Typer(no_args_is_help=True, help="Keys that card numbers are hashed with.")


@app.command()
def rotate(
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    keep: Annotated[
        int | None, typer.Option(min=1, help="How many keys stay, the new one among them; left out: all.")
    ] = None,
) -> None:
    """Hash with a new key from now on; what a forgotten key has hashed belongs to nobody any more."""
    path = credentialkeys.find_file(load_configuration(config).settings)
    try:
        kept, forgotten = credentialkeys.rotate(path, keep)
    except CollectorError as error:
        fail(str(error), 1)
    except OSError as error:
        fail(f"{path}: {error.strerror}. Run this as the user that the daemon runs as.", 1)
    console.print(f"{path}: {kept[0]} is the key now; a running daemon takes it within a second.", soft_wrap=True)
    for word, ids in (("Kept", kept[1:]), ("Forgotten", forgotten)):
        if ids:
            console.print(f"{word}: {', '.join(ids)}")


@app.command("hash")
def hash_(config: ConfigFolder = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Read a card number from standard input and show what stands for it in the readings, under each key."""
    path = credentialkeys.find_file(load_configuration(config).settings)
    try:
        hasher = Hasher(credentialkeys.read(path))
    except CollectorError as error:
        fail(str(error), 1)
    number = typer.prompt("Card number", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    if not number.strip():
        fail("Give a card number on standard input; as an argument it would stay in the shell's history.")
    found = hasher.candidates(number)
    if as_json:
        print_json(found)
    else:
        print_rows("Credentials, newest key first", [{"credential": each} for each in found], as_json=False)
