"""The fires of one schedule: a cron expression in a time zone, daylight-saving nights included.

Instants are whole seconds of the epoch. Local time is cut into stretches of one offset, in which
it is arithmetic; what is special about a stretch's beginning is told here:

- After a spring gap, a fixed-time schedule fires once at the end of the gap for what lay in it.
- In an autumn repeat, a fixed-time schedule does not fire the second time.
- An interval schedule fires wherever local time matches.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from kirby.core.nouns import CronLine
from kirby.core.planning.cron import Cron, compile_cron
from kirby.core.planning.zones import DAY, Stretch, Zone, zone

# 41 years: the rarest day of a month that a rule can name comes each 40 years (planning.days).
HORIZON = 15_000 * DAY
LATEST = 253_000_000_000  # in the year 9987: time zones are not asked about what comes after
KEPT_TIMES = 1024  # masks of a day's seconds, up to 11 KB each


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One schedule, ready to be asked for its fires."""

    cron: Cron
    zone: Zone

    def next_at(self, at: int) -> int | None:
        """Return the first fire at or after an instant; None: there is none in 41 years."""
        limit = min(at + HORIZON, LATEST)
        searched, found = 0, None  # the first match at or after `searched`, local times both
        while at < limit:
            stretch = self.zone.stretch(at)
            if at == stretch.start and self._fires_for_gap(stretch):
                return at
            local = self._first_local(stretch, at)
            if found is None or not searched <= local <= found:
                searched, found = local, self._next_local(local)
                if found is None:
                    return None
            if found - stretch.offset < stretch.end:
                return found - stretch.offset
            at = stretch.end
        return None

    def fires_in(self, begin: int, end: int) -> int:
        """Return the fires in [begin, end) as a mask: bit n is `begin + n`.

        Meant for a day or less: the mask has a bit for each second.
        """
        mask, at = 0, begin
        while at < end:
            stretch = self.zone.stretch(at)
            until = min(end, stretch.end)
            mask |= self._fires_in_stretch(stretch, at, until) << (at - begin)
            at = until
        return mask

    def _fires_in_stretch(self, stretch: Stretch, begin: int, end: int) -> int:
        gap = 1 if begin == stretch.start and self._fires_for_gap(stretch) else 0
        first = min(self._first_local(stretch, begin), end + stretch.offset)
        skipped = first - stretch.offset - begin
        return gap | self._local_fires(first, end + stretch.offset) << skipped

    def _first_local(self, stretch: Stretch, at: int) -> int:
        """Return the local time from which on the schedule fires where it matches."""
        if self.cron.is_interval or at >= stretch.repeats_until:
            return at + stretch.offset
        return stretch.repeats_until + stretch.offset

    def _fires_for_gap(self, stretch: Stretch) -> bool:
        """Whether a fixed-time schedule has fires in the gap at the beginning of a stretch."""
        if self.cron.is_interval or not stretch.shift:
            return False
        after = stretch.start + stretch.offset
        return self._local_fires(after - stretch.shift, after) != 0

    def _next_local(self, local: int) -> int | None:
        """Return the first matching local time at or after another (seconds of a local epoch)."""
        day, second = divmod(local, DAY)
        if self.cron.every_day or self.cron.days.matches(day):
            found = _next_time(self.cron, second)
            if found is not None:
                return day * DAY + found
        following = day + 1 if self.cron.every_day else self.cron.days.next_day(day + 1)
        return None if following is None else following * DAY + _first_time(self.cron)

    def _local_fires(self, begin: int, end: int) -> int:
        """Return the matching local times in [begin, end) as a mask."""
        mask = 0
        for day in range(begin // DAY, -(-end // DAY)):
            if self.cron.every_day or self.cron.days.matches(day):
                shift = day * DAY - begin
                times = _times(self.cron.seconds, self.cron.minutes, self.cron.hours)
                mask |= times << shift if shift >= 0 else times >> -shift
        return mask & ((1 << max(end - begin, 0)) - 1)


def lines_of(schedules: Iterable[CronLine]) -> tuple[Line, ...]:
    """Make the schedules of a context ready; equal ones count once.

    Raises:
        InvalidCron, InvalidZone: with a sentence.
    """
    unique = dict.fromkeys(schedules)
    return tuple(Line(cron=compile_cron(each.cron), zone=zone(each.zone)) for each in unique)


def instants(mask: int, begin: int) -> Iterator[int]:
    """Give the instants of a mask in order."""
    while mask:
        step = (mask & -mask).bit_length()
        begin += step
        yield begin - 1
        mask >>= step


def _next_time(cron: Cron, second: int) -> int | None:
    """Return the first matching second of a day at or after another."""
    hour, rest = divmod(second, 3600)
    if cron.hours >> hour & 1:
        found = _next_in_hour(cron, rest)
        if found is not None:
            return hour * 3600 + found
    later = cron.hours >> (hour + 1)
    if not later:
        return None
    return (hour + _lowest(later) + 1) * 3600 + _first_in_hour(cron)


def _next_in_hour(cron: Cron, rest: int) -> int | None:
    minute, second = divmod(rest, 60)
    if cron.minutes >> minute & 1:
        seconds = cron.seconds >> second
        if seconds:
            return minute * 60 + second + _lowest(seconds)
    later = cron.minutes >> (minute + 1)
    return (minute + _lowest(later) + 1) * 60 + _lowest(cron.seconds) if later else None


def _first_in_hour(cron: Cron) -> int:
    return _lowest(cron.minutes) * 60 + _lowest(cron.seconds)


def _first_time(cron: Cron) -> int:
    return _lowest(cron.hours) * 3600 + _first_in_hour(cron)


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


@lru_cache(maxsize=KEPT_TIMES)
def _times(seconds: int, minutes: int, hours: int) -> int:
    """Return the matching seconds of a day as a mask."""
    hour = _spread(minutes, seconds, 60)
    return _spread(hours, hour, 3600)


def _spread(places: int, pattern: int, width: int) -> int:
    """Put a pattern at each place that is set, `width` bits apart."""
    mask = 0
    for place in range(places.bit_length()):
        if places >> place & 1:
            mask |= pattern << (place * width)
    return mask
