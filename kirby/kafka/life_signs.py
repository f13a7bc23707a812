"""Do the brokers answer? Read from librdkafka's statistics, as an empty fetch shows nowhere else.

A fetch that finds nothing is answered after a tenth of a second, so a broker that is read from
answers some times between two statistics.
"""

import time
from collections.abc import Iterable

import msgspec

from kirby.kafka.boot import boot

MICROSECONDS = 1_000_000


class _Broker(msgspec.Struct):
    nodeid: int
    rx: int  # answers received


class _Partition(msgspec.Struct):
    leader: int


class _Topic(msgspec.Struct):
    partitions: dict[str, _Partition]


class _Statistics(msgspec.Struct):
    ts: int  # CLOCK_MONOTONIC, microseconds
    brokers: dict[str, _Broker]
    topics: dict[str, _Topic]


_DECODER = msgspec.json.Decoder(_Statistics)


class LifeSigns:
    """Compares two statistics: has each broker that leads a partition answered in between?"""

    def __init__(self) -> None:
        self.found_boot = 0.0  # CLOCK_BOOTTIME seconds of the statistics that showed it
        self._topics: frozenset[str] = frozenset()
        self._answers: dict[int, int] = {}
        self._is_good = False

    def expect(self, topics: Iterable[str]) -> None:
        """Say which topics are read from now on."""
        self._topics = frozenset(topics)
        self._is_good = False

    def take(self, text: str) -> None:
        """Take statistics as librdkafka gives them."""
        statistics = _DECODER.decode(text)
        answers = {broker.nodeid: broker.rx for broker in statistics.brokers.values()}
        leaders = self._leaders(statistics)
        self._is_good = bool(leaders) and all(
            leader in self._answers and answers.get(leader, 0) > self._answers[leader]
            for leader in leaders
        )
        self._answers = answers
        age = time.monotonic() - statistics.ts / MICROSECONDS
        self.found_boot = boot() - max(0.0, age)

    def are_good(self) -> bool:
        """Tell once for each statistics whether every broker had answered."""
        is_good, self._is_good = self._is_good, False
        return is_good

    def _leaders(self, statistics: _Statistics) -> set[int]:
        """Return the brokers of all partitions; -1 among them where one has none."""
        return {
            partition.leader
            for name in self._topics
            for number, partition in _partitions(statistics, name).items()
            if number != "-1"  # librdkafka's own, of records without a partition yet
        }


def _partitions(statistics: _Statistics, name: str) -> dict[str, _Partition]:
    topic = statistics.topics.get(name)
    return topic.partitions if topic else {"0": _Partition(leader=-1)}
