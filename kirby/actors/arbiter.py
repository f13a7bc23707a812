"""The Arbiter of a host: which daemons run here, by comparing what should with what does.

Decides nothing: see `core.guarding.daemons`. It holds a Kafka client, so it creates no actor.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kirby.actors.base import KirbyActor
from kirby.actors.shim_link import Outcome, ReachShim, ShimLink
from kirby.actors.ticking import Tick, Ticking
from kirby.core.claims.reading_up import ReadingUp
from kirby.core.guarding import daemons
from kirby.core.guarding.daemons import (
    AskEnd,
    DaemonOfferRead,
    Daemons,
    Effect,
    Event,
    FindWatchdog,
    IncarnationKnown,
    InstanceSeen,
    Keep,
    OffersReached,
    OffersReadUp,
    Release,
    ShimHolds,
    TellRunner,
    TellRunnerAll,
    Ticked,
    WatchdogReplaced,
)
from kirby.core.messages import (
    ActorMoved,
    Begin,
    DaemonsStand,
    IncarnationIs,
    InstanceIs,
    InstancesAre,
    LetGo,
    Message,
    WatchdogIs,
    WatchdogWanted,
)
from kirby.core.names import ContextKey
from kirby.core.records import DaemonOffer, TopicName
from kirby.host.shim_messages import Holdings, List, ShimEvent
from kirby.host.state import StateFolder
from kirby.kafka import events as kafka
from kirby.kafka.asking import HighWatermarks
from kirby.kafka.client import Kafka
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.settings import settings_of
from kirby.kafka.starts import Beginning

LOOK_SECONDS = 10.0  # between two looks at what the shim holds: words may have been lost
ASK_AGAIN_SECONDS = 1.0
TOPICS = (TopicName.DAEMONS,)


@dataclass(frozen=True, kw_only=True)
class LookAtShim:
    """A wake-up: ask the shim what it holds."""


@dataclass(frozen=True, kw_only=True)
class AskEnds:
    """A wake-up: ask again for the ends of the topic."""


class Arbiter(KirbyActor):
    """Decides which daemons run here. See `core.guarding.daemons`."""

    role = "arbiter"

    daemons: Daemons

    def begin(self, begin: Begin, sender: Any) -> None:
        """Open the lines to Kafka and to the shim."""
        configuration = begin.configuration
        self._supervisor = sender
        self._runner: Any = begin.runner
        self._watchdogs: dict[ContextKey, Any] = {}
        self._waiting: dict[ContextKey, Message] = {}
        self._stood: DaemonsStand | None = None  # as the Runner was told last
        self._reading_up = ReadingUp()
        self._ticking = Ticking(self)
        self.daemons = Daemons(host=configuration.name)
        port = Kafka(settings=settings_of(configuration, self.role))
        self._box: Mailbox[Any] = Mailbox()
        self.watch(self._box.fileno(), self._drain)
        self._reader = port.reader({TopicName.DAEMONS: Beginning()}, self._box)
        self._queries = port.queries(self._box)
        self._ask_ends()
        shim = StateFolder(path=Path(configuration.state)).shim
        self._shim = ShimLink(self, self, shim, follows=False)
        self._shim.reach()
        self.wake(LOOK_SECONDS, LookAtShim())

    def on(self, message: Any, sender: Any) -> None:
        """Take what Watchdogs and Supervisor tell."""
        match message:
            case IncarnationIs(incarnation=incarnation, runner=runner):
                self._runner = runner if runner is not None else self._runner
                self._stood = None
                self._step(IncarnationKnown(incarnation=incarnation))
            case ActorMoved(role="runner", address=address):
                self._runner, self._stood = address, None
                self._tell_how_daemons_stand()
            case WatchdogIs(context=context, watchdog=watchdog):
                self._meet(context, watchdog)
            case InstanceIs(instance=instance, gone=gone, answers=answers):
                self._step(InstanceSeen(instance=instance, gone=gone, answers=answers))
            case _:
                pass  # of the actor library, or for others

    def woke(self, purpose: Any) -> None:
        """Go on with what waited."""
        match purpose:
            case Tick():
                self._ticking.rung(purpose)
                self._step(Ticked())
            case ReachShim():
                self._shim.wake(purpose)
            case LookAtShim():
                self._ask_list()
                self._stood = None  # the word may have been lost
                self._tell_how_daemons_stand()
                self.wake(LOOK_SECONDS, LookAtShim())
            case AskEnds():
                self._ask_ends()

    def ending(self) -> None:
        """Let go of Kafka and of the shim; daemons go on."""
        self.unwatch(self._box.fileno())
        self._reader.close()
        self._queries.close()
        self._box.close()
        self._shim.close()

    def facts(self) -> dict[str, Any]:
        """Return how the daemons of this host stand."""
        return {
            "incarnation": self.daemons.incarnation,
            "read_up": self.daemons.read_up,
            "offers": len(self.daemons.offers),
            "instances": {
                context: instance.state.value for context, instance in self.daemons.here.items()
            },
        }

    # -- the seam

    def _step(self, *events: Event) -> None:
        for event in events:
            self.daemons, effects = daemons.step(self.daemons, event, self.clock.boot())
            for effect in effects:
                self._perform(effect)
        self._tell_how_daemons_stand()
        self._ticking.see_to(daemons.next_wake(self.daemons))

    def _tell_how_daemons_stand(self) -> None:
        stand = daemons.standing(self.daemons)
        if stand is not None and stand != self._stood and self._runner is not None:
            self.send(self._runner, stand)
            self._stood = stand

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Keep(keep=keep):
                self._say(keep.offer.context, keep)
            case Release(context=context, incarnation=incarnation, reason=reason):
                word = LetGo(context=context, incarnation=incarnation, reason=reason)
                self._say(context, word)
            case TellRunner(instance=instance, gone=gone):
                self._tell_runner(InstanceIs(instance=instance, gone=gone))
            case TellRunnerAll(instances=instances):
                self._tell_runner(InstancesAre(instances=instances))
            case AskEnd():
                self._reading_up = self._reading_up.anew()
                self._ask_ends()
            case FindWatchdog(context=context):
                self.send(self._supervisor, WatchdogWanted(context=context))

    def _tell_runner(self, message: Message) -> None:
        if self._runner is not None:
            self.send(self._runner, message)

    def _say(self, context: ContextKey, message: Message) -> None:
        if context in self._watchdogs:
            self.send(self._watchdogs[context], message)
            return
        self._waiting[context] = message  # the last word counts
        self.send(self._supervisor, WatchdogWanted(context=context))

    def _meet(self, context: ContextKey, watchdog: Any) -> None:
        known = self._watchdogs.get(context)
        self._watchdogs[context] = watchdog
        waiting = self._waiting.pop(context, None)
        if waiting is not None:
            self.send(watchdog, waiting)
        elif known != watchdog:
            self._step(WatchdogReplaced(context=context))

    # -- Kafka

    def _ask_ends(self) -> None:
        self._queries.ask(HighWatermarks(), TOPICS, tag=TOPICS)

    def _drain(self) -> None:
        self._step(*(event for told in self._box.drain() for event in self._events(told)))

    def _events(self, told: Any) -> Iterator[Event]:
        match told:
            case kafka.Delivered():
                if told.record is None or isinstance(told.record, DaemonOffer):
                    yield DaemonOfferRead(context=ContextKey(told.key), offer=told.record)
                yield from self._reached(told.partition, told.offset + 1)
            case kafka.UnreadableRead():
                self.log.error("%s", told.sentence)
                yield from self._reached(told.partition, told.offset + 1)
            case kafka.CaughtUp():
                yield from self._reached(told.partition, told.next_offset)
            case kafka.Answered():
                self._reading_up = self._reading_up.until(told.offsets)
                yield from self._look_whether_read_up()
            case kafka.NotAnswered():
                self.wake(ASK_AGAIN_SECONDS, AskEnds())

    def _reached(self, partition: int, next_offset: int) -> Iterator[Event]:
        self._reading_up = self._reading_up.reached((TopicName.DAEMONS, partition), next_offset)
        yield OffersReached(partition=partition, next_offset=next_offset)
        yield from self._look_whether_read_up()

    def _look_whether_read_up(self) -> Iterator[Event]:
        if not self.daemons.is_sure and self._reading_up.is_complete:
            yield OffersReadUp()

    # -- the shim

    def shim_reached(self) -> None:
        """See what lives there."""
        self._ask_list()

    def shim_lost(self) -> None:
        """Go by what was seen last."""

    def shim_event(self, event: ShimEvent) -> None:
        """Leave steps to the Watchdogs."""

    def _ask_list(self) -> None:
        self._shim.ask(List(), self._listed)

    def _listed(self, outcome: Outcome) -> None:
        if isinstance(outcome, Holdings):
            alive = {
                each.context for each in outcome.attempts if each.kind == "daemon" and each.lives
            }
            self._step(ShimHolds(contexts=frozenset(alive)))
