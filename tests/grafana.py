"""What Grafana does to a dashboard's questions before the database gets them; no Grafana runs here.

Variables: https://grafana.com/docs/grafana/latest/dashboards/variables/variable-syntax/ (formats `regex` and `raw`); a
custom value of All goes in as it is:
https://grafana.com/docs/grafana/latest/dashboards/variables/add-template-variables/#custom-all-value.
Macros: $timeFilter and $__interval of the InfluxDB data source, as in Grafana's pkg/tsdb/influxdb/models/query.go.
Intervals: the range by the panel's width, rounded to a length of the list, at least the panel's own (min interval).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from devices.durations import parse_duration

ALL = "$__all"

_SPECIAL = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}")
_LENGTHS = ["1s", "2s", "5s", "10s", "15s", "20s", "30s", "1m", "2m", "5m", "10m", "15m", "20m", "30m"]
_LENGTHS += ["1h", "2h", "3h", "6h", "12h", "1d"]
_POINTS = 800
"""Points that a panel of half a screen asks for."""


class Span(NamedTuple):
    """The dashboard's time range, UTC milliseconds."""

    start: int
    end: int


class Question(NamedTuple):
    """Something that a dashboard asks; `least` is the panel's min interval."""

    where: str
    text: str
    least: str = "1s"


def questions(dashboard: Mapping[str, Any]) -> Iterator[Question]:
    """Every question of a dashboard's panels and annotations."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield Question(f"{panel['title']} {target['refId']}", target["query"], panel.get("interval", "1s"))
    for annotation in dashboard["annotations"]["list"]:
        yield Question(f"annotation {annotation['name']}", annotation["target"]["query"])


def variables(dashboard: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The variables of a dashboard by name, in their order."""
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


def expand(question: Question, values: Mapping[str, str | Sequence[str]], span: Span) -> str:
    """The statement that the database gets.

    Args:
        question: of a dashboard.
        values: of variables; a list where several are chosen. The value of All is the variable's own, `.*`.
        span: the time range.

    Raises:
        KeyError: a variable has no value.
    """
    text = _VARIABLE.sub(lambda match: _write(values[match[1]], match[2] or ""), question.text)
    text = text.replace("$timeFilter", f"time >= {span.start}ms and time <= {span.end}ms")
    return text.replace("$__interval", choose_interval(span, question.least))


def choose_interval(span: Span, least: str) -> str:
    """The value of $__interval."""
    wanted = max((span.end - span.start) * 1_000_000 // _POINTS, parse_duration(least))
    return next((length for length in _LENGTHS if parse_duration(length) >= wanted), _LENGTHS[-1])


def _write(value: str | Sequence[str], form: str) -> str:
    if value == ".*" or form == "raw":
        assert isinstance(value, str)
        return value
    assert form == "regex", f"the format {form!r} is not one that these dashboards need"
    if isinstance(value, str):
        return escape(value)
    escaped = [escape(each) for each in value]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def escape(text: str) -> str:
    """As a part of a regular expression."""
    return _SPECIAL.sub(lambda match: f"\\{match[0]}", text)
