"""All of one database copied into another, SQLite or PostgreSQL, in one transaction there."""

from collections.abc import Callable, Mapping
from datetime import datetime

import peewee

from kirby.core.errors import Conflict, DatabaseError, InvalidInput
from kirby.model.copying_sides import Side
from kirby.model.database import bind, connect, connection
from kirby.model.migrations import LATEST, upgrade, version
from kirby.model.serving import web_services
from kirby.model.tables import tables

FIRST_ROWS = {"environment": 3, "revision": 1}  # that the migrations make

Tell = Callable[[str, int, int], None]  # table, rows copied so far, rows in all


def copy_database(source: str, target: str, now: datetime, tell: Tell) -> Mapping[str, int]:
    """Copy all rows with their numbers; sealed values stay as they are.

    Args:
        source: the URL to copy from; nothing is changed there.
        target: the URL to copy to; an empty database, or one that was only upgraded.
        now: to find out whether a web service still works on the source.
        tell: is told of the progress.

    Returns:
        The number of rows of each table, which both have.

    Raises:
        InvalidInput: both are the same.
        Conflict: a web service works on the source, or the target holds something already.
        DatabaseError: one of them does not answer, the source is of another version, or the
            counts differ in the end; the target is then as empty as it was.
    """
    if source == target:
        raise InvalidInput("both databases are the same: name another one with --to", field="to")
    try:
        return _copy(connect(source), connect(target), now, tell)
    except peewee.PeeweeException as fault:
        raise DatabaseError(f"the copy failed: {fault}; nothing was copied") from fault


def _copy(
    source: peewee.Database, target: peewee.Database, now: datetime, tell: Tell
) -> Mapping[str, int]:
    _check_source(source, now)
    bind(target)
    upgrade()
    old, new = Side(database=source), Side(database=target)
    with old.reading(), new.writing():
        counts = old.counts()
        _check_target(new)
        new.empty()
        for table in tables():
            name = table._meta.table_name
            for done in new.take(table, old.rows(table)):
                tell(name, done, counts[name])
            tell(name, counts[name], counts[name])
        new.set_counters(old.counters())
        _verify(counts, new.counts())
    return counts


def _check_source(source: peewee.Database, now: datetime) -> None:
    if isinstance(source, peewee.SqliteDatabase):
        source.connect_params["uri"] = True
        source.database = f"file:{source.database}?mode=rw"  # it is not made where it lacks
    bind(source)
    with connection():
        found = version()
        if found != LATEST:
            raise DatabaseError(
                f"the database to copy from has version {found}, and this Kirby works with "
                f"{LATEST}: bring it there with 'kirby db upgrade --database URL'"
            )
        for each in web_services(now):
            if each.alive:
                raise Conflict(
                    f"the web service {each.url} (pid {each.pid} on {each.host}) works on the "
                    "database to copy from, and what it writes meanwhile would be lost: stop it, "
                    "and try again after 20 seconds"
                )


def _check_target(new: Side) -> None:
    for table, rows in new.counts().items():
        if rows > FIRST_ROWS.get(table, 0):
            raise Conflict(
                f"the database to copy to holds something already ({rows} rows in {table}): "
                "name an empty one"
            )


def _verify(counts: Mapping[str, int], copied: Mapping[str, int]) -> None:
    for table, rows in counts.items():
        if copied[table] != rows:
            raise DatabaseError(
                f"of {rows} rows in {table} {copied[table]} came through; nothing was copied"
            )
