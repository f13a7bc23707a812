"""The two ways to read a topic with confluent-kafka: in a group, and outside of any."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, KafkaException, TopicPartition
from confluent_kafka import KafkaError as Code

from kirby.core.errors import ReadingFailed
from kirby.script.ports import Beginning, Last, Received, Since, Start
from kirby.script.settlement import Place

_ANSWER_LIMIT_SECONDS = 10.0
_METADATA_LIMIT_SECONDS = 30.0  # a new topic is known to every broker well before
_METADATA_PAUSE_SECONDS = 0.1
_NOTHING = OFFSET_END  # where to begin in a partition that holds nothing
_HOPELESS = (
    Code.TOPIC_AUTHORIZATION_FAILED,
    Code.GROUP_AUTHORIZATION_FAILED,
    Code.CLUSTER_AUTHORIZATION_FAILED,
    Code.TOPIC_EXCEPTION,
    Code.INVALID_GROUP_ID,
    Code.INCONSISTENT_GROUP_PROTOCOL,
    Code.INVALID_SESSION_TIMEOUT,
    Code._AUTHENTICATION,
    Code._FATAL,
)


class Listener(Protocol):
    """Takes complaints that waiting may mend."""

    def tell(self, kind: str, text: str) -> None:
        """Take one."""


class GroupReading:
    """A member of a consumer group. Partitions come and go without stopping the others."""

    is_caught_up = False  # a group's member never knows: its partitions change
    is_empty = False

    def __init__(
        self,
        consumer: Any,
        topic: str,
        lost: Callable[[Sequence[int]], None],
        listener: Listener,
    ) -> None:
        self._consumer = consumer
        self._topic = topic
        self._lost = lost
        self._listener = listener
        self._is_held = False
        self.is_joined = False
        consumer.subscribe(
            [topic], on_assign=self._gained, on_revoke=self._revoked, on_lost=self._revoked
        )

    def poll(self, seconds: float) -> Received | None:
        """Return the next record; partitions come and go in here."""
        return received_of(self._consumer.poll(seconds), self._topic, self._listener)

    def settle(self, place: Place) -> None:
        """Store the offset; the client commits it within `auto.commit.interval.ms`."""
        with suppress(KafkaException):  # the partition has just gone to another member
            self._consumer.store_offsets(
                offsets=[TopicPartition(place.topic, place.partition, place.offset + 1)]
            )

    def hold(self) -> None:
        """Pause all partitions, and those that come."""
        self._is_held = True
        self._consumer.pause(self._consumer.assignment())

    def go_on(self) -> None:
        """Fetch again."""
        self._is_held = False
        self._consumer.resume(self._consumer.assignment())

    def close(self) -> None:
        """Commit what is stored and leave the group, so that others take over at once."""
        self._consumer.close()

    def _gained(self, consumer: Any, partitions: list[Any]) -> None:
        self.is_joined = True
        consumer.incremental_assign(partitions)
        if self._is_held and partitions:
            consumer.pause(partitions)

    def _revoked(self, consumer: Any, partitions: list[Any]) -> None:
        self._lost([partition.partition for partition in partitions])
        consumer.incremental_unassign(partitions)


class OutsideReading:
    """Reads all partitions of a topic; commits nothing and disturbs nobody."""

    is_joined = True

    def __init__(self, consumer: Any, topic: str, start: Start, listener: Listener) -> None:
        self._consumer = consumer
        self._topic = topic
        self._listener = listener
        starts = _starts(consumer, topic, start)
        self.is_empty = all(partition.offset == _NOTHING for partition in starts)
        self._behind = {partition.partition for partition in starts}
        consumer.assign(starts)

    @property
    def is_caught_up(self) -> bool:
        """Whether the end of every partition was met."""
        return not self._behind

    def poll(self, seconds: float) -> Received | None:
        """Return the next record."""
        message = self._consumer.poll(seconds)
        error = None if message is None else message.error()
        if error and error.code() == Code._PARTITION_EOF:
            self._behind.discard(message.partition())
            return None
        return received_of(message, self._topic, self._listener)

    def settle(self, place: Place) -> None:
        """Do nothing: nothing is committed."""

    def hold(self) -> None:
        """Do nothing: without a group there is no place to lose."""

    def go_on(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()


def received_of(message: Any, topic: str, listener: Listener) -> Received | None:
    """Return the record of a message; tell or raise its error.

    Raises:
        ReadingFailed: an error that waiting does not mend.
    """
    if message is None:
        return None
    if error := message.error():
        if error.fatal() or error.code() in _HOPELESS:
            raise ReadingFailed(f'topic "{topic}" cannot be read: {error.str()}')
        listener.tell(str(error.code()), f'topic "{topic}": {error.str()}')
        return None
    return Received(
        message.topic(),
        message.partition(),
        message.offset(),
        message.key(),
        message.value(),
        message.headers() or (),
        message.timestamp()[1],
    )


def _starts(consumer: Any, topic: str, start: Start) -> list[Any]:
    """Return where to begin in each partition; a topic just made is not known at once."""
    limit = time.monotonic() + _METADATA_LIMIT_SECONDS
    reason = "no answer"
    while time.monotonic() < limit:
        try:
            if partitions := _partitions(consumer, topic):
                return _starts_of(consumer, partitions, start)
        except KafkaException as fault:
            reason = fault.args[0].str()
            if fault.args[0].code() in _HOPELESS:
                break
        time.sleep(_METADATA_PAUSE_SECONDS)
    raise ReadingFailed(
        f'topic "{topic}" cannot be read ({reason}): see whether Kafka runs, and whether this '
        "script may read the topic"
    )


def _starts_of(consumer: Any, partitions: list[Any], start: Start) -> list[Any]:
    match start:
        case Beginning():
            return [TopicPartition(p.topic, p.partition, OFFSET_BEGINNING) for p in partitions]
        case Since(at=at):
            stamp = round(at.timestamp() * 1000)
            asked = [TopicPartition(p.topic, p.partition, stamp) for p in partitions]
            return list(consumer.offsets_for_times(asked, timeout=_ANSWER_LIMIT_SECONDS))
        case Last(count=count):
            return [_before_end(consumer, partition, count) for partition in partitions]


def _before_end(consumer: Any, partition: Any, count: int) -> Any:
    first, end = consumer.get_watermark_offsets(partition, timeout=_ANSWER_LIMIT_SECONDS)
    offset = _NOTHING if first == end else max(first, end - count)
    return TopicPartition(partition.topic, partition.partition, offset)


def _partitions(consumer: Any, topic: str) -> list[Any]:
    found = consumer.list_topics(topic, timeout=_ANSWER_LIMIT_SECONDS).topics[topic]
    if found.error and found.error.code() in _HOPELESS:
        raise KafkaException(found.error)
    return [] if found.error else [TopicPartition(topic, each) for each in sorted(found.partitions)]
