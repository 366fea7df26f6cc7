"""What InfluxDB 2 and overloaded servers answer, which no server here can show.

A small HTTP server on loopback answers as https://docs.influxdata.com/influxdb/v2/api/v2/ documents. InfluxDB 1.x and
VictoriaMetrics are tested for real.
"""

import gzip
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest

from collector.errors import BatchRejected, StoreError, StoreRefused, StoreUnavailable
from collector.influx import InfluxDatabase
from collector.settings import InfluxStore, Site
from collector.store import Sample
from devices.reading import Reading
from devices.register import Device, Register

TIME = 1_790_000_000_123_456_789
GOOD = Reading("wm-1", TIME, TIME, {"volume_m3": 1.5})
REGISTER = Register(devices=[Device(id="wm-1", kind="water_meter")])


class Request(NamedTuple):
    """What was asked."""

    line: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Script(ThreadingHTTPServer):
    """Answers each "METHOD /path" with status, body and headers; everything else does not exist.

    Attributes:
        answers: what to say.
        requests: what was asked.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, tuple[int, object, dict[str, str]]] = {}
        self.requests: list[Request] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, line: str, status: int, body: object = b"", **headers: str) -> None:
        self.answers[line] = (status, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def asked(self, line: str) -> list[Request]:
        return [request for request in self.requests if request.line == line]


class Handler(BaseHTTPRequestHandler):
    """Looks answers up."""

    server: Script
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        line = f"{self.command} {parts.path}"
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.requests.append(Request(line, dict(parse_qsl(parts.query)), dict(self.headers), body))
        status, content, headers = self.server.answers.get(line, (404, b"404 page not found", {}))
        data = content if isinstance(content, bytes) else orjson.dumps(content)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _serve  # noqa: N815 - names that http.server looks for

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def script() -> Iterator[Script]:
    with Script() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def store(script: Script, monkeypatch: pytest.MonkeyPatch) -> Iterator[InfluxDatabase]:
    monkeypatch.setenv("SITEWARD_STORE_TOKEN", "my-token")
    parts = InfluxStore(kind="influxdb", api="v2", url=script.url, org="campus", bucket="siteward")
    store = InfluxDatabase(parts, Site(id="campus"), REGISTER)
    yield store
    store.close()


BUCKETS = {"buckets": [{"id": "b1", "name": "siteward", "retentionRules": [{"type": "expire", "everySeconds": 0}]}]}
NO_BUCKET = {"code": "not found", "message": 'bucket "siteward" not found'}
NOTHING = {"code": "invalid", "message": "writing requires points"}
NOT_ALLOWED = {"code": "unauthorized", "message": "unauthorized access"}


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_write(script: Script, store: InfluxDatabase) -> None:
    script.answer("POST /api/v2/write", 204)
    store.write([GOOD])
    (request,) = script.requests
    assert request.query == {"org": "campus", "bucket": "siteward", "precision": "ns"}
    assert request.headers["Authorization"] == "Token my-token"
    assert request.body == b"water_meter,device=wm-1,site=campus volume_m3=1.5 1790000000123456789"


def test_a_compressed_write(script: Script) -> None:
    script.answer("POST /api/v2/write", 204)
    parts = InfluxStore(kind="influxdb", api="v2", url=script.url, bucket="siteward", gzip=True)
    store = InfluxDatabase(parts, Site(id="campus"), REGISTER)
    store.write([GOOD])
    store.close()
    (request,) = script.requests
    assert request.query == {"bucket": "siteward", "precision": "ns"}
    assert "Authorization" not in request.headers
    assert request.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(request.body).startswith(b"water_meter,")


@pytest.mark.parametrize(
    ("url", "setting", "compressed"),
    [
        ("http://127.0.0.1:8086", None, False),
        ("http://localhost:8086", None, False),
        ("http://[::1]:8086", None, False),
        ("http://database:8086", None, True),
        ("http://10.0.0.5:8086", None, True),
        ("http://10.0.0.5:8086", False, False),
    ],
)
def test_what_stays_on_the_machine_is_not_compressed(url: str, setting: bool | None, compressed: bool) -> None:
    parts = InfluxStore(kind="influxdb", api="v2", url=url, bucket="siteward", gzip=setting)
    assert InfluxDatabase(parts, Site(id="campus"), REGISTER)._gzip is compressed


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_overload_is_waited_for(script: Script, store: InfluxDatabase, status: int) -> None:
    script.answer("POST /api/v2/write", status, {"message": "too busy"})
    with pytest.raises(StoreUnavailable) as caught:
        store.write([GOOD])
    assert str(caught.value) == f"{script.url} answers {status}: too busy"
    assert caught.value.retry_after_s is None


def test_retry_after_in_seconds(script: Script, store: InfluxDatabase) -> None:
    script.answer("POST /api/v2/write", 429, Retry_After="17")
    with pytest.raises(StoreUnavailable, match="no reason given") as caught:
        store.write([GOOD])
    assert caught.value.retry_after_s == 17.0


def test_retry_after_as_a_date(script: Script, store: InfluxDatabase) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=90)
    script.answer("POST /api/v2/write", 503, Retry_After=format_datetime(moment, usegmt=True))
    with pytest.raises(StoreUnavailable) as caught:
        store.write([GOOD])
    assert caught.value.retry_after_s is not None
    assert 80 < caught.value.retry_after_s <= 90


@pytest.mark.parametrize("text", ["soon", "", "-5"])
def test_retry_after_that_means_nothing(script: Script, store: InfluxDatabase, text: str) -> None:
    script.answer("POST /api/v2/write", 429, Retry_After=text)
    with pytest.raises(StoreUnavailable) as caught:
        store.write([GOOD])
    assert caught.value.retry_after_s is None


def test_unprocessable_lines_are_rejected(script: Script, store: InfluxDatabase) -> None:
    said = "failure writing points to database: partial write: points beyond retention policy dropped=1"
    script.answer("POST /api/v2/write", 422, {"code": "unprocessable entity", "message": said})
    with pytest.raises(BatchRejected) as caught:
        store.write([GOOD])
    assert str(caught.value) == "failure writing points to database: partial write: points beyond retention policy"


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_may_not_write(script: Script, store: InfluxDatabase, status: int) -> None:
    script.answer("POST /api/v2/write", status, NOT_ALLOWED)
    with pytest.raises(StoreRefused) as caught:
        store.write([GOOD])
    assert str(caught.value) == (
        f"{script.url} does not let our token write to bucket siteward: unauthorized access;"
        " check token_file or SITEWARD_STORE_TOKEN, and that the token may read and write bucket siteward"
    )


def test_a_server_that_moved(script: Script, store: InfluxDatabase) -> None:
    script.answer("POST /api/v2/write", 307, Location="https://influx.example/api/v2/write")
    with pytest.raises(StoreRefused, match=r"sends us on to https://influx\.example/api/v2/write; give that"):
        store.write([GOOD])


def test_an_answer_that_is_no_text(script: Script, store: InfluxDatabase) -> None:
    script.answer("POST /api/v2/write", 418, b"<h1>\xff\n\nteapot</h1>" * 100)
    with pytest.raises(StoreRefused) as caught:
        store.write([GOOD])
    assert str(caught.value).startswith(f"{script.url} answers 418 when we write to bucket siteward: <h1>")
    assert len(str(caught.value)) < 500


def test_a_token_of_two_lines_is_not_shown(
    script: Script, store: InfluxDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITEWARD_STORE_TOKEN", "my-secret\ntoken")
    with pytest.raises(StoreRefused, match="the token is no token: one line of ASCII is expected") as caught:
        store.write([GOOD])
    assert "my-secret" not in str(caught.value)
    assert script.requests == []


# ── preparing ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_bucket_and_its_mapping_that_are_there_stay(script: Script, store: InfluxDatabase) -> None:
    script.answer("POST /api/v2/write", 400, NOTHING)
    script.answer("GET /api/v2/dbrps", 200, {"content": [{"database": "siteward", "virtual": True}]})
    store.prepare()
    assert [request.line for request in script.requests] == ["POST /api/v2/write", "GET /api/v2/dbrps"]


def test_a_missing_bucket_is_created_and_mapped(script: Script, store: InfluxDatabase) -> None:
    script.answer("POST /api/v2/write", 404, NO_BUCKET)
    script.answer("GET /api/v2/orgs", 200, {"orgs": [{"id": "o1", "name": "campus"}]})
    script.answer("POST /api/v2/buckets", 201, BUCKETS["buckets"][0])
    script.answer("GET /api/v2/buckets", 200, BUCKETS)
    script.answer("GET /api/v2/dbrps", 200, {"content": []})
    script.answer("POST /api/v2/dbrps", 201)
    store.prepare()
    (orgs,) = script.asked("GET /api/v2/orgs")
    assert orgs.query == {"org": "campus"}
    (bucket,) = script.asked("POST /api/v2/buckets")
    assert orjson.loads(bucket.body) == {"orgID": "o1", "name": "siteward", "retentionRules": []}
    (mapping,) = script.asked("POST /api/v2/dbrps")
    assert orjson.loads(mapping.body) == {
        "org": "campus",
        "bucketID": "b1",
        "database": "siteward",
        "retention_policy": "autogen",
        "default": True,
    }


def test_a_missing_bucket_that_may_not_be_created(script: Script, store: InfluxDatabase) -> None:
    script.answer("POST /api/v2/write", 404, NO_BUCKET)
    script.answer("GET /api/v2/orgs", 200, {"orgs": [{"id": "o1", "name": "campus"}]})
    script.answer("POST /api/v2/buckets", 403, NOT_ALLOWED)
    with pytest.raises(StoreRefused) as caught:
        store.prepare()
    assert str(caught.value) == (
        f"{script.url}: bucket siteward is missing and our token may not create it;"
        " create it with: influx bucket create --org 'campus' --name 'siteward'"
    )


def test_an_organisation_that_the_token_does_not_see(script: Script, store: InfluxDatabase) -> None:
    script.answer("POST /api/v2/write", 404, {"code": "not found", "message": 'organization name "campus" not found'})
    script.answer("GET /api/v2/orgs", 404, {"code": "not found", "message": "organization not found"})
    with pytest.raises(StoreRefused, match="bucket siteward is missing and our token may not create it"):
        store.prepare()


def test_a_bucket_that_may_not_be_mapped_is_still_written(script: Script, store: InfluxDatabase) -> None:
    script.answer("POST /api/v2/write", 400, NOTHING)
    script.answer("GET /api/v2/dbrps", 401, NOT_ALLOWED)
    script.answer("GET /api/v2/buckets", 200, BUCKETS)
    script.answer("POST /api/v2/dbrps", 401, NOT_ALLOWED)
    store.prepare()
    assert len(script.asked("POST /api/v2/dbrps")) == 1


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_a_proxy_that_knows_nothing_of_influxdb(script: Script, store: InfluxDatabase, status: int) -> None:
    script.answer("POST /api/v2/write", status, b"<html>The plain HTTP request was sent to HTTPS port</html>")
    with pytest.raises(StoreRefused, match=rf"answers {status} when we write to bucket siteward: <html>The plain HTTP"):
        store.prepare()
    (finding,) = (finding for finding in store.inspect() if finding.subject == "bucket siteward")
    assert not finding.good


def test_an_organisation_that_is_not_set(script: Script) -> None:
    script.answer("POST /api/v2/write", 400, {"code": "invalid", "message": "Please provide either orgID or org"})
    store = InfluxDatabase(
        InfluxStore(kind="influxdb", api="v2", url=script.url, bucket="siteward"), Site(id="campus"), REGISTER
    )
    with pytest.raises(StoreRefused, match="Please provide either orgID or org"):
        store.prepare()
    store.close()


# ── reading and inspecting ───────────────────────────────────────────────────────────────────────────────────────


def test_a_question_is_asked_of_the_bucket(script: Script, store: InfluxDatabase) -> None:
    table = {"name": "water_meter", "tags": {"device": "wm-1"}, "columns": ["time", "volume_m3"]}
    lines = [
        orjson.dumps({"results": [{"statement_id": 0, "series": [{**table, "values": [[TIME + n, n]]}]}]})
        for n in range(2)
    ]
    script.answer("POST /query", 200, b"\n".join(lines))
    assert store.series(["wm-1"], "volume_m3", TIME, TIME + 9) == {"wm-1": [Sample(TIME, 0.0), Sample(TIME + 1, 1.0)]}
    (request,) = script.requests
    assert dict(parse_qsl(request.body.decode())) == {
        "db": "siteward",
        "q": 'SELECT "volume_m3" FROM "water_meter" WHERE time >= 1790000000123456789 AND time < 1790000000123456798'
        """ AND ("device" = 'wm-1') GROUP BY "device\"""",
        "epoch": "ns",
        "chunked": "true",
    }


def test_an_answer_that_is_no_json(script: Script, store: InfluxDatabase) -> None:
    script.answer("POST /query", 200, b"<html>welcome</html>")
    with pytest.raises(StoreError, match=r"the database's answer is no JSON: .*welcome"):
        store.series(["wm-1"], "volume_m3", TIME, TIME + 9)


def test_doctor_reads_the_retention_of_the_bucket(script: Script, store: InfluxDatabase) -> None:
    script.answer("GET /ping", 204, X_Influxdb_Version="v2.7.6")
    script.answer("GET /flags", 200, b"<html>InfluxDB's own page for everything else</html>")
    script.answer("POST /api/v2/write", 400, NOTHING)
    script.answer("POST /query", 200, {"results": [{"statement_id": 0}]})
    rules = [{"type": "expire", "everySeconds": 86_400}]
    script.answer("GET /api/v2/buckets", 200, {"buckets": [{"id": "b1", "retentionRules": rules}]})
    findings = {finding.subject: finding for finding in store.inspect()}
    assert findings["database server"].message == f"InfluxDB v2.7.6 answers at {script.url}"
    assert findings["bucket siteward"].good
    assert findings["queries"].good
    assert findings["retention"].message.startswith("readings are kept for 1d, but late ones may be 35d old")
