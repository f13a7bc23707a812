"""The connection to the database: SQLite by default, PostgreSQL where several services share it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import peewee

from kirby.core.errors import DatabaseError, InvalidInput

BUSY_TIMEOUT_S = 10  # a writer waits for another one; no transaction of Kirby takes a second
SQLITE_PRAGMAS = {
    "journal_mode": "wal",  # readers do not wait for the projection's writes
    "synchronous": "normal",  # with WAL: a power cut loses the last moments, corrupts nothing
    "foreign_keys": 1,
    "cache_size": -8 * 1024,  # KiB
}
# A server that is gone must not hold up requests, nor a frozen web service the others.
POSTGRESQL_DEFAULTS = {
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "application_name": "kirby",
    "options": "-c statement_timeout=30s -c lock_timeout=10s "
    "-c idle_in_transaction_session_timeout=8s",
}

database = peewee.DatabaseProxy()
"""Where the tables live; bound by `bind`, which the application factory calls."""


def connect(url: str) -> peewee.Database:
    """Return the database of `sqlite:///PATH` or `postgresql://USER@HOST/NAME`, not yet open.

    Raises:
        InvalidInput: the URL names another kind of database, or no path.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(url, unquote(parts.path))
    if parts.scheme in ("postgresql", "postgres"):
        return _postgresql(url, unquote(parts.path.lstrip("/")))
    raise InvalidInput(
        f'database "{url}": use sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME',
        field="database",
    )


def _sqlite(url: str, path: str) -> peewee.Database:
    # sqlite:///relative and sqlite:////absolute, as everybody writes it
    file = Path(path[1:]) if path.startswith("/") else Path(path)
    if not file.name:
        raise InvalidInput(f'database "{url}": name a file, as in sqlite:///kirby.db')
    return peewee.SqliteDatabase(str(file), pragmas=SQLITE_PRAGMAS, timeout=BUSY_TIMEOUT_S)


def _postgresql(url: str, name: str) -> peewee.Database:
    if not name:
        raise InvalidInput(f'database "{url}": name a database, as in postgresql://host/kirby')
    parts = urlsplit(url)
    given = {
        **POSTGRESQL_DEFAULTS,
        "host": parts.hostname,
        "port": parts.port,
        "user": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        **dict(parse_qsl(parts.query)),
    }
    settings = {key: value for key, value in given.items() if value is not None}
    return peewee.PostgresqlDatabase(name, prefer_psycopg3=True, **settings)


def bind(opened: Any) -> None:
    """Let the tables live in this database from now on."""
    database.initialize(opened)


def is_sqlite() -> bool:
    """Tell which of the two it is; only transactions and migrations need to know."""
    return isinstance(database.obj, peewee.SqliteDatabase)


@contextmanager
def connection() -> Iterator[None]:
    """Hold a connection for this thread, closed at the end.

    Raises:
        DatabaseError: the database does not answer.
    """
    try:
        database.connect(reuse_if_open=True)
    except peewee.OperationalError as fault:
        raise DatabaseError(f"the database does not answer: {fault}") from fault
    try:
        yield
    finally:
        database.close()


@contextmanager
def writing() -> Iterator[None]:
    """Do what is inside in one transaction; take the write lock at once.

    A transaction of SQLite that begins with a read and then writes fails when another one wrote
    in between, whatever the busy time-out; one that begins IMMEDIATE waits its turn.
    """
    if database.in_transaction():
        with database.atomic():
            yield
    elif is_sqlite():
        with database.atomic("IMMEDIATE"):
            yield
    else:
        with database.atomic():
            yield
