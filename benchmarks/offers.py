"""How many offers a second does a leader make before due times slip, over a real Kafka?

    python benchmarks/offers.py [--seconds 6] [--kafka HOST:PORT]

A real leader (the core's Scheduler, with its wires to Kafka, in one process) has more and more
contexts that are due each second, and a second process that stands for all hosts: it claims every
offer and tells at once that it succeeded. An offer slips if it comes into the log later than its
due instant; a level holds while fewer than one in a hundred slip. Beside it `bare`: a transactional
producer that writes the same records, as many to a transaction as the leader's largest, as fast as
it can. Ends with status 1 if the leader sustains less than SHARE of that.
"""

import argparse
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

from kirby.actors.lead_wiring import LeadWiring, tail_event
from kirby.core.leader import scheduling
from kirby.core.leader.draft import Post
from kirby.core.leader.events import (
    AskLeadershipEnd,
    BecomeLeader,
    CandidateNamed,
    Commit,
    FetchSchedule,
    LeadershipEnd,
    ScheduleFetched,
    SchedulerEffect,
    SchedulerEvent,
    StandDown,
    Tick,
)
from kirby.core.leader.state import Scheduling
from kirby.core.moment import Moment
from kirby.core.names import Host, Incarnation, StateFolderId, context_key
from kirby.core.nouns import AttemptEnd, CronLine, Definition, JobKind, Schedule
from kirby.core.planning.fires import fires_of
from kirby.core.records import AnyRecord, Claim, Exited, Heartbeat, Offer, TopicName, decode, encode
from kirby.kafka import embedded
from kirby.kafka.asking import StableEnds
from kirby.kafka.client import Kafka
from kirby.kafka.events import Answered, NotAnswered
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.making import ensure_topics
from kirby.kafka.settings import KafkaSettings
from kirby.kafka.starts import End

LEVELS = (50, 100, 200, 300, 400, 600, 800, 1200, 1600)
SETTLES_S = 3.0  # after a level has begun
SLIPPED = 0.01
SHARE = 0.02  # the leader decides in plain Python, and reads a claim and an end for each offer
SLOTS = 5000
TICK_S = 0.1
HOST = Host("alpha")
LIFE = Incarnation(1)
FOLDER = StateFolderId("folder")


