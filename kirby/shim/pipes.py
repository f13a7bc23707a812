"""The named pipes of an attempt: made, drained, closed.

Script and shim both open them for reading and writing: so neither gets an end of file or SIGPIPE
when the other dies, and a new shim goes on reading where the old one was killed.
"""

import os

from kirby.shim.frames import Frames

STREAMS = {"out": 1, "err": 2, "log": 3}
CHUNK = 65_536  # a pipe's own size: more cannot be in it


def make(folder: str) -> None:
    """Make the pipes in a run folder."""
    for name in STREAMS:
        os.mkfifo(f"{folder}/{name}", 0o600)


class Drain:
    """Moves what a script says from its pipes to its frames."""

    def __init__(self, folder: str, frames: Frames) -> None:
        self._frames = frames
        self.streams: dict[int, int] = {}  # descriptor to stream
        for name, stream in STREAMS.items():
            descriptor = os.open(f"{folder}/{name}", os.O_RDWR | os.O_NONBLOCK)
            self.streams[descriptor] = stream

    def ready(self, descriptor: int, _: int) -> None:
        """Take what is there, when the loop says that something is."""
        self.take(descriptor)

    def take(self, descriptor: int) -> bool:
        """Take what is there, a pipe's size at most; tell whether there was anything."""
        try:
            data = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return False
        self._frames.write(self.streams[descriptor], data)
        return True

    def finish(self) -> int:
        """Take all that is left once nobody writes any more, and close; return bytes dropped."""
        for descriptor in self.streams:
            while self.take(descriptor):
                pass
        self.close()
        self._frames.finish()
        return self._frames.dropped

    def close(self) -> None:
        """Close the pipes."""
        for descriptor in self.streams:
            os.close(descriptor)
        self.streams.clear()
