"""The Runner's wires to Kafka: what it reads becomes events, what it writes is told of by tag."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeAlias

from kirby.actors.base import KirbyActor
from kirby.core.claims.effects import (
    PostClaim,
    PostHeartbeat,
    PostNotStarted,
    PostTicket,
    ReadTopics,
)
from kirby.core.claims.events import (
    AnyEvent,
    ClaimAcknowledged,
    ClaimFailed,
    ClaimRead,
    DrainRead,
    HeartbeatAcknowledged,
    HeartbeatFailed,
    HostHeard,
    NotStartedAcknowledged,
    NotStartedFailed,
    OfferRead,
    ScheduleRead,
    TicketAcknowledged,
    TicketFailed,
    TopicsReadUp,
)
from kirby.core.claims.reading_up import ReadingUp
from kirby.core.names import AttemptId, ContextKey, Host, Incarnation
from kirby.core.records import (
    Claim,
    Heartbeat,
    LeaderClaim,
    Mirrored,
    NotStarted,
    Offer,
    TopicName,
)
from kirby.kafka import events as kafka
from kirby.kafka.asking import HighWatermarks
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.ports import KafkaPort
from kirby.kafka.starts import Beginning, Since

READ_UP = (TopicName.OFFERS, TopicName.CLAIMS, TopicName.HOSTS)
# What is not delivered by then is old news: heartbeats and claims are made anew.
DELIVERY_LIMIT = timedelta(seconds=10)
ASK_AGAIN_SECONDS = 1.0
NAME_TRIES = 3
DRAINED = "#"  # first sign of the key of a host in the schedule topic


@dataclass(frozen=True, kw_only=True)
class AskEnds:
    """A wake-up: ask again for the ends of the topics."""


@dataclass(frozen=True, kw_only=True)
class AskLog:
    """A wake-up: ask again which log the ticket stands in."""


@dataclass(frozen=True, kw_only=True)
class TicketTag:
    """Marks the ticket."""


@dataclass(frozen=True, kw_only=True)
class HeartbeatTag:
    """Marks a heartbeat."""

    number: int


@dataclass(frozen=True, kw_only=True)
class ClaimTag:
    """Marks a claim."""

    attempt: AttemptId


@dataclass(frozen=True, kw_only=True)
class NotStartedTag:
    """Marks a report."""

    attempt: AttemptId


Written: TypeAlias = PostTicket | PostHeartbeat | PostClaim | PostNotStarted


class RunnerActor(Protocol):
    """What the wires need of their actor."""

    def step(self, *events: AnyEvent) -> None:
        """Take events."""

    def log_gone(self) -> None:
        """End, as what was read of the hosts topic is gone: it is another log."""


class RunnerLog:
    """Reads offers, claims, hosts and the schedule's mirror; writes what the core wants written."""

    def __init__(self, actor: Any, port: KafkaPort) -> None:
        self._actor: RunnerActor = actor
        self._wake: KirbyActor = actor
        self._box: Mailbox[Any] = Mailbox()
        self._poster = port.poster(self._box, delivery_limit=DELIVERY_LIMIT)
        self._queries = port.queries(self._box)
        self._reading_up = ReadingUp()
        self._is_read_up = False
        self._ticket: kafka.Posted | None = None  # acknowledged; its log is being asked for
        self._unnamed = 0  # how often it was not told which
        self.name = ""  # of the log that incarnations are offsets of
        starts = {TopicName.HOSTS: Beginning(), TopicName.SCHEDULE: Beginning()}
        self._reader = port.reader(starts, self._box)
        self._wake.watch(self._box.fileno(), self._drain)

    def perform(self, effect: Written | ReadTopics) -> None:
        """Write or read what the core wants."""
        match effect:
            case PostTicket(ticket=ticket):
                key = f"{ticket.host}/ticket"
                self._poster.post(TopicName.HOSTS, key, ticket, tag=TicketTag())
            case PostHeartbeat(number=number, heartbeat=beat):
                tag = HeartbeatTag(number=number)
                self._poster.post(TopicName.HOSTS, beat.host, beat, tag=tag)
            case PostClaim(claim=claim):
                claimed = ClaimTag(attempt=_attempt(claim))
                self._poster.post(TopicName.CLAIMS, claim.run, claim, tag=claimed)
            case PostNotStarted(report=report):
                told = NotStartedTag(attempt=_attempt(report))
                self._poster.post(TopicName.RUNS, report.run, report, tag=told)
            case ReadTopics(offers_since=offers, claims_since=claims):
                self._reader.read(
                    {
                        TopicName.OFFERS: Since(instant=offers),
                        TopicName.CLAIMS: Since(instant=claims),
                    }
                )
                self._ask_ends()

    def woke(self, purpose: Any) -> None:
        """Go on with what waited."""
        match purpose:
            case AskEnds():
                self._ask_ends()
            case AskLog():
                self._ask_log()

    def close(self) -> None:
        """Let go of Kafka; what is on its way may be lost, and is told by nobody."""
        self._wake.unwatch(self._box.fileno())
        self._reader.close()
        self._poster.close(0.5)
        self._queries.close()
        self._box.close()

    def _ask_log(self) -> None:
        self._queries.ask_log(TopicName.HOSTS, tag=TicketTag())

    def _ask_ends(self) -> None:
        self._queries.ask(HighWatermarks(), READ_UP, tag=READ_UP)

    def _drain(self) -> None:
        events = [mine for told in self._box.drain() for mine in self._events(told)]
        if events:
            self._actor.step(*events)

    def _events(self, told: Any) -> Iterator[AnyEvent]:
        match told:
            case kafka.Delivered():
                yield from _read(told)
                yield from self._reached(told.topic, told.partition, told.offset + 1)
            case kafka.CaughtUp():
                yield from self._reached(told.topic, told.partition, told.next_offset)
            case kafka.UnreadableRead():
                self._wake.log.error("%s", told.sentence)
                yield from self._reached(told.topic, told.partition, told.offset + 1)
            case kafka.Posted() | kafka.NotPosted():
                yield from self._written(told)
            case kafka.Answered():
                self._reading_up = self._reading_up.until(told.offsets)
                yield from self._look_whether_read_up()
            case kafka.LogNamed(log=log):
                yield from self._log_named(log)
            case kafka.NotAnswered(tag=TicketTag()):
                yield from self._log_not_named(told.sentence)
            case kafka.NotAnswered():
                self._wake.wake(ASK_AGAIN_SECONDS, AskEnds())
            case kafka.OffsetGone(topic=TopicName.HOSTS):
                self._actor.log_gone()
            case kafka.ReaderTrouble():
                self._wake.log.warning("%s", told.sentence)

    def _reached(self, topic: TopicName, partition: int, next_offset: int) -> Iterator[AnyEvent]:
        if not self._is_read_up:
            self._reading_up = self._reading_up.reached((topic, partition), next_offset)
            yield from self._look_whether_read_up()

    def _look_whether_read_up(self) -> Iterator[AnyEvent]:
        if not self._is_read_up and self._reading_up.is_complete:
            self._is_read_up = True
            yield TopicsReadUp()

    def _written(self, told: kafka.Posted | kafka.NotPosted) -> Iterator[AnyEvent]:
        if isinstance(told, kafka.NotPosted):
            self._wake.log.warning("not written: %s", told.sentence)
            yield from _failed(told)
        elif isinstance(told.tag, TicketTag):
            self._ticket = told
            self._ask_log()
        else:
            yield from _acknowledged(told)

    def _log_not_named(self, sentence: str) -> Iterator[AnyEvent]:
        """Ask again a few times; then begin without its name, as by the only log there is."""
        self._unnamed += 1
        if self._unnamed < NAME_TRIES:
            self._wake.wake(ASK_AGAIN_SECONDS, AskLog())
            return
        self._wake.log.warning("which log the ticket stands in is not told: %s", sentence)
        yield from self._log_named("")

    def _log_named(self, log: str) -> Iterator[AnyEvent]:
        self.name, ticket, self._ticket = log, self._ticket, None
        if ticket is not None:
            incarnation = Incarnation(ticket.offset)
            yield TicketAcknowledged(incarnation=incarnation, appended=ticket.appended)


