"""Locks of a host: one start process for each state folder, one actor for each role.

A lock is the kernel's (flock), so it is free the moment its holder is gone, however it went. It
does not pass to forked children: they would hold it on.
"""

import errno
import fcntl
import os
import time
from pathlib import Path

RETRY_EVERY_S = 0.02

_held: set[int] = set()


class Taken(Exception):
    """Another process holds the lock; `said` is what it wrote into the file."""

    def __init__(self, path: Path, said: str) -> None:
        super().__init__(f"{path} is locked")
        self.said = said


class Lock:
    """A lock that this process holds until it ends or lets go."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        _held.add(descriptor)

    def say(self, text: str) -> None:
        """Write into the file what others should know of the holder."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def release(self) -> None:
        """Let go; doing it twice is harmless."""
        if self._descriptor in _held:
            _held.discard(self._descriptor)
            os.close(self._descriptor)


def take(path: Path, *, wait_s: float = 0.0) -> Lock:
    """Take the lock of a file, which is made if it lacks (and never removed).

    Args:
        path: the file.
        wait_s: for how long to try.

    Raises:
        Taken: another process held it all the time.
    """
    until = time.monotonic() + wait_s
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return Lock(descriptor)
        except OSError as fault:
            if fault.errno not in (errno.EAGAIN, errno.EACCES):
                os.close(descriptor)
                raise
        if time.monotonic() >= until:
            said = os.pread(descriptor, 4096, 0).decode(errors="replace")
            os.close(descriptor)
            raise Taken(path, said)
        time.sleep(RETRY_EVERY_S)


def is_taken(path: Path) -> bool:
    """Whether a living process holds the lock."""
    if not path.exists():
        return False
    try:
        take(path).release()
    except Taken:
        return True
    return False


def _let_the_parent_hold() -> None:
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_let_the_parent_hold)
