"""What may stand in the fields of a cron expression, and what is wrong with one that may not.

croniter reads more than can be planned exactly (random and hashed values, the nearest working day,
years), takes a few things to mean what nobody expects (`5-5` is every minute), and its faults name
fields by number. So every field is checked here first, and what is left is croniter's to expand.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LAST_NTH = 5  # no month has a sixth Monday

ITEM = re.compile(r"(?P<low>\*|\?|[a-z0-9]+)(-(?P<high>[a-z0-9]+))?(/(?P<step>[0-9]+))?", re.ASCII)
NTH = re.compile(r"(?P<day>[a-z0-9]+)#(?P<nth>[0-9]+)", re.ASCII)
LAST_WEEKDAY = re.compile(r"l(?P<day>[0-9]+)", re.ASCII)
WEEKDAY_THEN_L = re.compile(r"(?P<day>[0-7])l", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class FieldKind:
    """One field of an expression: what it is called, its range, and the names of its values."""

    name: str
    low: int
    high: int
    names: dict[str, int] = field(default_factory=dict)

    def out_of_range(self, text: str) -> str:
        """Say that a number is none of this field."""
        return f"{self.name} {text} is out of range ({self.low}-{self.high})"


SECOND = FieldKind(name="second", low=0, high=59)
MINUTE = FieldKind(name="minute", low=0, high=59)
HOUR = FieldKind(name="hour", low=0, high=23)
DAY = FieldKind(name="day of month", low=1, high=31)
MONTH = FieldKind(
    name="month", low=1, high=12, names={name: at for at, name in enumerate(MONTHS, 1)}
)
WEEKDAY = FieldKind(
    name="weekday", low=0, high=7, names={name: at for at, name in enumerate(WEEKDAYS)}
)
FIVE = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)
SIX = (SECOND, *FIVE)


def faults_of(kind: FieldKind, text: str) -> Iterator[str]:
    """Say what is wrong with one field, a sentence for each fault; nothing if it can be planned."""
    items = text.split(",")
    sentences = (_fault_of_item(kind, item) for item in items)
    yield from dict.fromkeys(sentence for sentence in sentences if sentence is not None)
    yield from _faults_of_list(kind, text, items)


def _faults_of_list(kind: FieldKind, text: str, items: Sequence[str]) -> Iterator[str]:
    if len(items) > 1 and any(item in ("*", "?") for item in items):
        yield f'{kind.name} "{text}": "*" matches everything, so it stands alone'
    if kind is WEEKDAY and len({"#" in item or item.startswith("l") for item in items}) > 1:
        yield (
            f'weekday "{text}" mixes plain days with days of a certain week: '
            "use a schedule for each"
        )


def _fault_of_item(kind: FieldKind, item: str) -> str | None:
    if kind is DAY and item == "l":
        return None
    if kind is WEEKDAY:
        if match := NTH.fullmatch(item):
            return _fault_of_nth(match["day"], match["nth"])
        if match := LAST_WEEKDAY.fullmatch(item):
            return _fault_of_value(kind, match["day"])
        if match := WEEKDAY_THEN_L.fullmatch(item):
            return f'weekday "{item}": the last one of a month is written L{match["day"]}'
    if item.startswith("-"):
        return f'{kind.name} "{item}": negative numbers are not allowed'
    match = ITEM.fullmatch(item)
    if match is None:
        return _fault_of_unreadable(kind, item)
    return _fault_of_match(kind, item, match)


def _fault_of_unreadable(kind: FieldKind, item: str) -> str:
    if not item:
        return f"{kind.name}: a value is missing beside a comma"
    return f'{kind.name} "{item}" cannot be read'


def _fault_of_nth(day: str, nth: str) -> str | None:
    if not 1 <= int(nth) <= LAST_NTH:
        return f"weekday {day}#{nth}: a month has the 1st to the {LAST_NTH}th of a weekday"
    return _fault_of_value(WEEKDAY, day)


def _fault_of_match(kind: FieldKind, item: str, match: re.Match[str]) -> str | None:
    low, high, step = match["low"], match["high"], match["step"]
    if low == "?" and (kind not in (DAY, WEEKDAY) or high or step):
        return f'{kind.name} "{item}": "?" stands alone, for the day of month or the weekday'
    if low in ("*", "?"):
        sentence = f'{kind.name} "{item}" cannot be read' if high else None
    else:
        sentence = _fault_of_value(kind, low) or (high and _fault_of_value(kind, high)) or None
        sentence = sentence or (_fault_of_range(kind, low, high, step) if high else None)
    return sentence or (_fault_of_step(kind, step) if step else None)


def _fault_of_value(kind: FieldKind, text: str) -> str | None:
    if text.isdecimal():
        return None if kind.low <= int(text) <= kind.high else kind.out_of_range(text)
    if text in kind.names:
        return None
    if text in ("h", "r") or text.endswith("w") or text.startswith("w"):
        return f'{kind.name} "{text.upper()}": neither chance nor working days can be planned'
    known = f": use {kind.low}-{kind.high}"
    names = f" or {', '.join(kind.names)}" if kind.names else ""
    return f'{kind.name} "{text}" is unknown{known}{names}'


def _fault_of_range(kind: FieldKind, low: str, high: str, step: str | None) -> str | None:
    first, last = _number(kind, low), _number(kind, high)
    if first == last:
        return f"{kind.name} {low}-{high} begins where it ends: write {low}"
    if first > last and step:
        return f"{kind.name} {low}-{high}/{step}: a range that wraps around cannot have a step"
    return None


def _fault_of_step(kind: FieldKind, step: str) -> str | None:
    if int(step) == 0:
        return f"{kind.name} step 0: a step is at least 1"
    return kind.out_of_range(step) if int(step) > kind.high else None


def _number(kind: FieldKind, text: str) -> int:
    return int(text) if text.isdecimal() else kind.names[text]
