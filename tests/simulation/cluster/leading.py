"""The shells of Supervisor and Scheduler in the simulated world: the real cores decide."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kirby.core.election import step as election
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
    Stand,
    StandDown,
    Ticked,
)
from kirby.core.leader import scheduling
from kirby.core.leader.events import (
    AskEnds,
    AskLeadershipEnd,
    AskWatermark,
    Became,
    BecomeLeader,
    CandidateNamed,
    Commit,
    Committed,
    EndsKnown,
    FetchSchedule,
    LeadershipEnd,
    LeadershipRead,
    LeadershipReadTo,
    LinkFailed,
    ReadFrom,
    ReadTo,
    RecordRead,
    ScheduleFailed,
    ScheduleFetched,
    SchedulerEffect,
    SchedulerEvent,
    StoodBy,
    TailAnswered,
    Tick,
    WatermarkKnown,
)
from kirby.core.leader.events import StandDown as LeadStandDown
from kirby.core.leader.state import Scheduling, scheduler_state
from kirby.core.messages import LeadFailed, SchedulerState
from kirby.core.names import Host
from kirby.core.nouns import Schedule
from kirby.core.records import Beat, Leadership, Offsets, TopicName
from tests.simulation.cluster.broker import Entry, Place
from tests.simulation.cluster.life import Life
from tests.simulation.cluster.wires import Link, Reader, Wire, ask

if TYPE_CHECKING:
    from tests.simulation.cluster.host import SimHost

TICK_SECONDS = 0.3  # the real one ticks each 0.1 s, which decides nothing else and costs more
STANDBY_TICK_SECONDS = 0.45  # one that comes 0.6 s after the last counts as frozen
TAIL_SECONDS = 0.5  # an idle fetch is answered so often
TELL_SECONDS = 0.5
STEPPED_SECONDS = 0.2

Ends = dict[TopicName, Offsets]


class SimScheduler:
    """A Scheduler's life."""

    def __init__(self, host: "SimHost", supervisor: "SimSupervisor", life_number: int) -> None:
        self.host = host
        self.supervisor = supervisor
        self.life = Life(host.world.timeline)
        self.wire = Wire(life=self.life, broker=host.world.broker, air=host)
        self.state = Scheduling(host=host.name, life=life_number, compile=host.world.compile)
        self.link: Link | None = None
        self.reader: Reader | None = None
        self.told: SchedulerState | None = None
        self.told_at = self.answered_at = -1.0
        self.tail = Reader(self.wire, self._tail_read, self._tail_at_end)
        end = host.world.broker.stable((TopicName.LEADERSHIP, 0))
        self.tail.read({(TopicName.LEADERSHIP, 0): end})
        self.life.after(host.world.timeline.chance.uniform(0.0, TICK_SECONDS), self._tick)

    def hears(self, event: CandidateNamed | StoodBy) -> None:
        """Take what the Supervisor orders."""
        self._step(event)

    def kill(self) -> None:
        """End it; its transactions are left as they are."""
        self.life.kill()
        self.tail.close()
        if self.reader is not None:
            self.reader.close()

    def _tick(self) -> None:
        pause = STANDBY_TICK_SECONDS if self.state.lead is None else TICK_SECONDS
        self.life.after(pause, self._tick)
        now = self.life.timeline.now
        if self.host.reaches() and now - self.answered_at >= TAIL_SECONDS:
            self.answered_at = now
            self._step(TailAnswered())
        self._step(Tick())

    def _tail_read(self, _place: Place, offset: int, entry: Entry) -> None:
        self.answered_at = self.life.timeline.now
        if isinstance(entry.record, Leadership | Beat):
            appended = self.wire.broker.at(entry)
            self._step(LeadershipRead(record=entry.record, offset=offset, appended=appended))

    def _tail_at_end(self, _place: Place, offset: int) -> None:
        self._step(LeadershipReadTo(offset=offset))

    def _step(self, event: SchedulerEvent) -> None:
        self.state, effects = scheduling.step(self.state, event, self.host.moment())
        for effect in effects:
            self._perform(effect)
        self._tell()

    def _perform(self, effect: SchedulerEffect) -> None:
        match effect:
            case AskLeadershipEnd():
                broker = self.wire.broker
                ask(
                    self.wire,
                    lambda: broker.stable((TopicName.LEADERSHIP, 0)),
                    lambda offset: self._step(LeadershipEnd(offset=offset)),  # type: ignore[arg-type]
                )
            case BecomeLeader(record=record):
                self._drop_lead()
                self.link = link = Link(wire=self.wire, tell=self._link_told)
                link.become(record)
            case FetchSchedule(since=since):
                self.host.world.web.fetch(self.life, since, self._fetched)
            case LeadStandDown(term=term, failure=failure, sentence=sentence):
                self._drop_lead()
                if failure is not None:
                    failed = LeadFailed(term=term, failure=failure, sentence=sentence)
                    self.host.tell(self.supervisor.life, lambda: self.supervisor.failed(failed))
            case AskEnds():
                self._ask_ends()
            case ReadFrom(starts=starts):
                self._read(starts)
            case Commit(posts=posts) if self.link is not None:
                self.link.commit(posts)
            case AskWatermark():
                self._ask_watermark()

    def _link_told(self, event: Became | Committed | LinkFailed) -> None:
        self._step(event)
        if isinstance(event, Committed):
            self._decide()

    def _ends(self) -> Ends:
        broker = self.wire.broker
        return {topic: broker.offsets(topic, broker.stable) for topic in TopicName}

    def _ask_ends(self) -> None:
        link = self.link

        def heard(ends: object) -> None:
            if self.link is link:
                beginnings = {
                    topic: self.wire.broker.offsets(topic, lambda _place: 0) for topic in TopicName
                }
                known = ends if isinstance(ends, dict) else None
                self._step(EndsKnown(beginnings=beginnings if known else None, ends=known))

        ask(self.wire, lambda: ends_of(self), heard)

    def _read(self, starts: Mapping[Place, int]) -> None:
        if self.reader is None:
            self.reader = Reader(self.wire, self._record_read, self._read_to)
        self.reader.read(starts)

    def _record_read(self, place: Place, offset: int, entry: Entry) -> None:
        topic, partition = place
        self._step(
            RecordRead(
                topic=topic, partition=partition, offset=offset, key=entry.key, record=entry.record
            )
        )

    def _read_to(self, place: Place, offset: int) -> None:
        self._step(ReadTo(topic=place[0], partition=place[1], offset=offset))
        self._decide()

    def _decide(self) -> None:
        """Decide at once what was read, as the real one does within a tenth of a second."""
        lead = self.state.lead
        if lead is not None and (lead.ledger.marked or lead.ledger.asked):
            self._step(Tick())

    def _ask_watermark(self) -> None:
        link, broker = self.link, self.wire.broker

        def heard(offsets: object) -> None:
            if self.link is link:
                self._step(WatermarkKnown(offsets=offsets))  # type: ignore[arg-type]

        ask(self.wire, lambda: broker.offsets(TopicName.RUNS, broker.high), heard)

    def _fetched(self, schedule: Schedule | None, failed: bool) -> None:
        if failed:
            self._step(ScheduleFailed(sentence="the web service does not answer"))
        else:
            self._step(ScheduleFetched(schedule=schedule))

    def _drop_lead(self) -> None:
        if self.link is not None:
            self.link.close()
            self.link = None
        if self.reader is not None:
            self.reader.close()
            self.reader = None

    def _tell(self) -> None:
        now = self.life.timeline.now
        due = now - self.told_at >= TELL_SECONDS
        lead = self.state.lead
        leads = lead is not None and lead.is_leading
        if not due and self.told is not None and (leads, self.state.epoch) == self._said:
            return
        self._said = (leads, self.state.epoch)
        said = scheduler_state(self.state, self.host.moment())
        self.told, self.told_at = said, now
        self.host.tell(self.supervisor.life, lambda: self.supervisor.said(self, said))

    _said: tuple[bool, int | None] = (False, None)


