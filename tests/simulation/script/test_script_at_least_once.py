"""Whatever becomes of the members of a group, nothing read is committed before its copy is there.

Nor does a commit ever go back, as it would if a member finished a record of a partition that others
had meanwhile.

Random histories: scripts that copy records from one topic to another join, work, sit busy, stop,
crash with records on their way; Kafka is deaf for a while. A history that fails prints its seed.
"""

import random
import time

import pytest

from kirby.core.errors import DeliveryFailed
from kirby.script import session as sessions
from kirby.script.session import Session
from kirby.script.topic import Topic
from tests.builders.script import fill, surroundings, values
from tests.fakes.script_kafka import FakeKafka

HISTORIES = 300
STEPS = 120
RECORDS = 60
MUCH_LATER = 3600.0


class Copier:
    """One script of the group."""

    def __init__(self, kafka: FakeKafka) -> None:
        self.kafka = kafka
        self.session = Session(surroundings(), kafka)
        self.sales: Topic[int] = Topic("sales", of=int)
        self.copies: Topic[int] = Topic("copies", of=int)
        sessions.use(self.session)
        self.step()
        self.session.halt()
        self.member = kafka.members("sales")[-1]

    def step(self) -> bool:
        sessions.use(self.session)
        record = self.sales.next(0)
        if record is not None:
            self.copies.send(record.value, key=record.key)
        return record is not None

    def sit_busy(self) -> None:
        self.session.keep(time.monotonic() + MUCH_LATER)

    def stop(self) -> None:
        sessions.use(self.session)
        self.sales.close()

    def crash(self) -> None:
        self.kafka.leave(self.member)  # what was on its way goes with it


class World:
    """The topics, the group's members, and chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.kafka = FakeKafka()
        for number in range(RECORDS):
            fill(self.kafka, "sales", [number], key=f"product {number % 17}")
        self.kafka.create("copies")
        self.copiers: list[Copier] = []
        self.before: dict[int, int] = {}  # what was committed of each partition

    def go_on(self) -> None:
        doing = self.chance.choices(
            (self.join, self.work, self.sit_busy, self.stop, self.crash, self.turn_deaf),
            (2, 20, 4, 1, 1, 2),
        )[0]
        doing()
        self.check()

    def join(self) -> None:
        if len(self.copiers) < 4:
            self.copiers.append(Copier(self.kafka))

    def work(self) -> None:
        if self.copiers:
            self.chance.choice(self.copiers).step()

    def sit_busy(self) -> None:
        if self.copiers:
            self.chance.choice(self.copiers).sit_busy()

    def stop(self) -> None:
        self.kafka.is_deaf = False  # a deaf Kafka is for the tests of time limits
        if self.copiers:
            self.copiers.pop(self.chance.randrange(len(self.copiers))).stop()

    def crash(self) -> None:
        if self.copiers:
            self.copiers.pop(self.chance.randrange(len(self.copiers))).crash()

    def turn_deaf(self) -> None:
        self.kafka.is_deaf = not self.kafka.is_deaf

    def end(self) -> None:
        self.kafka.is_deaf = False
        for copier in self.copiers:
            copier.stop()
        last = Copier(self.kafka)
        while last.step():
            pass
        last.stop()
        self.check()

    def check(self) -> None:
        copied = set(values(self.kafka.records("copies")))
        for (_, topic, number), offset in self.kafka.committed.items():
            assert offset >= self.before.get(number, 0), "a commit went back"
            self.before[number] = offset
            done = values(self.kafka.topics[topic][number][:offset])
            assert copied >= set(done), f"committed without a copy: {set(done) - copied}"


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "REVOKED_FLUSH_SECONDS", 0.0)


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_nothing_is_committed_before_its_copy_is_there_and_all_is_copied(seed: int) -> None:
    world = World(seed)

    for _ in range(STEPS):
        try:
            world.go_on()
        except DeliveryFailed:
            pytest.fail(f"seed {seed}: nothing was refused in this history")
    world.end()

    assert set(values(world.kafka.records("copies"))) == set(range(RECORDS)), f"seed {seed}"
    sessions.use(None)
