"""Whether a candidate may try for the lead: the coup gate (section "Leadership", step 3).

Every Scheduler that does not lead tails the leadership topic. While it reads beats, nothing
happens: a partition between the actors alone changes nothing. And only reading without a break
counts: one that was frozen, or cut off from Kafka, has only begun to read.
"""

import msgspec
from msgspec.structs import replace

TICK_SECONDS = 0.1  # between a Scheduler's own ticks
BREAK_SECONDS = 0.5  # a tick that comes so late was frozen
# A fetch waits at the broker for half a second when there is nothing to read; two of them, and a
# bit, without an answer are a break.
ANSWER_SECONDS = 1.5
QUIET_SECONDS = 1.0
SLOWEST_QUIET_SECONDS = 8.0
INTERVALS = 5  # between beats; where they are long, Kafka is slow and quiet means less


class Tail(msgspec.Struct, frozen=True, kw_only=True):
    """What reading the leadership topic has told; all in BOOTTIME seconds."""

    reading_since: float | None = None  # without a break; None: not reading
    ticked: float | None = None
    answered: float | None = None  # a fetch was last answered
    last_beat: float | None = None
    intervals: tuple[float, ...] = ()

    @property
    def quiet_seconds(self) -> float:
        """Return how long no beat must have come."""
        longest = max(self.intervals, default=0.0)
        return min(max(QUIET_SECONDS, 2 * longest), SLOWEST_QUIET_SECONDS)


def tick(tail: Tail, boot: float) -> Tail:
    """Take the Scheduler's own tick."""
    was_late = tail.ticked is not None and boot - tail.ticked > BREAK_SECONDS + TICK_SECONDS
    unanswered = tail.answered is None or boot - tail.answered > ANSWER_SECONDS
    if was_late or unanswered:
        return replace(tail, ticked=boot, reading_since=None, answered=None)
    return replace(tail, ticked=boot)


def answered(tail: Tail, boot: float) -> Tail:
    """Take that a fetch was answered, with or without records."""
    return replace(
        tail,
        answered=boot,
        reading_since=boot if tail.reading_since is None else tail.reading_since,
    )


def beat(tail: Tail, boot: float) -> Tail:
    """Take a beat, or the record that makes an epoch."""
    intervals = tail.intervals
    if tail.last_beat is not None and tail.reading_since is not None:
        intervals = (*intervals, boot - tail.last_beat)[-INTERVALS:]
    return replace(answered(tail, boot), last_beat=boot, intervals=intervals)


def silent_seconds(tail: Tail, boot: float) -> float | None:
    """Return how long no beat came while reading without a break; None: it is not reading."""
    if tail.reading_since is None:
        return None
    since = tail.reading_since
    if tail.last_beat is not None:
        since = max(since, tail.last_beat)
    return boot - since


def is_open(tail: Tail, boot: float) -> bool:
    """Whether a candidate may go on."""
    silent = silent_seconds(tail, boot)
    return silent is not None and silent >= tail.quiet_seconds
