"""Writes single records in a thread of its own: idempotent, acknowledged by all, told of by tag."""

import logging
import threading
from collections.abc import Hashable
from datetime import timedelta
from typing import Any

from confluent_kafka import KafkaError as Fault
from confluent_kafka import KafkaException, Producer

from kirby.core.records import AnyRecord, TopicName, encode
from kirby.kafka.boot import boot
from kirby.kafka.events import NotPosted, Posted, PosterEvent
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.queries import instant_of
from kirby.kafka.quiet import RateLimited
from kirby.kafka.sentences import fault_of, sentence
from kirby.kafka.settings import DELIVERY_LIMIT, KafkaSettings

POLL_S = 0.1
CLOSE_LIMIT_S = 5.0
log = logging.getLogger(__name__)


class Poster:
    """Posts records; each ends as one `Posted` or `NotPosted` with its tag. Thread-safe.

    What was posted with one key stands in the log in that order.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        mailbox: Mailbox[Any],
        *,
        delivery_limit: timedelta = DELIVERY_LIMIT,
    ) -> None:
        self._settings = settings
        self._mailbox: Mailbox[PosterEvent] = mailbox
        self._delivery_limit = delivery_limit
        self._lock = threading.Lock()
        self._producer: Any = self._new_producer()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="kirby-poster", daemon=True)
        self._thread.start()

    def post(
        self, topic: TopicName, key: str, record: AnyRecord | None, *, tag: Hashable = None
    ) -> None:
        """Write a record; None is a tombstone."""
        value = None if record is None else encode(record)
        self.post_raw(self._settings.topic(topic), key.encode(), value, tag=tag)

    def post_raw(
        self, topic: str, key: bytes | None, value: bytes | None, *, tag: Hashable = None
    ) -> None:
        """Write bytes to a topic by its full name."""
        try:
            with self._lock:
                self._producer.produce(
                    topic,
                    key=key,
                    value=value,
                    on_delivery=lambda fault, message: self._delivered(tag, fault, message),
                )
        except BufferError:
            self._mailbox.put(NotPosted(tag=tag, sentence="too much waits for Kafka already"))
        except KafkaException as raised:  # too large, no such topic ...
            self._refuse(tag, fault_of(raised))

    def close(self, limit_s: float = CLOSE_LIMIT_S) -> None:
        """Write what is left, within the limit, and end; what is left then is `NotPosted`."""
        self._producer.flush(limit_s)
        self._closing.set()
        self._thread.join(CLOSE_LIMIT_S)
        _give_up(self._producer)

    # -- the thread

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                self._producer.poll(POLL_S)
                if self._is_broken.is_set():
                    self._begin_anew()
            except Exception:  # a dead thread would acknowledge nothing, for ever
                log.exception("a poster stumbled and goes on")

    def _new_producer(self) -> Any:
        self._is_broken = threading.Event()
        quiet = RateLimited()
        is_broken = self._is_broken

        def note(fault: Any) -> None:
            quiet.error(fault)
            if fault.code() == Fault._FATAL or fault.fatal():
                is_broken.set()

        return Producer(self._settings.for_poster(self._delivery_limit) | {"error_cb": note})

    def _begin_anew(self) -> None:
        """Put another producer in the place of one that takes nothing any more."""
        with self._lock:
            broken, self._producer = self._producer, self._new_producer()
        _give_up(broken)

    def _delivered(self, tag: Hashable, fault: Any, message: Any) -> None:
        if fault is not None:
            self._refuse(tag, fault)
            return
        self._mailbox.put(
            Posted(
                tag=tag,
                topic=message.topic(),
                partition=message.partition(),
                offset=message.offset(),
                appended=instant_of(message),
                acknowledged_boot=boot(),
            )
        )

    def _refuse(self, tag: Hashable, fault: Any) -> None:
        self._mailbox.put(NotPosted(tag=tag, sentence=sentence(self._settings.bootstrap, fault)))


def _give_up(producer: Any) -> None:
    """Have everything that is still with a producer told as not delivered."""
    producer.purge()
    producer.flush(0)
