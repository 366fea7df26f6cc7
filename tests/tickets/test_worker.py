"""A worker works on, whatever happens, and ends when it is told to."""

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

from structlog.testing import capture_logs

from tickets.worker import Words, Worker


class Weather(Exception):  # noqa: N818 - the test's own
    """What the worker foresees."""


class Clerk(Worker[str]):
    """Does what it is given, one thing a step; a rest is as long as the thing says."""

    words = Words(refused="it rains", resumed="it is dry", failed="what is this?", left="still at it")
    foreseen = (Weather,)
    patience_s = 10.0

    def __init__(self, *things: Callable[[], float]) -> None:
        super().__init__("clerk")
        self.things = deque(things)
        self.retreats: list[Exception] = []
        self.closed = False

    def step(self) -> float:
        return self.things.popleft()()

    def retreat(self, error: Exception) -> float:
        self.retreats.append(error)
        return 0.0

    def close(self) -> None:
        self.closed = True

    def end(self) -> float:
        """The last thing that it does."""
        self.stop()
        return 0.0


class Hasty(Clerk):
    """Is not waited for."""

    patience_s = 0.01


def fail(error: Exception) -> Callable[[], float]:
    def thing() -> float:
        raise error

    return thing


def test_trouble_is_said_once_until_it_is_over() -> None:
    wet, storm = Weather("wet"), Weather("storm")
    clerk = Clerk(fail(wet), fail(wet), fail(storm), lambda: 0.0, lambda: 0.0)
    clerk.things.append(clerk.end)
    with capture_logs() as logs:
        clerk.run()
    assert [(entry["event"], entry.get("reason")) for entry in logs] == [
        ("it rains", "wet"),
        ("it rains", "storm"),
        ("it is dry", None),
    ]
    assert clerk.retreats == [wet, wet, storm]
    assert clerk.closed


def test_what_nobody_foresaw_is_logged_in_full_and_work_goes_on() -> None:
    clerk = Clerk(fail(ValueError("odd")))
    clerk.things.append(clerk.end)
    with capture_logs() as logs:
        clerk.run()
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [
        ("what is this?", "error"),
        ("it is dry", "info"),
    ]
    assert clerk.closed


def test_a_change_ends_a_rest_and_the_last_one_is_taken_once() -> None:
    resting = threading.Event()
    taken: SimpleQueue[str | None] = SimpleQueue()

    def rest() -> float:
        resting.set()
        return 1000.0

    def take() -> float:
        taken.put(clerk.take())
        return 1000.0

    def take_twice() -> float:
        clerk.change("never seen")
        clerk.change("newest")
        take()
        return take()

    clerk = Clerk(rest, take, take_twice)
    clerk.start()
    assert resting.wait(10)
    clerk.change("new")
    assert taken.get(timeout=10) == "new"
    clerk.change("one more")
    assert [taken.get(timeout=10) for _ in range(2)] == ["newest", None]
    clerk.stop()
    assert not clerk.is_alive()


def test_a_step_that_hangs_is_left() -> None:
    hanging, over = threading.Event(), threading.Event()

    def hang() -> float:
        hanging.set()
        over.wait()
        return 0.0

    clerk = Hasty(hang)
    clerk.start()
    assert hanging.wait(10)
    with capture_logs() as logs:
        clerk.stop()
    assert [entry["event"] for entry in logs] == ["still at it"]
    over.set()
    clerk.join(10)
    assert clerk.closed
