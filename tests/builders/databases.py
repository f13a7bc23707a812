"""The databases of tests: SQLite files, or all of them on PostgreSQL where that is asked for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kirby.model.database import bind, connect, connection
from kirby.model.migrations import upgrade

if TYPE_CHECKING:
    from tests.postgresql_for_tests import PostgresServer

CHOSEN = "KIRBY_TEST_DATABASE"  # "postgresql": the tests of model and web run on it, too


def on_postgresql() -> bool:
    """Tell whether this session's databases are PostgreSQL's."""
    return os.environ.get(CHOSEN) == "postgresql"


def empty_database(folder: Path) -> str:
    """Give the URL of an empty database."""
    if on_postgresql():
        return _server().empty()
    return f"sqlite:///{folder / 'kirby.db'}"


def bind_database(folder: Path) -> None:
    """Bind the upgraded database of a folder."""
    if on_postgresql():
        bind(connect(_server().upgraded()))
        return
    bind(connect(f"sqlite:///{folder / 'kirby.db'}"))
    upgrade()


@contextmanager
def a_database(folder: Path) -> Iterator[None]:
    """Open a fresh database."""
    bind_database(folder)
    with connection():
        yield


def _server() -> "PostgresServer":
    from tests.postgresql_for_tests import shared_postgresql

    return shared_postgresql()
