"""How a Watchdog keeps daemons running: steps `core.guarding.instance` for each context."""

import random
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from kirby.actors.base import KirbyActor
from kirby.actors.shim_link import Outcome, ShimLink
from kirby.actors.ticking import Tick, Ticking
from kirby.actors.watchdog_builds import WatchdogBuilds
from kirby.actors.watchdog_memory import WatchdogMemory
from kirby.actors.watchdog_orders import NANOSECONDS, Orders
from kirby.core.errors import Insecure
from kirby.core.guarding import instance as guarding
from kirby.core.guarding.fitting import Fitting
from kirby.core.guarding.instance import (
    ArmDaemon,
    Armed,
    ArmRefused,
    Daemon,
    Effect,
    Ended,
    EnvironmentStands,
    Event,
    Found,
    ShimGone,
    StopDaemon,
    Ticked,
    Unwanted,
    Up,
    Wanted,
    WantEnvironment,
)
from kirby.core.guarding.telling import instance_of
from kirby.core.messages import EnvironmentIs, InstanceIs, KeepRunning, LetGo
from kirby.core.moment import Moment
from kirby.core.names import AttemptId, ContextKey, Incarnation, context_of, is_instance
from kirby.core.records import Instance
from kirby.core.shipping.attempt_end import end_of
from kirby.core.shipping.run_folder import FINAL_STEPS, Meta
from kirby.host.shim_messages import (
    Arm,
    Holdings,
    List,
    Listed,
    NotDone,
    Refusal,
    ShimEvent,
    ShimPhase,
    Standing,
    Stop,
    Taken,
)


