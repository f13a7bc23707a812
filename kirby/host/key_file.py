"""The file `key` of a state folder: the ring of the cluster's keys, whole or not at all.

Earlier ones hold a single key, as 64 hexadecimal digits; that is also how a person copies one.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec

from kirby.core.errors import Conflict, Insecure
from kirby.core.key_ring import BEGINNING, KeyRing, RingKey
from kirby.host.locks import Taken, take
from kirby.host.state import write_private

KEY_BYTES = 32
CHANGE_WITHIN_S = 10.0  # a writer holds the lock for milliseconds

Stamp = tuple[int, int, int]


class _Key(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    secret: str
    since: datetime = BEGINNING
    until: datetime | None = None


class _Ring(msgspec.Struct, frozen=True, kw_only=True):
    keys: list[_Key]


@dataclass(kw_only=True)
class KeyFile:
    """The ring in a file, read anew whenever the file is another."""

    path: Path
    _stamp: Stamp | None = None
    _ring: KeyRing | None = field(default=None, repr=False)

    def ring(self) -> KeyRing:
        """Return the ring; of a file that has become unreadable the one that was read last.

        Raises:
            Insecure: it could never be read.
        """
        try:
            status = self.path.stat()
            stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
            if self._ring is None or stamp != self._stamp:
                self._ring, self._stamp = read_ring(self.path), stamp
        except (OSError, Insecure):
            if self._ring is None:
                self._ring = read_ring(self.path)  # and say what is wrong
        return self._ring


def read_ring(path: Path) -> KeyRing:
    """Read a ring.

    Raises:
        Insecure: there is none, others may read it, or it is no key.
    """
    try:
        with path.open() as file:
            mode, text = os.fstat(file.fileno()).st_mode, file.read()
    except FileNotFoundError:
        raise Insecure(
            f"{path} is missing: start Kirby once, or take the key of another host with "
            "'kirby key take'"
        ) from None
    except (OSError, UnicodeDecodeError) as fault:
        raise Insecure(f"{path} cannot be read ({fault}): see whose it is") from None
    if mode & 0o077:
        raise Insecure(f"{path} can be read by others: run 'chmod 600 {path}'")
    ring = parse_ring(text)
    if ring is None:
        raise Insecure(
            f"{path} is no cluster key: take the key of another host with "
            "'kirby key take --replace', or a copy that you kept"
        )
    return ring


def parse_ring(text: str) -> KeyRing | None:
    """Read what `key` files hold, or the digits of a single key; None: it is neither."""
    if not text.lstrip().startswith("{"):
        secret = _secret(text.strip())
        return None if secret is None else KeyRing(keys=(RingKey(secret=secret),))
    try:
        told = msgspec.json.decode(text, type=_Ring).keys
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return None
    secrets = [_secret(each.secret) for each in told]
    if not told or any(each.since.tzinfo is None for each in told):
        return None
    keys = [
        RingKey(secret=secret, since=each.since, until=each.until)
        for secret, each in zip(secrets, told, strict=True)
        if secret is not None
    ]
    return KeyRing(keys=tuple(keys)) if len(keys) == len(told) else None


def _secret(digits: str) -> bytes | None:
    try:
        secret = bytes.fromhex(digits)
    except ValueError:
        return None
    return secret if len(secret) == KEY_BYTES else None


def write_ring(path: Path, ring: KeyRing) -> None:
    """Write a ring: readable by its owner only, whole or not at all, synced."""
    told = _Ring(
        keys=[_Key(secret=key.secret.hex(), since=key.since, until=key.until) for key in ring.keys]
    )
    write_private(path, msgspec.json.encode(told).decode() + "\n")
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # the new name survives a power cut, too
    finally:
        os.close(descriptor)


def change_ring(path: Path, step: Callable[[KeyRing], KeyRing]) -> KeyRing:
    """Put a ring in place of the one in a file; others that do so at the time wait.

    Raises:
        Insecure: the file cannot be read.
        Conflict: somebody changes it for longer than anybody should.
    """
    with _alone(path):
        before = read_ring(path)
        after = step(before)
        if after != before:
            write_ring(path, after)
    return after


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    try:
        lock = take(path.with_name("locks") / "key", wait_s=CHANGE_WITHIN_S)
    except Taken:
        raise Conflict(f"another process changes {path}: try again in a moment") from None
    try:
        yield
    finally:
        lock.release()
