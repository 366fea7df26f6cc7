"""Reaches the broker's port, TCP and TLS without MQTT, and says in plain words why it cannot be reached."""

import socket
import ssl
from datetime import UTC, datetime

from collector.errors import CollectorError
from collector.settings import Mqtt

ANSWER_S = 3.0
"""Longest wait for one answer."""


class BrokerTrouble(CollectorError):  # noqa: N818 - names the state of the broker
    """The broker cannot be reached, or does not do what it was asked."""


def reach(settings: Mqtt) -> datetime | None:
    """Opens and closes a connection.

    Returns:
        When the broker's certificate expires, UTC; None without TLS.

    Raises:
        BrokerTrouble: not reached, or its certificate is not trusted.
    """
    try:
        with socket.create_connection((settings.host, settings.port), ANSWER_S) as sock:
            if not settings.tls:
                return None
            with make_context(settings).wrap_socket(sock, server_hostname=settings.host) as encrypted:
                end = (encrypted.getpeercert() or {})["notAfter"]
                return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(end)), UTC)
    except OSError as error:
        raise explain(error, settings) from error


def make_context(settings: Mqtt) -> ssl.SSLContext:
    """What the daemon trusts and shows, too.

    Raises:
        BrokerTrouble: a file cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.cert_file:
            context.load_cert_chain(settings.cert_file, settings.key_file)
    except OSError as error:
        files = [str(path) for path in (settings.ca_file, settings.cert_file, settings.key_file) if path]
        raise BrokerTrouble(f"{' or '.join(files)} cannot be used for TLS: {error.strerror}") from error
    return context


def explain(error: OSError, settings: Mqtt) -> BrokerTrouble:
    """Why there is no connection, and what to do."""
    match error:
        case ssl.SSLCertVerificationError():
            words = (
                f"shows a certificate that is not trusted: {error.verify_message};"
                " check mqtt.ca_file, the host's name in mqtt.url, and the clock"
            )
        case ssl.SSLEOFError() | ConnectionResetError():
            words = "breaks the connection off; does this port want TLS (mqtts://), or none (mqtt://)?"
        case ssl.SSLError():
            words = f"does not speak TLS with us ({error.reason}); check the port, cert_file and key_file"
        case TimeoutError():
            words = f"does not answer within {ANSWER_S:.0f} s; check mqtt.url, the network and firewalls"
        case ConnectionRefusedError():
            words = "refuses connections: start the broker there, or check mqtt.url"
        case socket.gaierror():
            words = f"leads nowhere ({error.strerror}); check mqtt.url and the name server"
        case _:
            words = f"cannot be reached: {error}"
    return BrokerTrouble(f"{settings.host}:{settings.port} {words}")
