"""Short notations of tests: series of values such as `230x4 260x10`, and moments such as `05:00` or `90m`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Annotated, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from devices.durations import parse_duration
from devices.errors import Undecodable
from devices.points import POINTS
from devices.reading import Value
from devices.values import check_value
from rules.localtime import find_moment

MOST = 500_000
"""Most values that one series may stand for."""

_DEPTH_MAX = 10
_TOKEN = re.compile(r'\s*(?:(?P<open>\()|\)(?:x(?P<count>\d+))?|(?P<item>(?:"[^"]*"|[^\s()"])+))')
_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?"
_STEPPED = re.compile(rf"(?P<start>-?{_NUMBER})?(?P<step>[-+]-?{_NUMBER})?(?:x(?P<count>\d+))?", re.ASCII)
_WORD = re.compile(r'(?P<quote>"?)(?P<word>.+?)(?P=quote)(?:x(?P<count>\d+))?', re.ASCII)
_YES_NO = {"true": True, "false": False}


# ── series ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Run(NamedTuple):
    """Values that follow each other.

    Attributes:
        start: the first of them; None: nothing, or, with a step, the value before and one step.
        step: by which each is more than the one before; 0 where all are the same.
        times: how many there are.
    """

    start: Value | None
    step: float
    times: int


@dataclass
class _Group:
    """What stands in brackets, and how many times it comes."""

    parts: "list[_Run | _Group]" = field(default_factory=list)
    times: int = 1


def read_series(text: str, point: str) -> list[Value | None]:
    """The values that a notation stands for; None where a reading is missing.

    Args:
        text: items with spaces between: `230` a value, `230x4` four times, `100+0.5x8` eight that rise, `+0.5x8` eight
            more from the one before, `_x3` three missing, `granted` a word, `"a x3"` a text with anything in it,
            `(5x8 20x16)x7` a pattern that comes again.
        point: whose values they are; it says whether they are numbers, true and false, or texts.

    Raises:
        ValueError: it is no such text, or too long; the message says what was expected.
    """
    series = _Expansion()
    series.add(_parse(text, point))
    for value in {value for value in series.values if value is not None}:
        try:
            check_value(point, value)
        except Undecodable as error:
            raise ValueError(f"{value!r}: {str(error).removeprefix(f'{point}: ')}") from None
    return series.values


def _parse(text: str, point: str) -> _Group:
    stack = [_Group()]
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError('a " is not closed')
        position = match.end()
        if match["item"]:
            stack[-1].parts.append(_read_item(match["item"], point))
        elif match["open"]:
            if len(stack) > _DEPTH_MAX:
                raise ValueError(f"brackets in more than {_DEPTH_MAX} levels")
            stack.append(_Group())
        elif len(stack) == 1:
            raise ValueError("a ) without its (")
        else:
            group = stack.pop()
            if not group.parts:
                raise ValueError("() holds no values")
            group.times = int(match["count"] or 1)
            stack[-1].parts.append(group)
    if len(stack) > 1:
        raise ValueError("a ( is not closed")
    if not stack[0].parts:
        raise ValueError("expected values such as 230x4 260x10, got nothing")
    return stack[0]


def _read_item(item: str, point: str) -> _Run:
    kind = POINTS[point].type
    missing = re.fullmatch(r"_(?:x(\d+))?", item, re.ASCII)
    if missing is not None:
        return _Run(None, 0.0, int(missing[1] or 1))
    if kind is float:
        return _read_numbers(item)
    match = _WORD.fullmatch(item)
    if match is None:
        raise ValueError(f"expected words such as granted or deniedx3, got {item!r}")
    count = int(match["count"] or 1)
    if kind is str:
        return _Run(match["word"], 0.0, count)
    if match["word"] not in _YES_NO:
        raise ValueError(f"expected true or false, got {match['word']!r}")
    return _Run(_YES_NO[match["word"]], 0.0, count)


def _read_numbers(item: str) -> _Run:
    match = _STEPPED.fullmatch(item)
    if match is None or not (match["start"] or match["step"]):
        raise ValueError(f"expected a number such as 230, 230x4 or 100+0.5x8, or _ where one is missing, got {item!r}")
    start = float(match["start"]) if match["start"] else None
    step = float(match["step"].replace("+-", "-").removeprefix("+")) if match["step"] else 0.0
    if start is not None and match["step"] and match["count"] is None:
        raise ValueError(f"{item!r} does not say how many: {item}x8 are eight")
    return _Run(start, step, int(match["count"] or 1))


class _Expansion:
    """Values as they are written out."""

    def __init__(self) -> None:
        self.values: list[Value | None] = []
        self._last: Value | None = None

    def add(self, group: _Group) -> None:
        for _ in range(group.times):
            for part in group.parts:
                if isinstance(part, _Group):
                    self.add(part)
                else:
                    self._run(part)

    def _run(self, run: _Run) -> None:
        if len(self.values) + run.times > MOST:
            raise ValueError(f"this is more than {MOST:,} values")
        if not run.times:
            raise ValueError("x0 is no value; leave it out")
        start = run.start
        if run.step and start is None:
            if not isinstance(self._last, float):
                raise ValueError("a step such as +0.5x8 goes on from a value, and there is none before it")
            start = self._last + run.step
        if isinstance(start, float):
            self.values += [start + run.step * number for number in range(run.times)]
        else:
            self.values += [start] * run.times
        self._last = self._last if start is None else self.values[-1]


# ── moments ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Moment(NamedTuple):
    """A moment of a test, as it was written.

    Attributes:
        text: `05:00`, `2026-03-03 05:00` or `90m`.
        day: of the date, where there is one.
        clock: what the site's clocks show; None where it is so long after the start.
        after: ns after the start.
    """

    text: str
    day: date | None = None
    clock: time | None = None
    after: int = 0

    def find(self, start: datetime, zone: ZoneInfo) -> int:
        """When it is, UTC ns.

        Args:
            start: of the test, as the site's clocks show it.
            zone: of the site.
        """
        if self.clock is None:
            return find_moment(start, zone) + self.after
        shown = datetime.combine(self.day or start.date(), self.clock)
        if self.day is None and shown < start:
            shown += timedelta(days=1)
        return find_moment(shown, zone)


_MOMENT = re.compile(r"(?:(\d{4}-\d\d-\d\d)[ T])?([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)


def read_moment(value: object) -> object:
    """`05:00`, `2026-03-03 05:00` or `90m` as Moment.

    Raises:
        ValueError: it is no such text.
    """
    if isinstance(value, Moment):
        return value
    text = value.strip() if isinstance(value, str) else ""
    match = _MOMENT.fullmatch(text)
    try:
        if match is None:
            return Moment(text, after=parse_duration(text))
        clock = time(int(match[2]), int(match[3]), int(match[4] or 0))
        return Moment(text, date.fromisoformat(match[1]) if match[1] else None, clock)
    except ValueError:
        raise ValueError(
            f"expected a moment such as 05:00, 2026-03-03 05:00 or, so long after the start, 90m, got {value!r}"
        ) from None


MomentField: TypeAlias = Annotated[
    Moment,
    BeforeValidator(read_moment),
    PlainSerializer(lambda moment: moment.text, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["05:00", "2026-03-03 05:00", "90m"]}),
]
"""A moment as a model's field."""


