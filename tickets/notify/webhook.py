"""Webhooks: signed JSON for an outside system, such as a CMMS, and what that calls the ticket.

The form is that of Standard Webhooks (https://www.standardwebhooks.com): headers `webhook-id`, `webhook-timestamp`
and `webhook-signature`.
"""

import hmac
import time
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from typing import NamedTuple

import jmespath
import orjson
import urllib3
from urllib3.exceptions import HTTPError, SSLError

from devices.durations import NANOSECONDS
from tickets.notify.errors import NotDelivered

_PREFIX = "whsec_"
_LEAST_SECRET = 16
_CONNECT_S = 5.0
_MOST_ANSWER = 65_536
_MOST_REFERENCE = 200
_SHUT = {401, 403, 404, 408, 410, 429}
"""Statuses that any other message would get as well, beside the server's own faults."""


class Reply(NamedTuple):
    """What the outside system said to a message that it took.

    Attributes:
        reference: what it calls the ticket; "" where it did not say.
        remark: why that is not known, where it should be; else "".
    """

    reference: str
    remark: str


class Webhook:
    """One outside system.

    Attributes:
        name: of siteward.yaml.
    """

    def __init__(
        self,
        name: str,
        url: str,
        read_secret: Callable[[], str],
        *,
        answer: str = "",
        ca_file: str | None = None,
        timeout: int = 10 * NANOSECONDS["s"],
    ) -> None:
        """Contacts nobody yet.

        Args:
            name: see the class.
            url: that messages are posted to.
            read_secret: gives the key of signatures; raises an error with a message for people where it cannot.
            answer: JMESPath of the ticket's name in the answer; "" where it gives none.
            ca_file: certificate authority; None: the system's.
            timeout: longest wait for the answer, ns.
        """
        self.name = name
        self._url, self._read_secret, self._timeout_s = url, read_secret, timeout / NANOSECONDS["s"]
        self._answer = jmespath.compile(answer) if answer else None
        self._pool = urllib3.PoolManager(
            num_pools=1,
            retries=False,
            cert_reqs="CERT_REQUIRED",
            ca_certs=ca_file,
            timeout=urllib3.Timeout(connect=_CONNECT_S, read=self._timeout_s),
        )

    def check(self) -> None:
        """Looks whether its key can be used; contacts nobody.

        Raises:
            NotDelivered: it cannot.
        """
        self._find_secret()

    def _find_secret(self) -> bytes:
        try:
            return decode_secret(self._read_secret())
        except Exception as error:
            raise NotDelivered(f"{self.name}: {error}", whole=True) from error

    def send(self, document: Mapping[str, object], key: str, now: int) -> Reply:
        """Posts a document and waits for the answer.

        Args:
            document: becomes JSON.
            key: the same for the same message, however often it is sent.
            now: UTC ns.

        Raises:
            NotDelivered: it was not taken, or nobody knows.
        """
        body = orjson.dumps(document)
        timestamp = now // NANOSECONDS["s"]
        secret = self._find_secret()
        headers = {
            "content-type": "application/json",
            "user-agent": "Siteward",
            "webhook-id": key,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(secret, key, timestamp, body),
        }
        status, headers_back, answer = self._post(body, headers)
        if 200 <= status < 300:  # noqa: PLR2004 - the range that HTTP defines
            return self._read(answer)
        if 300 <= status < 400:  # noqa: PLR2004 - likewise
            where = headers_back.get("location", "nowhere")
            raise NotDelivered(
                f"{self.name}: the address moved to {where} ({status}); a signed message goes nowhere else: mend `url`",
                whole=True,
            )
        wait = headers_back.get("retry-after", "")
        raise NotDelivered(
            f"{self.name}: it answers {status}: {_shorten(answer)}",
            whole=status >= 500 or status in _SHUT,  # noqa: PLR2004 - likewise
            retry_after_s=float(wait) if wait.isdecimal() else None,
        )

    def _post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        deadline = time.monotonic() + _CONNECT_S + self._timeout_s
        try:
            response = self._pool.request(
                "POST", self._url, body=body, headers=headers, redirect=False, preload_content=False
            )
            try:
                answer = b""
                while len(answer) < _MOST_ANSWER and (piece := response.read1(4096)):
                    answer += piece
                    if time.monotonic() > deadline:
                        raise NotDelivered(f"{self.name}: its answer does not end", whole=True)
            finally:
                response.close()
        except SSLError as error:
            raise NotDelivered(
                f"{self.name}: no trust in its TLS ({error}); look at ca_file and url", whole=True
            ) from error
        except HTTPError as error:
            raise NotDelivered(f"{self.name}: it cannot be reached: {_explain(error)}", whole=True) from error
        return response.status, response.headers, answer

    def _read(self, answer: bytes) -> Reply:
        if self._answer is None:
            return Reply("", "")
        try:
            found = self._answer.search(orjson.loads(answer))
        except orjson.JSONDecodeError:
            return Reply("", f"the answer is no JSON: {_shorten(answer)}")
        except jmespath.exceptions.JMESPathError as error:
            return Reply("", f"{self._answer.expression} cannot be asked of the answer: {error}")
        if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
            return Reply("", f"nothing at {self._answer.expression} in the answer: {_shorten(answer)}")
        return Reply(" ".join(str(found).split())[:_MOST_REFERENCE], "")

    def close(self) -> None:
        """Ends connections."""
        self._pool.clear()


def sign(secret: bytes, key: str, timestamp: int, body: bytes) -> str:
    """The signature of a message: HMAC-SHA256 over `id.timestamp.body`, Base64, after its version.

    Args:
        secret: shared with the outside system.
        key: the message's id.
        timestamp: seconds since 1970.
        body: as it is sent.
    """
    content = b"%b.%d.%b" % (key.encode(), timestamp, body)
    return "v1," + b64encode(hmac.digest(secret, content, "sha256")).decode()


def decode_secret(text: str) -> bytes:
    """The key of signatures: Base64 after `whsec_`, or any other text as it is.

    Raises:
        ValueError: it is no Base64, or too short; does not repeat it.
    """
    if text.startswith(_PREFIX):
        try:
            secret = b64decode(text.removeprefix(_PREFIX), validate=True)
        except Base64Error:
            raise ValueError(f"expected Base64 after {_PREFIX} in the secret") from None
    else:
        secret = text.encode()
    if len(secret) < _LEAST_SECRET:
        raise ValueError(f"expected a secret of at least {_LEAST_SECRET} bytes, got {len(secret)}")
    return secret


def _shorten(answer: bytes) -> str:
    return " ".join(answer[:400].decode("utf-8", "replace").split())[:200] or "nothing"


def _explain(error: BaseException) -> str:
    """The innermost reason: libraries wrap it in the names of their objects."""
    while isinstance(inner := error.__cause__ or error.__context__, OSError | HTTPError):
        error = inner
    return getattr(error, "strerror", None) or str(error)
