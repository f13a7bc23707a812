"""What Kafka is asked: ends, beginnings, offsets of an instant, the broker's clock, whether it is.

`Queries` answers through a mailbox, and holds one client. The functions wait, each within its
limit. All but `offsets_of`, whose client ends a while later, leave neither thread nor connection
behind, so that their caller may fork afterwards.
"""

from collections.abc import Hashable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from confluent_kafka import KafkaException, Producer, TopicCollection
from confluent_kafka.admin import AdminClient

from kirby.core.errors import KafkaError, KafkaNotReachable
from kirby.core.records import Offsets, TopicName
from kirby.kafka.asking import Asker, Question
from kirby.kafka.boot import boot
from kirby.kafka.events import Answered, LogNamed, NotAnswered, QueryEvent
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.retiring import retire
from kirby.kafka.sentences import fault_of, plain, sentence
from kirby.kafka.settings import KafkaSettings

LIMIT_S = 3.0


class Queries:
    """Asks without waiting; thread-safe.

    A client that only asks for offsets never learns that a broker began a new epoch of leadership
    when it was started again: every further question of it is refused (measured). So after a
    question without an answer the next one is asked by a new client.
    """

    def __init__(self, settings: KafkaSettings, mailbox: Mailbox[Any]) -> None:
        self._settings = settings
        self._admin: Any = AdminClient(settings.for_admin())
        self._failed: Any = None  # the client whose question was not answered
        self._mailbox: Mailbox[QueryEvent] = mailbox

    def ask(
        self,
        question: Question,
        topics: Iterable[TopicName],
        *,
        tag: Hashable,
        limit_s: float = LIMIT_S,
    ) -> None:
        """Ask for an offset of every partition of topics; `Answered` or `NotAnswered` comes."""
        if self._admin is None:
            return
        if self._failed is self._admin:
            retire(self._admin)
            self._admin = AdminClient(self._settings.for_admin())
        admin = self._admin

        def failed(fault: str) -> None:
            self._failed = admin
            self._mailbox.put(NotAnswered(tag=tag, sentence=fault))

        Asker(settings=self._settings, admin=admin, limit_s=limit_s).ask(
            question,
            tuple(topics),
            lambda offsets: self._mailbox.put(Answered(tag=tag, offsets=offsets, boot=boot())),
            failed,
        )

    def ask_log(self, topic: TopicName, *, tag: Hashable, limit_s: float = LIMIT_S) -> None:
        """Ask which log a topic is; `LogNamed` or `NotAnswered` comes."""
        if self._admin is None:
            return
        name, admin = self._settings.topic(topic), self._admin

        def heard(done: Any) -> None:
            if (raised := done.exception()) is not None:
                self._failed = admin
                why = sentence(self._settings.bootstrap, fault_of(raised))
                self._mailbox.put(NotAnswered(tag=tag, sentence=why))
            else:
                self._mailbox.put(LogNamed(tag=tag, log=str(done.result().topic_id)))

        topics = TopicCollection([name])
        asked = admin.describe_topics(topics, request_timeout=limit_s)
        asked[name].add_done_callback(heard)

    def close(self) -> None:
        """Let go of the client; what was asked may stay unanswered."""
        retire(self._admin)
        self._admin = self._failed = None


def offsets_of(
    settings: KafkaSettings,
    question: Question,
    topics: Iterable[TopicName],
    *,
    limit_s: float = LIMIT_S,
) -> Mapping[TopicName, Offsets]:
    """Ask and wait for an offset of every partition of topics.

    Raises:
        KafkaError: no answer in time, or a topic is not there.
    """
    answer: Future[Mapping[TopicName, Offsets]] = Future()
    admin = AdminClient(settings.for_admin())
    Asker(settings=settings, admin=admin, limit_s=limit_s).ask(
        question,
        tuple(topics),
        answer.set_result,
        lambda fault: answer.set_exception(KafkaError(fault)),
    )
    try:
        return answer.result()
    finally:
        retire(admin)


def probe(settings: KafkaSettings, limit_s: float = 10.0) -> None:
    """Make sure that Kafka can be reached, before anything is started.

    Raises:
        KafkaNotReachable: with the reason that the client gave last.
    """
    heard: list[str] = []
    config = settings.for_admin() | {"error_cb": lambda fault: heard.append(fault.str())}
    admin = AdminClient(config)
    try:
        admin.list_topics(timeout=limit_s)
    except KafkaException as raised:
        admin.poll(0)  # calls back with what was heard meanwhile, which is nearer to the cause
        why = heard[0] if heard else fault_of(raised).str()
        raise KafkaNotReachable(
            f"no Kafka answers at {settings.bootstrap} within {limit_s:g} s ({plain(why)}): "
            "start it, or name another with --kafka"
        ) from None


def cluster_id(settings: KafkaSettings, limit_s: float = 10.0) -> str:
    """Return the id of the Kafka cluster, which its brokers share and no other has.

    Raises:
        KafkaNotReachable: no broker answers in time.
    """
    admin = AdminClient(settings.for_admin())
    try:
        return str(admin.list_topics(timeout=limit_s).cluster_id)
    except KafkaException as raised:
        raise KafkaNotReachable(
            f"no Kafka answers at {settings.bootstrap} within {limit_s:g} s "
            f"({plain(fault_of(raised).str())}): start it, or name another with --kafka"
        ) from None


@dataclass(frozen=True, kw_only=True)
class ClockReading:
    """What one record said of the broker's clock, beside the two moments at which we looked."""

    sent: datetime
    appended: datetime
    acknowledged: datetime

    @property
    def ahead(self) -> timedelta:
        """Return how far this machine's clock is ahead, at least; zero if it may be right."""
        if self.sent > self.appended + timedelta(milliseconds=1):
            return self.sent - self.appended
        return min(timedelta(0), self.acknowledged - self.appended)


def broker_clock(settings: KafkaSettings, limit_s: float = LIMIT_S) -> ClockReading:
    """Read the broker's clock by a record without a value in the dead-letter topic.

    Raises:
        KafkaError: no acknowledgement in time.
    """
    told: list[tuple[Any, Any]] = []
    producer = Producer(settings.for_poster(timedelta(seconds=limit_s)))
    sent = datetime.now(UTC)
    producer.produce(
        settings.topic(TopicName.DEAD_LETTERS),
        key=b"#clock",
        on_delivery=lambda fault, record: told.append((fault, record)),
    )
    producer.flush(limit_s + 1)
    acknowledged = datetime.now(UTC)
    if not told:
        raise KafkaError(f"Kafka at {settings.bootstrap} acknowledges nothing in {limit_s:g} s")
    fault, record = told[0]
    if fault is not None:
        raise KafkaError(sentence(settings.bootstrap, fault))
    return ClockReading(sent=sent, appended=instant_of(record), acknowledged=acknowledged)


def instant_of(message: Any) -> datetime:
    """Return when a record was appended."""
    return datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
