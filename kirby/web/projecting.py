"""The thread that follows the log and writes what happens into the database."""

import contextlib
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
from kirby.kafka.membership import Share
from kirby.kafka.ports import ReaderPort
from kirby.kafka.starts import Beginning, Chosen, Partition, Position, Start
from kirby.kafka.topics import LAYOUTS
from kirby.model.database import connection
from kirby.model.projection import PROJECTED, Placed, forget_offset, offsets, take
from kirby.model.retention import prune

BATCH = 500  # records of one transaction: short enough that no request waits long for the lock
AGAIN_S = 1.0
PRUNE_TRIED_EVERY = timedelta(minutes=5)  # of all web services one does it, each hour
GIVE_UP_S = 5.0  # without the database: then another web service may go on
ALL = frozenset(
    (topic, partition) for topic in PROJECTED for partition in range(LAYOUTS[topic].partitions)
)
SILENT_S = 5.0  # the reader says twice a second that it is alive

_log = logging.getLogger(__name__)


class _DatabaseGone(Exception):
    """The database did not answer for so long that others may do better."""


class Projecting:
    """Follows runs, hosts, leadership and the daemons' offers until closed.

    Where the database has room for several web services, each reads a share of the partitions. One
    that has lost the database leaves its share to the others, and comes back when it has it again.
    """

    def __init__(
        self,
        kafka: Kafka,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        shares: bool = False,
    ) -> None:
        self._kafka = kafka
        self._now = now
        self._shares = shares
        self._mailbox: Mailbox[Any] = Mailbox()
        self._wake: Mailbox[Any] = Mailbox()
        self._closing = threading.Event()
        self._alive: float | None = None
        self._idle = False  # it shares, and nothing fell to it
        self._sentence = "what happens is not read yet"
        self._reader: ReaderPort | None = None
        self._pruned: datetime | None = None
        self._thread = threading.Thread(target=self._work, name="kirby-projection", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, after the batch that is under way."""
        self._closing.set()
        self._wake.put(None)
        self._thread.join(10.0)
        self._wake.close()

    def trouble(self) -> str | None:
        """Return None while the log is being read, else why not."""
        if self._idle or (self._alive is not None and boot() - self._alive < SILENT_S):
            return None
        return self._sentence

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                self._wait_for_database()
                self._take_part()
            except _DatabaseGone:
                self._idle = False

    def _wait_for_database(self) -> None:
        while not self._closing.is_set():
            try:
                self._insisting(offsets)
            except _DatabaseGone:
                continue
            return

    def _take_part(self) -> None:
        """Read this service's share until the database is lost; all others of it are told."""
        with contextlib.ExitStack() as stack:
            told: Mailbox[Share] = Mailbox()
            stack.callback(told.close)
            if self._shares:
                stack.callback(self._kafka.membership(PROJECTED, told).close)
            else:
                told.put(Share(partitions=ALL))
            stack.callback(self._read, Share(partitions=frozenset(), settled=False))
            while not self._closing.is_set():
                select.select([self._mailbox, self._wake, told], [], [], AGAIN_S)
                for share in told.drain()[-1:]:
                    self._read(share)
                self._take(self._mailbox.drain())
                self._prune()

    def _read(self, share: Share) -> None:
        """Read this share from where the database is, and nothing else any more."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self._mailbox.drain()  # read and not taken: whoever reads on begins before it
        self._idle = share.settled and not share.partitions
        if share.partitions and not self._closing.is_set():
            known = self._insisting(offsets)
            self._reader = self._kafka.reader(_starts(share, known or {}), self._mailbox)

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
        """Do something with the database, again and again for a while, unless this is closed.

        Raises:
            _DatabaseGone: it was not done.
        """
        until = boot() + GIVE_UP_S
        while not self._closing.is_set():
            try:
                with connection():
                    return what()
            except (peewee.OperationalError, peewee.InterfaceError, DatabaseError) as fault:
                self._sentence = f"the database does not answer: {fault}"
                _log.warning("%s", self._sentence)
                if boot() > until:
                    raise _DatabaseGone from fault
                self._closing.wait(AGAIN_S)
        return None

    def _prune(self) -> None:
        now = self._now()
        if self._pruned is None or now - self._pruned >= PRUNE_TRIED_EVERY:
            self._pruned = now
            self._insisting(partial(prune, now))


def _starts(share: Share, known: dict[Partition, int]) -> dict[TopicName, Start]:
    positions: dict[TopicName, dict[int, Position]] = {}
    for topic, partition in share.partitions:
        following = known.get((topic, partition), Beginning())
        positions.setdefault(topic, {})[partition] = following
    return {topic: Chosen(positions=each) for topic, each in positions.items()}


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
