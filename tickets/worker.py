"""A thread that works step by step until it is stopped: whatever goes wrong, it says so once, waits, and goes on."""

import threading
from abc import ABC, abstractmethod
from typing import ClassVar, Generic, NamedTuple, TypeVar

import structlog

log = structlog.get_logger()

Change = TypeVar("Change")


class Words(NamedTuple):
    """What a worker logs.

    Attributes:
        refused: its work cannot be done, for a reason that is told beside.
        resumed: it can be done again.
        failed: something unexpected happened.
        left: it did not end in time.
    """

    refused: str
    resumed: str
    failed: str
    left: str


class Worker(threading.Thread, ABC, Generic[Change]):
    """Who inherits says what a step is, and how long to wait when one fails.

    Attributes:
        trouble: why the work cannot be done, else "".
    """

    words: ClassVar[Words]
    foreseen: ClassVar[tuple[type[Exception], ...]]
    """What a step raises where something that it needs cannot be used; its message is for people."""
    patience_s: ClassVar[float] = 2.0
    """How long `stop` waits for the end of a step."""

    def __init__(self, name: str) -> None:
        """Nothing runs before `start`."""
        super().__init__(name=name, daemon=True)
        self.trouble = ""
        self._stopping = False
        self._next: Change | None = None
        self._changed = threading.Condition()

    # ── from other threads ───────────────────────────────────────────────────────────────────────────────────────

    def change(self, change: Change) -> None:
        """Hands over what the next step is to `take`; a rest ends at once."""
        with self._changed:
            self._next = change
            self._changed.notify_all()

    def stop(self) -> None:
        """Ends the thread, in less than 5 s; where it does not end, it is left."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self.is_alive():
            self.join(self.patience_s)
        if self.is_alive():
            log.warning(self.words.left)

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Works until `stop`."""
        while not self._stopping:
            self.rest(self._attempt())
        self.close()

    def _attempt(self) -> float:
        """One step, whatever comes of it; returns how many seconds to wait before the next."""
        try:
            rest_s = self.step()
        except self.foreseen as error:
            if str(error) != self.trouble:
                log.warning(self.words.refused, reason=str(error))
            self.trouble = str(error)
            return self.retreat(error)
        except Exception as error:
            log.exception(self.words.failed)
            self.trouble = f"unexpected: {error!r}"
            return self.retreat(error)
        self.recover()
        return rest_s

    def recover(self) -> None:
        """Notes that the work can be done."""
        if self.trouble:
            log.info(self.words.resumed)
            self.trouble = ""

    def rest(self, seconds: float) -> None:
        """Waits, or until `stop` or a change."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._next is not None, seconds)

    def take(self) -> Change | None:
        """What was handed over last, once."""
        with self._changed:
            change, self._next = self._next, None
        return change

    @abstractmethod
    def step(self) -> float:
        """Does what there is to do; returns how many seconds to wait before the next step."""

    @abstractmethod
    def retreat(self, error: Exception) -> float:
        """A step failed; returns how many seconds to wait before the next."""

    @abstractmethod
    def close(self) -> None:
        """Puts away what the steps have opened, once the thread is over."""
