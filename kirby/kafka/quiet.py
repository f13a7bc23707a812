"""What librdkafka says, passed on but never in floods: it prints each failed reconnect otherwise.

A client that cannot reach a broker says so some twenty times a second.
"""

import logging
import threading
import time
from collections.abc import Callable

PERIOD_S = 30.0  # of one and the same kind of message
log = logging.getLogger("kirby.kafka")


class RateLimited:
    """Stands for a `logging.Logger` towards confluent-kafka: one line of a kind in each period."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, to: logging.Logger = log
    ) -> None:
        self._clock = clock
        self._to = to
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._withheld: dict[str, int] = {}

    def log(self, level: int, form: str, *values: object) -> None:
        """Take what librdkafka says: a syslog level turned into one of `logging`, and its parts."""
        kind = str(values[0]) if values else form  # librdkafka's facility: FAIL, TXNERR ...
        withheld = self._admit(kind)
        if withheld is not None:
            more = f" (and {withheld} more of this kind)" if withheld else ""
            self._to.log(level, form + "%s", *values, more)

    def error(self, fault: object) -> None:
        """Take an error that concerns the client as a whole."""
        self.log(logging.WARNING, "%s", str(fault))

    def _admit(self, kind: str) -> int | None:
        """Return how many were withheld before, or None if this one is, too."""
        with self._lock:
            now = self._clock()
            if now - self._last.get(kind, float("-inf")) < PERIOD_S:
                self._withheld[kind] = self._withheld.get(kind, 0) + 1
                return None
            self._last[kind] = now
            return self._withheld.pop(kind, 0)
