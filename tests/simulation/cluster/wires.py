"""What an actor holds of the simulated Kafka: readers, a poster, a leader's link, questions.

Every step of the way takes its time, may find the host cut off, and may lose its answer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kirby.core.leader.draft import Post
from kirby.core.leader.events import Became, Committed, LinkFailed
from kirby.core.messages import LeadFailure
from kirby.core.names import Epoch
from kirby.core.records import AnyRecord, Leadership, TopicName
from tests.simulation.cluster.broker import Broker, Entry, Fate, Place
from tests.simulation.cluster.life import Life

DELIVERY_SECONDS = 10.0  # after that a poster gives up
LINK_SECONDS = 3.0  # limit of init_transactions and of each commit
RETRY_SECONDS = 0.5
QUERY_SECONDS = 3.0

LEADER_KEY = "leader"


class Air(Protocol):
    """The way between a host and the broker, as the weather has it."""

    def delay(self) -> float:
        """Return how long one step takes."""

    def reaches(self) -> bool:
        """Whether the host reaches Kafka now."""

    def loses(self) -> bool:
        """Whether this answer is lost."""

    def handful(self) -> int:
        """Return how many records a fetch brings at the most."""

    def lag(self) -> float:
        """Return how long a partition's broker keeps a fetch beyond the others'."""

    def dawdles(self) -> bool:
        """Whether this transaction is not committed in the same breath."""


@dataclass(kw_only=True)
class Wire:
    """One client's connection: whose it is, to which broker, through what."""

    life: Life
    broker: Broker
    air: Air


class Reader:
    """Reads partitions from positions on, what is stable only, in order."""

    def __init__(
        self,
        wire: Wire,
        take: Callable[[Place, int, Entry], None],
        caught_up: Callable[[Place, int], None],
    ) -> None:
        self.wire = wire
        self.positions: dict[Place, int] = {}
        self._take = take
        self._caught_up = caught_up
        self._stirred: dict[Place, None] = {}
        self._lagging: set[Place] = set()
        self._fetching = False
        self.closed = False

    def read(self, starts: Mapping[Place, int]) -> None:
        """Read these partitions from these offsets on, beside what is read already."""
        for place, offset in starts.items():
            if place not in self.positions:
                self.wire.broker.readers[place].append(self.stir)
            self.positions[place] = offset
            self.stir(place)

    def stir(self, place: Place) -> None:
        """Fetch soon: something new stands there, or is asked for."""
        self._stirred[place] = None
        if not self._fetching and not self.closed:
            self._fetching = True
            self.wire.life.after(self.wire.air.delay(), self._fetch)

    def close(self) -> None:
        """Read no more."""
        if self.closed:
            return
        self.closed = True
        for place in self.positions:
            self.wire.broker.readers[place].remove(self.stir)

    def _fetch(self) -> None:
        if self.closed:
            return
        if not self.wire.air.reaches():
            self.wire.life.after(RETRY_SECONDS, self._fetch)
            return
        self._fetching = False
        stirred, self._stirred = self._stirred, {}
        for place in stirred:
            if place in self._lagging:
                continue
            lag = self.wire.air.lag()
            if lag:
                self._lagging.add(place)
                self.wire.life.after(lag, lambda late=place: self._catch_up(late))  # type: ignore[misc]
            else:
                self._read_on(place)

    def _catch_up(self, place: Place) -> None:
        """Read a partition that others' records have overtaken: brokers differ."""
        self._lagging.discard(place)
        if not self.closed:
            self._read_on(place)

    def _read_on(self, place: Place) -> None:
        log, end = self.wire.broker.logs[place], self.wire.broker.stable(place)
        at = self.positions[place]
        until = min(end, at + self.wire.air.handful())
        while at < until and not self.closed:
            entry = log[at]
            at += 1
            self.positions[place] = at
            if entry.fate is Fate.STANDS:
                self._take(place, at - 1, entry)
        if self.closed:
            return
        if until < end:
            self.stir(place)
        else:
            self._caught_up(place, end)


