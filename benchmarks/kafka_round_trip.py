"""How long do a claim and a transaction take? Kirby's threads beside a bare confluent-kafka client.

    python benchmarks/kafka_round_trip.py [--rounds 100] [--kafka HOST:PORT]

Interleaved, in the same run, against the same broker (the embedded one in a temporary folder, or
the one that is named), in milliseconds at the median and at the 95th of a hundred. Each begins
50 ms after the last, so that the markers of a transaction are written:

- `claim`: a record posted, until it is read back
- `transaction of 1` and `of 1000`: offers committed, until the commit is acknowledged
- `successor`: from nothing to the epoch of a new leader

Ends with status 1 if Kirby takes more than LIMIT times the bare client and a slack on top.
"""

import argparse
import select
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

from kirby.core.names import (
    ContextKey,
    Epoch,
    FencingToken,
    Host,
    Incarnation,
    RunId,
    StateFolderId,
)
from kirby.core.nouns import RunPlan
from kirby.core.records import Claim, Leadership, Offer, TopicName, encode
from kirby.kafka import embedded
from kirby.kafka.client import Kafka
from kirby.kafka.events import Became, CaughtUp, Committed, Delivered, KafkaEvent
from kirby.kafka.leader_link import LEADER, Message
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.making import ensure_topics
from kirby.kafka.settings import KafkaSettings
from kirby.kafka.starts import End

LIMIT = 2.0
SLACK_MS = 5.0  # a wake of a thread and of whoever waits for it, on a busy machine
# librdkafka looks each half second whether the coordinator is connected: every other successor
# waits for that, Kirby's or not.
COORDINATOR_MS = 600.0
PAUSE_S = 0.05
MANY = 1000
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONTEXT = ContextKey("pump/prod")

Measure = Callable[[], float]  # seconds


def claim() -> Claim:
    return Claim(
        run=RunId("pump/prod@2026-03-01T12:00:00Z"),
        attempt=1,
        host=Host("alpha"),
        incarnation=Incarnation(1),
        state_folder=StateFolderId("f00d"),
    )


def offer(number: int) -> Offer:
    return Offer(
        run=RunId(f"pump{number}/prod@2026-03-01T12:00:00Z"),
        attempt=1,
        context=CONTEXT,
        epoch=Epoch(1),
        token=FencingToken(1),
        due=AT,
        not_before=AT,
        deadline=AT,
        plan=RunPlan(context=CONTEXT, package="pump==1.0"),
    )


def leadership() -> Leadership:
    return Leadership(host=Host("alpha"), life=1, at=AT)


class Kirbys:
    """What Kirby's actors use: threads that tell one mailbox."""

    def __init__(self, settings: KafkaSettings, ending: ExitStack) -> None:
        self.kafka = Kafka(settings=settings)
        self.mailbox: Mailbox[KafkaEvent] = Mailbox()
        self.ending = ending
        self.poster = self.kafka.poster(self.mailbox)
        reader = self.kafka.reader({TopicName.CLAIMS: End()}, self.mailbox)
        for client in (self.poster, reader):
            ending.callback(client.close)
        self.wait_for(CaughtUp)
        self.successor()

    def wait_for(self, kind: type[KafkaEvent]) -> None:
        while not any(isinstance(event, kind) for event in self.mailbox.drain()):
            select.select([self.mailbox], [], [])

    def claim(self) -> float:
        time.sleep(PAUSE_S)
        begin = time.perf_counter()
        self.poster.post(TopicName.CLAIMS, CONTEXT, claim())
        self.wait_for(Delivered)
        return time.perf_counter() - begin

    def transaction(self, size: int) -> float:
        messages = [
            Message(topic=TopicName.OFFERS, key=f"{n}", record=offer(n)) for n in range(size)
        ]
        time.sleep(PAUSE_S)
        begin = time.perf_counter()
        self.link.commit("measured", messages)
        self.wait_for(Committed)
        return time.perf_counter() - begin

    def successor(self) -> float:
        time.sleep(PAUSE_S)
        begin = time.perf_counter()
        self.link = self.kafka.leader_link(self.mailbox)
        self.ending.callback(self.link.close)
        self.link.become(leadership())
        self.wait_for(Became)
        return time.perf_counter() - begin


