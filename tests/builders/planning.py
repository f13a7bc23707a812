"""Builders for schedules, and a slow oracle that is obviously right."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

from kirby.core.nouns import CronLine
from kirby.core.planning.fires import Fires, fires_of


def fires(*crons: str, zone: str = "UTC") -> Fires:
    return fires_of([CronLine(cron=cron, zone=zone) for cron in crons])


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Oracle:
    """Looks at every minute (or second), and asks of its local time what the rules ask."""

    cron: str
    zone: str

    def between(self, after: datetime, until: datetime) -> list[datetime]:
        """Return the fires in (after, until]; `after` is a whole minute."""
        fields = self.cron.split()
        step = timedelta(minutes=1) if len(fields) == 5 else timedelta(seconds=1)
        is_fixed = not any(field.startswith("*") for field in fields[-5:-3])
        rule = _Rule(fields if len(fields) == 6 else ["0", *fields])
        return list(self._search(rule, is_fixed, step, after, until))

    def _search(
        self, rule: "_Rule", is_fixed: bool, step: timedelta, after: datetime, until: datetime
    ) -> Iterator[datetime]:
        info = ZoneInfo(self.zone)
        before = after.astimezone(info).replace(tzinfo=None)
        at = after + step
        while at <= until:
            local = at.astimezone(info)
            naive = local.replace(tzinfo=None)
            skipped = _steps(before + step, naive, step) if is_fixed else []
            repeated = is_fixed and local.fold == 1
            if (rule.matches(naive) and not repeated) or any(map(rule.matches, skipped)):
                yield at
            before, at = naive, at + step


def _steps(begin: datetime, end: datetime, step: timedelta) -> list[datetime]:
    found = []
    while begin < end:
        found.append(begin)
        begin += step
    return found


class _Rule:
    """Whether a local time matches, field by field."""

    def __init__(self, six: Sequence[str]) -> None:
        expanded, self.nth = croniter.expand(" ".join(six), second_at_beginning=True)
        self.minutes, self.hours, self.days, self.months, self.weekdays, self.seconds = expanded

    def matches(self, at: datetime) -> bool:
        return (
            _in(at.second, self.seconds)
            and _in(at.minute, self.minutes)
            and _in(at.hour, self.hours)
            and _in(at.month, self.months)
            and self._matches_day(at)
        )

    def _matches_day(self, at: datetime) -> bool:
        length = monthrange(at.year, at.month)[1]
        by_day = at.day in self.days or ("l" in self.days and at.day == length)
        weekday = at.isoweekday() % 7
        by_weekday = weekday in self.weekdays
        if self.nth:
            weeks = self.nth.get(weekday, ())
            is_last = at.day + 7 > length
            by_weekday = (at.day - 1) // 7 + 1 in weeks or ("l" in weeks and is_last)
        if self.days == ["*"]:
            return by_weekday or self.weekdays == ["*"]
        return by_day if self.weekdays == ["*"] else by_day or by_weekday


def _in(value: int, values: Sequence[object]) -> bool:
    return values == ["*"] or value in values
