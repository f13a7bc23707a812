"""SIGTERM and SIGINT as something to wait on, or as an exception where something takes long."""

import contextlib
import os
import selectors
import signal
from collections.abc import Iterator


class Stopped(BaseException):
    """SIGTERM or Ctrl-C came while something takes long."""


class Signals:
    """The signals of the start process; its forked children get the usual ones back."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._taken: list[int] = []
        self._raises = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._came)
        os.register_at_fork(after_in_child=self._leave_to_the_parent)

    def fileno(self) -> int:
        """Return what to wait on."""
        return self._reader

    def taken(self) -> list[int]:
        """Return which came."""
        return self._taken

    @contextlib.contextmanager
    def raising(self) -> Iterator[None]:
        """Raise Stopped at once, as long as this lasts."""
        self._raises = True
        try:
            if self._taken:
                raise Stopped
            yield
        finally:
            self._raises = False

    def _came(self, number: int, _frame: object) -> None:
        self._taken.append(number)
        with contextlib.suppress(BlockingIOError):
            os.write(self._writer, b"!")
        if self._raises:
            self._raises = False
            raise Stopped

    def _leave_to_the_parent(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def waking_at_the_end_of(pids: list[int], selector: selectors.BaseSelector) -> Iterator[None]:
    """Have the selector wake when one of the processes ends."""
    descriptors = []
    try:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                descriptors.append(os.pidfd_open(pid))
        for descriptor in descriptors:
            selector.register(descriptor, selectors.EVENT_READ)
        yield
    finally:
        for descriptor in descriptors:
            selector.unregister(descriptor)
            os.close(descriptor)
