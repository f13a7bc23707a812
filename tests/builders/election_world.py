"""Five hosts, a lossy network and a small Kafka, on a clock of their own.

Everything random comes from one seed; a `Script` says what befalls the hosts.
"""

import heapq
import itertools
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from kirby.core.election import step as core
from kirby.core.election.state import (
    Election,
    Event,
    LeadLost,
    PeersKnown,
    Pulse,
    PulseHeard,
    SchedulerGone,
    SchedulerSaid,
    SendPulse,
    Stance,
    Stand,
    StandDown,
    Ticked,
)
from kirby.core.messages import LeadFailure, LeadState
from kirby.core.names import Epoch, Host
from tests.builders.election_script import Script

HOSTS = tuple(Host(name) for name in ("alpha", "beta", "gamma", "delta", "epsilon"))
BEAT_EVERY_S = 0.3
GATE_S = 1.0
SCHEDULER_TICK_S = 0.25
COMMIT_LIMIT_S = 3.0
READ_UP_S = 0.3


@dataclass
class Kafka:
    """The leadership topic: epochs and beats; and who may not reach it."""

    epoch: int = 0
    holder: Host | None = None
    last_beat: float = -10.0
    history: list[tuple[float, int, Host]] = field(default_factory=list)  # first commits
    commits: list[tuple[float, int, Host]] = field(default_factory=list)
    unreachable: set[Host] = field(default_factory=set)

    def init_transactions(self, host: Host) -> int:
        self.epoch, self.holder = self.epoch + 1, host
        return self.epoch

    def commit(self, host: Host, epoch: int, now: float) -> bool:
        """Return whether it was accepted; a lower epoch is fenced."""
        if epoch != self.epoch:
            return False
        if not self.history or self.history[-1][1] != epoch:
            self.history.append((now, epoch, host))
        self.commits.append((now, epoch, host))
        self.last_beat = now
        return True


class Scheduler:
    """Stands by, tries the gate, leads: as little of it as the election sees."""

    def __init__(self, node: "Node") -> None:
        self.node = node
        self.state = LeadState.STANDING_BY
        self.confirmed = -10.0
        self.reading_since: float | None = None
        self.ticked: float | None = None
        self.epoch: int | None = None
        self.until = 0.0  # when init_transactions or the read-up is done
        self.began = 0.0
        self.stuck_since: float | None = None
        self.read_ups = 0
        self.reported: tuple[LeadState, float] | None = None

    def tick(self, now: float) -> None:
        kafka = self.node.world.kafka
        reachable = self.node.name not in kafka.unreachable
        late = self.ticked is None or now - self.ticked > SCHEDULER_TICK_S + 0.5
        self.ticked = now
        if not reachable or late:
            self.reading_since = None
        elif self.reading_since is None:
            self.reading_since = now
        if reachable and self.state in (LeadState.STANDING_BY, LeadState.TRYING):
            self.confirmed = now
        if self.state is LeadState.TRYING and now >= self.until:
            self._came_through(now, reachable)
        elif self.epoch is not None:
            self._beat(now, reachable)
        self._report(now)

    def _came_through(self, now: float, reachable: bool) -> None:
        kafka = self.node.world.kafka
        if not reachable:
            if now - self.began >= COMMIT_LIMIT_S:
                self._stand_down(LeadFailure.FAILED)
            return
        self.epoch = kafka.init_transactions(self.node.name)
        self.state, self.until, self.stuck_since = LeadState.READING_UP, now + READ_UP_S, None
        self._beat(now, reachable)

    def _beat(self, now: float, reachable: bool) -> None:
        assert self.epoch is not None
        if not reachable:
            self.stuck_since = self.stuck_since or now
            if now - self.stuck_since >= COMMIT_LIMIT_S:
                self._stand_down(LeadFailure.FAILED)
            return
        self.stuck_since = None
        if not self.node.world.kafka.commit(self.node.name, self.epoch, now):
            self._stand_down(LeadFailure.FENCED)
            return
        self.confirmed = now
        if self.state is LeadState.READING_UP and now >= self.until:
            self.state, self.read_ups = LeadState.LEADING, self.read_ups + 1

    def stand(self, now: float) -> None:
        if self.state is not LeadState.STANDING_BY:
            return
        kafka = self.node.world.kafka
        read_for = now - self.reading_since if self.reading_since is not None else 0.0
        if read_for < GATE_S or now - kafka.last_beat < GATE_S:
            self.node.hears(LeadLost(failure=LeadFailure.GATE))
            return
        self.state, self.began = LeadState.TRYING, now
        self.until = now + self.node.world.chance.uniform(0.5, 1.0)

    def stand_by(self) -> None:
        self.state, self.epoch = LeadState.STANDING_BY, None

    def _stand_down(self, failure: LeadFailure) -> None:
        self.stand_by()
        self.node.hears(LeadLost(failure=failure))

    def _report(self, now: float) -> None:
        if self.reported and self.reported[0] is self.state and now - self.reported[1] < 0.5:
            return
        self.reported = (self.state, now)
        silent = None
        if self.reading_since is not None and self.epoch is None:
            silent = min(now - self.reading_since, now - self.node.world.kafka.last_beat)
        self.node.hears(
            SchedulerSaid(
                state=self.state,
                confirmed=self.node.boot(self.confirmed),
                clock_offset_s=self.node.clock_off,
                silent_s=silent,
                epoch=Epoch(self.epoch) if self.epoch is not None else None,
                read_up_completed=self.read_ups,
            )
        )


