"""The shells of Arbiter and Watchdog, as far as daemons go, in the simulated world."""

from datetime import timedelta
from typing import TYPE_CHECKING

from kirby.actors.watchdog_orders import Orders
from kirby.core.claims.events import DaemonsStood, InstancesTold, InstanceTold
from kirby.core.claims.reading_up import ReadingUp
from kirby.core.guarding import daemons, instance
from kirby.core.guarding.arming import House
from kirby.core.guarding.daemons import (
    AskEnd,
    DaemonOfferRead,
    Daemons,
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
    WatchdogReplaced,
)
from kirby.core.guarding.fitting import Fitting
from kirby.core.guarding.instance import (
    ArmDaemon,
    Armed,
    ArmRefused,
    Daemon,
    Ended,
    EnvironmentStands,
    Found,
    ShimGone,
    StopDaemon,
    Unwanted,
    Up,
    Wanted,
    WantEnvironment,
)
from kirby.core.guarding.telling import instance_of
from kirby.core.messages import DaemonsStand, KeepRunning
from kirby.core.names import ContextKey, Incarnation, context_of, is_instance
from kirby.core.records import DaemonOffer, Instance, TopicName
from kirby.core.shipping.run_folder import FINAL_STEPS, Entry
from kirby.shim.events import Key
from tests.simulation.cluster.broker import Entry as LogEntry
from tests.simulation.cluster.broker import Place, places
from tests.simulation.cluster.wires import Reader, Wire, ask
from tests.simulation.cluster.working import ENVIRONMENT, NANOSECONDS, Fields, OneKey, ShimUser

if TYPE_CHECKING:
    from tests.simulation.cluster.host import SimHost

LOOK_SECONDS = 10.0  # an Arbiter looks into the shim so often, as words may have been lost


