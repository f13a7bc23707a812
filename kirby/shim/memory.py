"""The shim's memory: every step of every attempt in one log, so that one sync keeps them all.

The journals in the run folders are what others read; they are written at once but synced only
through this log, which mends them after a power failure. It also keeps, for a day, what became of
attempts whose folders are gone: a start window is at most an hour, so what is forgotten is refused
for its deadline.

`taken/000001` ... are JSON lines, followed by zeros: their blocks are taken from the disk ahead,
so that what is alive can tell its end on a full one.
"""

import json
import os
from collections.abc import Callable

from kirby.shim.folder import read_lines
from kirby.shim.kernel import SECOND, wall_ns
from kirby.shim.requests import Request

BLOCK = 262_144  # bytes taken from the disk at a time
SEGMENT = 1_048_576  # bytes
KEPT_NS = 24 * 3600 * SECOND
RESERVED = 16_384  # bytes free before anything new is taken
RESERVED_EACH = 2_048  # bytes for the ends of each attempt that is held


class Memory:
    """Appends to the log and syncs it. One shim only: the caller holds the lock."""

    def __init__(self, path: str, snapshot: Callable[[], list[Request]]) -> None:
        self._path = path
        self._snapshot = snapshot  # what each file begins with, as the older ones will be dropped
        os.makedirs(path, mode=0o700, exist_ok=True)
        self._number = max(self._numbers(), default=0)
        self._file = -1
        self._end = 0
        self._allocated = 0
        self._waiting: list[bytes] = []
        self._refused = False  # the disk refused the last sync
        self.dirty = False

    def read(self) -> list[Request]:
        """Return all that is remembered, oldest first."""
        lines: list[Request] = []
        for number in self._numbers():
            with open(self._name(number), "rb") as file:
                lines += read_lines(file.read())[0]
        return lines

    def has_room(self, length: int, held: int) -> bool:
        """Make sure that something new of so many bytes can be noted, and its end as well."""
        waiting = sum(map(len, self._waiting))
        needed = waiting + length + RESERVED + RESERVED_EACH * (held + 1)
        return not self._refused and self._reserve(needed)

    def append(self, line: Request) -> None:
        """Note something; it is kept once `sync` has returned True."""
        self._waiting.append(encoded(line))
        self.dirty = True

    def sync(self) -> bool:
        """Bring everything noted to the disk; False: the disk refuses, so try again later."""
        self._refused = True
        if not self._reserve(sum(map(len, self._waiting))):
            return False
        data = b"".join(self._waiting)
        try:
            os.pwrite(self._file, data, self._end)
            os.fdatasync(self._file)
        except OSError:
            return False
        self._end += len(data)
        self._waiting.clear()
        self.dirty = self._refused = False
        return True

    def prune(self) -> None:
        """Drop the files whose last line is older than a day."""
        for number in self._numbers()[:-1]:
            if wall_ns() - os.stat(self._name(number)).st_mtime_ns > KEPT_NS:
                os.unlink(self._name(number))

    def _reserve(self, length: int) -> bool:
        if self._file < 0 or self._end + length > max(SEGMENT, length):
            return self._roll(length)
        return self._extend(length)

    def _extend(self, length: int) -> bool:
        if self._end + length <= self._allocated:
            return True
        wanted = -(-(self._end + length) // BLOCK) * BLOCK
        try:
            os.posix_fallocate(self._file, 0, wanted)
            os.fsync(self._file)
        except OSError:
            return False
        self._allocated = wanted
        return True

    def _roll(self, length: int) -> bool:
        """Begin the next file; the present one stays in use where there is no room for it."""
        before = self._file, self._end, self._allocated
        name = self._name(self._number + 1)
        try:
            self._file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            return before[0] >= 0 and self._extend(length)
        self._end = self._allocated = 0
        if not self._extend(length):
            os.close(self._file)
            os.unlink(name)
            self._file, self._end, self._allocated = before
            return self._file >= 0 and self._extend(length)
        self._number += 1
        self._waiting[:0] = map(encoded, self._snapshot())
        self._finish(before[0], before[1])
        return True

    def _finish(self, file: int, end: int) -> None:
        if file >= 0:
            os.ftruncate(file, end)
            os.fsync(file)
            os.close(file)
        folder = os.open(self._path, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def _numbers(self) -> list[int]:
        return sorted(int(name) for name in os.listdir(self._path) if name.isdigit())

    def _name(self, number: int) -> str:
        return f"{self._path}/{number:06}"


def encoded(line: Request) -> bytes:
    """Write one line."""
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"
