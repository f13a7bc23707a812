"""Where a reader begins in a topic."""

from collections.abc import Mapping
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


Start: TypeAlias = Beginning | End | Since | Offsets
Partition: TypeAlias = tuple[TopicName, int]
Position: TypeAlias = Beginning | End | Since | int


def spread(starts: Mapping[TopicName, Start]) -> dict[Partition, Position]:
    """Give every partition of the topics its start."""
    return {
        (topic, partition): start[partition] if isinstance(start, tuple) else start
        for topic, start in starts.items()
        for partition in range(LAYOUTS[topic].partitions)
    }
