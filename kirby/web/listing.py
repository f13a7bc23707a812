"""The web service lists itself in the database, so that people and programs see which there are."""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import peewee

from kirby.core.errors import DatabaseError
from kirby.model.database import connection
from kirby.model.serving import SEEN_EVERY, forget_web_service, see_web_service

_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Listing:
    """A thread that says every few seconds that this web service lives."""

    url: str
    host: str
    version: str
    _since: datetime = field(default_factory=lambda: datetime.now(UTC))
    _closing: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._work, name="kirby-listing", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End, and take this web service from the list."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(5.0)

    def _work(self) -> None:
        while not self._closing.is_set():
            self._trying(self._see)
            self._closing.wait(SEEN_EVERY.total_seconds())
        self._trying(self._forget)

    def _see(self) -> None:
        see_web_service(
            self.url,
            host=self.host,
            pid=os.getpid(),
            version=self.version,
            since=self._since,
            now=datetime.now(UTC),
        )

    def _forget(self) -> None:
        forget_web_service(self.url, os.getpid())

    def _trying(self, what: Callable[[], None]) -> None:
        try:
            with connection():
                what()
        except (peewee.PeeweeException, DatabaseError) as fault:
            _log.warning("this web service is not listed for now: %s", fault)