class Node:
    """One host: a Supervisor's election and a Scheduler, with a boot clock of its own."""

    def __init__(self, world: "World", name: Host, priority: int) -> None:
        self.world, self.name, self.priority = world, name, priority
        self.boot_offset = world.chance.uniform(10, 100_000)
        self.clock_off = 0.0
        self.life = 0
        self.alive = False
        self.paused_until = 0.0
        self.scheduler_frozen_until = 0.0
        self.queued: list[Event] = []
        self.scheduler = Scheduler(self)
        self.election = self._fresh()

    def boot(self, now: float) -> float:
        return now + self.boot_offset

    def _fresh(self) -> Election:
        return Election(
            me=self.name,
            life=self.life,
            priority=self.priority,
            listening_since=self.boot(self.world.now),
        )

    def start(self) -> None:
        self.alive, self.life = True, self.life + 1
        self.scheduler, self.queued = Scheduler(self), []
        self.election = self._fresh()
        self.hears(PeersKnown(hosts=frozenset(HOSTS)))

    def hears(self, event: Event) -> None:
        if not self.alive:
            return
        if self.world.now < self.paused_until:
            self.queued.append(event)
            return
        self.election, effects = core.step(self.election, event, self.boot(self.world.now))
        for effect in effects:
            match effect:
                case SendPulse(to=to, pulse=pulse):
                    self.world.send(self.name, to, pulse)
                case Stand():
                    self.world.after(0.002, lambda: self._tell(Scheduler.stand))
                case StandDown():
                    self.world.after(0.002, lambda: self._tell(lambda s, _: s.stand_by()))

    def _tell(self, order: Callable[[Scheduler, float], None]) -> None:
        if self.alive and self.world.now >= max(self.paused_until, self.scheduler_frozen_until):
            order(self.scheduler, self.world.now)

    def tick(self) -> None:
        if self.alive and self.world.now >= self.paused_until:
            queued, self.queued = self.queued, []
            for event in queued:
                self.hears(event)
            self.hears(Ticked())
        self.world.after(core.STEP_AT_MOST_S, self.tick)

    def tick_scheduler(self) -> None:
        still = max(self.paused_until, self.scheduler_frozen_until)
        if self.alive and self.world.now >= still:
            self.scheduler.tick(self.world.now)
        self.world.after(SCHEDULER_TICK_S, self.tick_scheduler)


