"""The shells of Runner (with its Watchdogs) and Recorder in the simulated world."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kirby.actors.runner_log import _read
from kirby.actors.watchdog_orders import Orders
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
    EnvironmentState,
    EnvironmentTold,
    HeartbeatAcknowledged,
    HeartbeatFailed,
    HelloAnswered,
    NotStartedAcknowledged,
    NotStartedFailed,
    ShimListed,
    ShimLost,
    ShimReached,
    Superseded,
    Ticked,
    TicketAcknowledged,
    TicketFailed,
    TopicsReadUp,
)
from kirby.core.claims.reading_up import ReadingUp
from kirby.core.claims.step import Identity
from kirby.core.claims.waiting import attempt_of
from kirby.core.guarding.arming import House
from kirby.core.messages import ArmRun
from kirby.core.moment import Moment
from kirby.core.names import AttemptId, Incarnation, StateFolderId
from kirby.core.records import AnyRecord, Held, Phase, TopicName
from kirby.core.shipping.folders import Folder as ShippedFolder
from kirby.core.shipping.folders import next_steps
from kirby.core.shipping.run_folder import FINAL_STEPS, Entry
from kirby.kafka.events import Delivered
from kirby.packages.environments import Environment
from kirby.shim.events import Key
from tests.simulation.cluster.broker import START, Place, places
from tests.simulation.cluster.broker import Entry as LogEntry
from tests.simulation.cluster.life import Life
from tests.simulation.cluster.shim_sim import Heard, Shim
from tests.simulation.cluster.wires import Poster, Reader, Wire, ask

if TYPE_CHECKING:
    from tests.simulation.cluster.host import SimHost

READ_UP = (TopicName.OFFERS, TopicName.CLAIMS, TopicName.HOSTS)
CONNECT_SECONDS = 0.5
NANOSECONDS = 1_000_000_000
LOOK_SECONDS = 5.0  # a Recorder looks over all folders so often
_STOP_REASONS = {"stopped": "asked", "replaced": "replaced"}

Fields = dict[str, Any] | None


class OneKey:
    """The cluster's key, as far as orders need it."""

    def value_of(self, variable: object) -> str:
        """Open a value; there is none."""
        return str(variable)

    def run_token(self, run: str) -> str:
        """Return a run's token."""
        return run


ENVIRONMENT = Environment(path=Path("/environments/x"), module="script")


class ShimUser:
    """An actor with a line to the shim of its host."""

    def __init__(self, host: "SimHost") -> None:
        self.host = host
        self.life = Life(host.world.timeline)
        self.shim: Shim | None = None

    def connect(self) -> None:
        """Connect, again and again until a shim answers."""
        shim = self.host.machine_shim
        if self.shim is not None:
            return
        if shim is None or not shim.life.alive or shim.life.frozen:
            self.life.after(CONNECT_SECONDS, self.connect)
            return
        self.shim = shim
        shim.users.append(lambda: self.life.do(lambda: self.hang_up(shim)))
        shim.watchers.append(lambda key, entry: self.life.do(lambda: self.pushed(key, entry)))
        self.reached()

    def hang_up(self, shim: Shim) -> None:
        """Learn that the shim is gone, or answers no more."""
        if self.shim is shim:
            self.shim = None
            self.lost()
            self.life.after(CONNECT_SECONDS, self.connect)

    def ask_shim(
        self, kind: str, request: dict[str, object], heard: Callable[[Fields], None]
    ) -> None:
        """Ask it something; None is heard where no answer comes."""
        shim = self.shim
        if shim is None:
            heard(None)
            return

        def answered(fields: Fields) -> None:
            if fields is None:
                self.life.do(lambda: self.hang_up(shim))
            self.life.do(lambda: heard(fields))

        send: Heard = answered
        self.life.timeline.after(self.host.hop(), lambda: shim.ask(kind, request, send))

    def reached(self) -> None:
        """A shim answers."""

    def lost(self) -> None:
        """It answers no more."""

    def pushed(self, key: Key, entry: Entry) -> None:
        """It tells of a step."""


