"""Which days of a month a cron expression names: days, months, weekdays, the nth and the last."""

from calendar import isleap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, date
from functools import lru_cache

LAST = 0  # bit 0 of a mask of days: the last one of the month, whichever that is
ALL_DAYS = (1 << 32) - 2  # bits 1 to 31
ALL_MONTHS = (1 << 13) - 2  # bits 1 to 12
LENGTHS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # at the most
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
KEPT_WEEKS = 4096  # weekdays in a kind of month, of which there are 28
# The fifth Monday of February comes each 28 years, or 40 over a century without a leap day.
YEARS_AHEAD = 41


def _every_week(first_weekday: int, weekday: int) -> int:
    first = 1 + (weekday - first_weekday) % 7
    return sum(1 << day for day in range(first, 32, 7))


# Days of a month that begins on one weekday and that fall on another: WEEKS[first][weekday].
WEEKS = tuple(tuple(_every_week(first, weekday) for weekday in range(7)) for first in range(7))


@dataclass(frozen=True, kw_only=True, slots=True)
class DayRule:
    """What an expression says of days.

    `nth` holds (weekday, week), the week from 1 to 5, or 0 for the last. Where both the days and
    the weekdays are restricted, a day matches that one of the two names, as in cron.
    """

    days: int
    months: int
    weekdays: int
    nth: tuple[tuple[int, int], ...]
    restricts_days: bool
    restricts_weekdays: bool

    @property
    def every_day(self) -> bool:
        """Whether each day matches."""
        return not (self.restricts_days or self.restricts_weekdays) and self.months == ALL_MONTHS

    @property
    def never(self) -> bool:
        """Whether no day of any year matches: only a day that none of its months has can do it."""
        if self.restricts_weekdays or self.days >> LAST & 1:
            return False
        months = (month for month in range(1, 13) if self.months >> month & 1)
        return not any(self.days & ((2 << LENGTHS[month]) - 1) for month in months)

    def next_day(self, day: int) -> int | None:
        """Return the first matching day from `day` on (both counted from 1970-01-01).

        None: there is none within forty years, or before the calendar of Python ends.
        """
        if not 0 < day + EPOCH_ORDINAL <= date.max.toordinal():
            return None
        at = date.fromordinal(day + EPOCH_ORDINAL)
        matching = days_of_month(self, at.year, at.month, _first_weekday(at)) >> at.day
        if matching:
            return day + (matching & -matching).bit_length() - 1
        return next(self._first_days_after(at), None)

    def matches(self, day: int) -> bool:
        """Whether a day matches (counted from 1970-01-01)."""
        at = date.fromordinal(day + EPOCH_ORDINAL)
        return bool(days_of_month(self, at.year, at.month, _first_weekday(at)) >> at.day & 1)

    def _first_days_after(self, at: date) -> Iterator[int]:
        """Give the first matching day of each later month that has one."""
        begin = at.year * 12 + at.month
        for index in range(begin, begin + 12 * YEARS_AHEAD):
            year, month = index // 12, index % 12 + 1
            if year > MAXYEAR:
                return
            if self.months >> month & 1:
                first = date(year, month, 1)
                found = days_of_month(self, year, month, first.isoweekday() % 7)
                if found:
                    yield first.toordinal() - EPOCH_ORDINAL + (found & -found).bit_length() - 2


def days_of_month(rule: DayRule, year: int, month: int, first_weekday: int) -> int:
    """Return the mask of the days of one month that match; bit n is day n."""
    if not rule.months >> month & 1:
        return 0
    length = 28 if month == 2 and not isleap(year) else LENGTHS[month]
    whole = (2 << length) - 2
    by_day = rule.days & whole | (1 << length if rule.days >> LAST & 1 else 0)
    if not rule.restricts_weekdays:
        return by_day
    by_weekday = _by_weekday(rule.weekdays, rule.nth, first_weekday, length)
    return by_day | by_weekday if rule.restricts_days else by_weekday


@lru_cache(maxsize=KEPT_WEEKS)
def _by_weekday(
    weekdays: int, nth: tuple[tuple[int, int], ...], first_weekday: int, length: int
) -> int:
    mask = 0
    for weekday in range(7):
        if weekdays >> weekday & 1:
            mask |= WEEKS[first_weekday][weekday]
    for weekday, week in nth:
        days = [day for day in range(1, length + 1) if WEEKS[first_weekday][weekday] >> day & 1]
        if week <= len(days):
            mask |= 1 << days[week - 1]
    return mask & ((2 << length) - 2)


def _first_weekday(at: date) -> int:
    """Return the weekday of the first of the month; 0 is Sunday."""
    return (at.isoweekday() - at.day + 1) % 7
