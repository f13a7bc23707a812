"""How far a host's wall clock is off the broker's, from its own heartbeats (rule S1).

A heartbeat is appended between the moment it was sent and the moment its acknowledgement came, and
the broker stamps it with whole milliseconds. So what the broker's clock is ahead of the host's lies
in [append - acknowledged, append + 1 ms - sent]; the intervals of the last heartbeats are
intersected, and begun anew when nothing is left (a clock was set).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

SAMPLES = 20  # heartbeats, so at most 100 s old
BROKER_TICK = timedelta(milliseconds=1)  # the broker's timestamps are cut to it


@dataclass(frozen=True, kw_only=True)
class ClockOffset:
    """What the last heartbeats tell of the two clocks."""

    samples: tuple[tuple[float, float], ...] = ()  # broker minus host in seconds: least, most

    def sample(
        self, *, sent: datetime, appended: datetime, acknowledged: datetime
    ) -> "ClockOffset":
        """Take the three instants of one heartbeat: the host's, the broker's, the host's."""
        least = (appended - acknowledged).total_seconds()
        most = (appended + BROKER_TICK - sent).total_seconds()
        if least > most:  # the host's clock was set back in between
            return ClockOffset()
        samples = (*self.samples, (least, most))[-SAMPLES:]
        whole = ClockOffset(samples=samples)
        return whole if whole.interval is not None else ClockOffset(samples=(samples[-1],))

    @cached_property
    def interval(self) -> tuple[float, float] | None:
        """Return what the broker is ahead, in seconds: least and most; None: nothing fits."""
        if not self.samples:
            return None
        least = max(low for low, _ in self.samples)
        most = min(high for _, high in self.samples)
        return (least, most) if least <= most else None

    @cached_property
    def seconds(self) -> float:
        """Return this host's clock minus the broker's: zero where that may be, else the later.

        Outside of the interval its lower end is taken: a run then starts rather late than early.
        """
        interval = self.interval
        if interval is None or interval[0] <= 0.0 <= interval[1]:
            return 0.0
        return -interval[0]
