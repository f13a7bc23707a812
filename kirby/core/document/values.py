"""How the values of a document are written: texts, numbers, durations, sizes, instants, choices."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeVar

from kirby.core.document.table import Unfit
from kirby.core.durations import LARGEST, parse_duration, parse_size
from kirby.core.names import Host, check_name
from kirby.core.nouns import Hosts

E = TypeVar("E", bound=Enum)

ABOUT_LIMIT = 1000
TOPIC = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")  # Kafka takes 249, with the prefix
PREFIX = re.compile(r"[a-z0-9][A-Za-z0-9._-]{0,48}")


def text(value: Any) -> str:
    """Read a text of one paragraph."""
    if not isinstance(value, str) or "\x00" in value:
        raise Unfit(" is no text: write it in quotes")
    if len(value) > ABOUT_LIMIT:
        raise Unfit(f" is longer than {ABOUT_LIMIT} characters")
    return value


def truth(value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise Unfit(" is neither true nor false")
    return value


def whole(least: int, most: int) -> Callable[[Any], int]:
    """Return a reader of whole numbers in a range."""

    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Unfit(f": use a whole number from {least} to {most}")
        return value

    return read


def one_of(members: type[E]) -> Callable[[Any], E]:
    """Return a reader of the members of an Enum."""

    def read(value: Any) -> E:
        for member in members:
            if member.value == value:
                return member
        raise Unfit(f" is unknown: {', '.join(str(member.value) for member in members)}")

    return read


def size(value: Any) -> int:
    """Read a number of bytes: a whole number, or as people write it ("512 MB")."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST:
        return value
    if not isinstance(value, str):
        raise Unfit(': write a size with its unit, like "512 MB"')
    return parse_size(value)


def instant(value: Any) -> datetime:
    """Read an instant with its offset from UTC."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        read = None
    if not isinstance(read, datetime):
        raise Unfit(" is no instant: write one like 2026-12-24T18:00:00+01:00")
    if read.tzinfo is None:
        raise Unfit(" has no offset from UTC: write one like 2026-12-24T18:00:00+01:00")
    return read.astimezone(UTC)


def hosts(value: Any) -> Hosts:
    """Read where a daemon belongs: "all", a number, or a list of host names."""
    if value == "all":
        return "all"
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return tuple(sorted({Host(check_name("host", each)) for each in value}))
    raise Unfit(': use "all", a number of hosts, or a list of host names')


def prefix(value: Any) -> str:
    """Read what the topics of an environment begin with."""
    if not isinstance(value, str) or not PREFIX.fullmatch(value):
        raise Unfit(': use 1 to 49 letters, digits, ".", "_" and "-", beginning with one of a-z')
    return value


def check_topic(name: str) -> str:
    """Return the name if Kafka takes it."""
    if not TOPIC.fullmatch(name):
        raise Unfit(': a topic has 1 to 200 letters, digits, ".", "_" and "-"')
    return name


def duration(value: Any) -> timedelta:
    """Read a duration with its unit."""
    if not isinstance(value, str):
        raise Unfit(': write a duration with its unit, like "90 s", "5 min" or "2 h"')
    return parse_duration(value)
