"""Which local times a cron expression names, as bit masks: bit n is set where value n matches.

Five fields, or six with the seconds first. croniter reads and expands the expression; the masks are
what the fires are found from (`planning.fires`), ten times sooner than croniter finds them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from croniter import CroniterError, croniter

from kirby.core.errors import Fault, InvalidCron
from kirby.core.planning.cron_fields import FIVE, SIX, FieldKind, faults_of
from kirby.core.planning.days import ALL_DAYS, LAST, LENGTHS, DayRule

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
LONGEST_TEXT = 1000  # characters; a list of all sixty minutes and seconds has under 400
KEPT = 4096  # expressions kept compiled: most installations use few different ones
SIZES = (60, 60, 24, 32, 13, 7)  # of the masks, seconds first

Expanded = Sequence[int | str]
T = TypeVar("T", int, DayRule)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cron:
    """A compiled expression.

    `seconds`, `minutes` and `hours` are masks. `is_interval`: its minute or hour field begins with
    `*`, so daylight saving neither moves nor merges its fires (see `kirby.core.planning.line`).
    """

    seconds: int
    minutes: int
    hours: int
    days: DayRule
    every_day: bool
    is_interval: bool


@lru_cache(maxsize=KEPT)
def compile_cron(text: str) -> Cron:
    """Read a cron expression.

    Raises:
        InvalidCron: it cannot be read, cannot be planned exactly, or never fires; with a sentence
            for each fault.
    """
    fields = _split(text)
    kinds = FIVE if len(fields) == len(FIVE) else SIX
    _check_fields(text, kinds, fields)
    expanded, nth = _expand(text, fields)
    rule = _day_rule(expanded, nth)
    if rule.never:
        raise _refused(text, f"it never fires: {_why_never(rule)}")
    return Cron(
        seconds=_shared(_mask(expanded[0], SIZES[0])),
        minutes=_shared(_mask(expanded[1], SIZES[1])),
        hours=_shared(_mask(expanded[2], SIZES[2])),
        days=_shared(rule),
        every_day=rule.every_day,
        is_interval=any(field.startswith("*") for field in fields[-5:-3]),
    )


@lru_cache(maxsize=KEPT)
def _shared(value: T) -> T:
    """Return the first of all equal values: expressions differ, and their fields seldom do."""
    return value


def check_cron(text: str) -> str:
    """Return the expression with single spaces, if it can be planned.

    Raises:
        InvalidCron: with a sentence for each fault.
    """
    compile_cron(text)
    return " ".join(text.split())


def _split(text: str) -> list[str]:
    if len(text) > LONGEST_TEXT:
        raise _refused(f"{text[:40]}…", f"it is longer than {LONGEST_TEXT} characters")
    lowered = text.strip().lower()
    if lowered.startswith("@") and lowered not in ALIASES:
        raise _refused(text, f'"{lowered}" is unknown: use {", ".join(ALIASES)}, or five fields')
    fields = ALIASES.get(lowered, lowered).split()
    if len(fields) not in (len(FIVE), len(SIX)):
        raise _refused(
            text,
            f"it has {len(fields)} fields: use five (minute, hour, day of month, month, "
            "weekday), or six with the seconds first",
        )
    # "*/1" restricts nothing; croniter would take it for a restriction where the weekday has one.
    return ["*" if field == "*/1" else field for field in fields]


def _check_fields(text: str, kinds: Sequence[FieldKind], fields: Sequence[str]) -> None:
    pairs = zip(kinds, fields, strict=True)
    sentences = [sentence for kind, field in pairs for sentence in faults_of(kind, field)]
    if sentences:
        raise _refused(text, *sentences)


def _expand(text: str, fields: Sequence[str]) -> tuple[list[Expanded], dict[int, set[int | str]]]:
    """Have croniter expand the fields; return them with the seconds first, and the nth weekdays."""
    six = fields if len(fields) == len(SIX) else ["0", *fields]
    try:
        expanded, nth = croniter.expand(" ".join(six), second_at_beginning=True)
    except CroniterError as fault:
        raise _refused(text, "it cannot be read") from fault
    return [expanded[-1], *expanded[:-1]], nth


def _refused(text: str, *sentences: str) -> InvalidCron:
    return InvalidCron(
        [Fault(field="", sentence=f'schedule "{text}": {sentence}') for sentence in sentences]
    )


def _mask(values: Expanded, size: int) -> int:
    if "*" in values:
        return (1 << size) - 1
    return sum(1 << value for value in values if isinstance(value, int))


def _day_rule(expanded: Sequence[Expanded], nth: dict[int, set[int | str]]) -> DayRule:
    _, _, _, days, months, weekdays = expanded
    last = 1 << LAST if "l" in days else 0
    return DayRule(
        days=ALL_DAYS if "*" in days else _mask(days, SIZES[3]) | last,
        months=_mask(months, SIZES[4]) & ~1,
        weekdays=0 if nth else _mask(weekdays, SIZES[5]),
        nth=tuple(
            sorted(
                (weekday, 0 if week == "l" else int(week))
                for weekday, weeks in nth.items()
                for week in weeks
            )
        ),
        restricts_days="*" not in days,
        restricts_weekdays="*" not in weekdays,
    )


def _why_never(rule: DayRule) -> str:
    longest = max(LENGTHS[month] for month in range(1, 13) if rule.months >> month & 1)
    return f"none of its months has more than {longest} days"
