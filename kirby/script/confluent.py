"""The Kafka client of a script: confluent-kafka, and what it needs to be held to.

Of librdkafka's own complaints (some 20 lines a second while a broker is away) only one in a while
reaches the script's log.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka import KafkaError as Code
from confluent_kafka.admin import AdminClient, NewTopic

from kirby.core.errors import KafkaError
from kirby.script import settings
from kirby.script.confluent_reading import GroupReading, OutsideReading
from kirby.script.logger import Log, log
from kirby.script.noise import Limiter
from kirby.script.ports import Delivered, Headers, Reading, Start, Writing

PARTITIONS = 6  # of a topic that a script meets first; a later change would move the keys
ANSWER_LIMIT_SECONDS = 30.0
_CONNECT_LIMIT_SECONDS = 5.0
_FULL_BUFFER_WAIT_SECONDS = 0.1


class Confluent:
    """Makes readers and writers.

    Args:
        given: settings of librdkafka.
        instance: of a daemon, its instance id. It makes its readers static members of their
            group: killed and started again on its host, it has its partitions back at once and
            not after the session limit.
        to: where complaints go.
    """

    def __init__(self, given: Mapping[str, str], instance: str = "", to: Log = log) -> None:
        self._given = given
        self._instance = instance
        self._opened: Counter[str] = Counter()  # a topic that is read twice is two members
        self._complaints = Complaints(to)
        self._admin: Any = None

    def create(self, topic: str) -> None:
        """Make a topic unless it is there; what is not permitted is left to the first use."""
        if self._admin is None:
            self._admin = AdminClient(
                {**settings.for_admin(self._given), "error_cb": self._complaints.error},
                logger=self._complaints.logger,
            )
        made = self._admin.create_topics(
            [NewTopic(topic, num_partitions=PARTITIONS)], request_timeout=ANSWER_LIMIT_SECONDS
        )
        try:
            made[topic].result()
        except KafkaException as fault:
            _pass_over_or_raise(topic, fault.args[0])

    def writing(self) -> Writing:
        """Return an idempotent producer."""
        return ConfluentWriting(
            Producer(
                {**settings.for_writing(self._given), "error_cb": self._complaints.error},
                logger=self._complaints.logger,
            )
        )

    def group(self, topic: str, group: str, lost: Callable[[Sequence[int]], None]) -> Reading:
        """Return a member of the group, subscribed to the topic."""
        self._opened[topic] += 1
        member = settings.member_of(self._instance, topic, self._opened[topic])
        given = settings.for_group(self._given, group, member)
        return GroupReading(self._consumer(given), topic, lost, self._complaints)

    def outside(self, topic: str, start: Start) -> Reading:
        """Return a consumer that reads every partition from the start that was asked for."""
        return OutsideReading(
            self._consumer(settings.for_outside(self._given)), topic, start, self._complaints
        )

    def _consumer(self, given: Mapping[str, str]) -> Any:
        return Consumer(
            {**given, "error_cb": self._complaints.error}, logger=self._complaints.logger
        )


class ConfluentWriting:
    """A producer whose full buffer makes the script wait."""

    def __init__(self, producer: Any) -> None:
        self._producer = producer
        self._is_connected = False

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        done: Delivered,
    ) -> None:
        """Hand a record to the producer."""
        if not self._is_connected:
            self._connect(topic)

        def delivered(error: Any, _message: Any) -> None:
            done(error.str() if error else "")

        while True:
            try:
                self._producer.produce(
                    topic, key=key, value=value, headers=list(headers), on_delivery=delivered
                )
                break
            except BufferError:
                self._producer.poll(_FULL_BUFFER_WAIT_SECONDS)
            except KafkaException as fault:  # too large, or a fault that nothing mends
                done(fault.args[0].str())
                break
        self._producer.poll(0)

    def _connect(self, topic: str) -> None:
        """Ask for something first: a producer that has no connection yet rests for 0.5 s."""
        with suppress(KafkaException):
            self._producer.list_topics(topic, timeout=_CONNECT_LIMIT_SECONDS)
        self._is_connected = True

    def serve(self) -> None:
        """Serve delivery reports."""
        self._producer.poll(0)

    def flush(self, seconds: float) -> None:
        """Wait for the delivery reports."""
        self._producer.flush(seconds)


class Complaints:
    """Takes what librdkafka says of itself, and writes each kind of it once in a while."""

    def __init__(self, to: Log) -> None:
        self._log = to
        self._limiter = Limiter()
        self.logger = logging.Logger("kafka-client", logging.ERROR)
        self.logger.addHandler(_Handler(self))

    def error(self, error: Any) -> None:
        """Take an error of the client as a whole."""
        if error.code() in (Code._ALL_BROKERS_DOWN, Code._TRANSPORT, Code._RESOLVE):
            self.tell("unreachable", f"Kafka does not answer, trying on: {error.str()}")
        else:
            self.tell(str(error.code()), f"Kafka client: {error.str()}")

    def tell(self, kind: str, text: str) -> None:
        """Write a complaint unless one of its kind was written a moment ago."""
        if self._limiter.admits(kind, time.monotonic()):
            before = self._limiter.held_back(kind)
            fields = {"not_shown": before} if before else {}
            self._log.record("warning", text, **fields)


class _Handler(logging.Handler):
    def __init__(self, complaints: Complaints) -> None:
        super().__init__()
        self._complaints = complaints

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        facility = text.split(" ", 1)[0]  # FAIL, CONNECT, SESSTMOUT, ...
        self._complaints.tell(facility, f"Kafka client: {text}")


def _pass_over_or_raise(topic: str, error: Any) -> None:
    """Pass over what the first use of the topic tells better; raise where Kafka is silent."""
    if error.code() in (Code._TIMED_OUT, Code._TRANSPORT, Code._ALL_BROKERS_DOWN, Code._RESOLVE):
        raise KafkaError(
            f'topic "{topic}": Kafka does not answer ({error.str()}): '
            "see whether it runs, and whether this host reaches it"
        )