@dataclass(kw_only=True)
class Poster:
    """Writes records; each is told as acknowledged or failed, though a failed one may stand."""

    wire: Wire

    def post(
        self,
        topic: TopicName,
        key: str,
        record: AnyRecord | None,
        *,
        acknowledged: Callable[[int, Entry], None],
        failed: Callable[[], None],
    ) -> None:
        """Write one record."""
        until = self.wire.broker.timeline.now + DELIVERY_SECONDS

        def sent() -> None:
            timeline, life = self.wire.broker.timeline, self.wire.life
            if not life.alive and timeline.chance.random() < 0.5:
                return  # it had not left the host
            if timeline.now > until:
                life.do(failed)
            elif not self.wire.air.reaches() or life.frozen:
                timeline.after(RETRY_SECONDS, sent)
            else:
                stand()

        def stand() -> None:
            broker = self.wire.broker
            offset = broker.append(topic, key, record)
            entry = broker.logs[broker.partition(topic, key)][offset]
            if self.wire.air.loses():
                late = max(0.0, until - broker.timeline.now)
                self.wire.life.after(late, failed)
            else:
                back = self.wire.air.delay()
                self.wire.life.after(back, lambda: acknowledged(offset, entry))

        self.wire.broker.timeline.after(self.wire.air.delay(), sent)


@dataclass(kw_only=True)
class Link:
    """The leader's transactional producer: `tell` hears what became of each command."""

    wire: Wire
    tell: Callable[[Became | Committed | LinkFailed], None]
    producer: int = 0
    over: bool = False

    def become(self, record: Leadership) -> None:
        """Fence every earlier leader and write the record that makes the epoch."""

        def begun() -> None:
            if self.over or not self.wire.life.alive:
                return
            if not self.wire.air.reaches():
                self._fail_later("Kafka does not answer")
                return
            self.producer = self.wire.broker.new_producer()
            self._on_the_way(written)

        def written() -> None:
            post = Post(topic=TopicName.LEADERSHIP, key=LEADER_KEY, record=record)
            self._transact([post], lambda offsets: Became(epoch=Epoch(offsets[0])))

        self._on_the_way(begun)

    def commit(self, posts: Sequence[Post]) -> None:
        """Write all of the records or none."""
        self._on_the_way(lambda: self._transact(posts, lambda _offsets: Committed()))

    def close(self) -> None:
        """Let go of it; what is on its way may still arrive."""
        self.over = True

    def _on_the_way(self, arrive: Callable[[], None]) -> None:
        self.wire.broker.timeline.after(self.wire.air.delay(), arrive)

    def _transact(
        self, posts: Sequence[Post], done: Callable[[list[int]], Became | Committed]
    ) -> None:
        broker = self.wire.broker
        if not self.wire.life.alive and broker.timeline.chance.random() < 0.5:
            return
        if not self.wire.air.reaches():
            self._fail_later("Kafka does not answer")
            return
        if self._is_fenced():
            return
        offsets = broker.write(self.producer, posts)
        if self.wire.air.dawdles():
            pause = self.wire.air.delay() + broker.timeline.chance.uniform(0.0, 0.5)
            self.wire.life.after(pause, lambda: self._commit(offsets, done))
        else:
            self._commit(offsets, done)

    def _commit(self, offsets: list[int], done: Callable[[list[int]], Became | Committed]) -> None:
        broker = self.wire.broker
        if self._is_fenced():
            return
        if not self.wire.air.reaches():
            self._fail_later("the commit was not answered")  # left open: aborted by whoever comes
            return
        broker.end_transaction(Fate.STANDS)
        if self.wire.air.loses():
            self._fail_later("the commit was not answered")  # but it stands
        else:
            self.wire.life.after(self.wire.air.delay(), lambda: self._told(done(offsets)))

    def _is_fenced(self) -> bool:
        if not self.wire.broker.is_fenced(self.producer):
            return False
        fenced = LinkFailed(failure=LeadFailure.FENCED, sentence="a later leader has begun")
        self.wire.life.after(self.wire.air.delay(), lambda: self._told(fenced))
        return True

    def _fail_later(self, sentence: str) -> None:
        failed = LinkFailed(failure=LeadFailure.FAILED, sentence=sentence)
        self.wire.life.after(LINK_SECONDS, lambda: self._told(failed))

    def _told(self, event: Became | Committed | LinkFailed) -> None:
        if not self.over:
            self.over = isinstance(event, LinkFailed)
            self.tell(event)


def ask(wire: Wire, question: Callable[[], object], heard: Callable[[object], None]) -> None:
    """Ask the broker something; None is heard where no answer came."""

    def asked() -> None:
        if wire.air.reaches() and not wire.air.loses():
            answer = question()
            wire.life.after(wire.air.delay(), lambda: heard(answer))
        else:
            wire.life.after(QUERY_SECONDS, lambda: heard(None))

    wire.broker.timeline.after(wire.air.delay(), asked)