@dataclass(kw_only=True)
class Leader:
    """A Scheduler without its actor: the same core, the same wires."""

    settings: KafkaSettings
    state: Scheduling = field(init=False)
    lead: LeadWiring | None = None
    contexts: int = 0
    revision: int = 0
    posts: list[Post] = field(default_factory=list)  # of the largest transaction

    def __post_init__(self) -> None:
        self.state = Scheduling(host=HOST, life=1, compile=lambda each: fires_of(each.schedules))
        self.kafka = Kafka(settings=self.settings)
        self.box: Mailbox[object] = Mailbox()
        self.tail = self.kafka.reader({TopicName.LEADERSHIP: End()}, self.box)
        self.queries = self.kafka.queries(self.box)
        self.named = 0.0

    def run(self, seconds: float) -> None:
        """Lead for a while."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            watched: list[Any] = [self.box, *([self.lead] if self.lead else [])]
            select.select(watched, [], [], TICK_S)
            for event in self.events():
                self.take(event)
            self.take(Tick())
            if self.state.lead is None and time.monotonic() - self.named > 1.0:
                self.named = time.monotonic()
                self.take(CandidateNamed(term=1))

    def fire_each_second(self, contexts: int) -> None:
        """Have so many contexts be due each second from now on."""
        self.contexts, self.revision = contexts, self.revision + 1

    def events(self) -> Iterator[SchedulerEvent]:
        for event in self.box.drain():
            if isinstance(event, Answered):
                yield LeadershipEnd(offset=event.offsets[TopicName.LEADERSHIP][0])
            elif isinstance(event, NotAnswered):
                yield LeadershipEnd(offset=None)
            elif known := tail_event(event):
                yield known
        if self.lead is not None:
            yield from self.lead.drain()

    def take(self, event: SchedulerEvent) -> None:
        now = Moment(wall=datetime.now(UTC), boot=time.clock_gettime(time.CLOCK_BOOTTIME))
        _, effects = scheduling.step(self.state, event, now)
        for effect in effects:
            self.perform(effect)

    def perform(self, effect: SchedulerEffect) -> None:
        match effect:
            case AskLeadershipEnd():
                self.queries.ask(StableEnds(), [TopicName.LEADERSHIP], tag="leadership")
            case BecomeLeader(record=record):
                self.lead = LeadWiring(self.kafka)
                self.lead.become(record)
            case FetchSchedule(since=since):
                self.take(ScheduleFetched(schedule=self.schedule(since)))
            case StandDown(sentence=sentence):
                raise SystemExit(f"the leader stood down: {sentence}")
            case _:
                if isinstance(effect, Commit) and len(effect.posts) > len(self.posts):
                    self.posts = list(effect.posts)
                assert self.lead is not None
                self.lead.perform(effect)

    def schedule(self, since: int | None) -> Schedule | None:
        if since == self.revision:
            return None
        known = tuple(definition(number) for number in range(self.contexts))
        return Schedule(revision=self.revision, contexts=known)

    def close(self) -> None:
        for part in (self.lead, self.tail, self.queries):
            if part is not None:
                part.close()


def definition(number: int) -> Definition:
    return Definition(
        context=context_key(f"job-{number}", "prod"),
        kind=JobKind.SCHEDULED,
        package="bread==1.0",
        schedules=(CronLine(cron="* * * * * *"),),
        revision=1,
    )


def stand_for_hosts(settings: KafkaSettings) -> None:
    """Claim each offer, tell that it succeeded, send heartbeats; until killed."""
    offers = settings.topic(TopicName.OFFERS)
    consumer = Consumer(settings.for_reader())
    consumer.assign([TopicPartition(offers, n, OFFSET_END) for n in range(6)])
    producer = Producer(settings.for_poster())
    beaten = 0.0
    while True:
        if time.monotonic() - beaten > 1.0:
            beaten = time.monotonic()
            producer.produce(settings.topic(TopicName.HOSTS), key=HOST, value=encode(heartbeat()))
        for message in consumer.consume(500, timeout=0.02):
            if message.error() is None:
                offer = decode(TopicName.OFFERS, message.value())
                assert isinstance(offer, Offer)
                answer(settings, producer, offer)
        producer.poll(0)


def heartbeat() -> Heartbeat:
    now = datetime.now(UTC)
    return Heartbeat(
        host=HOST,
        incarnation=LIFE,
        state_folder=FOLDER,
        sent=now,
        started=now,
        version="1",
        slots=SLOTS,
        free_slots=SLOTS,
    )


def answer(settings: KafkaSettings, producer: Producer, offer: Offer) -> None:
    claim = Claim(run=offer.run, attempt=1, host=HOST, incarnation=LIFE, state_folder=FOLDER)
    end = Exited(
        host=HOST,
        incarnation=LIFE,
        run=offer.run,
        attempt=1,
        context=offer.context,
        at=datetime.now(UTC),
        end=AttemptEnd.SUCCEEDED,
    )
    told: tuple[tuple[TopicName, AnyRecord], ...] = (
        (TopicName.CLAIMS, claim),
        (TopicName.RUNS, end),
    )
    for topic, record in told:
        producer.produce(settings.topic(topic), key=offer.run.encode(), value=encode(record))


class Offers:
    """What stands in the log of offers."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.consumer = Consumer(settings.for_reader())
        topic = settings.topic(TopicName.OFFERS)
        self.consumer.assign([TopicPartition(topic, n, OFFSET_END) for n in range(6)])
        self.read()

    def read(self) -> list[tuple[Offer, float]]:
        """Return the offers that came since, and how late each was, in seconds."""
        found = []
        while messages := self.consumer.consume(5000, timeout=0.3):
            for message in messages:
                if message.error() is None:
                    offer = decode(TopicName.OFFERS, message.value())
                    assert isinstance(offer, Offer)
                    found.append((offer, message.timestamp()[1] / 1e3 - offer.due.timestamp()))
        return found


