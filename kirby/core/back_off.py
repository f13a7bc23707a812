"""How long to wait before the next try: attempts, refused offers, daemons that end.

Chance comes in as a number from 0 to 1, so that a decision can be repeated.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from kirby.core.durations import write_duration
from kirby.core.nouns import Policies

JITTER = 0.2  # of a wait, to both sides
MOST_DOUBLINGS = 30  # beyond, every limit has long been reached
FIRST_REFUSAL = timedelta(seconds=1)  # rule E3
LONGEST_REFUSAL = timedelta(seconds=30)
FIRST_RESTART = timedelta(seconds=1)
LONGEST_RESTART = timedelta(minutes=5)
HEALTHY_AFTER = timedelta(minutes=1)
# With a doubling wait, five short lives in a row take about half a minute: no accident any more.
CRASH_LOOP = 5


def doubled(first: timedelta, longest: timedelta, nth: int) -> timedelta:
    """Return the nth wait (from 1): the first, doubled each time, up to the longest."""
    return min(first * (1 << min(max(nth, 1) - 1, MOST_DOUBLINGS)), longest)


def jittered(wait: timedelta, chance: float) -> timedelta:
    """Spread a wait by 20 % to both sides; `chance` from 0 (sooner) to 1 (later)."""
    return wait * (1 + JITTER * (2 * chance - 1))


def attempt_back_off(policies: Policies, spent: int, chance: float) -> timedelta:
    """Return the wait before the next attempt when `spent` ones have failed (rule E2)."""
    return jittered(doubled(policies.back_off, policies.back_off_limit, spent), chance)


def refusal_back_off(refusals: int) -> timedelta:
    """Return the wait before an offer that was refused `refusals` times is made again (rule E3)."""
    return doubled(FIRST_REFUSAL, LONGEST_REFUSAL, refusals)


class DaemonHealth(Enum):
    """How a daemon's instance fares."""

    HEALTHY = "on"
    RESTARTING = "restarting"
    CRASH_LOOP = "crash loop"


@dataclass(frozen=True, kw_only=True)
class Restarts:
    """The short lives of a daemon's instance, in a row."""

    in_a_row: int = 0

    @property
    def health(self) -> DaemonHealth:
        """Return how the instance fares; a crash loop goes on being restarted."""
        if not self.in_a_row:
            return DaemonHealth.HEALTHY
        return DaemonHealth.CRASH_LOOP if self.in_a_row >= CRASH_LOOP else DaemonHealth.RESTARTING

    def alive(self, lived: timedelta) -> "Restarts":
        """Return what counts of an instance that lives: a healthy minute makes up for all."""
        return Restarts() if lived >= HEALTHY_AFTER else self

    def ended(self, lived: timedelta) -> "Restarts":
        """Return what counts after an end that nobody asked for."""
        return Restarts(in_a_row=self.alive(lived).in_a_row + 1)

    def wait(self, chance: float) -> timedelta:
        """Return how long to wait before the instance is started again."""
        if not self.in_a_row:
            return timedelta(0)
        return jittered(doubled(FIRST_RESTART, LONGEST_RESTART, self.in_a_row), chance)

    def sentence(self, wait: timedelta, last: str) -> str:
        """Say how it fares, for those who look; `last` says how the last life ended."""
        times = "once" if self.in_a_row == 1 else f"{self.in_a_row} times in a row"
        again = write_duration(timedelta(seconds=round(wait.total_seconds())))
        return f"ended {times} within a minute, the last time: {last}; starts again after {again}"
