"""What is remembered of one edge node of Sparkplug B, and how its messages move it from state to state.

Everything that does is in the table NEXT. Source: Sparkplug 3.0.0 (https://sparkplug.eclipse.org/specification),
chapter 5.
"""

from enum import StrEnum

from msgspec import Struct, field

from devices.formats.sparkplug_birth import Birth, read_birth
from devices.formats.sparkplug_payload import Payload, read_value

_SEQUENCE_END = 256

_DEFINITIONS_MAX = 20_000
"""Of metrics, in all births that are remembered; those of registered devices always are."""


class State(StrEnum):
    """What is known of a node. One that speaks and is not alive is asked for its birth."""

    UNKNOWN = "unknown"  # no birth since the start, or since its death
    ALIVE = "alive"
    STALE = "stale"  # something was lost since its birth, maybe another birth


NEXT = {
    (State.UNKNOWN, "birth"): State.ALIVE,
    (State.STALE, "birth"): State.ALIVE,
    (State.ALIVE, "loss"): State.STALE,
    (State.ALIVE, "death"): State.UNKNOWN,
    (State.STALE, "death"): State.UNKNOWN,
}
"""State and event to the next state; an event that is not listed changes nothing."""


class Node(Struct):
    """What is remembered of an edge node.

    Attributes:
        state: moved by `read` and `move`.
        births: by device, "" for the node itself.
        session: `bdSeq` of its birth, which its death must have, too.
        sequence: number of its newest message.
        time: of its newest message, ms since 1970, by its clock.
        asked: when it was asked for its birth, ns since 1970.
    """

    state: State = State.UNKNOWN
    births: dict[str, Birth] = field(default_factory=dict)
    session: int | None = None
    sequence: int | None = None
    time: int = 0
    asked: int = 0

    def move(self, event: str) -> None:
        """Goes where the table leads; births end with a death."""
        self.state = NEXT.get((self.state, event), self.state)
        if event == "death":
            self.births.clear()

    def take(self, kind: str, device: str, message: Payload, *, registered: bool) -> Birth | None:
        """Goes on with a message.

        Args:
            kind: NBIRTH, DBIRTH, NDATA, DDATA, NDEATH or DDEATH.
            device: whom it speaks of, "" for the node itself.
            message: what it says.
            registered: whether the register has the device.

        Returns:
            The birth that explains it; None where that is not known, or where it is a death.

        Raises:
            Undecodable: a text is not UTF-8, or a number does not fit its datatype.
        """
        if kind not in {"NBIRTH", "NDEATH"}:
            self._follow(message)
        if kind.endswith("BIRTH"):
            return self._bear(device, message, registered=registered)
        if not kind.endswith("DEATH"):
            return self.births.get(device)
        self._bury(device, message)
        return None

    def _bear(self, device: str, message: Payload, *, registered: bool) -> Birth:
        """With the birth of the node itself everything begins anew."""
        birth = read_birth(message)
        if not device:
            self.session = _read_session(message)
            self.sequence, self.time = _read_sequence(message), message.timestamp
            self.births.clear()
            self.move("birth")
        size = sum(len(known.definitions) + 1 for known in self.births.values())
        if registered or size + len(birth.definitions) < _DEFINITIONS_MAX:
            self.births[device] = birth
        return birth

    def _bury(self, device: str, message: Payload) -> None:
        """The death of an earlier connection may come after the birth on the present one: its number tells."""
        if device:
            self.births.pop(device, None)
        elif (session := _read_session(message)) == self.session or None in {session, self.session}:
            self.move("death")

    def _follow(self, message: Payload) -> None:
        """Judges by the sequence number whether messages were lost before this one."""
        sequence, time = _read_sequence(message), message.timestamp
        if sequence is None:
            return
        if self.sequence is not None and sequence != (self.sequence + 1) % _SEQUENCE_END:
            if 0 < time < self.time or (sequence, time) == (self.sequence, self.time):  # it came before
                return
            self.move("loss")
        self.sequence, self.time = sequence, time


def _read_session(message: Payload) -> int | None:
    values = [read_value(metric, 0) for metric in message.metrics if metric.name == "bdSeq"]
    return values[0] if values and isinstance(values[0], int) else None


def _read_sequence(message: Payload) -> int | None:
    return message.seq if message.HasField("seq") else None
