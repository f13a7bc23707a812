"""Where a reader begins in a topic."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from kirby.core.records import Offsets, TopicName
from kirby.kafka.topics import LAYOUTS


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """From the first record that is still there."""


@dataclass(frozen=True, kw_only=True)
class End:
    """From the end as it is when the reader comes to it: only what is new."""


@dataclass(frozen=True, kw_only=True)
class Since:
    """The first offset that was appended at this instant or later; the end where there is none."""

    instant: datetime


Partition: TypeAlias = tuple[TopicName, int]
Position: TypeAlias = Beginning | End | Since | int


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Some partitions only, each from where it is said."""

    positions: Mapping[int, Position]


Start: TypeAlias = Beginning | End | Since | Offsets | Chosen


def spread(starts: Mapping[TopicName, Start]) -> dict[Partition, Position]:
    """Give every partition of the topics that is to be read its start."""
    return {
        (topic, partition): position
        for topic, start in starts.items()
        for partition, position in _positions(topic, start)
    }


def _positions(topic: TopicName, start: Start) -> Iterable[tuple[int, Position]]:
    match start:
        case Chosen():
            return start.positions.items()
        case tuple():
            return enumerate(start)
        case _:
            return [(partition, start) for partition in range(LAYOUTS[topic].partitions)]
