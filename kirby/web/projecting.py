"""The thread that follows the log and writes what happens into the database."""

import logging
import select
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

import peewee

from kirby.core.errors import DatabaseError
from kirby.core.records import TopicName
from kirby.kafka.boot import boot
from kirby.kafka.client import Kafka
from kirby.kafka.events import Alive, CaughtUp, Delivered, OffsetGone, ReaderTrouble, UnreadableRead
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.ports import ReaderPort
from kirby.kafka.starts import Beginning, Start
from kirby.kafka.topics import LAYOUTS
from kirby.model.database import connection
from kirby.model.projection import PROJECTED, Placed, forget_offset, offsets, take
from kirby.model.retention import prune

BATCH = 500  # records of one transaction: short enough that no request waits long for the lock
AGAIN_S = 1.0
PRUNE_EVERY = timedelta(hours=1)
SILENT_S = 5.0  # the reader says twice a second that it is alive

_log = logging.getLogger(__name__)


class Projecting:
    """Follows runs, hosts, leadership and the daemons' offers until it is closed."""

    def __init__(
        self, kafka: Kafka, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._kafka = kafka
        self._now = now
        self._mailbox: Mailbox[Any] = Mailbox()
        self._closing = threading.Event()
        self._alive: float | None = None
        self._sentence = "what happens is not read yet"
        self._pruned: datetime | None = None
        self._thread = threading.Thread(target=self._work, name="kirby-projection", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, after the batch that is under way."""
        self._closing.set()
        self._mailbox.put(None)
        self._thread.join(10.0)
        self._mailbox.close()

    def trouble(self) -> str | None:
        """Return None while the log is being read, else why not."""
        if self._alive is not None and boot() - self._alive < SILENT_S:
            return None
        return self._sentence

    def _work(self) -> None:
        reader = self._begin()
        if reader is None:
            return
        try:
            while not self._closing.is_set():
                select.select([self._mailbox], [], [], AGAIN_S)
                self._take(self._mailbox.drain())
                self._prune()
        finally:
            reader.close()

    def _begin(self) -> ReaderPort | None:
        """Begin to read where the last one ended; wait for the database as long as it takes."""
        known = self._insisting(offsets)
        if known is None:
            return None
        return self._kafka.reader(
            {topic: _start(topic, known) for topic in PROJECTED}, self._mailbox
        )

    def _take(self, events: Sequence[Any]) -> None:
        remaining = iter(events)
        while batch := list(islice(remaining, BATCH)):
            for event in batch:
                self._note(event)
            placed = [each for each in map(_placed, batch) if each is not None]
            reached = {
                (each.topic, each.partition): each.next_offset
                for each in batch
                if isinstance(each, CaughtUp)
            }
            if placed:
                self._insisting(partial(take, placed, reached))

    def _note(self, event: Any) -> None:
        match event:
            case Alive():
                self._alive = event.boot
            case ReaderTrouble():
                self._sentence = event.sentence
                _log.warning("%s", event.sentence)
            case UnreadableRead():
                _log.warning("%s/%s@%s: %s", event.topic.value, event.partition, event.offset,
                             event.sentence)  # fmt: skip
            case OffsetGone():
                _log.warning("%s/%s begins anew", event.topic.value, event.partition)
                self._insisting(partial(forget_offset, event.topic, event.partition))

    def _insisting(self, what: Callable[[], Any]) -> Any:
        """Do something with the database until it is done, or this is closed."""
        while not self._closing.is_set():
            try:
                with connection():
                    return what()
            except (peewee.OperationalError, peewee.InterfaceError, DatabaseError) as fault:
                self._sentence = f"the database does not answer: {fault}"
                _log.warning("%s", self._sentence)
                self._closing.wait(AGAIN_S)
        return None

    def _prune(self) -> None:
        now = self._now()
        if self._pruned is None or now - self._pruned >= PRUNE_EVERY:
            self._pruned = now
            self._insisting(partial(prune, now))


def _start(topic: TopicName, known: dict[tuple[TopicName, int], int]) -> Start:
    partitions = range(LAYOUTS[topic].partitions)
    if not any((topic, partition) in known for partition in partitions):
        return Beginning()
    return tuple(known.get((topic, partition), 0) for partition in partitions)


def _placed(event: Any) -> Placed | None:
    if not isinstance(event, Delivered):
        return None
    return Placed(
        topic=event.topic,
        partition=event.partition,
        offset=event.offset,
        record=event.record,
        key=event.key,
    )