class World:
    """All hosts, what is between them, and time."""

    def __init__(
        self, seed: int, script: Script, *, hosts: Iterable[Host] = HOSTS, loss: float = 0.0
    ) -> None:
        self.seed, self.script = seed, script
        self.chance = random.Random(seed)
        self.now = 0.0
        self.loss = loss
        self.kafka = Kafka()
        self.cuts: set[tuple[Host, Host]] = set()
        self.agenda: list[tuple[float, int, Callable[[], None]]] = []
        self.order = itertools.count()
        self.nodes = {
            name: Node(self, name, priority=self.chance.choice((0, 0, 5))) for name in hosts
        }
        for node in self.nodes.values():
            self.after(self.chance.uniform(0, 0.3), node.start)
            self.after(self.chance.uniform(0.3, 0.5), node.tick)
            self.after(self.chance.uniform(0.3, 0.5), node.tick_scheduler)
        for when, what, args in script.lines:
            self.after(when, partial(getattr(self, what), *args))

    # -- time

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self.agenda, (self.now + seconds, next(self.order), action))

    def run_until(self, when: float) -> None:
        while self.agenda and self.agenda[0][0] <= when:
            self.now, _, action = heapq.heappop(self.agenda)
            action()
            self._check()
        self.now = when

    # -- the network

    def send(self, source: Host, target: Host, pulse: Pulse) -> None:
        if (source, target) in self.cuts or self.chance.random() < self.loss:
            return
        for _ in range(2 if self.chance.random() < self.loss else 1):
            late = self.loss and self.chance.random() < 0.05
            delay = self.chance.uniform(0.2, 3.0) if late else self.chance.uniform(0.001, 0.03)
            self.after(delay, lambda: self._deliver(target, pulse))

    def _deliver(self, target: Host, pulse: Pulse) -> None:
        if target in self.nodes:
            self.nodes[target].hears(PulseHeard(pulse=pulse))

    # -- the lines of a script

    def kill(self, host: Host) -> None:
        self.nodes[host].alive = False

    def start(self, host: Host) -> None:
        if not self.nodes[host].alive:
            self.nodes[host].start()

    def pause(self, host: Host, seconds: float) -> None:
        self.nodes[host].paused_until = self.now + seconds

    def freeze_scheduler(self, host: Host, seconds: float) -> None:
        self.nodes[host].scheduler_frozen_until = self.now + seconds

    def restart_scheduler(self, host: Host) -> None:
        node = self.nodes[host]
        node.scheduler = Scheduler(node)
        node.hears(SchedulerGone())

    def cut(self, source: Host, target: Host) -> None:
        self.cuts.add((source, target))

    def part(self, *hosts: Host) -> None:
        others = set(self.nodes) - set(hosts)
        self.cuts |= {pair for a in hosts for b in others for pair in ((a, b), (b, a))}

    def cut_kafka(self, host: Host) -> None:
        self.kafka.unreachable.add(host)

    def set_clock(self, host: Host, off_seconds: float) -> None:
        self.nodes[host].clock_off = off_seconds

    def heal(self) -> None:
        self.cuts.clear()
        self.kafka.unreachable.clear()
        for node in self.nodes.values():
            node.clock_off = 0.0
            node.paused_until = node.scheduler_frozen_until = self.now
            if not node.alive:
                node.start()

    # -- what is true

    def leaders(self) -> list[Host]:
        """Those whose Scheduler has the highest epoch and whose Supervisor says that it leads."""
        return [
            name
            for name, node in self.nodes.items()
            if node.alive
            and node.scheduler.epoch == self.kafka.epoch
            and node.election.stance is Stance.LEADING
        ]

    def first_commit_after(self, when: float, *, not_by: str = "") -> float | None:
        """Return how long after an instant someone (else) first committed."""
        times = (t for t, _, host in self.kafka.commits if t > when and host != not_by)
        return next((t - when for t in times), None)

    def epochs_since(self, when: float) -> list[tuple[float, int, Host]]:
        """Return the first commits of the epochs that began after an instant."""
        return [entry for entry in self.kafka.history if entry[0] > when]

    def _check(self) -> None:
        claims = [
            node.scheduler.epoch
            for node in self.nodes.values()
            if node.alive and node.scheduler.epoch is not None
        ]
        assert len(claims) == len(set(claims)), f"two leaders of one epoch at {self.now:.2f}"
