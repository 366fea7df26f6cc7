"""The embedded store against a naive model: whatever the order of events, an answer is what the samples say."""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from statistics import mean
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.embedded import EmbeddedDatabase
from collector.settings import Retention, Site
from collector.store import Aggregate
from devices.reading import Reading, Value
from devices.register import Register

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EPOCHS = {
    "Europe/Berlin, clocks go back": ("Europe/Berlin", "2026-10-24T00:00+02:00"),
    "Europe/Berlin, clocks go forward": ("Europe/Berlin", "2026-03-28T00:00+01:00"),
    "Asia/Shanghai": ("Asia/Shanghai", "2026-10-24T00:00+08:00"),
}
"""A midnight; the clocks are changed in the night after it."""

POINTS: dict[str, st.SearchStrategy[Value]] = {
    # Quarters, so that sums are exact in whatever order they are made.
    "power_kw": st.integers(-40, 40).map(lambda number: number / 4),
    "smoke": st.booleans(),
    "event": st.sampled_from(["granted", "denied", "tamper"]),
}
FOLDS: dict[Aggregate, Callable[[Sequence[float]], float]] = {"mean": mean, "min": min, "max": max, "sum": sum}

Sample = tuple[int, Value]
Model = dict[tuple[str, str], dict[int, Value]]
"""Of each device and point, values by time."""


def local(time: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(time // SECOND, zone)


def start_naively(time: int, interval: str, zone: ZoneInfo) -> int:
    number, unit = int(interval[:-1]), interval[-1]
    start = local(time, zone).replace(second=0)
    if unit == "m":
        start = start.replace(minute=start.minute // number * number)
    elif interval == "1h":
        start = start.replace(minute=0)
    elif unit == "h":
        start = start.replace(hour=start.hour // number * number, minute=0, fold=0)
    else:
        start = start.replace(hour=0, minute=0, fold=0)
        start -= timedelta(days=start.weekday() if unit == "w" else 0)
    return int(start.timestamp()) * SECOND


def fold_naively(samples: Sequence[Sample], interval: str, aggregate: Aggregate, zone: ZoneInfo) -> list[Sample]:
    buckets: dict[int, list[Value]] = defaultdict(list)
    for time, value in samples:
        buckets[start_naively(time, interval, zone)].append(value)
    answer: list[Sample] = []
    for start, values in sorted(buckets.items()):
        if aggregate == "count":
            answer.append((start, len(values)))
        elif aggregate in {"first", "last"}:
            answer.append((start, values[0 if aggregate == "first" else -1]))
        else:
            answer.append((start, FOLDS[aggregate]([float(value) for value in values])))
    return answer


@contextmanager
def fresh_store(zone: str, raw: str) -> Iterator[EmbeddedDatabase]:
    with tempfile.TemporaryDirectory() as folder:
        retention = Retention.model_validate({"raw": raw})
        store = EmbeddedDatabase(Path(folder) / "store.db", Site(id="campus", timezone=zone), Register(), retention)
        store.prepare()
        yield store
        store.close()


moments = st.builds(
    lambda day, step, rest: day * DAY + step * 5 * MINUTE + rest,
    st.integers(0, 4),
    st.integers(0, 50),
    st.sampled_from([-1, 0, 0, 1, 30 * SECOND]),
).map(lambda moment: max(moment, 0))
"""Nanoseconds since the epoch: the first hours of some days, often on the edges of buckets."""

readings = st.builds(
    lambda device, time, values: Reading(device, time, time, values),
    st.sampled_from(["a", "b"]),
    moments,
    st.fixed_dictionaries({}, optional=POINTS).filter(bool),
)
steps = st.lists(st.lists(readings, max_size=12) | st.sampled_from(["summarize", "expire"]), max_size=12)


def write(store: EmbeddedDatabase, model: Model, epoch: int, batch: Sequence[Reading]) -> None:
    moved = [Reading(reading.device, epoch + reading.time, epoch, reading.values) for reading in batch]
    store.write(moved)
    for reading in moved:
        for point, value in reading.values.items():
            model[reading.device, point][reading.time] = value


@settings(deadline=None, max_examples=80)
@given(
    place=st.sampled_from(sorted(EPOCHS)),
    steps=steps,
    span=st.tuples(moments, moments).map(sorted) | st.just([0, 5 * DAY]),
    point=st.sampled_from(sorted(POINTS)),
    interval=st.sampled_from(["1m", "10m", "15m", "30m", "1h", "2h", "6h", "1d", "1w"]),
)
def test_answers_are_exact_whenever_samples_come_and_summaries_are_made(
    place: str,
    steps: list[list[Reading] | str],
    span: list[int],
    point: str,
    interval: str,
) -> None:
    zone, midnight = EPOCHS[place]
    epoch = int(datetime.fromisoformat(midnight).timestamp()) * SECOND
    model: Model = defaultdict(dict)
    aggregates: list[Aggregate] = ["count", "first", "last"]
    if point not in {"event", "smoke"}:
        aggregates += ["mean", "min", "max", "sum"]
    with fresh_store(zone, "10d") as store:
        for step in steps:
            if step == "summarize":
                store.summarize()
            elif step == "expire":
                assert store.expire(epoch + 10 * DAY) == 0
            else:
                assert not isinstance(step, str)
                write(store, model, epoch, step)
        start, end = epoch + span[0], epoch + span[1]
        kept = {
            device: samples
            for device in ("a", "b")
            if (samples := [(t, value) for t, value in sorted(model[device, point].items()) if start <= t < end])
        }
        assert store.series(["a", "b"], point, start, end) == kept
        for aggregate in aggregates:
            answer = store.series(["a", "b"], point, start, end, interval=interval, aggregate=aggregate)
            assert answer == {
                device: fold_naively(samples, interval, aggregate, ZoneInfo(zone)) for device, samples in kept.items()
            }


@settings(deadline=None, max_examples=40)
@given(
    place=st.sampled_from(sorted(EPOCHS)),
    before=st.lists(readings, max_size=30),
    horizon=moments.map(lambda moment: moment // (15 * MINUTE)),
    after=st.lists(readings, max_size=30),
    interval=st.sampled_from(["15m", "1h", "6h", "1d", "1w"]),
    aggregate=st.sampled_from(["count", "mean", "min", "max", "sum", "first", "last"]),
    summarize=st.booleans(),
)
def test_summaries_stand_for_samples_that_have_expired(
    *,
    place: str,
    before: list[Reading],
    horizon: int,
    after: list[Reading],
    interval: str,
    aggregate: Aggregate,
    summarize: bool,
) -> None:
    zone, midnight = EPOCHS[place]
    epoch = int(datetime.fromisoformat(midnight).timestamp()) * SECOND
    model: Model = defaultdict(dict)
    with fresh_store(zone, "1d") as store:
        write(store, model, epoch, before)
        store.expire(epoch + horizon * 15 * MINUTE + DAY)
        write(store, model, epoch, [reading for reading in after if reading.time >= horizon * 15 * MINUTE])
        if summarize:
            store.summarize()
        for point in ("power_kw", "smoke") if aggregate in {"count", "first", "last"} else ("power_kw",):
            kept = {device: sorted(model[device, point].items()) for device in ("a", "b") if model[device, point]}
            answer = store.series(["a", "b"], point, epoch, epoch + 10 * DAY, interval=interval, aggregate=aggregate)
            assert answer == {
                device: fold_naively(samples, interval, aggregate, ZoneInfo(zone)) for device, samples in kept.items()
            }
            raw = store.series(["a", "b"], point, 0, epoch + horizon * 15 * MINUTE)
            assert raw == {}
