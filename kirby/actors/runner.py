"""The Runner of a host: claims offers, has what it won armed, and tells that the host lives.

Decides nothing: see `core.claims.step`. It holds a Kafka client, so it creates no actor.
"""

from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from thespian.actors import ActorExitRequest

from kirby.actors.base import KirbyActor
from kirby.actors.runner_log import RunnerLog
from kirby.actors.runner_watchdogs import RunnerWatchdogs
from kirby.actors.shim_link import Outcome, ReachShim, ShimLink
from kirby.actors.ticking import Tick, Ticking
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
    AttemptDone,
    BarAnswered,
    Began,
    DaemonsStood,
    HelloAnswered,
    InstancesTold,
    InstanceTold,
    ShimListed,
    ShimLost,
    ShimReached,
    Superseded,
    Ticked,
)
from kirby.core.claims.obstacles import obstacles
from kirby.core.claims.step import Claims, Identity
from kirby.core.messages import (
    ArmAnswered,
    AttemptEnded,
    Begin,
    DaemonsStand,
    EnvironmentIs,
    IncarnationIs,
    InstanceIs,
    InstancesAre,
    Several,
    WatchdogIs,
)
from kirby.core.moment import Moment
from kirby.core.names import AttemptId, Incarnation
from kirby.core.nouns import LeaderReason
from kirby.core.records import Held, Phase
from kirby.core.shipping.run_folder import FINAL_STEPS
from kirby.host import shim_messages as shim
from kirby.host.shim_messages import ShimEvent, ShimPhase
from kirby.host.state import StateFolder
from kirby.kafka.client import Kafka
from kirby.kafka.settings import settings_of

NANOSECONDS = 1_000_000_000
OTHER_LOG = (
    "Kafka's topic of hosts is not the one that this host knew: its data was lost, or the host was "
    "pointed to another Kafka. The host begins anew in this one; what runs here goes on"
)
LOG_GONE = (
    "Kafka's topic of hosts is not the one that was read so far: its data was lost, or it was made "
    "anew. The Runner begins anew in this one; what runs here goes on"
)
_STOP_REASONS = {LeaderReason.STOPPED: "asked", LeaderReason.REPLACED: "replaced"}


