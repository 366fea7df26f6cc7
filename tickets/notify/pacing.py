"""Pacing: when the next message may go to a recipient, and when a failed one is tried again. Pure.

What happens within a short time goes into one message. Nobody gets more than so many an hour; what is over waits, and
goes into one message that says how many there are. Tickets of priority 1 wait for neither, but two messages are never
closer together than the time that is gathered.
"""

from collections.abc import Sequence
from typing import NamedTuple

from devices.durations import NANOSECONDS

HOUR = NANOSECONDS["h"]

URGENT = 1
"""The priority that is not held back."""

_FIRST_PAUSE = 30 * NANOSECONDS["s"]
_LONGEST_PAUSE = HOUR


class Pace(NamedTuple):
    """How much people are told.

    Attributes:
        gather: ns within which what happens goes into one message.
        most_per_hour: messages to one recipient over one channel.
        give_up_after: ns after which a message that nobody takes is given up.
    """

    gather: int
    most_per_hour: int
    give_up_after: int


def find_ready(due: Sequence[int], sent: Sequence[int], pace: Pace, *, urgent: bool) -> int:
    """When the next message may go to a recipient, UTC ns.

    Args:
        due: when each of what waits may go, at least one.
        sent: when messages went to the recipient within the last hour, oldest first.
        pace: see the class.
        urgent: whether something of priority 1 waits.
    """
    ready = min(due)
    if sent:
        ready = max(ready, sent[-1] + pace.gather)
    if not urgent and len(sent) >= pace.most_per_hour:
        ready = max(ready, sent[-pace.most_per_hour] + HOUR)
    return ready


def find_pause(failures: int, jitter: float, least: int = 0) -> int:
    """How long to wait after so many failures in a row, ns.

    Args:
        failures: at least 1.
        jitter: from 0 to 1, so that what failed together does not come back together.
        least: what the other side asks for, ns.
    """
    pause = min(_FIRST_PAUSE << min(failures - 1, 10), _LONGEST_PAUSE)
    return max(round(pause * (0.75 + jitter / 2)), least)
