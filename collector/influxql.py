"""InfluxQL: questions about series as text, and answers as samples. Pure: no I/O.

The language: https://docs.influxdata.com/influxdb/v1/query_language/
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson

from collector.errors import StoreError
from collector.intervals import Interval
from collector.store import Aggregate, Sample
from devices.durations import NANOSECONDS, write_duration

_WEEK = NANOSECONDS["w"]


class Span(NamedTuple):
    """From the first nanosecond to the first one after."""

    start: int
    end: int


class Question(NamedTuple):
    """Statements to be sent at once.

    Attributes:
        text: the statements.
        starts: for each statement the time of its samples; empty where the database gives the times.
    """

    text: str
    starts: Sequence[int] = ()


def quote_name(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def quote_text(text: str) -> str:
    """A text as a literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def ask(
    measurement: str,
    devices: Sequence[str],
    point: str,
    span: Span,
    *,
    interval: Interval | None,
    aggregate: Aggregate,
    zone: ZoneInfo,
) -> Question:
    """The question for the values of a point of devices that are in one measurement; see Store.series."""
    field = f"{aggregate}({quote_name(point)})" if interval else quote_name(point)
    wanted = " OR ".join(f'"device" = {quote_text(device)}' for device in devices)

    def select(part: Span, grouping: str = "") -> str:
        return (
            f"SELECT {field} FROM {quote_name(measurement)}"  # noqa: S608 - every part is quoted, checked or a number
            f" WHERE time >= {part.start} AND time < {part.end} AND ({wanted})"
            f' GROUP BY "device"{grouping}'
        )

    if interval is None:
        return Question(select(span))
    if interval.length % _WEEK:
        grouping = f", time({write_duration(interval.length)}) fill(none) tz({quote_text(zone.key)})"
        return Question(select(span, grouping))
    # time(1w) begins on Thursdays, and moved to Mondays it is an hour wrong around a change of the clocks.
    weeks = list(_buckets(span, interval))
    parts = (Span(max(week.start, span.start), min(week.end, span.end)) for week in weeks)
    return Question("; ".join(map(select, parts)), [week.start for week in weeks])


def _buckets(span: Span, interval: Interval) -> Iterator[Span]:
    time = span.start
    while time < span.end:
        bucket = Span(*interval.bounds(time))
        yield bucket
        time = bucket.end


def rows(lines: Iterable[bytes]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The tables of an answer, each with its statement's number; a long table comes in pieces.

    Args:
        lines: of the answer's body, each a JSON document (`chunked=true`).

    Raises:
        StoreError: the database did not understand or could not answer.
    """
    for line in lines:
        if not line.strip():
            continue
        try:
            answer = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise StoreError(f"the database's answer is no JSON: {line[:80]!r}") from error
        for result in (answer, *answer.get("results", ())):
            if "error" in result:
                raise StoreError(f"the database cannot answer: {result['error']}")
            for table in result.get("series", ()):
                yield result.get("statement_id", 0), table


def collect(question: Question, lines: Iterable[bytes]) -> dict[str, list[Sample]]:
    """The answer to a question: samples by device, oldest first.

    Raises:
        StoreError: as `rows`, or the database is one that has no InfluxQL.
    """
    samples: dict[str, list[Sample]] = {}
    for statement, table in rows(lines):
        if "device" not in table.get("tags", ()):
            raise StoreError("the database does not answer InfluxQL; ask it in its own language")
        series = samples.setdefault(table["tags"]["device"], [])
        for moment, value in table["values"]:
            if value is not None:
                start = question.starts[statement] if question.starts else moment
                series.append(Sample(start, value if isinstance(value, bool | str) else float(value)))
    return samples
