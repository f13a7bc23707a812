"""Members of the web services' group share what is to be read, on librdkafka's mock of Kafka."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Producer

from kirby.core.records import TopicName
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.membership import Membership, Share
from kirby.kafka.settings import KafkaSettings
from kirby.kafka.starts import Partition

pytestmark = pytest.mark.integration
PATIENCE_S = 60.0
TOPICS = (TopicName.RUNS, TopicName.HOSTS)


class Member:
    """A member, and the latest share that it was told."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.mailbox: Mailbox[Share] = Mailbox()
        self.membership = Membership(settings, TOPICS, self.mailbox)
        self.share = Share(partitions=frozenset(), settled=False)

    def has(self) -> frozenset[Partition]:
        for share in self.mailbox.drain():
            self.share = share
        return self.share.partitions

    def leave(self) -> None:
        self.membership.close()
        self.mailbox.close()


@pytest.fixture
def settings() -> Iterator[KafkaSettings]:
    mock: Any = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock:1"})
    broker = next(iter(mock.list_topics(timeout=PATIENCE_S).brokers.values()))
    found = KafkaSettings(bootstrap=f"{broker.host}:{broker.port}")
    for topic in TOPICS:
        mock.produce(found.topic(topic), b"so that the topic is there")
    mock.flush(PATIENCE_S)
    yield found
    del mock


def wait_for(what: Callable[[], Any]) -> Any:
    until = time.monotonic() + PATIENCE_S
    while not (found := what()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


def test_partitions_are_shared_and_fall_to_the_one_that_stays(settings: KafkaSettings) -> None:
    one = Member(settings)
    whole = wait_for(one.has)
    assert {topic for topic, _ in whole} == set(TOPICS)

    two = Member(settings)
    wait_for(lambda: one.has() and two.has() and not one.has() & two.has())
    assert one.has() | two.has() == whole

    one.leave()
    wait_for(lambda: two.has() == whole)
    two.leave()
