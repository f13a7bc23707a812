"""What Kafka's clients do when the broker dies, is frozen, or another leader begins."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from confluent_kafka import Producer

from kirby.core.errors import KafkaError, KafkaNotReachable
from kirby.core.records import TopicName, encode
from kirby.kafka import embedded
from kirby.kafka.asking import HighWatermarks, StableEnds
from kirby.kafka.boot import boot
from kirby.kafka.broker_process import wait_for_end
from kirby.kafka.client import Kafka
from kirby.kafka.events import (
    Alive,
    Became,
    CaughtUp,
    Committed,
    Delivered,
    KafkaEvent,
    LinkFailed,
    LinkFenced,
    NotPosted,
    Posted,
    ReaderTrouble,
)
from kirby.kafka.leader_link import LeaderLink, Message
from kirby.kafka.making import ensure_topics
from kirby.kafka.queries import broker_clock, offsets_of, probe
from kirby.kafka.settings import KafkaSettings
from kirby.kafka.starts import Beginning
from tests.builders.kafka_records import leadership, ticket
from tests.builders.mailboxes import Post
from tests.kafka_for_tests import new_prefix

pytestmark = pytest.mark.integration
HOSTS = TopicName.HOSTS


class Broker:
    """A broker of this module's own, to be killed and frozen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bootstrap = embedded.ensure(folder)

    def kill(self) -> None:
        pid = self._pid()
        os.kill(pid, signal.SIGKILL)
        wait_for_end(pid, limit_s=10)

    def start(self) -> None:
        assert embedded.ensure(self.folder) == self.bootstrap

    def freeze(self) -> None:
        os.kill(self._pid(), signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._pid(), signal.SIGCONT)

    def _pid(self) -> int:
        pid = embedded.running(self.folder)
        assert pid
        return pid


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("own") / "kafka"
    yield Broker(folder)
    embedded.stop(folder)


@pytest.fixture
def broker(own_broker: Broker) -> Iterator[Broker]:
    own_broker.start()
    yield own_broker
    if embedded.running(own_broker.folder):
        own_broker.thaw()


@pytest.fixture
def settings(broker: Broker) -> KafkaSettings:
    made = KafkaSettings(bootstrap=broker.bootstrap, prefix=new_prefix())
    ensure_topics(made)
    return made


@pytest.fixture
def post() -> Iterator[Post]:
    made = Post()
    yield made
    made.close()


def test_reader_and_poster_go_on_after_the_broker_was_killed(
    broker: Broker, settings: KafkaSettings, post: Post
) -> None:
    kafka = Kafka(settings=settings)
    reader, poster = kafka.reader({HOSTS: Beginning()}, post.mailbox), kafka.poster(post.mailbox)
    poster.post(HOSTS, "before", ticket("before"), tag="before")
    post.next(Posted)
    post.next(Delivered)

    broker.kill()
    poster.post(HOSTS, "during", ticket("during"), tag="during")
    post.next(ReaderTrouble)
    broker.start()

    assert post.next(Posted).tag == "during"
    assert post.next(Delivered).key == "during"
    reader.close()
    poster.close()


def test_a_frozen_broker_gives_no_signs_of_life(
    broker: Broker, settings: KafkaSettings, post: Post
) -> None:
    reader = Kafka(settings=settings).reader({HOSTS: Beginning()}, post.mailbox)
    post.next(Alive)

    broker.freeze()
    frozen = boot()
    signs = signs_in_the_next(post, seconds=3)
    broker.thaw()

    # Two statistics are half a second apart, and the later shows what came in between.
    assert all(sign.boot < frozen + 1.0 for sign in signs)
    assert post.next(Alive).boot > frozen + 3
    reader.close()


def test_what_is_not_acknowledged_in_time_is_told(
    broker: Broker, settings: KafkaSettings, post: Post
) -> None:
    poster = Kafka(settings=settings).poster(post.mailbox, delivery_limit=timedelta(seconds=3))
    poster.post(HOSTS, "alpha", ticket(), tag="first")
    post.next(Posted)

    broker.freeze()
    poster.post(HOSTS, "alpha", ticket(), tag="second")

    told = post.next(NotPosted)
    assert told.tag == "second"
    assert broker.bootstrap in told.sentence
    broker.thaw()
    poster.post(HOSTS, "alpha", ticket(), tag="third")
    assert post.next(Posted).tag == "third"
    poster.close()


def test_a_poster_that_is_closed_while_the_broker_is_down_gives_up_what_it_holds(
    broker: Broker, settings: KafkaSettings, post: Post
) -> None:
    poster = Kafka(settings=settings).poster(post.mailbox)
    broker.kill()
    poster.post(HOSTS, "alpha", ticket(), tag="held")

    poster.close(limit_s=0.2)

    assert post.next(NotPosted).tag == "held"


