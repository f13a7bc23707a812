"""An instant as a host sees it: its wall clock, which may jump, and BOOTTIME, which never does."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Now, as it is given to every decision of a host."""

    wall: datetime  # aware, UTC; may be wrong, and may jump
    boot: float  # seconds of CLOCK_BOOTTIME: goes on through sleep, never jumps

    def by_broker(self, offset_seconds: float) -> datetime:
        """Return the broker's time, where this host's clock is `offset_seconds` ahead of it."""
        return self.wall - timedelta(seconds=offset_seconds)

    def boot_of(self, instant: datetime, offset_seconds: float) -> float:
        """Turn an instant of the broker's clock into BOOTTIME seconds (rule S1)."""
        return self.boot + (instant - self.by_broker(offset_seconds)).total_seconds()