def ends_of(scheduler: SimScheduler) -> Ends:
    """Return the end offsets of a read-up: those of now, which is after the fencing."""
    return scheduler._ends()


class SimSupervisor:
    """A Supervisor's life: it takes part in the election and keeps the host's Scheduler."""

    def __init__(self, host: "SimHost") -> None:
        self.host = host
        self.life = Life(host.world.timeline)
        host.disk.life += 1
        number = host.disk.life
        self.election = Election(me=host.name, life=number, listening_since=host.boot())
        self.scheduler = SimScheduler(host, self, number)
        self._step(PeersKnown(hosts=frozenset(host.world.names)))
        self._tick()

    def said(self, scheduler: SimScheduler, state: SchedulerState) -> None:
        """Take the Scheduler's word."""
        if scheduler is self.scheduler:
            self._step(
                SchedulerSaid(
                    state=state.state,
                    confirmed=state.confirmed_boot,
                    clock_offset_s=state.clock_offset_seconds,
                    silent_s=state.silent_seconds,
                    epoch=state.epoch,
                    read_up_completed=state.read_up_completed,
                )
            )

    def failed(self, failed: LeadFailed) -> None:
        """Take that the Scheduler does not lead."""
        self._step(LeadLost(failure=failed.failure))

    def heard(self, pulse: Pulse) -> None:
        """Take a peer's pulse."""
        self._step(PulseHeard(pulse=pulse))

    def renew_scheduler(self, *, old_lives_on: bool) -> None:
        """Make the Scheduler anew, as after its death; perhaps the old one only seemed dead."""
        if not old_lives_on:
            self.scheduler.kill()
        self._step(SchedulerGone())
        self.scheduler = SimScheduler(self.host, self, self.election.life)

    def _tick(self) -> None:
        now = self.host.boot()
        self.life.after(max(0.01, election.next_step(self.election, now) - now), self._tick)
        if self.election.stepped is None or now - self.election.stepped >= STEPPED_SECONDS:
            self._step(Ticked())  # a pulse that came just now was a step as well

    def _step(self, event: Event) -> None:
        self.election, effects = election.step(self.election, event, self.host.boot())
        for effect in effects:
            match effect:
                case Stand(term=term):
                    self._order(CandidateNamed(term=term))
                case StandDown():
                    self._order(StoodBy())
                case SendPulse(to=to, pulse=pulse):
                    self._send(to, pulse)

    def _order(self, order: CandidateNamed | StoodBy) -> None:
        scheduler = self.scheduler
        self.host.tell(scheduler.life, lambda: scheduler.hears(order))

    def _send(self, to: Host, pulse: Pulse) -> None:
        world = self.host.world

        def arrive() -> None:
            peer = world.hosts[to].supervisor
            if peer is not None and world.are_joined(self.host.name, to):
                peer.life.do(lambda: peer.heard(pulse))

        if world.are_joined(self.host.name, to) and not self.host.loses():
            world.timeline.after(self.host.delay(), arrive)
