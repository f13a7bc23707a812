"""A PostgreSQL that is gone comes back without a restart; nobody holds up the others for ever."""

import threading
from collections.abc import Iterator
from typing import Any

import peewee
import pytest

from kirby.core.errors import DatabaseError
from kirby.model.database import bind, connect, connection, database, writing
from kirby.model.definitions import Environment
from kirby.model.revisions import next_revision
from tests.postgresql_for_tests import PostgresServer, new_postgresql

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    started = new_postgresql()
    yield started
    started.end()


@pytest.fixture
def opened(server: PostgresServer) -> PostgresServer:
    bind(connect(server.upgraded()))
    return server


def environments() -> int:
    with connection():
        return int(Environment.select().count())


def test_a_server_that_is_gone_is_a_sentence_and_is_used_again_when_it_is_back(
    opened: PostgresServer,
) -> None:
    assert environments() == 3

    opened.stop()
    with pytest.raises(DatabaseError, match="the database does not answer"):
        environments()
    opened.start()

    assert environments() == 3


def test_a_connection_that_breaks_in_a_transaction_is_gone_with_what_was_begun(
    opened: PostgresServer,
) -> None:
    def begin_and_lose() -> None:
        with connection(), writing():
            Environment.create(name="half", topic_prefix="half.")
            opened.stop()
            Environment.create(name="other", topic_prefix="other.")

    with pytest.raises((peewee.OperationalError, peewee.InterfaceError)):
        begin_and_lose()
    opened.start()

    assert environments() == 3


def test_who_froze_in_a_transaction_holds_up_nobody_for_ever(opened: PostgresServer) -> None:
    frozen, thawed = threading.Event(), threading.Event()
    told: list[Any] = []

    def freeze() -> None:
        try:
            with connection(), writing():
                next_revision()
                frozen.set()
                thawed.wait(120)
                next_revision()
        except peewee.PeeweeException as fault:
            told.append(fault)

    thread = threading.Thread(target=freeze)
    thread.start()
    assert frozen.wait(60)
    with connection(), writing():
        mine = next_revision()
    thawed.set()
    thread.join(60)

    assert mine == 1
    assert isinstance(told[0], peewee.OperationalError)
    with connection():
        assert database.execute_sql("SELECT number FROM revision").fetchone() == (1,)
