"""Quarantine: grouped by cause, bounded in size, counted for ever."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import quarantine
from collector.journal import Journal
from collector.quarantine import Group, Rejection
from devices.errors import Stranger


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.db", 10**8, ("store", "ledger"))
    yield journal
    journal.close()


def rejection(
    received: int,
    reason: str = "no",
    device: str = "em-1",
    payload: bytes = b"x",
    hint: str = "",
    *,
    strangers: tuple[str, ...] = (),
) -> Rejection:
    who = tuple(Stranger("box", address) for address in strangers)
    return Rejection("decode", device, reason, hint, received, "a/topic", payload, who)


def kept_arrivals(journal: Journal, group: Group) -> list[int]:
    return [item.received for _, item in quarantine.messages(journal.connection(), group)]


def count_messages(journal: Journal) -> int:
    (count,) = journal.connection().execute("SELECT count(*) FROM quarantine_message").fetchone()
    return int(count)


def test_the_same_cause_at_the_same_device_is_one_group_and_the_largest_comes_first(journal: Journal) -> None:
    with journal.transaction() as connection:
        quarantine.record(connection, [rejection(5, "b"), rejection(7), rejection(9), rejection(8, device="em-2")])
        quarantine.record(connection, [rejection(11, hint="newer advice")])
    groups = quarantine.list_groups(journal.connection())
    assert [(g.device, g.reason, g.hint, g.times, g.kept, g.first, g.last) for g in groups] == [
        ("em-1", "no", "newer advice", 3, 3, 7, 11),
        ("em-1", "b", "", 1, 1, 5, 5),
        ("em-2", "no", "", 1, 1, 8, 8),
    ]
    kept = [item for _, item in quarantine.messages(journal.connection(), groups[0])]
    assert [item.received for item in kept] == [7, 9, 11]
    assert kept[0] == Rejection("decode", "em-1", "no", "newer advice", 7, "a/topic", b"x")


def test_messages_are_taken_out_once_and_with_the_last_one_the_group(journal: Journal) -> None:
    with journal.transaction() as connection:
        quarantine.record(connection, [rejection(1), rejection(2)])
    (group,) = quarantine.list_groups(journal.connection())
    first, second = (number for number, _ in quarantine.messages(journal.connection(), group))
    with journal.transaction() as connection:
        assert quarantine.take(connection, group.id, first)
        assert not quarantine.take(connection, group.id, first), "somebody else was faster"
    (group,) = quarantine.list_groups(journal.connection())
    assert (group.times, group.kept) == (2, 1)
    with journal.transaction() as connection:
        assert quarantine.take(connection, group.id, second)
    assert quarantine.list_groups(journal.connection()) == []
    assert count_messages(journal) == 0


def test_each_stranger_has_a_group_and_their_message_is_kept_once(journal: Journal) -> None:
    with journal.transaction() as connection:
        quarantine.record(connection, [rejection(1, strangers=("b1", "b2", "b1")), rejection(2, strangers=("b2",))])
    groups = quarantine.list_groups(journal.connection())
    assert [(group.stranger, group.times, kept_arrivals(journal, group)) for group in groups] == [
        (Stranger("box", "b2"), 2, [1, 2]),
        (Stranger("box", "b1"), 1, [1]),
    ]
    assert count_messages(journal) == 2
    ((_, kept),) = quarantine.messages(journal.connection(), groups[1])
    assert kept == rejection(1, strangers=("b1",))


def test_a_message_goes_with_the_last_group_that_holds_it(journal: Journal) -> None:
    with journal.transaction() as connection:
        quarantine.record(connection, [rejection(1, strangers=("b1", "b2"))])
    first, second = quarantine.list_groups(journal.connection())
    with journal.transaction() as connection:
        quarantine.remove(connection, first.id)
    assert (kept_arrivals(journal, second), count_messages(journal)) == ([1], 1)
    with journal.transaction() as connection:
        quarantine.remove(connection, second.id)
    assert count_messages(journal) == 0


def test_the_ledger_counts_each_stranger_of_a_message() -> None:
    hour = 3600 * 10**9
    rejections = [rejection(5, strangers=("b1", "b2"), device=""), rejection(hour), rejection(hour + 1)]
    assert quarantine.tally(rejections) == {("", 0): 2, ("em-1", 1): 2}


def test_a_group_is_dropped_with_its_messages(journal: Journal) -> None:
    with journal.transaction() as connection:
        quarantine.record(connection, [rejection(1), rejection(2, "other")])
    dropped, kept = quarantine.list_groups(journal.connection())
    with journal.transaction() as connection:
        quarantine.remove(connection, dropped.id)
    assert [group.reason for group in quarantine.list_groups(journal.connection())] == [kept.reason]
    assert journal.connection().execute("SELECT count(*) FROM quarantine_message").fetchone() == (1,)


def test_old_messages_go_and_stay_counted(journal: Journal) -> None:
    with journal.transaction() as connection:
        quarantine.record(connection, [rejection(1), rejection(2), rejection(3)])
        assert quarantine.trim(connection, before=3, most_bytes=10**6) == 2
    (group,) = quarantine.list_groups(journal.connection())
    assert (group.times, group.kept) == (3, 1)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3000)), max_size=60), st.integers(0, 20_000))
def test_beyond_its_room_the_oldest_of_the_largest_go(
    tmp_path_factory: pytest.TempPathFactory,
    arrivals: list[tuple[str, int]],
    room: int,
) -> None:
    journal = Journal(tmp_path_factory.mktemp("quarantine") / "journal.db", 10**8, ("store",))
    with journal.transaction() as connection:
        quarantine.record(connection, [rejection(at, why, payload=b"x" * n) for at, (why, n) in enumerate(arrivals)])
        dropped = quarantine.trim(connection, before=0, most_bytes=room)
    kept = {}
    for group in quarantine.list_groups(journal.connection()):
        mine = [at for at, (why, _) in enumerate(arrivals) if why == group.reason]
        kept[group.reason] = kept_arrivals(journal, group)
        assert kept[group.reason] == mine[len(mine) - group.kept :], "the newest stay"
        assert group.times == len(mine)
    journal.close()
    size = sum(arrivals[at][1] + len("a/topic") + 64 for numbers in kept.values() for at in numbers)
    assert size <= room
    assert dropped == len(arrivals) - sum(map(len, kept.values()))


@given(
    st.lists(st.tuples(st.sets(st.sampled_from("abc"), min_size=1), st.integers(0, 3000)), max_size=40),
    st.integers(0, 20_000),
)
def test_messages_in_several_groups_take_their_room_once(
    tmp_path_factory: pytest.TempPathFactory,
    arrived: list[tuple[set[str], int]],
    room: int,
) -> None:
    journal = Journal(tmp_path_factory.mktemp("quarantine") / "journal.db", 10**8, ("store",))
    with journal.transaction() as connection:
        quarantine.record(
            connection, [rejection(at, payload=b"x" * n, strangers=tuple(who)) for at, (who, n) in enumerate(arrived)]
        )
        dropped = quarantine.trim(connection, before=0, most_bytes=room)
    left = {
        number for group in quarantine.list_groups(journal.connection()) for number in kept_arrivals(journal, group)
    }
    for group in quarantine.list_groups(journal.connection()):
        assert kept_arrivals(journal, group) == sorted(at for at in left if group.address in arrived[at][0])
        assert group.times == sum(group.address in who for who, _ in arrived)
    journal.close()
    assert sum(arrived[at][1] + len("a/topic") + 64 for at in left) <= room
    assert dropped == len(arrived) - len(left)


def test_ever_new_causes_do_not_fill_the_disk(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "_GROUPS_MOST", 3)
    for start in (0, 10):
        with journal.transaction() as connection:
            quarantine.record(connection, [rejection(number, f"cause {number}") for number in range(start, start + 5)])
            quarantine.trim(connection, before=0, most_bytes=10**6)
    groups = {group.reason: group for group in quarantine.list_groups(journal.connection())}
    merged = groups.pop("other causes, too many to keep apart")
    assert (merged.times, merged.first, merged.last) == (7, 0, 11)
    assert sorted(groups) == ["cause 12", "cause 13", "cause 14"]
