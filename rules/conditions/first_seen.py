"""`first_seen`: a credential that was never seen at a door before, once it is known who comes there."""

from hashlib import blake2b
from typing import Any, ClassVar, Literal

from pydantic import Field

from devices.durations import NANOSECONDS, write_duration
from devices.reading import Reading, Value
from devices.register import Duration, Text
from rules.alerts import Evidence
from rules.conditions.momentary import Lasting, Momentary, credential_details
from rules.conditions.node import Node, Scope
from rules.occupancy import credential_of
from rules.recent import Recent

_LEARN_FOR = 14 * NANOSECONDS["d"]
_KEPT = 90 * NANOSECONDS["d"]
"""Whoever was not seen for so long is new again."""


class FirstSeen(Momentary):
    """A credential that is used at the subject's doors and never was before, as far as is known.

    It says nothing while it learns who comes there, from the first use on. It remembers 5,000 credentials for each
    subject, and each for 90 days after its last use. When credentials get a new key, it learns anew.
    """

    summary: ClassVar[str] = "a credential that was never seen there before"

    event: Literal["granted", "denied"] = Field("granted", description="What happened to it.")
    learn_for: Duration = Field(_LEARN_FOR, le=_KEPT, description="How long it learns, from the first use on.")

    def build(self, scope: Scope) -> Node:
        """See the base."""
        node = _FirstSeen(self.event, self.learn_for, self.hold)
        for device in scope.devices:
            scope.listen(device.id, "event", node.take)
        return node

    def describe(self) -> Text:
        """See the base."""
        learn_for = write_duration(self.learn_for)
        return Text(
            en=f"a credential is {self.event} that was never {self.event} there before (after {learn_for} of learning)",
            zh=f"从未在此{'获准' if self.event == 'granted' else '被拒'}的凭证首次出现（学习 {learn_for} 之后）",
        )


class _FirstSeen(Lasting):
    """Who uses the doors. Credentials are kept as numbers of 8 bytes: nobody reads them back."""

    __slots__ = ("_event", "_key", "_known", "_learn_for", "_learned")

    def __init__(self, event: str, learn_for: int, hold: int) -> None:
        super().__init__(hold)
        self.truth = None
        self._event, self._learn_for = event, learn_for
        self._known: Recent[int, None] = Recent()
        self._key = ""  # which key made the credentials' hashes
        self._learned = False

    def take(self, value: Value, reading: Reading) -> bool:
        """See `Take`."""
        credential = credential_of(reading) if value == self._event else ""
        if not credential:
            return False
        time = reading.time
        key = credential.partition(":")[0]
        is_new_key, self._key = key != self._key, key
        number = int.from_bytes(blake2b(credential.encode(), digest_size=8).digest())
        if is_new_key:
            self._known.clear()
            self._learned, self.due = False, time + self._learn_for
            self.truth = None if self.truth is None else False  # what was told is over
        self._known.forget(time - _KEPT)
        is_new = number not in self._known
        self._known.put(number, time, None)
        if is_new_key or not (is_new and self._learned):
            return is_new_key
        details = {**credential_details(reading), "known": float(len(self._known) - 1)}
        return self.show(time, Evidence(reading.device, "event", self._event, details=details))

    def advance(self, time: int) -> None:
        """See the base."""
        del time
        self._learned = True
        self.end()

    def snapshot(self) -> list[Any]:
        """See the base."""
        return [super().snapshot(), self._known.snapshot(), self._key, self._learned]

    def restore(self, state: list[Any]) -> None:
        """See the base."""
        lasting, known, self._key, self._learned = state
        super().restore(lasting)
        self._known.restore(known)