class Runner(KirbyActor):
    """Claims offers for this host. Decides nothing: see `core.claims.step`."""

    role = "runner"

    claims: Claims

    def begin(self, begin: Begin, sender: Any) -> None:
        """Open the lines to Kafka and to the shim, and write the ticket."""
        configuration = begin.configuration
        self._supervisor = sender
        self._ticking = Ticking(self)
        self.claims = claims.first_state(
            Identity(
                host=configuration.name,
                state_folder=begin.state_folder,
                slots=configuration.slots,
                started=begin.started,
                version=version("kirby"),
                address=configuration.address,
            )
        )
        self._life: Incarnation | None = None  # the shim's number of this life
        self._watchdogs = RunnerWatchdogs(self, sender)
        self._log = RunnerLog(self, Kafka(settings=settings_of(configuration, self.role)))
        self._shim = ShimLink(self, self, StateFolder(path=Path(configuration.state)).shim)
        self.step(Began())
        self._shim.reach()

    def on(self, message: Any, sender: Any) -> None:
        """Take what Watchdogs, Arbiter and Supervisor tell."""
        match message:
            case WatchdogIs():
                self._watchdogs.is_at(message)
            case Several(messages=messages):
                told = (each for each in messages if isinstance(each, ArmAnswered | EnvironmentIs))
                self.step(*(self._watchdogs.event(each) for each in told))
            case ArmAnswered() | EnvironmentIs():
                self.step(self._watchdogs.event(message))
            case AttemptEnded(attempt=attempt):
                self.step(AttemptDone(attempt=attempt))
            case InstanceIs(instance=instance, gone=gone):
                self.step(InstanceTold(instance=instance, gone=gone))
            case DaemonsStand(read=read, here=here):
                self.step(DaemonsStood(read=read, here=here))
            case InstancesAre(instances=instances):
                self.step(InstancesTold(instances=instances))
            case _:
                pass  # of the actor library, or for others

    def woke(self, purpose: Any) -> None:
        """Go on with what waited."""
        match purpose:
            case Tick():
                self._ticking.rung(purpose)
                self.step(Ticked())
            case ReachShim():
                self._shim.wake(purpose)
            case _:
                self._log.woke(purpose)

    def ending(self) -> None:
        """Let go of Kafka and of the shim."""
        self._log.close()
        self._shim.close()

    def facts(self) -> dict[str, Any]:
        """Return how the Runner stands."""
        state = self.claims
        return {
            "incarnation": state.incarnation,
            "shim": state.shim.value,
            "read_up": state.read_up,
            "may_claim": state.may_claim(self.clock.boot()),
            "slots": state.holding.slots,
            "free_slots": max(0, state.holding.free),
            "waiting": len(state.waiting.waits),
            "won": len(state.holding.answered_for),
            "clock_offset_ms": round(state.offset.seconds * 1000, 1),
            "environments": len(state.readiness.ready),
            "obstacles": obstacles(state, self.clock.boot()),
        }

    # -- the seam

    def step(self, *events: AnyEvent) -> None:
        """Step the core with each event and do what it wants."""
        for event in events:
            self.claims, effects = claims.step(self.claims, event, self._now())
            for effect in effects:
                self._try(effect)
        self._watchdogs.send()
        self._ticking.see_to(claims.next_wake(self.claims, self._now()))

    def _try(self, effect: AnyEffect) -> None:
        """Perform one effect; should it fail, the others are no less wanted."""
        try:
            self._perform(effect)
        except Exception as fault:
            self.failed(effect, fault)

    def _now(self) -> Moment:
        return Moment(wall=self.clock.now(), boot=self.clock.boot())

    def _perform(self, effect: AnyEffect) -> None:
        match effect:
            case PostTicket() | PostHeartbeat() | PostClaim() | PostNotStarted() | ReadTopics():
                self._log.perform(effect)
            case Arm() | BuildAhead():
                self._watchdogs.perform(effect, self._life)
            case TellIncarnation() if self._life is not None:
                own = IncarnationIs(incarnation=self._life, runner=self.myAddress)
                self.send(self._supervisor, own)
            case EndNow(sentence=sentence):
                self.log.warning("ends: %s", sentence)
                self.send(self.myAddress, ActorExitRequest())
            case _:
                self._ask_shim(effect)

    def log_gone(self) -> None:
        """End: incarnations are offsets of a log that is no more; another Runner is made."""
        self.log.warning("%s", LOG_GONE)
        self.send(self.myAddress, ActorExitRequest())

    # -- the shim

    def shim_reached(self) -> None:
        """Say hello to whichever shim this is."""
        self.step(ShimReached())

    def shim_lost(self) -> None:
        """Claim nothing until it is back."""
        self.step(ShimLost())

    def shim_event(self, event: ShimEvent) -> None:
        """Learn of ends at once, without waiting for a Watchdog."""
        if event.step in FINAL_STEPS:
            self.step(AttemptDone(attempt=event.key))

    def _ask_shim(self, effect: AnyEffect) -> None:
        if isinstance(effect, SayHello):
            hello = shim.Hello(incarnation=effect.incarnation, log=self._log.name)
            self._shim.ask(hello, self._greeted)
            return
        incarnation = self._life
        assert incarnation is not None  # nothing of this is wanted before
        match effect:
            case AskList(number=number):
                self._shim.ask(shim.List(), partial(self._listed, number))
            case RenewLease(ends_boot=ends):
                ends_ns = round(ends * NANOSECONDS)
                renewal = shim.Renew(incarnation=incarnation, lease_ends_boot_ns=ends_ns)
                self._shim.ask(renewal, self._heed)
            case Bar(attempt=attempt, sentence=sentence):
                bar = shim.Bar(
                    incarnation=incarnation,
                    run=attempt.run,
                    attempt=attempt.attempt,
                    sentence=sentence,
                )
                self._shim.ask(bar, partial(self._barred, attempt))
            case Stop(attempt=attempt, reason=reason, sentence=sentence):
                stop = shim.Stop(
                    incarnation=incarnation,
                    run=attempt.run,
                    attempt=attempt.attempt,
                    reason=_STOP_REASONS[reason],
                    sentence=sentence,
                )
                self._shim.ask(stop, self._heed)

    def _greeted(self, outcome: Outcome) -> None:
        if isinstance(outcome, shim.Greeting):
            self._life = outcome.newest
            if outcome.other_log:
                self.log.warning("%s", OTHER_LOG)
            self.step(HelloAnswered())
        else:
            self._heed(outcome)

    def _listed(self, number: int, outcome: Outcome) -> None:
        if isinstance(outcome, shim.Holdings):
            held = tuple(self._held(each) for each in outcome.attempts)
            self.step(ShimListed(number=number, held=held))
            self._watchdogs.guard(each for each in outcome.attempts if each.lives)
        else:
            self._heed(outcome)

    def _held(self, listed: shim.Listed) -> Held:
        return Held(
            run=listed.run,
            attempt=listed.attempt,
            phase=listed.phase,
            since=self._wall_of(listed.since_ns),
        )

    def _wall_of(self, boot_ns: int) -> datetime:
        now = self._now()
        return now.wall - timedelta(seconds=now.boot - boot_ns / NANOSECONDS)

    def _barred(self, attempt: AttemptId, outcome: Outcome) -> None:
        if isinstance(outcome, shim.Standing):
            barred = outcome.phase is ShimPhase.BARRED
            phase = None if barred else Phase(outcome.phase.value)
            self.step(BarAnswered(attempt=attempt, phase=phase))
        else:
            self._heed(outcome)

    def _heed(self, outcome: Outcome) -> None:
        """Look into an answer only for whether this Runner is superseded (rule L5)."""
        if isinstance(outcome, shim.NotDone):
            if outcome.refusal is shim.Refusal.SUPERSEDED:
                self.step(Superseded())
            else:
                self.log.warning("the shim refused: %s", outcome)
