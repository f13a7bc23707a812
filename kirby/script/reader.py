"""Reads one topic for a script: hands records out one by one, and keeps its place in the group.

A script may take as long as it likes over a record. Meanwhile `keep`, called by another thread,
polls in its stead, so that the group neither throws it out nor waits for it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from kirby.core.errors import ReadingFailed
from kirby.script.ports import Reading, Received
from kirby.script.sender import Sender
from kirby.script.settlement import Place
from kirby.script.stopping import Stopping

# Signals are handled, and delivery reports taken, between two waits; records do not wait for it.
SLICE_SECONDS = 0.2
# A group waits for its slowest member, and up to 3 s for the first ones (the broker's default).
JOIN_LIMIT_SECONDS = 60.0
# How long a script may keep a record before another thread polls for it.
BUSY_SECONDS = 1.0
REVOKED_FLUSH_SECONDS = 5.0


class Reader:
    """Hands out the records of a topic; a record is finished when the next one is asked for."""

    def __init__(
        self,
        topic: str,
        sender: Sender,
        stopping: Stopping,
        finished: Callable[[Place], None],
        settle: Callable[[], None],
    ) -> None:
        self.topic = topic
        self.current: Received | None = None  # handed out, not finished
        self._sender = sender
        self._stopping = stopping
        self._finished = finished
        self._settle = settle  # of all readers: what is acknowledged may settle any
        self._reading: Reading | None = None
        self._waiting: deque[Received] = deque()  # read while the script was busy
        self._is_held = False  # no more is fetched until the script has taken these
        self._lock = threading.RLock()  # partitions come and go inside of poll
        self._polled = time.monotonic()

    def read_with(self, reading: Reading) -> None:
        """Take the client's reader; it may already tell of lost partitions."""
        self._reading = reading

    @property
    def is_caught_up(self) -> bool:
        """Whether each partition was read to an end, and all of it handed out."""
        return bool(self._reading and self._reading.is_caught_up and not self._waiting)

    @property
    def is_empty(self) -> bool:
        """Whether it began at the last offsets of the topic, and there were none."""
        return bool(self._reading and self._reading.is_empty)

    def next(self, seconds: float | None) -> Received | None:
        """Finish the record in hand and return the next; nothing after so long (`None`: wait).

        The time begins when the reader has been admitted to its group.

        Raises:
            StopAsked: the script was asked to stop.
            DeliveryFailed: something sent before has failed.
            ReadingFailed: waiting will not help.
        """
        self.finish()
        self._sender.check()
        self._stopping.check()
        self._await_group()
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            left = SLICE_SECONDS if end is None else max(0.0, end - time.monotonic())
            self.current = self._poll(min(left, SLICE_SECONDS))
            self.serve()
            if self.current is not None:
                return self.current
            self._stopping.check()
            if end is not None and time.monotonic() >= end:
                return None

    def finish(self) -> None:
        """Take the record in hand as done."""
        with self._lock:
            if self.current is not None:
                self._finished(self.current.place)
                self.current = None

    def serve(self) -> None:
        """Take delivery reports, let be committed what they allow, and raise what has failed."""
        self._sender.serve()
        self._settle()
        self._sender.check()

    def settle(self, place: Place) -> None:
        """Let a place be committed."""
        if self._reading is not None:
            self._reading.settle(place)

    def lose(self, partitions: Sequence[int]) -> None:
        """Forget what belongs to partitions that others read now."""
        with self._lock:
            gone = set(partitions)
            self._waiting = deque(r for r in self._waiting if r.partition not in gone)
            if self.current is not None and self.current.partition in gone:
                self.current = None

    def keep(self, now: float) -> None:
        """Poll in the script's stead if it has been busy for a while; what comes waits for it."""
        if self._reading is None or now - self._polled < BUSY_SECONDS:
            return
        if not self._lock.acquire(blocking=False):
            return
        try:
            received = self._reading.poll(0)
            if received is not None:
                self._waiting.append(received)
                self._reading.hold()
                self._is_held = True
        finally:
            self._lock.release()

    def close(self) -> None:
        """Commit what is settled, and leave the group."""
        with self._lock:
            reading, self._reading = self._reading, None
        if reading is not None:
            reading.close()

    def _poll(self, seconds: float) -> Received | None:
        with self._lock:
            self._polled = time.monotonic()
            if self._reading is None:
                raise ReadingFailed(f'topic "{self.topic}" is closed: open it anew to read it')
            if self._waiting:
                return self._waiting.popleft()
            if self._is_held:
                self._reading.go_on()
                self._is_held = False
            received = self._reading.poll(seconds)
            self._polled = time.monotonic()
            return received

    def _await_group(self) -> None:
        end = time.monotonic() + JOIN_LIMIT_SECONDS
        while self._reading is not None and not self._reading.is_joined:
            with self._lock:
                received = self._reading.poll(SLICE_SECONDS)
                if received is not None:
                    self._waiting.append(received)
            self._stopping.check()
            if time.monotonic() > end:
                raise ReadingFailed(
                    f'topic "{self.topic}": not admitted to the consumer group within '
                    f"{JOIN_LIMIT_SECONDS:.0f} s: see whether Kafka answers, and whether another "
                    "member of the group is stuck"
                )