def _acknowledged(told: kafka.Posted) -> Iterator[AnyEvent]:
    match told.tag:
        case HeartbeatTag(number=number):
            yield HeartbeatAcknowledged(
                number=number,
                appended=told.appended,
                acknowledged_boot=told.acknowledged_boot,
            )
        case ClaimTag(attempt=attempt):
            yield ClaimAcknowledged(attempt=attempt)
        case NotStartedTag(attempt=attempt):
            yield NotStartedAcknowledged(attempt=attempt)


def _failed(told: kafka.NotPosted) -> Iterator[AnyEvent]:
    match told.tag:
        case TicketTag():
            yield TicketFailed()
        case HeartbeatTag(number=number):
            yield HeartbeatFailed(number=number)
        case ClaimTag(attempt=attempt):
            yield ClaimFailed(attempt=attempt)
        case NotStartedTag(attempt=attempt):
            yield NotStartedFailed(attempt=attempt)


def _read(told: kafka.Delivered) -> Iterator[AnyEvent]:
    match told.record:
        case Offer() as offer:
            yield OfferRead(offer=offer)
        case Claim() | LeaderClaim() as claim:
            yield ClaimRead(claim=claim)
        case Heartbeat() as heartbeat:
            yield HostHeard(heartbeat=heartbeat)
        case Mirrored(definition=definition):
            yield ScheduleRead(context=definition.context, definition=definition)
        case _ if told.topic is TopicName.SCHEDULE and told.key.startswith(DRAINED):
            host = Host(told.key.removeprefix(DRAINED))
            yield DrainRead(host=host, draining=told.record is not None)
        case None if told.topic is TopicName.SCHEDULE:
            yield ScheduleRead(context=ContextKey(told.key), definition=None)


def _attempt(record: Claim | NotStarted) -> AttemptId:
    return AttemptId(run=record.run, attempt=record.attempt)
