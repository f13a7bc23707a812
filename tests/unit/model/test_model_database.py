from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import peewee
import pytest

from kirby.core.errors import DatabaseError, DatabaseNewer, InvalidInput
from kirby.model.access import ApiToken, PackageFile, Session, SignInLink
from kirby.model.database import bind, connect, connection, database
from kirby.model.definitions import (
    Absence,
    ConfigKey,
    Context,
    CronRow,
    Environment,
    External,
    Revision,
    Scope,
    Script,
    SuspensionRow,
    Usage,
)
from kirby.model.happenings import (
    Attempt,
    DaemonInstance,
    HostRow,
    Leader,
    OffsetRow,
    Run,
    StretchRow,
)
from kirby.model.migrations import LATEST, MIGRATIONS, Migration, upgrade, version
from kirby.model.serving import ChoreRow, WebServiceRow
from tests.builders.databases import a_database, empty_database
from tests.builders.model import NOON, SECOND, a_context

TABLES = [
    Absence, ApiToken, Attempt, ConfigKey, Context, CronRow, DaemonInstance, Environment, External,
    HostRow, Leader, OffsetRow, PackageFile, Revision, Run, Script, Session, SignInLink,
    StretchRow, SuspensionRow, Usage, ChoreRow, WebServiceRow,
]  # fmt: skip


@contextmanager
def an_upgraded_one(folder: Path) -> Iterator[None]:
    """Open a database that no other test sees: its schema may be changed."""
    bind(connect(empty_database(folder)))
    upgrade()
    with connection():
        yield


def test_an_empty_database_is_brought_to_the_latest_version(tmp_path: Path) -> None:
    bind(connect(empty_database(tmp_path)))

    steps = upgrade()

    assert steps == (0, LATEST)


def test_an_upgrade_of_an_upgraded_database_changes_nothing(tmp_path: Path) -> None:
    with a_database(tmp_path):
        assert upgrade() == (LATEST, LATEST)


def test_an_older_database_gets_what_it_lacks(tmp_path: Path) -> None:
    later = Migration(number=LATEST + 1, statements=["CREATE TABLE later (id {serial})"])

    with an_upgraded_one(tmp_path):
        steps = upgrade([*MIGRATIONS, later])

        assert steps == (LATEST, LATEST + 1)
    with connection():
        assert database.table_exists("later")


def test_a_newer_database_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with an_upgraded_one(tmp_path):
        upgrade([*MIGRATIONS, Migration(number=LATEST + 1, statements=[])])

        with pytest.raises(DatabaseNewer, match="made by a later Kirby"):
            upgrade()


def test_a_failing_migration_leaves_nothing_behind(tmp_path: Path) -> None:
    half = Migration(
        number=LATEST + 1, statements=["CREATE TABLE half (id {serial})", "CREATE TABEL typo"]
    )

    with an_upgraded_one(tmp_path), pytest.raises(DatabaseError):
        upgrade([*MIGRATIONS, half])

    with connection():
        assert not database.table_exists("half")
        assert version() == LATEST


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_table_has_the_columns_that_the_migrations_made(
    table: type[peewee.Model], tmp_path: Path
) -> None:
    with a_database(tmp_path):
        columns = {each.name for each in database.get_columns(table._meta.table_name)}

        assert columns == set(table._meta.columns)


def test_the_three_environments_are_there_from_the_start(tmp_path: Path) -> None:
    with a_database(tmp_path):
        found = {row.name: row.topic_prefix for row in Environment.select()}

    assert found == {"prod": "", "dev": "dev.", "test": "test."}


@pytest.mark.parametrize("url", ["mysql://host/name", "kirby.db", "sqlite:///", "postgresql://h"])
def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        connect(url)


def test_the_database_itself_refuses_a_suspension_that_ends_before_it_starts(
    tmp_path: Path,
) -> None:
    with a_database(tmp_path):
        a_context("pump/prod")

        with pytest.raises(peewee.IntegrityError):
            SuspensionRow.create(context="pump/prod", start=NOON, end=NOON - SECOND, made=NOON)


def test_the_database_itself_refuses_a_context_of_an_unknown_environment(tmp_path: Path) -> None:
    with a_database(tmp_path), pytest.raises(peewee.IntegrityError):
        a_context("pump/prdo")


def test_the_database_itself_refuses_the_same_variable_twice_in_one_scope(tmp_path: Path) -> None:
    with a_database(tmp_path):
        ConfigKey.create(scope=Scope.GLOBAL, name="RATE", value="1")

        with pytest.raises(peewee.IntegrityError):
            ConfigKey.create(scope=Scope.GLOBAL, name="RATE", value="2")
