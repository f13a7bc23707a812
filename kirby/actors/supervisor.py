"""The Supervisor of a host: makes the other actors, and anew; takes part in the election.

It holds no Kafka client, so it may fork. It decides nothing: see `core.election.step` for who
stands for the lead, `core.recreation` for when a dead child is made anew.
"""

import logging
import os
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from thespian.actors import ChildActorExited, PoisonMessage

from kirby.actors.base import KirbyActor
from kirby.actors.children import ChildProcess
from kirby.actors.crew import ROLL_CALL, WATCHDOG, Crew, Member, bury, create
from kirby.actors.gathering import Gathering
from kirby.actors.meeting import MeetAgain, Meeting
from kirby.core.election import step as election
from kirby.core.election.state import (
    Effect,
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
from kirby.core.election.view import is_eligible, peers_of
from kirby.core.messages import (
    ActorMoved,
    AskStatus,
    Begin,
    IncarnationIs,
    LeadFailed,
    LeadFailure,
    SchedulerState,
    StandBy,
    StatusIs,
    TakeLead,
    WatchdogIs,
    WatchdogWanted,
)
from kirby.core.names import Host
from kirby.core.roll_call import PRESENT_EVERY_S, PlaceIs, Present, RollAsked, RollIs

ANSWER_WITHIN_S = 1.5  # a child that is busy for longer is shown without its facts


@dataclass(frozen=True, kw_only=True)
class StepElection:
    """A wake-up: time has passed."""


@dataclass(frozen=True, kw_only=True)
class CreateAnew:
    """A wake-up: the wait of a child that dies quickly is over."""

    name: str


@dataclass(frozen=True, kw_only=True)
class AnswerNow:
    """A wake-up: whoever asked for the status has waited long enough."""

    number: int


class Supervisor(KirbyActor):
    """Creates and re-creates one Scheduler, Runner, Arbiter, Recorder and the Watchdogs."""

    role = "supervisor"
    classes: ClassVar[dict[str, str]] = {
        "runner": "kirby.actors.runner.Runner",
        "arbiter": "kirby.actors.arbiter.Arbiter",
        "recorder": "kirby.actors.recorder.Recorder",
        "scheduler": "kirby.actors.scheduler.Scheduler",
        WATCHDOG: "kirby.actors.watchdog.Watchdog",
    }
    roll_call: ClassVar[str] = "kirby.actors.roll_call.RollCall"

    crew: Crew
    election: Election
    scheduler_state: SchedulerState | None = None
    incarnation: IncarnationIs | None = None

    def begin(self, begin: Begin, sender: Any) -> None:
        """Make the crew and begin to listen to the other Supervisors."""
        self._begin = begin
        self._peers: dict[Host, Any] = {}
        self._meeting = Meeting(begin, self.myAddress, self.send)
        self._gatherings: dict[int, Gathering] = {}
        configuration = begin.configuration
        self.election = Election(
            me=configuration.name,
            life=begin.life,
            priority=configuration.priority,
            listening_since=self.clock.boot(),
        )
        self.crew = Crew(self.classes, configuration.watchdogs)
        for member in list(self.crew.members.values()):
            self._create(member)
        self._step(Ticked())
        self._wake_for_the_election()
        self._meet()

    def on(self, message: Any, sender: Any) -> None:
        """Handle what children, peers and the start process say."""
        match message:
            case SchedulerState():
                self.scheduler_state = message
                self._step(_said(message))
            case LeadFailed():
                gate = message.failure is LeadFailure.GATE
                level = logging.INFO if gate else logging.WARNING
                self.log.log(level, "does not lead: %s", message.sentence)
                self._step(LeadLost(failure=message.failure))
            case Pulse():
                self._peers[message.host] = sender
                self._step(PulseHeard(pulse=message))
            case PlaceIs() | Present() | RollAsked() | RollIs():
                self._heard_of_hosts(message)
            case WatchdogWanted():
                self._watchdog_for(message)
            case IncarnationIs():
                self._hand_on(message)
            case ChildActorExited():
                self._lost(self.crew.at(message.childAddress))
            case AskStatus():
                self._gather(sender)
            case StatusIs():
                self._gathered(message, sender)
            case PoisonMessage():
                self.log.error("a child could not handle %s", type(message.poisonMessage).__name__)
            case _:
                pass  # of the actor library

    def woke(self, purpose: Any) -> None:
        """Go on with what waited."""
        match purpose:
            case StepElection():
                self._step(Ticked())
                self._wake_for_the_election()
            case MeetAgain():
                self._meet()
            case CreateAnew(name=name):
                self._create(self.crew.members[name])
            case AnswerNow(number=number):
                self._answer(number)

    # -- the crew

    def _create(self, member: Member) -> None:
        if self.is_ending or member.address is not None:
            return
        if not create(member, self.createActor, self.clock.boot()):
            self._bury(member)
            return
        process = ChildProcess(self)
        member.pid = process.pid
        self.watch(process.ended, partial(self._process_ended, process))
        self._introduce(member)

    def _introduce(self, member: Member) -> None:
        self.send(member.address, self._begin_of(member))
        if self.incarnation is not None and member.role != "runner":
            self.send(member.address, self.incarnation)
        if member.role == WATCHDOG:
            for context in sorted(member.contexts):
                self._tell_of(member, context)
        elif member.role == ROLL_CALL:
            self._meeting.present_to(member.address)
        else:
            moved = ActorMoved(role=member.role, address=member.address)
            for other in self.crew.present():
                if other is not member:
                    self.send(other.address, moved)

    def _begin_of(self, member: Member) -> Begin:
        runner, arbiter = self.crew.address("runner"), self.crew.address("arbiter")
        return replace(
            self._begin,
            runner=None if member.role == "runner" else runner,
            arbiter=None if member.role == "arbiter" else arbiter,
        )

    def _process_ended(self, process: ChildProcess) -> None:
        self.unwatch(process.ended)
        process.bury()
        for member in list(self.crew.members.values()):
            if member.pid == process.pid:
                self._lost(member)

    def _lost(self, member: Member | None) -> None:
        if member is None or member.address is None or self.is_ending:
            return
        self.log.warning("%s ended", member.name)
        for number, gathering in list(self._gatherings.items()):
            gathering.lose(member)
            self._answer_if_complete(number, gathering)
        if member.role == "scheduler":
            self.scheduler_state = None
            self._step(SchedulerGone())
        if member.role == "runner":
            self.incarnation = None
        self._bury(member)

    def _bury(self, member: Member) -> None:
        wait = bury(member, self.clock.boot())
        if wait == 0.0:
            self._create(member)
        else:
            self.wake(wait, CreateAnew(name=member.name))

    def _watchdog_for(self, wanted: WatchdogWanted) -> None:
        dog = self.crew.watchdog_of(wanted.context)
        if dog.address is not None:
            self._tell_of(dog, wanted.context)
        elif dog.lives.created is None:
            self._create(dog)
        # Else it waits to be created anew, and then all its contexts are told of.

    def _tell_of(self, dog: Member, context: Any) -> None:
        told = WatchdogIs(context=context, watchdog=dog.address)
        for member in self.crew.present("runner", "arbiter"):
            self.send(member.address, told)

    def _hand_on(self, incarnation: IncarnationIs) -> None:
        """Tell all that arm; of a repetition only the Arbiter, whose words bear the number."""
        told = replace(incarnation, runner=self.crew.address("runner"))
        is_new, self.incarnation = told != self.incarnation, told
        roles = ("arbiter", "recorder", WATCHDOG) if is_new else ("arbiter",)
        for member in self.crew.present(*roles):
            self.send(member.address, self.incarnation)

    # -- the election

    def _step(self, event: Event) -> None:
        self.election, effects = election.step(self.election, event, self.clock.boot())
        for effect in effects:
            self._perform(effect)

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Stand(term=term):
                self._tell_scheduler(TakeLead(term=term))
            case StandDown(term=term):
                self._tell_scheduler(StandBy(term=term))
            case SendPulse(to=to, pulse=pulse) if to in self._peers:
                self.send(self._peers[to], pulse)
            case SendPulse():
                pass  # its address is not known yet

    def _tell_scheduler(self, order: TakeLead | StandBy) -> None:
        address = self.crew.address("scheduler")
        if address is not None:
            self.send(address, order)

    def _wake_for_the_election(self) -> None:
        now = self.clock.boot()
        self.wake(election.next_step(self.election, now) - now, StepElection())

    # -- the other hosts

    def _meet(self) -> None:
        self._meeting.go_on(self.crew.address_of_the_roll_call)
        self.wake(PRESENT_EVERY_S, MeetAgain())

    def _heard_of_hosts(self, message: PlaceIs | Present | RollAsked | RollIs) -> None:
        match message:
            case PlaceIs(supervisor=None):
                pass  # it is just being made; asked again in a moment
            case PlaceIs(supervisor=address):
                self._meeting.present_to(address)
            case Present() | RollAsked():
                self._call_the_roll(message)
            case RollIs():
                self._met(message)

    def _call_the_roll(self, message: Present | RollAsked) -> None:
        """Hand on to this host's roll-call, made when somebody first comes."""
        member = self.crew.with_roll_call(self.roll_call)
        if member.address is None and member.lives.created is None:
            self._create(member)
        if member.address is not None:
            self.send(member.address, message)

    def _met(self, roll: RollIs) -> None:
        self._peers.update(self._meeting.take(roll))
        hosts = frozenset(self._peers) | frozenset(self.election.peers)
        if hosts != frozenset(self.election.peers):
            self.log.info("hosts that this one knows: %s", ", ".join(sorted(hosts)))
            self._step(PeersKnown(hosts=hosts))

    # -- the status

    def _gather(self, asked_by: Any) -> None:
        gathering = Gathering(asked_by=asked_by, members=list(self.crew.present()))
        number = max(self._gatherings, default=0) + 1
        self._gatherings[number] = gathering
        for member in gathering.members:
            self.send(member.address, AskStatus())
        self.wake(ANSWER_WITHIN_S, AnswerNow(number=number))

    def _gathered(self, answer: StatusIs, sender: Any) -> None:
        for number, gathering in list(self._gatherings.items()):
            gathering.take(answer, sender)
            self._answer_if_complete(number, gathering)

    def _answer_if_complete(self, number: int, gathering: Gathering) -> None:
        if gathering.is_complete:
            self._answer(number)

    def _answer(self, number: int) -> None:
        gathering = self._gatherings.pop(number, None)
        if gathering is not None:
            facts = self.facts() | {"actors": gathering.actors(self.crew.members.values())}
            status = StatusIs(role=self.role, pid=os.getpid(), facts=facts)
            self.send(gathering.asked_by, status)

    def facts(self) -> dict[str, Any]:
        """Return what is known of the lead, and why this host may stand for it or not."""
        state = self.scheduler_state
        now = self.clock.boot()
        return {
            "eligible": is_eligible(self.election, now),
            "kafka_confirmed_seconds_ago": round(now - state.confirmed_boot, 1) if state else None,
            "clock_offset_seconds": state.clock_offset_seconds if state else None,
            "stance": self.election.stance.value,
            "term": self.election.term,
            "life": self.election.life,
            "leader": state.leader if state else None,
            "epoch": state.epoch if state else None,
            "leading_since": state.since.isoformat() if state and state.since else None,
            "scheduler": state.state.value if state else None,
            "peers": peers_of(self.election, now),
            **self._meeting.facts(),
        }


def _said(state: SchedulerState) -> SchedulerSaid:
    return SchedulerSaid(
        state=state.state,
        confirmed=state.confirmed_boot,
        clock_offset_s=state.clock_offset_seconds,
        silent_s=state.silent_seconds,
        epoch=state.epoch,
        read_up_completed=state.read_up_completed,
    )
