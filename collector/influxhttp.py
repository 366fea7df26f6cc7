"""HTTP to InfluxDB through influxdb-client's low-level client; what goes wrong becomes our errors, in plain words.

No message here holds a token or a password.
"""

from base64 import b64encode
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, NamedTuple

import orjson
from influxdb_client._sync.api_client import ApiClient
from influxdb_client.configuration import Configuration
from influxdb_client.rest import ApiException
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError

from collector.errors import CollectorError, StoreRefused, StoreUnavailable, StoreUnreachable
from collector.secrets import STORE_TOKEN, store_password, store_token
from collector.settings import InfluxStore

_TIMEOUT_MS = (5_000, 30_000)
"""To connect, and to wait for an answer."""

_MESSAGE_LENGTH = 300


class Answer(NamedTuple):
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The body as JSON; empty where it is none."""
        try:
            document = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return document if isinstance(document, dict) else {}

    @property
    def message(self) -> str:
        """What the server says is wrong, on one line, shortened."""
        said = self.document.get("error") or self.document.get("message") or self.body.decode("utf-8", "replace")
        return " ".join(str(said).split())[:_MESSAGE_LENGTH] or "no reason given"


class InfluxHttp:
    """Requests to one server.

    Attributes:
        url: of the server, without a slash at its end.
        target: what is written to, as messages call it: `bucket siteward`.
    """

    def __init__(self, settings: InfluxStore) -> None:
        self._settings = settings
        self.url = settings.url.rstrip("/")
        self.target = f"bucket {settings.bucket}" if settings.api == "v2" else f"database {settings.database}"
        configuration = Configuration()
        configuration.ssl_ca_cert = str(settings.ca_file) if settings.ca_file else None
        self._client = ApiClient(configuration)
        self._credentials: dict[str, str] | None = None

    @property
    def who(self) -> str:
        """As whom we come, as messages call it."""
        if self._settings.api == "v2":
            return "our token" if self._credentials else "us without a token"
        return f"user {self._settings.username}" if self._credentials else "us without a user name"

    def send(
        self,
        purpose: str,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
    ) -> Answer:
        """Sends a request and waits for the answer.

        Args:
            purpose: what for; completes "does not let us …".
            method: of HTTP.
            path: on the server.
            query: parameters in the address.
            body: bytes, or what becomes JSON.
            headers: beside the credentials.
            accept: statuses beside success that tell the caller something.

        Raises:
            StoreUnavailable: not reached, no answer in time, or overloaded.
            StoreRefused: any other status.
        """
        response = self._request(method, path, query_params=query, body=body, headers=headers)
        with self._reached():
            answer = Answer(response.status, response.headers, response.data)
        if _is_success(answer.status) or answer.status in accept:
            return answer
        raise self.explain(purpose, answer)

    def stream(self, purpose: str, path: str, form: Mapping[str, str]) -> Iterator[bytes]:
        """Posts a form and yields the answer's lines as they arrive.

        Raises:
            StoreUnavailable, StoreRefused: as `send`.
        """
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        response = self._request("POST", path, post_params=form, headers=headers)
        if not _is_success(response.status):
            raise self.explain(purpose, Answer(response.status, response.headers, response.data))
        with self._reached():
            yield from response

    def explain(self, purpose: str, answer: Answer) -> StoreUnavailable | StoreRefused:
        """The error that an answer amounts to, when we asked for `purpose`."""
        status, said = answer.status, answer.message
        if status in {408, 429} or status >= 500:  # noqa: PLR2004 - the server's own faults
            return StoreUnavailable(f"{self.url} answers {status}: {said}", _read_retry_after(answer.headers))
        if status in {401, 403}:
            if self._settings.api == "v2":
                remedy = f"check token_file or {STORE_TOKEN}, and that the token may read and write {self.target}"
            else:
                remedy = f"check username and password_file, and that the user has ALL privileges on {self.target}"
            return StoreRefused(f"{self.url} does not let {self.who} {purpose}: {said}; {remedy}")
        if "Location" in answer.headers:
            return StoreRefused(f"{self.url} sends us on to {answer.headers['Location']}; give that address as url")
        return StoreRefused(
            f"{self.url} answers {status} when we {purpose}: {said};"
            f" check that url is InfluxDB's own address and api {self._settings.api} what it speaks",
        )

    def forget_credentials(self) -> None:
        """Reads the secret files again before the next request: somebody may have mended them."""
        self._credentials = None

    def close(self) -> None:
        """Ends connections."""
        self._client.rest_client.pool_manager.clear()

    def _request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        **rest: object,
    ) -> BaseHTTPResponse:
        credentials = self._credentials
        if credentials is None:
            credentials = self._credentials = self._read_credentials()
        with self._reached():
            try:
                response: BaseHTTPResponse = self._client.request(
                    method,
                    self.url + path,
                    headers={**credentials, **(headers or {})},
                    _preload_content=False,
                    _request_timeout=_TIMEOUT_MS,
                    **rest,
                )
            except ApiException as error:
                if error.response is None:
                    message = f"{self.url}: no trust in its TLS ({_find_cause(error)}); check ca_file and url"
                    raise StoreRefused(message) from error
                response = error.response
        return response

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except HTTPError as error:
            cause = error.reason if isinstance(error, MaxRetryError) else error
            kind = StoreUnreachable if isinstance(cause, NewConnectionError | ConnectTimeoutError) else StoreUnavailable
            raise kind(f"{self.url} cannot be reached: {_find_cause(error)}") from error

    def _read_credentials(self) -> dict[str, str]:
        try:
            if self._settings.api == "v2":
                token = store_token(self._settings)
                return {"Authorization": f"Token {_check_token(token)}"} if token else {}
            if not self._settings.username:
                return {}
            pair = f"{self._settings.username}:{store_password(self._settings) or ''}"
        except CollectorError as error:
            raise StoreRefused(str(error)) from error
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _check_token(token: str) -> str:
    """A token that is none must not reach the HTTP library: its message would show it."""
    if not token.isascii() or not token.isprintable():
        raise StoreRefused(f"the token is no token: one line of ASCII is expected; check token_file or {STORE_TOKEN}")
    return token


def _is_success(status: int) -> bool:
    return 200 <= status < 300  # noqa: PLR2004 - the range that HTTP defines


def _find_cause(error: BaseException) -> str:
    """The innermost reason: libraries wrap it in the names of their objects."""
    while isinstance(inner := error.__cause__ or error.__context__, OSError | HTTPException | HTTPError):
        error = inner
    return getattr(error, "strerror", None) or str(error)


def _read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from now; the header holds them or a date (RFC 9110, 10.2.3)."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
