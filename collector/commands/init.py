"""`siteward init`."""

import os
import platform
import re
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from collector.commands.configuration import write_schemas
from collector.deployment import layout
from collector.errors import CollectorError
from collector.terminal import console, fail
from devices.register import IDENTIFIER

_SCHEMAS = "schemas"
_SETTINGS = Path("siteward.yaml")
IMAGE_USER = layout.Owner(10001, 10001)
"""Who the image runs as (Dockerfile): root's files become theirs, so that no service runs as root."""

_NEXT_STEPS = """\
Wrote a first configuration to {folder}. Next:
  1. {folder}/siteward.yaml: name the site, its time zone and its broker.
  2. {folder}/places.yaml and devices.yaml: list the places and the devices; rules/first.yaml: what matters of them.
  3. siteward check --config {folder}
  4. siteward run --config {folder}
Editors that know YAML language servers complete and check these files with {folder}/schemas."""

_NEXT_STEPS_OF_A_SITE = """\
Wrote a site to {folder}, with certificates and passwords of its own. Next:
  1. {folder}/config: name the site, its time zone, its places, its devices; rules/first.yaml: what matters of them.
  2. siteward check --config {folder}/config
  3. cd {folder} && docker compose up -d
Devices reach the broker as {addresses}, port 8883; give them {folder}/ca.pem.
Grafana is at http://127.0.0.1:3000; the password of its user admin stands in {folder}/secrets/grafana_admin_password.
Keep a copy of {folder}/secrets where nobody else reads it."""


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; made where it does not exist.")],
    *,
    site: Annotated[str, typer.Option(metavar="ID", help="Short name of the site.")] = layout.STARTER_SITE,
    deploy: Annotated[
        bool,
        typer.Option(
            "--deploy",
            help="A whole site for compose: DIR/config, and broker, database, dashboards, certificates, passwords.",
        ),
    ] = False,
    address: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="With --deploy: host name or IP address under which devices reach the broker; may be given again."
            " Left out: this machine's name.",
        ),
    ] = None,
) -> None:
    """Write a commented first configuration, or a whole site for compose.

    Nothing that exists is overwritten.
    """
    if not re.fullmatch(IDENTIFIER, site):
        fail(f"--site: expected letters a-z, digits and . _ - with a letter or digit in front, got {site!r}")
    if address and not deploy:
        fail("--address: belongs to --deploy")
    starter = _read_starter(site)
    try:
        if deploy:
            _write_site(folder, site, starter, address or [platform.node()])
        else:
            _write(folder, starter)
            write_schemas(folder / _SCHEMAS)
            console.print(_NEXT_STEPS.format(folder=folder), markup=False, highlight=False, soft_wrap=True)
    except OSError as error:
        fail(f"{error.filename or folder}: cannot be written: {error.strerror}. Choose another folder.")


def _read_starter(site: str) -> dict[Path, layout.File]:
    """The first configuration's files, by their paths within its folder."""
    with as_file(files("collector") / "starter") as starter:
        return {
            path.relative_to(starter): layout.File(layout.name_site(path.read_bytes(), site))
            for path in sorted(starter.rglob("*.yaml"))
        }


def _write_site(folder: Path, site: str, starter: Mapping[Path, layout.File], addresses: list[str]) -> None:
    """Writes everything that compose needs into a folder that holds nothing yet."""
    if folder.is_dir() and any(folder.iterdir()):
        fail(f"Nothing was written, because {folder} is not empty. Choose another folder.")
    owner = IMAGE_USER if os.geteuid() == 0 else layout.Owner(os.geteuid(), os.getegid())
    try:
        site_files = layout.lay_out(site, addresses, owner)
    except CollectorError as error:
        fail(str(error))
    settings = layout.File(layout.adapt_settings(starter[_SETTINGS].content.decode()).encode())
    for path in layout.FOLDERS:
        (folder / path).mkdir(parents=True, mode=0o700)
    _write(folder / layout.CONFIG, {**starter, _SETTINGS: settings})
    write_schemas(folder / layout.CONFIG / _SCHEMAS)
    _write(folder, site_files)
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.uid, owner.gid, follow_symlinks=False)
    text = _NEXT_STEPS_OF_A_SITE.format(folder=folder, addresses=", ".join(addresses))
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _write(folder: Path, contents: Mapping[Path, layout.File]) -> None:
    """Writes all files, or none where one of them exists. Nobody else can read a private one at any moment."""
    existing = [str(folder / path) for path in contents if (folder / path).exists()]
    if existing:
        fail(f"Nothing was written, because this exists: {', '.join(existing)}. Choose another folder.")
    for path, file in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, file.mode)
        with os.fdopen(descriptor, "wb") as target:
            target.write(file.content)
