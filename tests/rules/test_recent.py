from hypothesis import given
from hypothesis import strategies as st

from rules.recent import Recent

PUTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 50), st.text(max_size=2)), max_size=40)


def fill(puts: list[tuple[int, int, str]], most: int) -> Recent[int, str]:
    recent: Recent[int, str] = Recent(most)
    for key, time, state in puts:
        recent.put(key, time, state)
    return recent


@given(PUTS, st.integers(1, 8))
def test_the_keys_heard_of_last_are_known_with_what_was_put_last(puts: list[tuple[int, int, str]], most: int) -> None:
    recent = fill(puts, most)
    last = {key: (time, state) for key, time, state in puts}
    heard = list(dict.fromkeys(key for key, _, _ in reversed(puts)))
    assert len(recent) == min(len(heard), most)
    for position, key in enumerate(heard):
        assert recent.get(key) == (last[key] if position < most else None)
        assert (key in recent) == (position < most)
    assert recent.newest == (puts[-1][1] if puts else None)


@given(PUTS, st.integers(0, 50))
def test_in_order_all_up_to_a_moment_is_forgotten(puts: list[tuple[int, int, str]], until: int) -> None:
    recent = fill(sorted(puts, key=lambda put: put[1]), 20)
    before = {key for key, _, _ in recent.snapshot()}
    count = recent.forget(until)
    after = {key for key, _, _ in recent.snapshot()}
    assert count == len(before) - len(after)
    assert all(time > until for _, time, _ in recent.snapshot())
    assert after <= before


@given(PUTS)
def test_a_snapshot_goes_on_in_the_same_order(puts: list[tuple[int, int, str]]) -> None:
    recent = fill(puts, 5)
    copy: Recent[int, str] = Recent(5)
    copy.restore(recent.snapshot())
    for each in (recent, copy):
        each.put(99, 60, "new")
    assert copy.snapshot() == recent.snapshot()


def test_a_key_can_be_dropped() -> None:
    recent = fill([(1, 1, "a"), (2, 2, "b")], 5)
    assert recent.drop(1)
    assert not recent.drop(1)
    recent.clear()
    assert len(recent) == 0
    assert recent.newest is None