def test_a_commit_without_an_answer_has_an_unknown_outcome_and_ends_the_link(
    broker: Broker, settings: KafkaSettings, post: Post
) -> None:
    link = leading(settings, post)

    broker.freeze()
    link.commit("frozen", [Message(topic=HOSTS, key="alpha", record=ticket())])
    failed = post.next(LinkFailed)
    broker.thaw()
    link.commit("again", [Message(topic=HOSTS, key="alpha", record=ticket())])
    successor = leading(settings, post, life=2)

    assert failed.outcome_unknown
    assert "does not answer" in failed.sentence
    assert not [event for event in post.seen if isinstance(event, Committed)]
    link.close()
    successor.close()


def test_becoming_leader_without_kafka_fails_within_its_limit(
    broker: Broker, settings: KafkaSettings, post: Post
) -> None:
    broker.kill()
    link = LeaderLink(settings, post.mailbox, limit_s=1.0)

    link.become(leadership())

    assert not post.next(LinkFailed, limit_s=10).outcome_unknown
    link.close()


def test_what_an_earlier_leader_left_open_is_never_read(
    settings: KafkaSettings, post: Post
) -> None:
    dying = Producer(settings.for_leader())
    dying.init_transactions(10)
    dying.begin_transaction()
    dying.produce(settings.topic(HOSTS), key=b"ghost", value=encode(ticket("ghost")))
    dying.flush(20)
    open_end = written_end(settings)
    reader = Kafka(settings=settings).reader({HOSTS: Beginning()}, post.mailbox)
    held_up_at = post.next(CaughtUp).next_offset

    link = leading(settings, post)
    link.commit("real", [Message(topic=HOSTS, key="real", record=ticket("real"))])

    assert (open_end, held_up_at) == (1, 0)
    assert post.next(Delivered).key == "real"
    link.close()
    reader.close()


def test_reading_up_passes_an_aborted_transaction_of_which_nothing_is_delivered(
    settings: KafkaSettings, post: Post
) -> None:
    dying = Producer(settings.for_leader())
    dying.init_transactions(20)
    dying.begin_transaction()
    dying.produce(settings.topic(HOSTS), key=b"ghost", value=encode(ticket("ghost")))
    dying.flush(20)
    reader = Kafka(settings=settings).reader({HOSTS: Beginning()}, post.mailbox)
    held_up_at = post.next(CaughtUp).next_offset

    dying.abort_transaction(20)

    end = written_end(settings)
    assert (held_up_at, end) == (0, 2)
    assert post.next(CaughtUp).next_offset == end
    assert reader.positions() == {(HOSTS, 0): end}
    reader.close()


def test_a_fenced_link_says_so_at_its_next_commit_and_keeps_saying_nothing_else(
    settings: KafkaSettings, post: Post
) -> None:
    earlier, later = leading(settings, post, life=1), leading(settings, post, life=2)

    for tag in ("first", "second"):
        earlier.commit(tag, [Message(topic=HOSTS, key=tag, record=ticket())])

    post.next(LinkFenced)
    later.commit("mine", [Message(topic=HOSTS, key="mine", record=ticket())])
    assert post.next(Committed).tag == "mine"
    assert not [event for event in post.seen if isinstance(event, LinkFenced | LinkFailed)]
    earlier.close()
    later.close()


def test_a_transaction_with_a_record_that_is_too_large_is_not_committed(
    settings: KafkaSettings, post: Post
) -> None:
    link = leading(settings, post)
    huge = ticket("x" * 2_000_000)

    link.commit(
        "huge",
        [
            Message(topic=HOSTS, key="small", record=ticket()),
            Message(topic=HOSTS, key="huge", record=huge),
        ],
    )

    assert not post.next(LinkFailed).outcome_unknown
    assert offsets_of(settings, StableEnds(), [HOSTS])[HOSTS] == (0,)
    link.close()


def test_a_dead_broker_is_told_in_one_sentence(broker: Broker, settings: KafkaSettings) -> None:
    broker.kill()

    with pytest.raises(KafkaNotReachable, match=r"no Kafka answers at .* Connection refused\): "):
        probe(settings, limit_s=1)
    with pytest.raises(KafkaError, match="does not answer"):
        broker_clock(settings, limit_s=1)


def leading(settings: KafkaSettings, post: Post, life: int = 1) -> LeaderLink:
    """Begin to lead, as a candidate does: a link that failed is followed by another.

    A broker that was killed or frozen has no coordinator of transactions for a moment.
    """
    while True:
        link = LeaderLink(settings, post.mailbox)
        link.become(leadership(life=life))
        if isinstance(post.next(KafkaEvent, is_of_the_link), Became):
            return link
        link.close()


def is_of_the_link(event: KafkaEvent) -> bool:
    return isinstance(event, Became | LinkFailed)


def signs_in_the_next(post: Post, seconds: float) -> list[Alive]:
    signs: list[Alive] = []
    ends = boot() + seconds
    with suppress(AssertionError):  # none came any more
        while (left := ends - boot()) > 0:
            signs.append(post.next(Alive, limit_s=left))
    return signs


def written_end(settings: KafkaSettings) -> int:
    return offsets_of(settings, HighWatermarks(), [HOSTS])[HOSTS][0]
