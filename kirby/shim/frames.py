"""The raw output of an attempt on the disk: numbered files of frames, as much as may be kept.

A frame is `<QBI` (wall clock nanoseconds, stream, length) and the bytes. What is over the limit is
dropped and counted, but for the last of it, which says most about a failure; it follows the mark
when the attempt ends. A daemon never ends, so its limit is what lies there unshipped.
"""

import errno
import os
import struct

from kirby.shim.kernel import wall_ns

FRAME = struct.Struct("<QBI")
KIRBY = 4  # the stream of Kirby's own notes; 1 out, 2 err, 3 log
SEGMENT = 1_000_000  # bytes; the Recorder removes those of a daemon that it has shipped
TAIL = 65_536  # bytes kept of what was dropped last
LOOK_AGAIN = 1_000_000  # bytes dropped between two looks at what a daemon's Recorder has removed
PREFIX = "output."


class Frames:
    """Writes the output of one attempt below its folder."""

    def __init__(self, folder: str, limit: int, endless: bool) -> None:
        self._folder = folder
        self._limit = limit
        self._endless = endless
        self._number = max(numbers(folder), default=0)
        self._kept = size(folder)
        self._file = -1
        self._in_file = 0
        self._tail: list[tuple[int, int, bytes]] = []
        self._in_tail = 0
        self._dropping = 0  # bytes since the last mark, those in the tail included
        self._looked = 0
        self._cause = ""
        self._over = False  # once over the limit, a run stays so: its output has one gap
        self.dropped = 0

    def write(self, stream: int, data: bytes) -> None:
        """Keep or drop what a script said."""
        now = wall_ns()
        cause = self._obstacle(len(data))
        if not cause:
            cause = self._mark() or self._append(now, stream, data)
        if cause:
            self._drop(now, stream, data, cause)

    def finish(self) -> None:
        """Write the mark and the last of what was dropped, and close."""
        tail, in_tail = self._tail, self._in_tail
        self._dropping -= in_tail
        if tail and not self._mark():
            for when, stream, data in tail:
                if not self._append(when, stream, data):
                    self.dropped -= len(data)
        self._close()

    def _obstacle(self, length: int) -> str:
        """Return why so much cannot be kept; empty: it can."""
        if self._kept + length <= self._limit and not self._over:
            return ""
        self._over = True
        if self._endless and self._dropping - self._looked >= LOOK_AGAIN:
            self._looked = self._dropping
            self._kept = size(self._folder)
            if self._kept + length <= self._limit // 2:  # else marks would alternate with lines
                self._over = False
                return ""
        return f"over the limit of {self._limit} bytes"

    def _drop(self, when: int, stream: int, data: bytes, cause: str) -> None:
        self._cause = cause
        self._dropping += len(data)
        self.dropped += len(data)
        self._tail.append((when, stream, data))
        self._in_tail += len(data)
        while self._in_tail - len(self._tail[0][2]) >= TAIL:
            self._in_tail -= len(self._tail.pop(0)[2])

    def _mark(self) -> str:
        """Say in the output itself what was dropped; return why that failed."""
        if not self._dropping:
            return ""
        text = f"{self._dropping} bytes of output were dropped here: {self._cause}"
        failed = self._append(wall_ns(), KIRBY, text.encode())
        if not failed:
            self._dropping = self._looked = self._in_tail = 0
            self._tail = []
        return failed

    def _append(self, when: int, stream: int, data: bytes) -> str:
        frame = FRAME.pack(when, stream, len(data))
        try:
            self._open()
            written = os.writev(self._file, [frame, data])
        except OSError as fault:
            return self._failed(fault)
        if written < len(frame) + len(data):
            os.ftruncate(self._file, self._in_file)  # half a frame would end this file for readers
            return "the disk is full"
        self._in_file += written
        self._kept += written
        return ""

    def _failed(self, fault: OSError) -> str:
        if fault.errno in (errno.ENOSPC, errno.EDQUOT):
            return "the disk is full"
        return f"it could not be written ({fault.strerror})"

    def _open(self) -> None:
        """Open the next file where there is none or the present one is long enough."""
        if self._file >= 0 and self._in_file < SEGMENT:
            return
        self._close()
        self._number += 1
        path = f"{self._folder}/{PREFIX}{self._number:06}"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._in_file = 0

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def numbers(folder: str) -> list[int]:
    """Return the numbers of the output files that are there, in order."""
    names = os.listdir(folder)
    return sorted(int(name[len(PREFIX) :]) for name in names if name.startswith(PREFIX))


def size(folder: str) -> int:
    """Return how many bytes the output files take."""
    total = 0
    for number in numbers(folder):
        try:
            total += os.stat(f"{folder}/{PREFIX}{number:06}").st_size
        except FileNotFoundError:
            pass  # the Recorder has just removed it
    return total
