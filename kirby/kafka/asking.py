"""One question to Kafka about many partitions, answered when the last of them is."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from confluent_kafka import TopicPartition
from confluent_kafka.admin import OffsetSpec, _IsolationLevel

from kirby.core.records import Offsets, TopicName
from kirby.kafka.sentences import fault_of, sentence
from kirby.kafka.settings import KafkaSettings
from kirby.kafka.topics import LAYOUTS


@dataclass(frozen=True, kw_only=True)
class HighWatermarks:
    """The end of what is written, open transactions included."""


@dataclass(frozen=True, kw_only=True)
class StableEnds:
    """The end of what a reader of committed records may read now."""


@dataclass(frozen=True, kw_only=True)
class Beginnings:
    """The first offset that is still there."""


@dataclass(frozen=True, kw_only=True)
class Since:
    """The first offset that was appended at this instant or later; the end where there is none."""

    instant: datetime


Question: TypeAlias = HighWatermarks | StableEnds | Beginnings | Since
Found: TypeAlias = Mapping[TopicName, Offsets]


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Asks with one client; every answer is a call back from a thread of that client."""

    settings: KafkaSettings
    admin: Any
    limit_s: float

    def ask(
        self,
        question: Question,
        topics: tuple[TopicName, ...],
        answered: Callable[[Found], None],
        failed: Callable[[str], None],
    ) -> None:
        """Ask for all partitions of topics; call `answered`, or `failed` with a sentence."""
        if not isinstance(question, Since):
            _Round(self, topics, answered, failed).begin(question)
            return

        def look(ends: Found) -> None:
            # The ends were taken first: what is appended while we look lies behind them.
            _Round(self, topics, lambda found: answered(_or(found, ends)), failed).begin(question)

        _Round(self, topics, look, failed).begin(StableEnds())


class _Round:
    """One request for each partition; calls back once."""

    def __init__(
        self,
        asker: Asker,
        topics: tuple[TopicName, ...],
        answered: Callable[[Found], None],
        failed: Callable[[str], None],
    ) -> None:
        self._asker = asker
        self._topics = topics
        self._answered = answered
        self._failed = failed
        self._lock = threading.Lock()
        self._found: dict[tuple[TopicName, int], int] = {}
        self._has_failed = False

    def begin(self, question: Question) -> None:
        names = {self._asker.settings.topic(topic): topic for topic in self._topics}
        futures = self._asker.admin.list_offsets(
            {
                TopicPartition(name, partition): _spec(question)
                for name, topic in names.items()
                for partition in range(LAYOUTS[topic].partitions)
            },
            isolation_level=_isolation(question),
            request_timeout=self._asker.limit_s,
        )
        self._awaited = len(futures)
        for at, future in futures.items():
            place = (names[at.topic], at.partition)
            future.add_done_callback(lambda done, place=place: self._take(place, done))

    def _take(self, place: tuple[TopicName, int], done: Any) -> None:
        raised = done.exception()
        if raised is not None:
            self._fail(raised)
            return
        with self._lock:
            self._found[place] = done.result().offset
            is_last = len(self._found) == self._awaited
        if is_last:
            self._answered(self._offsets())

    def _fail(self, raised: BaseException) -> None:
        with self._lock:
            if self._has_failed:
                return
            self._has_failed = True
        self._failed(sentence(self._asker.settings.bootstrap, fault_of(raised)))

    def _offsets(self) -> Found:
        return {
            topic: tuple(self._found[topic, p] for p in range(LAYOUTS[topic].partitions))
            for topic in self._topics
        }


def _or(found: Found, ends: Found) -> Found:
    return {
        topic: tuple(
            end if offset < 0 else offset for offset, end in zip(offsets, ends[topic], strict=True)
        )
        for topic, offsets in found.items()
    }


def _spec(question: Question) -> Any:
    match question:
        case Beginnings():
            return OffsetSpec.earliest()
        case Since():
            return OffsetSpec.for_timestamp(round(question.instant.timestamp() * 1000))
        case _:
            return OffsetSpec.latest()


def _isolation(question: Question) -> Any:
    reads_all = isinstance(question, HighWatermarks)
    return _IsolationLevel.READ_UNCOMMITTED if reads_all else _IsolationLevel.READ_COMMITTED
