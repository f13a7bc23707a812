"""What every Kafka does for Kirby: that in memory, which fast tests use, and the real one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from kirby.core.records import DeadLetter, TopicName
from kirby.kafka.asking import Beginnings, HighWatermarks, StableEnds
from kirby.kafka.client import Kafka
from kirby.kafka.events import (
    Alive,
    Answered,
    Became,
    CaughtUp,
    Committed,
    Delivered,
    LinkFenced,
    OffsetGone,
    Posted,
    UnreadableRead,
)
from kirby.kafka.leader_link import Message
from kirby.kafka.making import ensure_topics
from kirby.kafka.ports import KafkaPort
from kirby.kafka.settings import KafkaSettings
from kirby.kafka.starts import Beginning, End, Since
from tests.builders.kafka_records import beat, claim, leadership, ticket
from tests.builders.mailboxes import Post
from tests.fakes.kafka import FakeKafka

CLAIMS, HOSTS, LEADERSHIP = TopicName.CLAIMS, TopicName.HOSTS, TopicName.LEADERSHIP


@pytest.fixture(params=["in memory", pytest.param("real", marks=pytest.mark.integration)])
def port(request: pytest.FixtureRequest, topic_prefix: str) -> KafkaPort:
    if request.param == "in memory":
        return FakeKafka(now=lambda: datetime.now(UTC))
    settings = KafkaSettings(bootstrap=request.getfixturevalue("kafka"), prefix=topic_prefix)
    ensure_topics(settings)
    return Kafka(settings=settings)


class Clients:
    """One client of each kind with one mailbox for all, closed at the end of a test."""

    def __init__(self, port: KafkaPort) -> None:
        self.port = port
        self.post = Post()
        self.poster = port.poster(self.post.mailbox)
        self._to_close: list[object] = [self.poster]

    def reads(self, **starts: object) -> "Clients":
        topics = {TopicName[name.upper()]: start for name, start in starts.items()}
        self.reader = self.port.reader(topics, self.post.mailbox)  # type: ignore[arg-type]
        self._to_close.append(self.reader)
        return self

    def leads(self) -> Became:
        self.link = self.port.leader_link(self.post.mailbox)
        self._to_close.append(self.link)
        self.link.become(leadership())
        return self.post.next(Became)

    def writes(self, topic: TopicName, key: str, record: object) -> Posted:
        self.poster.post(topic, key, record, tag=key)  # type: ignore[arg-type]
        return self.post.next(Posted, lambda posted: posted.tag == key)

    def answer(self, question: object, *topics: TopicName) -> Answered:
        queries = self.port.queries(self.post.mailbox)
        queries.ask(question, topics, tag="asked")  # type: ignore[arg-type]
        answered = self.post.next(Answered)
        queries.close()
        return answered

    def close(self) -> None:
        for client in self._to_close:
            client.close()  # type: ignore[attr-defined]
        self.post.close()


@pytest.fixture
def clients(port: KafkaPort) -> Iterator[Clients]:
    made = Clients(port)
    yield made
    made.close()


def test_a_posted_record_is_acknowledged_with_its_place_and_read_there(clients: Clients) -> None:
    posted = clients.writes(HOSTS, "alpha", ticket())

    clients.reads(hosts=Beginning())

    read = clients.post.next(Delivered)
    assert (read.key, read.record) == ("alpha", ticket())
    assert (read.partition, read.offset) == (posted.partition, posted.offset)
    assert read.appended == posted.appended
    assert abs(posted.appended - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_record_without_a_value_is_read_as_a_tombstone(clients: Clients) -> None:
    clients.writes(HOSTS, "alpha", None)

    clients.reads(hosts=Beginning())

    assert clients.post.next(Delivered).record is None


def test_records_of_one_key_are_read_in_the_order_of_their_posting(clients: Clients) -> None:
    clients.reads(claims=Beginning())

    for attempt in range(50):
        clients.poster.post(CLAIMS, "pump/prod", claim(attempt=attempt))

    read = [clients.post.next(Delivered).record for _ in range(50)]
    assert read == [claim(attempt=attempt) for attempt in range(50)]


def test_a_reader_from_the_end_reads_only_what_is_new(clients: Clients) -> None:
    clients.writes(HOSTS, "old", ticket("old"))
    clients.reads(hosts=End())
    clients.post.next(CaughtUp)

    clients.writes(HOSTS, "new", ticket("new"))

    assert clients.post.next(Delivered).key == "new"


def test_a_reader_since_an_instant_reads_from_there(clients: Clients) -> None:
    clients.writes(HOSTS, "first", ticket())
    first = clients.writes(HOSTS, "second", ticket())
    later = first
    while later.appended == first.appended:  # the broker's clock ticks in milliseconds
        later = clients.writes(HOSTS, "third", ticket())

    clients.reads(hosts=Since(instant=later.appended))

    assert clients.post.next(Delivered).offset == later.offset


def test_a_reader_since_an_instant_of_which_nothing_is_left_reads_what_comes(
    clients: Clients,
) -> None:
    clients.writes(HOSTS, "old", ticket())
    clients.reads(hosts=Since(instant=datetime.now(UTC) + timedelta(hours=1)))
    caught_up = clients.post.next(CaughtUp)

    new = clients.writes(HOSTS, "new", ticket())

    assert caught_up.next_offset == new.offset
    assert clients.post.next(Delivered).offset == new.offset


def test_a_reader_from_an_offset_reads_from_there(clients: Clients) -> None:
    for key in ("a", "b", "c"):
        clients.writes(HOSTS, key, ticket(key))

    clients.reads(hosts=(1,))

    assert [clients.post.next(Delivered).key for _ in range(2)] == ["b", "c"]


def test_reading_up_ends_at_the_high_watermark_markers_included(clients: Clients) -> None:
    clients.leads()
    clients.link.commit("t", [Message(topic=HOSTS, key="alpha", record=ticket())])
    clients.post.next(Committed)
    end = clients.answer(HighWatermarks(), HOSTS).offsets[HOSTS]

    clients.reads(hosts=Beginning())

    caught_up = clients.post.next(CaughtUp)
    assert end == (2,)  # the record and its marker
    assert (caught_up.next_offset,) == end


def test_an_empty_partition_is_caught_up_at_once(clients: Clients) -> None:
    clients.reads(claims=Beginning())

    ends = {clients.post.next(CaughtUp).partition for _ in range(6)}

    assert ends == set(range(6))


def test_a_transaction_stands_with_the_places_of_its_messages_in_order(clients: Clients) -> None:
    became = clients.leads()
    runs = [f"pump/prod@{n}" for n in range(10)]
    messages = [Message(topic=CLAIMS, key=run, record=claim(run)) for run in runs]

    clients.link.commit(
        "window", [*messages, Message(topic=LEADERSHIP, key="leader", record=beat(became.epoch))]
    )
    committed = clients.post.next(Committed)

    clients.reads(claims=Beginning(), leadership=Beginning())
    read = [clients.post.next(Delivered) for _ in range(12)]
    places = {(event.topic, event.partition, event.offset): event.key for event in read}
    assert committed.tag == "window"
    for run, place in zip(runs, committed.places, strict=False):
        assert places[CLAIMS, place.partition, place.offset] == run
    assert places[LEADERSHIP, 0, committed.places[-1].offset] == "leader"


def test_the_epoch_is_the_offset_of_the_leadership_record(clients: Clients) -> None:
    first = clients.leads()
    second = clients.leads()

    clients.reads(leadership=Beginning())

    read = [clients.post.next(Delivered).offset for _ in range(2)]
    assert read == [first.epoch, second.epoch]
    assert second.epoch > first.epoch


def test_a_later_leader_fences_the_earlier_one(clients: Clients) -> None:
    clients.leads()
    earlier = clients.link
    became = clients.leads()

    earlier.commit("late", [Message(topic=HOSTS, key="late", record=ticket("late"))])

    assert clients.post.next(LinkFenced).sentence
    clients.link.commit("mine", [Message(topic=HOSTS, key="mine", record=ticket("mine"))])
    assert clients.post.next(Committed).tag == "mine"
    clients.reads(hosts=Beginning())
    assert clients.post.next(Delivered).key == "mine"
    assert became.epoch > 0


def test_an_unreadable_record_goes_to_the_dead_letters_and_reading_goes_on(
    clients: Clients, topic_prefix: str
) -> None:
    clients.reads(hosts=Beginning(), dead_letters=Beginning())

    clients.poster.post_raw(f"{topic_prefix}hosts", b"alpha", b'{"type": "riddle"}')
    clients.writes(HOSTS, "beta", ticket("beta"))

    unreadable = clients.post.next(UnreadableRead)
    letter = clients.post.next(Delivered, lambda read: read.topic is TopicName.DEAD_LETTERS).record
    assert (unreadable.key, unreadable.offset) == ("alpha", 0)
    assert isinstance(letter, DeadLetter)
    assert (letter.topic, letter.offset, letter.reason) == ("hosts", 0, unreadable.sentence)
    assert clients.post.next(Delivered, lambda read: read.topic is HOSTS).key == "beta"


def test_an_offset_that_is_not_there_is_told_and_reading_begins_at_the_beginning(
    clients: Clients,
) -> None:
    clients.writes(HOSTS, "alpha", ticket())

    clients.reads(hosts=(40,))

    assert clients.post.next(OffsetGone).asked == 40
    assert clients.post.next(Delivered).offset == 0


def test_a_topic_is_added_and_another_read_again_from_elsewhere(clients: Clients) -> None:
    clients.writes(HOSTS, "alpha", ticket())
    clients.writes(CLAIMS, "pump/prod", claim())
    clients.reads(hosts=Beginning())
    clients.post.next(Delivered)

    clients.reader.read({HOSTS: (0,), CLAIMS: Beginning()})

    again = {clients.post.next(Delivered).topic for _ in range(2)}
    assert again == {HOSTS, CLAIMS}


def test_positions_are_the_next_offsets(clients: Clients) -> None:
    clients.writes(HOSTS, "alpha", ticket())
    clients.reads(hosts=Beginning())
    clients.post.next(CaughtUp)

    positions = clients.reader.positions()

    assert positions == {(HOSTS, 0): 1}


def test_questions_are_answered_for_every_partition(clients: Clients) -> None:
    clients.writes(HOSTS, "alpha", ticket())

    ends = clients.answer(StableEnds(), HOSTS, CLAIMS).offsets
    beginnings = clients.answer(Beginnings(), HOSTS).offsets
    later = datetime.now(UTC) + timedelta(hours=1)

    assert ends == {HOSTS: (1,), CLAIMS: (0,) * 6}
    assert beginnings == {HOSTS: (0,)}
    assert clients.answer(Since(instant=later), HOSTS).offsets == {HOSTS: (1,)}


def test_signs_of_life_come_while_nothing_is_written(clients: Clients) -> None:
    clients.reads(hosts=Beginning())
    if isinstance(clients.port, FakeKafka):
        clients.port.tick()

    assert clients.post.next(Alive).boot >= 0


def test_a_closed_reader_tells_nothing(clients: Clients) -> None:
    clients.reads(hosts=Beginning())
    clients.post.next(CaughtUp)
    clients.reader.close()
    clients.post.mailbox.drain()

    clients.writes(HOSTS, "alpha", ticket())

    assert not [event for event in clients.post.seen if isinstance(event, Delivered)]
