import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import peewee
import pytest

from kirby.core.records import TopicName
from kirby.kafka.boot import boot
from kirby.kafka.events import Alive, CaughtUp, Delivered, OffsetGone, ReaderTrouble
from kirby.kafka.membership import Share
from kirby.kafka.starts import Beginning
from kirby.model.database import connection
from kirby.model.happenings import Run
from kirby.model.projection import Placed, offsets, take
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

        self.told: Any = None
        self.members: list[FakeReader] = []

    def membership(self, topics: Any, mailbox: Any) -> FakeReader:
        self.told = mailbox
        self.members.append(FakeReader())
        return self.members[-1]

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

    begins = second.starts[0][TopicName.RUNS].positions
    assert begins == {**dict.fromkeys(range(6), Beginning()), 2: 8}


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


@pytest.fixture
def sharing(tmp_path: Path) -> Iterator[FakeClients]:
    bind_database(tmp_path)
    made = FakeClients()
    projecting = Projecting(made, shares=True)  # type: ignore[arg-type]
    made.projecting = projecting  # type: ignore[attr-defined]
    projecting.start()
    wait_for(lambda: made.told is not None)
    yield made
    projecting.close()


def share(*partitions: int) -> Share:
    return Share(partitions=frozenset((TopicName.RUNS, each) for each in partitions))


def test_one_of_several_reads_its_share_only(sharing: FakeClients) -> None:
    sharing.told.put(share(2, 4))

    wait_for(lambda: sharing.starts)

    assert sharing.starts[0][TopicName.RUNS].positions == dict.fromkeys((2, 4), Beginning())
    assert list(sharing.starts[0]) == [TopicName.RUNS]


def test_a_new_share_is_read_from_where_the_database_is(sharing: FakeClients) -> None:
    sharing.told.put(share(4))
    wait_for(lambda: sharing.starts)
    with connection():
        take([placed(7)])

    sharing.told.put(share(2, 4))

    wait_for(lambda: len(sharing.starts) == 2)
    assert sharing.starts[1][TopicName.RUNS].positions == {2: 8, 4: Beginning()}
    assert sharing.made.closed


def test_one_to_which_nothing_falls_is_well(sharing: FakeClients) -> None:
    projecting: Projecting = sharing.projecting  # type: ignore[attr-defined]

    sharing.told.put(share())

    wait_for(lambda: projecting.trouble() is None)


def test_one_that_lost_the_database_leaves_its_share_to_others_and_comes_back(
    sharing: FakeClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kirby.web import projecting

    def gone(*_: Any) -> None:
        raise peewee.OperationalError("the server is gone")

    monkeypatch.setattr(projecting, "take", gone)
    monkeypatch.setattr(projecting, "GIVE_UP_S", 0.0)
    monkeypatch.setattr(projecting, "AGAIN_S", 0.01)
    sharing.told.put(share(2))
    wait_for(lambda: sharing.mailbox is not None)
    sharing.mailbox.put(delivered(7, an_ended()))

    wait_for(lambda: len(sharing.members) == 2)

    assert sharing.members[0].closed
    monkeypatch.setattr(projecting, "take", take)
    sharing.told.put(share(2))
    wait_for(lambda: len(sharing.starts) == 2)
    sharing.mailbox.put(delivered(7, an_ended()))
    wait_for(ended)


def placed(offset: int) -> Placed:
    return Placed(topic=TopicName.RUNS, partition=2, offset=offset, record=an_ended())
