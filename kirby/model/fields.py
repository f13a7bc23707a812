"""How Kirby's values lie in a database: the same way in SQLite and in PostgreSQL.

Instants and durations are integers, so that they sort and compare without a time zone of the
session; enums are their values; small structures that no query looks into are JSON text.
"""

import json
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from peewee import BigIntegerField, TextField

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MILLISECOND = timedelta(milliseconds=1)


class InstantField(BigIntegerField):
    """An aware datetime, kept as microseconds since 1970 in UTC."""

    def db_value(self, value: datetime | int | None) -> int | None:
        """Turn an instant into microseconds."""
        return (value - EPOCH) // MICROSECOND if isinstance(value, datetime) else value

    def python_value(self, value: int | None) -> datetime | None:
        """Turn microseconds into an instant."""
        return None if value is None else EPOCH + int(value) * MICROSECOND


class DurationField(BigIntegerField):
    """A timedelta, kept as milliseconds."""

    def db_value(self, value: timedelta | int | None) -> int | None:
        """Turn a duration into milliseconds."""
        return value // MILLISECOND if isinstance(value, timedelta) else value

    def python_value(self, value: int | None) -> timedelta | None:
        """Turn milliseconds into a duration."""
        return None if value is None else int(value) * MILLISECOND


class EnumField(TextField):
    """A member of an Enum, kept as its value."""

    def __init__(self, members: type[Enum], *args: Any, **kwargs: Any) -> None:
        self.members = members
        super().__init__(*args, **kwargs)

    def db_value(self, value: Enum | str | None) -> str | None:
        """Turn a member into its value."""
        return value.value if isinstance(value, Enum) else value

    def python_value(self, value: str | None) -> Enum | None:
        """Turn a value into its member."""
        return None if value is None else self.members(value)


class JsonField(TextField):
    """Plain data (lists, strings, numbers), kept as JSON text."""

    def db_value(self, value: Any) -> str | None:
        """Write plain data as JSON."""
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def python_value(self, value: str | None) -> Any:
        """Read JSON."""
        return None if value is None else json.loads(value)
