"""The web service's part in a change of the cluster's key: announces, learns, seals anew."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import peewee

from kirby.core.errors import KeyOutdated, KirbyError
from kirby.core.key_ring import SKEW, Announced, KeyRing, Succession
from kirby.host.key_changes import announcement, freshen_token, take_announced
from kirby.host.keys import ClusterKeys
from kirby.host.state import StateFolder
from kirby.model.database import connection
from kirby.model.key_changes import changes, end_of, keep_change, reseal

LOOK_EVERY_S = 5.0
GRACE = timedelta(hours=24)
AHEAD = timedelta(minutes=1)  # every host that lives asks a dozen times meanwhile
AHEAD_LEAST = timedelta(seconds=15)  # three times the hosts' and web services' own look

_log = logging.getLogger(__name__)


def outdated(until: datetime) -> KeyOutdated:
    """Say to a host that its key is not taken any more, and what to do."""
    return KeyOutdated(
        f"this host's key was changed for another, and is not taken since {until:%Y-%m-%d %H:%M} "
        "UTC: run 'kirby key show' on a host that has the new one, and here "
        "'kirby key take --replace'"
    )


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(kw_only=True)
class KeyChanging:
    """Looks every few seconds at what other web services announced, in a thread of its own."""

    folder: StateFolder
    keys: ClusterKeys
    now: Callable[[], datetime] = _now
    _ends: threading.Event = field(default_factory=threading.Event)
    _sealed_with: str = ""  # fingerprint of the key that all secrets were last sealed with

    def begin(self) -> None:
        """Learn what was announced, seal anew what has to be, and go on looking.

        Raises:
            KeyOutdated: this service's key is not taken any more.
        """
        with connection():
            self.look()
            until = end_of(self._ring.active(self.now()).fingerprint)
        if until is not None and until + SKEW < self.now():
            raise outdated(until)
        threading.Thread(target=self._work, name="keys", daemon=True).start()

    def close(self) -> None:
        """Look no more."""
        self._ends.set()

    def rotate(self, by: str, *, after: timedelta, grace: timedelta) -> Succession:
        """Announce a new key.

        Raises:
            Conflict: a change is under way already.
        """
        self.look()
        now = self.now()
        announced, told = announcement(self._ring, now, after=after, grace=grace)
        keep_change(announced, told, by, now)
        take_announced(self.folder, [announced], now)
        return told

    def announced(self) -> list[Announced]:
        """Return what hosts have to learn."""
        return changes(self.now())

    def look(self) -> None:
        """Learn, and seal anew once another key counts."""
        take_announced(self.folder, changes(self.now()), self.now())
        active = self._ring.active(self.now()).fingerprint
        if active != self._sealed_with:
            resealed = reseal(self.keys)
            self._sealed_with = active
            freshen_token(self.folder, self.keys)
            if resealed:
                _log.info("%d secrets were sealed with the new key", resealed)

    def refuse_outdated(self, token: str) -> None:
        """Tell a host that missed a change for longer than its grace period.

        Raises:
            KeyOutdated: it did.
        """
        if self.keys.was_host_token(token):
            ends = [key.until for key in self._ring.keys if key.until and key.until < self.now()]
            raise outdated(max(ends, default=self.now()))

    @property
    def _ring(self) -> KeyRing:
        return self.keys.ring()

    def _work(self) -> None:
        while not self._ends.wait(LOOK_EVERY_S):
            try:
                with connection():
                    self.look()
            except (KirbyError, peewee.PeeweeException, OSError) as fault:
                _log.warning("changes of the key cannot be looked for: %s", fault)
