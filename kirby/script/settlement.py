"""When the offset of a record may be committed: after all that was sent before it was finished.

A script finishes a record when it asks for the following one. What it sent until then must have
been acknowledged by Kafka first: otherwise a crash in between would lose what was made of it.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NewType

Ticket = NewType("Ticket", int)  # the number of something sent, in order


@dataclass(frozen=True, order=True)
class Place:
    """A record's place in Kafka."""

    topic: str
    partition: int
    offset: int


class Settlement:
    """What was sent and not yet acknowledged; what was finished and not yet committed."""

    def __init__(self) -> None:
        self._next = 0  # number of the next thing sent
        self._first_open = 0  # everything before it is acknowledged
        self._acknowledged: set[int] = set()  # at or after `_first_open`
        self._finished: deque[tuple[Place, int]] = deque()  # and what had been sent by then

    @property
    def unacknowledged(self) -> int:
        """Return how many of what was sent are not acknowledged."""
        return self._next - self._first_open - len(self._acknowledged)

    def send(self) -> Ticket:
        """Take note that something is being sent."""
        ticket = Ticket(self._next)
        self._next += 1
        return ticket

    def acknowledge(self, ticket: Ticket) -> None:
        """Take note that Kafka has it."""
        self._acknowledged.add(ticket)
        while self._first_open in self._acknowledged:
            self._acknowledged.remove(self._first_open)
            self._first_open += 1

    def finish(self, place: Place) -> None:
        """Take note that the script is done with a record."""
        self._finished.append((place, self._next))

    def lose(self, topic: str, partitions: Iterable[int]) -> None:
        """Forget the records of partitions that others read now: they commit from here on."""
        lost = set(partitions)
        self._finished = deque(
            (place, sent)
            for place, sent in self._finished
            if place.topic != topic or place.partition not in lost
        )

    def settled(self) -> list[Place]:
        """Take out what may be committed now: the last place of each partition."""
        last: dict[tuple[str, int], Place] = {}
        while self._finished and self._finished[0][1] <= self._first_open:
            place, _ = self._finished.popleft()
            last[place.topic, place.partition] = place
        return list(last.values())