class WatchdogDaemons:
    """The daemons of one Watchdog."""

    def __init__(
        self,
        actor: KirbyActor,
        shim: ShimLink,
        orders: Orders,
        builds: WatchdogBuilds,
        memory: WatchdogMemory,
        chance: random.Random,
    ) -> None:
        self._actor = actor
        self._shim = shim
        self._orders = orders
        self._builds = builds
        self._memory = memory
        self._chance = chance
        self._ticking = Ticking(actor)
        self._daemons: dict[ContextKey, Daemon] = {}
        self._told: dict[ContextKey, Instance] = {}
        self._bytes: dict[ContextKey, int] = {}
        self._instances: dict[ContextKey, str] = {}  # instance ids, as the shim knows them
        self._incarnations: dict[ContextKey, Incarnation] = {}
        self.arbiter: Any = None

    # -- what is told

    def keep(self, keep: KeepRunning, arbiter: Any) -> None:
        """Keep a daemon running."""
        self.arbiter = arbiter
        context = keep.offer.context
        self._instances[context] = self._orders.instance(keep)
        self._incarnations[context] = keep.incarnation
        known = self._daemons.get(context)
        if known is not None and known.keep == keep:
            # Said again: the answer was lost, or the shim does not hold what is thought to live.
            self._shim.ask(List(), self._listed)
        self._step(context, Wanted(keep=keep))
        self._tell(context, is_answer=True)

    def let_go(self, word: LetGo, arbiter: Any) -> None:
        """Have a daemon run no longer."""
        self.arbiter = arbiter
        self._incarnations[word.context] = word.incarnation
        self._step(word.context, Unwanted(reason=word.reason))

    def environment(self, told: EnvironmentIs) -> None:
        """Learn how an environment stands."""
        for context, daemon in list(self._daemons.items()):
            if daemon.keep is not None and daemon.keep.offer.plan.package == told.package:
                self._step(context, _stands(told))

    def woke(self, tick: Tick) -> None:
        """Go on with what waited."""
        self._ticking.rung(tick)
        for context in list(self._daemons):
            self._step(context, Ticked())

    def sampled(self, memory: Mapping[AttemptId, int]) -> None:
        """Learn how much memory instances take."""
        for attempt, used in memory.items():
            context = context_of(attempt.run)
            if is_instance(attempt.run) and context in self._daemons:
                self._bytes[context] = used
                self._tell(context)

    # -- what the shim says

    def shim_lost(self) -> None:
        """Know nothing until it is back."""
        for context in list(self._daemons):
            self._step(context, ShimGone())

    def found(self, listed: Iterable[Listed]) -> None:
        """Compare with what lives there; what is not in the list does not live."""
        alive = {each.context: each for each in listed if each.kind == "daemon" and each.lives}
        for context in list(self._daemons):
            each = alive.get(context)
            if each is not None:
                self._instances[context] = each.run
            self._step(context, Found(life=self._life(each) if each is not None else None))

    def follow(self, event: ShimEvent) -> None:
        """Learn of ends."""
        context = context_of(event.run)
        if event.step not in FINAL_STEPS or context not in self._daemons:
            return
        if is_instance(event.run):
            self._step(context, Ended(attempt=event.attempt, sentence=_sentence(event)))

    # -- the seam

    def _step(self, context: ContextKey, event: Event) -> None:
        if context not in self._daemons:
            self._daemons[context] = Daemon(context=context)
            self._shim.follow()
            self._shim.ask(List(), self._listed)
        daemon = self._daemons[context]
        daemon, effects = guarding.step(daemon, event, self._now(), self._chance.random())
        self._daemons[context] = daemon
        for effect in effects:
            self._perform(context, effect)
        self._tell(context)
        self._ticking.see_to(self._next_wake())

    def _next_wake(self) -> float | None:
        wakes = (guarding.next_wake(daemon) for daemon in self._daemons.values())
        return min((wake for wake in wakes if wake is not None), default=None)

    def _now(self) -> Moment:
        return Moment(wall=self._actor.clock.now(), boot=self._actor.clock.boot())

    def _perform(self, context: ContextKey, effect: Effect) -> None:
        match effect:
            case WantEnvironment(keep=keep):
                plan = keep.offer.plan
                told = self._builds.want(
                    plan.package, revision=plan.revision, source_builds=plan.source_builds
                )
                self._step(context, _stands(told))
            case ArmDaemon(keep=keep):
                self._arm(context, keep)
            case StopDaemon(attempt=attempt, reason=reason):
                self._stop(context, attempt, reason)

    def _arm(self, context: ContextKey, keep: KeepRunning) -> None:
        try:
            order = self._orders.of_daemon(keep)
        except Insecure as fault:
            self._step(context, ArmRefused(code="insecure", sentence=str(fault)))
            return
        if order is None:
            sentence = f"the environment of {keep.offer.plan.package} is not on this host"
            self._step(context, ArmRefused(code=Refusal.NOT_FOUND.value, sentence=sentence))
            return
        self._shim.ask(order, partial(self._armed, context, order))

    def _armed(self, context: ContextKey, order: Arm, outcome: Outcome) -> None:
        match outcome:
            case Taken(attempt=attempt) as taken:
                self._memory.taken(taken.key, order.memory_limit)
                self._step(context, Armed(attempt=attempt))
            case NotDone(refusal=Refusal.ALIVE):
                self._shim.ask(List(), self._listed)
            case NotDone() as refused:
                self._step(context, ArmRefused(code=refused.refusal.value, sentence=str(refused)))
            case _:
                pass  # the shim is away: it is told by `shim_lost`

    def _listed(self, outcome: Outcome) -> None:
        if isinstance(outcome, Holdings):
            self.found(outcome.attempts)

    def _stop(self, context: ContextKey, attempt: int, reason: str) -> None:
        stop = Stop(
            incarnation=self._incarnations.get(context, self._memory.incarnation),
            run=self._instances[context],
            attempt=attempt,
            reason=reason,
            sentence=self._daemons[context].reason or reason,
            by="watchdog",
        )
        self._shim.ask(stop, self._stopped)

    def _stopped(self, outcome: Outcome) -> None:
        match outcome:
            case NotDone():
                self._actor.log.warning("the shim did not stop it: %s", outcome)
            case Standing(phase=ShimPhase.ENDED | ShimPhase.BARRED):
                self._shim.ask(List(), self._listed)  # its end was not seen

    def _life(self, listed: Listed) -> Up:
        now = self._now()
        boot = listed.since_ns / NANOSECONDS
        return Up(
            attempt=listed.attempt,
            fitting=Fitting(
                generation=listed.meta.generation,
                package=listed.meta.package,
                surroundings=listed.meta.surroundings,
            ),
            boot=boot,
            since=now.wall - timedelta(seconds=now.boot - boot),
        )

    # -- telling the Arbiter

    def _tell(self, context: ContextKey, *, is_answer: bool = False) -> None:
        daemon = self._daemons.get(context)
        if daemon is None or self.arbiter is None:
            return
        instance = instance_of(daemon, memory=self._bytes.get(context, 0))
        if daemon.is_gone:
            self._actor.send(self.arbiter, InstanceIs(instance=instance, gone=True))
            del self._daemons[context]
            self._told.pop(context, None)
            self._bytes.pop(context, None)
        elif is_answer or self._told.get(context) != instance:
            self._told[context] = instance
            told = InstanceIs(instance=instance, answers=daemon.keep)
            self._actor.send(self.arbiter, told)

    def facts(self) -> dict[str, str]:
        """Return the state of each daemon."""
        return {
            context: instance_of(daemon).state.value for context, daemon in self._daemons.items()
        }


def _stands(told: EnvironmentIs) -> EnvironmentStands:
    for_good = bool(told.reason) and not told.temporary
    return EnvironmentStands(
        package=told.package, ready=told.ready, reason=told.reason, for_good=for_good
    )


def _sentence(event: ShimEvent) -> str:
    if event.step != "exited":
        return event.sentence
    return end_of((), event, Meta())[1] or "exit status 0"