class SimArbiter(ShimUser):
    """An Arbiter's life."""

    def __init__(self, host: "SimHost") -> None:
        super().__init__(host)
        self.state = Daemons(host=host.name)
        self.stood: DaemonsStand | None = None
        self.met: SimWatchdog | None = None
        self._wake_at: float | None = None
        self.reading_up = ReadingUp()
        self.wire = Wire(life=self.life, broker=host.world.broker, air=host)
        self.reader = Reader(self.wire, self._offer_read, self._at_end)
        self.reader.read(dict.fromkeys(places([TopicName.DAEMONS]), 0))
        self._ask_ends()
        self.connect()
        self.life.after(LOOK_SECONDS, self._look)

    def kill(self) -> None:
        """End it."""
        self.life.kill()
        self.reader.close()

    def incarnation(self, incarnation: Incarnation) -> None:
        """Learn of the Runner's incarnation."""
        self.stood = None
        self.step(IncarnationKnown(incarnation=incarnation))

    def seen(self, told: Instance, *, gone: bool, answers: KeepRunning | None) -> None:
        """Take what a Watchdog tells."""
        self.step(InstanceSeen(instance=told, gone=gone, answers=answers))

    def step(self, event: daemons.Event) -> None:
        """Step the core and do what it wants."""
        self.state, effects = daemons.step(self.state, event, self.host.boot())
        for effect in effects:
            self._perform(effect)
        self._tell_stand()
        self._see_to_wake()

    def _perform(self, effect: daemons.Effect) -> None:
        watchdog = self.host.watchdog
        match effect:
            case Keep(keep=keep) if watchdog is not None:
                self.host.tell(watchdog.life, lambda: watchdog.keep(keep))
            case Release() if watchdog is not None:
                self.host.tell(watchdog.life, lambda: watchdog.let_go(effect))
            case TellRunner(instance=told, gone=gone):
                self._tell_runner(InstanceTold(instance=told, gone=gone))
            case TellRunnerAll(instances=instances):
                self._tell_runner(InstancesTold(instances=instances))
            case AskEnd():
                self.reading_up = self.reading_up.anew()
                self._ask_ends()
            case FindWatchdog(context=context) if watchdog is not self.met:
                self.met = watchdog
                self.host.tell(self.life, lambda: self.step(WatchdogReplaced(context=context)))

    def _tell_runner(self, event: InstanceTold | InstancesTold | DaemonsStood) -> None:
        runner = self.host.runner
        if runner is not None:
            self.host.tell(runner.life, lambda: runner.step(event))

    def _tell_stand(self) -> None:
        stand = daemons.standing(self.state)
        if stand is not None and stand != self.stood:
            self.stood = stand
            self._tell_runner(DaemonsStood(read=stand.read, here=stand.here))

    def _see_to_wake(self) -> None:
        at = daemons.next_wake(self.state)
        if at is None or (self._wake_at is not None and self._wake_at <= at):
            return
        self._wake_at = at

        def ring() -> None:
            if self._wake_at == at:
                self._wake_at = None
            self.step(daemons.Ticked())

        self.life.after(max(0.001, at - self.host.boot()), ring)

    # -- the log

    def _offer_read(self, place: Place, offset: int, entry: LogEntry) -> None:
        if entry.record is None or isinstance(entry.record, DaemonOffer):
            self.step(DaemonOfferRead(context=ContextKey(entry.key), offer=entry.record))
        self._at_end(place, offset + 1)

    def _at_end(self, place: Place, offset: int) -> None:
        self.reading_up = self.reading_up.reached(place, offset)
        self.step(OffersReached(partition=place[1], next_offset=offset))
        self._look_whether_read_up()

    def _ask_ends(self) -> None:
        broker = self.wire.broker

        def heard(ends: object) -> None:
            if isinstance(ends, dict):
                self.reading_up = self.reading_up.until(ends)
                self._look_whether_read_up()
            else:
                self._ask_ends()

        high = broker.high
        ask(self.wire, lambda: {TopicName.DAEMONS: broker.offsets(TopicName.DAEMONS, high)}, heard)

    def _look_whether_read_up(self) -> None:
        if not self.state.is_sure and self.reading_up.is_complete:
            self.step(OffersReadUp())

    # -- the shim

    def reached(self) -> None:
        """See what lives there."""
        self.ask_shim("list", {}, self._listed)

    def _look(self) -> None:
        self.life.after(LOOK_SECONDS, self._look)
        self.stood = None
        self._tell_stand()
        self.reached()

    def _listed(self, fields: Fields) -> None:
        if fields is not None and fields["ok"]:
            alive = (each for each in fields["attempts"] if each["kind"] == "daemon")
            living = frozenset(each["context"] for each in alive if each["phase"] != "ended")
            self.step(ShimHolds(contexts=living))


