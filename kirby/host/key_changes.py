"""How a change of key goes from host to host: sealed with the key before, learnt, written down."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from kirby.core.errors import Conflict
from kirby.core.key_ring import Announced, KeyRing, RingKey, Succession, fingerprint_of, learn
from kirby.host.key_file import KEY_BYTES, change_ring, read_ring
from kirby.host.keys import ClusterKeys, key_of
from kirby.host.state import StateFolder
from kirby.host.token_file import TokenFile, read_token_file, write_token_file


class _Sealed(msgspec.Struct, frozen=True, kw_only=True):
    secret: str
    since: datetime
    until: datetime


def announcement(
    ring: KeyRing, now: datetime, *, after: timedelta, grace: timedelta
) -> tuple[Announced, Succession]:
    """Draw the next key of a ring, and seal it with the one that it follows.

    Raises:
        Conflict: a change is under way already.
    """
    upcoming = ring.upcoming(now)
    if upcoming is not None:
        raise Conflict(
            f"a new key was announced already and counts from {upcoming.since:%H:%M:%S} UTC: "
            "change it again after that"
        )
    before = ring.active(now)
    next_one = Succession(
        secret=secrets.token_bytes(KEY_BYTES), since=now + after, until=now + after + grace
    )
    told = _Sealed(secret=next_one.secret.hex(), since=next_one.since, until=next_one.until)
    sealer = key_of(before.secret).sealer
    announced = Announced(
        of=before.fingerprint,
        key=fingerprint_of(next_one.secret),
        sealed=sealer.encrypt(msgspec.json.encode(told)).decode(),
    )
    return announced, next_one


def opened(key: RingKey, sealed: str) -> Succession | None:
    """Open what was announced; None: it was not sealed with this key."""
    text = key_of(key.secret).opened(sealed)
    if text is None:
        return None
    told = msgspec.json.decode(text, type=_Sealed)
    return Succession(secret=bytes.fromhex(told.secret), since=told.since, until=told.until)


def take_announced(folder: StateFolder, told: Iterable[Announced], now: datetime) -> bool:
    """Write down what was announced; return whether anything was new.

    Raises:
        Insecure: this host's key cannot be read.
    """
    announced = list(told)
    ring = read_ring(folder.key)
    if learn(ring, announced, now, opened) == ring:
        return False
    change_ring(folder.key, lambda ring: learn(ring, announced, now, opened))
    return True


def freshen_token(folder: StateFolder, keys: ClusterKeys) -> None:
    """Make anew a token of the command line that was derived from an earlier key."""
    told = _told(folder)
    if told and told.token != keys.host_token() and keys.was_host_token(told.token):
        write_token_file(folder, TokenFile(url=told.url, token=keys.host_token()))


def told_url(folder: StateFolder) -> str:
    """Return the web service that this host used last; empty: none that is known."""
    told = _told(folder)
    return told.url if told else ""


def _told(folder: StateFolder) -> TokenFile | None:
    try:
        return read_token_file(folder)
    except (OSError, msgspec.MsgspecError):
        return None
