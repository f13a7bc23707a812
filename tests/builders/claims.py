"""A Runner's core under test: it stands where rule C1 is fulfilled, unless told otherwise."""

from datetime import UTC, datetime, timedelta
from typing import TypeVar

from kirby.core.claims import step as claims
from kirby.core.claims.effects import (
    AnyEffect,
    AskList,
    Effect,
    PostClaim,
    PostHeartbeat,
)
from kirby.core.claims.events import (
    AnyEvent,
    Arming,
    ArmTold,
    AttemptDone,
    Began,
    ClaimRead,
    EnvironmentState,
    EnvironmentTold,
    HeartbeatAcknowledged,
    HelloAnswered,
    OfferRead,
    ShimListed,
    ShimReached,
    Ticked,
    TicketAcknowledged,
    TopicsReadUp,
)
from kirby.core.claims.step import Claims, Identity
from kirby.core.moment import Moment
from kirby.core.names import (
    AttemptId,
    Epoch,
    FencingToken,
    Host,
    Incarnation,
    RunId,
    StateFolderId,
    context_of,
)
from kirby.core.nouns import LeaderReason, RunPlan
from kirby.core.records import Claim, Heartbeat, Held, LeaderClaim, Offer, Phase

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BOOT = 1000.0  # BOOTTIME at noon
ALPHA, BETA, GAMMA = Host("alpha"), Host("beta"), Host("gamma")
PACKAGE = "pump==1.0"
E = TypeVar("E", bound=Effect)


def attempt(run: str = "pump/prod@12:00", number: int = 1) -> AttemptId:
    return AttemptId(run=run, attempt=number)


def an_offer(
    run: str = "pump/prod@12:00",
    *,
    number: int = 1,
    hosts: tuple[Host, ...] = (ALPHA, BETA, GAMMA),
    due: float = 2.0,
    window: float = 60.0,
    package: str = PACKAGE,
) -> Offer:
    """Offer an attempt that is due so many seconds after noon."""
    instant = NOON + timedelta(seconds=due)
    return Offer(
        run=RunId(run),
        attempt=number,
        context=context_of(run),
        epoch=Epoch(1),
        token=FencingToken(1),
        due=instant,
        not_before=instant,
        deadline=instant + timedelta(seconds=window),
        hosts=hosts,
        plan=RunPlan(context=context_of(run), package=package),
    )


def a_claim(
    run: str = "pump/prod@12:00", *, number: int = 1, by: Host = BETA, life: int = 900
) -> Claim:
    return Claim(
        run=RunId(run),
        attempt=number,
        host=by,
        incarnation=Incarnation(life),
        state_folder=StateFolderId(f"folder-of-{by}"),
    )


def a_leader_claim(
    run: str = "pump/prod@12:00", reason: LeaderReason = LeaderReason.SUSPENDED, number: int = 1
) -> LeaderClaim:
    return LeaderClaim(run=RunId(run), attempt=number, epoch=Epoch(1), reason=reason)


def a_heartbeat(host: Host, **changes: object) -> Heartbeat:
    fields: dict[str, object] = {
        "host": host,
        "incarnation": Incarnation(900),
        "state_folder": StateFolderId(f"folder-of-{host}"),
        "sent": NOON,
        "started": NOON,
        "version": "0.1.0",
        "slots": 4,
        "free_slots": 4,
    }
    return Heartbeat(**{**fields, **changes})  # type: ignore[arg-type]


def held(run: str = "pump/prod@12:00", phase: Phase = Phase.RUNNING, number: int = 1) -> Held:
    return Held(run=run, attempt=number, phase=phase)


