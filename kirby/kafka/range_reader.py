"""Reads a piece of a topic now, for somebody who waits: from one offset to another, or the end."""

import queue
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import KafkaError as Fault

from kirby.core.errors import KafkaError, Unreadable
from kirby.core.records import AnyRecord, TopicName, decode
from kirby.kafka.sentences import fault_of, sentence
from kirby.kafka.settings import KafkaSettings

CLIENTS = 2  # at a time; each holds a connection, and further callers wait
LIMIT_S = 10.0
POLL_S = 0.5
BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Span:
    """A piece of a partition, both ends included."""

    first: int
    last: int | None = None  # None: up to the end


@dataclass(frozen=True, kw_only=True)
class Found:
    """A record of a piece."""

    partition: int
    offset: int
    record: AnyRecord


Wants = Callable[[AnyRecord], bool]
Enough = Callable[[], bool]


class RangeReader:
    """Holds a few clients, and lends each to one reading at a time. Thread-safe."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._clients: queue.Queue[Any] = queue.Queue()
        for _ in range(CLIENTS):
            self._clients.put(None)  # made when it is needed first

    def since(self, topic: TopicName, instant: datetime, partitions: int) -> dict[int, Span]:
        """Return the pieces that were appended at an instant or later.

        Raises:
            KafkaError: Kafka does not answer.
        """
        name, at = self._settings.topic(topic), round(instant.timestamp() * 1000)
        wanted = [TopicPartition(name, partition, at) for partition in range(partitions)]
        with self._client() as client:
            found = client.offsets_for_times(wanted, timeout=LIMIT_S)
        return {each.partition: Span(first=each.offset) for each in found if each.offset >= 0}

    def read(
        self, topic: TopicName, spans: Mapping[int, Span], wants: Wants, enough: Enough
    ) -> list[Found]:
        """Read pieces of partitions; return the records that are wanted, in order.

        Args:
            topic: an internal topic.
            spans: by partition.
            wants: whether a record is to be returned.
            enough: asked after each batch, ends the reading early.

        Raises:
            KafkaError: Kafka does not answer, or not in time.
        """
        if not spans:
            return []
        with self._client() as client:
            name = self._settings.topic(topic)
            client.assign([TopicPartition(name, p, span.first) for p, span in spans.items()])
            try:
                return list(self._records(client, topic, dict(spans), wants, enough))
            finally:
                client.unassign()

    def close(self) -> None:
        """Close what is not in use."""
        while not self._clients.empty():
            client = self._clients.get_nowait()
            if client is not None:
                client.close()

    def _records(
        self,
        client: Any,
        topic: TopicName,
        open_spans: dict[int, Span],
        wants: Wants,
        enough: Enough,
    ) -> Iterator[Found]:
        until = time.monotonic() + LIMIT_S
        while open_spans and not enough():
            if time.monotonic() > until:
                raise KafkaError(f"{topic.value} cannot be read within {LIMIT_S:g} s: try again")
            first = client.poll(POLL_S)
            if first is None:
                continue
            for message in [first, *client.consume(BATCH - 1, timeout=0)]:
                found = self._found(message, topic, open_spans)
                if found is not None and wants(found.record):
                    yield found

    def _found(self, message: Any, topic: TopicName, open_spans: dict[int, Span]) -> Found | None:
        fault, partition = message.error(), message.partition()
        if fault is not None:
            if fault.code() not in (Fault._PARTITION_EOF, Fault._AUTO_OFFSET_RESET):
                raise KafkaError(sentence(self._settings.bootstrap, fault))
            open_spans.pop(partition, None)  # its end, or no longer there
            return None
        span, offset = open_spans.get(partition), message.offset()
        if span is None or message.value() is None:
            return None
        if span.last is not None and offset >= span.last:
            del open_spans[partition]
            if offset > span.last:
                return None
        try:
            record = decode(topic, message.value())
        except Unreadable:
            return None  # those who follow the topic have told of it
        return Found(partition=partition, offset=offset, record=record)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        try:
            client = self._clients.get(timeout=LIMIT_S)
        except queue.Empty:
            raise KafkaError("too many read the log at once: try again") from None
        try:
            client = client or Consumer(self._settings.for_reader())
            yield client
        except KafkaException as raised:
            raise KafkaError(sentence(self._settings.bootstrap, fault_of(raised))) from raised
        finally:
            self._clients.put(client)
