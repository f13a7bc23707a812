"""One thread that waits for descriptors and for one instant."""

import os
import select
import signal
import sys
from collections.abc import Callable
from types import FrameType

from kirby.shim.kernel import Alarm

Handler = Callable[[int, int], None]  # descriptor, epoll mask


class Loop:
    """Calls what was registered for a descriptor when it is ready."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}
        self._alarm = Alarm()
        self._alarm_only = select.epoll()
        for poller in (self._epoll, self._alarm_only):
            poller.register(self._alarm.descriptor, select.EPOLLIN)

    def watch(self, descriptor: int, handler: Handler, mask: int = select.EPOLLIN) -> None:
        """Call a handler whenever the descriptor is ready."""
        self._handlers[descriptor] = handler
        self._epoll.register(descriptor, mask)

    def change(self, descriptor: int, mask: int) -> None:
        """Wait for something else of a descriptor."""
        self._epoll.modify(descriptor, mask)

    def forget(self, descriptor: int) -> None:
        """Wait for nothing of a descriptor any more; call it before it is closed."""
        if self._handlers.pop(descriptor, None):
            self._epoll.unregister(descriptor)

    def turn(self, until: int, first: Callable[[], None], *, deaf: bool) -> None:
        """Wait until an instant or a descriptor, call `first`, then what is ready.

        `deaf`: wait for the instant only.
        """
        self._alarm.set(until)
        ready = self._alarm_only.poll() if deaf else self._epoll.poll()
        first()
        for descriptor, mask in ready:
            if descriptor == self._alarm.descriptor:
                self._alarm.clear()
            elif handler := self._handlers.get(descriptor):
                guarded(handler, descriptor, mask)


def guarded(handler: Handler, descriptor: int, mask: int) -> None:
    """Call a handler; a fault of ours is written down, and the others go on."""
    try:
        handler(descriptor, mask)
    except Exception:
        sys.excepthook(*sys.exc_info())


def wake_on_signals(loop: Loop, handler: Callable[[bytes], None]) -> None:
    """Call a handler with the numbers of signals that came."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, _nothing)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    loop.watch(reading, lambda descriptor, _: handler(os.read(descriptor, 4096)))


def _nothing(_: int, __: FrameType | None) -> None:
    """Let the wake-up descriptor tell."""
