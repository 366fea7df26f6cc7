"""Certificates for tests, made by the program `openssl`: an authority, and what it signs."""

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

_HINT = "openssl is not installed, and the tests of TLS need it: apt-get install openssl"


class Certificate(NamedTuple):
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority in a folder.

    Attributes:
        certificate: what those need who shall trust it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self.certificate, self._key = folder / "ca.pem", folder / "ca.key"
        _openssl(
            *("req", "-x509", "-subj", f"/CN=authority {folder.name}", "-days", "2", *_new_key(self._key)),
            *("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"),
            *("-out", self.certificate),
        )

    def sign(self, name: str) -> Certificate:
        """A certificate for a client of that name, or for a server at that address on this machine."""
        signed, key, request = (self._folder / f"{name}.{suffix}" for suffix in ("pem", "key", "csr"))
        _openssl("req", "-subj", f"/CN={name}", *_new_key(key), "-out", request)
        extensions = self._folder / f"{name}.ext"
        address = f"IP:{name}" if name[0].isdigit() else f"DNS:{name}"
        extensions.write_text(f"subjectAltName={address}\n", encoding="utf-8")
        _openssl(
            *("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial"),
            *("-days", "2", "-extfile", extensions, "-out", signed),
        )
        return Certificate(signed, key)


def _new_key(path: Path) -> tuple[str | Path, ...]:
    """An elliptic one: made in no time."""
    return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path)


def _openssl(*arguments: str | Path) -> None:
    program = shutil.which("openssl")
    assert program is not None, _HINT
    subprocess.run([program, *arguments], check=True, capture_output=True)