class SimWatchdog(ShimUser):
    """The Watchdogs of a host, which keep its daemons running."""

    def __init__(self, host: "SimHost") -> None:
        super().__init__(host)
        house = House(host=host.name, kafka="", url="", inherited={})
        self.orders = Orders(house, OneKey(), lambda _package: ENVIRONMENT)  # type: ignore[arg-type]
        self.daemons: dict[ContextKey, Daemon] = {}
        self.told: dict[ContextKey, Instance] = {}
        self.incarnations: dict[ContextKey, Incarnation] = {}
        self._wake_at: float | None = None
        self.connect()

    def kill(self) -> None:
        """End it; daemons go on."""
        self.life.kill()

    def keep(self, keep: KeepRunning) -> None:
        """Keep a daemon running."""
        context = keep.offer.context
        self.incarnations[context] = keep.incarnation
        known = self.daemons.get(context)
        if known is not None and known.keep == keep:
            self.look()
        self._step(context, Wanted(keep=keep))
        self._tell(context, is_answer=True)

    def let_go(self, word: Release) -> None:
        """Have a daemon run no longer."""
        self.incarnations[word.context] = word.incarnation
        self._step(word.context, Unwanted(reason=word.reason))

    def look(self) -> None:
        """Ask the shim what lives."""
        self.ask_shim("list", {}, self._listed)

    def reached(self) -> None:
        """See what lives in this shim."""
        self.look()

    def lost(self) -> None:
        """Know nothing until it is back."""
        for context in list(self.daemons):
            self._step(context, ShimGone())

    def pushed(self, key: Key, entry: Entry) -> None:
        """Learn of ends."""
        context = context_of(key[0])
        if is_instance(key[0]) and entry.step in FINAL_STEPS and context in self.daemons:
            self._step(context, Ended(attempt=key[1], sentence=entry.step))

    def _listed(self, fields: Fields) -> None:
        if fields is None or not fields["ok"]:
            return
        alive = {
            each["context"]: each
            for each in fields["attempts"]
            if each["kind"] == "daemon" and each["phase"] != "ended"
        }
        for context in list(self.daemons):
            each = alive.get(context)
            self._step(context, Found(life=None if each is None else self._life(each)))

    def _life(self, listed: dict[str, object]) -> Up:
        meta = listed["meta"]
        fitting = Fitting(
            generation=meta.generation,  # type: ignore[attr-defined]
            package=meta.package,  # type: ignore[attr-defined]
            surroundings=meta.surroundings,  # type: ignore[attr-defined]
        )
        now, boot = self.host.moment(), int(str(listed["since_ns"])) / NANOSECONDS
        since = now.wall - timedelta(seconds=now.boot - boot)
        return Up(attempt=int(str(listed["attempt"])), fitting=fitting, boot=boot, since=since)

    def _step(self, context: ContextKey, event: instance.Event) -> None:
        if context not in self.daemons:
            self.daemons[context] = Daemon(context=context)
            self.look()
        chance = self.life.timeline.chance.random()
        now = self.host.moment()
        self.daemons[context], effects = instance.step(self.daemons[context], event, now, chance)
        for effect in effects:
            self._perform(context, effect)
        self._tell(context)
        self._see_to_wake()

    def _see_to_wake(self) -> None:
        wakes = (instance.next_wake(each) for each in self.daemons.values())
        at = min((wake for wake in wakes if wake is not None), default=None)
        if at is None or (self._wake_at is not None and self._wake_at <= at):
            return
        self._wake_at = at

        def ring() -> None:
            if self._wake_at == at:
                self._wake_at = None
            for context in list(self.daemons):
                self._step(context, instance.Ticked())

        self.life.after(max(0.001, at - self.host.boot()), ring)

    def _perform(self, context: ContextKey, effect: instance.Effect) -> None:
        match effect:
            case WantEnvironment(keep=keep):
                package = keep.offer.plan.package
                ready = EnvironmentStands(package=package, ready=True)
                self.life.after(self.host.hop(), lambda: self._step(context, ready))
            case ArmDaemon(keep=keep):
                order = self.orders.of_daemon(keep)
                assert order is not None
                fields = {name: getattr(order, name) for name in order.__struct_fields__}
                fields["argv"] = list(order.argv)
                self.ask_shim("arm", fields, lambda answer: self._armed(context, answer))
            case StopDaemon(attempt=attempt, reason=reason):
                stop: dict[str, object] = {
                    "incarnation": self.incarnations[context],
                    "run": f"{context}#{self.host.name}",
                    "attempt": attempt,
                    "reason": reason,
                    "sentence": reason,
                    "by": "watchdog",
                }
                self.ask_shim("stop", stop, self._stopped)

    def _armed(self, context: ContextKey, fields: Fields) -> None:
        if fields is None or context not in self.daemons:
            return
        if fields["ok"]:
            self._step(context, Armed(attempt=fields["attempt"]))
        elif fields["refused"] == "alive":
            self.look()
        else:
            refused = ArmRefused(code=fields["refused"], sentence=fields["sentence"])
            self._step(context, refused)

    def _stopped(self, fields: Fields) -> None:
        if fields is not None and fields["ok"] and fields["phase"] in ("ended", "barred"):
            self.look()

    def _tell(self, context: ContextKey, *, is_answer: bool = False) -> None:
        daemon, arbiter = self.daemons.get(context), self.host.arbiter
        if daemon is None or arbiter is None:
            return
        told, answers, gone = instance_of(daemon), daemon.keep, daemon.is_gone
        if gone:
            del self.daemons[context]
            self.told.pop(context, None)
            answers = None
        elif not is_answer and self.told.get(context) == told:
            return
        else:
            self.told[context] = told
        self.host.tell(arbiter.life, lambda: arbiter.seen(told, gone=gone, answers=answers))
