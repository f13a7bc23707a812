"""The clock by which silence is measured: it never jumps, and counts sleep."""

import time


def boot() -> float:
    """Return CLOCK_BOOTTIME in seconds."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
