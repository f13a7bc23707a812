"""The internal topics as a story reads them: every committed record, in order, with its instant."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from kirby.core.records import AnyRecord, Leadership, TopicName, decode
from kirby.kafka.settings import KafkaSettings

_BATCH = 5000
_PAUSE_S = 0.1  # a fetch that finds nothing takes as long
_READ = tuple(name for name in TopicName if name is not TopicName.LOGS)

Kind = TypeVar("Kind", bound=AnyRecord)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One record, with the broker's time of its coming."""

    at: datetime
    topic: TopicName
    partition: int
    offset: int
    record: AnyRecord


class Log:
    """All that was committed so far; nothing of Kirby's own readers is used."""

    def __init__(self, bootstrap: str) -> None:
        self._settings = KafkaSettings(bootstrap=bootstrap)
        self._names = {self._settings.topic(name): name for name in _READ}
        self._entries: dict[type, list[Entry]] = defaultdict(list)
        self._starts: dict[TopicName, int] = {}
        self._consumer: Consumer | None = None

    def skip(self, topic: TopicName) -> None:
        """Pass over what stands in the one partition of a topic, before anything is read."""
        consumer = Consumer(self._settings.for_reader())
        name = self._settings.topic(topic)
        _, self._starts[topic] = consumer.get_watermark_offsets(TopicPartition(name, 0))
        consumer.close()

    def read(self) -> "Log":
        """Read on, up to what is there now."""
        consumer = self._consumer or self._begin()
        while messages := consumer.consume(_BATCH, timeout=_PAUSE_S):
            for message in messages:
                if message.error() is None and message.value() is not None:
                    self._take(message)
        return self

    def of(self, kind: type[Kind]) -> Iterator[tuple[datetime, Kind]]:
        """Yield the records of a kind that were read, with their instants."""
        for entry in self.entries(kind):
            yield entry.at, entry.record  # type: ignore[misc]

    def entries(self, kind: type) -> list[Entry]:
        """Return the same as entries; those of one partition are in the log's order."""
        return self._entries[kind]

    def leaderships(self) -> list[tuple[datetime, Leadership]]:
        """Read on; return who led, one after the other."""
        return list(self.read().of(Leadership))

    def leader(self) -> str:
        """Read on; return who led last, empty before the first."""
        led = self.leaderships()
        return led[-1][1].host if led else ""

    def close(self) -> None:
        """Let go of Kafka."""
        if self._consumer is not None:
            self._consumer.close()

    def _begin(self) -> Consumer:
        silent = logging.Logger("silent", level=logging.CRITICAL + 1)
        self._consumer = consumer = Consumer(
            {
                **self._settings.for_reader(),
                "fetch.wait.max.ms": 50,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": False,
            },
            logger=silent,
        )
        topics = consumer.list_topics(timeout=30).topics
        assert topics.keys() >= self._names.keys(), "no host has made the topics yet"
        consumer.assign(
            [
                TopicPartition(name, partition, self._starts.get(topic, OFFSET_BEGINNING))
                for name, topic in self._names.items()
                for partition in topics[name].partitions
            ]
        )
        return consumer

    def _take(self, message: object) -> None:
        name = self._names[message.topic()]  # type: ignore[attr-defined]
        record = decode(name, message.value())  # type: ignore[attr-defined]
        _, stamp = message.timestamp()  # type: ignore[attr-defined]
        self._entries[type(record)].append(
            Entry(
                at=datetime.fromtimestamp(stamp / 1000, UTC),
                topic=name,
                partition=message.partition(),  # type: ignore[attr-defined]
                offset=message.offset(),  # type: ignore[attr-defined]
                record=record,
            )
        )
