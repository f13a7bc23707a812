"""One demo in a folder, and nothing of it that is left behind, however it ends."""

import ctypes
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from kirby.core.errors import StateInUse
from kirby.host.locks import Taken, is_taken, take
from kirby.host.state import StateFolder

PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>
LEAVES_WITHIN_S = 30.0  # a host whose demo was killed stops its actors meanwhile

_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def only_demo(folder: StateFolder) -> Iterator[None]:
    """Be the only demo of a state folder; the kernel sees to it.

    Raises:
        StateInUse: another demo runs there.
    """
    try:
        lock = take(folder.path / "demo.lock")
    except Taken as taken:
        raise StateInUse(
            f"another demo ({taken.said}) runs in {folder.path}: end it with Ctrl-C, "
            "or start this one in another folder"
        ) from None
    lock.say(f"pid {os.getpid()}, since {datetime.now():%H:%M}")  # noqa: DTZ005 - told to people
    try:
        yield
    finally:
        lock.release()


def wait_for_the_last_host(folder: StateFolder) -> None:
    """Wait for a host that is still ending, as its demo was killed."""
    if is_taken(folder.lock):
        try:
            take(folder.lock, wait_s=LEAVES_WITHIN_S).release()
        except Taken:
            return  # it is none of a demo: the start says so, and what to do


def ends_with_me() -> Callable[[], None]:
    """Return what a child does before it begins, so that it is asked to end when this process dies.

    The kernel asks, so it is asked whatever ends this process.
    """
    parent = os.getpid()

    def prepare() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(0)

    return prepare