class SimRunner(ShimUser):
    """A Runner's life, with the Watchdogs that it speaks to."""

    def __init__(self, host: "SimHost") -> None:
        super().__init__(host)
        world = host.world
        self.wire = Wire(life=self.life, broker=world.broker, air=host)
        self.poster = Poster(wire=self.wire)
        self.reader = Reader(self.wire, self._record_read, self._at_end)
        self.reading_up, self.read_up = ReadingUp(), False
        self._wake_at: float | None = None
        house = House(host=host.name, kafka="", url="", inherited={})
        self.orders = Orders(house, OneKey(), lambda _package: ENVIRONMENT)  # type: ignore[arg-type]
        self.state = claims.first_state(
            Identity(
                host=host.name,
                state_folder=StateFolderId(host.disk.folder_id),
                slots=host.slots,
                started=START,
                version="1",
            )
        )
        self.reader.read(dict.fromkeys(places([TopicName.HOSTS, TopicName.SCHEDULE]), 0))
        self.step(Began())
        self.connect()

    def kill(self) -> None:
        """End it."""
        self.life.kill()
        self.reader.close()

    # -- the seam

    def step(self, event: AnyEvent) -> None:
        """Step the core and do what it wants."""
        self.state, effects = claims.step(self.state, event, self.host.moment())
        for effect in effects:
            self._perform(effect)
        self._see_to_wake()

    def _see_to_wake(self) -> None:
        now = self.host.moment()
        at = claims.next_wake(self.state, now)
        if at is None or (self._wake_at is not None and self._wake_at <= at):
            return
        self._wake_at = at

        def ring() -> None:
            if self._wake_at == at:
                self._wake_at = None
            self.step(Ticked())

        self.life.after(max(0.001, at - now.boot), ring)

    def _perform(self, effect: AnyEffect) -> None:
        match effect:
            case PostTicket() | PostHeartbeat() | PostClaim() | PostNotStarted():
                self._post(effect)
            case ReadTopics(offers_since=offers, claims_since=since):
                self._read_topics({TopicName.OFFERS: offers, TopicName.CLAIMS: since})
            case Arm():
                self.host.tell(self.life, lambda: self._arm(effect))
            case BuildAhead(package=package):
                told = EnvironmentTold(package=package, state=EnvironmentState.READY)
                self.host.tell(self.life, lambda: self.step(told))
            case TellIncarnation(incarnation=incarnation):
                arbiter = self.host.arbiter
                if arbiter is not None:
                    self.host.tell(arbiter.life, lambda: arbiter.incarnation(incarnation))
            case EndNow():
                self.host.runner_ended(self)
            case _:
                self._ask(effect)

    # -- the log

    def _post(self, effect: PostTicket | PostHeartbeat | PostClaim | PostNotStarted) -> None:
        match effect:
            case PostTicket(ticket=ticket):
                key = f"{ticket.host}/ticket"
                self._write(TopicName.HOSTS, key, ticket, self._ticketed, TicketFailed())
            case PostHeartbeat(number=number, heartbeat=beat):
                failed = HeartbeatFailed(number=number)

                def beaten(_offset: int, entry: LogEntry) -> AnyEvent:
                    appended, boot = self.wire.broker.at(entry), self.host.boot()
                    return HeartbeatAcknowledged(
                        number=number, appended=appended, acknowledged_boot=boot
                    )

                self._write(TopicName.HOSTS, beat.host, beat, beaten, failed)
            case PostClaim(claim=claim):
                claimed = AttemptId(run=claim.run, attempt=claim.attempt)
                done: AnyEvent = ClaimAcknowledged(attempt=claimed)
                lost = ClaimFailed(attempt=claimed)
                self._write(TopicName.CLAIMS, claim.run, claim, lambda _o, _e: done, lost)
            case PostNotStarted(report=report):
                told = AttemptId(run=report.run, attempt=report.attempt)
                heard = NotStartedAcknowledged(attempt=told)
                unheard = NotStartedFailed(attempt=told)
                self._write(TopicName.RUNS, report.run, report, lambda _o, _e: heard, unheard)

    def _ticketed(self, offset: int, entry: LogEntry) -> AnyEvent:
        appended = self.wire.broker.at(entry)
        return TicketAcknowledged(incarnation=Incarnation(offset), appended=appended)

    def _write(
        self,
        topic: TopicName,
        key: str,
        record: AnyRecord,
        done: Callable[[int, LogEntry], AnyEvent],
        failed: AnyEvent,
    ) -> None:
        self.poster.post(
            topic,
            key,
            record,
            acknowledged=lambda offset, entry: self.step(done(offset, entry)),
            failed=lambda: self.step(failed),
        )

    def _read_topics(self, since: Mapping[TopicName, Any]) -> None:
        broker = self.wire.broker

        def found(starts: object) -> None:
            if isinstance(starts, dict):
                self.reader.read(starts)
                self._ask_ends()
            else:
                self._read_topics(since)

        ask(
            self.wire,
            lambda: {place: broker.since(place, since[place[0]]) for place in places(since)},
            found,
        )

    def _ask_ends(self) -> None:
        broker = self.wire.broker

        def heard(ends: object) -> None:
            if isinstance(ends, dict):
                self.reading_up = self.reading_up.until(ends)
                self._look_whether_read_up()
            else:
                self._ask_ends()

        ask(
            self.wire,
            lambda: {topic: broker.offsets(topic, broker.high) for topic in READ_UP},
            heard,
        )

    def _record_read(self, place: Place, offset: int, entry: LogEntry) -> None:
        told = Delivered(
            topic=place[0],
            partition=place[1],
            offset=offset,
            key=entry.key,
            record=entry.record,
            appended=START,
            read_boot=0.0,
        )
        for event in _read(told):
            self.step(event)
        if not self.read_up:
            self.reading_up = self.reading_up.reached(place, offset + 1)
            self._look_whether_read_up()

    def _at_end(self, place: Place, offset: int) -> None:
        if not self.read_up:
            self.reading_up = self.reading_up.reached(place, offset)
            self._look_whether_read_up()

    def _look_whether_read_up(self) -> None:
        if not self.read_up and self.reading_up.is_complete:
            self.read_up = True
            self.step(TopicsReadUp())

    # -- the shim, and the Watchdogs on the way to it

    def reached(self) -> None:
        """Say hello to whichever shim this is."""
        self.step(ShimReached())

    def lost(self) -> None:
        """Claim nothing until it is back."""
        self.step(ShimLost())

    def pushed(self, key: Key, entry: Entry) -> None:
        """Learn of ends at once."""
        if entry.step in FINAL_STEPS:
            self.step(AttemptDone(attempt=AttemptId(run=key[0], attempt=key[1])))

    def _arm(self, effect: Arm) -> None:
        """Do the Watchdog's part: the order, the question, the answer."""
        incarnation = self.state.incarnation
        assert incarnation is not None
        now = self.host.moment()
        run = ArmRun(
            offer=effect.offer,
            incarnation=incarnation,
            clock_offset_seconds=effect.clock_offset_seconds,
            claimed_at=effect.claimed_at,
        )
        order = self.orders.of_run(run, now)
        assert order is not None
        self.host.armed_at[attempt_of(effect.offer)] = self.life.timeline.now
        fields = {name: getattr(order, name) for name in order.__struct_fields__}
        fields["argv"] = list(order.argv)
        attempt = attempt_of(effect.offer)
        self.ask_shim("arm", fields, lambda answer: self._arm_answered(attempt, answer))

    def _arm_answered(self, attempt: AttemptId, fields: Fields) -> None:
        if fields is None:
            told = ArmTold(attempt=attempt, outcome=Arming.NO_ANSWER)
        elif not fields["ok"]:
            told = ArmTold(
                attempt=attempt,
                outcome=Arming.REFUSED,
                code=fields["refused"],
                sentence=fields["sentence"],
            )
        else:
            phase = Phase(fields["phase"])
            told = ArmTold(attempt=attempt, outcome=Arming.HELD, phase=phase)
        self.host.tell(self.life, lambda: self.step(told))

    def _ask(self, effect: AnyEffect) -> None:
        incarnation = self.state.incarnation
        who: dict[str, object] = {"incarnation": incarnation}
        match effect:
            case SayHello():
                self.ask_shim("hello", who, self._greeted)
            case AskList(number=number):
                self.ask_shim("list", {}, lambda fields: self._listed(number, fields))
            case RenewLease(ends_boot=ends):
                renewal = {**who, "lease_ends_boot_ns": round(ends * NANOSECONDS)}
                self.ask_shim("renew", renewal, self._heed)
            case Bar(attempt=attempt, sentence=sentence):
                named = {"run": attempt.run, "attempt": attempt.attempt, "sentence": sentence}
                self.ask_shim("bar", who | named, lambda fields: self._barred(attempt, fields))
            case Stop(attempt=attempt, reason=reason, sentence=sentence):
                named = {"run": attempt.run, "attempt": attempt.attempt, "sentence": sentence}
                why = {"reason": _STOP_REASONS[reason.value], "by": "runner"}
                self.ask_shim("stop", who | named | why, self._heed)

    def _greeted(self, fields: Fields) -> None:
        if fields is not None and fields["ok"]:
            self.step(HelloAnswered())
        else:
            self._heed(fields)

    def _listed(self, number: int, fields: Fields) -> None:
        if fields is not None and fields["ok"]:
            held = tuple(
                Held(run=each["run"], attempt=each["attempt"], phase=Phase(each["phase"]))
                for each in fields["attempts"]
            )
            self.step(ShimListed(number=number, held=held))
        else:
            self._heed(fields)

    def _barred(self, attempt: AttemptId, fields: Fields) -> None:
        if fields is not None and fields["ok"]:
            phase = None if fields["phase"] == "barred" else Phase(fields["phase"])
            self.step(BarAnswered(attempt=attempt, phase=phase))
        else:
            self._heed(fields)

    def _heed(self, fields: Fields) -> None:
        if fields is not None and fields.get("refused") == "superseded":
            self.step(Superseded())


