"""How soon does another host lead when the leader's is killed? Beside what the broker takes alone.

    python -m benchmarks.failover [--kills 30] [--beats 1000000] [--fires 1000]

Three hosts with Kafka and PostgreSQL; before the first kill the log has a million beats and a
thousand open fires. Everything on the leader's host is killed with `kill -9`, again and again:

- `first transaction`: until the next leader's leadership record stands in the log, broker time
- `reads up`: from there until its first decision, a cursor that it rewrote
- `bare fencing`: in turns with it, a bare producer is thrown away in the middle of a transaction,
  and a successor goes through `init_transactions` and commits one record

A leader's silence must last a second before anybody may try. Ends with status 1 if the first
transaction takes more than 2 s at the median, 5 s at most, or more than LIMIT times a second and
the bare fencing.
"""

import argparse
import sys
import time
from datetime import UTC, datetime, timedelta

from confluent_kafka import Producer

from benchmarks._cluster import a_cluster, told
from kirby.core.names import Epoch, Host
from kirby.core.records import Beat, Cursor, Offer, TopicName, encode
from kirby.kafka.making import ensure_topics
from kirby.kafka.settings import KafkaSettings
from tests.stories.cluster import checkers
from tests.stories.cluster.cluster import Cluster
from tests.stories.jobs import errand
from tests.stories.patience import eventually

SILENCE_S = 1.0  # the coup gate: so long no beat must have been read
MEDIAN_S, MOST_S = 2.0, 5.0
LIMIT = 1.5
BATCH = 10_000


def fill_with_beats(cluster: Cluster, beats: int) -> None:
    """Write so many beats of a leader that nobody remembers."""
    kafka = KafkaSettings(bootstrap=cluster.kafka.bootstrap)
    ensure_topics(kafka)
    producer = Producer(
        {**kafka.for_poster(), "linger.ms": 20, "queue.buffering.max.messages": BATCH}
    )
    now = datetime.now(UTC)
    value = encode(Beat(host=Host("nobody"), epoch=Epoch(0), at=now, since=now))
    for number in range(beats):
        while True:
            try:
                producer.produce(kafka.topic(TopicName.LEADERSHIP), key=b"leader", value=value)
                break
            except BufferError:
                producer.poll(0.05)
        if number % BATCH == 0:
            producer.poll(0)
    producer.flush(120)
    cluster.log.skip(TopicName.LEADERSHIP)


def open_fires(cluster: Cluster, fires: int) -> None:
    """Have so many fires wait for a slot for an hour."""
    due = (datetime.now(UTC) + timedelta(seconds=45 + 0.1 * fires)).replace(microsecond=0)
    cron = f"{due.second} {due.minute} {due.hour} * * *"
    go = cluster.folder / "go"
    jobs = {
        f"loaf-{n:04}": errand("wait_for_go", cron, GO=go, start_window="1 h", lost="retry")
        for n in range(fires)
    }
    cluster.applies(jobs)
    eventually(
        lambda: len({o.run for _, o in cluster.log.read().of(Offer)}),
        what="all fires are open",
        until=lambda open_: open_ >= fires,
        within_s=240,
        every_s=1,
    )


class Fencing:
    """What the broker alone takes: a producer dies in a transaction, another takes its place."""

    def __init__(self, bootstrap: str) -> None:
        self.settings = KafkaSettings(bootstrap=bootstrap, prefix=".bare.")
        ensure_topics(self.settings)
        self.producer = self.successor()

    def successor(self) -> Producer:
        producer = Producer(self.settings.for_leader())
        producer.init_transactions(30)
        producer.begin_transaction()
        self.write(producer)
        producer.commit_transaction(30)
        return producer

    def write(self, producer: Producer) -> None:
        now = datetime.now(UTC)
        beat = Beat(host=Host("bare"), epoch=Epoch(0), at=now, since=now)
        producer.produce(
            self.settings.topic(TopicName.LEADERSHIP), key=b"leader", value=encode(beat)
        )

    def takes_s(self) -> float:
        self.producer.begin_transaction()
        self.write(self.producer)
        self.producer.flush(10)
        begin = time.perf_counter()
        self.producer = self.successor()
        return time.perf_counter() - begin


def kill_the_leader(cluster: Cluster) -> tuple[float, float]:
    """Kill and bring back the leader's host; return how long the lead was open, and the read-up."""
    leader = cluster.leader()
    killed = datetime.now(UTC)
    cluster.kill(leader)
    taken, _ = eventually(
        lambda: checkers.led(cluster.log, killed), what="another leads", every_s=0.05
    )[0]
    working = eventually(
        lambda: [at for at, _ in cluster.log.read().of(Cursor) if at > taken],
        what="it works",
        every_s=0.05,
    )[0]
    cluster.start_host(leader)
    cluster.is_well()
    return (taken - killed).total_seconds(), (working - taken).total_seconds()


def measure(kills: int, beats: int, fires: int) -> bool:
    """Kill and print; tell whether the limits were kept."""
    with a_cluster(slots=2, before=lambda cluster: fill_with_beats(cluster, beats)) as cluster:
        open_fires(cluster, fires)
        cluster.is_well()
        fencing = Fencing(cluster.kafka.bootstrap)
        print(f"{beats:,} beats and {fires:,} open fires; {kills} kills", flush=True)
        taken, reading, bare = [], [], []
        for _ in range(kills):
            first, read_up = kill_the_leader(cluster)
            taken.append(first)
            reading.append(read_up)
            bare.append(fencing.takes_s())
            print(f"    {first:5.2f} s, works after {read_up:5.2f} s more; bare {bare[-1]:5.2f} s")
    median = told("first transaction of the next leader", taken)
    told("reads up, and works", reading)
    limit = SILENCE_S + told("bare fencing", bare)
    ratio = median / limit
    print(f"  {ratio:.2f} times a second of silence and bare fencing (at most {LIMIT})")
    print(f"  limits: {MEDIAN_S} s at the median, {MOST_S} s at most")
    return median <= MEDIAN_S and max(taken) <= MOST_S and ratio <= LIMIT


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure how soon another host leads.")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--beats", type=int, default=1_000_000)
    parser.add_argument("--fires", type=int, default=1_000)
    given = parser.parse_args()
    return 0 if measure(given.kills, given.beats, given.fires) else 1


if __name__ == "__main__":
    sys.exit(main())
