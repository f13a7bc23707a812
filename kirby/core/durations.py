"""Durations and sizes as people write them: "90 s", "5 min", "1 h 30 min", "50 MB"."""

import re
from datetime import timedelta

from kirby.core.errors import InvalidInput

MILLISECOND = timedelta(milliseconds=1)
UNITS = {  # in milliseconds
    "d": 86_400_000,
    "h": 3_600_000,
    "min": 60_000,
    "s": 1000,
    "ms": 1,
}
SPELLINGS = {
    "d": ("d", "day", "days"),
    "h": ("h", "hour", "hours"),
    "min": ("min", "minute", "minutes"),
    "s": ("s", "sec", "second", "seconds"),
    "ms": ("ms", "millisecond", "milliseconds"),
}
LONGEST = timedelta(days=3660)  # ten years; more is a slip of the keyboard
LARGEST = 1 << 60  # bytes
DECIMAL = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4}
BINARY = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "TiB": 1024**4}

_READ = {name: UNITS[unit] for unit, names in SPELLINGS.items() for name in names}
_SIZES = {name.lower(): size for name, size in (DECIMAL | BINARY).items()}
_PART = re.compile(r"\s*([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([A-Za-z]+)")


def parse_duration(text: str) -> timedelta:
    """Read a duration, such as "90 s" or "1 h 30 min".

    Raises:
        InvalidInput: it has no number, no unit, or is longer than ten years.
    """
    milliseconds, at = 0.0, 0
    while match := _PART.match(text, at):
        unit = _READ.get(match[2].lower())
        if unit is None:
            break
        milliseconds, at = milliseconds + float(match[1]) * unit, match.end()
    if not at or text[at:].strip():
        raise InvalidInput(f'duration "{text}": write it with its unit, as "90 s", "5 min", "2 h"')
    if milliseconds > LONGEST / MILLISECOND:
        raise InvalidInput(f'duration "{text}" is longer than ten years')
    return timedelta(milliseconds=milliseconds)


def write_duration(duration: timedelta) -> str:
    """Write a duration so that `parse_duration` reads the same, to the millisecond."""
    left = max(duration // MILLISECOND, 0)
    parts = []
    for name, unit in UNITS.items():
        number, left = divmod(left, unit)
        if number:
            parts.append(f"{number} {name}")
    return " ".join(parts) or "0 s"


def write_took(duration: timedelta) -> str:
    """Write a measured duration with the digits that matter: "1.4 ms", "0.41 s", "2 min 3 s"."""
    seconds = duration.total_seconds()
    if seconds < 0.0995:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 9.95:
        return f"{seconds:.2f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    return _two_units(round(seconds))


def _two_units(seconds: int) -> str:
    """Write the two largest units: nobody needs the seconds of a day."""
    parts = write_duration(timedelta(seconds=seconds)).split()
    return " ".join(parts[:4])


def parse_size(text: str) -> int:
    """Read a number of bytes, such as "50 MB" (millions) or "64 KiB" (1024s).

    Raises:
        InvalidInput: it has no number or no unit, or is no whole number of bytes.
    """
    match = _PART.fullmatch(text.rstrip())
    unit = _SIZES.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise InvalidInput(f'size "{text}": write it with its unit, as "50 MB" or "64 KiB"')
    size = round(float(match[1]) * unit)
    if size > LARGEST:
        raise InvalidInput(f'size "{text}" is larger than any machine')
    return size


def write_size(size: int) -> str:
    """Write a number of bytes in the largest unit that keeps it exact, else rounded."""
    for units in (DECIMAL, BINARY):
        for name, unit in reversed(units.items()):
            if size >= unit > 1 and size % unit == 0:
                return f"{size // unit} {name}"
    for name, unit in reversed(DECIMAL.items()):
        if size >= unit > 1:
            return f"{size / unit:.1f} {name}"
    return f"{size} B"
