"""A Runner's ticket counts once it is known which log it stands in."""

from datetime import UTC, datetime
from typing import Any

from kirby.actors import runner_log
from kirby.actors.runner_log import AskLog, RunnerLog
from kirby.core.claims.effects import PostTicket
from kirby.core.claims.events import AnyEvent, TicketAcknowledged
from kirby.core.names import Host, Incarnation, StateFolderId
from kirby.core.records import Ticket, TopicName
from kirby.kafka import events as kafka

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Stage:
    """An actor, a Kafka and all its clients in one: it notes what is wanted of it."""

    def __init__(self) -> None:
        self.stepped: list[AnyEvent] = []
        self.woken: list[Any] = []
        self.asked: list[TopicName] = []
        self.tags: list[Any] = []
        self.log = self
        self.is_gone = False

    def step(self, *events: AnyEvent) -> None:
        self.stepped += events

    def log_gone(self) -> None:
        self.is_gone = True

    def watch(self, _descriptor: int, drain: Any) -> None:
        self.drain = drain

    def wake(self, _seconds: float, purpose: Any) -> None:
        self.woken.append(purpose)

    def warning(self, *_words: Any) -> None:
        """Nobody reads it here."""

    def poster(self, mailbox: Any, **_limits: Any) -> "Stage":
        self.mailbox = mailbox
        return self

    def queries(self, _mailbox: Any) -> "Stage":
        return self

    def reader(self, _starts: Any, _mailbox: Any) -> "Stage":
        return self

    def post(self, _topic: TopicName, _key: str, _record: Any, *, tag: Any) -> None:
        self.tags.append(tag)

    def ask_log(self, topic: TopicName, *, tag: Any) -> None:
        self.asked.append(topic)
        self.tags.append(tag)

    def tells(self, event: Any) -> None:
        self.mailbox.put(event)
        self.drain()


def acknowledged() -> tuple[Stage, RunnerLog]:
    """Return wires whose ticket stands at offset 7."""
    stage = Stage()
    port: Any = stage
    log = RunnerLog(stage, port)
    ticket = Ticket(host=Host("alpha"), state_folder=StateFolderId("folder"))
    log.perform(PostTicket(ticket=ticket))
    stage.tells(
        kafka.Posted(
            tag=stage.tags[0],
            topic=".kirby.hosts",
            partition=0,
            offset=7,
            appended=NOON,
            acknowledged_boot=1.0,
        )
    )
    return stage, log


def test_a_ticket_counts_once_its_log_is_named() -> None:
    stage, log = acknowledged()
    before = list(stage.stepped)

    stage.tells(kafka.LogNamed(tag=stage.tags[-1], log="log-1"))

    assert (before, stage.asked) == ([], [TopicName.HOSTS])
    assert stage.stepped == [TicketAcknowledged(incarnation=Incarnation(7), appended=NOON)]
    assert log.name == "log-1"


def test_a_log_that_is_not_named_is_asked_for_again_and_at_last_gone_without() -> None:
    stage, log = acknowledged()

    for _ in range(runner_log.NAME_TRIES):
        stage.tells(kafka.NotAnswered(tag=stage.tags[-1], sentence="away"))
        log.woke(AskLog())

    assert stage.woken == [AskLog()] * (runner_log.NAME_TRIES - 1)
    assert stage.stepped == [TicketAcknowledged(incarnation=Incarnation(7), appended=NOON)]
    assert log.name == ""


def test_a_hosts_topic_that_is_another_one_ends_the_runner() -> None:
    stage, _ = acknowledged()

    stage.tells(kafka.OffsetGone(topic=TopicName.CLAIMS, partition=0, asked=9))
    others = stage.is_gone
    stage.tells(kafka.OffsetGone(topic=TopicName.HOSTS, partition=0, asked=9))

    assert (others, stage.is_gone) == (False, True)
