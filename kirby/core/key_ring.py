"""Which of the cluster's keys signs and seals at an instant, and which are taken besides.

A change of key is announced ahead: a host takes what the next key signed as soon as it has it, and
signs with it from the instant that all were told. The key before is taken for a grace period more.
So hosts need not change at once, and one that was down meanwhile finds its way back.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)  # from when a cluster's first key counts
SKEW = timedelta(minutes=1)  # so far may the clocks of two hosts be apart (actors/frames.py)
KEPT_MOST = 8  # keys; old ones still open what lies on the disk of a long-lived daemon
FINGERPRINT_BYTES = 8


def fingerprint_of(secret: bytes) -> str:
    """Return what names a key and tells nothing of it."""
    digest = hashlib.blake2b(key=secret, person=b"fingerprint", digest_size=FINGERPRINT_BYTES)
    return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class RingKey:
    """One key: from when it signs and seals, and until when what it signed is taken."""

    secret: bytes = field(repr=False)
    since: datetime = BEGINNING
    until: datetime | None = None

    @property
    def fingerprint(self) -> str:
        """Return what names it."""
        return fingerprint_of(self.secret)


@dataclass(frozen=True, kw_only=True)
class KeyRing:
    """All keys that a host holds, by the instant from which they count; never empty."""

    keys: tuple[RingKey, ...]

    def active(self, now: datetime) -> RingKey:
        """Return the key that signs and seals."""
        counting = [key for key in self.keys if key.since <= now]
        return counting[-1] if counting else self.keys[0]

    def taken(self, now: datetime) -> tuple[RingKey, ...]:
        """Return the keys whose signatures are taken: the active one, then the others."""
        active = self.active(now)
        others = (key for key in reversed(self.keys) if key is not active)
        return (active, *(key for key in others if key.until is None or now < key.until + SKEW))

    def kept(self, now: datetime) -> tuple[RingKey, ...]:
        """Return all keys, those first that are the likeliest to open what is sealed."""
        taken = self.taken(now)
        return (*taken, *(key for key in reversed(self.keys) if key not in taken))

    def upcoming(self, now: datetime) -> RingKey | None:
        """Return the key that will count later, if one was announced."""
        last = self.keys[-1]
        return last if last.since > now and last is not self.active(now) else None

    def holds(self, fingerprint: str) -> bool:
        """Whether this key is here."""
        return any(key.fingerprint == fingerprint for key in self.keys)

    def changed(self, key: RingKey, *, of: str, until: datetime) -> "KeyRing":
        """Return the ring with the successor of a key, which is taken `until` then."""
        if self.holds(key.fingerprint):
            return self
        keys = [
            replace(each, until=until) if each.fingerprint == of else each for each in self.keys
        ]
        ordered = sorted([*keys, key], key=lambda each: each.since)
        return KeyRing(keys=tuple(ordered[-KEPT_MOST:]))

    def replaced(self, ring: "KeyRing", now: datetime) -> "KeyRing":
        """Return another ring, with the keys of this one only for what they have sealed."""
        old = (
            replace(key, since=BEGINNING, until=min(now, key.until or now) - SKEW)
            for key in self.keys
            if not ring.holds(key.fingerprint)
        )
        return KeyRing(keys=(*old, *ring.keys)[-KEPT_MOST:])


@dataclass(frozen=True, kw_only=True)
class Announced:
    """A change as it is handed on: the next key, sealed with the one that it follows."""

    of: str  # fingerprint of the key before
    key: str  # fingerprint of the next one
    sealed: str  # a `Succession`; empty once the grace period is over


@dataclass(frozen=True, kw_only=True)
class Succession:
    """What an announcement holds when it is opened."""

    secret: bytes = field(repr=False)
    since: datetime
    until: datetime  # of the key before


Open = Callable[[RingKey, str], Succession | None]


def learn(ring: KeyRing, told: Iterable[Announced], now: datetime, opened: Open) -> KeyRing:
    """Take in what was announced, one change after the other; the oldest comes first.

    A change counts only if it is sealed with a key that is still taken: whoever has an older one
    can announce nothing.
    """
    for each in told:
        sealing = [key for key in ring.taken(now) if key.fingerprint == each.of]
        if not each.sealed or not sealing or ring.holds(each.key):
            continue
        found = opened(sealing[0], each.sealed)
        if found is not None and fingerprint_of(found.secret) == each.key:
            key = RingKey(secret=found.secret, since=found.since)
            ring = ring.changed(key, of=each.of, until=found.until)
    return ring
