"""The files of a site that compose runs, beside its configuration: what is in each, and who may read it."""

import hashlib
import secrets
from base64 import b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from collector import __version__
from collector.deployment.certificates import make_certificates
from collector.runbooks import SHIPPED

CONFIG = Path("config")
"""The configuration's folder within the site's."""

FOLDERS = (Path("secrets"), *(Path("data") / name for name in ("siteward", "mosquitto", "influxdb", "grafana")))
"""For their owner alone; what the services write is in them."""

STARTER_SITE = "my-site"
"""The site's id in every file that is copied."""

_PRIVATE, _PUBLIC, _PROGRAM = 0o600, 0o644, 0o755
_TEMPLATES = SHIPPED / "deploy"
_COPIED = ("compose.yaml", "mosquitto/*", "influxdb/*", "grafana/**/*")
_MODES = {Path("influxdb/grafana-reader.sh"): _PROGRAM, Path("mosquitto/acl"): _PRIVATE}
"""Mosquitto warns of an ACL that others may read, and announces to refuse it."""

_BROKER_NAMES = ("mosquitto", "localhost", "127.0.0.1")
"""How Siteward and the broker's own health check call it."""

_SETTINGS = {
    "data_dir: ../siteward-data\n": "data_dir: /var/lib/siteward\n",
    "  url: mqtt://127.0.0.1:1883\n": (
        "  url: mqtts://mosquitto:8884\n"
        "  username: siteward\n"
        "  password_file: ../secrets/mqtt_password\n"
        "  ca_file: ../ca.pem\n"
    ),
    "# The database 数据库: a SQLite file in data_dir; no server is needed\nstore:\n  kind: embedded\n": (
        "# The database 数据库\n"
        "store:\n"
        "  kind: influxdb\n"
        "  api: v2\n"
        "  url: http://influxdb:8086\n"
        "  org: siteward\n"
        "  bucket: siteward\n"
        "  token_file: ../secrets/influxdb_token\n"
    ),
    "#: http:\n#:   listen: 127.0.0.1:9464\n": (
        "http:\n  listen: 0.0.0.0:9464              # in its container; compose.yaml shows it to this machine only\n"
    ),
}
"""What is otherwise in siteward.yaml: text of the starter, and what stands there instead."""

_INSTEAD = "In place of the above:"
"""Marks paragraphs of the starter that show another broker or database."""


class File(NamedTuple):
    """One file: what is in it, and who may do what with it."""

    content: bytes
    mode: int = _PUBLIC


class Owner(NamedTuple):
    """Who the files belong to; the services run as the same."""

    uid: int
    gid: int


def lay_out(site: str, addresses: Iterable[str], owner: Owner) -> Mapping[Path, File]:
    """Every file beside the configuration, with new secrets, by its path within the site's folder.

    Args:
        site: its id.
        addresses: host names and IP addresses under which devices reach the broker.
        owner: of the files.

    Raises:
        CollectorError: an address is neither.
    """
    certificates = make_certificates(site, (*_BROKER_NAMES, *addresses))
    mqtt, health = _draw(), _draw()
    environment = {"SITEWARD_VERSION": __version__, "SITEWARD_UID": owner.uid, "SITEWARD_GID": owner.gid}
    lines = ["# What compose.yaml leaves open: the image's tag, and who the services run as: the owner of these files."]
    lines += [f"{name}={value}" for name, value in environment.items()]
    private = {
        "mosquitto/passwords": "".join(
            f"{user}:{hash_password(word)}\n" for user, word in (("siteward", mqtt), ("health", health))
        ),
        "secrets/ca.key": certificates.authority.key.decode(),
        "secrets/broker.key": certificates.broker.key.decode(),
        "secrets/mqtt_password": mqtt,
        "secrets/mosquitto_health": _write_health_check(health),
        "secrets/influxdb_admin_password": _draw(),
        "secrets/influxdb_token": _draw(),
        "secrets/influxdb_grafana_password": _draw(),
        "secrets/grafana_admin_password": _draw(),
        "secrets/grafana_secret_key": _draw(),
    }
    return {
        **_copy_templates(site),
        Path(".env"): File("\n".join([*lines, ""]).encode()),
        Path("ca.pem"): File(certificates.authority.certificate),
        Path("mosquitto/broker.pem"): File(certificates.broker.certificate),
        **{Path(name): File(text.encode(), _PRIVATE) for name, text in private.items()},
    }


def name_site(content: bytes, site: str) -> bytes:
    """A file that is copied, with the site's own id in it."""
    return content.replace(STARTER_SITE.encode(), site.encode())


def adapt_settings(text: str) -> str:
    """The starter's siteward.yaml for a site that compose runs: its broker, its database, its paths."""
    paragraphs = [paragraph for paragraph in text.split("\n\n") if _INSTEAD not in paragraph]
    text = "\n\n".join(paragraphs)
    for old, new in _SETTINGS.items():
        text = text.replace(old, new)
    return text


def hash_password(password: str) -> str:
    """A password as Mosquitto's password file holds it: PBKDF2 with HMAC-SHA-512 (RFC 8018).

    The 101 rounds are Mosquitto's own number. More would protect words that people think of; these are 256 random
    bits, and a broker that comes back computes one hash for every device that reconnects.
    """
    salt, rounds = secrets.token_bytes(12), 101
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, 64)
    return f"$7${rounds}${b64encode(salt).decode()}${b64encode(digest).decode()}"


def _draw() -> str:
    """A new secret of 256 bits. No program takes hexadecimal digits for an option or a quote."""
    return secrets.token_hex(32)


def _copy_templates(site: str) -> dict[Path, File]:
    paths = [path for pattern in _COPIED for path in sorted(_TEMPLATES.glob(pattern)) if path.is_file()]
    return {
        path.relative_to(_TEMPLATES): File(
            name_site(path.read_bytes(), site),
            _MODES.get(path.relative_to(_TEMPLATES), _PUBLIC),
        )
        for path in paths
    }


def _write_health_check(password: str) -> str:
    """The options of the broker's health check, for mosquitto_sub: does somebody get in, and does the broker live?"""
    options = {
        "-h": "localhost",
        "-p": "8883",
        "--cafile": "/mosquitto/ca.pem",
        "-u": "health",
        "-P": password,
        "-t": "$SYS/broker/uptime",
        "-C": "1",
        "-W": "5",
    }
    return "".join(f"{option} {value}\n" for option, value in options.items())
