"""Repeats: a device that sends one event several times over has said it once."""

from collections import defaultdict

from msgspec import Struct

from devices.durations import NANOSECONDS
from devices.reading import Reading

_BURST = NANOSECONDS["m"]
_CONTENTS_MOST = 64
_BURSTS_MOST = 8


class _Burst(Struct):
    """One event as it was sent so far: times (ns) of the reading that was taken, and of the newest one."""

    taken: int
    last: int

    def covers(self, time: int, window: int) -> bool:
        """Whether a reading of this time belongs to it."""
        end = min(self.last + window, self.taken + max(window, _BURST))
        return self.taken - window < time < end


class Repeats:
    """Tells repeated readings from new ones, by their own times, in whatever order they come.

    A reading is repeated where its device has said the same less than a window before; so the window need only be
    longer than the pauses within a burst. A minute (or one window, where that is longer) after the first it counts as
    new all the same: a device that goes on saying the same is not taken for a silent one.

    What is remembered is bounded: of every device the 64 contents that it said last, and of each the last 8 bursts.
    """

    def __init__(self) -> None:
        self._devices: defaultdict[str, dict[object, list[_Burst]]] = defaultdict(dict)

    def recognizes(self, reading: Reading, window: int) -> bool:
        """Whether a reading is repeated; if not, it is a new one from now on.

        Args:
            reading: what a device said.
            window: nanoseconds.
        """
        contents = self._devices[reading.device]
        content = frozenset(reading.values.items())
        bursts = contents[content] = contents.pop(content, [])  # now the last one said
        time = reading.time
        for burst in reversed(bursts):
            if burst.covers(time, window):
                burst.last = max(burst.last, time)
                return True
        bursts.append(_Burst(time, time))
        del bursts[:-_BURSTS_MOST]
        if len(contents) > _CONTENTS_MOST:
            del contents[next(iter(contents))]
        return False