class SimRecorder(ShimUser):
    """A Recorder's life: it carries journals to the log, each in its order."""

    def __init__(self, host: "SimHost") -> None:
        super().__init__(host)
        self.poster = Poster(wire=Wire(life=self.life, broker=host.world.broker, air=host))
        self.busy: set[Key] = set()
        self.connect()
        self._look_over()

    def kill(self) -> None:
        """End it."""
        self.life.kill()

    def reached(self) -> None:
        """Steps may have been missed."""
        self._look_at_all()

    def pushed(self, key: Key, entry: Entry) -> None:
        """Look at the folder of whom it was told."""
        self.look(key)

    def _look_over(self) -> None:
        self.life.after(LOOK_SECONDS, self._look_over)
        self._look_at_all()

    def _look_at_all(self) -> None:
        for key in list(self.host.disk.folders):
            self.look(key)

    def look(self, key: Key) -> None:
        """Carry on with one folder."""
        folder = self.host.disk.folders.get(key)
        if folder is None or key in self.busy:
            return
        journal = tuple(folder.journal)
        found = ShippedFolder(
            host=self.host.name,
            order=folder.kept,
            journal=journal,
            redactor=None,  # type: ignore[arg-type]
        )
        load = next_steps(found, folder.progress, ())
        if load is not None:
            self.busy.add(key)
            self._post(key, load.steps, lambda: self._carried(key, load.after))
        elif folder.has(*FINAL_STEPS):
            self.busy.add(key)
            named: dict[str, object] = {"run": key[0], "attempt": key[1]}
            self.ask_shim("shipped", named, lambda _fields: self.busy.discard(key))

    def _post(self, key: Key, records: Sequence[Any], done: Callable[[], None]) -> None:
        if not records:
            done()
            return
        first, *rest = records

        def failed() -> None:
            self.busy.discard(key)
            self.life.after(1.0, lambda: self.look(key))

        self.poster.post(
            TopicName.RUNS,
            key[0],
            first,
            acknowledged=lambda _offset, _entry: self._post(key, rest, done),
            failed=failed,
        )

    def _carried(self, key: Key, progress: Any) -> None:
        self.busy.discard(key)
        folder = self.host.disk.folders.get(key)
        if folder is not None:
            folder.progress = progress
            self.look(key)


def broker_seconds(instant: Any) -> float:
    """Turn the broker's time into seconds of the world."""
    return float((instant - START) / timedelta(seconds=1))


__all__ = ["Moment", "SimRecorder", "SimRunner", "broker_seconds"]
