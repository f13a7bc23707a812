"""The windows in which a context does not fire: whether they can be, what lies in them, what after.

A window holds its start and not its end.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from kirby.core.errors import Fault, InvalidSuspension
from kirby.core.fires import Fires
from kirby.core.nouns import Suspension

LONGEST_REASON = 500  # characters
_MOMENT = timedelta(microseconds=1)


class Timetable(Protocol):
    """Whatever knows its next fire."""

    def next_after(self, after: datetime) -> datetime | None:
        """Return the first due instant later than `after`."""


class Window(NamedTuple):
    """A stretch of time: `start` included, `end` not."""

    start: datetime
    end: datetime


def check_suspension(start: datetime, end: datetime, reason: str = "") -> Suspension:
    """Return a suspension.

    Raises:
        InvalidSuspension: a time without an offset from UTC, an end that is not after the start,
            or a reason that is too long; all that is wrong at once.
    """
    faults = [
        Fault(field=field, sentence=f"{at.isoformat()} has no offset from UTC: add one, as +01:00")
        for field, at in (("from", start), ("to", end))
        if at.tzinfo is None
    ]
    if not faults and end <= start:
        sentence = f"the suspension ends ({end.isoformat()}) before it starts ({start.isoformat()})"
        if end == start:
            sentence = f"the suspension ends when it starts ({start.isoformat()})"
        faults.append(Fault(field="to", sentence=sentence))
    if len(reason) > LONGEST_REASON:
        faults.append(
            Fault(field="reason", sentence=f"it is longer than {LONGEST_REASON} characters")
        )
    if faults:
        raise InvalidSuspension(faults)
    return Suspension(start=start, end=end, reason=reason)


def covering(suspensions: Iterable[Suspension], at: datetime) -> Suspension | None:
    """Return the suspension that an instant lies in; of several, the one that lasts longest."""
    found = [each for each in suspensions if each.start <= at < each.end]
    return max(found, key=lambda each: each.end, default=None)


def merged(suspensions: Iterable[Suspension]) -> list[Window]:
    """Return the windows in order, those that touch or overlap made one."""
    windows: list[Window] = []
    for each in sorted(suspensions, key=lambda each: each.start):
        if windows and each.start <= windows[-1].end:
            windows[-1] = Window(windows[-1].start, max(windows[-1].end, each.end))
        elif each.start < each.end:
            windows.append(Window(each.start, each.end))
    return windows


def suspended_until(suspensions: Iterable[Suspension], at: datetime) -> datetime | None:
    """Return the instant from which on a context fires again; None: it is not suspended at `at`."""
    return next(
        (window.end for window in merged(suspensions) if window.start <= at < window.end), None
    )


def count_suspended(
    fires: Fires, suspensions: Sequence[Suspension], after: datetime, until: datetime
) -> int:
    """Return how many fires in (after, until] are suspended, each once."""
    count = 0
    for window in merged(suspensions):
        begin, end = max(after, window.start - _MOMENT), min(until, window.end - _MOMENT)
        count += fires.count(begin, end) if begin < end else 0
    return count


def next_unsuspended(
    fires: Timetable, suspensions: Sequence[Suspension], after: datetime
) -> datetime | None:
    """Return the first fire later than `after` that no suspension holds."""
    return next(unsuspended(fires, suspensions, after), None)


def unsuspended(
    fires: Timetable, suspensions: Sequence[Suspension], after: datetime
) -> Iterator[datetime]:
    """Give the fires later than `after` that no suspension holds, in order."""
    windows = merged(suspensions)
    due = fires.next_after(after)
    while due is not None:
        while windows and windows[0].end <= due:
            windows.pop(0)
        if windows and windows[0].start <= due:
            due = fires.next_after(windows[0].end - _MOMENT)
        else:
            yield due
            due = fires.next_after(due)
