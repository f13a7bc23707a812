"""A record as a script gets it, and the note of what another was made from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Record(Generic[T]):
    """One record of a topic. `at` is when it was written, by the broker's or the sender's clock."""

    value: T
    key: str | None
    at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    topic: str  # with the environment's prefix, as it is called in Kafka
    partition: int
    offset: int


class Placed(Protocol):
    """Whatever has a place in Kafka."""

    @property
    def topic(self) -> str:
        """Return the topic's full name."""

    @property
    def partition(self) -> int:
        """Return the partition."""

    @property
    def offset(self) -> int:
        """Return the offset in it."""


def origin_of(records: Iterable[Placed]) -> str:
    """Say which records these are: `sales/3/118-120,forecast/0/7` (topic, partition, offsets).

    Offsets that follow each other are written as a range, both ends included.
    """
    places = sorted({(record.topic, record.partition, record.offset) for record in records})
    ranges: list[tuple[str, int, int, int]] = []
    for topic, partition, offset in places:
        if ranges and ranges[-1][:2] == (topic, partition) and ranges[-1][3] == offset - 1:
            ranges[-1] = (*ranges[-1][:3], offset)
        else:
            ranges.append((topic, partition, offset, offset))
    return ",".join(
        f"{topic}/{partition}/{first}" + (f"-{last}" if last > first else "")
        for topic, partition, first, last in ranges
    )
