"""Nobody of the actor system outlives who made it: the kernel sees to it (PR_SET_PDEATHSIG).

Thespian's admin is forked twice, so that its parent would be init. The start process makes itself
the reaper of its descendants instead; then the admin's parent is the start process again.
"""

import ctypes
import os
import signal
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
ADOPTED_WITHIN_S = 2.0  # the fork between start process and admin ends in milliseconds
LOOK_EVERY_S = 0.001

_forked_by = os.getpid()  # who made the latest fork, as the child remembers it
_start_process = 0


def adopt_descendants() -> None:
    """Make this process the start process: orphaned descendants become its children."""
    global _start_process
    _start_process = os.getpid()
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_whoever_forked() -> None:
    """Have the kernel end this process with its parent; end at once if that is gone already."""
    _die_with(_forked_by)


def die_with_the_start_process() -> None:
    """Wait until the start process has adopted this one; then have the kernel end both together."""
    if _start_process == 0:
        return  # an actor system of somebody's own, without a start process
    until = time.monotonic() + ADOPTED_WITHIN_S
    while os.getppid() != _start_process and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)
    _die_with(_start_process)


def _die_with(parent: int) -> None:
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _remember_who_forks() -> None:
    global _forked_by
    _forked_by = os.getpid()


os.register_at_fork(before=_remember_who_forks)