class Bare:
    """The same through confluent-kafka alone, on the calling thread."""

    def __init__(self, settings: KafkaSettings, ending: ExitStack) -> None:
        self.settings = settings
        self.claims = settings.topic(TopicName.CLAIMS)
        self.producer = Producer(settings.for_poster())
        self.consumer = Consumer(settings.for_reader())
        ending.callback(self.consumer.close)
        self.consumer.assign([TopicPartition(self.claims, n, OFFSET_END) for n in range(6)])
        while self.consumer.poll(2.0) is not None:
            pass
        self.successor()

    def claim(self) -> float:
        time.sleep(PAUSE_S)
        begin = time.perf_counter()
        self.producer.produce(self.claims, key=CONTEXT.encode(), value=encode(claim()))
        self.producer.poll(0)
        while (message := self.consumer.poll(1.0)) is None or message.error():
            pass
        return time.perf_counter() - begin

    def transaction(self, size: int) -> float:
        records = [(str(n).encode(), offer(n)) for n in range(size)]
        time.sleep(PAUSE_S)
        begin = time.perf_counter()
        self.write(TopicName.OFFERS, records)
        return time.perf_counter() - begin

    def successor(self) -> float:
        time.sleep(PAUSE_S)
        begin = time.perf_counter()
        self.leader = Producer(self.settings.for_leader())
        self.leader.init_transactions(10)
        self.write(TopicName.LEADERSHIP, [(LEADER.encode(), leadership())])
        return time.perf_counter() - begin

    def write(self, topic: TopicName, records: list[tuple[bytes, Any]]) -> None:
        self.leader.begin_transaction()
        for key, record in records:
            self.leader.produce(self.settings.topic(topic), key=key, value=encode(record))
        self.leader.commit_transaction(10)


def compare(
    name: str, rounds: int, kirbys: Measure, bare: Measure, slack_ms: float = SLACK_MS
) -> bool:
    """Measure both in turns and print them; tell whether Kirby kept its limit."""
    pairs = [(kirbys() * 1e3, bare() * 1e3) for _ in range(rounds)]
    ours, theirs = ([pair[n] for pair in pairs] for n in (0, 1))
    ours_median, theirs_median = statistics.median(ours), statistics.median(theirs)
    print(
        f"{name:<22} Kirby {ours_median:7.1f} ms ({late(ours):7.1f})   "
        f"bare {theirs_median:7.1f} ms ({late(theirs):7.1f})"
    )
    return ours_median <= LIMIT * theirs_median + slack_ms


def late(samples: list[float]) -> float:
    return statistics.quantiles(samples, n=20)[-1] if len(samples) > 1 else samples[0]


def topics_of_its_own(bootstrap: str) -> KafkaSettings:
    settings = KafkaSettings(bootstrap=bootstrap, prefix=f".benchmark-{time.time_ns()}.")
    ensure_topics(settings)
    return settings


def measure(bootstrap: str, rounds: int) -> bool:
    with ExitStack() as ending:
        kirbys = Kirbys(topics_of_its_own(bootstrap), ending)
        bare = Bare(topics_of_its_own(bootstrap), ending)
        kept = [
            compare("claim", rounds, kirbys.claim, bare.claim),
            compare(
                "transaction of 1",
                rounds,
                lambda: kirbys.transaction(1),
                lambda: bare.transaction(1),
            ),
            compare(
                f"transaction of {MANY}",
                max(2, rounds // 5),
                lambda: kirbys.transaction(MANY),
                lambda: bare.transaction(MANY),
            ),
            compare(
                "successor", max(2, rounds // 10), kirbys.successor, bare.successor, COORDINATOR_MS
            ),
        ]
    return all(kept)


def main() -> int:
    """Return 0 if Kirby kept its limits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--kafka", help="of a Kafka that is there already")
    given = parser.parse_args()
    if given.kafka:
        return 0 if measure(given.kafka, given.rounds) else 1
    with tempfile.TemporaryDirectory() as folder:
        broker = Path(folder) / "kafka"
        try:
            return 0 if measure(embedded.ensure(broker), given.rounds) else 1
        finally:
            embedded.stop(broker)


if __name__ == "__main__":
    sys.exit(main())
