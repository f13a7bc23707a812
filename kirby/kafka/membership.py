"""A member of the web services' consumer group: which partitions are this one's to read?

Only the sharing is Kafka's: what is read, and how far, is the database's to know (a `Reader` reads,
and offsets are committed with the rows). A member that stops answering is left out after
`SESSION_MS`, and the others are told of a new share.
"""

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaException

from kirby.core.records import TopicName
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.sentences import sentence
from kirby.kafka.settings import KafkaSettings
from kirby.kafka.starts import Partition

SESSION_MS = 6000  # the least that Kafka's own default allows
HEARTBEAT_MS = 1000  # a member hears of a new share with its next heartbeat
POLL_S = 0.1
CLOSE_LIMIT_S = 10.0
AGAIN_S = 0.5
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Share:
    """What is this member's to read, until another one is told; `settled` is False between two."""

    partitions: frozenset[Partition]
    settled: bool = True


class Membership:
    """A thread that is a member of the group until it is closed, and tells each `Share`."""

    def __init__(
        self, settings: KafkaSettings, topics: Iterable[TopicName], mailbox: Mailbox[Any]
    ) -> None:
        self._settings = settings
        self._topics = {settings.topic(topic): topic for topic in topics}
        self._mailbox: Mailbox[Share] = mailbox
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="kirby-member", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leave the group, so that others need not wait; nothing is told any more."""
        self._closing.set()
        self._thread.join(CLOSE_LIMIT_S)

    def _work(self) -> None:
        config = self._settings.for_member() | {
            "session.timeout.ms": SESSION_MS,
            "heartbeat.interval.ms": HEARTBEAT_MS,
        }
        consumer = Consumer(config)
        try:
            consumer.subscribe(
                list(self._topics),
                on_assign=self._assigned,
                on_revoke=self._revoked,
                on_lost=self._revoked,
            )
            while not self._closing.is_set():
                self._turn(consumer)
        finally:
            consumer.close()

    def _turn(self, consumer: Any) -> None:
        try:
            message = consumer.poll(POLL_S)
        except KafkaException as raised:
            log.warning("the sharing stumbled: %s", raised)
            self._closing.wait(AGAIN_S)
            return
        if message is not None and message.error() is not None:
            log.warning("%s", sentence(self._settings.bootstrap, message.error()))

    def _assigned(self, consumer: Any, partitions: list[Any]) -> None:
        consumer.assign(partitions)
        consumer.pause(partitions)  # a reader reads them, from where the database is
        mine = frozenset((self._topics[each.topic], each.partition) for each in partitions)
        log.info("%s partitions are this web service's to read", len(mine))
        self._mailbox.put(Share(partitions=mine))

    def _revoked(self, consumer: Any, _partitions: list[Any]) -> None:
        if not self._closing.is_set():
            self._mailbox.put(Share(partitions=frozenset(), settled=False))
        consumer.unassign()
