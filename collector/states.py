"""The states of the session at the broker, and the table of what leads from one to another."""

from enum import StrEnum


class State(StrEnum):
    """Where the session stands."""

    DOWN = "down"
    CONNECTING = "connecting"
    SUBSCRIBING = "subscribing"
    QUIET = "quiet"  # subscribed, nothing has come for a while
    FLOWING = "flowing"


NEXT = {
    (State.DOWN, "opened"): State.CONNECTING,
    (State.CONNECTING, "accepted"): State.SUBSCRIBING,
    (State.SUBSCRIBING, "subscribed"): State.QUIET,
    (State.QUIET, "changed"): State.SUBSCRIBING,
    (State.FLOWING, "changed"): State.SUBSCRIBING,
    (State.QUIET, "message"): State.FLOWING,
    (State.FLOWING, "message"): State.FLOWING,
    (State.FLOWING, "silence"): State.QUIET,
    **{(state, "lost"): State.DOWN for state in State},
}
"""State and event to the next state; an event that is not listed changes nothing."""
