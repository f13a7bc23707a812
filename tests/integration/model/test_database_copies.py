"""Everything moves from SQLite to PostgreSQL and back, on a real one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kirby.core.errors import Conflict, DatabaseError, InvalidInput
from kirby.model.copying import copy_database
from kirby.model.database import bind, connect, connection, database
from kirby.model.definitions import ConfigKey, Scope
from kirby.model.migrations import upgrade
from kirby.model.serving import see_web_service
from kirby.model.tables import tables
from tests.builders.full_database import fill
from tests.postgresql_for_tests import shared_postgresql

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.fixture(params=["sqlite to postgresql", "postgresql to sqlite", "sqlite to sqlite"])
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Give the URLs of an upgraded database and of an empty one."""
    places = [
        shared_postgresql().empty() if kind == "postgresql" else f"sqlite:///{tmp_path}/{end}.db"
        for end, kind in enumerate(request.param.split(" to "))
    ]
    bind(connect(places[0]))
    upgrade()
    return places[0], places[1]


@pytest.fixture
def told() -> list[tuple[str, int, int]]:
    return []


def copy(ends: tuple[str, str], told: list[Any] | None = None) -> Any:
    def tell(*what: Any) -> None:
        if told is not None:
            told.append(what)

    return copy_database(*ends, NOW, tell)


def content(url: str) -> dict[str, list[Any]]:
    bind(connect(url))
    with connection():
        return {each._meta.table_name: sorted(each.select().dicts(), key=repr) for each in tables()}


def names_of_tables() -> Iterator[str]:
    with connection():
        yield from (name for name in database.get_tables() if not name.startswith("sqlite_"))


def test_all_rows_of_all_tables_arrive_as_they_are(ends, told):
    fill()
    before = content(ends[0])

    counts = copy(ends, told)

    assert content(ends[1]) == before
    assert all(before.values())
    assert counts == {name: len(rows) for name, rows in before.items()}
    assert {name for name, _, _ in told} == set(before)


def test_no_table_is_forgotten(ends):
    covered = {each._meta.table_name for each in tables()}

    assert set(names_of_tables()) == covered | {"schema_version"}


def test_numbers_go_on_where_they_were_also_where_the_last_rows_are_gone(ends):
    fill()
    copy(ends)

    following = []
    for url in ends:
        bind(connect(url))
        with connection():
            following.append(ConfigKey.insert(scope=Scope.GLOBAL, name="X", value="1").execute())

    assert following[0] == following[1]


def test_an_empty_database_copies_as_well_and_numbers_from_one(ends):
    copy(ends)

    bind(connect(ends[1]))
    with connection():
        assert ConfigKey.insert(scope=Scope.GLOBAL, name="X", value="1").execute() == 1


def test_a_target_that_holds_something_is_refused_and_left_as_it_is(ends):
    fill()
    copy(ends)
    before = content(ends[1])

    with pytest.raises(Conflict, match="holds something already"):
        copy(ends)

    assert content(ends[1]) == before


def test_nothing_is_copied_while_a_web_service_works_on_the_source(ends):
    with connection():
        see_web_service(
            "http://10.0.0.1:8642", host="alpha", pid=7, version="1", since=NOW, now=NOW
        )

    with pytest.raises(Conflict, match=r"http://10\.0\.0\.1:8642 \(pid 7 on alpha\)"):
        copy(ends)

    copy_database(*ends, NOW + timedelta(minutes=1), lambda *_: None)


def test_a_source_of_another_version_is_refused(ends):
    with connection():
        database.execute_sql("DELETE FROM schema_version WHERE number > 1")

    with pytest.raises(DatabaseError, match="kirby db upgrade"):
        copy(ends)


def test_a_copy_that_breaks_off_leaves_the_target_empty(ends):
    fill()

    def breaking(table: str, _done: int, _all: int) -> None:
        if table == "usage":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_database(*ends, NOW, breaking)

    copy(ends)


def test_a_source_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(DatabaseError):
        copy((f"sqlite:///{tmp_path}/nothing.db", f"sqlite:///{tmp_path}/new.db"))

    assert not (tmp_path / "nothing.db").exists()


def test_a_database_is_not_copied_onto_itself():
    with pytest.raises(InvalidInput, match="the same"):
        copy(("sqlite:///one.db", "sqlite:///one.db"))
