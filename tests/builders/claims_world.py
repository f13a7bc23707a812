"""A small world of Runners, shims and one log, with a fake clock and seeded faults.

Runners are the real core. The log keeps what it took, in one order for all; everything else may be
late, lost or answered twice, and Runners die and come back.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from kirby.core.claims import step as claims
from kirby.core.claims.effects import (
    AnyEffect,
    Arm,
    AskList,
    Bar,
    BuildAhead,
    EndNow,
    PostClaim,
    PostHeartbeat,
    PostNotStarted,
    PostTicket,
    ReadTopics,
    RenewLease,
    SayHello,
    Stop,
    TellIncarnation,
)
from kirby.core.claims.events import (
    AnyEvent,
    Arming,
    ArmTold,
    AttemptDone,
    BarAnswered,
    Began,
    ClaimAcknowledged,
    ClaimFailed,
    ClaimRead,
    EnvironmentState,
    EnvironmentTold,
    HeartbeatAcknowledged,
    HeartbeatFailed,
    HelloAnswered,
    NotStartedAcknowledged,
    NotStartedFailed,
    OfferRead,
    ShimListed,
    ShimLost,
    ShimReached,
    Superseded,
    Ticked,
    TicketAcknowledged,
    TopicsReadUp,
)
from kirby.core.claims.step import Identity
from kirby.core.claims.waiting import attempt_of
from kirby.core.moment import Moment
from kirby.core.names import AttemptId, Host, Incarnation, StateFolderId
from kirby.core.records import Claim, Held, LeaderClaim, NotStarted, Offer, Phase
from tests.builders.claims import BOOT, NOON

Record = Offer | Claim | LeaderClaim


@dataclass(kw_only=True)
class Faults:
    """How bad the weather is."""

    lost: float = 0.0  # share of answers that never come
    late: float = 0.01  # mean seconds that anything takes
    deaths: float = 0.0  # mean deaths of each Runner in a minute
    freezes: float = 0.0  # mean freezes of each Runner in a minute

    until: float = 60.0  # after that the weather is calm


@dataclass(kw_only=True)
class Shim:
    """What a shim does by the rules: takes each attempt once, bars, refuses the superseded."""

    world: "World"
    host: "HostInWorld"
    newest: int = -1
    phases: dict[AttemptId, Phase] = field(default_factory=dict)
    barred: set[AttemptId] = field(default_factory=set)

    def arm(self, offer: Offer, incarnation: int) -> tuple[Arming, Phase, str]:
        attempt = attempt_of(offer)
        if incarnation < self.newest:
            return Arming.REFUSED, Phase.ARMED, "superseded"
        if attempt in self.barred:
            return Arming.REFUSED, Phase.ARMED, "barred"
        if attempt in self.phases:
            return Arming.HELD, self.phases[attempt], ""
        if self.world.broker_seconds > (offer.deadline - NOON).total_seconds():
            return Arming.REFUSED, Phase.ARMED, "deadline"
        self.phases[attempt] = Phase.ARMED
        due = (offer.not_before - NOON).total_seconds()
        self.world.after(max(0.0, due - self.world.seconds), lambda: self.release(attempt))
        return Arming.HELD, Phase.ARMED, ""

    def release(self, attempt: AttemptId) -> None:
        if self.phases.get(attempt) is not Phase.ARMED:
            return
        self.phases[attempt] = Phase.RUNNING
        self.world.started.append((attempt, self.host.name))
        self.world.after(self.world.rng.expovariate(1.0), lambda: self.end(attempt))

    def end(self, attempt: AttemptId) -> None:
        self.phases[attempt] = Phase.ENDED
        self.host.tell_soon(AttemptDone(attempt=attempt))

    def bar(self, attempt: AttemptId) -> Phase | None:
        phase = self.phases.get(attempt)
        if phase in (None, Phase.ARMED):
            self.phases.pop(attempt, None)
            self.barred.add(attempt)
            return None
        return phase

    def listed(self) -> tuple[Held, ...]:
        return tuple(
            Held(run=each.run, attempt=each.attempt, phase=phase)
            for each, phase in self.phases.items()
        )


class HostInWorld:
    """One host: a Runner that may die, and a shim that does not."""

    def __init__(self, world: "World", name: Host, slots: int) -> None:
        self.world = world
        self.name = name
        self.slots = slots
        self.shim = Shim(world=world, host=self)
        self.life = 0
        self.frozen_until = 0.0
        self.begin()

    def begin(self) -> None:
        self.life += 1
        self.read = 0  # records of the log that this life has read
        self.read_up_at: int | None = None
        self.reading = False
        self.is_waiting = False
        me = Identity(
            host=self.name,
            state_folder=StateFolderId(self.name),
            slots=self.slots,
            started=NOON,
            version="0.1.0",
        )
        self.state = claims.first_state(me)
        self.tell(Began())
        self.tell_soon(ShimReached())

    def die(self) -> None:
        self.life += 1  # whatever was on its way finds nobody
        self.reading = False
        self.world.after(self.world.rng.uniform(0.1, 5.0), self.begin)

    def tell(self, event: AnyEvent) -> None:
        self.state, effects = claims.step(self.state, event, self.world.now)
        for effect in effects:
            self.perform(effect)
        self.wake()

    def tell_soon(self, event: AnyEvent, *, may_be_lost: bool = False) -> None:
        if may_be_lost and self.world.is_unlucky():
            return
        self.at_this_life(lambda: self.tell(event))

    def at_this_life(self, act: Callable[[], None]) -> None:
        life = self.life
        self.world.after(self.world.delay(self), lambda: act() if life == self.life else None)

    def wake(self) -> None:
        at = claims.next_wake(self.state, self.world.now)
        if at is None:
            return
        life, wait = self.life, max(0.001, at - self.world.now.boot)
        state = self.state

        def ring() -> None:
            if life == self.life and self.state is state:
                self.tell(Ticked())

        self.world.after(max(wait, self.frozen_until - self.world.seconds), ring)

    def read_on(self) -> None:
        """Read one record after the other, each in its own time."""
        if not self.reading:
            return
        if self.read == self.read_up_at:
            self.read_up_at = None
            self.tell(TopicsReadUp())
        if self.read == len(self.world.log):
            self.is_waiting = True
            return
        record = self.world.log[self.read]
        self.read += 1
        if isinstance(record, Offer):
            self.tell(OfferRead(offer=record))
        else:
            self.tell(ClaimRead(claim=record))
        self.at_this_life(self.read_on)

    def appended(self) -> None:
        """Something new stands in the log."""
        if self.is_waiting:
            self.is_waiting = False
            self.at_this_life(self.read_on)

    def perform(self, effect: AnyEffect) -> None:
        match effect:
            case PostTicket():
                self.at_this_life(self._ticket)
            case SayHello(incarnation=incarnation):
                self.world.after(self.world.delay(self), lambda: self._hello(incarnation))
            case ReadTopics():
                self.read_up_at, self.reading = len(self.world.log), True
                self.at_this_life(self.read_on)
            case EndNow():
                self.die()
            case BuildAhead(package=package):
                self.tell_soon(EnvironmentTold(package=package, state=EnvironmentState.READY))
            case PostHeartbeat() | PostClaim() | PostNotStarted():
                self._post(effect)
            case AskList() | Arm() | Bar() | Stop():
                self._ask_shim(effect)
            case RenewLease() | TellIncarnation():
                pass

    def _post(self, effect: PostHeartbeat | PostClaim | PostNotStarted) -> None:
        match effect:
            case PostHeartbeat(number=number):
                self._post_heartbeat(number)
            case PostClaim(claim=claim):
                self._post_claim(claim)
            case PostNotStarted(report=report):
                self._report(report)

    def _ask_shim(self, effect: AskList | Arm | Bar | Stop) -> None:
        match effect:
            case AskList(number=number):
                self.at_this_life(
                    lambda: self.tell_soon(
                        ShimListed(number=number, held=self.shim.listed()), may_be_lost=True
                    )
                )
            case Arm(offer=offer):
                armed_by = self.state.incarnation
                assert armed_by is not None
                self.world.after(self.world.delay(self), lambda: self._arm(offer, armed_by))
            case Bar(attempt=attempt):
                self.at_this_life(
                    lambda: self.tell_soon(
                        BarAnswered(attempt=attempt, phase=self.shim.bar(attempt)),
                        may_be_lost=True,
                    )
                )
            case Stop(attempt=attempt):
                self.at_this_life(lambda: self.shim.end(attempt))

    def _ticket(self) -> None:
        self.world.tickets += 1
        ticket = Incarnation(self.world.tickets)
        self.tell(TicketAcknowledged(incarnation=ticket, appended=self.world.now.wall))

    def _hello(self, incarnation: int) -> None:
        if incarnation < self.shim.newest:
            if self.state.incarnation == incarnation:
                self.tell_soon(Superseded())
            return
        self.shim.newest = incarnation
        if self.world.is_unlucky():
            self.tell_soon(ShimLost())
            self.tell_soon(ShimReached())
        elif self.state.incarnation == incarnation:
            self.tell_soon(HelloAnswered())

    def _post_heartbeat(self, number: int) -> None:
        if self.world.is_unlucky():
            self.tell_soon(HeartbeatFailed(number=number))
            return
        now = self.world.now
        self.tell_soon(
            HeartbeatAcknowledged(number=number, appended=now.wall, acknowledged_boot=now.boot)
        )

    def _post_claim(self, claim: Claim) -> None:
        attempt = AttemptId(run=claim.run, attempt=claim.attempt)
        stands, is_told = not self.world.is_unlucky(), not self.world.is_unlucky()
        if stands:  # though the Runner may die before it hears of it
            self.world.after(self.world.delay(self), lambda: self.world.append(claim))
        if stands and is_told:
            self.tell_soon(ClaimAcknowledged(attempt=attempt))
        else:
            self.tell_soon(ClaimFailed(attempt=attempt))

    def _arm(self, offer: Offer, incarnation: int) -> None:
        outcome, phase, code = self.shim.arm(offer, incarnation)
        if self.state.incarnation == incarnation:
            told = ArmTold(attempt=attempt_of(offer), outcome=outcome, phase=phase, code=code)
            self.tell_soon(told, may_be_lost=True)

    def _report(self, report: NotStarted) -> None:
        attempt = AttemptId(run=report.run, attempt=report.attempt)
        if self.world.is_unlucky():
            self.tell_soon(NotStartedFailed(attempt=attempt))
            return
        self.world.reports.append((attempt, self.name))
        self.tell_soon(NotStartedAcknowledged(attempt=attempt))


class World:
    """Time, chance, the log, and what came of it all."""

    def __init__(self, seed: int, *, faults: Faults, hosts: int = 3, slots: int = 3) -> None:
        self.rng = random.Random(seed)
        self.faults = faults
        self.seconds = 0.0
        self.queue: list[tuple[float, int, Callable[[], None]]] = []
        self.count = 0
        self.tickets = 0
        self.log: list[Record] = []
        self.started: list[tuple[AttemptId, Host]] = []
        self.reports: list[tuple[AttemptId, Host]] = []
        names = [Host(name) for name in ("alpha", "beta", "gamma", "delta")[:hosts]]
        self.hosts = [HostInWorld(self, name, slots) for name in names]
        for host in self.hosts:
            self._plan_faults(host)

    @property
    def now(self) -> Moment:
        return Moment(wall=NOON + timedelta(seconds=self.seconds), boot=BOOT + self.seconds)

    @property
    def broker_seconds(self) -> float:
        return self.seconds

    @property
    def is_calm(self) -> bool:
        return self.seconds >= self.faults.until

    def is_unlucky(self) -> bool:
        return not self.is_calm and self.rng.random() < self.faults.lost

    def delay(self, host: HostInWorld) -> float:
        frozen = max(0.0, host.frozen_until - self.seconds)
        mean = 0.002 if self.is_calm else self.faults.late
        return frozen + self.rng.expovariate(1.0 / mean)

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        self.count += 1
        heapq.heappush(self.queue, (self.seconds + seconds, self.count, act))

    def run(self, until: float) -> None:
        while self.queue and self.queue[0][0] <= until:
            self.seconds, _, act = heapq.heappop(self.queue)
            act()
        self.seconds = until

    def offer(self, at: float, offer: Offer) -> None:
        self.after(at, lambda: self.append(offer))

    def append(self, record: Record) -> None:
        self.log.append(record)
        for host in self.hosts:
            host.appended()

    def first_claim(self, attempt: AttemptId) -> Claim | LeaderClaim | None:
        for record in self.log:
            same = (record.run, record.attempt) == (attempt.run, attempt.attempt)
            if not isinstance(record, Offer) and same:
                return record
        return None

    def _plan_faults(self, host: HostInWorld) -> None:
        for rate, act in (
            (self.faults.deaths, host.die),
            (self.faults.freezes, self._freeze(host)),
        ):
            at = self.rng.expovariate(rate / 60.0) if rate else self.faults.until
            while at < self.faults.until:
                self.after(at, act)
                at += self.rng.expovariate(rate / 60.0)

    def _freeze(self, host: HostInWorld) -> Callable[[], None]:
        def freeze() -> None:
            host.frozen_until = self.seconds + self.rng.uniform(0.5, 10.0)

        return freeze
