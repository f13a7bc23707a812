"""Durations as people write them: "90 s", "5 min", "2 h", "1 h 30 min"."""

import re
from datetime import timedelta

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "sec": timedelta(seconds=1),
    "second": timedelta(seconds=1),
    "seconds": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "minute": timedelta(minutes=1),
    "minutes": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "hour": timedelta(hours=1),
    "hours": timedelta(hours=1),
    "d": timedelta(days=1),
    "day": timedelta(days=1),
    "days": timedelta(days=1),
}
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)", re.IGNORECASE)


def duration_of(text: str) -> timedelta:
    """Read a duration.

    Raises:
        ValueError: with what a duration looks like.
    """
    total, at = timedelta(0), 0
    while match := _PART.match(text, at):
        unit = _UNITS.get(match[2].lower())
        if unit is None:
            break
        total, at = total + float(match[1]) * unit, match.end()
    if at == 0 or text[at:].strip():
        raise ValueError('write a duration with its unit, like "90 s", "5 min" or "2 h"')
    return total
