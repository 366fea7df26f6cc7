"""InfluxDB 1, 2 and 3, and what speaks like it, as the store.

influxhttp.py sends requests, lineprotocol.py words readings, influxql.py words questions, influxdoctor.py judges.
"""

import gzip
import ipaddress
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import structlog

from collector import influxdoctor, influxql
from collector.errors import BatchRejected, BatchTooLarge, StoreError, StoreRefused
from collector.influxhttp import Answer, InfluxHttp
from collector.intervals import Interval
from collector.lineprotocol import LineRenderer, render_annotations
from collector.settings import InfluxStore, Site
from collector.store import Aggregate, Annotation, Finding, Sample, check_aggregate
from devices.durations import NANOSECONDS, parse_duration
from devices.reading import Reading
from devices.register import Register

log = structlog.get_logger()

_TEXT = {"Content-Type": "text/plain; charset=utf-8"}
_DEVICES_AT_ONCE = 100
_FORBIDDEN = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_NO_SUCH_ADDRESS = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
_BAD_LINES = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}


class InfluxDatabase:
    """The store in InfluxDB; collector/store.py says what each method promises.

    `api: v2` writes to /api/v2/write (InfluxDB 2 and 3, VictoriaMetrics), `v1` to /write (InfluxDB 1). Reading is
    InfluxQL at /query, which VictoriaMetrics has not.
    """

    def __init__(self, settings: InfluxStore, site: Site, register: Register) -> None:
        self._settings = settings
        self._site = site
        self._http = InfluxHttp(settings)
        self._gzip = not _is_loopback(settings.url) if settings.gzip is None else settings.gzip
        self._org = {"org": settings.org} if settings.org else {}
        self.use(register)

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def write(self, readings: Sequence[Reading]) -> None:
        """Stores readings."""
        self._write(self._renderer.render(readings))

    def annotate(self, annotations: Sequence[Annotation]) -> None:
        """Stores annotations."""
        self._write(render_annotations(annotations))

    def _write(self, lines: bytes) -> None:
        answer = self._post(lines)
        if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise BatchTooLarge(f"larger than the database takes: {answer.message}")
        if answer.status in _BAD_LINES:
            raise BatchRejected(_find_reason(answer.message), _find_count(answer.message))
        if answer.status == HTTPStatus.NOT_FOUND:
            raise self._http.explain(f"write to {self._http.target}", answer)

    def _post(self, lines: bytes) -> Answer:
        headers = _TEXT
        if self._gzip:
            lines = gzip.compress(lines, 1, mtime=0)
            headers = _TEXT | {"Content-Encoding": "gzip"}
        if self._settings.api == "v2":
            path, query = "/api/v2/write", self._org | {"bucket": self._settings.bucket}
        else:
            path, query = "/write", {"db": self._settings.database}
        return self._http.send(
            f"write to {self._http.target}",
            "POST",
            path,
            query=query | {"precision": "ns"},
            body=lines,
            headers=headers,
            accept={HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, *_BAD_LINES},
        )

    def use(self, register: Register) -> None:
        """Takes over a changed register."""
        self._renderer = LineRenderer(self._site.id, register)
        self._has_doors = any(device.kind == "door" for device in register)

    def close(self) -> None:
        """Ends connections."""
        self._http.close()

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    def series(
        self,
        devices: Sequence[str],
        point: str,
        start: int,
        end: int,
        *,
        interval: str | None = None,
        aggregate: Aggregate = "mean",
    ) -> Mapping[str, list[Sample]]:
        """Values of a point, oldest first, by device.

        Raises:
            ValueError: the interval or the aggregate does not fit.
            StoreUnavailable, StoreRefused: see collector/errors.py.
            StoreError: the database cannot answer.
        """
        cut = Interval(interval, self._site.zone) if interval else None
        if cut:
            check_aggregate(point, aggregate)
        members = defaultdict(list)
        for device in devices:
            members[self._renderer.measurement(device)].append(device)
        found: dict[str, list[Sample]] = {}
        for measurement, ids in members.items():
            for first in range(0, len(ids), _DEVICES_AT_ONCE):
                question = influxql.ask(
                    measurement,
                    ids[first : first + _DEVICES_AT_ONCE],
                    point,
                    influxql.Span(start, end),
                    interval=cut,
                    aggregate=aggregate,
                    zone=self._site.zone,
                )
                found |= influxql.collect(question, self._query(question.text))
        return found

    def _query(self, text: str) -> Iterable[bytes]:
        form = {
            "db": self._settings.database or self._settings.bucket,
            "q": text,
            "epoch": "ns",
            "chunked": "true",  # a long answer comes in lines, and no limit on rows cuts it
        }
        return self._http.stream(f"read {self._http.target}", "/query", form)

    # ── preparing ────────────────────────────────────────────────────────────────────────────────────────────────

    def prepare(self) -> None:
        """Creates the database, or the bucket and its mapping for InfluxQL, where it may."""
        self._http.forget_credentials()
        if self._is_missing():
            created = self._create_bucket() if self._settings.api == "v2" else self._create_database()
            if not created:
                raise StoreRefused(
                    f"{self._http.url}: {self._http.target} is missing and {self._http.who} may not create it;"
                    f" create it with: {self._creation}",
                )
            log.info("created what was missing in the database", created=self._http.target)
        if self._settings.api == "v2":
            self._map_bucket()

    def _is_missing(self) -> bool:
        """Whether the database or bucket is missing, as a write of nothing tells.

        Raises:
            StoreUnavailable, StoreRefused: the server cannot be reached, or does not let us write.
        """
        answer = self._post(b"")
        if answer.status in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
            return False
        # What answers no JSON is not InfluxDB, but a proxy or another server: its 400 would look like bad readings.
        if answer.document and answer.status == HTTPStatus.NOT_FOUND:
            return True
        if answer.document and answer.status in _BAD_LINES and (self._org or "org" not in answer.message):
            return False  # InfluxDB 2: nothing is too little
        raise self._http.explain(f"write to {self._http.target}", answer)

    def _create_database(self) -> bool:
        statement = f"CREATE DATABASE {influxql.quote_name(self._settings.database)}"
        answer = self._http.send("create it", "POST", "/query", query={"q": statement}, accept=_FORBIDDEN)
        return answer.status not in _FORBIDDEN

    def _create_bucket(self) -> bool:
        orgs = self._list("/api/v2/orgs", self._org, "orgs")
        if not orgs:
            return False
        bucket = {"orgID": orgs[0]["id"], "name": self._settings.bucket, "retentionRules": []}
        answer = self._http.send("create it", "POST", "/api/v2/buckets", body=bucket, accept=_FORBIDDEN)
        return answer.status not in _FORBIDDEN

    @property
    def _creation(self) -> str:
        if self._settings.api == "v2":
            return f"influx bucket create --org '{self._settings.org}' --name '{self._settings.bucket}'"
        return f"CREATE DATABASE {influxql.quote_name(self._settings.database)}"

    def _map_bucket(self) -> None:
        """InfluxDB 2 answers InfluxQL about buckets that are mapped; newer versions do so by themselves."""
        mappings = self._list("/api/v2/dbrps", self._org | {"db": self._settings.bucket}, "content")
        if mappings is None or mappings:
            return
        bucket = self._find_bucket()
        mapping = self._org | {"database": self._settings.bucket, "retention_policy": "autogen", "default": True}
        if bucket:
            mapping["bucketID"] = bucket["id"]
            answer = self._http.send("map it", "POST", "/api/v2/dbrps", body=mapping, accept=_FORBIDDEN)
        if not bucket or answer.status in _FORBIDDEN:
            log.warning(
                "readings are stored, but InfluxQL cannot read them: the token may not map the bucket",
                hint=f"influx v1 dbrp create --db '{self._settings.bucket}' --rp autogen --default --bucket-id …",
            )

    def _find_bucket(self) -> Mapping[str, Any] | None:
        buckets = self._list("/api/v2/buckets", self._org | {"name": self._settings.bucket}, "buckets")
        return buckets[0] if buckets else None

    def _list(self, path: str, query: Mapping[str, str], key: str) -> list[Mapping[str, Any]] | None:
        """What InfluxDB 2 has and lets us see; None where the server has no such address."""
        answer = self._http.send(f"list {key}", "GET", path, query=query, accept=_NO_SUCH_ADDRESS | _FORBIDDEN)
        if answer.status in _FORBIDDEN:
            return []
        return answer.document.get(key, []) if answer.status == HTTPStatus.OK else None

    # ── inspecting ───────────────────────────────────────────────────────────────────────────────────────────────

    def inspect(self) -> list[Finding]:
        """What doctor should know."""
        try:
            greeting = self._http.send("ask how it is", "GET", "/ping", accept=_NO_SUCH_ADDRESS | _FORBIDDEN)
            flags = self._http.send("ask who it is", "GET", "/flags", accept=_NO_SUCH_ADDRESS | _FORBIDDEN)
        except StoreError as error:
            return [Finding("database server", good=False, message=str(error))]
        victoria = influxdoctor.read_flags(flags.body.decode("utf-8", "replace"))
        version = greeting.headers.get("X-Influxdb-Version")
        name = "VictoriaMetrics" if victoria else f"InfluxDB {version}" if version else "a server of unknown kind"
        return [
            Finding("database server", good=True, message=f"{name} answers at {self._http.url}"),
            influxdoctor.judge_clock(greeting.headers.get("Date", ""), time.time_ns()),
            self._try_writing(),
            *(influxdoctor.judge_victoria(victoria, has_doors=self._has_doors) if victoria else self._try_reading()),
        ]

    def _try_writing(self) -> Finding:
        try:
            missing = self._is_missing()
        except StoreError as error:
            return Finding(self._http.target, good=False, message=str(error))
        if missing:
            message = f"missing; Siteward creates it at its start where it may, else: {self._creation}"
            return Finding(self._http.target, good=False, message=message)
        return Finding(self._http.target, good=True, message="may be written to")

    def _try_reading(self) -> list[Finding]:
        try:
            for _ in influxql.rows(self._query("SHOW MEASUREMENTS LIMIT 1")):
                pass
            kept = self._find_retention()
        except StoreError as error:
            return [Finding("queries", good=False, message=str(error))]
        findings = [Finding("queries", good=True, message="InfluxQL is answered")]
        return findings if kept is None else [*findings, influxdoctor.judge_retention(kept)]

    def _find_retention(self) -> int | None:
        """How long readings are kept, ns, 0 for ever; None where we may not know."""
        if self._settings.api == "v2":
            bucket = self._find_bucket()
            rules = bucket["retentionRules"] if bucket else None
            return None if rules is None else sum(rule["everySeconds"] for rule in rules) * NANOSECONDS["s"]
        statement = f"SHOW RETENTION POLICIES ON {influxql.quote_name(self._settings.database)}"
        for _, table in influxql.rows(self._query(statement)):
            for values in table["values"]:
                policy = dict(zip(table["columns"], values, strict=True))
                if policy["default"]:
                    return parse_duration(policy["duration"])
        return None


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _find_reason(message: str) -> str:
    """What is wrong with a reading, the same for all with the same fault: without its line, and without counts."""
    message = re.sub(r"unable to parse '.*?': ", "", message)
    return re.sub(r"^partial write: | dropped=\d+$", "", message)


def _find_count(message: str) -> int | None:
    """How many readings were left out; a line that cannot be parsed is not counted."""
    match = re.search(r" dropped=(\d+)$", message)
    return int(match[1]) if match and match[1] != "0" else None
