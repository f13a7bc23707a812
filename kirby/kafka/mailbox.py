"""How what a Kafka thread learns reaches an actor: a queue with a descriptor to wait for."""

import contextlib
import os
import threading
from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """A queue that any thread fills and one empties; its descriptor is readable while it has some.

    Wakes coalesce, so whoever is woken drains the whole of it.
    """

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._lock = threading.Lock()
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._is_open = True

    def put(self, *items: Item) -> None:
        """Append items and wake whoever waits; after `close` they are dropped."""
        self.put_all(items)

    def put_all(self, items: Iterable[Item]) -> None:
        """Append many with one wake."""
        with self._lock:
            if not self._is_open:
                return
            before = len(self._items)
            self._items.extend(items)
            if len(self._items) > before:
                os.eventfd_write(self._descriptor, 1)

    def drain(self) -> list[Item]:
        """Take all that there is, oldest first."""
        with self._lock:
            items = list(self._items)
            self._items.clear()
            if self._is_open:
                self._calm()
            return items

    def fileno(self) -> int:
        """Return the descriptor that becomes readable; -1 once closed."""
        return self._descriptor if self._is_open else -1

    def close(self) -> None:
        """Let go of the descriptor; may be called again."""
        with self._lock:
            if self._is_open:
                self._is_open = False
                os.close(self._descriptor)

    def __len__(self) -> int:
        return len(self._items)

    def _calm(self) -> None:
        with contextlib.suppress(BlockingIOError):  # nobody had put anything
            os.eventfd_read(self._descriptor)
