import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kirby.core.records import TopicName
from kirby.kafka.boot import boot
from kirby.kafka.events import Alive, CaughtUp, Delivered, OffsetGone, ReaderTrouble
from kirby.model.database import connection
from kirby.model.happenings import Run
from kirby.model.projection import offsets, take
from kirby.web.projecting import Projecting
from tests.builders.databases import bind_database
from tests.builders.records import DUE, RUN, an_ended

PATIENCE_S = 20.0


class FakeReader:
    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


class FakeClients:
    """Makes readers that are fed by hand; keeps where each was told to begin."""

    def __init__(self) -> None:
        self.starts: list[Any] = []
        self.mailbox: Any = None
        self.made = FakeReader()

    def reader(self, starts: Any, mailbox: Any) -> FakeReader:
        self.starts.append(starts)
        self.mailbox = mailbox
        return self.made


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[FakeClients]:
    bind_database(tmp_path)
    made = FakeClients()
    projecting = Projecting(made, now=lambda: datetime.now(UTC))  # type: ignore[arg-type]
    projecting.start()
    made.projecting = projecting  # type: ignore[attr-defined]
    wait_for(lambda: made.mailbox is not None)
    yield made
    projecting.close()


def wait_for(what: Callable[[], Any]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < until
        time.sleep(0.005)


def delivered(offset: int, record: Any) -> Delivered:
    return Delivered(
        topic=TopicName.RUNS, partition=2, offset=offset, key=RUN, record=record, appended=DUE,
        read_boot=0.0,
    )  # fmt: skip


def ended() -> bool:
    with connection():
        return bool(Run.select().where(Run.id == RUN).exists())


def reached() -> int | None:
    with connection():
        return offsets().get((TopicName.RUNS, 2))


def test_what_is_read_is_in_the_database_with_how_far_it_was_read(clients: FakeClients) -> None:
    clients.mailbox.put(
        delivered(7, an_ended()), CaughtUp(topic=TopicName.RUNS, partition=2, next_offset=9)
    )

    wait_for(ended)

    assert reached() == 9


def test_the_next_one_begins_where_the_last_one_ended(clients: FakeClients) -> None:
    clients.mailbox.put(delivered(7, an_ended()))
    wait_for(ended)

    second = FakeClients()
    projecting = Projecting(second)  # type: ignore[arg-type]
    projecting.start()
    wait_for(lambda: second.starts)
    projecting.close()

    assert second.starts[0][TopicName.RUNS] == (0, 0, 8, 0, 0, 0)


def test_where_the_log_was_replaced_its_records_are_taken_from_the_beginning(
    clients: FakeClients,
) -> None:
    clients.mailbox.put(delivered(700, None))
    wait_for(lambda: reached() == 701)

    clients.mailbox.put(OffsetGone(topic=TopicName.RUNS, partition=2, asked=701))
    clients.mailbox.put(delivered(0, an_ended()))

    wait_for(ended)
    assert reached() == 1


def test_it_is_well_while_the_reader_lives_and_says_what_it_says_when_not(
    clients: FakeClients,
) -> None:
    projecting: Projecting = clients.projecting  # type: ignore[attr-defined]
    assert projecting.trouble() == "what happens is not read yet"

    clients.mailbox.put(ReaderTrouble(sentence="Kafka at h:1 does not answer"))
    wait_for(lambda: projecting.trouble() == "Kafka at h:1 does not answer")

    clients.mailbox.put(Alive(boot=boot()))
    wait_for(lambda: projecting.trouble() is None)


def test_what_cannot_be_written_now_is_written_when_the_database_answers_again(
    clients: FakeClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    import peewee

    from kirby.web import projecting

    tries = []

    def failing_twice(*args: Any) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise peewee.OperationalError("database is locked")
        take(*args)

    monkeypatch.setattr(projecting, "take", failing_twice)
    monkeypatch.setattr(projecting, "AGAIN_S", 0.01)
    clients.mailbox.put(delivered(7, an_ended()))

    wait_for(ended)
    assert len(tries) == 3


def test_closing_ends_the_reader(clients: FakeClients) -> None:
    projecting: Projecting = clients.projecting  # type: ignore[attr-defined]

    projecting.close()

    assert clients.made.closed
