"""A reader whose own code fails begins again where it was: no record is passed over."""

import pytest

from kirby.core.records import AnyRecord, TopicName, decode
from kirby.kafka import reader as module
from kirby.kafka.client import Kafka
from kirby.kafka.events import Delivered, Posted, ReaderTrouble
from kirby.kafka.making import ensure_topics
from kirby.kafka.settings import KafkaSettings
from kirby.kafka.starts import Beginning
from tests.builders.kafka_records import ticket
from tests.builders.mailboxes import Post

pytestmark = pytest.mark.integration


def test_what_was_not_told_is_read_again(
    kafka: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [RuntimeError("stone in the flour")]

    def stumbling(topic: TopicName, value: bytes) -> AnyRecord:
        if b"beta" in value and faults:
            raise faults.pop()
        return decode(topic, value)

    monkeypatch.setattr(module, "decode", stumbling)
    settings, post = KafkaSettings(bootstrap=kafka, prefix=topic_prefix), Post()
    ensure_topics(settings)
    poster = Kafka(settings=settings).poster(post.mailbox)
    for name in ("alpha", "beta", "gamma"):
        poster.post(TopicName.HOSTS, name, ticket(name))
    for _ in range(3):
        post.next(Posted)

    reader = Kafka(settings=settings).reader({TopicName.HOSTS: Beginning()}, post.mailbox)

    assert "stone in the flour" in post.next(ReaderTrouble).sentence
    told = [post.next(Delivered).key for _ in range(3)]
    assert told == ["alpha", "beta", "gamma"]
    reader.close()
    poster.close()
    post.close()
