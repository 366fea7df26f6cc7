"""Certificates of a site's own: what clients verify, they find."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from collector.deployment.certificates import Certificates, make_certificates
from collector.errors import CollectorError


def shake_hands(certificates: Certificates, host: str, folder: Path) -> None:
    """TLS in memory between a server with the certificate and a client that trusts the authority."""
    for name, content in (
        ("ca.pem", certificates.authority.certificate),
        ("broker.pem", certificates.broker.certificate),
        ("broker.key", certificates.broker.key),
    ):
        (folder / name).write_bytes(content)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "broker.pem", folder / "broker.key")
    client = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    client.verify_flags |= ssl.VERIFY_X509_STRICT  # as later Pythons do by themselves
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(down, up, server_hostname=host), server.wrap_bio(up, down, server_side=True)]
    while ends:
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                pass


@pytest.mark.parametrize("host", ["mosquitto", "gw.example", "192.168.1.10", "fd00::1"])
def test_a_strict_client_accepts_every_address(host: str, tmp_path: Path) -> None:
    certificates = make_certificates("campus", ["mosquitto", "gw.example", "192.168.1.10", "fd00::1", "mosquitto"])
    shake_hands(certificates, host, tmp_path)


def test_another_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(make_certificates("campus", ["gw.example"]), "other.example", tmp_path)


def test_another_sites_authority_is_not_trusted(tmp_path: Path) -> None:
    ours, theirs = (make_certificates("campus", ["gw.example"]) for _ in range(2))
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate verify failed"):
        shake_hands(Certificates(ours.authority, theirs.broker), "gw.example", tmp_path)


def test_they_outlast_the_gateway_and_the_authority_outlasts_the_broker() -> None:
    certificates = make_certificates("campus", ["gw.example"])
    authority, broker = (x509.load_pem_x509_certificate(signed.certificate) for signed in certificates)
    now = datetime.now(UTC)
    assert authority.not_valid_before_utc < now - timedelta(hours=23)
    assert broker.not_valid_after_utc > now + timedelta(days=3600)
    assert authority.not_valid_after_utc > broker.not_valid_after_utc
    policy = PolicyBuilder().store(Store([authority])).time(now + timedelta(days=3600))
    assert policy.build_server_verifier(x509.DNSName("gw.example")).verify(broker, [])


@pytest.mark.parametrize("address", ["", "gw example", "https://gw", "gw:8883", "*.example", "a" * 64 + ".example"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(CollectorError, match="--address: expected a host name or an IP address"):
        make_certificates("campus", [address])


def test_a_long_site_id_still_fits_the_name() -> None:
    authority = x509.load_pem_x509_certificate(make_certificates("s" * 80, ["gw"]).authority.certificate)
    assert len(authority.subject.rfc4514_string()) <= len("CN=") + 64
