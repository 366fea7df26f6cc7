"""Certificates of a site's own: an authority, and the broker's certificate, which it signs."""

import ipaddress
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from collector.errors import CollectorError

_AUTHORITY_DAYS = 7305
_BROKER_DAYS = 3653
"""As long as the gateway itself: a certificate that ends unseen silences every meter at once. Doctor warns before."""

_SLOW_CLOCK = timedelta(days=1)
_DNS_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_-]{1,63})*").fullmatch


class Signed(NamedTuple):
    """A certificate and its key, in PEM."""

    certificate: bytes
    key: bytes


class Certificates(NamedTuple):
    """The authority's and the broker's."""

    authority: Signed
    broker: Signed


def make_certificates(site: str, addresses: Iterable[str]) -> Certificates:
    """Makes new keys (P-256, which small devices can compute with) and their certificates (X.509 v3, RFC 5280).

    Args:
        site: its id; a part of the authority's name.
        addresses: host names and IP addresses under which clients reach the broker, at least one.

    Raises:
        CollectorError: an address is neither.
    """
    names = [_read_address(address) for address in dict.fromkeys(addresses)]
    now = datetime.now(UTC)
    ours, theirs = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = (
        _begin(f"Siteward authority of {site}"[:64], ours.public_key(), now, _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .issuer_name(_name(f"Siteward authority of {site}"[:64]))
        .sign(ours, hashes.SHA256())
    )
    broker = (
        _begin(f"Siteward broker of {site}"[:64], theirs.public_key(), now, _BROKER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ours.public_key()), critical=False)
        .issuer_name(authority.subject)
        .sign(ours, hashes.SHA256())
    )
    return Certificates(_pack(authority, ours), _pack(broker, theirs))


def _read_address(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        if _DNS_NAME(text):
            return x509.DNSName(text)
    raise CollectorError(f"--address: expected a host name or an IP address such as 192.168.1.10, got {text!r}")


def _begin(name: str, key: ec.EllipticCurvePublicKey, now: datetime, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLOW_CLOCK)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pack(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Signed:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Signed(certificate.public_bytes(Encoding.PEM), pem)
