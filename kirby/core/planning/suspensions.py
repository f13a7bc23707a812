"""The windows in which a context does not fire: which one holds, and what fires in spite of them.

A window holds its start and not its end.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from kirby.core.nouns import Suspension

_MOMENT = timedelta(microseconds=1)


class Timetable(Protocol):
    """Whatever knows its next fire."""

    def next_after(self, after: datetime) -> datetime | None:
        """Return the first due instant later than `after`."""


class Window(NamedTuple):
    """A stretch of time: `start` included, `end` not."""

    start: datetime
    end: datetime


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


def next_unsuspended(
    fires: Timetable, suspensions: Iterable[Suspension], after: datetime
) -> datetime | None:
    """Return the first fire later than `after` that no suspension holds."""
    return next(unsuspended(fires, suspensions, after), None)


def unsuspended(
    fires: Timetable, suspensions: Iterable[Suspension], after: datetime
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
