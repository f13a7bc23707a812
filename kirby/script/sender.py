"""Sends what a script gives it, and keeps account of what Kafka has acknowledged."""

import threading
from collections.abc import Callable

from kirby.core.errors import DeliveryFailed
from kirby.script.ports import Headers, Writing
from kirby.script.settlement import Place, Settlement, Ticket

_NOT_HEARD_OF = ""  # stands for the topics of what Kafka said nothing about


class Sender:
    """The one producer of a script, whatever its topics; made when it is first needed.

    Delivery reports may come in any thread, so the account is kept under a lock.
    """

    def __init__(self, make: Callable[[], Writing]) -> None:
        self._make = make
        self._writing: Writing | None = None
        self._lock = threading.Lock()
        self._account = Settlement()
        self._failed: dict[str, int] = {}  # by topic
        self._reason = ""
        self._told = 0  # how many of the failed were raised

    @property
    def unacknowledged(self) -> int:
        """Return how many records are neither acknowledged nor failed."""
        with self._lock:
            return self._open()

    def send(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        """Hand over a record.

        Raises:
            DeliveryFailed: an earlier one, or this one, has failed.
        """
        self.check()
        if self._writing is None:
            self._writing = self._make()
        with self._lock:
            ticket = self._account.send()
        self._writing.send(
            topic, key, value, headers, lambda reason: self._done(topic, ticket, reason)
        )
        self.check()

    def serve(self) -> None:
        """Take what Kafka has reported meanwhile."""
        if self._writing is not None:
            self._writing.serve()

    def flush(self, seconds: float) -> None:
        """Wait for the reports of all that was sent, at most so long."""
        if self._writing is not None and self.unacknowledged:
            self._writing.flush(seconds)

    def check(self) -> None:
        """Raise the failure of what was sent; each failure once.

        Raises:
            DeliveryFailed: saying how many records did not arrive so far, and why.
        """
        if not self._failed:
            return
        failed = sum(self._failed.values())
        if failed > self._told:
            self._told = failed
            raise DeliveryFailed(self._sentence())

    def give_up(self) -> None:
        """Count what is still not acknowledged as failed."""
        with self._lock:
            if left := self._open():
                self._failed[_NOT_HEARD_OF] = left
                self._reason = self._reason or "Kafka did not acknowledge in time"

    def finish(self, place: Place) -> None:
        """Take note that the script is done with a record."""
        with self._lock:
            self._account.finish(place)

    def lose(self, topic: str, partitions: list[int]) -> None:
        """Take note that others read these partitions now."""
        with self._lock:
            self._account.lose(topic, partitions)

    def settled(self) -> list[Place]:
        """Take out the places that may be committed."""
        with self._lock:
            return self._account.settled()

    def _open(self) -> int:
        return max(0, self._account.unacknowledged - sum(self._failed.values()))

    def _done(self, topic: str, ticket: Ticket, reason: str) -> None:
        with self._lock:
            if not reason:
                self._account.acknowledge(ticket)
                return
            self._failed[topic] = self._failed.get(topic, 0) + 1
            self._reason = self._reason or reason

    def _sentence(self) -> str:
        count = sum(self._failed.values())
        records = "1 record was" if count == 1 else f"{count} records were"
        names = ", ".join(f'"{topic}"' for topic in self._failed if topic != _NOT_HEARD_OF)
        where = f" to topic {names}" if names else ""
        return (
            f"{records} not delivered{where}: {self._reason}; nothing read since is committed, so "
            "run the script again when that is mended"
        )
