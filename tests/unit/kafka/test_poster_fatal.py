"""A producer that takes nothing any more is replaced; what it held is told as not delivered."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError

from kirby.core.records import TopicName
from kirby.kafka import poster as module
from kirby.kafka.events import NotPosted
from kirby.kafka.poster import Poster
from kirby.kafka.settings import KafkaSettings
from tests.builders.kafka_records import ticket
from tests.builders.mailboxes import Post


class Brittle:
    """Stands for librdkafka's producer: holds what it gets, and can be broken."""

    made: "list[Brittle]"

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.held: list[Callable[[Any, Any], None]] = []
        Brittle.made.append(self)

    def produce(self, topic: str, *, key: Any, value: Any, on_delivery: Any) -> None:
        self.held.append(on_delivery)

    def poll(self, limit_s: float) -> None:
        time.sleep(0)

    def purge(self) -> None:
        held, self.held = self.held, []
        for deliver in held:
            deliver(KafkaError(KafkaError._PURGE_QUEUE), None)

    def flush(self, limit_s: float) -> int:
        return len(self.held)

    def breaks(self) -> None:
        self.config["error_cb"](KafkaError(KafkaError._FATAL, "sequence", True))


def test_after_a_fatal_error_another_producer_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    Brittle.made = []
    monkeypatch.setattr(module, "Producer", Brittle)
    post = Post()
    poster = Poster(KafkaSettings(bootstrap="nowhere:1"), post.mailbox)
    poster.post(TopicName.HOSTS, "alpha", ticket(), tag="held")

    Brittle.made[0].breaks()
    told = post.next(NotPosted)
    poster.post(TopicName.HOSTS, "alpha", ticket(), tag="next")

    assert told.tag == "held"
    assert len(Brittle.made) == 2
    assert len(Brittle.made[1].held) == 1
    poster.close()
    post.close()
