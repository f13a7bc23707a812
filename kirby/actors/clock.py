"""The only clock of the actors; tests put another one in its place."""

import time
from datetime import UTC, datetime


class Clock:
    """Tells the wall clock, and the seconds since boot (which never jump, and count sleep)."""

    def now(self) -> datetime:
        """Return the wall clock's instant, aware, in UTC."""
        return datetime.now(UTC)

    def boot(self) -> float:
        """Return CLOCK_BOOTTIME in seconds."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)
