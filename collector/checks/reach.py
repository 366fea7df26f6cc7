"""Reaches the broker's port, TCP and TLS without MQTT, and says in plain words why it cannot be reached."""

import socket
import ssl
from datetime import UTC, datetime

from collector.errors import CollectorError
from collector.mqtt import make_tls_context
from collector.settings import Mqtt
from collector.unreachable import explain_error

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
            with make_tls_context(settings).wrap_socket(sock, server_hostname=settings.host) as encrypted:
                end = (encrypted.getpeercert() or {})["notAfter"]
                return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(end)), UTC)
    except OSError as error:
        raise BrokerTrouble(explain_error(error, settings)) from error
