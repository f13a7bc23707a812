"""Kafka in memory: logs with partitions, transactions with markers, fencing, committed reads.

Nothing waits: what is posted stands at once and is in every reader's mailbox. `down()` makes it
mute, `up()` lets it go on, `give_up()` lets what waits time out, `tick()` gives signs of life.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from zlib import crc32

from kirby.core.errors import Unreadable
from kirby.core.names import Epoch
from kirby.core.records import (
    AnyRecord,
    DeadLetter,
    Leadership,
    Offsets,
    TopicName,
    decode,
    encode,
)
from kirby.kafka.asking import Beginnings, HighWatermarks, Question
from kirby.kafka.events import (
    Alive,
    Answered,
    Became,
    CaughtUp,
    Committed,
    Delivered,
    LinkFailed,
    LinkFenced,
    LogNamed,
    NotAnswered,
    NotPosted,
    OffsetGone,
    Place,
    Posted,
    UnreadableRead,
)
from kirby.kafka.leader_link import LEADER, Message
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.starts import Beginning, End, Partition, Position, Since, Start, spread
from kirby.kafka.topics import LAYOUTS

SILENT = "Kafka at memory does not answer: down"
START = datetime(2026, 1, 1, tzinfo=UTC)


class Fate(Enum):
    """What became of the transaction of an entry."""

    STANDS = "stands"
    OPEN = "open"
    ABORTED = "aborted"
    MARKER = "marker"


@dataclass(kw_only=True)
class Entry:
    fate: Fate
    key: bytes | None = None
    value: bytes | None = None
    appended: datetime


@dataclass(kw_only=True)
class FakeKafka:
    """One broker in memory; fulfils `KafkaPort`."""

    now: Callable[[], datetime] = lambda: START
    boot: Callable[[], float] = lambda: 0.0
    logs: dict[Partition, list[Entry]] = field(default_factory=dict)
    first: dict[Partition, int] = field(default_factory=dict)  # what retention left
    is_down: bool = False
    leader: "FakeLink | None" = None
    readers: "list[FakeReader]" = field(default_factory=list)
    waiting: list[tuple[Callable[[], None], Callable[[], None]]] = field(default_factory=list)

    # -- the port

    def reader(self, starts: Mapping[TopicName, Start], mailbox: Mailbox[Any]) -> "FakeReader":
        reader = FakeReader(kafka=self, mailbox=mailbox)
        self.readers.append(reader)
        reader.read(starts)
        return reader

    def poster(
        self, mailbox: Mailbox[Any], *, delivery_limit: timedelta = timedelta(seconds=30)
    ) -> "FakePoster":
        return FakePoster(kafka=self, mailbox=mailbox)

    def leader_link(self, mailbox: Mailbox[Any]) -> "FakeLink":
        return FakeLink(kafka=self, mailbox=mailbox)

    def queries(self, mailbox: Mailbox[Any]) -> "FakeQueries":
        return FakeQueries(kafka=self, mailbox=mailbox)

    # -- what a test does to it

    def down(self) -> None:
        self.is_down = True

    def up(self) -> None:
        self.is_down = False
        waiting, self.waiting = self.waiting, []
        for do, _ in waiting:
            do()
        self.pump()

    def give_up(self) -> None:
        waiting, self.waiting = self.waiting, []
        for _, fail in waiting:
            fail()

    def tick(self) -> None:
        if not self.is_down:
            for reader in self.readers:
                reader.mailbox.put(Alive(boot=self.boot()))

    def expire(self, place: Partition, first: int) -> None:
        """Let retention remove what is before `first`."""
        self.first[place] = first

    # -- the log

    def attempt(self, do: Callable[[], None], fail: Callable[[], None]) -> None:
        if self.is_down:
            self.waiting.append((do, fail))
        else:
            do()
            self.pump()

    def log(self, place: Partition) -> list[Entry]:
        return self.logs.setdefault(place, [])

    def place_of(self, topic: TopicName, key: bytes | None) -> Partition:
        return topic, crc32(key or b"") % LAYOUTS[topic].partitions

    def append(
        self, topic: TopicName, key: bytes | None, value: bytes | None, fate: Fate = Fate.STANDS
    ) -> tuple[Partition, int]:
        place = self.place_of(topic, key)
        log = self.log(place)
        at = self.now()
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)  # Kafka's clock is so coarse
        log.append(Entry(fate=fate, key=key, value=value, appended=at))
        return place, len(log) - 1

    def end_transaction(self, places: Iterable[tuple[Partition, int]], fate: Fate) -> None:
        for place, offset in places:
            self.log(place)[offset].fate = fate
        for place in dict.fromkeys(place for place, _ in places):
            self.log(place).append(Entry(fate=Fate.MARKER, appended=self.now()))

    def stable_end(self, place: Partition) -> int:
        log = self.log(place)
        opened = (offset for offset, entry in enumerate(log) if entry.fate is Fate.OPEN)
        return next(opened, len(log))

    def since(self, place: Partition, instant: datetime) -> int:
        log = self.log(place)
        late = (offset for offset, entry in enumerate(log) if entry.appended >= instant)
        return next(late, self.stable_end(place))

    def pump(self) -> None:
        for reader in list(self.readers):
            reader.pump()


@dataclass(kw_only=True)
class FakeReader:
    kafka: FakeKafka
    mailbox: Mailbox[Any]
    at: dict[Partition, int] = field(default_factory=dict)
    told_end: dict[Partition, int] = field(default_factory=dict)

    def read(self, starts: Mapping[TopicName, Start]) -> None:
        for place, position in spread(starts).items():
            self.at[place] = self._offset(place, position)
            self.told_end.pop(place, None)
        self.kafka.attempt(lambda: None, lambda: None)

    def positions(self) -> Mapping[Partition, int]:
        return dict(self.at)

    def close(self) -> None:
        if self in self.kafka.readers:
            self.kafka.readers.remove(self)

    def pump(self) -> None:
        if not self.kafka.is_down:
            for place in list(self.at):
                self._pump(place)

    def _pump(self, place: Partition) -> None:
        first, end = self.kafka.first.get(place, 0), self.kafka.stable_end(place)
        if not first <= self.at[place] <= len(self.kafka.log(place)):
            self.mailbox.put(OffsetGone(topic=place[0], partition=place[1], asked=self.at[place]))
            self.at[place] = first
        while self.at[place] < end:
            offset = self.at[place]
            self.at[place] += 1
            entry = self.kafka.log(place)[offset]
            if entry.fate is Fate.STANDS:
                self.mailbox.put(self._event(place, offset, entry))
        if self.told_end.get(place) != end:
            self.told_end[place] = end
            self.mailbox.put(CaughtUp(topic=place[0], partition=place[1], next_offset=end))

    def _event(self, place: Partition, offset: int, entry: Entry) -> Any:
        topic, partition = place
        key = (entry.key or b"").decode(errors="replace")
        at: dict[str, Any] = {"topic": topic, "partition": partition, "offset": offset}
        try:
            record = None if entry.value is None else decode(topic, entry.value)
        except Unreadable as fault:
            self._bury(place, offset, str(fault))
            return UnreadableRead(key=key, sentence=str(fault), **at)
        return Delivered(
            key=key, record=record, appended=entry.appended, read_boot=self.kafka.boot(), **at
        )

    def _bury(self, place: Partition, offset: int, reason: str) -> None:
        letter = DeadLetter(
            topic=place[0].value,
            partition=place[1],
            offset=offset,
            reason=reason,
            value="",
            at=self.kafka.now(),
        )
        self.kafka.append(TopicName.DEAD_LETTERS, place[0].value.encode(), encode(letter))

    def _offset(self, place: Partition, position: Position) -> int:
        match position:
            case Beginning():
                return self.kafka.first.get(place, 0)
            case End():
                return self.kafka.stable_end(place)
            case Since():
                return self.kafka.since(place, position.instant)
            case _:
                return position


@dataclass(kw_only=True)
class FakePoster:
    kafka: FakeKafka
    mailbox: Mailbox[Any]

    def post(
        self, topic: TopicName, key: str, record: AnyRecord | None, *, tag: Hashable = None
    ) -> None:
        value = None if record is None else encode(record)
        self._post(topic, key.encode(), value, tag)

    def post_raw(
        self, topic: str, key: bytes | None, value: bytes | None, *, tag: Hashable = None
    ) -> None:
        """Take the full name of an internal topic, with whatever prefix."""
        name = next(name for name in TopicName if topic.endswith(f".{name.value}"))
        self._post(name, key, value, tag)

    def close(self, limit_s: float = 5.0) -> None:
        """Nothing is ever left."""

    def _post(
        self, topic: TopicName, key: bytes | None, value: bytes | None, tag: Hashable
    ) -> None:
        self.kafka.attempt(
            lambda: self._stand(topic, key, value, tag),
            lambda: self.mailbox.put(NotPosted(tag=tag, sentence=SILENT)),
        )

    def _stand(
        self, topic: TopicName, key: bytes | None, value: bytes | None, tag: Hashable
    ) -> None:
        place, offset = self.kafka.append(topic, key, value)
        self.mailbox.put(
            Posted(
                tag=tag,
                topic=f".kirby.{topic.value}",
                partition=place[1],
                offset=offset,
                appended=self.kafka.log(place)[offset].appended,
                acknowledged_boot=self.kafka.boot(),
            )
        )


@dataclass(kw_only=True)
class FakeLink:
    kafka: FakeKafka
    mailbox: Mailbox[Any]
    is_over: bool = False
    opened: list[tuple[Partition, int]] = field(default_factory=list)

    def become(self, record: Leadership) -> None:
        self.kafka.attempt(lambda: self._become(record), self._fail)

    def commit(self, tag: Hashable, messages: Sequence[Message]) -> None:
        self.kafka.attempt(lambda: self._commit(tag, messages), self._fail)

    def close(self) -> None:
        self.is_over = True

    def write_without_commit(self, messages: Sequence[Message]) -> None:
        """Leave a transaction open, as a leader does that dies in the middle."""
        self.opened += [
            self.kafka.append(
                message.topic,
                message.key.encode(),
                None if message.record is None else encode(message.record),
                Fate.OPEN,
            )
            for message in messages
        ]
        self.kafka.pump()

    def _become(self, record: Leadership) -> None:
        before = self.kafka.leader
        if before is not None:
            self.kafka.end_transaction(before.opened, Fate.ABORTED)
            before.opened = []
        self.kafka.leader = self
        message = Message(topic=TopicName.LEADERSHIP, key=LEADER, record=record)
        [place] = self._write([message])
        self.mailbox.put(Became(epoch=Epoch(place.offset), appended=self.kafka.now()))

    def _commit(self, tag: Hashable, messages: Sequence[Message]) -> None:
        if self.is_over:
            return
        if self.kafka.leader is not self:
            self.is_over = True
            self.mailbox.put(LinkFenced(sentence="a later leader has begun"))
            return
        places = tuple(self._write(messages))
        self.mailbox.put(Committed(tag=tag, places=places, boot=self.kafka.boot()))

    def _write(self, messages: Sequence[Message]) -> list[Place]:
        self.write_without_commit(messages)
        stood, self.opened = self.opened, []
        self.kafka.end_transaction(stood, Fate.STANDS)
        return [Place(partition=place[1], offset=offset) for place, offset in stood]

    def _fail(self) -> None:
        if not self.is_over:
            self.is_over = True
            self.mailbox.put(LinkFailed(sentence=SILENT, outcome_unknown=True))


@dataclass(kw_only=True)
class FakeQueries:
    kafka: FakeKafka
    mailbox: Mailbox[Any]

    def ask(
        self,
        question: Question,
        topics: Iterable[TopicName],
        *,
        tag: Hashable,
        limit_s: float = 3.0,
    ) -> None:
        asked = tuple(topics)
        self.kafka.attempt(
            lambda: self._answer(question, asked, tag),
            lambda: self.mailbox.put(NotAnswered(tag=tag, sentence=SILENT)),
        )

    def ask_log(self, topic: TopicName, *, tag: Hashable, limit_s: float = 3.0) -> None:
        self.kafka.attempt(
            lambda: self.mailbox.put(LogNamed(tag=tag, log=f"fake {topic.value}")),
            lambda: self.mailbox.put(NotAnswered(tag=tag, sentence=SILENT)),
        )

    def close(self) -> None:
        """Nothing is held."""

    def _answer(self, question: Question, topics: Sequence[TopicName], tag: Hashable) -> None:
        offsets: dict[TopicName, Offsets] = {
            topic: tuple(
                self._offset(question, (topic, partition))
                for partition in range(LAYOUTS[topic].partitions)
            )
            for topic in topics
        }
        self.mailbox.put(Answered(tag=tag, offsets=offsets, boot=self.kafka.boot()))

    def _offset(self, question: Question, place: Partition) -> int:
        match question:
            case HighWatermarks():
                return len(self.kafka.log(place))
            case Beginnings():
                return self.kafka.first.get(place, 0)
            case Since():
                return self.kafka.since(place, question.instant)
            case _:
                return self.kafka.stable_end(place)
