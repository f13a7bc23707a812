"""The parts of the application that are Kafka's: requests, logs, topics, whether it answers."""

import itertools
import select
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from datetime import timedelta

from kirby.core.errors import KafkaError
from kirby.core.records import AnyRecord, Lines, RequestRecord, TopicName
from kirby.kafka.events import NotPosted, Posted
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.making import ensure_user_topics
from kirby.kafka.poster import Poster
from kirby.kafka.queries import probe
from kirby.kafka.range_reader import Found, RangeReader, Span
from kirby.kafka.settings import KafkaSettings
from kirby.kafka.topics import LAYOUTS
from kirby.web.parts import LogPiece, LogPlace

POST_LIMIT = timedelta(seconds=5)
WAIT_S = POST_LIMIT.total_seconds() + 2
LINES_AT_ONCE = 5000
TOPICS_LIMIT_S = 15.0
PROBE_LIMIT_S = 3.0
PROBE_KEPT_S = 2.0  # so that whoever asks often does not open a connection each time


class KafkaRequests:
    """Posts requests; whoever posts waits for the acknowledgement."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._mailbox: Mailbox[Posted | NotPosted] = Mailbox()
        self._poster = Poster(settings, self._mailbox, delivery_limit=POST_LIMIT)
        self._waiting: dict[int, Future[None]] = {}
        self._numbers = itertools.count()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="kirby-requests", daemon=True)
        self._thread.start()

    def post(self, request: RequestRecord) -> None:
        """Post a request, and wait until it stands in the log.

        Raises:
            KafkaError: it may or may not stand there.
        """
        tag, acknowledged = next(self._numbers), Future[None]()
        self._waiting[tag] = acknowledged
        try:
            self._poster.post(TopicName.REQUESTS, request.context, request, tag=tag)
            acknowledged.result(timeout=WAIT_S)
        except TooLate:
            raise KafkaError(
                "Kafka did not acknowledge the request: it may still be done"
            ) from None
        finally:
            self._waiting.pop(tag, None)

    def close(self) -> None:
        """End; what waits is told that it was not posted."""
        self._poster.close()
        self._closing.set()
        self._thread.join(1.0)
        self._mailbox.close()

    def _work(self) -> None:
        while not self._closing.is_set():
            select.select([self._mailbox], [], [], 0.5)
            for event in self._mailbox.drain():
                self._tell(event)

    def _tell(self, event: Posted | NotPosted) -> None:
        waiting = self._waiting.get(event.tag) if isinstance(event.tag, int) else None
        if waiting is None or waiting.done():
            return
        if isinstance(event, Posted):
            waiting.set_result(None)
        else:
            waiting.set_exception(KafkaError(event.sentence))


class KafkaLogs:
    """Reads the output of attempts from the topic of logs."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._reader = RangeReader(settings)

    def read(self, run: str, attempt: int, place: LogPlace) -> LogPiece:
        """Read some of an attempt's output, in order."""
        collected = 0

        def wants(record: AnyRecord) -> bool:
            nonlocal collected
            if not isinstance(record, Lines) or (record.run, record.attempt) != (run, attempt):
                return False
            new = record.first + len(record.lines) > place.after
            collected += len(record.lines) if new else 0
            return new

        found = self._reader.read(
            TopicName.LOGS, self._spans(place), wants, lambda: collected > LINES_AT_ONCE
        )
        return LogPiece(batches=_in_order(found))

    def close(self) -> None:
        """Let go of the clients."""
        self._reader.close()

    def _spans(self, place: LogPlace) -> Mapping[int, Span]:
        if place.partition is not None:
            return {place.partition: Span(first=place.first or 0, last=place.last)}
        if place.since is None:
            return {}
        return self._reader.since(TopicName.LOGS, place.since, LAYOUTS[TopicName.LOGS].partitions)


def _in_order(found: Sequence[Found]) -> list[tuple[int, Lines]]:
    """Drop what was shipped twice."""
    batches: dict[int, tuple[int, Lines]] = {}
    for each in found:
        if isinstance(each.record, Lines):
            batches.setdefault(each.record.first, (each.offset, each.record))
    return [batches[first] for first in sorted(batches)]


class KafkaTopics:
    """Creates the topics that scripts use."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings

    def ensure(self, topics: Mapping[str, int]) -> Sequence[str]:
        """Create what is not there; return all names."""
        ensure_user_topics(self._settings, topics, limit_s=TOPICS_LIMIT_S)
        return sorted(topics)


class KafkaAnswers:
    """Whether Kafka answers; asked anew every few seconds at most."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._asked: float | None = None
        self._answer: str | None = None

    def kafka(self) -> str | None:
        """Return None where it answers, else a sentence."""
        with self._lock:
            now = time.monotonic()
            if self._asked is None or now - self._asked > PROBE_KEPT_S:
                self._answer = self._probe()
                self._asked = time.monotonic()
            return self._answer

    def _probe(self) -> str | None:
        try:
            probe(self._settings, PROBE_LIMIT_S)
        except Exception as fault:
            return str(fault)
        return None
