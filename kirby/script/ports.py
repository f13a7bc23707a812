"""What the library needs of a Kafka client; `kirby.script.confluent` gives the real one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from kirby.script.settlement import Place

Headers: TypeAlias = Sequence[tuple[str, bytes | None]]
Delivered: TypeAlias = Callable[[str], None]  # called with "", or with why it was not delivered


@dataclass(frozen=True, slots=True)
class Received:
    """A record as Kafka holds it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    at_ms: int  # since 1970

    @property
    def place(self) -> Place:
        """Return where it lies."""
        return Place(self.topic, self.partition, self.offset)


@dataclass(frozen=True)
class Beginning:
    """Read from the first record that there is."""


@dataclass(frozen=True)
class Since:
    """Read from the first record of each partition that was written at or after an instant."""

    at: datetime


@dataclass(frozen=True)
class Last:
    """Read the last `count` offsets of each partition."""

    count: int


Start: TypeAlias = Beginning | Since | Last


class Writing(Protocol):
    """Sends records, and tells later what became of each."""

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        done: Delivered,
    ) -> None:
        """Hand a record to the client; waits while the client's buffer is full."""

    def serve(self) -> None:
        """Call what waits to be called."""

    def flush(self, seconds: float) -> None:
        """Wait until everything is delivered or has failed, at most so long."""


class Reading(Protocol):
    """Reads one topic."""

    @property
    def is_joined(self) -> bool:
        """Whether it knows which partitions are its own, be it none."""

    @property
    def is_caught_up(self) -> bool:
        """Whether each partition was read to an end since it began."""

    @property
    def is_empty(self) -> bool:
        """Whether it began at the last offsets, and there were none. A group's never knows."""

    def poll(self, seconds: float) -> Received | None:
        """Return the next record, or nothing after so long.

        Raises:
            ReadingFailed: it will not work by waiting.
        """

    def settle(self, place: Place) -> None:
        """Let the offset after this record be committed."""

    def hold(self) -> None:
        """Fetch no more for now, and stay in the group."""

    def go_on(self) -> None:
        """Fetch again."""

    def close(self) -> None:
        """Commit what is settled, and leave the group."""


class Client(Protocol):
    """Makes what reads and writes."""

    def create(self, topic: str) -> None:
        """See to it that a topic is there.

        Raises:
            KafkaError: Kafka does not answer.
        """

    def writing(self) -> Writing:
        """Return what sends."""

    def group(self, topic: str, group: str, lost: Callable[[Sequence[int]], None]) -> Reading:
        """Return a member of a group; `lost` is told of partitions just before they go."""

    def outside(self, topic: str, start: Start) -> Reading:
        """Return what reads all partitions outside of any group."""
