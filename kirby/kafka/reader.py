"""Reads internal topics in a thread of its own, from given offsets, and tells a mailbox.

Nobody waits for anybody: the thread reads on while the actor works, up to a bound.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import KafkaError as Fault

from kirby.core.errors import KafkaError, Unreadable
from kirby.core.records import TopicName, decode
from kirby.kafka.boot import boot
from kirby.kafka.dead_letters import DeadLetters
from kirby.kafka.events import (
    Alive,
    CaughtUp,
    Delivered,
    OffsetGone,
    ReaderEvent,
    ReaderTrouble,
    UnreadableRead,
)
from kirby.kafka.life_signs import LifeSigns
from kirby.kafka.looking_up import look_up
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.queries import instant_of
from kirby.kafka.sentences import fault_of, sentence
from kirby.kafka.settings import KafkaSettings
from kirby.kafka.starts import Beginning, Partition, Position, Start, spread

POLL_S = 0.1  # a command waits at most this long
BATCH = 500
FULL = 20_000  # events that nobody took: the thread waits, and librdkafka stops fetching
LOOK_UP_LIMIT_S = 3.0
AGAIN_S = 0.5
TROUBLE_PERIOD_S = 5.0
CLOSE_LIMIT_S = 5.0
log = logging.getLogger(__name__)


class Reader:
    """A thread that reads committed records of internal topics, all partitions of each.

    Tells `Delivered`, `CaughtUp`, `UnreadableRead`, `OffsetGone`, `Alive` and `ReaderTrouble`.
    The order within a partition is that of the log.
    """

    def __init__(
        self, settings: KafkaSettings, starts: Mapping[TopicName, Start], mailbox: Mailbox[Any]
    ) -> None:
        self._settings = settings
        self._mailbox: Mailbox[ReaderEvent] = mailbox
        self._names = {settings.topic(topic): topic for topic in TopicName}
        self._lock = threading.Lock()
        self._positions: dict[Partition, Position] = spread(starts)
        self._is_changed = True
        self._closing = threading.Event()
        self._signs = LifeSigns()
        self._dead_letters = DeadLetters(settings)
        self._troubles: dict[str, float] = {}
        self._thread = threading.Thread(target=self._work, name="kirby-reader", daemon=True)
        self._thread.start()

    def read(self, starts: Mapping[TopicName, Start]) -> None:
        """Read topics from there on; one that is read already is read from there instead."""
        with self._lock:
            self._positions |= spread(starts)
            self._is_changed = True

    def positions(self) -> Mapping[Partition, int]:
        """Return the next offset of each partition of which it is known."""
        with self._lock:
            return {place: at for place, at in self._positions.items() if isinstance(at, int)}

    def close(self) -> None:
        """End the thread and the client; nothing is told any more."""
        self._closing.set()
        self._thread.join(CLOSE_LIMIT_S)

    # -- the thread

    def _work(self) -> None:
        config = self._settings.for_reader() | {
            "stats_cb": self._signs.take,
            "error_cb": self._trouble,
        }
        consumer = Consumer(config)
        try:
            while not self._closing.is_set():
                self._guarded(consumer)
        finally:
            consumer.close()
            self._dead_letters.close()

    def _guarded(self, consumer: Any) -> None:
        """Take a turn; what it did not tell is read again. A dead thread would tell nobody."""
        try:
            self._turn(consumer)
        except Exception as fault:
            log.exception("a reader stumbled and begins again where it was")
            self._tell_trouble(type(fault).__name__, f"a reader stumbled: {fault}")
            self._is_changed = True
            self._closing.wait(AGAIN_S)

    def _turn(self, consumer: Any) -> None:
        if len(self._mailbox) >= FULL:
            self._closing.wait(POLL_S)
            return
        if self._is_changed and not self._assign(consumer):
            self._closing.wait(AGAIN_S)
            return
        first = consumer.poll(POLL_S)
        if first is not None:
            batch = [first, *consumer.consume(BATCH - 1, timeout=0)]
            self._take(batch)
        if self._signs.are_good():
            self._mailbox.put(Alive(boot=self._signs.found_boot))

    def _take(self, batch: list[Any]) -> None:
        """Tell of a batch, and only then count it as read."""
        read_boot = boot()
        ahead: dict[Partition, Position] = {}
        with self._lock:
            if self._is_changed:
                return  # of what was assigned before: it will be read again
            self._mailbox.put_all(
                [event for message in batch for event in self._event(message, read_boot, ahead)]
            )
            self._positions |= ahead
            self._is_changed = any(isinstance(at, Beginning) for at in ahead.values())

    def _event(
        self, message: Any, read_boot: float, ahead: dict[Partition, Position]
    ) -> Iterator[ReaderEvent]:
        fault, offset = message.error(), message.offset()
        code = None if fault is None else fault.code()
        if code not in (None, Fault._PARTITION_EOF, Fault._AUTO_OFFSET_RESET):
            self._trouble(fault)
            return
        place = topic, partition = self._names[message.topic()], message.partition()
        if code is None:
            yield self._read(topic, message, read_boot)
            ahead[place] = offset + 1
        elif code == Fault._PARTITION_EOF:
            yield CaughtUp(topic=topic, partition=partition, next_offset=offset)
            ahead[place] = offset
        else:
            asked = ahead.get(place, self._positions[place])
            ahead[place] = Beginning()
            yield self._gone(place, asked)

    def _gone(self, place: Partition, position: Position) -> OffsetGone:
        topic, partition = place
        asked = position if isinstance(position, int) else 0
        log.warning(
            "%s has no offset %d in partition %d: Kafka has deleted it, or has lost its log; "
            "reading goes on from what is there, and if the log was lost, restart this host",
            self._settings.topic(topic),
            asked,
            partition,
        )
        return OffsetGone(topic=topic, partition=partition, asked=asked)

    def _read(self, topic: TopicName, message: Any, read_boot: float) -> ReaderEvent:
        key = (message.key() or b"").decode(errors="replace")
        place = {"topic": topic, "partition": message.partition(), "offset": message.offset()}
        try:
            record = None if message.value() is None else decode(topic, message.value())
        except Unreadable as fault:
            self._dead_letters.send(topic, message, str(fault))
            return UnreadableRead(key=key, sentence=str(fault), **place)
        return Delivered(
            key=key, record=record, appended=instant_of(message), read_boot=read_boot, **place
        )

    # -- where to read from

    def _assign(self, consumer: Any) -> bool:
        """Assign all partitions anew; False when Kafka did not say where an end or instant is."""
        with self._lock:
            wanted = dict(self._positions)
            self._is_changed = False
        try:
            found = look_up(self._settings, wanted, LOOK_UP_LIMIT_S)
            # Leaders first: an assigned partition without one is looked at again only a second on.
            consumer.list_topics(timeout=LOOK_UP_LIMIT_S)
            consumer.assign(
                [TopicPartition(self._settings.topic(t), p, at) for (t, p), at in found.items()]
            )
        except (KafkaException, KafkaError) as raised:
            self._look_up_failed(raised)
            return False
        with self._lock:
            self._positions |= {
                place: at for place, at in found.items() if self._positions[place] == wanted[place]
            }
        self._signs.expect(self._settings.topic(topic) for topic, _ in found)
        return True

    def _look_up_failed(self, raised: KafkaException | KafkaError) -> None:
        self._is_changed = True
        if isinstance(raised, KafkaError):
            self._tell_trouble(type(raised).__name__, str(raised))
        else:
            self._trouble(fault_of(raised))

    def _trouble(self, fault: Any) -> None:
        self._tell_trouble(fault.name(), sentence(self._settings.bootstrap, fault))

    def _tell_trouble(self, kind: str, said: str) -> None:
        """Tell of a fault, one of a kind in five seconds."""
        now = boot()
        if now - self._troubles.get(kind, -TROUBLE_PERIOD_S) >= TROUBLE_PERIOD_S:
            self._troubles[kind] = now
            self._mailbox.put(ReaderTrouble(sentence=said))
