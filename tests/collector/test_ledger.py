"""The loss ledger: every reading that was received is stored, rejected or waiting; what is missing shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import ledger
from collector.commands.quarantine import retry_group
from collector.configuration import Configuration, load
from collector.journal import Entry, Journal
from collector.ledger import HOUR, Line
from collector.quarantine import list_groups
from devices.reading import Reading
from devices.register import SELF, Device
from tests.sites import write_site

MINUTE = 60_000_000_000
FIRST = 498_610
"""Hours since 1970: 2026-11-18T10:00Z."""
START = FIRST * HOUR
CONSUMERS = ("store", "ledger")
METER = Device.model_validate({"id": "em-1", "kind": "electricity_meter", "interval": "15m"})


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    return load(write_site(tmp_path_factory.mktemp("site")))


def reading(hour: int, minute: int, device: str = "em-1", *, late: bool = False) -> Reading:
    time = START + hour * HOUR + minute * MINUTE
    return Reading(device, time, time + MINUTE, {"power_kw": 1.0}, late=late)


def store(journal: Journal, entries: list[Entry], rejected: frozenset[int] = frozenset()) -> None:
    """Advances as the StoreWriter does; `rejected` are numbers of readings within the entries."""
    readings = [reading for entry in entries for reading in entry.readings]
    good = [one for number, one in enumerate(readings) if number not in rejected]
    bad = [(one, "a reason") for number, one in enumerate(readings) if number in rejected]
    others = ledger.tally(one for one in good if one.device != SELF)
    journal.advance("store", entries[-1].position, stored=others, rejected=bad)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.db", 10**8, CONSUMERS)
    yield journal
    journal.close()


def lines(journal: Journal, *, now: int, start: int = START, end: int = START + 24 * HOUR) -> list[Line]:
    ledger.fold(journal)
    return ledger.lines(journal, {"em-1": METER}, start=start, end=end, now=now)


def test_a_day_worked_by_hand(journal: Journal) -> None:
    journal.commit([reading(0, 30), reading(0, 45)])  # born within the hour: nothing was expected
    journal.commit([reading(1, minute) for minute in (0, 15, 45)])  # one is missing
    journal.commit([reading(2, minute) for minute in (0, 15, 30, 45)])
    journal.commit([reading(0, 59, late=True)])
    store(journal, journal.read(0, 100), frozenset({8}))  # the database rejects that of 2:45
    journal.commit([reading(3, minute) for minute in (0, 15, 30, 45)])  # an outage of the database
    with journal.transaction() as connection:
        ledger.count(connection, "duplicate", {("em-1", FIRST + 3): 2})
        ledger.count(connection, "quarantined", {("em-1", FIRST + 4): 1, ("", FIRST + 4): 7})
    # It is 4:50: since 4:00 three intervals have passed, of which the newest may be on the way.
    assert lines(journal, now=START + 4 * HOUR + 50 * MINUTE) == [
        #                       expected received stored duplicate late quarantined waiting unexplained
        Line("", FIRST + 4, None, 0, 0, 0, 0, 7, 0, 0),
        Line("em-1", FIRST + 0, 0, 3, 3, 0, 1, 0, 0, 0),
        Line("em-1", FIRST + 1, 4, 3, 3, 0, 0, 0, 0, 1),
        Line("em-1", FIRST + 2, 4, 4, 3, 0, 0, 1, 0, 0),
        Line("em-1", FIRST + 3, 4, 4, 0, 2, 0, 0, 4, 0),
        Line("em-1", FIRST + 4, 2, 0, 0, 0, 0, 1, 0, 1),
    ]


def test_hours_without_a_word_are_missed_up_to_now_and_no_further(journal: Journal) -> None:
    journal.commit([reading(0, 0)])
    store(journal, journal.read(0, 100))
    found = lines(journal, now=START + 2 * HOUR + 30 * MINUTE)
    assert [(line.hour - FIRST, line.expected, line.unexplained) for line in found] == [(0, 0, 0), (1, 4, 4), (2, 1, 1)]
    later = lines(journal, now=START + 9 * HOUR, start=START + HOUR, end=START + 2 * HOUR)
    assert [(line.hour - FIRST, line.expected, line.unexplained) for line in later] == [(1, 4, 4)]


def test_a_stored_reading_that_vanished_from_the_count_is_unexplained(journal: Journal) -> None:
    journal.commit([reading(0, 0), reading(0, 15)])
    journal.advance("store", 2, stored={("em-1", FIRST): 1})  # the writer passed both, and stored one
    (line,) = lines(journal, now=START + 59 * MINUTE)
    assert line.unexplained == 1


def test_the_daemons_own_readings_are_not_counted(journal: Journal) -> None:
    journal.commit([reading(0, 0, SELF)])
    assert lines(journal, now=START + HOUR) == []


def test_two_processes_that_count_at_once_count_once(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.commit([reading(0, 0), reading(0, 15, late=True)])
    visitor = Journal(journal.path, 10**8)
    read = visitor.read

    def read_slowly(after: int, limit: int) -> list[Entry]:
        entries = read(after, limit)
        ledger.fold(journal)  # the daemon is faster
        return entries

    monkeypatch.setattr(visitor, "read", read_slowly)
    ledger.fold(visitor)
    visitor.close()
    (line,) = lines(journal, now=START + 59 * MINUTE)
    assert (line.received, line.late, line.waiting) == (2, 1, 2)


def test_what_arrives_while_the_ledger_is_read_is_not_unexplained(
    journal: Journal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    journal.commit([reading(0, 0)])
    ledger.fold(journal)
    visitor = Journal(journal.path, 10**8)
    read = visitor.read

    def read_slowly(after: int, limit: int) -> list[Entry]:
        entries = read(after, limit)
        if not entries:  # all that waits was counted; now the daemon goes on
            journal.commit([reading(0, 15)])
            ledger.fold(journal)
        return entries

    monkeypatch.setattr(visitor, "read", read_slowly)
    (line,) = ledger.lines(visitor, {}, start=START, end=START + HOUR, now=START + HOUR)
    visitor.close()
    assert (line.received, line.waiting, line.unexplained) == (1, 1, 0)


def test_old_hours_are_dropped(journal: Journal) -> None:
    journal.commit([reading(0, 0), reading(1, 0), reading(2, 0)])
    ledger.fold(journal)
    with journal.transaction() as connection:
        ledger.trim(connection, START + 2 * HOUR)
    assert [line.hour for line in lines(journal, now=START + 3 * HOUR) if line.received] == [FIRST + 2]


def test_newest_times_and_clock_skews_are_remembered(journal: Journal) -> None:
    fast = Reading("em-2", START + 90 * MINUTE, START + 80 * MINUTE, {"power_kw": 1.0})
    wrong = Reading("em-3", START, START, {"power_kw": 1.0}, claimed=START - 100 * HOUR)
    journal.commit([reading(0, 0), reading(0, 30), reading(0, 10, late=True), fast, wrong])
    ledger.fold(journal)
    connection = journal.connection()
    assert ledger.newest_times(connection) == {
        "em-1": START + 30 * MINUTE,
        "em-2": START + 90 * MINUTE,
        "em-3": START,
    }
    assert ledger.clock_skews(connection) == {"em-1": 0, "em-2": -10 * MINUTE, "em-3": 0}


def test_a_clock_behind_shows_in_two_hours_by_its_smallest_skew(journal: Journal) -> None:
    for hour, delay in ((0, 5), (0, 3), (1, 9), (2, 8), (2, 7)):
        time = START + hour * HOUR
        journal.commit([Reading("em-1", time, time + delay * MINUTE, {"power_kw": 1.0})])
        ledger.fold(journal)
    assert ledger.clock_skews(journal.connection()) == {"em-1": 7 * MINUTE}


readings = st.lists(
    st.builds(
        reading,
        st.integers(0, 2),
        st.integers(0, 59),
        st.sampled_from(["em-1", "em-2", SELF]),
        late=st.booleans(),
    ),
    min_size=1,
    max_size=4,
)
steps = st.one_of(
    readings,
    st.tuples(st.integers(1, 3), st.frozensets(st.integers(0, 5), max_size=3)),  # entries to store, readings to reject
    st.sampled_from(["fold", "retry"]),
)


@given(st.lists(steps, max_size=12))
def test_whatever_happens_received_is_stored_rejected_or_waiting(
    tmp_path_factory: pytest.TempPathFactory,
    configuration: Configuration,
    history: list[list[Reading] | tuple[int, frozenset[int]] | str],
) -> None:
    journal = Journal(tmp_path_factory.mktemp("ledger") / "journal.db", 10**8, CONSUMERS)
    for step in history:
        if isinstance(step, list):
            journal.commit(step)
        elif isinstance(step, tuple):
            count, rejected = step
            if entries := journal.read(journal.cursor("store"), 10**6)[:count]:
                store(journal, entries, rejected)
        elif step == "fold":
            ledger.fold(journal)
        else:
            for group in list_groups(journal.connection()):
                retry_group(journal, group, configuration)
    ledger.fold(journal)
    for line in ledger.lines(journal, {}, start=START, end=START + 24 * HOUR, now=START + 24 * HOUR):
        if line.device != SELF:
            assert line.received == line.stored + line.quarantined + line.waiting
        assert line.unexplained == 0
    journal.close()
