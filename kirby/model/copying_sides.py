"""The two sides of a copy: rows as they lie there, and the counters of those that are numbered."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import peewee

from kirby.model.tables import tables

ROWS_AT_ONCE = 500
BLOBS_AT_ONCE = 1  # a package may have hundreds of megabytes
Row = Sequence[Any]


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the databases, with a connection of its own."""

    database: peewee.Database

    @property
    def is_sqlite(self) -> bool:
        """Tell which of the two kinds it is."""
        return isinstance(self.database, peewee.SqliteDatabase)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """See one moment of it until the end, whatever others write."""
        with self.database.connection_context(), self.database.atomic():
            if not self.is_sqlite:
                self._do("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                # It waits while the other side is written to.
                self._do("SET LOCAL idle_in_transaction_session_timeout = 0")
                self._do("SET LOCAL statement_timeout = 0")
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write all that is inside, or nothing."""
        with self.database.connection_context(), self.database.atomic():
            if not self.is_sqlite:
                self._do("SET LOCAL statement_timeout = 0")
                self._do("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield

    def counts(self) -> dict[str, int]:
        """Return how many rows each table has."""
        return {
            _name(table): int(self._do(f"SELECT COUNT(*) FROM {_name(table)}").fetchone()[0])
            for table in tables()
        }

    def rows(self, table: Any) -> Iterator[Row]:
        """Give the rows of a table, a few at a time in memory."""
        key = ", ".join(column.column_name for column in table._meta.get_primary_keys())
        question = f"SELECT {', '.join(_columns(table))} FROM {_name(table)} ORDER BY {key}"
        if self.is_sqlite:
            yield from self._do(question)
            return
        with self.database.connection().cursor(name=f"copy_{_name(table)}") as cursor:
            cursor.itersize = _at_once(table)
            cursor.execute(question)
            yield from cursor

    def empty(self) -> None:
        """Take away what the migrations put in."""
        for table in reversed(tables()):
            self._do(f"DELETE FROM {_name(table)}")

    def take(self, table: Any, rows: Iterable[Row]) -> Iterator[int]:
        """Insert rows as the other side gave them; yield how many there are so far."""
        fields = [table._meta.columns[name] for name in _columns(table)]
        mark = "?" if self.is_sqlite else "%s"
        statement = (
            f"INSERT INTO {_name(table)} ({', '.join(_columns(table))}) "
            f"VALUES ({', '.join([mark] * len(fields))})"
        )
        done, batch = 0, []
        for row in rows:
            batch.append([_value(field, value) for field, value in zip(fields, row, strict=True)])
            if len(batch) >= _at_once(table):
                done += self._insert(statement, batch)
                batch = []
                yield done
        self._insert(statement, batch)

    def counters(self) -> dict[str, int]:
        """Return the highest number that each numbered table ever gave, also to rows now gone."""
        return {_name(table): self._counter(_name(table)) for table in _numbered()}

    def set_counters(self, counters: Mapping[str, int]) -> None:
        """Go on numbering where the other side would."""
        for table, last in counters.items():
            if self.is_sqlite:
                self._do("DELETE FROM sqlite_sequence WHERE name = ?", table)
                self._do("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", table, last)
            else:
                sequence = f"pg_get_serial_sequence('{table}', 'id')"
                self._do(f"SELECT setval({sequence}, %s, %s)", max(last, 1), last > 0)

    def _counter(self, table: str) -> int:
        if self.is_sqlite:
            found = self._do("SELECT seq FROM sqlite_sequence WHERE name = ?", table).fetchone()
            return int(found[0]) if found else 0
        sequence = self._do(f"SELECT pg_get_serial_sequence('{table}', 'id')").fetchone()[0]
        last, is_used = self._do(f"SELECT last_value, is_called FROM {sequence}").fetchone()
        return int(last) if is_used else 0

    def _insert(self, statement: str, batch: Sequence[Row]) -> int:
        if batch:
            self.database.cursor().executemany(statement, batch)
        return len(batch)

    def _do(self, statement: str, *values: Any) -> Any:
        return self.database.execute_sql(statement, values or None)


def _name(table: Any) -> str:
    return str(table._meta.table_name)


def _columns(table: Any) -> list[str]:
    return list(table._meta.columns)


def _numbered() -> list[Any]:
    return [each for each in tables() if isinstance(each._meta.primary_key, peewee.AutoField)]


def _at_once(table: Any) -> int:
    has_blob = any(isinstance(each, peewee.BlobField) for each in table._meta.columns.values())
    return BLOBS_AT_ONCE if has_blob else ROWS_AT_ONCE


def _value(field: Any, value: Any) -> Any:
    """Return a value as both databases take it: SQLite has no truth values, and other bytes."""
    if value is None:
        return None
    if isinstance(field, peewee.BooleanField):
        return bool(value)
    return bytes(value) if isinstance(field, peewee.BlobField) else value
