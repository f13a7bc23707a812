"""One question to Kafka about many partitions, answered when the last of them is."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from confluent_kafka import OFFSET_INVALID, TopicPartition
from confluent_kafka import KafkaError as Fault
from confluent_kafka.admin import OffsetSpec, _IsolationLevel

from kirby.core.records import Offsets, TopicName
from kirby.kafka.sentences import fault_of, is_passing, sentence
from kirby.kafka.settings import KafkaSettings
from kirby.kafka.starts import Since
from kirby.kafka.topics import LAYOUTS

AGAIN_S = 0.1  # while the leader of a partition is being found
LEAST_S = 0.2  # for the last try


@dataclass(frozen=True, kw_only=True)
class HighWatermarks:
    """The end of what is written, open transactions included."""


@dataclass(frozen=True, kw_only=True)
class StableEnds:
    """The end of what a reader of committed records may read now."""


@dataclass(frozen=True, kw_only=True)
class Beginnings:
    """The first offset that is still there."""


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
        ends = time.monotonic() + self.limit_s
        if not isinstance(question, Since):
            _Round(self, question, topics, answered, failed, ends).begin()
            return

        def look(stable: Found) -> None:
            # The ends were taken first: what is appended while we look lies behind them.
            _Round(
                self, question, topics, lambda found: answered(_or(found, stable)), failed, ends
            ).begin()

        _Round(self, StableEnds(), topics, look, failed, ends).begin()


class _Round:
    """One request for each partition; calls back once. While leaders move, it asks again."""

    def __init__(
        self,
        asker: Asker,
        question: Question,
        topics: tuple[TopicName, ...],
        answered: Callable[[Found], None],
        failed: Callable[[str], None],
        ends: float,
    ) -> None:
        self._asker = asker
        self._question = question
        self._topics = topics
        self._answered = answered
        self._failed = failed
        self._ends = ends
        self._lock = threading.Lock()

    def begin(self) -> None:
        self._found: dict[tuple[TopicName, int], int] = {}
        self._faults: list[Any] = []
        names = {self._asker.settings.topic(topic): topic for topic in self._topics}
        futures = self._asker.admin.list_offsets(
            {
                TopicPartition(name, partition): _spec(self._question)
                for name, topic in names.items()
                for partition in range(LAYOUTS[topic].partitions)
            },
            isolation_level=_isolation(self._question),
            request_timeout=max(LEAST_S, self._ends - time.monotonic()),
        )
        self._awaited = len(futures)
        for at, future in futures.items():
            place = (names[at.topic], at.partition)
            future.add_done_callback(lambda done, place=place: self._take(place, done))

    def _take(self, place: tuple[TopicName, int], done: Any) -> None:
        raised = done.exception()
        with self._lock:
            if raised is not None:
                self._faults.append(fault_of(raised))
            elif done.result().offset == OFFSET_INVALID:  # told while the broker goes down
                self._faults.append(Fault(Fault.OFFSET_NOT_AVAILABLE))
            else:
                self._found[place] = done.result().offset
            is_last = len(self._found) + len(self._faults) == self._awaited
        if is_last:
            self._conclude()

    def _conclude(self) -> None:
        if not self._faults:
            self._answered(self._offsets())
        elif all(is_passing(f) for f in self._faults) and time.monotonic() < self._ends:
            threading.Timer(AGAIN_S, self.begin).start()
        else:
            self._failed(sentence(self._asker.settings.bootstrap, self._faults[0]))

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
