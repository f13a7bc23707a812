"""A Kafka of plain lists for the script library's fast tests; see the contract it shares."""

import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kirby.script.ports import Beginning, Delivered, Headers, Last, Received, Since, Start
from kirby.script.settlement import Place

PARTITIONS = 6
Lost = Callable[[Sequence[int]], None]


@dataclass
class FakeKafka:
    """The broker, and the client of it. `refuses`: why nothing sent is taken any more."""

    topics: dict[str, list[list[Received]]] = field(default_factory=dict)
    committed: dict[tuple[str, str, int], int] = field(default_factory=dict)
    refuses: str = ""
    is_deaf: bool = False  # takes records, and acknowledges none
    now_ms: int = 1_700_000_000_000
    _members: dict[tuple[str, str], list["FakeGroupReading"]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def create(self, topic: str) -> None:
        self.topics.setdefault(topic, [[] for _ in range(PARTITIONS)])

    def writing(self) -> "FakeWriting":
        return FakeWriting(self)

    def group(self, topic: str, group: str, lost: Lost) -> "FakeGroupReading":
        member = FakeGroupReading(self, topic, group, lost)
        self._members[group, topic].append(member)
        return member

    def outside(self, topic: str, start: Start) -> "FakeOutsideReading":
        return FakeOutsideReading(self.topics[topic], start)

    def take(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        number = zlib.crc32(key or b"") % PARTITIONS
        partition = self.topics[topic][number]
        self.now_ms += 1
        partition.append(
            Received(topic, number, len(partition), key, value, tuple(headers), self.now_ms)
        )

    def records(self, topic: str) -> list[Received]:
        return sorted((r for p in self.topics[topic] for r in p), key=lambda r: r.at_ms)

    def members(self, topic: str, group: str = "prod.pump") -> list["FakeGroupReading"]:
        return self._members[group, topic]

    def share_of(self, member: "FakeGroupReading") -> set[int]:
        members = self._members[member.group, member.topic]
        place = members.index(member)
        return {n for n in range(PARTITIONS) if n % len(members) == place}

    def held_by_others(self, member: "FakeGroupReading") -> set[int]:
        """Return the partitions that another member has not let go of yet."""
        others = [m for m in self._members[member.group, member.topic] if m is not member]
        return {number for other in others for number in other.positions}

    def leave(self, member: "FakeGroupReading") -> None:
        self._members[member.group, member.topic].remove(member)


class FakeWriting:
    """Delivers when it is served, as the real one does."""

    def __init__(self, kafka: FakeKafka) -> None:
        self._kafka = kafka
        self._waiting: list[tuple[str, bytes | None, bytes | None, Headers, Delivered]] = []

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers, done: Delivered
    ) -> None:
        self._waiting.append((topic, key, value, headers, done))

    def serve(self) -> None:
        if self._kafka.is_deaf:
            return
        waiting, self._waiting = self._waiting, []
        for topic, key, value, headers, done in waiting:
            if not self._kafka.refuses:
                self._kafka.take(topic, key, value, headers)
            done(self._kafka.refuses)

    def flush(self, seconds: float) -> None:
        self.serve()


class FakeGroupReading:
    """Reads its share of the partitions; commits what is settled at once."""

    is_caught_up = False
    is_empty = False

    def __init__(self, kafka: FakeKafka, topic: str, group: str, lost: Lost) -> None:
        self._kafka = kafka
        self.topic = topic
        self.group = group
        self._lost = lost
        self.positions: dict[int, int] = {}
        self.is_held = False
        self.is_joined = False

    def poll(self, seconds: float) -> Received | None:
        self._rebalance()
        for number, position in sorted(self.positions.items()):
            partition = self._kafka.topics[self.topic][number]
            if position < len(partition) and not self.is_held:
                self.positions[number] = position + 1
                return partition[position]
        return None

    def settle(self, place: Place) -> None:
        if place.partition in self.positions:
            self._kafka.committed[self.group, place.topic, place.partition] = place.offset + 1

    def hold(self) -> None:
        self.is_held = True

    def go_on(self) -> None:
        self.is_held = False

    def close(self) -> None:
        self._lost(sorted(self.positions))
        self._kafka.leave(self)

    def _rebalance(self) -> None:
        self.is_joined = True
        share = self._kafka.share_of(self)
        if gone := sorted(self.positions.keys() - share):
            self._lost(gone)
            for number in gone:
                del self.positions[number]
        for number in share - self.positions.keys() - self._kafka.held_by_others(self):
            key = (self.group, self.topic, number)
            self.positions[number] = self._kafka.committed.get(key, 0)


class FakeOutsideReading:
    """Reads every partition from a start."""

    is_joined = True

    def __init__(self, partitions: list[list[Received]], start: Start) -> None:
        self._partitions = partitions
        self._positions = [_first(partition, start) for partition in partitions]
        self.is_caught_up = False
        self.is_empty = isinstance(start, Last) and not any(partitions)

    def poll(self, seconds: float) -> Received | None:
        for number, partition in enumerate(self._partitions):
            if self._positions[number] < len(partition):
                self._positions[number] += 1
                return partition[self._positions[number] - 1]
        self.is_caught_up = True
        return None

    def settle(self, place: Place) -> None:
        pass

    def hold(self) -> None:
        pass

    def go_on(self) -> None:
        pass

    def close(self) -> None:
        pass


def _first(partition: list[Received], start: Start) -> int:
    match start:
        case Beginning():
            return 0
        case Since(at=at):
            return sum(1 for record in partition if record.at_ms < at.timestamp() * 1000)
        case Last(count=count):
            return max(0, len(partition) - count)