class RunnerUnderTest:
    """Steps the core, keeps the time, and answers what calm surroundings would."""

    def __init__(self, *, host: Host = ALPHA, slots: int = 2, life: int = 500) -> None:
        self.state: Claims = claims.first_state(
            Identity(
                host=host,
                state_folder=StateFolderId(f"folder-of-{host}"),
                slots=slots,
                started=NOON,
                version="0.1.0",
            )
        )
        self.life = Incarnation(life)
        self.seconds = 0.0  # since noon
        self.clock_ahead = 0.0  # of this host's wall clock
        self.in_shim: tuple[Held, ...] = ()

    @property
    def now(self) -> Moment:
        wall = NOON + timedelta(seconds=self.seconds + self.clock_ahead)
        return Moment(wall=wall, boot=BOOT + self.seconds)

    def told(self, event: AnyEvent) -> list[AnyEffect]:
        """Step the core; return what it wants done."""
        self.state, effects = claims.step(self.state, event, self.now)
        return effects

    def at(self, seconds: float) -> list[AnyEffect]:
        """Let time pass, with a heartbeat answered whenever one is due; return all effects."""
        effects: list[AnyEffect] = []
        while (wake := claims.next_wake(self.state, self.now)) is not None:
            if wake - BOOT > seconds:
                break
            self.seconds = max(self.seconds, wake - BOOT)
            effects += self.answered(self.told(Ticked()))
        self.seconds = seconds
        return effects + self.answered(self.told(Ticked()))

    def answered(self, effects: list[AnyEffect]) -> list[AnyEffect]:
        """Answer what asks for the shim's list or writes a heartbeat; return all effects."""
        everything = list(effects)
        for effect in effects:
            match effect:
                case AskList():
                    listed = ShimListed(number=effect.number, held=self.in_shim)
                    everything += self.answered(self.told(listed))
                case PostHeartbeat():
                    everything += self.told(
                        HeartbeatAcknowledged(
                            number=effect.number,
                            appended=NOON + timedelta(seconds=self.seconds),
                            acknowledged_boot=self.now.boot,
                        )
                    )
        return everything

    def reads(self, record: Offer | Claim | LeaderClaim) -> list[AnyEffect]:
        """Read a record from the log."""
        if isinstance(record, Offer):
            return self.told(OfferRead(offer=record))
        return self.told(ClaimRead(claim=record))

    def own_claim(self, run: str = "pump/prod@12:00", number: int = 1) -> Claim:
        return a_claim(run, number=number, by=self.state.me.host, life=self.life)

    def wins(self, run: str = "pump/prod@12:00") -> list[AnyEffect]:
        """Read an offer and this Runner's claim of it."""
        self.reads(an_offer(run))
        return self.reads(self.own_claim(run))

    def holds(self, run: str = "pump/prod@12:00", phase: Phase = Phase.RUNNING) -> list[AnyEffect]:
        """Win an attempt that the shim then takes."""
        self.wins(run)
        self.in_shim = (*self.in_shim, held(run, phase))
        return self.told(ArmTold(attempt=attempt(run), outcome=Arming.HELD, phase=phase))

    def ends(self, run: str = "pump/prod@12:00") -> list[AnyEffect]:
        """See an attempt end in the shim."""
        self.in_shim = tuple(each for each in self.in_shim if each.run != run)
        return self.answered(self.told(AttemptDone(attempt=attempt(run))))

    def begins(self) -> list[AnyEffect]:
        """Fulfil rule C1."""
        effects = self.told(Began())
        effects += self.told(TicketAcknowledged(incarnation=self.life, appended=NOON))
        effects += self.told(ShimReached())
        effects += self.answered(self.told(HelloAnswered()))
        return effects + self.told(TopicsReadUp())


def a_runner(
    *,
    host: Host = ALPHA,
    slots: int = 2,
    ready: tuple[str, ...] = (PACKAGE,),
    begun: bool = True,
    life: int = 500,
) -> RunnerUnderTest:
    """Return a Runner with these environments ready, which may claim unless it has not `begun`."""
    runner = RunnerUnderTest(host=host, slots=slots, life=life)
    for package in ready:
        runner.told(EnvironmentTold(package=package, state=EnvironmentState.READY))
    if begun:
        runner.begins()
    return runner


def only(kind: type[E], effects: list[AnyEffect]) -> list[E]:
    """Return the effects of one kind."""
    return [effect for effect in effects if isinstance(effect, kind)]


def claimed_runs(effects: list[AnyEffect]) -> list[str]:
    """Return which runs were claimed."""
    return [effect.claim.run for effect in only(PostClaim, effects)]