def sustained(leader: Leader, offers: Offers, levels: Sequence[int], seconds: float) -> float:
    """Raise the level until due times slip; return the offers a second of the last that held."""
    held = 0.0
    for level in levels:
        leader.fire_each_second(level)
        leader.run(SETTLES_S)
        offers.read()
        began = datetime.now(UTC).timestamp()
        leader.run(seconds)
        due = began + 2.0, began + seconds - 1.0  # of these all should have come by now
        wanted = level * int(due[1] - due[0])
        late = [by for each, by in offers.read() if due[0] <= each.due.timestamp() < due[1]]
        slipped = sum(each > 0 for each in late) + max(0, wanted - len(late))
        rate = len(late) / int(due[1] - due[0])
        worst = max(late, default=float("nan"))
        print(
            f"  {level:>5} due a second: {rate:7.0f} offers a second, the latest {worst:+6.2f} s "
            f"from its due instant, {slipped} slipped",
            flush=True,
        )
        if slipped > SLIPPED * wanted:
            break
        held = float(level)
    return held


def bare(settings: KafkaSettings, posts: Sequence[Post], seconds: float) -> float:
    """Write the leader's largest transaction again and again; return its offers a second."""
    records = [
        (settings.topic(post.topic), post.key.encode(), encode(post.record))
        for post in posts
        if post.record is not None
    ]
    producer = Producer(settings.for_leader())
    producer.init_transactions(30)
    count, begin = 0, time.monotonic()
    while time.monotonic() - begin < seconds:
        producer.begin_transaction()
        for topic, key, value in records:
            producer.produce(topic, key=key, value=value)
        producer.commit_transaction(30)
        count += sum(post.topic is TopicName.OFFERS for post in posts)
    return count / (time.monotonic() - begin)


def measure(bootstrap: str, seconds: float, levels: Sequence[int]) -> bool:
    settings = topics_of_its_own(bootstrap, "leader")
    with ExitStack() as ending:
        words = ["--kafka", bootstrap, "--hosts-of", settings.prefix]
        hosts = subprocess.Popen([sys.executable, __file__, *words])
        ending.callback(hosts.wait)
        ending.callback(hosts.kill)
        leader = ending.enter_context(closing(Leader(settings=settings)))
        leader.run(4.0)
        print("a leader over Kafka, with a process that stands for all hosts", flush=True)
        ours = sustained(leader, Offers(settings), levels, seconds)
    limit = bare(topics_of_its_own(bootstrap, "bare"), leader.posts, seconds)
    print(
        f"sustained {ours:,.0f} offers a second; bare {limit:,.0f}; "
        f"a share of {ours / limit:.3f} (at least {SHARE})"
    )
    return ours >= SHARE * limit


def topics_of_its_own(bootstrap: str, name: str) -> KafkaSettings:
    settings = KafkaSettings(bootstrap=bootstrap, prefix=f".benchmark-{name}-{time.time_ns()}.")
    ensure_topics(settings)
    return settings


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure how many offers a leader makes.")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each level")
    parser.add_argument("--levels", type=int, nargs="+", default=list(LEVELS))
    parser.add_argument("--kafka", help="of a Kafka that is there already")
    parser.add_argument("--hosts-of", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.hosts_of:
        stand_for_hosts(KafkaSettings(bootstrap=given.kafka, prefix=given.hosts_of))
    if given.kafka:
        return 0 if measure(given.kafka, given.seconds, given.levels) else 1
    with tempfile.TemporaryDirectory() as folder:
        broker = Path(folder) / "kafka"
        try:
            return 0 if measure(embedded.ensure(broker), given.seconds, given.levels) else 1
        finally:
            embedded.stop(broker)


if __name__ == "__main__":
    sys.exit(main())
