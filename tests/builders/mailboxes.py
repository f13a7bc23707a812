"""Waiting for what comes through a mailbox, as an actor does: by its descriptor."""

import select
import time
from collections.abc import Callable
from typing import Any, TypeVar

from kirby.kafka.mailbox import Mailbox

LIMIT_S = 20.0
Kind = TypeVar("Kind")


class Post:
    """Collects what a mailbox brings, and waits for the first of a kind that was not taken."""

    def __init__(self) -> None:
        self.mailbox: Mailbox[Any] = Mailbox()
        self.seen: list[Any] = []

    def next(
        self,
        kind: type[Kind],
        such: Callable[[Kind], bool] = lambda event: True,
        limit_s: float = LIMIT_S,
    ) -> Kind:
        """Return the oldest event of a kind, and forget it; AssertionError when none comes."""
        ends = time.monotonic() + limit_s
        while True:
            for number, event in enumerate(self.seen):
                if isinstance(event, kind) and such(event):
                    del self.seen[number]
                    return event
            left = ends - time.monotonic()
            assert left > 0, f"no {kind.__name__} came; these did: {self.seen}"
            select.select([self.mailbox], [], [], left)
            self.seen += self.mailbox.drain()

    def close(self) -> None:
        self.mailbox.close()
