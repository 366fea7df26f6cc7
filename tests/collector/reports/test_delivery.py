"""When reports are due, and to whom: by the site's clocks, over restarts, once."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from collector.configuration import load
from collector.folder import ConfigurationError
from collector.reports.delivery import Delivery, list_latest
from collector.reports.deliverybook import DeliveryBook
from collector.reports.makers import MAKERS
from devices.durations import NANOSECONDS
from tests.sites import write_site

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE, HOUR, DAY = NANOSECONDS["m"], NANOSECONDS["h"], NANOSECONDS["d"]
EVERY = ["day", "week", "month", "quarter", "year"]


def at(text: str, zone: ZoneInfo = BERLIN) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * NANOSECONDS["s"]


def monthly(**rest: Any) -> Delivery:  # noqa: ANN401 - fields of every type
    return Delivery.model_validate({"report": "energy", "every": "month", "to": "li", **rest})


@pytest.mark.parametrize(
    ("every", "now", "period"),
    [
        ("day", "2026-11-23T06:59", "2026-11-21"),
        ("day", "2026-11-23T07:00", "2026-11-22"),
        ("week", "2026-11-23T07:00", "2026-W47"),
        ("month", "2026-11-01T06:59", "2026-09"),
        ("month", "2026-11-01T07:00", "2026-10"),
        ("quarter", "2026-10-01T07:00", "2026-Q3"),
        ("year", "2027-01-01T07:00", "2026"),
        ("day", "2026-03-30T07:00", "2026-03-29"),  # 23 hours long
        ("day", "2026-10-26T07:00", "2026-10-25"),  # 25
    ],
)
def test_a_report_is_due_in_the_morning_after_its_period(every: str, now: str, period: str) -> None:
    assert str(monthly(every=every).find_latest(BERLIN, at(now))) == period


@pytest.mark.parametrize(("day", "hour"), [("2026-03-29", "02:30"), ("2026-10-25", "02:30")])
def test_a_time_that_is_left_out_or_comes_twice_is_one_time(day: str, hour: str) -> None:
    delivery = monthly(every="day", at=hour)
    before = (datetime.fromisoformat(day) - timedelta(days=1)).date()
    first = next(
        time
        for time in range(at(f"{day}T00:00"), at(f"{day}T05:00"), 15 * MINUTE)
        if delivery.find_latest(BERLIN, time).first == before
    )
    assert first == at(f"{day}T02:30") if day.endswith("25") else at(f"{day}T01:00") < first <= at(f"{day}T03:30")


@given(
    every=st.sampled_from(EVERY), first=st.integers(at("2025-01-01"), at("2028-01-01")), later=st.integers(0, 400 * DAY)
)
def test_what_is_latest_never_goes_back_and_is_over(every: str, first: int, later: int) -> None:
    delivery = monthly(every=every)
    one, other = delivery.find_latest(BERLIN, first), delivery.find_latest(BERLIN, first + later)
    assert one.end <= other.end
    assert other.end <= first + later


def test_every_report_can_be_delivered() -> None:
    assert set(Delivery.model_fields["report"].annotation.__args__) == set(MAKERS)  # type: ignore[union-attr] # a closed list


# ── the book ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def due(book: DeliveryBook, now: int, *deliveries: Delivery) -> list[str]:
    return [f"{each.recipient} {each.period}" for each in book.list_due(list_latest(deliveries, BERLIN, now), now)]


def test_a_new_delivery_begins_with_the_next_period(tmp_path: Path) -> None:
    with DeliveryBook(tmp_path) as book:
        assert due(book, at("2026-10-15T12:00"), monthly()) == []
        assert due(book, at("2026-11-01T06:00"), monthly()) == []
        assert due(book, at("2026-11-01T07:00"), monthly()) == ["li 2026-10"]
        assert due(book, at("2026-11-01T07:00"), monthly(to=["li", "wang"])) == ["li 2026-10"]


def test_who_is_named_twice_is_told_once(tmp_path: Path) -> None:
    twice = [monthly(to=["li", "li"]), monthly(at="08:00")]
    with DeliveryBook(tmp_path) as book:
        due(book, at("2026-10-15"), *twice)
        assert due(book, at("2026-11-02"), *twice) == ["li 2026-10"]


def test_what_was_sent_is_remembered_and_what_was_missed_is_made_up_for_once(tmp_path: Path) -> None:
    with DeliveryBook(tmp_path) as book:
        assert due(book, at("2026-08-15"), monthly()) == []
    now = at("2026-11-20")
    with DeliveryBook(tmp_path) as book:
        (latest,) = book.list_due(list_latest([monthly()], BERLIN, now), now)
        assert str(latest.period) == "2026-10"  # not August and September as well
        book.settle(latest)
    with DeliveryBook(tmp_path) as book:
        assert due(book, now, monthly()) == []
        assert due(book, at("2026-12-01T07:00"), monthly()) == ["li 2026-11"]


def test_what_fails_is_tried_again_later_each_time(tmp_path: Path) -> None:
    with DeliveryBook(tmp_path) as book:
        due(book, at("2026-10-15"), monthly())
        now, waits = at("2026-11-01T07:00"), []
        for _ in range(9):
            (latest,) = book.list_due(list_latest([monthly()], BERLIN, now), now)
            tried = book.postpone(latest, "no route", now)
            wait = next(minutes for minutes in range(1, 400) if due(book, now + minutes * MINUTE, monthly()))
            waits.append(wait)
            now += wait * MINUTE
        assert waits == [5, 10, 20, 40, 80, 160, 320, 360, 360]
        assert tried == sum(waits[:-1]) * MINUTE
        book.settle(latest)
        assert due(book, now + DAY, monthly()) == []


# ── what reports.yaml may say ────────────────────────────────────────────────────────────────────────────────────────


def write(folder: Path, *deliveries: object) -> Path:
    config = write_site(folder, notify={"channels": {"room": {"kind": "room"}, "mail": {"kind": "personal"}}})
    people = {"li": {"contacts": {"mail": "li@campus.test"}}, "zhao": {}}
    (config / "desk.yaml").write_text(yaml.safe_dump({"people": people}), encoding="utf-8")
    (config / "reports.yaml").write_text(yaml.safe_dump({"deliveries": list(deliveries)}), encoding="utf-8")
    return config


def test_people_and_rooms_are_named(tmp_path: Path) -> None:
    text = {"report": "water", "every": "week", "at": "7:30", "format": "xlsx", "language": "zh", "to": ["li", "room"]}
    (delivery,) = load(write(tmp_path, text)).reports.deliveries
    assert (delivery.at.hour, delivery.at.minute, delivery.to) == (7, 30, ["li", "room"])


def test_a_time_without_quotes_is_meant_as_a_time(tmp_path: Path) -> None:
    config = write(tmp_path)
    (config / "reports.yaml").write_text(
        "deliveries: [{report: energy, every: day, at: 10:30, to: li}]", encoding="utf-8"
    )
    (delivery,) = load(config).reports.deliveries
    assert f"{delivery.at:%H:%M}" == "10:30"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"to": "lee"}, "lee"),
        ({"to": ["li", "mail"]}, "mail"),
        ({"to": "zhao"}, "'zhao' has no contacts in desk.yaml"),
        ({"at": "25:00"}, "expected a time of the day such as 07:00, got '25:00'"),
        ({"every": "hour"}, "hour"),
        ({"report": "gas"}, "gas"),
        ({"to": []}, "to"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, wrong: dict[str, object], told: str) -> None:
    text = {"report": "energy", "every": "month", "to": "li", **wrong}
    with pytest.raises(ConfigurationError) as caught:
        load(write(tmp_path, text))
    (problem,) = caught.value.problems
    assert problem.file.name == "reports.yaml"
    assert problem.line
    assert told in str(problem)
