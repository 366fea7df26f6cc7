"""Why there is no connection to the broker, in plain words, and what to do. No message holds a secret."""

import os
import socket
import ssl

from collector.errors import CollectorError
from collector.settings import Mqtt

CONNECT_S = 3.0
"""Longest wait for a connection."""

_CREDENTIALS_REFUSED = {"Bad user name or password", "Not authorized"}


def explain_error(error: Exception, settings: Mqtt) -> str:
    """What an error means that came while connecting, or a TLS error of any time."""
    where = f"{settings.host}:{settings.port}"
    match error:
        case CollectorError():  # a secret cannot be read
            return str(error)
        case ssl.SSLEOFError() | ConnectionResetError():
            words = "breaks the connection off; does this port want TLS (mqtts://), or none (mqtt://)?"
        case ssl.SSLError():
            words = _explain_tls(error)
        case TimeoutError():
            words = f"does not answer within {CONNECT_S:.0f} s; check mqtt.url, the network and firewalls"
        case ConnectionRefusedError():
            words = "refuses connections: start the broker there, or check mqtt.url"
        case socket.gaierror():
            words = f"leads nowhere ({error.strerror}); check mqtt.url and the name server"
        case OSError() if missing := _find_unreadable(settings):
            return f"{missing}: cannot be read; put the file there, or correct its name in siteward.yaml"
        case OSError():
            words = f"cannot be reached: {error.strerror or error}"
        case _:
            words = f"cannot be reached: {error}"
    return f"{where} {words}"


def _explain_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"shows a certificate that is not trusted: {error.verify_message};"
            " check mqtt.ca_file, the host's name in mqtt.url, and the clock"
        )
    reason = error.reason or "no reason given"
    if reason.endswith("CERTIFICATE_REQUIRED"):
        return "wants a certificate of ours: give mqtt.cert_file and mqtt.key_file"
    if reason.endswith("ALERT_UNKNOWN_CA"):
        return "does not trust our certificate: check mqtt.cert_file"
    return f"does not speak TLS with us ({reason}); check the port, ca_file, cert_file and key_file"


def explain_refusal(reason: str, settings: Mqtt) -> str:
    """What it means that the broker answers CONNECT with a reason of the standard."""
    where = f"{settings.host}:{settings.port}"
    if reason not in _CREDENTIALS_REFUSED:
        return f"{where} refuses the connection: {reason}"
    if settings.username:
        who, remedy = f"user {settings.username!r}", "check username and password_file"
    else:
        who, remedy = "anybody without a user name", "give username and password_file"
    return f"{where} does not let {who} in ({reason}): {remedy}"


def explain_end(reason: str, settings: Mqtt, *, accepted: bool = True) -> str:
    """What it means that the connection ended.

    Args:
        reason: in the words of the standard, "" where none is known.
        settings: the broker.
        accepted: whether the broker had let us in.
    """
    where = f"{settings.host}:{settings.port}"
    if not accepted:
        hint = "" if settings.tls else "; does this port want TLS (mqtts://)?"
        return f"{where} hangs up before a word{hint}"
    if reason == "Session taken over":
        return f"another client comes to {where} as {settings.client_id!r}: each needs a client_id of its own"
    return f"{where} closed the connection" + (f": {reason}" if reason else "")


def _find_unreadable(settings: Mqtt) -> str:
    """The first file for TLS that cannot be read; Python's own error does not name it."""
    files = (settings.ca_file, settings.cert_file, settings.key_file)
    return next((str(path) for path in files if path is not None and not os.access(path, os.R_OK)), "")