def read_offset(value: object) -> object:
    """`+10m` or `-2h` as ns.

    Raises:
        ValueError: it is no such text.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = value.strip() if isinstance(value, str) else ""
    try:
        sign = {"+": 1, "-": -1}[text[:1]]
        return sign * parse_duration(text[1:])
    except (KeyError, ValueError):
        raise ValueError(f"expected how far a clock is off, such as +10m or -2h, got {value!r}") from None


OffsetField: TypeAlias = Annotated[
    int, BeforeValidator(read_offset), WithJsonSchema({"type": "string", "examples": ["+10m", "-2h"]})
]
"""How far a clock is off, as a model's field, in ns: more than 0 is fast."""


def read_start(value: object) -> object:
    """`2026-03-02 08:00` as the site's clocks show it; a date alone is its midnight.

    Raises:
        ValueError: it is no such text.
    """
    if isinstance(value, datetime):
        return value
    try:
        shown = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        shown = None
    if shown is None or shown.tzinfo is not None:
        raise ValueError(f"expected a date and time such as 2026-03-02 08:00, by the site's clocks, got {value!r}")
    return shown


StartField: TypeAlias = Annotated[
    datetime,
    BeforeValidator(read_start),
    PlainSerializer(lambda shown: shown.isoformat(" "), when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["2026-03-02 08:00"]}),
]
"""The start of a test as a model's field."""


def flatten(values: Sequence[Value | None]) -> Iterator[tuple[int, Value]]:
    """The values that are there, each with its place in the series."""
    return ((number, value) for number, value in enumerate(values) if value is not None)
