"""When a context is due: the fires of all its schedules, each instant once.

`Fires` answers `kirby.core.leader.plan.Timetable`. Instants are aware and in UTC, whole seconds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kirby.core.nouns import CronLine
from kirby.core.planning.line import LATEST, Line, instants, lines_of
from kirby.core.planning.windows import default_window
from kirby.core.planning.zones import DAY, EPOCH

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fires:
    """The fires of one context; two schedules that are due at one instant make one fire."""

    lines: tuple[Line, ...]

    def next_after(self, after: datetime) -> datetime | None:
        """Return the first due instant later than `after`; None: there is none in 41 years."""
        found = self.next_second(_second(after) + 1)
        return None if found is None else datetime.fromtimestamp(found, UTC)

    def next_second(self, at: int) -> int | None:
        """Return the first due instant at or after another, in seconds of the epoch."""
        lines = self.lines
        if len(lines) == 1:
            return lines[0].next_at(at)
        found = (line.next_at(at) for line in lines)
        return min((each for each in found if each is not None), default=None)

    def after(self, after: datetime) -> Iterator[datetime]:
        """Give the due instants later than `after`, in order, without end where there is none."""
        due = self.next_after(after)
        while due is not None:
            yield due
            due = self.next_after(due)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Give the due instants in (after, until], in order."""
        for begin, mask in self._days(after, until):
            yield from (datetime.fromtimestamp(at, UTC) for at in instants(mask, begin))

    def count(self, after: datetime, until: datetime) -> int:
        """Return how many due instants lie in (after, until]; 30 µs for each day of it."""
        return sum(mask.bit_count() for _, mask in self._days(after, until))

    def span(self, after: datetime, until: datetime) -> tuple[datetime, datetime, int] | None:
        """Return the first and last due instant in (after, until], and how many there are."""
        first, last, count = None, None, 0
        for begin, mask in self._days(after, until):
            if mask:
                first = first if first is not None else begin + (mask & -mask).bit_length() - 1
                last = begin + mask.bit_length() - 1
                count += mask.bit_count()
        if first is None or last is None:
            return None
        return datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC), count

    def last(self, after: datetime, until: datetime, most: int) -> list[datetime]:
        """Return the last `most` due instants in (after, until], in order."""
        found: list[datetime] = []
        for begin, mask in self._days_backward(after, until):
            while mask and len(found) < most:
                top = mask.bit_length() - 1
                found.append(datetime.fromtimestamp(begin + top, UTC))
                mask ^= 1 << top
            if len(found) == most:
                break
        return found[::-1]

    def window(self, due: datetime) -> timedelta:
        """Return the default start window of a fire (rule O2)."""
        return default_window(due, self.next_after(due))

    def _days(self, after: datetime, until: datetime) -> Iterator[tuple[int, int]]:
        """Give (begin, mask of fires) for each day or less in (after, until] that has any."""
        end = _second(until) + 1
        at = self.next_second(_second(after) + 1)
        while at is not None and at < end:
            following = min(at + DAY, end)
            yield at, self._mask(at, following)
            at = self.next_second(following)

    def _days_backward(self, after: datetime, until: datetime) -> Iterator[tuple[int, int]]:
        begin, end = _second(after) + 1, _second(until) + 1
        for at in range(min(end, LATEST), begin, -DAY):
            start = max(at - DAY, begin)
            yield start, self._mask(start, at)

    def _mask(self, begin: int, end: int) -> int:
        mask = 0
        for line in self.lines:
            mask |= line.fires_in(begin, end)
        return mask


def fires_of(schedules: Sequence[CronLine]) -> Fires:
    """Make the fires of a context's schedules ready to be asked for.

    Raises:
        InvalidCron, InvalidZone: with a sentence.
    """
    return Fires(lines=lines_of(schedules))


def _second(at: datetime) -> int:
    """Return the whole seconds of the epoch; exact, unlike a float in a far year."""
    return (at - EPOCH) // _SECOND
