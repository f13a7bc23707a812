"""The Scheduler of a host: stands by, or leads. Decides nothing: see `core.leader`."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kirby.actors.base import KirbyActor
from kirby.actors.lead_wiring import LeadWiring, tail_event
from kirby.actors.schedule_fetch import ScheduleFetch
from kirby.core.errors import KirbyError
from kirby.core.leader import scheduling
from kirby.core.leader.coup import TICK_SECONDS
from kirby.core.leader.events import (
    AskEnds,
    AskLeadershipEnd,
    AskWatermark,
    BecomeLeader,
    CandidateNamed,
    Commit,
    FetchSchedule,
    LeadershipEnd,
    ReadFrom,
    ScheduleFailed,
    ScheduleFetched,
    SchedulerEffect,
    SchedulerEvent,
    StandDown,
    StoodBy,
    Tick,
)
from kirby.core.leader.plan import Timetable
from kirby.core.leader.state import Scheduling, scheduler_state
from kirby.core.messages import Begin, LeadFailed, SchedulerState, StandBy, TakeLead
from kirby.core.moment import Moment
from kirby.core.nouns import Definition
from kirby.core.planning.fires import fires_of
from kirby.core.records import TopicName
from kirby.host.key_fetch import KeyFetch
from kirby.host.keys import load_keys
from kirby.host.state import StateFolder
from kirby.kafka.asking import StableEnds
from kirby.kafka.client import Kafka
from kirby.kafka.events import Answered, NotAnswered
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.settings import settings_of
from kirby.kafka.starts import End

TELL_SECONDS = 0.5  # the Supervisor hears at each change, and at least so often


class Scheduler(KirbyActor):
    """Follows the leadership topic; as the candidate it tries for the lead, as leader it fires."""

    role = "scheduler"

    def begin(self, begin: Begin, sender: Any) -> None:
        """Begin to follow, and to tick."""
        configuration = begin.configuration
        self.supervisor = sender
        self.told: SchedulerState | None = None
        self.told_boot = 0.0
        self.schedule_fault = ""
        self.state = Scheduling(host=configuration.name, life=begin.life, compile=self._compile)
        self.kafka = Kafka(settings=settings_of(configuration, client="scheduler"))
        self.tail_box: Mailbox[Any] = Mailbox()
        self.watch(self.tail_box.fileno(), self._drain_tail)
        self.tail = self.kafka.reader({TopicName.LEADERSHIP: End()}, self.tail_box)
        self.queries = self.kafka.queries(self.tail_box)
        self.lead: LeadWiring | None = None
        self.fetch_box: Mailbox[ScheduleFetched | ScheduleFailed] = Mailbox()
        self.watch(self.fetch_box.fileno(), self._drain_fetch)
        folder = StateFolder(path=Path(configuration.state))
        self.fetch = ScheduleFetch(
            urls=configuration.web_urls,
            token=load_keys(folder).host_token,
            tell=self.fetch_box.put,
        )
        self.fetch.start()
        self.key_fetch = KeyFetch(folder=folder, urls=configuration.web_urls, log=self.log)
        self.key_fetch.start()
        self.wake(TICK_SECONDS, Tick())

    def on(self, message: Any, sender: Any) -> None:
        """Take what the Supervisor orders."""
        match message:
            case TakeLead(term=term):
                self._step(CandidateNamed(term=term))
            case StandBy():
                self._step(StoodBy())
            case _:
                pass  # siblings that moved: a Scheduler speaks with nobody but its Supervisor

    def woke(self, purpose: Any) -> None:
        """Let time pass."""
        self.wake(TICK_SECONDS, Tick())
        self._step(Tick())

    def ending(self) -> None:
        """Let go of the lead and of all clients."""
        if self.begun is None:
            return
        self._drop_lead()
        self.fetch.close()
        self.key_fetch.close()
        self.tail.close()
        self.queries.close()
        self.tail_box.close()
        self.fetch_box.close()

    def facts(self) -> dict[str, Any]:
        """Tell how it stands to the lead."""
        if self.begun is None:
            return {}
        said = scheduler_state(self.state, self._now())
        lead = self.state.lead
        return {
            "state": said.state.value,
            "leader": said.leader,
            "epoch": said.epoch,
            "since": said.since.isoformat() if said.since is not None else None,
            "contexts": len(lead.ledger.books) if lead is not None else None,
            "open fires": _open_fires(lead.ledger.busy, lead.ledger.books) if lead else None,
            "schedule": (lead.schedule_fault or "fresh") if lead is not None else None,
        }

    # -- events

    def _drain_tail(self) -> None:
        for event in self.tail_box.drain():
            if isinstance(event, Answered | NotAnswered):
                self._take_answer(event)
            else:
                known = tail_event(event)
                if known is not None:
                    self._step(known)

    def _take_answer(self, event: Answered | NotAnswered) -> None:
        if event.tag == "leadership":
            offset = None
            if isinstance(event, Answered):
                offset = event.offsets[TopicName.LEADERSHIP][0]
            self._step(LeadershipEnd(offset=offset))

    def _drain_lead(self) -> None:
        lead = self.lead
        if lead is None:
            return
        for event in lead.drain():
            if self.lead is not lead:
                return  # it stood down meanwhile: the rest belongs to nobody
            self._step(event)
        self._step(Tick())

    def _drain_fetch(self) -> None:
        for event in self.fetch_box.drain():
            if isinstance(event, ScheduleFailed) and event.sentence != self.schedule_fault:
                self.log.warning("%s; firing goes on from the mirror", event.sentence)
            self.schedule_fault = event.sentence if isinstance(event, ScheduleFailed) else ""
            self._step(event)
        self._step(Tick())

    def _step(self, event: SchedulerEvent) -> None:
        self.state, effects = scheduling.step(self.state, event, self._now())
        for effect in effects:
            self._perform(effect)
        self._tell_supervisor()

    def _perform(self, effect: SchedulerEffect) -> None:
        match effect:
            case AskLeadershipEnd():
                self.queries.ask(StableEnds(), [TopicName.LEADERSHIP], tag="leadership")
            case BecomeLeader(record=record):
                self._new_lead().become(record)
            case FetchSchedule(since=since):
                self.fetch.ask(since)
            case StandDown():
                self._stand_down(effect)
            case AskEnds() | ReadFrom() | Commit() | AskWatermark():
                if self.lead is not None:
                    self.lead.perform(effect)

    def _new_lead(self) -> LeadWiring:
        self._drop_lead()
        self.lead = LeadWiring(self.kafka)
        self.watch(self.lead.fileno(), self._drain_lead)
        return self.lead

    def _stand_down(self, effect: StandDown) -> None:
        self._drop_lead()
        if effect.failure is not None:
            self.send(
                self.supervisor,
                LeadFailed(term=effect.term, failure=effect.failure, sentence=effect.sentence),
            )

    def _drop_lead(self) -> None:
        if self.lead is not None:
            self.unwatch(self.lead.fileno())
            # A link that waits for a mute broker takes seconds to close; the ticks must go on.
            threading.Thread(target=self.lead.close, name="close-lead", daemon=True).start()
            self.lead = None

    # -- what it tells

    def _tell_supervisor(self) -> None:
        now = self._now()
        said = scheduler_state(self.state, now)
        is_news = self.told is None or (said.state, said.epoch) != (
            self.told.state,
            self.told.epoch,
        )
        if is_news or now.boot - self.told_boot >= TELL_SECONDS:
            self.told, self.told_boot = said, now.boot
            self.send(self.supervisor, said)

    def _now(self) -> Moment:
        return Moment(wall=self.clock.now(), boot=self.clock.boot())

    def _compile(self, definition: Definition) -> Timetable | None:
        """Make the fires of a context; the web service has checked what is written there."""
        try:
            return fires_of(definition.schedules) if definition.schedules else None
        except KirbyError as fault:
            self.log.error("%s does not fire: %s", definition.context, fault)
            return None


def _open_fires(busy: Mapping[Any, Any], books: Mapping[Any, Any]) -> int:
    return sum(len(books[context].fires) for context in busy)
