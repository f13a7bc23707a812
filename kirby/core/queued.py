"""Attempts in an order, as a sorted tuple: insert, remove, look at the first.

A tuple of thousands is copied in microseconds, keeps no garbage, and two of equal content are
equal, which a heap's are not.
"""

from bisect import bisect_left
from typing import TypeAlias

from kirby.core.names import AttemptId

Entry: TypeAlias = tuple[float, AttemptId]  # by what it is ordered: seconds of either clock
Queued: TypeAlias = tuple[Entry, ...]


def with_entry(queue: Queued, entry: Entry) -> Queued:
    """Return the queue with one more entry, in its place."""
    place = bisect_left(queue, entry)
    return (*queue[:place], entry, *queue[place:])


def without_entry(queue: Queued, entry: Entry) -> Queued:
    """Return the queue without an entry; the same queue where it is not in it."""
    place = bisect_left(queue, entry)
    if place == len(queue) or queue[place] != entry:
        return queue
    return queue[:place] + queue[place + 1 :]
