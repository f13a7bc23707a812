"""One simulated Kafka: partitions, transactions with markers, fencing, isolation, compaction.

Records are kept as they are, as they are immutable. A reader sees what is stable only (records
before the first open transaction), and never what was aborted. Markers take offsets.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from zlib import crc32

from kirby.core.leader.draft import Post
from kirby.core.records import AnyRecord, Offsets, TopicName
from tests.simulation.cluster.life import Timeline

Place = tuple[TopicName, int]

START = datetime.fromisoformat("2026-03-02T12:00:00+00:00")
PARTITIONS = 2  # of a keyed topic: enough for records of one run to overtake those of another
SINGLE = frozenset({TopicName.HOSTS, TopicName.LEADERSHIP})
COMPACTED = (TopicName.CURSOR, TopicName.SCHEDULE, TopicName.HOSTS, TopicName.DAEMONS)
TRANSACTION_SECONDS = 10.0  # an open transaction is aborted after that


class Fate(Enum):
    """What became of an entry."""

    STANDS = "stands"
    OPEN = "open"
    ABORTED = "aborted"
    MARKER = "marker"
    COMPACTED = "compacted"


@dataclass(slots=True)
class Entry:
    """One offset of a partition."""

    key: str
    record: AnyRecord | None
    fate: Fate
    at: float  # seconds of the world at which it was appended
    stood: float = 0.0  # seconds at which it became stable
    number: int = 0  # in the order in which things became true, over all partitions


@dataclass(slots=True)
class Transaction:
    """What a leader has written and not committed yet."""

    producer: int
    entries: list[tuple[TopicName, Entry]] = field(default_factory=list)
    first: dict[Place, int] = field(default_factory=dict)


class Broker:
    """The log."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.logs: dict[Place, list[Entry]] = {place: [] for place in places(TopicName)}
        self.readers: dict[Place, list[Callable[[Place], None]]] = {p: [] for p in self.logs}
        self.producer = 0  # the newest transactional producer; earlier ones are fenced
        self.open: Transaction | None = None
        self.history: list[tuple[TopicName, str, AnyRecord | None, Entry]] = []

    # -- what stands

    def partition(self, topic: TopicName, key: str) -> Place:
        """Return where a key lives."""
        return topic, 0 if topic in SINGLE else crc32(key.encode()) % PARTITIONS

    def high(self, place: Place) -> int:
        """Return the high watermark."""
        return len(self.logs[place])

    def stable(self, place: Place) -> int:
        """Return the last stable offset."""
        if self.open is not None and place in self.open.first:
            return self.open.first[place]
        return len(self.logs[place])

    def offsets(self, topic: TopicName, of: Callable[[Place], int]) -> Offsets:
        """Return an offset for each partition of a topic."""
        return tuple(of(place) for place in places([topic]))

    def since(self, place: Place, instant: datetime) -> int:
        """Return the first offset that was appended at an instant or later."""
        seconds = (instant - START).total_seconds()
        log = self.logs[place]
        return next((at for at, entry in enumerate(log) if entry.at >= seconds), len(log))

    def at(self, entry: Entry) -> datetime:
        """Return the broker's time stamp: whole milliseconds."""
        return instant_of(int(entry.at * 1000) / 1000)

    # -- writing

    def append(self, topic: TopicName, key: str, record: AnyRecord | None) -> int:
        """Write one record outside of any transaction; return its offset."""
        place = self.partition(topic, key)
        entry = self._put(place, Entry(key, record, Fate.STANDS, self.timeline.now))
        self._stands(topic, entry)
        self._tell(place)
        return len(self.logs[place]) - 1

    def new_producer(self) -> int:
        """Fence every earlier transactional producer; what it left open is aborted."""
        self.end_transaction(Fate.ABORTED)
        self.producer += 1
        return self.producer

    def is_fenced(self, producer: int) -> bool:
        """Whether a later producer has begun."""
        return producer < self.producer

    def write(self, producer: int, posts: Sequence[Post]) -> list[int]:
        """Write into a transaction that is still open; return the offsets."""
        self.end_transaction(Fate.ABORTED)  # only without fencing there is another one's
        self.open = transaction = Transaction(producer)
        offsets = []
        for post in posts:
            place = self.partition(post.topic, post.key)
            transaction.first.setdefault(place, len(self.logs[place]))
            entry = Entry(post.key, post.record, Fate.OPEN, self.timeline.now)
            self._put(place, entry)
            transaction.entries.append((post.topic, entry))
            offsets.append(len(self.logs[place]) - 1)
        self.timeline.after(TRANSACTION_SECONDS, lambda: self._expire(transaction))
        return offsets

    def end_transaction(self, fate: Fate) -> None:
        """Commit or abort what is open: the entries get their fate, the partitions a marker."""
        transaction, self.open = self.open, None
        if transaction is None:
            return
        for topic, entry in transaction.entries:
            entry.fate = fate
            if fate is Fate.STANDS:
                self._stands(topic, entry)
        for place in transaction.first:
            self._put(place, Entry("", None, Fate.MARKER, self.timeline.now))
        for place in transaction.first:
            self._tell(place)

    def compact(self) -> None:
        """Drop, where it may be done, what a later record of the same key has replaced."""
        for place in places(COMPACTED):
            log, seen = self.logs[place], set()
            for entry in reversed(log[: self.stable(place)]):
                if entry.fate is Fate.STANDS:
                    if entry.key in seen:
                        entry.fate = Fate.COMPACTED
                    seen.add(entry.key)

    def _expire(self, transaction: Transaction) -> None:
        if self.open is transaction:
            self.new_producer()  # the coordinator fences whoever let it lie

    def _put(self, place: Place, entry: Entry) -> Entry:
        self.logs[place].append(entry)
        return entry

    def _stands(self, topic: TopicName, entry: Entry) -> None:
        entry.stood, entry.number = self.timeline.now, len(self.history)
        self.history.append((topic, entry.key, entry.record, entry))

    def _tell(self, place: Place) -> None:
        for reader in self.readers[place]:
            reader(place)


def places(topics: Iterable[TopicName]) -> list[Place]:
    """Return all partitions of some topics."""
    return [
        (topic, partition)
        for topic in topics
        for partition in range(1 if topic in SINGLE else PARTITIONS)
    ]


def instant_of(seconds: float) -> datetime:
    """Turn seconds of the world into the broker's time."""
    return START + timedelta(seconds=seconds)
